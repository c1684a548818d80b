"""A thread reads ahead: the same octets, the same error at the same place, and it ends when nobody wants more."""

from __future__ import annotations

import io
import threading

import pytest

from bgp.app.ahead import AHEAD, ahead
from bgp.wire.formats.stream import Torn, pieces


class Source:
    """Gives `count` pieces, then raises or ends."""

    def __init__(self, count: int, error: Exception | None = None) -> None:
        self.left, self.error, self.given = count, error, 0

    def read1(self, size: int, /) -> bytes:
        if self.left:
            self.left -= 1
            self.given += 1
            return b"%d," % self.given
        if self.error is not None:
            raise self.error
        return b""


def test_the_octets_are_those_of_the_file() -> None:
    octets = bytes(range(256)) * 5000
    with ahead(io.BytesIO(octets)) as source:
        assert b"".join(pieces(source)) == octets


@pytest.mark.parametrize("error", [EOFError("cut off"), OSError("bad")])
def test_what_is_wrong_is_found_where_it_is(error: Exception) -> None:
    found = []
    with ahead(Source(7, error)) as source, pytest.raises(Torn, match=str(error)):
        found.extend(pieces(source))
    with ahead(Source(7, error)) as source:
        read = pieces(source)
        assert [next(read) for _ in range(7)] == [b"%d," % number for number in range(1, 8)]
        with pytest.raises(Torn):
            next(read)


def test_the_thread_ends_when_nobody_wants_more() -> None:
    before, endless = threading.active_count(), Source(1 << 40)
    with ahead(endless) as source:
        assert source.read1(1) == b"1,"
    assert threading.active_count() == before
    assert endless.given <= AHEAD + 2
