"""Files and pipes read in pieces, so that memory does not grow with their length."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final, Protocol

#: Octets that are asked for at a time.
CHUNK: Final = 1 << 18


class Torn(Exception):
    """The file ends within a record, or a record's length cannot be: nothing after it can be found."""


class Source(Protocol):
    """What a file is read from: `read1` gives some octets as soon as there are any, none at the end."""

    def read1(self, size: int, /) -> bytes:
        """Up to `size` octets."""


def pieces(file: Source) -> Iterator[bytes]:
    """The octets of a file as they come. Raises Torn where it is compressed and damaged."""
    while True:
        try:
            chunk = file.read1(CHUNK)
        except (EOFError, OSError, zlib.error) as error:
            raise Torn(f"the compressed file is damaged: {error}") from error
        if not chunk:
            return
        yield chunk
