"""One direction of a TCP connection put together again from captured segments (RFC 9293 3.4).

Segments may come out of order, more than once, and overlapping; what was told once is not told otherwise. What was never
captured is found out when the other side acknowledges it, when too much waits behind it, or when the connection ends.
"""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

#: Octets that wait for what is missing before them. A receiver's window is hardly ever larger.
WAITING: Final = 1 << 22
_MODULUS: Final = 1 << 32


class Gap(NamedTuple):
    """Octets that the capture does not have."""

    size: int


Piece: TypeAlias = bytes | Gap


def distance(sequence: int, base: int) -> int:
    """How far `sequence` is after `base`, negative before it; sequence numbers go round."""
    found = (sequence - base) % _MODULUS
    return found - _MODULUS if found >= _MODULUS >> 1 else found


class Stream:
    """What one side sent, in order."""

    def __init__(self, begins: int) -> None:
        """`begins`: the sequence number of the first octet."""
        self._next = begins
        self._at = 0  # octets before `_next`: places, unlike sequence numbers, do not go round
        self._waiting: list[tuple[int, int, bytes]] = []  # (place, order of arrival, octets)
        self._held = 0
        self._arrivals = 0

    @property
    def is_waiting(self) -> bool:
        """Whether there are octets that cannot be told yet, for what is missing before them."""
        return bool(self._waiting)

    def add(self, sequence: int, octets: bytes) -> Iterator[Piece]:
        """Take a segment's data; what can be told now."""
        place = self._at + distance(sequence, self._next)
        if octets and place + len(octets) > self._at:
            self._arrivals += 1
            insort(self._waiting, (place, self._arrivals, octets))
            self._held += len(octets)
        yield from self._ready()
        while self._held > WAITING:
            yield from self._skip()

    def acknowledge(self, sequence: int) -> Iterator[Piece]:
        """The other side has all before `sequence`: what we do not have of it, and others wait behind, is lost to us."""
        until = self._at + distance(sequence, self._next)
        while self._waiting and self._waiting[0][0] < until and self._waiting[0][0] > self._at:
            yield from self._skip()

    def end(self) -> Iterator[Piece]:
        """Nothing more will come."""
        while self._waiting:
            yield from self._skip()

    def _skip(self) -> Iterator[Piece]:
        missing = self._waiting[0][0] - self._at
        yield Gap(missing)
        self._advance(missing)
        yield from self._ready()

    def _ready(self) -> Iterator[Piece]:
        while self._waiting and self._waiting[0][0] <= self._at:
            place, _, octets = self._waiting.pop(0)
            self._held -= len(octets)
            fresh = octets[self._at - place :]
            if fresh:
                self._advance(len(fresh))
                yield fresh

    def _advance(self, size: int) -> None:
        self._at += size
        self._next = (self._next + size) % _MODULUS
