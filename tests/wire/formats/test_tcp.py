"""A stream put together again, whatever order its segments come in, against a plain model."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from bgp.wire.formats.tcp import WAITING, Gap, Piece, Stream, distance

BASE = (1 << 32) - 10  # sequence numbers go round within the tests


def told(stream: Stream, *segments: tuple[int, bytes]) -> list[Piece]:
    return [piece for at, octets in segments for piece in stream.add((BASE + at) % (1 << 32), octets)]


def test_distance_goes_round() -> None:
    assert distance(5, BASE) == 15
    assert distance(BASE, 5) == -15


def test_segments_in_order() -> None:
    assert told(Stream(BASE), (0, b"abc"), (3, b"def"), (6, b"")) == [b"abc", b"def"]


def test_segments_out_of_order_wait() -> None:
    stream = Stream(BASE)
    assert told(stream, (12, b"mno"), (3, b"defghijkl")) == []
    assert stream.is_waiting
    assert told(stream, (0, b"abc")) == [b"abc", b"defghijkl", b"mno"]
    assert not stream.is_waiting


def test_retransmissions_say_nothing_new() -> None:
    assert told(Stream(BASE), (0, b"abc"), (0, b"abc"), (1, b"b"), (0, b"abcdef")) == [b"abc", b"def"]


def test_what_was_told_is_not_told_otherwise() -> None:
    stream = Stream(BASE)
    assert told(stream, (0, b"abc"), (1, b"XYZ")) == [b"abc", b"Z"]
    assert told(stream, (6, b"g"), (2, b"cdefG")) == [b"efG"]


def test_what_the_other_side_has_and_we_have_not_is_a_gap() -> None:
    stream = Stream(BASE)
    assert told(stream, (5, b"fgh")) == []
    assert list(stream.acknowledge((BASE + 5) % (1 << 32))) == []
    assert list(stream.acknowledge((BASE + 8) % (1 << 32))) == [Gap(5), b"fgh"]
    assert told(stream, (8, b"i")) == [b"i"]


def test_an_acknowledgement_of_nothing_that_waits_is_no_gap() -> None:
    stream = Stream(BASE)
    assert list(stream.acknowledge((BASE + 100) % (1 << 32))) == []
    assert told(stream, (0, b"abc")) == [b"abc"]


def test_the_end_tells_the_rest() -> None:
    stream = Stream(BASE)
    assert told(stream, (2, b"c"), (6, b"g")) == []
    assert list(stream.end()) == [Gap(2), b"c", Gap(3), b"g"]


def test_not_more_than_so_much_waits() -> None:
    stream, size = Stream(0), 1 << 16
    found: list[Piece] = []
    for number in range(WAITING // size + 2):
        found += stream.add(1 + number * size, bytes(size))
        if found:
            break
    assert found[0] == Gap(1)
    assert not stream.is_waiting


@given(st.data(), st.binary(min_size=1, max_size=60))
@settings(max_examples=200)
def test_any_order_of_any_segments_gives_the_stream(data: st.DataObject, whole: bytes) -> None:
    """Segments cut at will, each sent at least once, shuffled."""
    cuts = sorted({0, len(whole), *data.draw(st.lists(st.integers(0, len(whole)), max_size=8))})
    segments = [(a, whole[a:b]) for a, b in pairwise(cuts)]
    extra = [
        (a, whole[a : a + size])
        for a, size in data.draw(st.lists(st.tuples(st.integers(0, len(whole)), st.integers(0, 9)), max_size=5))
    ]
    found = told(Stream(BASE), *data.draw(st.permutations(segments + extra)))
    assert b"".join(found) == whole  # type: ignore[arg-type]


@given(st.data(), st.binary(min_size=1, max_size=60))
@settings(max_examples=200)
def test_with_segments_lost_all_else_and_the_gaps_add_up(data: st.DataObject, whole: bytes) -> None:
    cuts = sorted({0, len(whole), *data.draw(st.lists(st.integers(0, len(whole)), max_size=8))})
    segments = [(a, whole[a:b]) for a, b in pairwise(cuts)]
    kept = [one for one in segments if data.draw(st.booleans())]
    stream = Stream(BASE)
    found = told(stream, *data.draw(st.permutations(kept))) + list(stream.end())
    at = 0
    for piece in found:
        if isinstance(piece, Gap):
            at += piece.size
        else:
            assert whole[at : at + len(piece)] == piece
            at += len(piece)
    assert sum(len(piece) for piece in found if isinstance(piece, bytes)) == sum(len(octets) for _, octets in kept)
