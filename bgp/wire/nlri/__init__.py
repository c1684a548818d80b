"""NLRI of all address families: `FAMILIES` is the table, a row a family."""

from bgp.wire.nlri.kind import Kind
from bgp.wire.nlri.multiprotocol import (
    costs_family,
    decode_mp_reach,
    decode_mp_unreach,
    decode_nlri,
    encode_mp_reach,
    encode_mp_unreach,
    encode_nlri,
    has_routes,
    is_carried,
    is_read,
    unread,
)
from bgp.wire.nlri.prefix import IPV4_PREFIX, IPV6_PREFIX
from bgp.wire.nlri.table import FAMILIES, Row

__all__ = [
    "FAMILIES",
    "IPV4_PREFIX",
    "IPV6_PREFIX",
    "Kind",
    "Row",
    "costs_family",
    "decode_mp_reach",
    "decode_mp_unreach",
    "decode_nlri",
    "encode_mp_reach",
    "encode_mp_unreach",
    "encode_nlri",
    "has_routes",
    "is_carried",
    "is_read",
    "unread",
]
