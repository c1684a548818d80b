"""A file that is unpacked by a thread of its own while lines are made of what is there: unpacking does not hold the
interpreter's lock, so two processors are better than one."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from threading import Event, Semaphore, Thread
from typing import Final

from bgp.wire.formats.stream import CHUNK, Source

#: Pieces that may wait to be taken: memory does not grow however fast they come.
AHEAD: Final = 4


class _Pieces:
    """What the thread has read; `read1` gives it a piece at a time and raises what reading raised."""

    def __init__(self) -> None:
        self.found: SimpleQueue[bytes | Exception] = SimpleQueue()
        self.room = Semaphore(AHEAD)
        self.ended = Event()

    def read1(self, size: int, /) -> bytes:
        """The next piece, of whatever size; none at the end."""
        piece = self.found.get()
        self.room.release()
        if isinstance(piece, Exception):
            raise piece
        return piece

    def fill(self, file: Source) -> None:
        """Read `file` to its end, or until nobody wants more."""
        more = True
        while more:
            self.room.acquire()
            if self.ended.is_set():
                return
            try:
                piece = file.read1(CHUNK)
            except (EOFError, OSError, zlib.error) as error:
                self.found.put(error)
                return
            self.found.put(piece)
            more = bool(piece)


@contextmanager
def ahead(file: Source) -> Iterator[Source]:
    """The same file, read by a thread that ends with this."""
    pieces = _Pieces()
    thread = Thread(target=pieces.fill, args=(file,), name="unpack", daemon=True)
    thread.start()
    try:
        yield pieces
    finally:
        pieces.ended.set()
        pieces.room.release()
        thread.join()
