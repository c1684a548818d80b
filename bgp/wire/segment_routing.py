"""PREFIX_SID (RFC 8669 3, SRv6 services RFC 9252 2, 3): TLVs of 1 octet type, 2 octets length, value.

- type 1     Label-Index: 1 octet reserved, 2 octets flags, 4 octets label index
- type 3     Originator SRGB: 2 octets flags, then 3 octets base and 3 octets size of each range
- type 5, 6  SRv6 L3 and L2 Service: 1 octet reserved, then sub-TLVs of the same form
    - type 1     SRv6 SID Information: 1 octet reserved, 16 octets SID, 1 octet flags, 2 octets endpoint behaviour,
                 1 octet reserved, then sub-sub-TLVs of the same form
        - type 1     SID Structure: 6 lengths and offsets of 1 octet
"""

from __future__ import annotations

from typing import Final

import construct as c

from bgp.attribute import (
    LabelIndex,
    OriginatorSrgb,
    PrefixSid,
    SidStructure,
    Srv6L2Service,
    Srv6L3Service,
    Srv6SidInformation,
    Tlv,
)
from bgp.wire.fields import IPV6, U8, U16, U24, U32, value_of
from bgp.wire.tlv import MEDIUM, Row, fields_of, reserved, tlvs, tuple_of

#: The types of the SRv6 services, whose errors cost the route (RFC 9252 7).
SERVICES: Final = (Srv6L3Service.type, Srv6L2Service.type)
#: RFC 9252 3.1: what an SRv6 SID Information has at least.
LEAST_SID_INFORMATION: Final = 21

_STRUCTURE: Final = fields_of(
    SidStructure,
    "locator_block" / U8,
    "locator_node" / U8,
    "function" / U8,
    "argument" / U8,
    "transposition_length" / U8,
    "transposition_offset" / U8,
)
_INFORMATION: Final = fields_of(
    Srv6SidInformation,
    reserved(1),
    "sid" / IPV6,
    "flags" / U8,
    "behavior" / U16,
    c.Const(bytes(1)),
    "tlvs" / tlvs(MEDIUM, (Row(SidStructure.type, SidStructure, _STRUCTURE),)),
)


def _service(kind: type[Srv6L3Service | Srv6L2Service]) -> Row:
    rows = (Row(Srv6SidInformation.type, Srv6SidInformation, _INFORMATION),)
    return Row(kind.type, kind, fields_of(kind, reserved(1), "tlvs" / tlvs(MEDIUM, rows)))


_RANGE: Final = value_of(c.Sequence(U24, U24), tuple, list)
PREFIX_SID: Final = value_of(
    tlvs(
        MEDIUM,
        (
            Row(
                LabelIndex.type,
                LabelIndex,
                fields_of(LabelIndex, reserved(1), "flags" / U16, "index" / U32),
            ),
            Row(
                OriginatorSrgb.type,
                OriginatorSrgb,
                fields_of(OriginatorSrgb, "flags" / U16, "ranges" / tuple_of(_RANGE)),
            ),
            _service(Srv6L3Service),
            _service(Srv6L2Service),
        ),
    ),
    PrefixSid,
    lambda value: value.tlvs,
)


def prefix_sid_problem(value: PrefixSid) -> tuple[str, bool] | None:
    """What is wrong with the TLVs of the attribute, and whether that is in an SRv6 service; None for nothing.

    RFC 8669 6: a TLV of the wrong length; type 0 is reserved. RFC 9252 7: sub-TLVs that run past the service.
    """
    for one in value.tlvs:
        if isinstance(one, Tlv):
            if one.type == 0 or (one.type == LabelIndex.type and len(one.value) != 7):
                return f"TLV {one.type} of {len(one.value)} octets", False
            if one.type == OriginatorSrgb.type and (len(one.value) < 8 or len(one.value) % 6 != 2):
                return f"an originator SRGB of {len(one.value)} octets", False
            if one.type in SERVICES and (problem := _service_problem(one.value)) is not None:
                return problem, True
        elif isinstance(one, OriginatorSrgb) and not one.ranges:
            return "an originator SRGB without a range", False
        elif isinstance(one, Srv6L3Service | Srv6L2Service) and (problem := _sid_problem(one.tlvs)) is not None:
            return problem, True
    return None


def _service_problem(octets: bytes) -> str | None:
    """RFC 9252 7, of a service that is not as it should be: the reserved octet may hold anything, the rest may not."""
    at, end = 1, len(octets)
    if not octets:
        return "an SRv6 service of no octets"
    while at < end:
        size = int.from_bytes(octets[at + 1 : at + 3], "big")
        if end - at < 3 or at + 3 + size > end:
            return "a sub-TLV runs past the SRv6 service"
        problem = _sid_problem((Tlv(octets[at], octets[at + 3 : at + 3 + size]),))
        if problem is not None:
            return problem
        at += 3 + size
    return None


def _sid_problem(found: tuple[Srv6SidInformation | Tlv, ...]) -> str | None:
    for one in found:
        if isinstance(one, Tlv) and one.type == Srv6SidInformation.type and len(one.value) < LEAST_SID_INFORMATION:
            return f"SRv6 SID information of {len(one.value)} octets"
    return None
