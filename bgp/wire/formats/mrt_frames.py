"""Where the records of an MRT file begin and end (RFC 6396 2), and nothing of what is in them."""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import Final

from bgp.wire.formats.stream import Source, Torn, pieces

HEADER_LENGTH: Final = 12
#: The longest record that is taken for one. Peer index tables have megabytes; a length beyond this is damage.
LONGEST: Final = 1 << 26
#: Types that files of our days have, those that are not read included (RFC 6396 4, appendix B).
KNOWN_TYPES: Final = frozenset((5, 9, 10, 11, 12, 13, 16, 17, 32, 33, 48, 49))
_HEADER: Final = Struct(">IHHI")


class Window:
    """What has been read of a file and not been taken: `held` from place `at` on, which is `begins` octets into the file.

    Who takes records moves both on, up to the first that is not whole; `more` reads on.
    """

    def __init__(self, file: Source) -> None:
        self._pieces = pieces(file)
        self.held = b""
        self.at = 0
        self.begins = 0

    def more(self) -> bool:
        """Read a piece; False at the end of the file. Raises Torn where it ends within a record, or is damaged."""
        left = len(self.held) - self.at
        if left >= HEADER_LENGTH and (length := self._length()) > LONGEST:
            raise Torn(f"the record at {self.begins} says that it has {length} octets")
        piece = next(self._pieces, b"")
        if piece:
            self.held = self.held[self.at :] + piece if left else piece
            self.at = 0
            return True
        if left >= HEADER_LENGTH:
            raise Torn(f"the record at {self.begins} has {left - HEADER_LENGTH} of {self._length()} octets")
        if left:
            raise Torn(f"{left} octets at {self.begins}, where a record's header has {HEADER_LENGTH}")
        return False

    def _length(self) -> int:
        return int(_HEADER.unpack_from(self.held, self.at)[3])


def raw_records(file: Source) -> Iterator[tuple[int, int, int, int, bytes]]:
    """(place in the file, time, type, subtype, body) of each record. Raises Torn, after the records before that."""
    window = Window(file)
    while window.more():
        held, at = window.held, window.at
        while len(held) - at >= HEADER_LENGTH:
            time, kind, subtype, length = _HEADER.unpack_from(held, at)
            start = at + HEADER_LENGTH
            end = start + length
            if end > len(held):
                break
            yield window.begins, time, kind, subtype, held[start:end]
            window.begins += end - at
            window.at = at = end
