"""What `bgp decode` does with the files of each kind: all that are not printed straight from their octets."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from string import hexdigits
from typing import Final

from bgp.app.inputs import File, Kind
from bgp.app.jsonform import Json
from bgp.app.mrt_printer import MrtPrinter
from bgp.app.printer import Printer
from bgp.app.progress import Tick
from bgp.wire.context import DEFAULT, Context
from bgp.wire.fields import Malformed
from bgp.wire.formats.bmp import RouteMirroring, RouteMonitoring
from bgp.wire.formats.bmp_stream import Contexts, read_bmp
from bgp.wire.formats.conversation import Conversations
from bgp.wire.formats.mrt_frames import raw_records
from bgp.wire.formats.pcap import read_pcap
from bgp.wire.formats.stream import Torn, pieces
from bgp.wire.sizes import HEADER_LENGTH
from rib.family import Family

#: A message has 65,535 octets at most: a longer line is none, and is not to fill the memory.
LONGEST_LINE: Final = 1 << 20
_HEX: Final = re.compile(r"[\s:.,]|0[xX]")


def read_file(kind: Kind, file: File, name: str, printer: Printer, tick: Tick) -> bool:
    """Read a file to its end; False if it is of no kind that is known. Raises Torn, EOFError and zlib.error."""
    match kind:
        case Kind.TEXT:
            for line in tick(_lines(file)):
                text = line.decode("utf-8", "replace").strip("\ufeff \t\r\n\v\f")
                if len(line) == LONGEST_LINE:
                    printer.refused({}, f"not a message: a line of {LONGEST_LINE} octets or more")
                elif text:
                    _line(text, printer)
        case Kind.MRT:
            records = MrtPrinter(printer)
            for raw in tick(raw_records(file)):
                records.raw(*raw)
        case Kind.PCAP | Kind.PCAPNG:
            _capture(file, name, printer, tick)
        case Kind.BMP:
            _bmp(file, printer, tick)
        case Kind.MESSAGES:
            for at, octets in tick(_messages(file)):
                printer.message({"at": at}, octets, DEFAULT)
        case _:
            return False
    return True


def _capture(file: File, name: str, printer: Printer, tick: Tick) -> None:
    conversations = Conversations()
    for found in conversations.packets(tick(read_pcap(file))):
        printer.heard(found)
    for link, count in conversations.unread.items():
        print(f"{name}: {count} packets of link type {link}, which is not read, were left out", file=printer.err)


def _bmp(file: File, printer: Printer, tick: Tick) -> None:
    contexts = Contexts()
    for at, message in tick(read_bmp(file)):
        if isinstance(message, Malformed):
            printer.refused({"at": at}, f"not a BMP message: {message}")
            continue
        contexts.learn(message)
        known = contexts.context(message.peer) if isinstance(message, RouteMonitoring | RouteMirroring) else DEFAULT
        printer.bmp(at, message, known)


def _messages(file: File) -> Iterator[tuple[int, bytes]]:
    """(place, octets) of messages one after the other. Raises Torn where the last one is cut off."""
    held, begins = b"", 0
    for piece in pieces(file):
        held += piece
        at = 0
        while len(held) - at >= HEADER_LENGTH:
            length = int.from_bytes(held[at + 16 : at + 18], "big")
            if length < HEADER_LENGTH:
                raise Torn(f"the message at {begins + at} says that it has {length} octets")
            if len(held) - at < length:
                break
            yield begins + at, held[at : at + length]
            at += length
        begins += at
        held = held[at:]
    if held:
        raise Torn(f"the message at {begins} is cut off after {len(held)} octets")


def _lines(file: File) -> Iterator[bytes]:
    """The lines of a file; of one that is too long its first LONGEST_LINE octets."""
    while line := file.readline(LONGEST_LINE):
        yield line
        while len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE)


def _line(text: str, printer: Printer) -> None:
    """One line of hexadecimal or JSON."""
    about: dict[str, Json] = {}
    try:
        octets, context = _input(text, about)
    except (ValueError, RecursionError) as error:  # json nests as deeply as its text does
        printer.refused(about, f"not a message: {error}")
    else:
        printer.message(about, octets, context)


def _input(text: str, about: dict[str, Json]) -> tuple[bytes, Context]:
    """Octets and context of one line of input; what is to be repeated goes to `about`. Raises ValueError."""
    if not text.startswith("{"):
        return _octets(_HEX.sub("", text)), DEFAULT
    line = json.loads(text)
    if "id" in line:
        about["id"] = line["id"]
    if not isinstance(line.get("hex"), str):
        raise ValueError("no `hex` in the JSON object")
    context = line.get("context")
    return _octets(line["hex"]), DEFAULT if context is None else context_of_json(context)


def _octets(text: str) -> bytes:
    """The octets of hexadecimal digits. Raises ValueError, which says what is wrong with them."""
    try:
        return bytes.fromhex(text)
    except ValueError:
        for one in text:
            if one not in hexdigits and not one.isspace():
                raise ValueError(f"{one!r} is no hexadecimal digit") from None
        raise ValueError("a digit of an octet is missing") from None


def context_of_json(fields: object) -> Context:
    """The context that a line's `context` describes. Raises ValueError."""
    if not isinstance(fields, dict):
        raise ValueError("`context` is not a JSON object")
    paths, listed = [], fields.get("addpath", [])
    if not isinstance(listed, list):
        raise ValueError("`addpath` is not a list")
    for text in listed:
        afi, _, safi = str(text).partition("/")
        if not (afi.isdecimal() and safi.isdecimal()):
            raise ValueError(f"{text!r} in `addpath` is not AFI/SAFI")
        paths.append(Family(int(afi), int(safi)))
    return Context(
        as4=bool(fields.get("as4", True)), extended=bool(fields.get("extended", False)), add_path=frozenset(paths)
    )
