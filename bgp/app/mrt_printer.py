"""What `bgp decode` prints of MRT records: one object or line a message, one a route of a table dump."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Final

from bgp.app import dump
from bgp.app.dump_scan import LineScanner, prefix4_text
from bgp.app.jsonform import Json, error_json, message_json
from bgp.app.printer import Form, Printer
from bgp.error import PeerError
from bgp.message import Update
from bgp.wire.context import Context
from bgp.wire.fields import Malformed
from bgp.wire.formats.mrt import RIBS
from bgp.wire.formats.mrt_rib import RibDecoder, update_body
from bgp.wire.formats.mrt_scan import MESSAGES, ends_of, message_place, read_record
from bgp.wire.formats.mrt_values import (
    AS4,
    MESSAGE_CONTEXTS,
    TABLE_DUMP_CONTEXT,
    Broken,
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
    Type,
    Unread,
    context_of,
    rib_context,
)
from bgp.wire.prefixes import HOST_BITS
from bgp.wire.sizes import HEADER_LENGTH
from bgp.wire.update import worst
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Family
from rib.prefix import Prefix

#: Peers whose text is kept.
PEERS: Final = 1 << 12


class MrtPrinter:
    """Prints the records of one file, whose peer index tables it remembers."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._keep = printer.keep
        self._bgpdump = printer.form is Form.BGPDUMP
        self._peers: list[tuple[Peer, str]] = []
        self._table_dump_scanner = printer.scanner(TABLE_DUMP_CONTEXT)
        self._decoders: dict[Context, RibDecoder] = {}
        self._peer_texts: dict[tuple[int, bytes], str] = {}
        self._scanners = {int(subtype): printer.scanner(MESSAGE_CONTEXTS[subtype]) for subtype in MESSAGES}

    def raw(self, at: int, time: int, kind: int, subtype: int, body: bytes) -> None:
        """One record as `raw_records` gives it. What most records are takes a short way to its lines."""
        if self._bgpdump and self._keep.is_open:
            text: str | None = None
            if kind == Type.BGP4MP and subtype in self._scanners:
                text = self._message_text(time, subtype, body)
            elif kind == Type.TABLE_DUMP and subtype == 1:
                text = self._table_dump_text(time, body)
            if text is not None:
                self._printer.out.write(text)
                return
        self.record(read_record(at, time, kind, subtype, body))

    def _message_text(self, time: int, subtype: int, body: bytes) -> str | None:
        """The lines of a BGP4MP message; None for a record to be looked at."""
        start = message_place(subtype, body)
        if not start:
            return None
        scanner = self._scanners[subtype]
        head = f"BGP4MP_AP|{time}" if scanner.context.add_path else f"BGP4MP|{time}"
        lines = scanner.update_lines(body[start:], head, self._peer_text(subtype, body[:start]))
        return None if lines is None else "\n".join([*lines, ""]) if lines else ""

    def _table_dump_text(self, time: int, body: bytes) -> str | None:
        """The line of an IPv4 route of a TABLE_DUMP (RFC 6396 4.2); None for a record to be looked at."""
        if len(body) < 22 or body[8] > 32 or len(body) != 22 + (body[20] << 8 | body[21]):
            return None
        length = body[8]
        nlri = body[8:9] + body[4 : 4 + (length + 7) // 8]
        text = self._table_dump_scanner.rib_text(body[22:])
        if text is None or (length & 7 and nlri[-1] & HOST_BITS[length & 7]):
            return None
        return f"TABLE_DUMP|{time}|B|{self._peer_text(0, body[14:20])}|{prefix4_text(nlri)}|{text}\n"

    def _peer_text(self, subtype: int, octets: bytes) -> str:
        """The fields of a peer: `octets` before a message, or address and AS of a TABLE_DUMP, which is subtype 0 here."""
        found = self._peer_texts.get((subtype, octets))
        if found is None:
            if len(self._peer_texts) >= PEERS:
                self._peer_texts.clear()
            if subtype:
                peer, _, _ = ends_of(octets, 4 if subtype in AS4 else 2)
            else:
                peer = Peer(IPv4Address(octets[:4]), int.from_bytes(octets[4:], "big"))
            found = self._peer_texts[subtype, octets] = dump.peer_text(peer)
        return found

    def record(self, record: Record) -> None:
        """One record."""
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
            case Unread():
                self._printer.unread += 1
            case Broken(reason=reason):
                self._bad(record, reason)
            case _:
                pass  # places of peers are no messages

    def _message(self, record: Record, message: MessageRecord | LegacyMessage) -> None:
        context = context_of(message)
        if not self._bgpdump:
            self._printer.message(_about(record, message.peer), message.octets, context, message.peer)
        elif self._keep.peer(message.peer):
            legacy = isinstance(message, LegacyMessage)
            head = f"BGP|{record.time}" if legacy else dump.message_head(record, add_path=bool(context.add_path))
            place = f"record at {record.at}"
            self._printer.lines(message.octets, context, head, dump.peer_text(message.peer), place, legacy=legacy)

    def _rib(self, record: Record, rib: Rib) -> None:
        family, with_path_id = RIBS[rib.subtype]
        if not self._keep.prefix(rib.prefix):
            return
        if not self._bgpdump:
            self._routes(record, rib.entries, family, rib.prefix.nlri, rib_context(with_path_id))
            return
        head = f"TABLE_DUMP2{'_AP' if with_path_id else ''}|{record.time}|B|"
        prefix = dump.prefix_text(family.afi, rib.prefix.nlri)
        scanner, peers, lines = self._printer.scanner(rib_context(with_path_id)), self._peers, []
        for entry in rib.entries:
            if entry.peer >= len(peers):
                self._bad(record, f"peer {entry.peer} of {len(peers)} in the peer index table")
                continue
            peer, peer_text = peers[entry.peer]
            text = scanner.rib_text(entry.attributes) if self._keep.is_open else None
            text = text or self._text(record, peer, entry, family, rib.prefix, scanner)
            if text is not None:
                place = prefix if entry.path_id is None else f"{prefix}|{entry.path_id}"
                lines.append(f"{head}{peer_text}|{place}|{text}\n")
        self._printer.out.write("".join(lines))

    def _table_dump(self, record: Record, route: TableDump) -> None:
        family = IPV4_UNICAST if route.prefix.afi == 1 else IPV6_UNICAST
        if not self._keep.prefix(route.prefix):
            return
        entry = RibEntry(0, route.originated, None, route.attributes)
        if not self._bgpdump:
            self._route(record, route.peer, entry, family, route.prefix.nlri, TABLE_DUMP_CONTEXT)
            return
        text = self._text(record, route.peer, entry, family, route.prefix, self._table_dump_scanner)
        if text is not None:
            place = f"{dump.peer_text(route.peer)}|{dump.prefix_text(family.afi, route.prefix.nlri)}"
            self._printer.out.write(f"TABLE_DUMP|{record.time}|B|{place}|{text}\n")

    def _text(
        self, record: Record, peer: Peer, entry: RibEntry, family: Family, prefix: Prefix, scanner: LineScanner
    ) -> str | None:
        """The fields from AS_PATH on; None for a route that is not wanted."""
        context = scanner.context
        if not self._keep.is_open:
            if not self._keep.peer(peer) or not self._keep.may_pass(prefix.nlri + entry.attributes):
                return None
            if self._keep.on_routes:
                found = self._update(record, entry, family, prefix.nlri, context)
                passes = found is not None and self._keep.narrowed(found[0]) is not None
                return dump.attributes_text(found[0].attributes, context.as4) if found is not None and passes else None
        text = scanner.rib_text(entry.attributes)
        if text is not None:
            return text
        found = self._update(record, entry, family, prefix.nlri, context)
        if found is None:
            return dump.attributes_text((), context.as4)
        if (wrong := worst(found[0].errors)) is not None:
            self._printer.complain(f"record at {record.at}", error_json(wrong))
        return dump.attributes_text(found[0].attributes, context.as4)

    def _update(
        self, record: Record, entry: RibEntry, family: Family, nlri: bytes, context: Context
    ) -> tuple[Update, bytes] | None:
        """The UPDATE that would announce a route, and its body; None, which is reported, where it cannot be read."""
        octets = nlri if entry.path_id is None else entry.path_id.to_bytes(4, "big") + nlri
        decoder = self._decoders.get(context)
        if decoder is None:
            decoder = self._decoders[context] = RibDecoder(context)
        try:
            body = update_body(entry.attributes, family, octets)
            return decoder.update(body), body
        except (Malformed, PeerError) as error:
            self._bad(record, str(error))
            return None

    def _generic(self, record: Record, rib: RibGeneric) -> None:
        if not self._bgpdump:  # which prints no routes of other families
            self._routes(record, rib.entries, rib.family, rib.nlri, rib_context(rib.has_path_id))

    def _routes(
        self, record: Record, entries: tuple[RibEntry, ...], family: Family, nlri: bytes, context: Context
    ) -> None:
        for entry in entries:
            if entry.peer >= len(self._peers):
                self._bad(record, f"peer {entry.peer} of {len(self._peers)} in the peer index table")
            else:
                self._route(record, self._peers[entry.peer][0], entry, family, nlri, context)

    def _route(
        self, record: Record, peer: Peer, entry: RibEntry, family: Family, nlri: bytes, context: Context
    ) -> None:
        if not self._keep.peer(peer) or not self._keep.may_pass(nlri + entry.attributes):
            return
        read = self._update(record, entry, family, nlri, context)
        if read is None or self._keep.narrowed(read[0]) is None:
            return
        update, body = read
        found: dict[str, Json] = {**_about(record, peer), "type": "RIB"}
        if family.safi in (1, 2):
            found["prefix"] = dump.prefix_text(family.afi, nlri)
        found |= {"originated": entry.originated, "message": message_json(update, context, bytes(HEADER_LENGTH) + body)}
        if (wrong := worst(update.errors)) is not None:
            found["error"] = error_json(wrong)
        self._printer.show(found)

    def _state(self, record: Record, change: StateChange | LegacyStateChange) -> None:
        if not self._printer.wants(change.peer):
            return
        if self._bgpdump:
            self._printer.out.write(f"{dump.state_line(record, change)}\n")
        else:
            self._printer.show({**_about(record, change.peer), "type": "STATE", "state": [change.old, change.new]})

    def _bad(self, record: Record, reason: str) -> None:
        if self._bgpdump:
            self._printer.complain(f"record at {record.at}", {"reason": reason})
        else:
            self._printer.show({**_about(record, None), "error": {"reason": reason}})


def _about(record: Record, peer: Peer | None) -> dict[str, Json]:
    time = record.time if record.microseconds is None else record.time + record.microseconds / 1_000_000
    found: dict[str, Json] = {"time": time, "at": record.at}
    return found if peer is None else found | {"peer": str(peer.address), "peer_asn": peer.asn}
