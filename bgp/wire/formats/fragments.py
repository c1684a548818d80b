"""IP datagrams put together again from fragments (RFC 791 3.2, RFC 8200 4.5), in whatever order these come.

Nothing waits for time: a datagram of which a piece was not captured is forgotten when as many newer ones are waited for as
are remembered.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

#: Datagrams that are waited for at a time. Those of a session come one after the other; others are of no use to us.
DATAGRAMS: Final = 256
#: Pieces of a datagram. Links carry 576 octets and more, so that the largest datagram has half as many.
PIECES: Final = 256
#: RFC 791 3.1, RFC 8200 3: what a length of 16 bits can say.
LARGEST: Final = 65535


class _Datagram:
    """What has come of one, by place; `size` is known since the last fragment."""

    __slots__ = ("held", "pieces", "size")

    def __init__(self) -> None:
        self.pieces: dict[int, bytes] = {}
        self.held = 0
        self.size: int | None = None

    def fits(self, at: int, octets: bytes, *, more: bool) -> bool:
        """Whether a fragment can be one of this datagram: it overlaps no other (RFC 5722 4) and ends where it may."""
        end = at + len(octets)
        if end > LARGEST or len(self.pieces) >= PIECES or not octets or (more and len(octets) % 8):
            return False
        if self.size is not None and (end > self.size or (not more and end != self.size)):
            return False
        return all(
            at >= start + len(piece) or (more and end <= start) for start, piece in self.pieces.items()
        )  # the last one is behind all others

    def add(self, at: int, octets: bytes, *, more: bool) -> bytes | None:
        """Take a fragment that fits; all of the datagram if that was the last one missing."""
        self.pieces[at] = octets
        self.held += len(octets)
        if not more:
            self.size = at + len(octets)
        return b"".join(self.pieces[place] for place in sorted(self.pieces)) if self.held == self.size else None


class Fragments:
    """The datagrams of a capture of which pieces are missing, each under a key that its fragments share."""

    def __init__(self) -> None:
        self._known: dict[Hashable, _Datagram] = {}

    def __len__(self) -> int:
        return len(self._known)

    def add(self, key: Hashable, at: int, octets: bytes, *, more: bool) -> bytes | None:
        """Take the fragment whose `octets` belong `at` some place of the datagram; `more` follow it.

        Gives the datagram when it is whole. One with fragments that contradict each other is forgotten.
        """
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= DATAGRAMS:
                del self._known[next(iter(self._known))]
            found = self._known[key] = _Datagram()
        if found.pieces.get(at) == octets:
            return None  # the same again
        whole = found.add(at, octets, more=more) if found.fits(at, octets, more=more) else None
        if whole is not None or found.pieces.get(at) != octets:
            del self._known[key]
        return whole
