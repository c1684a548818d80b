"""Path attributes that few networks use, and what is wrong with them.

SFP (RFC 9015 3.2.1): TLVs of 1 octet type, 2 octets length, value.
- type 1  Association: 1 octet type, 8 octets route distinguisher, 3 octets Service Path Identifier
- type 2  Hop: 1 octet Service Index, then TLVs of the same form
    - type 3  SFT: 2 octets Service Function Type, then route distinguishers
    - type 4  MPLS Swapping/Stacking: empty
- type 5  SFP Traversal With MPLS Label Stack: empty

NEXT_HOP_CHARACTERISTICS (draft-ietf-idr-nhc 2.1): AFI, SAFI, 1 octet length and the next hop as in MP_REACH_NLRI, then TLVs
of 2 octets type and 2 octets length.

BIER (RFC 9793 3): TLVs of 2 octets type, 2 octets length, value.
- type 1  BIER: 1 octet sub-domain, 2 octets BFR-id, 1 octet reserved, then sub-TLVs of the same form

PE_DISTINGUISHER_LABELS (RFC 6514 8): an address of 4 or 16 octets and 3 octets label, for each PE.

BGPSEC_PATH (RFC 8205 3): a Secure_Path and one or two Signature_Blocks, each behind 2 octets of a length that counts them.
- Secure_Path      1 octet pCount, 1 octet flags, 4 octets AS number, for each AS
- Signature_Block  1 octet algorithm suite, then 20 octets key, 2 octets length, and the signature, for each AS
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Final

import construct as c

from bgp.attribute import (
    Association,
    BgpsecPath,
    Bier,
    BierDomain,
    Functions,
    Hop,
    NextHopCharacteristics,
    PeLabel,
    PeLabels,
    SecurePathSegment,
    ServicePath,
    Signature,
    SignatureBlock,
    StackedLabels,
    SwapLabels,
    Tlv,
)
from bgp.wire.fields import FAMILY, U8, U16, U24, U32, ListOf, value_of
from bgp.wire.nlri.labelled import RD
from bgp.wire.tlv import LARGE, MEDIUM, Row, fields_of, reserved, tlvs, tuple_of

#: Signature_Blocks in a path: one, or two while the algorithms change (RFC 8205 3).
MOST_BLOCKS: Final = 2

# Service paths.

_HOP_ROWS: Final = (
    Row(Functions.type, Functions, fields_of(Functions, "function" / U16, "instances" / tuple_of(RD))),
    Row(SwapLabels.type, SwapLabels, fields_of(SwapLabels)),
)
_PATH_ROWS: Final = (
    Row(Association.type, Association, fields_of(Association, "kind" / U8, "rd" / RD, "path" / U24)),
    Row(Hop.type, Hop, fields_of(Hop, "index" / U8, "tlvs" / tlvs(MEDIUM, _HOP_ROWS))),
    Row(StackedLabels.type, StackedLabels, fields_of(StackedLabels)),
)
SERVICE_PATH: Final = value_of(tlvs(MEDIUM, _PATH_ROWS), ServicePath, lambda value: value.tlvs)


def service_path_problem(value: ServicePath) -> str | None:
    """A TLV of a known type with another form, a hop that leads nowhere, a path without hops (RFC 9015 3.2.1)."""
    known = {row.number for row in _PATH_ROWS}
    inner = {row.number for row in _HOP_ROWS}
    for one in value.tlvs:
        if isinstance(one, Tlv) and one.type in known:
            return f"a TLV {one.type} of {len(one.value)} octets"
        if isinstance(one, Hop):
            wrong = next((tlv for tlv in one.tlvs if isinstance(tlv, Tlv) and tlv.type in inner), None)
            if wrong is not None:
                return f"a TLV {wrong.type} of {len(wrong.value)} octets in hop {one.index}"
            if not one.tlvs:
                return f"hop {one.index} leads nowhere"
    return None if value.hops else "no hop"


# Next hops, multicast.

NEXT_HOP_CHARACTERISTICS: Final = fields_of(
    NextHopCharacteristics, "family" / FAMILY, "next_hop" / c.Prefixed(U8, c.GreedyBytes), "tlvs" / tlvs(LARGE)
)
_DOMAIN: Final = fields_of(BierDomain, "sub_domain" / U8, "router" / U16, reserved(1), "tlvs" / tlvs(LARGE))
BIER: Final = value_of(tlvs(LARGE, (Row(BierDomain.type, BierDomain, _DOMAIN),)), Bier, lambda value: value.tlvs)


def bier_problem(value: Bier) -> str | None:
    """A sub-domain that is cut off, or whose sub-TLVs do not fill it (RFC 9793 4); the reserved octet may be anything."""
    for one in value.tlvs:
        if isinstance(one, Tlv) and one.type == BierDomain.type and not _is_domain(one.value):
            return f"a BIER TLV of {len(one.value)} octets"
    return None


def _is_domain(octets: bytes) -> bool:
    at, end = 4, len(octets)
    while end - at >= 4:
        at += 4 + int.from_bytes(octets[at + 2 : at + 4], "big")
    return at == end


def _pe_labels(octets: bytes) -> PeLabels:
    """Which family the addresses are of is told by the length; multiples of 133 octets are taken for IPv4."""
    size = 7 if len(octets) % 7 == 0 else 19
    if not octets or len(octets) % size:
        raise ValueError(f"{len(octets)} octets are no addresses with labels")
    ends = range(size, len(octets) + 1, size)
    found = PeLabels(
        tuple(
            PeLabel(ip_address(octets[end - size : end - 3]), int.from_bytes(octets[end - 3 : end], "big"))
            for end in ends
        )
    )
    if any(one.address.is_multicast for one in found.labels):
        raise ValueError("a PE has a unicast address")
    return found


def _pe_octets(value: PeLabels) -> bytes:
    octets = b"".join(one.address.packed + one.label.to_bytes(3, "big") for one in value.labels)
    if _pe_labels(octets) != value:
        raise ValueError("addresses of two families, or so many of IPv6 that they would be read as others")
    return octets


PE_LABELS: Final = value_of(c.GreedyBytes, _pe_labels, _pe_octets)

# Signed paths.

#: Octets behind a length that counts its own two.
_inclusive: Final = c.ExprAdapter(U16, c.obj_ - 2, c.obj_ + 2)
_SEGMENT: Final = value_of(c.Sequence(U8, U8, U32), lambda found: SecurePathSegment(*found), list)
_SIGNATURE: Final = value_of(
    c.Sequence(c.Bytes(20), c.Prefixed(U16, c.GreedyBytes)), lambda found: Signature(*found), list
)
_BLOCK: Final = fields_of(SignatureBlock, "algorithm" / U8, "signatures" / tuple_of(_SIGNATURE))
BGPSEC_PATH: Final = fields_of(
    BgpsecPath,
    "path" / c.Prefixed(_inclusive, tuple_of(_SEGMENT)),
    "blocks" / value_of(ListOf(c.Prefixed(_inclusive, _BLOCK), MOST_BLOCKS), tuple, list),
)


def bgpsec_problem(value: BgpsecPath) -> str | None:
    """RFC 8205 5.2: what can be seen without checking signatures."""
    if not value.path or not value.blocks:
        return "nobody signed"
    wrong = next((one for one in value.blocks if len(one.signatures) != len(value.path)), None)
    return None if wrong is None else f"{len(wrong.signatures)} signatures for {len(value.path)} AS numbers"
