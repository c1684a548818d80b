"""NLRI, a row for each address family: what its elements are and which next hops it can have (RFC 4760 5).

- 4 octets    Path Identifier, where the session has agreed on it (RFC 7911 3)
- 1 octet     Length, in bits
- 0-16 octets Prefix; bits beyond the length mean nothing and are cleared
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import construct as c

from bgp.message import MpReach, MpUnreach, Nlri, PathPrefix
from bgp.wire.context import Context
from bgp.wire.fields import FAMILY, IPV4, IPV6, U8, U32, ListOf, Malformed, build, parse, value_of
from rib.family import IPV4_MULTICAST, IPV4_UNICAST, IPV6_MULTICAST, IPV6_UNICAST, Family
from rib.prefix import Prefix


class Row(NamedTuple):
    """What a family's NLRI field holds, and the octets that its next hop can have."""

    prefix: c.Construct
    next_hops: tuple[int, ...]


def _prefix(afi: int, longest: int) -> c.Construct:
    def decoded(found: Any) -> Prefix:
        if found.length % 8:
            last = found.octets[-1] & (0xFF00 >> found.length % 8)
            return Prefix.from_nlri(afi, bytes((found.length,)) + found.octets[:-1] + bytes((last & 0xFF,)))
        return Prefix.from_nlri(afi, bytes((found.length,)) + found.octets)

    return value_of(
        c.Struct(
            "length" / c.ExprValidator(U8, lambda length, _: length <= longest),
            "octets" / c.Bytes(lambda this: (this.length + 7) // 8),
        ),
        decoded,
        lambda prefix: {"length": prefix.nlri[0], "octets": prefix.nlri[1:]},
    )


IPV4_PREFIX: Final = _prefix(1, 32)
IPV6_PREFIX: Final = _prefix(2, 128)
#: RFC 4760; an IPv4 route may have an IPv6 next hop (RFC 8950), an IPv6 one a link-local address too (RFC 2545 3).
FAMILIES: Final[dict[Family, Row]] = {
    IPV4_UNICAST: Row(IPV4_PREFIX, (4, 16, 32)),
    IPV4_MULTICAST: Row(IPV4_PREFIX, (4, 16, 32)),
    IPV6_UNICAST: Row(IPV6_PREFIX, (16, 32)),
    IPV6_MULTICAST: Row(IPV6_PREFIX, (16, 32)),
}


def _with_path_id(prefix: c.Construct) -> c.Construct:
    return value_of(
        c.Struct("path_id" / U32, "prefix" / prefix),
        lambda found: PathPrefix(found.prefix, found.path_id),
        lambda nlri: {"path_id": nlri.path_id, "prefix": nlri.prefix},
    )


_LISTS: Final = {
    (family, with_ids): ListOf(_with_path_id(row.prefix) if with_ids else row.prefix)
    for family, row in FAMILIES.items()
    for with_ids in (False, True)
}
_NEXT_HOPS: Final = {4: ListOf(IPV4), 16: ListOf(IPV6), 32: ListOf(IPV6)}

MP_REACH: Final = c.Struct(
    "family" / FAMILY,
    "next_hop" / c.Prefixed(U8, c.GreedyBytes),
    "reserved" / U8,
    "nlri" / c.GreedyBytes,
)
MP_UNREACH: Final = c.Struct("family" / FAMILY, "nlri" / c.GreedyBytes)
#: A family that is none of ours.
MP_OTHER: Final = c.Struct("family" / FAMILY, "octets" / c.GreedyBytes)


def decode_nlri(family: Family, octets: bytes, context: Context) -> tuple[Nlri, ...]:
    """The elements of an NLRI field. Raises Malformed if they do not fill it exactly, KeyError for an unknown family."""
    return tuple(parse(_LISTS[family, family in context.add_path], octets))


def encode_nlri(family: Family, nlri: tuple[Nlri, ...], context: Context) -> bytes:
    """The octets of an NLRI field. Raises Malformed for elements with path identifiers where there can be none."""
    with_ids = family in context.add_path
    for element in nlri:
        if isinstance(element, PathPrefix) is not with_ids:
            raise Malformed(f"{element} in {family}, which {'has' if with_ids else 'has no'} path identifiers here")
    return build(_LISTS[family, with_ids], nlri)


def is_read(family: Family, context: Context) -> bool:
    """Whether NLRI of a family are looked into: we know it, and the session, if there is one, carries it."""
    return family in FAMILIES and (context.families is None or family in context.families)


def decode_mp_reach(value: bytes, context: Context) -> MpReach:
    """MP_REACH_NLRI (RFC 4760 3). Raises Malformed."""
    family = parse(MP_OTHER, value).family
    if not is_read(family, context):
        return MpReach(family, octets=value[3:])
    found = parse(MP_REACH, value)
    if len(found.next_hop) not in FAMILIES[family].next_hops:
        raise Malformed(f"a next hop of {len(found.next_hop)} octets in {family}")
    next_hops = tuple(parse(_NEXT_HOPS[len(found.next_hop)], found.next_hop))
    return MpReach(family, next_hops, decode_nlri(family, found.nlri, context))


def encode_mp_reach(reach: MpReach, context: Context) -> bytes:
    """The value of MP_REACH_NLRI. Raises Malformed."""
    if reach.octets or not (reach.next_hops or is_read(reach.family, context)):
        _only_octets(reach)
        return build(MP_OTHER, {"family": reach.family, "octets": reach.octets})
    if reach.family not in FAMILIES:
        raise Malformed(f"{reach.family} takes octets")
    return build(
        MP_REACH,
        {
            "family": reach.family,
            "next_hop": b"".join(address.packed for address in reach.next_hops),
            "reserved": 0,
            "nlri": encode_nlri(reach.family, reach.nlri, context),
        },
    )


def decode_mp_unreach(value: bytes, context: Context) -> MpUnreach:
    """MP_UNREACH_NLRI (RFC 4760 4). Raises Malformed."""
    family = parse(MP_OTHER, value).family
    if not is_read(family, context):
        return MpUnreach(family, octets=value[3:])
    return MpUnreach(family, decode_nlri(family, parse(MP_UNREACH, value).nlri, context))


def encode_mp_unreach(unreach: MpUnreach, context: Context) -> bytes:
    """The value of MP_UNREACH_NLRI. Raises Malformed."""
    if unreach.octets or unreach.family not in FAMILIES:
        _only_octets(unreach)
        return build(MP_OTHER, {"family": unreach.family, "octets": unreach.octets})
    return build(MP_UNREACH, {"family": unreach.family, "nlri": encode_nlri(unreach.family, unreach.nlri, context)})


def _only_octets(value: MpReach | MpUnreach) -> None:
    if value.nlri:
        raise Malformed(
            f"{value.family} takes octets or NLRI, not both" if value.octets else f"{value.family} takes octets"
        )
