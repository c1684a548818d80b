"""UPDATEs on their way to one neighbour: put in by its update group, taken out in pieces by whoever writes."""

from __future__ import annotations

from collections import deque
from typing import Final

from bgp.net.bell import Bell

#: Octets of UPDATEs that one write takes.
PIECE: Final = 1 << 18
#: Octets that are not worth a write of their own while there may be more.
LITTLE: Final = 1 << 12


class Outbox:
    """A queue of whole messages."""

    __slots__ = ("_chunks", "_emptied", "octets", "put_in")

    def __init__(self) -> None:
        self.octets = 0  #: that wait
        self.put_in = 0  #: messages so far
        self._chunks: deque[bytes] = deque()
        self._emptied = Bell()

    def __bool__(self) -> bool:
        return bool(self._chunks)

    def put(self, octets: bytes, messages: int) -> None:
        """Queue so many messages."""
        self._chunks.append(octets)
        self.octets += len(octets)
        self.put_in += messages

    def take(self) -> bytes:
        """The next piece; empty for none."""
        chunks = self._chunks
        if not chunks:
            self._emptied.ring()
            return b""
        piece = [chunks.popleft()]
        size = len(piece[0])
        while chunks and size < PIECE:
            piece.append(chunks.popleft())
            size += len(piece[-1])
        self.octets -= size
        return b"".join(piece) if len(piece) > 1 else piece[0]

    def clear(self) -> None:
        """Forget what waits."""
        self._chunks.clear()
        self.octets = 0
        self._emptied.ring()

    async def wait_emptied(self) -> None:
        """Return when somebody next finds nothing to take, or all is forgotten."""
        await self._emptied.wait()
