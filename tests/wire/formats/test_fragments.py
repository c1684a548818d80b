"""Datagrams in fragments: whatever the order, whole or not at all, and never more of them than there may be."""

from __future__ import annotations

from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire.formats.captures import fragmented, tcp

from bgp.wire.formats.conversation import Conversations, Heard
from bgp.wire.formats.fragments import DATAGRAMS, PIECES, Fragments
from bgp.wire.formats.packet import Segment, segment_of
from bgp.wire.formats.pcap import Packet

DATA = bytes(range(100))
FOUR = tcp(DATA, sequence=7, acknowledged=9)
SIX = tcp(DATA, source="2001:db8::1", destination="2001:db8::2", sequence=7, acknowledged=9)
#: The TCP header comes behind a header of destination options, in the part that is cut into pieces.
BEHIND = tcp(
    DATA,
    source="2001:db8::1",
    destination="2001:db8::2",
    sequence=7,
    acknowledged=9,
    extensions=pack(">BB6x", 6, 0),
    first_extension=60,
)
KEEPALIVE = b"\xff" * 16 + b"\x00\x13\x04"


def packet(octets: bytes, number: int = 1) -> Packet:
    return Packet(number, 0, 101, len(octets), octets)


def read(packets: list[bytes], fragments: Fragments | None = None) -> list[Segment]:
    known = Fragments() if fragments is None else fragments
    return [found for one in packets if (found := segment_of(packet(one), known)) is not None]


@given(
    whole=st.sampled_from([FOUR, SIX, BEHIND]),
    size=st.sampled_from([8, 16, 40, 64, 1024]),
    data=st.data(),
)
@settings(max_examples=60)
def test_pieces_in_any_order_and_more_than_once_are_the_whole(whole: bytes, size: int, data: st.DataObject) -> None:
    pieces = fragmented(whole, size)
    order = data.draw(st.permutations(pieces))
    again = data.draw(st.lists(st.sampled_from(pieces[:-1] or pieces), max_size=3)) if len(pieces) > 1 else []
    # The last new piece comes last, or what comes after it would begin another datagram.
    found = read([*order[:-1], *(one for one in again if one in order[:-1]), order[-1]])
    expected = segment_of(packet(whole))
    assert expected is not None
    assert expected.octets == DATA
    assert found == [expected]


def test_datagrams_may_be_interleaved() -> None:
    one, two = fragmented(FOUR, 64, 1), fragmented(FOUR, 64, 2)
    assert len(read([one[0], two[0], two[1], one[1]])) == 2


def test_without_its_last_piece_there_is_nothing() -> None:
    fragments = Fragments()
    for whole in (FOUR, SIX):
        assert read(fragmented(whole, 40)[:-1], fragments) == []
    assert len(fragments) == 2
    assert segment_of(packet(fragmented(FOUR, 40)[0])) is None


def test_a_piece_that_was_not_captured_to_its_end_is_none() -> None:
    fragments = Fragments()
    for whole in (FOUR, SIX):
        assert read([fragmented(whole, 40)[0][:-1]], fragments) == []
    assert len(fragments) == 0


@pytest.mark.parametrize(
    "pieces",
    [
        [(0, bytes(16), True), (8, bytes(16), True)],  # RFC 5722 4: overlapping
        [(0, bytes(16), True), (0, bytes(15) + b"\1", True)],  # the same place, other octets
        [(0, bytes(9), True)],  # not a multiple of 8, and not the last
        [(0, b"", True)],
        [(65528, bytes(8), False)],  # past what a datagram can have
        [(16, bytes(8), False), (24, bytes(8), True)],  # behind the last one
        [(16, bytes(8), False), (24, bytes(8), False)],  # another end
        [(16, bytes(8), True), (8, bytes(8), False)],  # the last one is not behind all others
    ],
)
def test_pieces_that_contradict_each_other_are_forgotten(pieces: list[tuple[int, bytes, bool]]) -> None:
    fragments = Fragments()
    for at, octets, more in pieces:
        assert fragments.add("key", at, octets, more=more) is None
    assert len(fragments) == 0


def test_there_are_never_more_than_so_many() -> None:
    fragments = Fragments()
    for number in range(2 * DATAGRAMS):
        fragments.add(number, 0, bytes(8), more=True)
    assert len(fragments) == DATAGRAMS
    assert fragments.add(2 * DATAGRAMS - 1, 8, bytes(8), more=False) == bytes(16)
    assert fragments.add(0, 8, bytes(8), more=False) is None, "the oldest were forgotten"
    for number in range(PIECES + 1):
        fragments.add("many", 8 * number, bytes(8), more=True)
    assert fragments.add("many", 8 * (PIECES + 1), bytes(8), more=False) is None


def test_a_session_in_fragments_is_read() -> None:
    whole = tcp(KEEPALIVE * 20, source="2001:db8::1", destination="2001:db8::2", acknowledged=1)
    packets = [packet(one, number) for number, one in enumerate(reversed(fragmented(whole, 128)), 1)]
    found = list(Conversations().packets(packets))
    assert len(found) == 20
    assert all(isinstance(one, Heard) and one.octets == KEEPALIVE and one.number == len(packets) for one in found)
