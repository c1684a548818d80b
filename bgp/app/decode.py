"""`bgp decode`: MRT, BMP, packet captures, and messages in hexadecimal, as JSON, as words, or as the lines of `bgpdump -m`.

A line of input gives one line of output, in order, whatever is wrong with it. Files are read in pieces, so memory does not
grow with their length. What decodes messages is loaded when there is something that needs it: most records of a file
become lines without.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from contextlib import nullcontext
from typing import TYPE_CHECKING, BinaryIO, TextIO

from bgp.app.endings import NO_ROOM
from bgp.app.form import Form
from bgp.app.inputs import File, Kind, head_of, is_worth_a_thread, kind_of, opened
from bgp.app.later import later
from bgp.app.mrt_lines import MrtLines
from bgp.app.progress import Tick, watched
from bgp.wire.formats.mrt_frames import Window
from bgp.wire.formats.stream import Torn

if TYPE_CHECKING:
    from bgp.app import ahead, mrt_printer, printer, reading
    from bgp.app.filters import Filter
    from bgp.app.printer import Printer
else:
    ahead, reading = later("bgp.app.ahead"), later("bgp.app.reading")
    mrt_printer, printer = later("bgp.app.mrt_printer"), later("bgp.app.printer")


def run_decode(
    files: Sequence[str], *, form: Form, strict: bool, out: TextIO, err: TextIO, keep: Filter | None = None
) -> int:
    """Decode `files`, "-" or none for standard input; print what passes `keep`. Gives the exit status.

    1 for malformed input if `strict`, and for a file of a format that is not known; 2 for one that cannot be opened.
    BrokenPipeError is the caller's, and the OSError that says that `out` has no room.
    """
    decoding = _Decoding(form, out, err, keep)
    status = 0
    for name in files or ("-",):
        shown = "standard input" if name == "-" else name
        try:
            with opened(name) as (file, raw), watched(shown, raw, out, err) as tick:
                if not decoding.read(file, raw, shown, tick):
                    status = 1
        except BrokenPipeError:
            raise
        except OSError as error:
            if error.errno in NO_ROOM:
                raise
            print(f"{shown}: {error.strerror or error}", file=err)
            return 2
    if decoding.unread:
        print(f"{decoding.unread} records of kinds that are not read were left out", file=err)
    return 1 if strict and decoding.malformed else status


class _Decoding:
    """One run of the command; its printer is made when something has to be decoded."""

    def __init__(self, form: Form, out: TextIO, err: TextIO, keep: Filter | None) -> None:
        self._form = form
        self._out = out
        self._err = err
        self._keep = keep
        self._printer: Printer | None = None
        self._torn = 0

    @property
    def malformed(self) -> int:
        """How much was malformed."""
        return self._torn + (0 if self._printer is None else self._printer.malformed)

    @property
    def unread(self) -> int:
        """How many records are of kinds that are not read."""
        return 0 if self._printer is None else self._printer.unread

    def read(self, file: File, raw: BinaryIO, name: str, tick: Tick) -> bool:
        """Print a file, which is `raw` unpacked; False if it is of no kind that is known."""
        try:
            kind = kind_of(head_of(file))
            if kind is Kind.EMPTY:
                return True
            if kind is Kind.MRT and self._form is Form.BGPDUMP and (self._keep is None or self._keep.is_open):
                self._lines(file, raw, tick)
                return True
            if reading.read_file(kind, file, name, self._prints(), tick):
                return True
        except (Torn, EOFError, zlib.error) as error:
            self._torn += 1
            print(f"{name}: {error}", file=self._err)
            return True
        print(f"{name}: neither MRT, BMP, a packet capture, BGP messages nor text", file=self._err)
        return False

    def _lines(self, file: File, raw: BinaryIO, tick: Tick) -> None:
        lines = MrtLines(self._out, lambda: mrt_printer.MrtPrinter(self._prints()))
        with ahead.ahead(file) if is_worth_a_thread(file, raw) else nullcontext(file) as source:
            window = Window(source)
            for _ in tick(iter(window.more, False), every=1):
                lines.take(window)

    def _prints(self) -> Printer:
        if self._printer is None:
            keep = {} if self._keep is None else {"keep": self._keep}
            self._printer = printer.Printer(self._form, self._out, self._err, **keep)
        return self._printer
