"""What `bgp decode` prints of MRT records: one object or line a message, one a route of a table dump."""

from __future__ import annotations

from bgp.app import dump
from bgp.app.dump_block import RibTexts
from bgp.app.dump_text import prefix_text
from bgp.app.form import Form
from bgp.app.jsonform import Json, error_json, message_json
from bgp.app.printer import Printer
from bgp.error import PeerError
from bgp.message import Update
from bgp.wire.context import Context
from bgp.wire.fields import Malformed
from bgp.wire.formats.mrt import RIBS
from bgp.wire.formats.mrt_rib import RibDecoder, update_body
from bgp.wire.formats.mrt_scan import read_record
from bgp.wire.formats.mrt_values import (
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
    Unread,
    context_of,
    rib_context,
)
from bgp.wire.sizes import HEADER_LENGTH
from bgp.wire.update import worst
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Family
from rib.prefix import Prefix


class MrtPrinter:
    """Prints the records of one file, whose peer index tables it remembers."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._keep = printer.keep
        self._bgpdump = printer.form is Form.BGPDUMP
        self._peers: list[tuple[Peer, str]] = []
        self._decoders: dict[Context, RibDecoder] = {}
        self._texts = {as4: RibTexts(as4=as4) for as4 in (False, True)}

    def raw(self, at: int, time: int, kind: int, subtype: int, body: bytes) -> None:
        """One record as `raw_records` gives it."""
        self.record(read_record(at, time, kind, subtype, body))

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
        prefix = prefix_text(family.afi, rib.prefix.nlri)
        context, peers = rib_context(with_path_id), self._peers
        for entry in rib.entries:
            if entry.peer >= len(peers):
                self._bad(record, f"peer {entry.peer} of {len(peers)} in the peer index table")
                continue
            peer, peer_text = peers[entry.peer]
            text = self._text(record, peer, entry, family, rib.prefix, context)
            if text is not None:
                place = prefix if entry.path_id is None else f"{prefix}|{entry.path_id}"
                self._printer.out.write(f"{head}{peer_text}|{place}|{text}\n")

    def _table_dump(self, record: Record, route: TableDump) -> None:
        family = IPV4_UNICAST if route.prefix.afi == 1 else IPV6_UNICAST
        if not self._keep.prefix(route.prefix):
            return
        entry = RibEntry(0, route.originated, None, route.attributes)
        if not self._bgpdump:
            self._route(record, route.peer, entry, family, route.prefix.nlri, TABLE_DUMP_CONTEXT)
            return
        text = self._text(record, route.peer, entry, family, route.prefix, TABLE_DUMP_CONTEXT)
        if text is not None:
            place = f"{dump.peer_text(route.peer)}|{prefix_text(family.afi, route.prefix.nlri)}"
            self._printer.out.write(f"TABLE_DUMP|{record.time}|B|{place}|{text}\n")

    def _text(
        self, record: Record, peer: Peer, entry: RibEntry, family: Family, prefix: Prefix, context: Context
    ) -> str | None:
        """The fields from AS_PATH on; None for a route that is not wanted."""
        if not self._keep.is_open:
            if not self._keep.peer(peer) or not self._keep.may_pass(prefix.nlri + entry.attributes):
                return None
            if self._keep.on_routes:
                found = self._update(record, entry, family, prefix.nlri, context)
                passes = found is not None and self._keep.narrowed(found[0]) is not None
                return dump.attributes_text(found[0].attributes, context.as4) if found is not None and passes else None
        text = self._texts[context.as4].read(entry.attributes)
        if isinstance(text, str):
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
            found["prefix"] = prefix_text(family.afi, nlri)
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
