"""BGP_LS (RFC 9552 5.3): TLVs of 2 octets type, 2 octets length, value, in the order in which they came.

Typed are those whose value is a number, a text, an address or several numbers; the others keep their octets.
"""

from __future__ import annotations

from typing import Any, Final

import construct as c

from bgp.attribute import LinkState, LinkStateTlv, Tlv
from bgp.iana import LinkStateTlvType as Type
from bgp.wire.fields import IPV4, IPV6, U8, U16, U24, U32, ListOf, Malformed, build, parse, value_of
from bgp.wire.tlv import LARGE, MAX_TLVS, tuple_of

_NAME: Final = value_of(c.GreedyBytes, lambda octets: octets.decode(), lambda text: text.encode())

TLVS: Final[dict[int, c.Construct]] = {
    Type.NODE_FLAGS: U8,
    Type.NODE_NAME: _NAME,
    Type.LOCAL_IPV4_ROUTER_ID: IPV4,
    Type.LOCAL_IPV6_ROUTER_ID: IPV6,
    Type.REMOTE_IPV4_ROUTER_ID: IPV4,
    Type.REMOTE_IPV6_ROUTER_ID: IPV6,
    Type.ADMINISTRATIVE_GROUP: U32,
    Type.MAXIMUM_BANDWIDTH: c.Float32b,
    Type.MAXIMUM_RESERVABLE_BANDWIDTH: c.Float32b,
    Type.UNRESERVED_BANDWIDTH: value_of(c.Array(8, c.Float32b), tuple, list),
    Type.TE_DEFAULT_METRIC: U32,
    Type.LINK_PROTECTION: U16,
    Type.MPLS_PROTOCOLS: U8,
    # RFC 9552 5.3.2.4: 3 octets of IS-IS wide metrics. The 1 and 2 of others stay octets: a number does not say its size.
    Type.IGP_METRIC: U24,
    Type.SHARED_RISK_LINK_GROUP: tuple_of(U32),
    Type.LINK_NAME: _NAME,
    Type.DELAY: U32,
    Type.DELAY_VARIATION: U32,
    Type.LINK_LOSS: U32,
    Type.IGP_FLAGS: U8,
    Type.ROUTE_TAG: tuple_of(U32),
    Type.PREFIX_METRIC: U32,
    Type.OSPF_FORWARDING_ADDRESS: IPV4,  # the 16 octets of OSPFv3 stay as they are
    Type.SOURCE_ROUTER: IPV4,
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
    return LinkStateTlv(Type(number), value) if same else Tlv(number, octets)


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


LINK_STATE: Final = value_of(ListOf(LARGE, MAX_TLVS), _decoded, _encoded)
