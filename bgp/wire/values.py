"""What the values of path attributes are, declared: RFC 4271's, lists of communities, and small ones of later RFCs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import construct as c

from bgp.attribute import Aigp, BfdDiscriminator, Domain, DomainPath
from bgp.wire.fields import IPV4, U8, U16, U32, ListOf, value_of
from bgp.wire.tlv import SMALL, fields_of, tlvs
from rib.as_path import AsPath, Segment
from rib.attributes import Aggregator, Origin
from rib.community import Community, ExtendedCommunity, Ipv6ExtendedCommunity, LargeCommunity


def _path(size: int) -> c.Construct:
    segment = c.Struct("type" / U8, "asns" / c.PrefixedArray(U8, U32 if size == 4 else U16))
    return value_of(
        ListOf(segment),
        lambda found: AsPath(tuple(Segment(one.type, tuple(one.asns)) for one in found)),
        lambda path: [{"type": one.type, "asns": one.asns} for one in path.segments],
    )


def _aggregator(size: int) -> c.Construct:
    return value_of(
        c.Struct("asn" / (U32 if size == 4 else U16), "address" / IPV4),
        lambda found: Aggregator(found.asn, found.address),
        lambda aggregator: aggregator._asdict(),
    )


def _tuple_of(element: c.Construct, decode: Callable[[Any], Any], encode: Callable[[Any], Any]) -> c.Construct:
    return value_of(
        ListOf(element), lambda found: tuple(decode(one) for one in found), lambda values: [encode(v) for v in values]
    )


#: By the octets of an AS number.
PATHS: Final = {size: _path(size) for size in (2, 4)}
AGGREGATORS: Final = {size: _aggregator(size) for size in (2, 4)}
ORIGIN: Final = value_of(U8, Origin, int)
PRESENT: Final = value_of(c.Bytes(0), lambda _: True, lambda _: b"")
COMMUNITIES: Final = _tuple_of(U32, Community, int)
EXT_COMMUNITIES: Final = _tuple_of(c.Bytes(8), ExtendedCommunity, bytes)
IPV6_EXT_COMMUNITIES: Final = _tuple_of(c.Bytes(20), Ipv6ExtendedCommunity, bytes)
LARGE_COMMUNITIES: Final = _tuple_of(c.Array(3, U32), lambda numbers: LargeCommunity(*numbers), list)
ADDRESSES: Final = _tuple_of(IPV4, lambda address: address, lambda address: address)
#: RFC 7311 3: 1 octet type, 2 octets length, which counts these three too; type 1 has 8 octets of metric.
AIGP: Final = value_of(
    tlvs(
        c.Struct(
            "type" / U8,
            "value" / c.Prefixed(c.ExprAdapter(U16, c.obj_ - 3, c.obj_ + 3), c.GreedyBytes),
        )
    ),
    Aigp,
    lambda value: value.tlvs,
)
#: RFC 9026 3.1.6: 1 octet mode, 4 octets discriminator, then TLVs of 1 octet type and 1 octet length.
BFD_DISCRIMINATOR: Final = fields_of(BfdDiscriminator, "mode" / U8, "discriminator" / U32, "tlvs" / tlvs(SMALL))
#: draft-ietf-bess-evpn-ipvpn-interworking 4: 1 octet number of domains, then 4 + 2 octets DOMAIN-ID and 1 octet SAFI each.
D_PATH: Final = value_of(
    _tuple_of(
        c.PrefixedArray(U8, c.Sequence(U32, U16, U8)),
        lambda found: tuple(Domain(*one) for one in found),
        lambda segment: [list(domain) for domain in segment],
    ),
    DomainPath,
    lambda value: value.segments,
)
