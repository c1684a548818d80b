"""What the scanner makes of an UPDATE, and what it should: the construct-declared codec and the RFCs, the plain way."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_network

from bgp.error import LocalError, PeerError, Reaction, UpdateError
from bgp.iana import AttributeCode as Code
from bgp.message import Destination, MpReach, MpUnreach, Nlri, PathAttribute, PathPrefix, Update
from bgp.wire.attributes import ATTRIBUTES
from bgp.wire.context import Context
from bgp.wire.nlri.keys import key_of
from bgp.wire.scan import Reach, RouteUpdate, UpdateScanner
from bgp.wire.update import decode_attributes, decode_update, encode_update, worst
from rib.as_path import AsPath
from rib.attributes import Aggregator, Attributes, Origin, UnknownAttribute
from rib.family import IPV4_MULTICAST, IPV4_UNICAST, IPV6_MULTICAST, IPV6_UNICAST, Family
from rib.prefix import Prefix

Route = tuple[Family, bytes, int | None]
Routes = set[Route]
#: Routes by attributes, withdrawn routes, announced prefixes that are to be ignored, the worst error.
Reading = tuple[dict[Attributes, Routes], Routes, Routes, Reaction | None]
NOT_UNICAST = (ip_network("224.0.0.0/3"), ip_network("ff00::/8"))
PREFIX_FAMILIES = {IPV4_UNICAST, IPV4_MULTICAST, IPV6_UNICAST, IPV6_MULTICAST}
#: A NOTIFICATION that ends the session: code, subcode, data.
Reset = tuple[int, int, bytes]


def by_scanner(body: bytes, context: Context) -> Reading | Reset:
    """What the scanner makes of a body."""
    scanner = UpdateScanner(context)
    try:
        found = scanner.scan(b"pad" + body, 3, 3 + len(body))
        again = scanner.scan(body, 0, len(body))
    except PeerError as error:
        return error.code, error.subcode, error.data
    if isinstance(found, Reach):
        found = RouteUpdate([found])
    if isinstance(again, Reach):
        again = RouteUpdate([again])
    assert list(found.announced) == list(again.announced), "a block that is found again reads as it did"
    announced: dict[Attributes, Routes] = {}
    for family, attributes, nlri, ids in found.announced:
        plain = Attributes(**attributes.as_mapping())
        announced.setdefault(plain, set()).update(
            zip([family] * len(nlri), nlri, ids or [None] * len(nlri), strict=True)
        )
    withdrawn = {
        (family, one, path_id)
        for family, nlri, ids in found.withdrawn
        for one, path_id in zip(nlri, ids or [None] * len(nlri), strict=True)
    }
    assert (found.octets == body) == bool(found.errors or found.refused), "what goes wrong can be logged"
    refused = {
        (family, one, path_id)
        for family, _, nlri, ids in found.refused
        for one, path_id in zip(nlri, ids or [None] * len(nlri), strict=True)
    }
    return announced, withdrawn, refused, max((error.reaction for error in found.errors), default=None)


def by_construct(body: bytes, context: Context) -> Reading | set[Reset]:
    """The same, the plain way: a model of what RFC 4271 and RFC 7606 ask for. Of several resets any will do."""
    try:
        update = decode_update(body, context)
    except PeerError as error:
        return {(error.code, error.subcode, error.data)} | attribute_resets(body, context)
    wrong = worst(update.errors)
    if wrong is not None and wrong.reaction is Reaction.SESSION_RESET:
        return resets(update.errors)
    reach, unreach = update.attribute(Code.MP_REACH_NLRI), update.attribute(Code.MP_UNREACH_NLRI)
    ignored = {e.attribute for e in update.errors if e.family is not None and e.reaction is Reaction.ATTRIBUTE_DISCARD}
    disabled = {e.family for e in update.errors if e.reaction is Reaction.AFI_SAFI_DISABLE}
    routes: list[tuple[Bound, MpReach | None]] = []
    withdrawn: Routes = set()
    if context.families is None or IPV4_UNICAST in context.families:
        routes.append((bound(IPV4_UNICAST, update.nlri), None))
        withdrawn |= keys(IPV4_UNICAST, update.withdrawn)
    if reach is not None and isinstance(reach.value, MpReach) and reach.code not in ignored:
        routes.append((bound(reach.value.family, reach.value.nlri) or opaque(reach.value, context), reach.value))
    if unreach is not None and isinstance(unreach.value, MpUnreach) and unreach.code not in ignored:
        withdrawn |= keys(unreach.value.family, unreach.value.nlri)
        if unreach.value.octets:
            withdrawn.add((unreach.value.family, unreach.value.octets, None))
    announced: dict[Attributes, Routes] = {}
    refused: Routes = set()
    failed = any(e.reaction is Reaction.TREAT_AS_WITHDRAW for e in update.errors)
    for found, mp in routes:
        for route, binding in found:
            if route[0] in disabled:
                continue
            if failed:
                withdrawn.add(route)
            elif not is_unicast(route):
                refused.add(route)
            else:
                announced.setdefault(record(update, mp, binding, context), set()).add(route)
    withdrawn = {route for route in withdrawn if route[0] not in disabled}
    return announced, withdrawn, refused, None if wrong is None else wrong.reaction


def resets(errors: Iterable[UpdateError]) -> set[Reset]:
    return {(e.code, e.subcode, e.data) for e in errors if e.reaction is Reaction.SESSION_RESET}


def attribute_resets(body: bytes, context: Context) -> set[Reset]:
    """What the attributes alone would end the session for, where the field lengths can be right."""
    at = 2 + int.from_bytes(body[:2], "big")
    end = at + 2 + int.from_bytes(body[at : at + 2], "big")
    return resets(decode_attributes(body[at + 2 : end], context)[1]) if len(body) >= max(end, 4) else set()


def agree(found: Reading | Reset, expected: Reading | set[Reset]) -> bool:
    return found in expected if isinstance(expected, set) else found == expected


def is_unicast(route: Route) -> bool:
    """RFC 4271 6.3: whether a plain prefix has unicast destinations."""
    family, nlri, _ = route
    if family not in PREFIX_FAMILIES:
        return True
    network = Prefix.from_nlri(family.afi, nlri).network
    return not any(network.subnet_of(other) for other in NOT_UNICAST if other.version == network.version)  # type: ignore[arg-type]


Bound = list[tuple[Route, bytes]]


def bound(family: Family, nlri: tuple[Nlri, ...]) -> Bound:
    """Routes that are announced, each with what its key is bound to."""
    found: Bound = []
    for one in nlri:
        value, path_id = (one.prefix, one.path_id) if isinstance(one, PathPrefix) else (one, None)
        key, binding = key_if_any(family, value)
        if key:
            found.append(((family, key, path_id), binding))
    return found


def key_if_any(family: Family, value: Destination) -> tuple[bytes, bytes]:
    """The key and the binding; both empty for what makes no route: of an unknown type, or malformed (RFC 7606 5.4)."""
    try:
        return key_of(family, value)
    except LocalError:
        return b"", b""


def opaque(reach: MpReach, context: Context) -> Bound:
    """The one route of a family that nobody here knows."""
    if not reach.octets:
        return []
    rest = reach.octets[2 + reach.octets[0] :]
    return [((reach.family, rest, None), b"")] if rest else []


def keys(family: Family, nlri: tuple[Nlri, ...]) -> Routes:
    """Routes that are withdrawn: their labels mean nothing."""
    found: Routes = set()
    for one in nlri:
        value, path_id = (one.prefix, one.path_id) if isinstance(one, PathPrefix) else (one, None)
        if hasattr(value, "labels"):
            value = replace(value, labels=(16,))
        key, _ = key_if_any(family, value)
        if key:
            found.add((family, key, path_id))
    return found


def record(update: Update, reach: MpReach | None, binding: bytes, context: Context) -> Attributes:
    """The record of an UPDATE's attributes, AS4_PATH merged (RFC 6793 4.2.3)."""
    bad = {error.attribute for error in update.errors if error.family is None}
    good: dict[int, PathAttribute] = {}
    for one in update.attributes:
        if one.code not in bad:
            good.setdefault(one.code, one)

    def value(code: int, otherwise: object = None) -> object:
        return good[code].value if code in good else otherwise

    path, aggregator = value(2, AsPath()), value(7)
    assert isinstance(path, AsPath)
    if not context.as4:
        longer, wider = value(17), value(18)
        old = not isinstance(aggregator, Aggregator) or wider is None or aggregator.asn == 23456
        if old and isinstance(longer, AsPath):
            path = path.merge_as4(longer)
        if old and aggregator is not None and wider is not None:
            aggregator = wider
    hops = reach.next_hops if reach is not None else ((value(3),) if value(3) is not None else ())
    first: object = hops[0] if hops else None
    second = hops[1] if len(hops) > 1 else None
    if second is not None and isinstance(first, IPv6Address) and not int(first):
        first = second
    assert first is None or isinstance(first, IPv4Address | IPv6Address)
    kept = sorted(code for code in good if code not in READ)
    unknown = [
        UnknownAttribute(good[code].flags & 0xE0 | (0 if code in PASSED_ON else 0x20), code, raw(good[code], context))
        for code in kept
        if code in PASSED_ON or (code not in ATTRIBUTES and good[code].flags & 0x40)
    ]
    unknown.sort(key=lambda one: [a.code for a in update.attributes].index(one.code))
    return Attributes(
        origin=value(1, Origin.IGP),  # type: ignore[arg-type]
        as_path=path,
        next_hop=first,
        link_local_next_hop=second,  # type: ignore[arg-type]
        med=value(4),  # type: ignore[arg-type]
        local_pref=value(5),  # type: ignore[arg-type]
        atomic_aggregate=bool(value(6)),
        aggregator=aggregator,  # type: ignore[arg-type]
        communities=value(8, ()),  # type: ignore[arg-type]
        ext_communities=value(16, ()),  # type: ignore[arg-type]
        large_communities=tuple(dict.fromkeys(value(32, ()))),  # type: ignore[arg-type,call-overload]
        originator_id=value(9),  # type: ignore[arg-type]
        cluster_list=value(10, ()),  # type: ignore[arg-type]
        only_to_customer=value(35),  # type: ignore[arg-type]
        unknown=tuple(unknown),
        binding=binding,
    )


READ = frozenset({1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 14, 15, 16, 17, 18, 32, 35})
#: What we know and pass on as it is, of what the record has no field for.
PASSED_ON = frozenset({22, 23, 25, 26, 27, 29, 36, 37, 38, 39, 40, 41, 128})


def raw(one: PathAttribute, context: Context) -> bytes:
    body = encode_update(Update(attributes=(PathAttribute(one.flags | 0x10, one.code, one.value),)), context)
    return body[8:]
