"""BGP_LS (RFC 9552 5.3): TLVs of 2 octets type, 2 octets length, value, in the order in which they came.

Typed are those whose value is a number, a text, an address or several numbers; the others keep their octets.
"""

from __future__ import annotations

from typing import Any, Final

import construct as c

from bgp.attribute import LinkState, LinkStateTlv, Tlv
from bgp.wire.fields import IPV4, IPV6, U8, U16, U24, U32, ListOf, Malformed, build, parse, value_of
from bgp.wire.tlv import LARGE, tuple_of

_NAME: Final = value_of(c.GreedyBytes, lambda octets: octets.decode(), lambda text: text.encode())
_METRICS: Final = c.Float32b
#: RFC 9552 5.3.2.4: 1 octet of IS-IS small metrics, 2 of OSPF, 3 of IS-IS wide metrics. A number does not say which.
_WIDE: Final = U24

TLVS: Final[dict[int, c.Construct]] = {
    1024: U8,  # node flags
    1026: _NAME,  # node name
    1028: IPV4,  # local router
    1029: IPV6,
    1030: IPV4,  # remote router
    1031: IPV6,
    1088: U32,  # administrative group
    1089: _METRICS,  # maximum link bandwidth
    1090: _METRICS,  # maximum reservable bandwidth
    1091: value_of(c.Array(8, c.Float32b), tuple, list),  # unreserved bandwidth
    1092: U32,  # TE default metric
    1093: U16,  # link protection
    1094: U8,  # MPLS protocols
    1095: _WIDE,  # IGP metric
    1096: tuple_of(U32),  # shared risk link groups
    1098: _NAME,  # link name
    1114: U32,  # unidirectional link delay (RFC 8571)
    1116: U32,  # delay variation
    1117: U32,  # link loss
    1152: U8,  # IGP flags
    1153: tuple_of(U32),  # route tags
    1155: U32,  # prefix metric
    1156: IPV4,  # OSPF forwarding address; 16 octets stay as they are
    1171: IPV4,  # source router (RFC 9085)
}


def _decoded(found: Any) -> LinkState:
    return LinkState(tuple(_read(one.type, one.value) for one in found))


def _read(number: int, octets: bytes) -> LinkStateTlv | Tlv:
    codec = TLVS.get(number)
    if codec is None:
        return Tlv(number, octets)
    try:
        value = parse(codec, octets)
        # Texts that are not UTF-8 and the many forms of "not a number" would not come out as they went in.
        same = value == value and build(codec, value) == octets
    except Malformed:
        return Tlv(number, octets)
    return LinkStateTlv(number, value) if same else Tlv(number, octets)


def _encoded(value: LinkState) -> list[dict[str, Any]]:
    return [{"type": one.type, "value": _write(one)} for one in value.tlvs]


def _write(one: LinkStateTlv | Tlv) -> bytes:
    if isinstance(one, Tlv):
        return one.value
    codec = TLVS.get(one.type)
    try:
        if codec is None:
            raise Malformed("it is one of those that are octets here")
        return build(codec, one.value)
    except Malformed as error:
        raise ValueError(f"BGP-LS TLV {one.type}: {error}") from error


LINK_STATE: Final = value_of(ListOf(LARGE), _decoded, _encoded)
