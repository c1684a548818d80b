"""MRT (RFC 6396, geo-location RFC 6397, add-path RFC 8050): what route collectors write.

- 4 octets  Timestamp, seconds since 1970
- 2 octets  Type
- 2 octets  Subtype
- 4 octets  Length of the message that follows; of an _ET type it begins with 4 octets of microseconds

This file declares the records; `decode` and `encode` are the two doors. `bgp.wire.formats.mrt_scan` reads the frequent ones
faster, held equal by a property test. What is not read is kept, octet for octet.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, assert_never

import construct as c

from bgp.wire.fields import FAMILY, IPV4, IPV6, U8, U16, U32, Malformed, build, parse, value_of
from bgp.wire.formats.mrt_values import (
    AS4,
    LEGACY_MESSAGES,
    Bgp4mp,
    Broken,
    Content,
    GeoPeer,
    GeoPeerTable,
    IndexedPeer,
    Legacy,
    LegacyMessage,
    LegacyStateChange,
    MessageRecord,
    Peer,
    PeerIndexTable,
    Record,
    Rib,
    Rib2,
    RibEntry,
    RibGeneric,
    StateChange,
    TableDump,
    Type,
    Unread,
)
from bgp.wire.header import with_header
from bgp.wire.nlri import IPV4_PREFIX, IPV6_PREFIX
from bgp.wire.sizes import HEADER_LENGTH as MESSAGE_HEADER_LENGTH
from bgp.wire.sizes import MAX_EXTENDED_MESSAGE
from rib.family import IPV4_MULTICAST, IPV4_UNICAST, IPV6_MULTICAST, IPV6_UNICAST, Family
from rib.prefix import Prefix

HEADER: Final = c.Struct("time" / U32, "type" / U16, "subtype" / U16, "length" / U32)
HEADER_LENGTH: Final = 12

#: Bit 0 of a peer's type: its address has 16 octets; bit 1: its AS number has 4 (RFC 6396 4.3.1).
_PEER: Final = (
    "type" / U8,
    "bgp_id" / IPV4,
    "address" / c.IfThenElse(lambda this: this.type & 1, IPV6, IPV4),
    "asn" / c.IfThenElse(lambda this: this.type & 2, U32, U16),
)
_VIEW: Final = c.Prefixed(U16, c.GreedyBytes)


def _plain(declaration: c.Construct, make: Callable[..., Any]) -> c.Construct:
    """`declaration` as a value of ours whose fields have the same names."""

    def decoded(found: Any) -> Any:
        return make(**{name: _frozen(value) for name, value in found.items() if name != "_io"})

    def encoded(value: Any) -> Any:
        return {one.name: getattr(value, one.name) for one in declaration.subcons if one.name}

    return value_of(declaration, decoded, encoded)


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


PEER_ENTRY: Final = _plain(c.Struct(*_PEER), IndexedPeer)
PEER_INDEX_TABLE: Final = _plain(
    c.Struct("collector" / IPV4, "view" / _VIEW, "peers" / c.PrefixedArray(U16, PEER_ENTRY)), PeerIndexTable
)
#: RFC 6397 3: places are degrees as IEEE 754 single floats, NaN for one that is not to be known.
GEO_PEER_TABLE: Final = _plain(
    c.Struct(
        "collector" / IPV4,
        "view" / _VIEW,
        "latitude" / c.Bytes(4),
        "longitude" / c.Bytes(4),
        "peers"
        / c.PrefixedArray(U16, _plain(c.Struct(*_PEER, "latitude" / c.Bytes(4), "longitude" / c.Bytes(4)), GeoPeer)),
    ),
    GeoPeerTable,
)


def _entry(*, with_path_id: bool) -> c.Construct:
    return _plain(
        c.Struct(
            "peer" / U16,
            "originated" / U32,
            "path_id" / (U32 if with_path_id else c.Computed(None)),
            "attributes" / c.Prefixed(U16, c.GreedyBytes),
        ),
        RibEntry,
    )


RIB_ENTRIES: Final = {with_id: c.PrefixedArray(U16, _entry(with_path_id=with_id)) for with_id in (False, True)}
#: Subtype of TABLE_DUMP_V2 to its family, and whether entries have path identifiers (RFC 8050 4).
RIBS: Final[dict[int, tuple[Family, bool]]] = {
    Rib2.RIB_IPV4_UNICAST: (IPV4_UNICAST, False),
    Rib2.RIB_IPV4_MULTICAST: (IPV4_MULTICAST, False),
    Rib2.RIB_IPV6_UNICAST: (IPV6_UNICAST, False),
    Rib2.RIB_IPV6_MULTICAST: (IPV6_MULTICAST, False),
    Rib2.RIB_IPV4_UNICAST_ADDPATH: (IPV4_UNICAST, True),
    Rib2.RIB_IPV4_MULTICAST_ADDPATH: (IPV4_MULTICAST, True),
    Rib2.RIB_IPV6_UNICAST_ADDPATH: (IPV6_UNICAST, True),
    Rib2.RIB_IPV6_MULTICAST_ADDPATH: (IPV6_MULTICAST, True),
}


def _rib(subtype: int) -> c.Construct:
    family, with_path_id = RIBS[subtype]
    return _plain(
        c.Struct(
            "subtype" / c.Computed(subtype),
            "sequence" / U32,
            "prefix" / (IPV4_PREFIX if family.afi == 1 else IPV6_PREFIX),
            "entries" / RIB_ENTRIES[with_path_id],
        ),
        Rib,
    )


_RIBS: Final = {subtype: _rib(subtype) for subtype in RIBS}


def nlri_size(family: Family, octets: bytes) -> int:
    """Octets of the one NLRI that `octets` begin with: RIB_GENERIC does not say. Raises Malformed for an unknown SAFI."""
    if family.safi not in _NLRI_SIZES:
        raise Malformed(f"RIB_GENERIC of {family}, whose NLRI have no length that is known")
    padded = octets[:4].ljust(4, b"\0")
    return _NLRI_SIZES[family.safi](padded)


def _bits(octets: bytes) -> int:
    return 1 + (octets[0] + 7) // 8


def _flow(octets: bytes) -> int:
    return 1 + octets[0] if octets[0] < 0xF0 else 2 + ((octets[0] & 0x0F) << 8 | octets[1])


#: By SAFI: unicast, multicast, labelled, MCAST-VPN, VPLS, EVPN, BGP-LS, SR policy, MUP, VPN, RTC, FlowSpec.
_NLRI_SIZES: Final[dict[int, Callable[[bytes], int]]] = {
    **dict.fromkeys((1, 2, 4, 73, 128, 129, 132), _bits),
    **dict.fromkeys((5, 70), lambda octets: 2 + octets[1]),
    65: lambda octets: 2 + int.from_bytes(octets[:2], "big"),
    **dict.fromkeys((71, 72), lambda octets: 4 + int.from_bytes(octets[2:4], "big")),
    85: lambda octets: 4 + octets[3],
    **dict.fromkeys((133, 134), _flow),
}

_GENERIC_HEAD: Final = c.Struct("sequence" / U32, "family" / FAMILY, "rest" / c.GreedyBytes)


def _decode_generic(subtype: int, body: bytes) -> RibGeneric:
    """RFC 6396 4.3.3; in RFC 8050 4.2 the path identifier is a part of the NLRI, and entries are as without it."""
    head = parse(_GENERIC_HEAD, body)
    skipped = 4 if subtype == Rib2.RIB_GENERIC_ADDPATH else 0
    size = skipped + nlri_size(head.family, head.rest[skipped:])
    if size > len(head.rest):
        raise Malformed(f"an NLRI of {size} octets in {len(head.rest)}")
    entries = parse(RIB_ENTRIES[False], head.rest[size:])
    return RibGeneric(subtype, head.sequence, head.family, head.rest[:size], tuple(entries))


def _encode_generic(value: RibGeneric) -> bytes:
    rest = value.nlri + build(RIB_ENTRIES[False], value.entries)
    return build(_GENERIC_HEAD, {"sequence": value.sequence, "family": value.family, "rest": rest})


def masked(afi: int, address: bytes, length: int) -> Prefix:
    """The prefix of a whole address and a length: TABLE_DUMP writes it so (RFC 6396 4.2)."""
    octets = address[: (length + 7) // 8]
    if length % 8:
        octets = octets[:-1] + bytes((octets[-1] & 0xFF00 >> length % 8 & 0xFF,))
    return Prefix.from_nlri(afi, bytes((length,)) + octets)


def _table_dump(address: c.Construct, afi: int) -> c.Construct:
    longest = 32 if afi == 1 else 128
    prefix = c.Struct(
        "address" / address,
        "length" / c.ExprValidator(U8, lambda length, _: length <= longest),
    )
    return _plain(
        c.Struct(
            "view" / U16,
            "sequence" / U16,
            "prefix"
            / value_of(
                prefix,
                lambda found: masked(afi, found.address.packed, found.length),
                lambda prefix: {"address": prefix.address, "length": prefix.length},
            ),
            "status" / U8,
            "originated" / U32,
            "peer" / _plain(c.Struct("address" / address, "asn" / U16), Peer),
            "attributes" / c.Prefixed(U16, c.GreedyBytes),
        ),
        TableDump,
    )


#: By subtype, which is the AFI.
TABLE_DUMPS: Final = {1: _table_dump(IPV4, 1), 2: _table_dump(IPV6, 2)}


def _bgp4mp(asn: c.Construct) -> c.Construct:
    address = c.Switch(lambda this: this.afi, {1: IPV4, 2: IPV6}, c.Error)
    return c.Struct(
        "peer_asn" / asn,
        "local_asn" / asn,
        "interface" / U16,
        "afi" / U16,
        "peer_address" / address,
        "local_address" / address,
        "rest" / c.GreedyBytes,
    )


_BGP4MP2: Final = _bgp4mp(U16)
_BGP4MP4: Final = _bgp4mp(U32)
STATES: Final = c.Struct("old" / U16, "new" / U16)
_STATE_CHANGES: Final = frozenset({Bgp4mp.STATE_CHANGE, Bgp4mp.STATE_CHANGE_AS4})


def _decode_bgp4mp(subtype: int, body: bytes) -> MessageRecord | StateChange:
    found = parse(_BGP4MP4 if subtype in AS4 else _BGP4MP2, body)
    peer, local = Peer(found.peer_address, found.peer_asn), Peer(found.local_address, found.local_asn)
    if subtype in _STATE_CHANGES:
        states = parse(STATES, found.rest)
        return StateChange(subtype, peer, local, found.interface, states.old, states.new)
    return MessageRecord(subtype, peer, local, found.interface, found.rest)


def _encode_bgp4mp(value: MessageRecord | StateChange) -> bytes:
    if value.peer.address.version != value.local.address.version:
        raise Malformed("peer and local address are not of one family")
    rest = value.octets if isinstance(value, MessageRecord) else build(STATES, {"old": value.old, "new": value.new})
    fields = {
        "peer_asn": value.peer.asn,
        "local_asn": value.local.asn,
        "interface": value.interface,
        "afi": 1 if value.peer.address.version == 4 else 2,
        "peer_address": value.peer.address,
        "local_address": value.local.address,
        "rest": rest,
    }
    return build(_BGP4MP4 if value.subtype in AS4 else _BGP4MP2, fields)


_LEGACY_MESSAGE: Final = c.Struct(
    "peer" / _plain(c.Struct("asn" / U16, "address" / IPV4), Peer),
    "local" / _plain(c.Struct("asn" / U16, "address" / IPV4), Peer),
    "body" / c.GreedyBytes,
)
_LEGACY_STATE: Final = _plain(
    c.Struct("peer" / _plain(c.Struct("asn" / U16, "address" / IPV4), Peer), "old" / U16, "new" / U16),
    LegacyStateChange,
)


def _decode_legacy(subtype: int, body: bytes) -> LegacyMessage | LegacyStateChange:
    if subtype == Legacy.STATE_CHANGE:
        change: LegacyStateChange = parse(_LEGACY_STATE, body)
        return change
    found = parse(_LEGACY_MESSAGE, body)
    if len(found.body) > MAX_EXTENDED_MESSAGE - MESSAGE_HEADER_LENGTH:
        raise Malformed(f"a message of {len(found.body)} octets without its header")
    octets = with_header(LEGACY_MESSAGES[Legacy(subtype)], found.body, MAX_EXTENDED_MESSAGE)
    return LegacyMessage(subtype, found.peer, found.local, octets)


def _encode_legacy(value: LegacyMessage) -> bytes:
    fields = {"peer": value.peer, "local": value.local, "body": value.octets[MESSAGE_HEADER_LENGTH:]}
    return build(_LEGACY_MESSAGE, fields)


_LEGACY: Final = frozenset(Legacy)
_BGP4MP: Final = frozenset(Bgp4mp)
_GENERIC: Final = frozenset({Rib2.RIB_GENERIC, Rib2.RIB_GENERIC_ADDPATH})
_TABLES: Final = {Rib2.PEER_INDEX_TABLE: PEER_INDEX_TABLE, Rib2.GEO_PEER_TABLE: GEO_PEER_TABLE, **_RIBS}


def decode(kind: int, subtype: int, body: bytes) -> Content:
    """What a record says; `body` is without the microseconds of an _ET type.

    `Unread` for types that we do not know, `Broken` for a record that is not what its type says.
    """
    try:
        if kind == Type.TABLE_DUMP_V2 and subtype in _TABLES:
            return _content(parse(_TABLES[subtype], body))
        if kind == Type.TABLE_DUMP_V2 and subtype in _GENERIC:
            return _decode_generic(subtype, body)
        if kind == Type.TABLE_DUMP and subtype in TABLE_DUMPS:
            return _content(parse(TABLE_DUMPS[subtype], body))
        if kind in (Type.BGP4MP, Type.BGP4MP_ET) and subtype in _BGP4MP:
            return _decode_bgp4mp(subtype, body)
        if kind == Type.BGP and subtype in _LEGACY:
            return _decode_legacy(subtype, body)
    except Malformed as error:
        return Broken(kind, subtype, body, str(error))
    return Unread(kind, subtype, body)


def _content(found: Content) -> Content:
    return found


def encode(record: Record) -> bytes:
    """The octets of `record`, header and all. Raises Malformed for a value that does not fit."""
    kind, subtype, body = _encoded(record.content)
    if record.microseconds is not None:
        kind = Type.BGP4MP_ET if kind == Type.BGP4MP else kind
        body = build(U32, record.microseconds) + body
    return build(HEADER, {"time": record.time, "type": kind, "subtype": subtype, "length": len(body)}) + body


def _encoded(content: Content) -> tuple[int, int, bytes]:
    """(type, subtype, body) of what a record says."""
    match content:
        case PeerIndexTable():
            return Type.TABLE_DUMP_V2, Rib2.PEER_INDEX_TABLE, build(PEER_INDEX_TABLE, content)
        case GeoPeerTable():
            return Type.TABLE_DUMP_V2, Rib2.GEO_PEER_TABLE, build(GEO_PEER_TABLE, content)
        case Rib(subtype=subtype):
            return Type.TABLE_DUMP_V2, subtype, build(_RIBS[subtype], content)
        case RibGeneric(subtype=subtype):
            return Type.TABLE_DUMP_V2, subtype, _encode_generic(content)
        case TableDump(prefix=prefix):
            return Type.TABLE_DUMP, prefix.afi, build(TABLE_DUMPS[prefix.afi], content)
        case MessageRecord(subtype=subtype) | StateChange(subtype=subtype):
            return Type.BGP4MP, subtype, _encode_bgp4mp(content)
        case LegacyMessage(subtype=subtype):
            return Type.BGP, subtype, _encode_legacy(content)
        case LegacyStateChange():
            return Type.BGP, Legacy.STATE_CHANGE, build(_LEGACY_STATE, content)
        case Unread(type=kind, subtype=subtype, body=body) | Broken(type=kind, subtype=subtype, body=body):
            return kind, subtype, body
        case _:
            assert_never(content)
