"""`bgp decode`: MRT files, and messages in hexadecimal, as JSON or as the lines of `bgpdump -m`.

Standard input and files may hold MRT (plain, gzip, bzip2), hexadecimal, one message a line, or JSON lines with `hex` and,
where it matters, `context` and `id`. A line of input gives one line of output, in order, whatever is wrong with it.
"""

from __future__ import annotations

import bz2
import gzip
import io
import json
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, TextIO

from bgp.app import dump
from bgp.app.jsonform import Json, error_json, kind_name, message_json, type_name
from bgp.error import PeerError, Reaction
from bgp.iana import MessageType
from bgp.message import Message, Update
from bgp.wire.codec import read
from bgp.wire.context import DEFAULT, Context
from bgp.wire.formats.mrt import MessageRecord, Record, RibEntry, Skipped, StateChange, Torn, read_mrt
from bgp.wire.header import HEADER_LENGTH
from bgp.wire.open import fixed_fields
from bgp.wire.update import worst
from rib.family import Family

#: Octets that tell text from MRT: an MRT header begins with seconds since 1970, which are no hex digits for long.
SNIFFED: Final = 64
_TEXT: Final = re.compile(rb"\A[\s\x20-\x7e]*\Z")
_HEX: Final = re.compile(r"[\s:.]|0x")


@dataclass(slots=True)
class Counts:
    """What became of the input."""

    messages: int = 0
    malformed: int = 0
    unread: int = 0


def run_decode(
    files: Sequence[str], *, json_output: bool, bgpdump: bool, strict: bool, out: TextIO, err: TextIO
) -> int:
    """Decode `files`, "-" or none for standard input. Gives the exit status: 1 for malformed input if `strict`.

    2 for a file that cannot be opened. `json_output` prints one object a message; without it, and without `bgpdump`, the
    same in words. BrokenPipeError is the caller's.
    """
    counts = Counts()
    printer = _Printer(out, err, bgpdump=bgpdump, in_words=not json_output and not bgpdump)
    for name in files or ("-",):
        try:
            with _opened(name) as file:
                _decode_file(file, "standard input" if name == "-" else name, printer, counts)
        except OSError as error:
            if isinstance(error, BrokenPipeError):
                raise
            print(f"{name}: {error.strerror or error}", file=err)
            return 2
    if counts.unread:
        print(f"{counts.unread} records of kinds that are not read were left out", file=err)
    return 1 if strict and counts.malformed else 0


def _opened(name: str) -> BinaryIO:
    """The file, decompressed, with a head that can be peeked at."""
    raw = io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False)) if name == "-" else Path(name).open("rb")  # noqa: SIM115  # the caller closes what it is given
    magic = raw.peek(3)[:3]
    if magic[:2] == b"\x1f\x8b":
        return io.BufferedReader(gzip.GzipFile(fileobj=raw))
    if magic == b"BZh":
        return io.BufferedReader(bz2.BZ2File(raw))
    return raw


def _decode_file(file: BinaryIO, name: str, printer: _Printer, counts: Counts) -> None:
    try:
        head = file.peek(SNIFFED)[:SNIFFED]  # type: ignore[attr-defined]  # a BufferedReader
        if _TEXT.match(head):
            for line in io.TextIOWrapper(file, encoding="utf-8", errors="replace"):
                if line.strip():
                    counts.messages += 1
                    counts.malformed += printer.line(line.strip())
            return
        for record in read_mrt(file):
            counts.messages += 1
            if isinstance(record.content, Skipped) and record.content.reason.endswith("not read"):
                counts.unread += 1
            else:
                counts.malformed += printer.record(record)
    except (Torn, EOFError, gzip.BadGzipFile) as error:
        counts.malformed += 1
        print(f"{name}: {error}", file=printer.err)


class _Printer:
    """Prints what was decoded; its methods say whether it was malformed."""

    def __init__(self, out: TextIO, err: TextIO, *, bgpdump: bool, in_words: bool) -> None:
        self.out = out
        self.err = err
        self._bgpdump = bgpdump
        self._in_words = in_words

    def line(self, text: str) -> bool:
        """One line of hexadecimal or JSON."""
        found: dict[str, Json] = {}
        try:
            octets, context, about = _input(text)
            found |= about
        except ValueError as error:
            found["error"] = {"reason": f"not a message: {error}"}
            self._print(found)
            return True
        _, parts = _decoded(octets, context)
        self._print(found | parts)
        return "error" in parts

    def record(self, record: Record) -> bool:
        """One MRT record."""
        content = record.content
        message: Message | None = None
        found: dict[str, Json] = {"time": record.time, "at": record.at}
        if record.microseconds is not None:
            found["time"] = record.time + record.microseconds / 1_000_000
        match content:
            case MessageRecord():
                message, parts = _decoded(content.octets, content.context)
                found |= {"peer": str(content.peer.address), "peer_asn": content.peer.asn, **parts}
            case RibEntry():
                found |= _rib_entry(content)
            case StateChange():
                found |= {
                    "type": "STATE",
                    "peer": str(content.peer.address),
                    "peer_asn": content.peer.asn,
                    "state": [content.old, content.new],
                }
            case Skipped(reason=""):
                return False
            case Skipped():
                found |= {"error": {"reason": content.reason}}
        malformed = "error" in found
        if self._bgpdump:
            if malformed:
                print(f"record at {record.at}: {_words(found['error'])}", file=self.err)
            for line in dump.lines(record, message if isinstance(message, Update) else None):
                print(line, file=self.out)
        else:
            self._print(found)
        return malformed

    def _print(self, found: Mapping[str, Json]) -> None:
        if self._in_words:
            print(in_words(found), file=self.out)
        else:
            print(json.dumps(found, separators=(",", ":")), file=self.out)


def _words(error: Json) -> str:
    return str(error["reason"]) if isinstance(error, dict) else str(error)


def _input(text: str) -> tuple[bytes, Context, dict[str, Json]]:
    """Octets, context and what is to be repeated of one line of input. Raises ValueError."""
    if not text.startswith("{"):
        return bytes.fromhex(_HEX.sub("", text)), DEFAULT, {}
    line = json.loads(text)
    if not isinstance(line.get("hex"), str):
        raise ValueError("no `hex` in the JSON object")
    about = {"id": line["id"]} if "id" in line else {}
    return bytes.fromhex(line["hex"]), _context(line.get("context", {})), about


def _context(fields: object) -> Context:
    if not isinstance(fields, dict):
        raise ValueError("`context` is not a JSON object")
    paths = []
    for text in fields.get("addpath", []):
        afi, _, safi = str(text).partition("/")
        paths.append(Family(int(afi), int(safi)))
    return Context(
        as4=bool(fields.get("as4", True)), extended=bool(fields.get("extended", False)), add_path=frozenset(paths)
    )


def _decoded(octets: bytes, context: Context) -> tuple[Message | None, dict[str, Json]]:
    """The message and its JSON object: `type`, `message`, and `error` if there is something wrong with it."""
    kind = kind_name(octets[HEADER_LENGTH - 1]) if len(octets) >= HEADER_LENGTH else "UNKNOWN"
    try:
        message = read(octets, context)
    except PeerError as error:
        found: dict[str, Json] = {"type": kind, "error": error_json(error)}
        if kind == MessageType.OPEN.name and len(octets) > HEADER_LENGTH:
            # Who sent it can be told even where what they can do cannot.
            found["message"] = message_json(fixed_fields(octets[HEADER_LENGTH:].ljust(9, b"\0")), context)
        return None, found
    found = {"type": type_name(message), "message": message_json(message, context)}
    wrong = worst(message.errors) if isinstance(message, Update) else None
    if wrong is not None:
        found["error"] = error_json(wrong)
        if wrong.reaction is Reaction.SESSION_RESET:
            return None, found
    return message, found


def _rib_entry(entry: RibEntry) -> dict[str, Json]:
    found: dict[str, Json] = {
        "type": "RIB",
        "peer": str(entry.peer.address),
        "peer_asn": entry.peer.asn,
        "prefix": str(entry.prefix),
        "originated": entry.originated,
        "message": message_json(entry.update, Context(as4=entry.version == 2, add_path=_paths(entry))),
    }
    wrong = worst(entry.update.errors)
    return found if wrong is None else found | {"error": error_json(wrong)}


def _paths(entry: RibEntry) -> frozenset[Family]:
    if entry.path_id is None:
        return frozenset()
    return frozenset(Family(entry.prefix.afi, safi) for safi in (1, 2))


def in_words(found: Mapping[str, Json]) -> str:
    """One line for a person: what `bgp decode` prints without --json."""
    parts = [f"{name} {found[name]}" for name in ("id", "time", "peer", "prefix") if name in found]
    message, error = found.get("message"), found.get("error")
    parts.insert(0, str(found.get("type", "?")))
    if isinstance(message, dict):
        parts += [f"{name} {_plain(value)}" for name, value in message.items() if name != "attributes" and value != []]
    if "state" in found:
        parts.append(f"state {_plain(found['state'])}")
    if isinstance(error, dict):
        parts.append(f"ERROR {error.get('reaction', 'unreadable')}: {error['reason']}")
    return "  ".join(parts)


def _plain(value: Json) -> str:
    """A value as short as it can be said."""
    if isinstance(value, list):
        return " ".join(f"({_plain(one)})" if isinstance(one, list) else str(one) for one in value) or "empty"
    return str(value)
