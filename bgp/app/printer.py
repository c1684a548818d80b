"""What `bgp decode` prints of messages and records: JSON, words, or the lines of `bgpdump -m`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from ipaddress import IPv4Address
from typing import Final, NamedTuple, TextIO

from bgp.app import dump, dump_scan
from bgp.app.bmp_form import other_json, peer_json, peer_up_json
from bgp.app.jsonform import Json, error_json, kind_name, message_json, type_name
from bgp.error import PeerError, Reaction, UpdateError
from bgp.iana import MessageType
from bgp.message import Message, Open, Update
from bgp.wire.codec import read
from bgp.wire.context import Context
from bgp.wire.fields import Malformed
from bgp.wire.formats.bmp import (
    Bmp,
    MirrorType,
    PeerDown,
    PeerHeader,
    PeerUp,
    RouteMirroring,
    RouteMonitoring,
    StatisticsReport,
)
from bgp.wire.formats.conversation import Heard, Lost
from bgp.wire.formats.mrt import RIBS
from bgp.wire.formats.mrt_rib import rib_update
from bgp.wire.formats.mrt_values import (
    RIB_CONTEXT,
    TABLE_DUMP_CONTEXT,
    Broken,
    GeoPeerTable,
    LegacyMessage,
    LegacyStateChange,
    MessageRecord,
    Peer,
    PeerIndexTable,
    Record,
    Rib,
    RibEntry,
    RibGeneric,
    StateChange,
    TableDump,
    Unread,
    context_of,
    rib_context,
)
from bgp.wire.header import HEADER_LENGTH
from bgp.wire.open import fixed_fields, validate_open
from bgp.wire.update import worst
from rib.family import Family


class Moment(NamedTuple):
    """A time since 1970."""

    seconds: int
    microseconds: int


#: The BGP identifier of a session that there is not.
NOBODY: Final = IPv4Address(0)


class Form(StrEnum):
    """What `bgp decode` prints."""

    TEXT = "text"
    JSON = "json"
    BGPDUMP = "bgpdump"


class Printer:
    """Prints what was decoded, and counts what was `malformed` and what was left `unread`."""

    def __init__(self, form: Form, out: TextIO, err: TextIO) -> None:
        self.form = form
        self.out = out
        self.err = err
        self.malformed = 0
        self.unread = 0
        self._peers: list[tuple[Peer, str]] = []

    def refused(self, about: Mapping[str, Json], reason: str) -> None:
        """What is no message."""
        self._print({**about, "error": {"reason": reason}})

    def message(self, about: Mapping[str, Json], octets: bytes, context: Context) -> None:
        """A message; `about` is what is known of where it is from."""
        _, parts = decoded(octets, context)
        self._print({**about, **parts})

    def heard(self, found: Heard | Lost) -> None:
        """What a packet capture holds of a session."""
        about: dict[str, Json] = {
            "time": found.time / 1_000_000_000,
            "packet": found.number,
            "peer": str(found.source.address),
            "from": str(found.source),
            "to": str(found.destination),
        }
        if isinstance(found, Lost):
            self.refused(about, found.reason)
            return
        if found.asn is not None:
            about["peer_asn"] = found.asn
        peer = Peer(found.source.address, found.asn or 0)
        seconds, nanoseconds = divmod(found.time, 1_000_000_000)
        self._exact(about, found.octets, found.context, Moment(seconds, nanoseconds // 1000), peer)

    def bmp(self, at: int, message: Bmp, context: Context) -> None:
        """One BMP message; `context`: how to read the BGP messages in it."""
        about: dict[str, Json] = {"at": at}
        match message:
            case RouteMonitoring(peer=peer, octets=octets):
                self._bmp_message(about, peer, octets, context)
            case RouteMirroring(peer=peer, items=items):
                for one in items:
                    if one.type == MirrorType.MESSAGE:
                        self._bmp_message(about | {"mirrored": True}, peer, one.value, context)
                    else:
                        self._print({**about, **peer_json(peer), **other_json(message._replace(items=(one,)))})
            case PeerUp(peer=peer):
                self._print({**about, **peer_json(peer), **peer_up_json(message)})
            case PeerDown(peer=peer) | StatisticsReport(peer=peer):
                self._print({**about, **peer_json(peer), **other_json(message)})
            case _:
                self._print({**about, **other_json(message)})

    def _bmp_message(self, about: dict[str, Json], peer: PeerHeader, octets: bytes, context: Context) -> None:
        moment = Moment(peer.seconds, peer.microseconds)
        self._exact({**about, **peer_json(peer)}, octets, context, moment, Peer(peer.address, peer.asn))

    def _exact(self, about: Mapping[str, Json], octets: bytes, context: Context, moment: Moment, peer: Peer) -> None:
        """A message of which peer and time are known to the microsecond."""
        if self.form is not Form.BGPDUMP:
            self.message(about, octets, context)
            return
        head = dump.message_head(Record(0, *moment, Unread(0, 0, b"")), add_path=bool(context.add_path))
        self._lines(
            octets, context, head, dump.peer_text(peer), f"message at {moment.seconds}.{moment.microseconds:06}"
        )

    def record(self, record: Record) -> None:
        """One MRT record."""
        match record.content:
            case Rib() as rib:
                self._rib(record, rib)
            case MessageRecord() | LegacyMessage() as message:
                self._message(record, message)
            case TableDump() as route:
                self._table_dump(record, route)
            case StateChange() | LegacyStateChange() as change:
                self._state(record, change)
            case RibGeneric() as rib:
                self._generic(record, rib)
            case PeerIndexTable(peers=peers):
                self._peers = [(peer := Peer(one.address, one.asn), dump.peer_text(peer)) for one in peers]
            case GeoPeerTable():
                pass
            case Unread():
                self.unread += 1
            case Broken(reason=reason):
                self._bad_record(record, reason)

    def _message(self, record: Record, message: MessageRecord | LegacyMessage) -> None:
        context = context_of(message)
        legacy = isinstance(message, LegacyMessage)
        if self.form is not Form.BGPDUMP:
            _, parts = decoded(message.octets, context)
            self._print({**_about(record, message.peer), **parts})
            return
        head = f"BGP|{record.time}" if legacy else dump.message_head(record, add_path=bool(context.add_path))
        self._lines(
            message.octets, context, head, dump.peer_text(message.peer), f"record at {record.at}", legacy=legacy
        )

    def _lines(
        self, octets: bytes, context: Context, head: str, peer: str, place: str, *, legacy: bool = False
    ) -> None:
        """The lines of a message; `place` is where it is, should anything be wrong with it."""
        lines = dump_scan.update_lines(octets, context, head, peer)
        if lines is None:
            found, parts = decoded(octets, context)
            if "error" in parts:
                self._complain(place, parts["error"])
            lines = list(dump.update_lines(head, peer, found)) if isinstance(found, Update) else []
        if legacy:
            lines = [dump.legacy(line) for line in lines]
        if lines:
            self.out.write("\n".join(lines) + "\n")

    def _rib(self, record: Record, rib: Rib) -> None:
        family, with_path_id = RIBS[rib.subtype]
        if self.form is not Form.BGPDUMP:
            self._routes(record, rib.entries, family, rib.prefix.nlri, rib_context(with_path_id))
            return
        head = f"TABLE_DUMP2{'_AP' if with_path_id else ''}|{record.time}|B|"
        prefix = dump.prefix_text(family.afi, rib.prefix.nlri)
        context, peers, lines = RIB_CONTEXT, self._peers, []
        for peer, _, path_id, block in rib.entries:
            if peer >= len(peers):
                self._bad_record(record, f"peer {peer} of {len(peers)} in the peer index table")
                continue
            text = dump_scan.rib_text(block, context) or self._rib_text(record, block, family, rib.prefix.nlri, context)
            place = prefix if path_id is None else f"{prefix}|{path_id}"
            lines.append(f"{head}{peers[peer][1]}|{place}|{text}\n")
        self.out.write("".join(lines))

    def _rib_text(self, record: Record, block: bytes, family: Family, nlri: bytes, context: Context) -> str:
        """The fields from AS_PATH on of a block that is not plainly right."""
        try:
            update = rib_update(block, family, nlri, context)
        except (Malformed, PeerError) as error:
            self._bad_record(record, str(error))
            return dump.attributes_text(())
        if (wrong := worst(update.errors)) is not None:
            self._complain(f"record at {record.at}", error_json(wrong))
        return dump.attributes_text(update.attributes)

    def _table_dump(self, record: Record, route: TableDump) -> None:
        family, nlri = Family(route.prefix.afi, 1), route.prefix.nlri
        if self.form is Form.BGPDUMP:
            text = dump_scan.rib_text(route.attributes, TABLE_DUMP_CONTEXT) or self._rib_text(
                record, route.attributes, family, nlri, TABLE_DUMP_CONTEXT
            )
            place = f"{dump.peer_text(route.peer)}|{dump.prefix_text(family.afi, nlri)}"
            self.out.write(f"TABLE_DUMP|{record.time}|B|{place}|{text}\n")
            return
        entry = RibEntry(0, route.originated, None, route.attributes)
        self._route(record, route.peer, entry, family, nlri, TABLE_DUMP_CONTEXT)

    def _generic(self, record: Record, rib: RibGeneric) -> None:
        if self.form is not Form.BGPDUMP:  # bgpdump prints no routes of other families
            self._routes(record, rib.entries, rib.family, rib.nlri, rib_context(rib.has_path_id))

    def _routes(
        self, record: Record, entries: tuple[RibEntry, ...], family: Family, nlri: bytes, context: Context
    ) -> None:
        for entry in entries:
            if entry.peer >= len(self._peers):
                self._bad_record(record, f"peer {entry.peer} of {len(self._peers)} in the peer index table")
            else:
                self._route(record, self._peers[entry.peer][0], entry, family, nlri, context)

    def _route(
        self, record: Record, peer: Peer, entry: RibEntry, family: Family, nlri: bytes, context: Context
    ) -> None:
        octets = nlri if entry.path_id is None else entry.path_id.to_bytes(4, "big") + nlri
        try:
            update = rib_update(entry.attributes, family, octets, context)
        except (Malformed, PeerError) as error:
            self._bad_record(record, str(error))
            return
        found: dict[str, Json] = {**_about(record, peer), "type": "RIB"}
        if family.safi in (1, 2):
            found["prefix"] = dump.prefix_text(family.afi, nlri)
        found |= {"originated": entry.originated, "message": message_json(update, context)}
        if (wrong := worst(update.errors)) is not None:
            found["error"] = error_json(wrong)
        self._print(found)

    def _state(self, record: Record, change: StateChange | LegacyStateChange) -> None:
        if self.form is Form.BGPDUMP:
            self.out.write(f"{dump.state_line(record, change)}\n")
        else:
            self._print({**_about(record, change.peer), "type": "STATE", "state": [change.old, change.new]})

    def _bad_record(self, record: Record, reason: str) -> None:
        if self.form is Form.BGPDUMP:
            self._complain(f"record at {record.at}", {"reason": reason})
        else:
            self._print({**_about(record, None), "error": {"reason": reason}})

    def _complain(self, place: str, error: Json) -> None:
        self.malformed += 1
        reason = error["reason"] if isinstance(error, dict) else error
        print(f"{place}: {reason}", file=self.err)

    def _print(self, found: Mapping[str, Json]) -> None:
        self.malformed += "error" in found
        if self.form is Form.JSON:
            self.out.write(json.dumps(found, separators=(",", ":")) + "\n")
        elif self.form is Form.TEXT:
            self.out.write(in_words(found) + "\n")
        elif "error" in found:
            error = found["error"]
            print(error["reason"] if isinstance(error, dict) else error, file=self.err)


def _about(record: Record, peer: Peer | None) -> dict[str, Json]:
    time = record.time if record.microseconds is None else record.time + record.microseconds / 1_000_000
    found: dict[str, Json] = {"time": time, "at": record.at}
    return found if peer is None else found | {"peer": str(peer.address), "peer_asn": peer.asn}


def decoded(octets: bytes, context: Context) -> tuple[Message | None, dict[str, Json]]:
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
    wrong = _refusal(message)
    if wrong is not None:
        found["error"] = error_json(wrong)
        if isinstance(wrong, PeerError) or wrong.reaction is Reaction.SESSION_RESET:
            return None, found
    return message, found


def _refusal(message: Message) -> PeerError | UpdateError | None:
    """What any session would have to say of a message that could be read."""
    match message:
        case Update(errors=errors):
            return worst(errors)
        case Open():
            try:
                validate_open(message, expected_asn=None, local_bgp_id=NOBODY, internal=False)
            except PeerError as error:
                return error
        case _:
            pass
    return None


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
