"""BGP sessions found in packets: messages whole whatever the segments, context from the OPENs, gaps reported."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import pytest
from wire.formats.captures import FIN, RST, SYN, tcp

from bgp.capability import BOTH, AddPath, Capability, ExtendedMessage, FourOctetAs, Multiprotocol
from bgp.message import Keepalive, Open, PathAttribute, Update
from bgp.wire.codec import encode
from bgp.wire.context import Context
from bgp.wire.formats.conversation import Conversations, Found, Heard, Lost
from bgp.wire.formats.pcap import Packet
from bgp.wire.header import with_header
from rib.as_path import AsPath
from rib.family import IPV4_UNICAST
from rib.prefix import Prefix

A, B = "192.0.2.1", "192.0.2.2"
KEEPALIVE = encode(Keepalive())


def opening(asn: int, *more: Capability, as4: bool = True) -> bytes:
    four = (FourOctetAs(asn),) if as4 else ()
    address = Prefix("10.0.0.1/32").address
    assert address.version == 4
    return encode(Open(4, min(asn, 23456), 90, address, (Multiprotocol(IPV4_UNICAST), *four, *more)))


def update(path: str, context: Context) -> bytes:
    attributes = (PathAttribute(0x40, 2, AsPath.parse(path)),)
    return encode(Update(attributes=attributes), context)


@dataclass
class Talk:
    """Packets between A and B, in the order of their making."""

    ports: tuple[int, int] = (40000, 179)
    frames: list[bytes] = field(default_factory=list)
    sent: dict[str, int] = field(default_factory=lambda: {A: (1 << 32) - 50, B: 1000})

    def say(self, who: str, data: bytes, *, flags: int = 0, acknowledge: bool = True) -> Talk:
        other = B if who == A else A
        ports = self.ports if who == A else self.ports[::-1]
        self.frames.append(
            tcp(
                data,
                source=who,
                destination=other,
                ports=ports,
                sequence=self.sent[who],
                acknowledged=self.sent[other] if acknowledge else None,
                flags=flags,
            )
        )
        self.sent[who] += len(data) + bool(flags & (SYN | FIN))
        return self

    def greet(self) -> Talk:
        return self.say(A, b"", flags=SYN, acknowledge=False).say(B, b"", flags=SYN).say(A, b"")


def listen(frames: Iterable[bytes]) -> list[Found]:
    packets = [Packet(number, number * 10**9, 101, len(frame), frame) for number, frame in enumerate(frames, 1)]
    return list(Conversations().packets(packets))


def messages(found: list[Found]) -> list[bytes]:
    return [one.octets for one in found if isinstance(one, Heard)]


def reasons(found: list[Found]) -> list[str]:
    return [one.reason for one in found if isinstance(one, Lost)]


def test_messages_of_both_sides_with_time_and_place() -> None:
    talk = Talk().greet().say(A, opening(65001)).say(B, opening(65002) + KEEPALIVE).say(A, KEEPALIVE)
    found = listen(talk.frames)
    assert messages(found) == [opening(65001), opening(65002), KEEPALIVE, KEEPALIVE]
    first, second = found[0], found[1]
    assert isinstance(first, Heard)
    assert isinstance(second, Heard)
    assert (first.number, first.time, str(first.source), str(first.destination), first.asn) == (
        4, 4 * 10**9, f"{A}:40000", f"{B}:179", 65001,
    )  # fmt: skip
    assert (str(second.source), second.asn) == (f"{B}:179", 65002)
    assert not reasons(found)


def test_a_message_in_pieces_is_whole_and_its_last_packet_is_its_place() -> None:
    talk = Talk().greet()
    octets = opening(65001) + KEEPALIVE
    for at in range(0, len(octets), 7):
        talk.say(A, octets[at : at + 7])
    found = listen(talk.frames)
    assert messages(found) == [opening(65001), KEEPALIVE]
    assert found[-1].number == len(talk.frames)


def test_the_openings_say_how_to_read_the_rest() -> None:
    paths = AddPath(((IPV4_UNICAST, BOTH),))
    talk = Talk().greet().say(A, opening(65001, paths, ExtendedMessage())).say(B, opening(65002, paths))
    last = listen(talk.say(A, KEEPALIVE).frames)[-1]
    assert isinstance(last, Heard)
    assert last.context == Context(as4=True, add_path=frozenset({IPV4_UNICAST}))
    narrow = Talk().greet().say(A, opening(65001, paths, as4=False)).say(B, opening(65002)).say(B, KEEPALIVE)
    last = listen(narrow.frames)[-1]
    assert isinstance(last, Heard)
    assert last.context == Context(as4=False)


@pytest.mark.parametrize("context", [Context(), Context(as4=False)])
def test_without_openings_the_octets_tell_the_size_of_as_numbers(context: Context) -> None:
    (found,) = listen(Talk().say(A, update("65001 65002 65003", context)).frames)
    assert isinstance(found, Heard)
    assert found.context.as4 is context.as4


def test_a_capture_that_begins_within_a_message_waits_for_the_next_one() -> None:
    long = update(" ".join(["65001"] * 60), Context())
    assert messages(listen(Talk().say(A, long[100:] + KEEPALIVE).say(A, KEEPALIVE).frames)) == [KEEPALIVE, KEEPALIVE]


def test_a_lost_segment_is_reported_and_messages_after_it_are_found() -> None:
    talk = Talk().greet().say(A, opening(65001)).say(B, opening(65002))
    lost = len(talk.frames)
    talk.say(A, update("65001", Context())[:30]).say(A, update("65001", Context())[30:] + KEEPALIVE).say(B, KEEPALIVE)
    del talk.frames[lost]
    found = listen(talk.frames)
    assert messages(found) == [opening(65001), opening(65002), KEEPALIVE, KEEPALIVE]
    assert reasons(found) == ["30 octets are not in the capture"]


def test_swapped_and_repeated_segments_change_nothing() -> None:
    talk = Talk().greet().say(A, opening(65001))
    for _ in range(4):
        talk.say(A, KEEPALIVE)
    expected = messages(listen(talk.frames))
    frames = talk.frames
    frames[4], frames[6] = frames[6], frames[4]
    found = listen([*frames, *frames[3:5], frames[5]])
    assert messages(found) == expected
    assert not reasons(found)


def test_octets_that_are_no_message_are_reported_once_and_skipped() -> None:
    talk = Talk().greet().say(A, KEEPALIVE).say(A, b"junk" * 9 + KEEPALIVE)
    found = listen(talk.frames)
    assert messages(found) == [KEEPALIVE, KEEPALIVE]
    assert reasons(found) == ["no BGP message begins here; looking for the next one"]


def test_a_message_that_the_capture_ends_in_is_reported() -> None:
    found = listen(Talk().greet().say(A, KEEPALIVE + opening(65001)[:25]).frames)
    assert messages(found) == [KEEPALIVE]
    assert reasons(found) == ["the last message is cut off after 25 octets"]


@pytest.mark.parametrize("ports", [(40000, 1790), (40000, 179)])
def test_bgp_is_told_by_its_marker_on_any_port(ports: tuple[int, int]) -> None:
    talk = Talk(ports).greet().say(A, opening(65001)).say(B, opening(65002))
    assert len(messages(listen(talk.frames))) == 2


def test_other_connections_are_nobody_s_business() -> None:
    talk = Talk((40000, 80)).greet().say(A, b"GET / HTTP/1.1\r\n").say(B, b"HTTP/1.1 200 OK\r\n")
    assert listen(talk.frames) == []


@pytest.mark.parametrize("how", [FIN, RST, 0])
def test_the_same_ports_again_are_another_connection(how: int) -> None:
    talk = Talk().greet().say(A, opening(65001, as4=False)).say(B, opening(65002))
    if how:
        talk.say(A, b"", flags=how)
    if how == FIN:
        talk.say(B, b"", flags=FIN)
    talk.sent = {A: 7_000_000, B: 9_000_000}
    talk.greet().say(A, opening(65001)).say(B, opening(65002)).say(A, KEEPALIVE)
    found = listen(talk.frames)
    assert not reasons(found)
    last = found[-1]
    assert isinstance(last, Heard)
    assert last.context.as4
    assert len(messages(found)) == 5


def test_a_connection_that_ends_is_forgotten() -> None:
    conversations = Conversations()
    talk = Talk().greet().say(A, KEEPALIVE).say(A, b"", flags=FIN).say(B, b"", flags=FIN).say(A, b"")
    packets = (Packet(n, 0, 101, len(frame), frame) for n, frame in enumerate(talk.frames))
    list(conversations.packets(packets))
    assert not conversations._known


def test_link_types_that_are_not_read_are_counted() -> None:
    conversations = Conversations()
    assert list(conversations.packets([Packet(1, 0, 147, 1, b"x")])) == []
    assert conversations.unread == {147: 1}


def test_scanned_ports_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bgp.wire.formats.conversation.CONNECTIONS", 3)
    conversations = Conversations()
    frames = [tcp(flags=SYN, ports=(port, 179)) for port in range(2000, 2050)]
    seen: list[int] = []

    def packets() -> Iterator[Packet]:
        for number, frame in enumerate(frames):
            seen.append(len(conversations._known))
            yield Packet(number, 0, 101, len(frame), frame)

    assert list(conversations.packets(packets())) == []
    assert max(seen) == 3


def test_the_first_of_too_many_connections_is_taken_for_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bgp.wire.formats.conversation.CONNECTIONS", 1)
    first = Talk().greet().say(A, KEEPALIVE[:9])
    second = Talk((40001, 179)).greet().say(A, KEEPALIVE)
    assert reasons(listen(first.frames + second.frames)) == ["the last message is cut off after 9 octets"]


@pytest.mark.parametrize("pieces", [[60, 1], [60, 5, 12], [10, 10, 10, 10]])
def test_the_next_message_is_found_however_it_comes_in(pieces: list[int]) -> None:
    """Behind a hole, in octets that look like a marker at first."""
    talk = Talk().greet().say(A, opening(65001)).say(A, b"lost").say(B, opening(65002))
    octets = b"\xff\xff\xfe" + b"\xff" * 5 + KEEPALIVE * 4
    for size in (*pieces, len(octets)):
        talk.say(A, octets[:size]).say(B, b"")
        octets = octets[size:]
    del talk.frames[4]
    found = listen(talk.frames)
    assert "4 octets are not in the capture" in reasons(found)
    assert messages(found)[-1] == KEEPALIVE


def test_updates_that_cannot_be_read_at_all_say_nothing_about_as_numbers() -> None:
    octets = with_header(2, b"\xff\xff\0\0")
    (found,) = listen(Talk().say(A, octets).frames)
    assert isinstance(found, Heard)
    assert found.context.as4


def test_acknowledgements_alone_begin_no_conversation() -> None:
    assert listen(Talk().say(A, b"").say(B, b"").frames) == []
    late = Talk().say(A, KEEPALIVE).say(B, b"").say(B, b"", flags=FIN).say(A, b"", flags=FIN)
    assert messages(listen(late.frames)) == [KEEPALIVE]


def test_packets_that_are_no_tcp_are_passed_over() -> None:
    assert listen([b"\x45" + bytes(19), b""]) == []
