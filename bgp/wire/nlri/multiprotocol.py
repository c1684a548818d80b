"""MP_REACH_NLRI and MP_UNREACH_NLRI (RFC 4760 3, 4), and NLRI fields.

- 2 octets    AFI
- 1 octet     SAFI
- 1 octet     Length of the next hop        only MP_REACH_NLRI
- n octets    Network Address of Next Hop   only MP_REACH_NLRI
- 1 octet     Reserved                      only MP_REACH_NLRI
- rest        NLRI, each one behind 4 octets of Path Identifier where the session has agreed on it (RFC 7911 3)

A family that the session carries and nobody here knows is kept in octets: its whole NLRI field counts as one route.
"""

from __future__ import annotations

from collections.abc import Collection
from ipaddress import IPv4Address, IPv6Address
from typing import Final

import construct as c

from bgp.iana import AttributeCode
from bgp.message import Destination, MpReach, MpUnreach, Nlri, PathPrefix
from bgp.wire.context import Context
from bgp.wire.fields import FAMILY, IPV4, IPV6, U8, U32, ListOf, Malformed, build, parse, value_of
from bgp.wire.nlri.table import FAMILIES
from rib.family import Family
from rib.labelled import LabelledPrefix, VpnPrefix
from rib.prefix import Prefix


def _with_path_id(element: c.Construct) -> c.Construct:
    return value_of(
        c.Struct("path_id" / U32, "prefix" / element),
        lambda found: PathPrefix(found.prefix, found.path_id),
        lambda nlri: {"path_id": nlri.path_id, "prefix": nlri.prefix},
    )


def _list(family: Family, withdrawn: bool, with_ids: bool) -> ListOf:
    kind = FAMILIES[family].kind
    element = kind.withdrawn if withdrawn else kind.announced
    return ListOf(_with_path_id(element) if with_ids else element)


def _behind_rd(address: c.Construct) -> c.Construct:
    """An address of a VPN next hop: its route distinguisher is 0 and not looked at (RFC 4364 4.3.2)."""
    return value_of(
        c.Struct("rd" / c.Bytes(8), "address" / address),
        lambda found: found.address,
        lambda address: {"rd": bytes(8), "address": address},
    )


_LISTS: Final = {
    (family, withdrawn, with_ids): _list(family, withdrawn, with_ids)
    for family in FAMILIES
    for withdrawn in (False, True)
    for with_ids in (False, True)
}
_VPN4: Final = _behind_rd(IPV4)
_VPN6: Final = _behind_rd(IPV6)
#: By the octets that a next hop has.
_NEXT_HOPS: Final[dict[int, ListOf]] = {
    0: ListOf(IPV4),
    4: ListOf(IPV4),
    16: ListOf(IPV6),
    32: ListOf(IPV6),
    12: ListOf(_VPN4),
    24: ListOf(_VPN6),
    48: ListOf(_VPN6),
}

MP_REACH: Final = c.Struct(
    "family" / FAMILY,
    "next_hop" / c.Prefixed(U8, c.GreedyBytes),
    "reserved" / U8,
    "nlri" / c.GreedyBytes,
)
MP_UNREACH: Final = c.Struct("family" / FAMILY, "nlri" / c.GreedyBytes)
#: A family that is none of ours.
MP_OTHER: Final = c.Struct("family" / FAMILY, "octets" / c.GreedyBytes)


def decode_nlri(family: Family, octets: bytes, context: Context, *, withdrawn: bool = False) -> tuple[Nlri, ...]:
    """The elements of an NLRI field. Raises Malformed if they do not fill it exactly, KeyError for an unknown family."""
    return tuple(parse(_LISTS[family, withdrawn, family in context.add_path], octets))


def encode_nlri(family: Family, nlri: tuple[Nlri, ...], context: Context, *, withdrawn: bool = False) -> bytes:
    """The octets of an NLRI field.

    Raises Malformed for path identifiers where there can be none, and for prefixes of another address family.
    """
    with_ids = family in context.add_path
    for element in nlri:
        if isinstance(element, PathPrefix) is not with_ids:
            raise Malformed(f"{element} in {family}, which {'has' if with_ids else 'has no'} path identifiers here")
        check_afi(family, element.prefix if isinstance(element, PathPrefix) else element)
    return build(_LISTS[family, withdrawn, with_ids], nlri)


def check_afi(family: Family, route: Destination) -> None:
    """Raises Malformed for a prefix that is none of `family`'s addresses: its octets would be those of another prefix."""
    if isinstance(route, LabelledPrefix | VpnPrefix):
        route = route.prefix
    if isinstance(route, Prefix) and route.afi != family.afi:
        raise Malformed(f"{route} is no prefix of {family}")


def is_read(family: Family, context: Context) -> bool:
    """Whether NLRI of a family are looked into: we know it, and the session, if there is one, carries it."""
    return family in FAMILIES and (context.families is None or family in context.families)


def is_carried(family: Family, context: Context) -> bool:
    """Whether the session carries a family, be it one that we do not know."""
    return context.families is not None and family in context.families


def costs_family(value: bytes, context: Context, disabled: Collection[Family] = ()) -> Family | None:
    """The family that an incorrect MP_REACH_NLRI or MP_UNREACH_NLRI costs (RFC 4760 7); None where it costs the session.

    That is so unless the session is to outlive it, its octets say which family it is about, and there is another one
    left, `disabled` ones apart.
    """
    if not context.disables or context.families is None or len(value) < 3:
        return None
    family: Family = parse(MP_OTHER, value).family
    return family if context.families - {family} - set(disabled) else None


def unread(code: int, value: bytes) -> MpReach | MpUnreach | bytes:
    """What can be said of MP_REACH_NLRI or MP_UNREACH_NLRI, by their code, whose value is malformed; it is octets yet."""
    if len(value) < 3:
        return value
    family: Family = parse(MP_OTHER, value).family
    if code == AttributeCode.MP_UNREACH_NLRI:
        return MpUnreach(family, octets=value[3:])
    return MpReach(family, _next_hops_of(value), octets=value[3:])


def _next_hops_of(value: bytes) -> tuple[IPv4Address | IPv6Address, ...]:
    """The next hops of MP_REACH_NLRI whatever its NLRI are; none where they are no addresses."""
    try:
        octets = parse(MP_REACH, value).next_hop
        return tuple(parse(_NEXT_HOPS[len(octets)], octets)) if len(octets) in _NEXT_HOPS else ()
    except Malformed:
        return ()


def decode_mp_reach(value: bytes, context: Context) -> MpReach:
    """MP_REACH_NLRI (RFC 4760 3). Raises Malformed."""
    family = parse(MP_OTHER, value).family
    if not is_read(family, context):
        if is_carried(family, context):
            parse(MP_REACH, value)
        return MpReach(family, _next_hops_of(value), octets=value[3:])
    found = parse(MP_REACH, value)
    if len(found.next_hop) not in FAMILIES[family].next_hops:
        raise Malformed(f"a next hop of {len(found.next_hop)} octets in {family}")
    next_hops = tuple(parse(_NEXT_HOPS[len(found.next_hop)], found.next_hop))
    return MpReach(family, next_hops, decode_nlri(family, found.nlri, context))


def has_routes(reach: MpReach, context: Context) -> bool:
    """Whether a value that was read announces anything. Malformed ones and those that are ignored do not."""
    if not reach.octets or is_read(reach.family, context) or not is_carried(reach.family, context):
        return bool(reach.nlri)
    try:
        return bool(parse(MP_REACH, b"\0\0\0" + reach.octets).nlri)
    except Malformed:
        return False


def _next_hop_octets(family: Family, next_hops: tuple[IPv4Address | IPv6Address, ...]) -> bytes:
    size = sum(len(address.packed) for address in next_hops)
    for octets in FAMILIES[family].next_hops:
        if octets in (size, size + 8 * len(next_hops)):
            return build(_NEXT_HOPS[octets], next_hops)
    raise Malformed(f"{family} has no next hop like {', '.join(map(str, next_hops)) or 'none'}")


def encode_mp_reach(reach: MpReach, context: Context) -> bytes:
    """The value of MP_REACH_NLRI. Raises Malformed."""
    if reach.octets or not (reach.next_hops or reach.nlri or is_read(reach.family, context)):
        _only_octets(reach)
        return build(MP_OTHER, {"family": reach.family, "octets": reach.octets})
    if reach.family not in FAMILIES:
        raise Malformed(f"{reach.family} takes octets")
    return build(
        MP_REACH,
        {
            "family": reach.family,
            "next_hop": _next_hop_octets(reach.family, reach.next_hops),
            "reserved": 0,
            "nlri": encode_nlri(reach.family, reach.nlri, context),
        },
    )


def decode_mp_unreach(value: bytes, context: Context) -> MpUnreach:
    """MP_UNREACH_NLRI (RFC 4760 4). Raises Malformed."""
    family = parse(MP_OTHER, value).family
    if not is_read(family, context):
        return MpUnreach(family, octets=value[3:])
    octets = parse(MP_UNREACH, value).nlri
    return MpUnreach(family, decode_nlri(family, octets, context, withdrawn=True))


def encode_mp_unreach(unreach: MpUnreach, context: Context) -> bytes:
    """The value of MP_UNREACH_NLRI. Raises Malformed."""
    if unreach.octets or unreach.family not in FAMILIES:
        _only_octets(unreach)
        return build(MP_OTHER, {"family": unreach.family, "octets": unreach.octets})
    nlri = encode_nlri(unreach.family, unreach.nlri, context, withdrawn=True)
    return build(MP_UNREACH, {"family": unreach.family, "nlri": nlri})


def _only_octets(value: MpReach | MpUnreach) -> None:
    if value.nlri:
        raise Malformed(
            f"{value.family} takes octets or NLRI, not both" if value.octets else f"{value.family} takes octets"
        )
