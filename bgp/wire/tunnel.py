"""PMSI_TUNNEL (RFC 6514 5) and TUNNEL_ENCAPSULATION (RFC 9012 2, 3; SR policies RFC 9830 2.4).

PMSI_TUNNEL:
- 1 octet   Flags
- 1 octet   Tunnel Type
- 3 octets  MPLS Label
- rest      Tunnel Identifier

TUNNEL_ENCAPSULATION, one tunnel after the other:
- 2 octets  Tunnel Type
- 2 octets  Length; then sub-TLVs: 1 octet type, 1 octet length (2 from type 128 on), value
"""

from __future__ import annotations

from typing import Any, Final

import construct as c

from bgp.attribute import (
    BindingSid,
    CandidatePathName,
    DsField,
    EgressEndpoint,
    ExplicitNullPolicy,
    GreKey,
    L2tpSession,
    LabelHandling,
    LabelStack,
    MplsSegment,
    PmsiTunnel,
    PolicyName,
    Preference,
    Priority,
    ProtocolType,
    SegmentList,
    Srv6BindingSid,
    Srv6Segment,
    Tunnel,
    TunnelColor,
    TunnelEncapsulation,
    UdpPort,
    VirtualNetwork,
    Weight,
)
from bgp.wire.fields import IPV4, IPV6, U8, U16, U24, U32, ListOf, value_of
from bgp.wire.tlv import MAX_TLVS, SMALL, Row, fields_of, reserved, tlvs, tuple_of
from rib.community import ExtendedCommunity

#: The octets that a tunnel identifier can have, by tunnel type (RFC 6514 5, RFC 7385 4, RFC 7524, RFC 8556 2, RFC 9574 4);
#: None for any. A type that is not here is an undefined one, which makes the attribute malformed.
PMSI_IDENTIFIERS: Final[dict[int, tuple[int, ...] | None]] = {
    0x00: (0,),  # no tunnel information
    0x01: (12, 24),  # RSVP-TE P2MP LSP: its SESSION object
    0x02: None,  # mLDP P2MP LSP: see `_is_fec`
    0x03: (8, 32),  # PIM-SSM tree: P-root and P-group
    0x04: (8, 32),  # PIM-SM tree: sender and P-group
    0x05: (8, 32),  # BIDIR-PIM tree: sender and P-group
    0x06: (4, 16),  # ingress replication: the endpoint of the unicast tunnel
    0x07: None,  # mLDP MP2MP LSP: see `_is_fec`
    0x08: None,  # transport tunnel
    0x0A: (4, 16),  # assisted replication: the address of the replicator
    0x0B: (7, 19),  # BIER: sub-domain, BFR-id, BFR-prefix
    0x0C: None,  # SR-MPLS P2MP tree
    0x0D: None,  # SRv6 P2MP tree
    0x7B: None,  # experimental use, up to 0x7E (RFC 7385 4)
    0x7C: None,
    0x7D: None,
    0x7E: None,
}
#: RFC 8317 5.2: a composite of ingress replication, whose label opens the identifier, and the tunnel of the other bits.
COMPOSITE: Final = 0x80
#: Octets of that label.
COMPOSITE_LABEL: Final = 3
#: RFC 7385 4: experimental use as well, and not composite: these and 0x7B to 0x7E.
EXPERIMENTAL: Final = range(0xFB, 0xFF)
#: RFC 8317 5.2: composite with these makes no sense.
NOT_COMPOSITE: Final = frozenset({0x00, 0x06})
#: Tunnels whose identifier is an mLDP FEC Element (RFC 6388 2.2, 3.2).
MLDP: Final = frozenset({0x02, 0x07})

PMSI_TUNNEL: Final = fields_of(PmsiTunnel, "flags" / U8, "type" / U8, "label" / U24, "identifier" / c.GreedyBytes)


def pmsi_problem(tunnel: PmsiTunnel) -> str | None:
    """What is wrong with a tunnel (RFC 6514 5: undefined type, identifier that is none of that type); None for nothing."""
    kind, identifier = tunnel.type, tunnel.identifier
    if kind in EXPERIMENTAL:
        return None
    if kind & COMPOSITE:
        kind &= ~COMPOSITE
        if kind in NOT_COMPOSITE or len(identifier) < COMPOSITE_LABEL:
            return f"a composite PMSI tunnel of type {tunnel.type:#x} with {len(identifier)} octets"
        identifier = identifier[COMPOSITE_LABEL:]
    if kind not in PMSI_IDENTIFIERS:
        return f"PMSI tunnel type {tunnel.type:#x}"
    sizes = PMSI_IDENTIFIERS[kind]
    if (sizes is not None and len(identifier) not in sizes) or (kind in MLDP and not _is_fec(identifier)):
        return f"an identifier of {len(identifier)} octets in PMSI tunnel type {tunnel.type:#x}"
    return None


def _is_fec(octets: bytes) -> bool:
    """Whether all octets are a P2MP or MP2MP FEC Element: type, address family, root, opaque value (RFC 6388 2.2)."""
    if len(octets) < 6:
        return False
    opaque_at = 4 + octets[3]
    size = int.from_bytes(octets[opaque_at : opaque_at + 2], "big")
    return opaque_at + 2 <= len(octets) == opaque_at + 2 + size


_TEXT: Final = value_of(c.GreedyBytes, lambda octets: octets.decode(), lambda text: text.encode())
#: AFI 0 and no address: the next hop (RFC 9012 3.1).
_ENDPOINTS: Final = {0: c.Computed(None), 1: IPV4, 2: IPV6}
_VIRTUAL: Final = fields_of(VirtualNetwork, "flags" / U8, "vni" / U24, "mac" / c.Bytes(6), reserved(2))
_KEY: Final = fields_of(GreKey, "key" / U32)
#: The encapsulation sub-TLV means something else in each type of tunnel.
_ENCAPSULATIONS: Final[dict[int, Row]] = {
    1: Row(1, L2tpSession, fields_of(L2tpSession, "session_id" / U32, "cookie" / c.GreedyBytes)),
    2: Row(1, GreKey, _KEY),
    8: Row(1, VirtualNetwork, _VIRTUAL),
    9: Row(1, VirtualNetwork, _VIRTUAL),
    11: Row(1, GreKey, _KEY),
}
_SEGMENTS: Final = (
    Row(1, MplsSegment, fields_of(MplsSegment, "flags" / U8, reserved(1), "entry" / U32)),
    Row(9, Weight, fields_of(Weight, "flags" / U8, reserved(1), "weight" / U32)),
    Row(
        13,
        Srv6Segment,
        fields_of(Srv6Segment, "flags" / U8, reserved(1), "sid" / IPV6, "structure" / c.GreedyBytes),
    ),
)
_SUB_TLVS: Final = (
    Row(2, ProtocolType, fields_of(ProtocolType, "protocol" / U16)),
    Row(4, TunnelColor, fields_of(TunnelColor, "color" / value_of(c.Bytes(8), ExtendedCommunity, bytes))),
    Row(
        6,
        EgressEndpoint,
        value_of(
            c.Struct(
                "reserved" / c.Const(bytes(4)), "afi" / U16, "address" / c.Switch(c.this.afi, _ENDPOINTS, c.Error)
            ),
            lambda found: EgressEndpoint(found.address),
            lambda value: {"afi": _afi(value.address), "address": value.address},
        ),
    ),
    Row(7, DsField, fields_of(DsField, "value" / U8)),
    Row(8, UdpPort, fields_of(UdpPort, "port" / U16)),
    Row(9, LabelHandling, fields_of(LabelHandling, "value" / U8)),
    Row(10, LabelStack, fields_of(LabelStack, "entries" / tuple_of(U32))),
    Row(12, Preference, fields_of(Preference, "flags" / U8, reserved(1), "preference" / U32)),
    Row(13, BindingSid, fields_of(BindingSid, "flags" / U8, reserved(1), "sid" / c.GreedyBytes)),
    Row(14, ExplicitNullPolicy, fields_of(ExplicitNullPolicy, "flags" / U8, reserved(1), "policy" / U8)),
    Row(15, Priority, fields_of(Priority, "priority" / U8, reserved(1))),
    Row(
        20,
        Srv6BindingSid,
        fields_of(Srv6BindingSid, "flags" / U8, reserved(1), "sid" / IPV6, "structure" / c.GreedyBytes),
    ),
    Row(128, SegmentList, fields_of(SegmentList, reserved(1), "tlvs" / tlvs(SMALL, _SEGMENTS))),
    Row(129, CandidatePathName, fields_of(CandidatePathName, reserved(1), "name" / _TEXT)),
    Row(130, PolicyName, fields_of(PolicyName, reserved(1), "name" / _TEXT)),
)
SUB_TLV: Final = c.Struct(
    "type" / U8,
    "value" / c.IfThenElse(c.this.type < 128, c.Prefixed(U8, c.GreedyBytes), c.Prefixed(U16, c.GreedyBytes)),
)


def _afi(address: Any) -> int:
    return 0 if address is None else 1 if address.version == 4 else 2


def _sub_tlvs(tunnel_type: int) -> c.Construct:
    own = _ENCAPSULATIONS.get(tunnel_type)
    return tlvs(SUB_TLV, _SUB_TLVS if own is None else (own, *_SUB_TLVS))


def _choose(this: Any) -> int:
    return this.type if this.type in _ENCAPSULATIONS else 0


_BY_TYPE: Final = {kind: _sub_tlvs(kind) for kind in (*_ENCAPSULATIONS, 0)}
TUNNEL: Final = fields_of(Tunnel, "type" / U16, "tlvs" / c.Prefixed(U16, c.Switch(_choose, _BY_TYPE)))
TUNNEL_ENCAPSULATION: Final = value_of(
    ListOf(TUNNEL, MAX_TLVS), lambda found: TunnelEncapsulation(tuple(found)), lambda value: list(value.tunnels)
)
