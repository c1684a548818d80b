"""MRT files as the lines of `bgpdump -m`, straight from their octets: what nearly all records are takes this short way.

A piece of the file at a time is gone through, and what was made of it is written at once. A record that is not known here,
or that anything seems wrong with, is left to what decodes it.
"""

from __future__ import annotations

from collections.abc import Callable
from struct import Struct
from typing import Final, Protocol, TextIO

from bgp.app.mrt_takers import PEER_INDEX_TABLE, Ribs, takers
from bgp.wire.formats.mrt_frames import HEADER_LENGTH, Window

#: Time, type and subtype as one number, length (RFC 6396 2).
_HEADER: Final = Struct(">III")


class Careful(Protocol):
    """What takes the records that are to be decoded."""

    def raw(self, at: int, time: int, kind: int, subtype: int, body: bytes) -> None:
        """One record: its place in the file, its header, its body."""


class MrtLines:
    """Writes the lines of one file's records to `out`; `careful` makes what takes the others, once it is needed."""

    def __init__(self, out: TextIO, careful: Callable[[], Careful]) -> None:
        self._out = out
        self._make = careful
        self._careful: Careful | None = None
        self._ribs = Ribs()
        self._takers = takers(self._ribs)
        self._told: bytes | None = None

    def take(self, window: Window) -> None:
        """The whole records in `window`, which moves on."""
        held, at, before = window.held, window.at, window.begins - window.at
        size = len(held)
        last = size - HEADER_LENGTH
        header, known = _HEADER.unpack_from, self._takers
        lines: list[str] = []
        while at <= last:
            time, kind, length = header(held, at)
            start = at + HEADER_LENGTH
            end = start + length
            if end > size:
                break
            taker = known.get(kind)
            text = None if taker is None else taker(time, held, start, end)
            if text is None:
                self._write(lines)
                self._decode(before + at, time, kind, held[start:end])
            else:
                lines.append(text)
            at = end
        self._write(lines)
        window.at, window.begins = at, before + at

    def _write(self, lines: list[str]) -> None:
        if lines:
            self._out.write("".join(lines))
            lines.clear()

    def _decode(self, at: int, time: int, kind: int, body: bytes) -> None:
        """Have a record decoded, after the peer index table that it may need."""
        if self._careful is None:
            self._careful = self._make()
        table = self._ribs.table
        if table is not None and table is not self._told:
            self._told = table
            self._careful.raw(0, 0, *divmod(PEER_INDEX_TABLE, 1 << 16), table)
        self._careful.raw(at, time, *divmod(kind, 1 << 16), body)
