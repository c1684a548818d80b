"""Capabilities (RFC 5492 4): 1 octet code, 1 octet length, value. One row for each that we read; others keep their octets."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import construct as c

from bgp.capability import (
    AddPath,
    BfdStrictMode,
    BgpRole,
    Bgpsec,
    Capability,
    DynamicCapability,
    EnhancedRouteRefresh,
    ExtendedMessage,
    ExtendedNextHop,
    FourOctetAs,
    Fqdn,
    GracefulRestart,
    LinkLocalNextHop,
    LongLivedGracefulRestart,
    MultipleLabels,
    Multiprotocol,
    Multisession,
    OutboundRouteFiltering,
    PathsLimit,
    PrestandardRouteRefresh,
    RouteRefresh,
    SoftwareVersion,
    UnknownCapability,
)
from bgp.iana import CapabilityCode
from bgp.wire.fields import FAMILY, SPACED_FAMILY, TEXT, U8, U16, U24, U32, ListOf, Malformed, build, parse, value_of
from rib.family import Family


class Row(NamedTuple):
    """`is_fixed`: a value that cannot be read is an error (2/0); else such a capability counts as not sent."""

    code: CapabilityCode
    codec: c.Construct
    is_fixed: bool = True


def _flag(kind: type[Capability]) -> c.Construct:
    return value_of(c.Bytes(0), lambda _: kind(), lambda _: b"")  # type: ignore[call-arg]  # of the kinds without fields


def _families(kind: Any, *fields: c.Construct) -> c.Construct:
    """A list of (family, something) pairs."""
    return value_of(
        ListOf(c.Sequence(*fields)),
        lambda found: kind(tuple((family, other) for family, other in found)),
        lambda capability: [list(pair) for pair in capability.families],
    )


#: 4 bits of flags and 12 of seconds, then AFI, SAFI, and flags of which the highest says F (RFC 4724 3).
RESTART: Final = c.Struct(
    "head" / c.BitStruct("restarting" / c.Flag, "notification" / c.Flag, c.Padding(2), "time" / c.BitsInteger(12)),
    "families" / ListOf(c.Struct("family" / FAMILY, "flags" / U8)),
)


def _restart(found: Any) -> GracefulRestart:
    families = tuple((one.family, bool(one.flags & 0x80)) for one in found.families)
    return GracefulRestart(found.head.restarting, found.head.notification, found.head.time, families)


def _restart_fields(capability: GracefulRestart) -> dict[str, object]:
    return {
        "head": {
            "restarting": capability.restarting,
            "notification": capability.notification,
            "time": capability.time,
        },
        "families": [{"family": family, "flags": 0x80 if kept else 0} for family, kept in capability.families],
    }


#: AFI and SAFI of two octets each, then the AFI of the next hop (RFC 8950 4).
_WIDE_FAMILY: Final = value_of(
    c.Struct("afi" / U16, "safi" / U16),
    lambda found: Family(found.afi, found.safi),
    lambda family: {"afi": family.afi, "safi": family.safi},
)

#: AFI, a reserved octet, SAFI, the number of ORFs, then type and mode of each (RFC 5291 5).
_FILTERS: Final = c.Sequence(SPACED_FAMILY, c.PrefixedArray(U8, c.Sequence(U8, U8)))
#: AFI, SAFI, flags of which the highest says F, 3 octets of seconds (RFC 9494 3).
_LONG_LIVED: Final = c.Sequence(FAMILY, U8, U24)
_CODES: Final = value_of(c.GreedyBytes, tuple, bytes)


def _bgpsec(found: Any) -> Bgpsec:
    if found[0] & 7:
        raise ValueError(f"{found[0]:#04x} has unassigned bits")
    return Bgpsec(found[0] >> 4, bool(found[0] & 8), found[1])


CAPABILITIES: Final[dict[int, Row]] = {
    row.code: row
    for row in (
        Row(CapabilityCode.MULTIPROTOCOL, value_of(SPACED_FAMILY, Multiprotocol, lambda capability: capability.family)),
        Row(CapabilityCode.ROUTE_REFRESH, _flag(RouteRefresh), is_fixed=False),
        Row(CapabilityCode.FOUR_OCTET_AS, value_of(U32, FourOctetAs, lambda capability: capability.asn)),
        Row(CapabilityCode.EXTENDED_MESSAGE, _flag(ExtendedMessage), is_fixed=False),
        Row(CapabilityCode.ADD_PATH, _families(AddPath, FAMILY, U8)),
        Row(CapabilityCode.GRACEFUL_RESTART, value_of(RESTART, _restart, _restart_fields)),
        Row(CapabilityCode.ENHANCED_ROUTE_REFRESH, _flag(EnhancedRouteRefresh), is_fixed=False),
        Row(CapabilityCode.EXTENDED_NEXT_HOP, _families(ExtendedNextHop, _WIDE_FAMILY, U16)),
        Row(
            CapabilityCode.FQDN,
            value_of(
                c.Sequence(TEXT, TEXT),
                lambda found: Fqdn(*found),
                lambda capability: [capability.host, capability.domain],
            ),
        ),
        Row(
            CapabilityCode.OUTBOUND_ROUTE_FILTERING,
            value_of(
                ListOf(_FILTERS),
                lambda found: OutboundRouteFiltering(
                    tuple((family, tuple((kind, mode) for kind, mode in some)) for family, some in found)
                ),
                lambda capability: [[family, list(map(list, some))] for family, some in capability.families],
            ),
        ),
        Row(CapabilityCode.MULTIPLE_LABELS, _families(MultipleLabels, FAMILY, U8)),
        Row(CapabilityCode.BGP_ROLE, value_of(U8, BgpRole, lambda capability: capability.role)),
        Row(
            CapabilityCode.DYNAMIC_CAPABILITY,
            value_of(_CODES, DynamicCapability, lambda capability: capability.codes),
        ),
        Row(
            CapabilityCode.MULTISESSION,
            value_of(
                c.Sequence(U8, _CODES),
                lambda found: Multisession(*found),
                lambda capability: [capability.flags, capability.codes],
            ),
            is_fixed=False,
        ),
        Row(
            CapabilityCode.LONG_LIVED_GRACEFUL_RESTART,
            value_of(
                ListOf(_LONG_LIVED),
                lambda found: LongLivedGracefulRestart(
                    tuple((family, bool(flags & 0x80), time) for family, flags, time in found)
                ),
                lambda capability: [[family, 0x80 * kept, time] for family, kept, time in capability.families],
            ),
        ),
        Row(
            CapabilityCode.SOFTWARE_VERSION,
            value_of(TEXT, SoftwareVersion, lambda capability: capability.version),
            is_fixed=False,
        ),
        Row(CapabilityCode.PATHS_LIMIT, _families(PathsLimit, FAMILY, U16)),
        Row(CapabilityCode.LINK_LOCAL_NEXT_HOP, _flag(LinkLocalNextHop), is_fixed=False),
        # 4 bits of version, 1 that says that it sends, 3 unassigned (RFC 8205 2.1).
        Row(
            CapabilityCode.BGPSEC,
            value_of(
                c.Sequence(U8, U16),
                _bgpsec,
                lambda capability: [capability.version << 4 | capability.sends << 3, capability.afi],
            ),
            is_fixed=False,
        ),
        Row(CapabilityCode.BFD_STRICT_MODE, _flag(BfdStrictMode), is_fixed=False),
        Row(CapabilityCode.PRESTANDARD_ROUTE_REFRESH, _flag(PrestandardRouteRefresh), is_fixed=False),
    )
}

CAPABILITY: Final = c.Struct("code" / U8, "value" / c.Prefixed(U8, c.GreedyBytes))


def decode_capability(code: int, value: bytes) -> Capability:
    """The capability of these octets. Raises Malformed where they cannot be read and that is an error."""
    row = CAPABILITIES.get(code)
    if row is None:
        return UnknownCapability(code, value)
    try:
        found: Capability = parse(row.codec, value)
    except Malformed as error:
        if row.is_fixed:
            raise Malformed(f"capability {code}: {error}") from error
        return UnknownCapability(code, value)
    return found


def encode_capability(capability: Capability) -> bytes:
    """Code, length and value. Raises Malformed for one that does not fit."""
    if isinstance(capability, UnknownCapability):
        value = capability.value
    else:
        value = build(CAPABILITIES[capability.code].codec, capability)
    return build(CAPABILITY, {"code": capability.code, "value": value})
