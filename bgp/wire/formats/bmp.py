"""BMP (RFC 7854; Adj-RIB-Out RFC 8671, Loc-RIB RFC 9069): what routers tell a monitoring station.

- 1 octet   Version, 3
- 4 octets  Message Length, of the whole message
- 1 octet   Message Type
- 42 octets Per-Peer Header, but for Initiation and Termination:
  1 octet Peer Type, 1 octet Flags, 8 octets Distinguisher, 16 octets Address, 4 octets AS, 4 octets BGP ID,
  4 octets seconds, 4 octets microseconds

BGP messages inside stay octets: `bgp.wire.formats.bmp_stream` says how they are to be read. What is not known is kept.
"""

from __future__ import annotations

from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final, NamedTuple, TypeAlias, assert_never

import construct as c

from bgp.wire.fields import IPV4, U8, U16, U32, ListOf, Malformed, build, parse, value_of
from rib.family import Family

VERSION: Final = 3
HEADER_LENGTH: Final = 6
#: RFC 7854 sets no limit; a Route Mirroring message with many messages is long, one beyond this is damage.
LONGEST: Final = 1 << 24


class Type(IntEnum):
    """Message types (RFC 7854 4.1)."""

    ROUTE_MONITORING = 0
    STATISTICS_REPORT = 1
    PEER_DOWN = 2
    PEER_UP = 3
    INITIATION = 4
    TERMINATION = 5
    ROUTE_MIRRORING = 6


class PeerType(IntEnum):
    """Peer types (RFC 7854 4.2, RFC 9069 4.1)."""

    GLOBAL = 0
    RD = 1
    LOCAL = 2
    LOC_RIB = 3


IPV6_FLAG: Final = 0x80  #: the peer's address has 16 octets
POST_POLICY: Final = 0x40
AS2: Final = 0x20  #: AS_PATH with 2-octet AS numbers
ADJ_RIB_OUT: Final = 0x10  #: RFC 8671 4
FILTERED: Final = 0x80  #: of a Loc-RIB peer: not all of the table (RFC 9069 4.2)


class DownReason(IntEnum):
    """Reasons of Peer Down (RFC 7854 4.9, RFC 9069 5.3)."""

    LOCAL_NOTIFICATION = 1
    LOCAL_NO_NOTIFICATION = 2
    REMOTE_NOTIFICATION = 3
    REMOTE_NO_DATA = 4
    DE_CONFIGURED = 5
    LOCAL_SYSTEM_CLOSED = 6


class InformationType(IntEnum):
    """Information TLVs of Initiation, Peer Up and Peer Down (RFC 7854 4.4, RFC 8671 6.3, RFC 9069 5.2.1)."""

    STRING = 0
    SYS_DESCR = 1
    SYS_NAME = 2
    VRF_TABLE_NAME = 3
    ADMIN_LABEL = 4


class TerminationType(IntEnum):
    """TLVs of Termination (RFC 7854 4.5)."""

    STRING = 0
    REASON = 1


class MirrorType(IntEnum):
    """TLVs of Route Mirroring (RFC 7854 4.7)."""

    MESSAGE = 0
    INFORMATION = 1


#: Statistics (RFC 7854 4.8, RFC 8671 6.2, RFC 9069 5.5): number to name.
STATISTICS: Final[dict[int, str]] = {
    0: "prefixes-rejected-by-policy",
    1: "duplicate-prefixes",
    2: "duplicate-withdrawals",
    3: "invalidated-by-cluster-list-loop",
    4: "invalidated-by-as-path-loop",
    5: "invalidated-by-originator-id",
    6: "invalidated-by-confederation-loop",
    7: "adj-rib-in-routes",
    8: "loc-rib-routes",
    9: "adj-rib-in-routes-by-family",
    10: "loc-rib-routes-by-family",
    11: "updates-treated-as-withdraw",
    12: "prefixes-treated-as-withdraw",
    13: "duplicate-updates",
    14: "adj-rib-out-pre-policy-routes",
    15: "adj-rib-out-post-policy-routes",
    16: "adj-rib-out-pre-policy-routes-by-family",
    17: "adj-rib-out-post-policy-routes-by-family",
}
_BY_FAMILY: Final = frozenset({9, 10, 16, 17})


class Tlv(NamedTuple):
    """A type and octets, whatever they mean."""

    type: int
    value: bytes

    @property
    def text(self) -> str:
        """The value as UTF-8, what cannot be read marked."""
        return self.value.decode("utf-8", "replace")


class Statistic(NamedTuple):
    """One counter or gauge of a Statistics Report."""

    type: int
    value: bytes

    @property
    def family(self) -> Family | None:
        """The family it is about, where it is about one."""
        if self.type in _BY_FAMILY and len(self.value) == 11:
            return Family(int.from_bytes(self.value[:2], "big"), self.value[2])
        return None

    @property
    def number(self) -> int:
        """Its value."""
        return int.from_bytes(self.value[3:] if self.family else self.value, "big")


class PeerHeader(NamedTuple):
    """Which peer a message is about, and when (RFC 7854 4.2)."""

    type: int
    flags: int
    distinguisher: bytes
    address: IPv4Address | IPv6Address
    asn: int
    bgp_id: IPv4Address
    seconds: int
    microseconds: int

    @property
    def is_adj_rib_out(self) -> bool:
        """Whether the routes are those that the router sends (RFC 8671)."""
        return self.type != PeerType.LOC_RIB and bool(self.flags & ADJ_RIB_OUT)


class RouteMonitoring(NamedTuple):
    """A route as a BGP UPDATE (RFC 7854 4.6)."""

    peer: PeerHeader
    octets: bytes


class StatisticsReport(NamedTuple):
    """Counters and gauges (RFC 7854 4.8)."""

    peer: PeerHeader
    statistics: tuple[Statistic, ...]


class PeerDown(NamedTuple):
    """A session ended (RFC 7854 4.9). `octets`: a NOTIFICATION, the FSM event of reason 2, or TLVs (RFC 9069 5.3)."""

    peer: PeerHeader
    reason: int
    octets: bytes


class PeerUp(NamedTuple):
    """A session came up (RFC 7854 4.10); the OPENs with their headers."""

    peer: PeerHeader
    local_address: IPv4Address | IPv6Address
    local_port: int
    remote_port: int
    sent_open: bytes
    received_open: bytes
    information: tuple[Tlv, ...]


class Initiation(NamedTuple):
    """Who speaks (RFC 7854 4.3)."""

    information: tuple[Tlv, ...]


class Termination(NamedTuple):
    """Why no more is said (RFC 7854 4.5)."""

    information: tuple[Tlv, ...]


class RouteMirroring(NamedTuple):
    """Messages as they were received (RFC 7854 4.7)."""

    peer: PeerHeader
    items: tuple[Tlv, ...]


class UnknownBmp(NamedTuple):
    """A message of a type that we do not know."""

    type: int
    octets: bytes


Bmp: TypeAlias = (
    RouteMonitoring | StatisticsReport | PeerDown | PeerUp | Initiation | Termination | RouteMirroring | UnknownBmp
)

HEADER: Final = c.Struct("version" / c.Const(VERSION, U8), "length" / U32, "type" / U8)


def _is_six(this: Any) -> bool:
    """RFC 7854 4.2: the V flag; Loc-RIB peers have no address, and their first flag means another thing (RFC 9069 4.2)."""
    return bool(this.type != PeerType.LOC_RIB and this.flags & IPV6_FLAG)


def _address(octets: bytes, six: bool) -> IPv4Address | IPv6Address:
    if six:
        return IPv6Address(octets)
    if any(octets[:12]):
        raise ValueError("an IPv4 address that is not preceded by 12 octets of zero")
    return IPv4Address(octets[12:])


def _padded(address: IPv4Address | IPv6Address) -> bytes:
    return address.packed.rjust(16, b"\0")


_PEER_FIELDS: Final = c.Struct(
    "type" / U8,
    "flags" / U8,
    "distinguisher" / c.Bytes(8),
    "address" / c.Bytes(16),
    "asn" / U32,
    "bgp_id" / IPV4,
    "seconds" / U32,
    "microseconds" / U32,
)
PEER: Final = value_of(
    _PEER_FIELDS,
    lambda found: PeerHeader(
        found.type,
        found.flags,
        found.distinguisher,
        _address(found.address, _is_six(found)),
        found.asn,
        found.bgp_id,
        found.seconds,
        found.microseconds,
    ),
    lambda peer: {**peer._asdict(), "address": _padded(peer.address)},
)


def _tlvs(make: Any) -> c.Construct:
    return value_of(
        ListOf(c.Struct("type" / U16, "value" / c.Prefixed(U16, c.GreedyBytes))),
        lambda found: tuple(make(one.type, one.value) for one in found),
        lambda values: [one._asdict() for one in values],
    )


TLVS: Final = _tlvs(Tlv)
#: One BGP message, as long as its header says.
_MESSAGE: Final = value_of(
    c.Struct("head" / c.Bytes(18), "rest" / c.Bytes(lambda this: max(int.from_bytes(this.head[16:], "big") - 18, 1))),
    lambda found: found.head + found.rest,
    lambda octets: {"head": octets[:18], "rest": octets[18:]},
)
_PEER_UP: Final = c.Struct(
    "local_address" / c.Bytes(16),
    "local_port" / U16,
    "remote_port" / U16,
    "sent_open" / _MESSAGE,
    "received_open" / _MESSAGE,
    "information" / c.GreedyBytes,
)
_PEER_DOWN: Final = c.Struct("reason" / U8, "octets" / c.GreedyBytes)
_STATISTICS: Final = c.Struct(
    "statistics"
    / value_of(
        c.PrefixedArray(U32, c.Struct("type" / U16, "value" / c.Prefixed(U16, c.GreedyBytes))),
        lambda found: tuple(Statistic(one.type, one.value) for one in found),
        lambda values: [one._asdict() for one in values],
    )
)
_WITH_PEER: Final = c.Struct("peer" / PEER, "rest" / c.GreedyBytes)


def decode(octets: bytes) -> Bmp:
    """The one message that `octets` are. Raises Malformed."""
    header = parse(HEADER, octets[:HEADER_LENGTH])
    if header.length != len(octets):
        raise Malformed(f"a BMP message of {header.length} octets in {len(octets)}")
    body = octets[HEADER_LENGTH:]
    if header.type == Type.INITIATION:
        return Initiation(parse(TLVS, body))
    if header.type == Type.TERMINATION:
        return Termination(parse(TLVS, body))
    if header.type > Type.ROUTE_MIRRORING:
        return UnknownBmp(header.type, body)
    found = parse(_WITH_PEER, body)
    return _about_peer(Type(header.type), found.peer, found.rest)


def _about_peer(kind: Type, peer: PeerHeader, rest: bytes) -> Bmp:
    match kind:
        case Type.ROUTE_MONITORING:
            return RouteMonitoring(peer, rest)
        case Type.STATISTICS_REPORT:
            return StatisticsReport(peer, parse(_STATISTICS, rest).statistics)
        case Type.PEER_DOWN:
            down = parse(_PEER_DOWN, rest)
            return PeerDown(peer, down.reason, down.octets)
        case Type.PEER_UP:
            up = parse(_PEER_UP, rest)
            try:
                local = _address(up.local_address, isinstance(peer.address, IPv6Address))
            except ValueError as error:
                raise Malformed(f"Peer Up: {error}") from error
            opens = (up.sent_open, up.received_open)
            return PeerUp(peer, local, up.local_port, up.remote_port, *opens, parse(TLVS, up.information))
        case _:
            return RouteMirroring(peer, parse(TLVS, rest))


def encode(message: Bmp) -> bytes:
    """The octets of `message`. Raises Malformed for a value that does not fit."""
    kind, body = _encoded(message)
    return build(HEADER, {"version": VERSION, "length": HEADER_LENGTH + len(body), "type": kind}) + body


def _encoded(message: Bmp) -> tuple[int, bytes]:
    match message:
        case RouteMonitoring(peer, octets):
            return Type.ROUTE_MONITORING, build(PEER, peer) + octets
        case StatisticsReport(peer, statistics):
            return Type.STATISTICS_REPORT, build(PEER, peer) + build(_STATISTICS, {"statistics": statistics})
        case PeerDown(peer, reason, octets):
            return Type.PEER_DOWN, build(PEER, peer) + build(_PEER_DOWN, {"reason": reason, "octets": octets})
        case PeerUp(peer):
            fields = {
                **message._asdict(),
                "local_address": _padded(message.local_address),
                "information": build(TLVS, message.information),
            }
            return Type.PEER_UP, build(PEER, peer) + build(_PEER_UP, fields)
        case RouteMirroring(peer, items):
            return Type.ROUTE_MIRRORING, build(PEER, peer) + build(TLVS, items)
        case Initiation(information):
            return Type.INITIATION, build(TLVS, information)
        case Termination(information):
            return Type.TERMINATION, build(TLVS, information)
        case UnknownBmp(kind, octets):
            return kind, octets
        case _:
            assert_never(message)
