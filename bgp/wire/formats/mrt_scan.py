"""MRT files record by record, without construct where it matters: table dumps and messages, which are nearly all records.

`scan` says the same as `bgp.wire.formats.mrt.decode`, which a property test holds; what it does not know, or what seems
wrong, it leaves to that declaration.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from struct import Struct
from typing import Final

from bgp.wire.formats.mrt import RIBS, decode, masked
from bgp.wire.formats.mrt_frames import raw_records
from bgp.wire.formats.mrt_values import (
    AS4,
    Address,
    Bgp4mp,
    Content,
    MessageRecord,
    Peer,
    Record,
    Rib,
    RibEntry,
    TableDump,
    Type,
    Unread,
)
from bgp.wire.formats.stream import Source
from bgp.wire.prefixes import STEP4, STEP6, prefixes
from rib.prefix import Prefix

_U32: Final = Struct(">I")
_RIB_ENTRY: Final = Struct(">HIH")
_RIB_ENTRY_ADD_PATH: Final = Struct(">HIIH")
_TABLE_DUMP: Final = {1: Struct(">HH4sBBI4sHH"), 2: Struct(">HH16sBBI16sHH")}
#: The subtypes of BGP4MP that hold messages.
MESSAGES: Final = frozenset(Bgp4mp) - {Bgp4mp.STATE_CHANGE, Bgp4mp.STATE_CHANGE_AS4}
#: Octets of the BGP4MP fields before the message, by octets of an AS number and address family.
_BEFORE: Final = {(size, afi): 2 * size + 4 + (8 if afi == 1 else 32) for size in (2, 4) for afi in (1, 2)}


def read_mrt(file: Source) -> Iterator[Record]:
    """The records of an MRT file, one at a time. Raises Torn where the file ends within one, after those before it."""
    for raw in raw_records(file):
        yield read_record(*raw)


def read_record(at: int, time: int, kind: int, subtype: int, body: bytes) -> Record:
    """The record that these octets are."""
    microseconds = None
    if kind == Type.BGP4MP_ET:
        if len(body) < 4:
            return Record(at, time, None, Unread(kind, subtype, body))
        microseconds = int(_U32.unpack_from(body)[0])
        body = body[4:]
    return Record(at, time, microseconds, scan(kind, subtype, body))


def scan(kind: int, subtype: int, body: bytes) -> Content:
    """What a record says: the same as `bgp.wire.formats.mrt.decode`."""
    found: Content | None = None
    if kind == Type.TABLE_DUMP_V2 and subtype in RIBS:
        found = _scan_rib(subtype, body)
    elif kind in (Type.BGP4MP, Type.BGP4MP_ET) and subtype in MESSAGES:
        found = _scan_message(subtype, body)
    elif kind == Type.TABLE_DUMP and subtype in _TABLE_DUMP:
        found = _scan_table_dump(subtype, body)
    return decode(kind, subtype, body) if found is None else found


def _scan_rib(subtype: int, body: bytes) -> Rib | None:
    """RFC 6396 4.3.2, RFC 8050 4.1."""
    family, with_path_id = RIBS[subtype]
    size = len(body)
    if size < 7:
        return None
    step = STEP4 if family.afi == 1 else STEP6
    at = 4 + step[body[4]]
    if at + 2 > size or (found := prefixes(body, 4, at, step)) is None:
        return None
    count = body[at] << 8 | body[at + 1]
    at += 2
    head = _RIB_ENTRY_ADD_PATH if with_path_id else _RIB_ENTRY
    unpack, before = head.unpack_from, head.size
    entries: list[RibEntry] = []
    path_id: int | None = None
    for _ in range(count):
        start = at + before
        if start > size:
            return None
        if with_path_id:
            peer, originated, path_id, length = unpack(body, at)
        else:
            peer, originated, length = unpack(body, at)
        at = start + length
        entries.append(RibEntry(peer, originated, path_id, body[start:at]))
    if at != size:
        return None
    return Rib(subtype, _U32.unpack_from(body)[0], Prefix.from_nlri(family.afi, found[0]), tuple(entries))


def _scan_message(subtype: int, body: bytes) -> MessageRecord | None:
    """RFC 6396 4.4.2; most records of a file are from a few peers."""
    start = message_place(subtype, body)
    if not start:
        return None
    size = 4 if subtype in AS4 else 2
    peer, local, interface = ends_of(body[:start], size)
    return MessageRecord(subtype, peer, local, interface, body[start:])


def message_place(subtype: int, body: bytes) -> int:
    """Where the message of a BGP4MP record begins; 0 for one that `scan` is to look at."""
    at = 10 if subtype in AS4 else 6
    if len(body) < at + 2 or body[at] or body[at + 1] not in (1, 2):
        return 0
    start = _BEFORE[4 if at == 10 else 2, body[at + 1]]
    return start if len(body) >= start else 0


@lru_cache(maxsize=1 << 12)
def ends_of(octets: bytes, size: int) -> tuple[Peer, Peer, int]:
    """Peer, local end and interface index of the fields before a message, AS numbers of `size` octets."""
    at = 2 * size + 4
    middle = (at + len(octets)) // 2
    return (
        Peer(_address(octets[at:middle]), int.from_bytes(octets[:size], "big")),
        Peer(_address(octets[middle:]), int.from_bytes(octets[size : 2 * size], "big")),
        int.from_bytes(octets[2 * size : 2 * size + 2], "big"),
    )


@lru_cache(maxsize=1 << 12)
def _address(octets: bytes) -> Address:
    return IPv4Address(octets) if len(octets) == 4 else IPv6Address(octets)


def _scan_table_dump(afi: int, body: bytes) -> TableDump | None:
    """RFC 6396 4.2."""
    head = _TABLE_DUMP[afi]
    if len(body) < head.size:
        return None
    view, sequence, address, length, status, originated, peer, asn, size = head.unpack_from(body)
    if len(body) != head.size + size or length > 8 * len(address):
        return None
    prefix = masked(afi, address, length)
    return TableDump(view, sequence, prefix, status, originated, _peer(peer, asn), body[head.size :])


@lru_cache(maxsize=1 << 12)
def _peer(octets: bytes, asn: int) -> Peer:
    return Peer(_address(octets), asn)
