"""MRT (RFC 6396, add-path RFC 8050): what route collectors write.

- 4 octets  Timestamp, seconds since 1970
- 2 octets  Type
- 2 octets  Subtype
- 4 octets  Length of the message that follows; of an _ET type it begins with 4 octets of microseconds
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Any, BinaryIO, Final, TypeAlias

import construct as c

from bgp.error import PeerError
from bgp.iana import AttributeCode
from bgp.message import MpReach, PathAttribute, PathPrefix, Update
from bgp.wire.context import Context
from bgp.wire.fields import IPV4, IPV6, U8, U16, U32, ListOf, Malformed, build, parse, value_of
from bgp.wire.nlri import FAMILIES, IPV4_PREFIX, IPV6_PREFIX
from bgp.wire.update import decode_attributes
from rib.family import IPV4_MULTICAST, IPV4_UNICAST, IPV6_MULTICAST, IPV6_UNICAST, Family
from rib.prefix import Prefix

Address: TypeAlias = IPv4Address | IPv6Address

#: The longest record that is taken for one. Peer index tables have megabytes; a length beyond this is damage.
LONGEST: Final = 1 << 26


class Type(IntEnum):
    """Record types (RFC 6396 4)."""

    TABLE_DUMP = 12
    TABLE_DUMP_V2 = 13
    BGP4MP = 16
    BGP4MP_ET = 17


class Rib2(IntEnum):
    """Subtypes of TABLE_DUMP_V2 (RFC 6396 4.3, RFC 8050 4)."""

    PEER_INDEX_TABLE = 1
    RIB_IPV4_UNICAST = 2
    RIB_IPV4_MULTICAST = 3
    RIB_IPV6_UNICAST = 4
    RIB_IPV6_MULTICAST = 5
    RIB_GENERIC = 6
    RIB_IPV4_UNICAST_ADDPATH = 8
    RIB_IPV4_MULTICAST_ADDPATH = 9
    RIB_IPV6_UNICAST_ADDPATH = 10
    RIB_IPV6_MULTICAST_ADDPATH = 11


class Bgp4mp(IntEnum):
    """Subtypes of BGP4MP (RFC 6396 4.4, RFC 8050 3)."""

    STATE_CHANGE = 0
    MESSAGE = 1
    MESSAGE_AS4 = 4
    STATE_CHANGE_AS4 = 5
    MESSAGE_LOCAL = 6
    MESSAGE_AS4_LOCAL = 7
    MESSAGE_ADDPATH = 8
    MESSAGE_AS4_ADDPATH = 9
    MESSAGE_LOCAL_ADDPATH = 10
    MESSAGE_AS4_LOCAL_ADDPATH = 11


@dataclass(frozen=True, slots=True)
class Peer:
    """Who a route or a message came from."""

    address: Address
    asn: int


@dataclass(frozen=True, slots=True)
class RibEntry:
    """A route of a table dump. `update` announces its prefix with its path attributes; `originated` in seconds."""

    peer: Peer
    prefix: Prefix
    path_id: int | None
    originated: int
    update: Update
    version: int  #: 1: TABLE_DUMP, 2: TABLE_DUMP_V2


@dataclass(frozen=True, slots=True)
class MessageRecord:
    """A BGP message as it was received, and the context to read it in."""

    peer: Peer
    local: Peer
    octets: bytes
    context: Context


@dataclass(frozen=True, slots=True)
class StateChange:
    """A session's change of state (RFC 4271 8.2.2 numbers)."""

    peer: Peer
    old: int
    new: int


@dataclass(frozen=True, slots=True)
class Skipped:
    """A record that is nothing to us (`reason` empty: a peer index table), or that cannot be read."""

    type: int
    subtype: int
    reason: str


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that an MRT file says. `time` in seconds with microseconds for an _ET type; `at`: octets into the file."""

    at: int
    time: int
    microseconds: int | None
    content: RibEntry | MessageRecord | StateChange | Skipped


HEADER: Final = c.Struct("time" / U32, "type" / U16, "subtype" / U16, "length" / U32)
HEADER_LENGTH: Final = 12

#: Bit 0 of a peer's type: its address has 16 octets; bit 1: its AS number has 4 (RFC 6396 4.3.1).
PEER_ENTRY: Final = c.Struct(
    "type" / U8,
    "bgp_id" / IPV4,
    "address" / c.IfThenElse(lambda this: this.type & 1, IPV6, IPV4),
    "asn" / c.IfThenElse(lambda this: this.type & 2, U32, U16),
)
PEER_INDEX_TABLE: Final = c.Struct(
    "collector" / IPV4, "view" / c.Prefixed(U16, c.GreedyBytes), "peers" / c.PrefixedArray(U16, PEER_ENTRY)
)


def _rib(prefix: c.Construct, *, with_path_id: bool) -> c.Construct:
    entry = c.Struct(
        "peer" / U16,
        "originated" / U32,
        *(["path_id" / U32] if with_path_id else []),
        "attributes" / c.Prefixed(U16, c.GreedyBytes),
    )
    return c.Struct("sequence" / U32, "prefix" / prefix, "entries" / c.PrefixedArray(U16, entry))


RIBS: Final[dict[int, tuple[Family, c.Construct]]] = {
    Rib2.RIB_IPV4_UNICAST: (IPV4_UNICAST, _rib(IPV4_PREFIX, with_path_id=False)),
    Rib2.RIB_IPV4_MULTICAST: (IPV4_MULTICAST, _rib(IPV4_PREFIX, with_path_id=False)),
    Rib2.RIB_IPV6_UNICAST: (IPV6_UNICAST, _rib(IPV6_PREFIX, with_path_id=False)),
    Rib2.RIB_IPV6_MULTICAST: (IPV6_MULTICAST, _rib(IPV6_PREFIX, with_path_id=False)),
    Rib2.RIB_IPV4_UNICAST_ADDPATH: (IPV4_UNICAST, _rib(IPV4_PREFIX, with_path_id=True)),
    Rib2.RIB_IPV4_MULTICAST_ADDPATH: (IPV4_MULTICAST, _rib(IPV4_PREFIX, with_path_id=True)),
    Rib2.RIB_IPV6_UNICAST_ADDPATH: (IPV6_UNICAST, _rib(IPV6_PREFIX, with_path_id=True)),
    Rib2.RIB_IPV6_MULTICAST_ADDPATH: (IPV6_MULTICAST, _rib(IPV6_PREFIX, with_path_id=True)),
}


def _masked_prefix(found: Any) -> Prefix:
    """TABLE_DUMP writes a whole address before the length (RFC 6396 4.2)."""
    octets = found.address.packed[: (found.length + 7) // 8]
    if found.length % 8:
        octets = octets[:-1] + bytes((octets[-1] & 0xFF00 >> found.length % 8 & 0xFF,))
    return Prefix.from_nlri(found.afi, bytes((found.length,)) + octets)


def _table_dump(address: c.Construct, afi: int) -> c.Construct:
    longest = 32 if afi == 1 else 128
    prefix = c.Struct(
        "afi" / c.Computed(afi),
        "address" / address,
        "length" / c.ExprValidator(U8, lambda length, _: length <= longest),
    )
    return c.Struct(
        "view" / U16,
        "sequence" / U16,
        "prefix" / value_of(prefix, _masked_prefix, lambda prefix: prefix),
        "status" / U8,
        "originated" / U32,
        "peer_address" / address,
        "peer_asn" / U16,
        "attributes" / c.Prefixed(U16, c.GreedyBytes),
    )


TABLE_DUMPS: Final[dict[int, tuple[Family, c.Construct]]] = {
    1: (IPV4_UNICAST, _table_dump(IPV4, 1)),
    2: (IPV6_UNICAST, _table_dump(IPV6, 2)),
}


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
_AS4: Final = frozenset({4, 5, 7, 9, 11})
_ADD_PATH: Final = frozenset({8, 9, 10, 11})
_STATE_CHANGES: Final = frozenset({Bgp4mp.STATE_CHANGE, Bgp4mp.STATE_CHANGE_AS4})
_CONTEXTS: Final = {
    (as4, add_path): Context(as4=as4, add_path=frozenset(FAMILIES) if add_path else frozenset(), extended=True)
    for as4 in (False, True)
    for add_path in (False, True)
}


class Torn(Exception):
    """The file ends within a record, or a record's length cannot be: nothing after it can be found."""


def read_mrt(file: BinaryIO) -> Iterator[Record]:
    """The records of an MRT file, one at a time; every route of a table dump by itself.

    A record that cannot be read is `Skipped` with the reason. Raises Torn where the file ends within one.
    """
    peers: list[Peer] = []
    at = 0
    while head := _read(file, HEADER_LENGTH):
        if len(head) < HEADER_LENGTH:
            raise Torn(f"{len(head)} octets at {at}, where a record's header has {HEADER_LENGTH}")
        header = parse(HEADER, head)
        if header.length > LONGEST:
            raise Torn(f"the record at {at} says that it has {header.length} octets")
        body = _read(file, header.length)
        if len(body) < header.length:
            raise Torn(f"the record at {at} has {len(body)} of {header.length} octets")
        microseconds = None
        if header.type == Type.BGP4MP_ET:
            microseconds, body = int.from_bytes(body[:4], "big"), body[4:]
        try:
            contents = list(_READERS.get(header.type, _unread)(header.type, header.subtype, body, peers))
        except (Malformed, PeerError) as error:
            contents = [Skipped(header.type, header.subtype, str(error))]
        for content in contents:
            yield Record(at, header.time, microseconds, content)
        at += HEADER_LENGTH + header.length


def _read(file: BinaryIO, size: int) -> bytes:
    """Up to `size` octets. Raises Torn where the file is compressed and damaged."""
    try:
        return file.read(size)
    except (EOFError, OSError, zlib.error) as error:
        raise Torn(f"the compressed file is damaged: {error}") from error


Content: TypeAlias = RibEntry | MessageRecord | StateChange | Skipped


def _unread(kind: int, subtype: int, body: bytes, peers: list[Peer]) -> Iterator[Content]:
    yield Skipped(kind, subtype, f"type {kind} subtype {subtype} is not read")


def _read_rib2(kind: int, subtype: int, body: bytes, peers: list[Peer]) -> Iterator[Content]:
    if subtype == Rib2.PEER_INDEX_TABLE:
        peers[:] = [Peer(one.address, one.asn) for one in parse(PEER_INDEX_TABLE, body).peers]
        yield Skipped(kind, subtype, "")
        return
    if subtype not in RIBS:
        yield from _unread(kind, subtype, body, peers)
        return
    family, declaration = RIBS[subtype]
    found = parse(declaration, body)
    for entry in found.entries:
        if entry.peer >= len(peers):
            raise Malformed(f"peer {entry.peer} of {len(peers)} in the peer index table")
        path_id = entry.get("path_id")
        update = rib_update(entry.attributes, family, found.prefix, path_id, _CONTEXTS[True, False])
        yield RibEntry(peers[entry.peer], found.prefix, path_id, entry.originated, update, 2)


def _read_table_dump(kind: int, subtype: int, body: bytes, peers: list[Peer]) -> Iterator[Content]:
    if subtype not in TABLE_DUMPS:
        yield from _unread(kind, subtype, body, peers)
        return
    family, declaration = TABLE_DUMPS[subtype]
    found = parse(declaration, body)
    update = rib_update(found.attributes, family, found.prefix, None, _CONTEXTS[False, False])
    yield RibEntry(Peer(found.peer_address, found.peer_asn), found.prefix, None, found.originated, update, 1)


def _read_bgp4mp(kind: int, subtype: int, body: bytes, peers: list[Peer]) -> Iterator[Content]:
    if subtype not in frozenset(Bgp4mp):
        yield from _unread(kind, subtype, body, peers)
        return
    as4 = subtype in _AS4
    found = parse(_BGP4MP4 if as4 else _BGP4MP2, body)
    peer, local = Peer(found.peer_address, found.peer_asn), Peer(found.local_address, found.local_asn)
    if subtype in _STATE_CHANGES:
        states = parse(STATES, found.rest)
        yield StateChange(peer, states.old, states.new)
    else:
        yield MessageRecord(peer, local, found.rest, _CONTEXTS[as4, subtype in _ADD_PATH])


_READERS: Final[dict[int, Callable[[int, int, bytes, list[Peer]], Iterator[Content]]]] = {
    Type.TABLE_DUMP: _read_table_dump,
    Type.TABLE_DUMP_V2: _read_rib2,
    Type.BGP4MP: _read_bgp4mp,
    Type.BGP4MP_ET: _read_bgp4mp,
}


def rib_update(octets: bytes, family: Family, prefix: Prefix, path_id: int | None, context: Context) -> Update:
    """A route of a table dump as the UPDATE that would announce it."""
    nlri = (prefix if path_id is None else PathPrefix(prefix, path_id),)
    attributes, errors, next_hops = _attributes(octets, family, context)
    if next_hops is None:
        return Update(attributes=attributes, nlri=nlri, errors=errors)
    with_prefix = tuple(
        PathAttribute(one.flags, one.code, MpReach(family, next_hops, nlri))
        if one.code == AttributeCode.MP_REACH_NLRI
        else one
        for one in attributes
    )
    return Update(attributes=with_prefix, errors=errors)


@lru_cache(maxsize=1 << 14)  # one block serves many prefixes of a dump; they come close together
def _attributes(octets: bytes, family: Family, context: Context) -> tuple[Any, Any, tuple[Address, ...] | None]:
    """Attributes, errors, and the next hops of MP_REACH_NLRI where it is there."""
    next_hops: tuple[Address, ...] | None = None

    def decode_reach(value: bytes) -> MpReach:
        nonlocal next_hops
        next_hops = _next_hops(value)
        return MpReach(family, next_hops)

    attributes, errors = decode_attributes(octets, context, {AttributeCode.MP_REACH_NLRI: decode_reach})
    return tuple(attributes), tuple(errors), next_hops


def _next_hops(value: bytes) -> tuple[Address, ...]:
    """RFC 6396 4.3.4 leaves all but the next hop out of MP_REACH_NLRI; some collectors write it whole."""
    size, at = (value[3], 4) if len(value) > 4 and value[0] == 0 else (value[0] if value else 0, 1)
    octets = value[at : at + size]
    if len(octets) != size or size not in (4, 16, 32):
        raise Malformed(f"MP_REACH_NLRI with a next hop of {size} octets")
    return tuple(parse(ListOf(IPV4 if size == 4 else IPV6), octets))


def write_record(time: int, kind: int, subtype: int, body: bytes) -> bytes:
    """One record. Raises Malformed for a number that does not fit."""
    return build(HEADER, {"time": time, "type": kind, "subtype": subtype, "length": len(body)}) + body
