"""The scanner says what the declarations say; a file is read to its end, wherever that is."""

from __future__ import annotations

import io
import tracemalloc
from collections.abc import Callable
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire.formats.mrt_strategies import damaged, records

from bgp.wire.formats.mrt import HEADER_LENGTH, decode, encode
from bgp.wire.formats.mrt_frames import LONGEST
from bgp.wire.formats.mrt_scan import read_mrt, scan
from bgp.wire.formats.mrt_values import Record, Unread
from bgp.wire.formats.stream import Torn

KEEPALIVE = pack(">IHHI", 99, 16, 1, 35) + bytes.fromhex("fde9fdea00000001c0000201c0000202" + "ff" * 16 + "001304")


class Dripping:
    """A source that gives `size` octets at a time."""

    def __init__(self, octets: bytes, size: int) -> None:
        self.left, self.size = io.BytesIO(octets), size

    def read1(self, size: int, /) -> bytes:
        return self.left.read(min(size, self.size))


class Repeating:
    """The same octets over and over, `times` times, without holding them."""

    def __init__(self, octets: bytes, times: int) -> None:
        self.octets, self.times = octets, times

    def read1(self, size: int, /) -> bytes:
        self.times -= 1
        return self.octets if self.times >= 0 else b""


def parts(octets: bytes) -> tuple[int, int, bytes]:
    kind, subtype = int.from_bytes(octets[4:6], "big"), int.from_bytes(octets[6:8], "big")
    return kind, subtype, octets[HEADER_LENGTH + (4 if kind == 17 else 0) :]


@given(records())
@settings(max_examples=200)
def test_the_scanner_reads_valid_records_as_the_declaration_does(record: Record) -> None:
    kind, subtype, body = parts(encode(record))
    assert scan(kind, subtype, body) == decode(kind, subtype, body) == record.content


@given(st.data(), records())
@settings(max_examples=400)
def test_the_scanner_reads_damaged_records_as_the_declaration_does(data: st.DataObject, record: Record) -> None:
    kind, subtype, body = parts(encode(record))
    body = data.draw(damaged(body))
    assert scan(kind, subtype, body) == decode(kind, subtype, body)


@given(st.sampled_from([5, 12, 13, 16, 17, 32]), st.integers(0, 13), st.binary(max_size=60))
@settings(max_examples=300)
def test_any_octets_are_some_record(kind: int, subtype: int, body: bytes) -> None:
    assert scan(kind, subtype, body) == decode(kind, subtype, body)


@given(st.lists(records(), max_size=5), st.integers(1, 40))
@settings(max_examples=100)
def test_records_come_out_the_same_however_the_file_drips_in(found: list[Record], size: int) -> None:
    octets = b"".join(map(encode, found))
    assert [(one.time, one.content) for one in read_mrt(Dripping(octets, size))] == [
        (one.time, one.content) for one in found
    ]
    places = [one.at for one in read_mrt(io.BytesIO(octets))]
    assert places == [sum(len(encode(one)) for one in found[:i]) for i in range(len(found))]


@pytest.mark.parametrize("missing", range(1, len(KEEPALIVE)))
def test_a_torn_last_record_is_reported_after_those_before_it(missing: int) -> None:
    found = read_mrt(Dripping((KEEPALIVE * 3)[:-missing], 7))
    assert [next(found).at, next(found).at] == [0, len(KEEPALIVE)]
    with pytest.raises(Torn, match=f"at {2 * len(KEEPALIVE)}"):
        next(found)


def test_a_length_that_cannot_be_ends_the_file() -> None:
    with pytest.raises(Torn, match="says that it has"):
        list(read_mrt(io.BytesIO(pack(">IHHI", 1, 16, 1, LONGEST + 1))))


def test_an_et_record_without_its_microseconds_is_kept() -> None:
    (record,) = read_mrt(io.BytesIO(pack(">IHHI", 1, 17, 4, 3) + b"abc"))
    assert record.content == Unread(17, 4, b"abc")
    assert encode(record)[12:] == b"abc"


@pytest.mark.parametrize("error", [EOFError("cut"), OSError("disk")])
def test_a_damaged_file_ends_in_torn(error: Exception) -> None:
    class Failing(Dripping):
        def read1(self, size: int, /) -> bytes:
            return super().read1(size) or self.fail()

        def fail(self) -> bytes:
            raise error

    records_read = read_mrt(Failing(KEEPALIVE, 100))
    next(records_read)
    with pytest.raises(Torn, match="damaged"):
        next(records_read)


def peak(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def test_memory_does_not_grow_with_the_length_of_the_file() -> None:
    def count(times: int) -> int:
        return sum(1 for _ in read_mrt(Repeating(KEEPALIVE * 20, times)))

    assert count(400) == 8000
    few, many = peak(lambda: count(20)), peak(lambda: count(400))
    assert many < 1.2 * few + 20_000
