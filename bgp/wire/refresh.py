"""ROUTE-REFRESH (RFC 2918 3, RFC 7313 3.2), with outbound route filters (RFC 5291 4, address prefixes RFC 5292 3).

- 2 octets  AFI
- 1 octet   Subtype; reserved where RFC 7313 was not agreed on
- 1 octet   SAFI
- 1 octet   When-to-refresh, if filters follow; then for each type of filter:
    - 1 octet   ORF Type
    - 2 octets  Length of its entries; an entry of address prefixes is:
        - 1 octet   Action (2 bits), Match (1 bit), reserved; of REMOVE-ALL that is all
        - 4 octets  Sequence
        - 1 octet   Minlen
        - 1 octet   Maxlen
        - 1 octet   Length in bits, then the prefix
"""

from __future__ import annotations

from typing import Any, Final

import construct as c

from bgp.error import PeerError
from bgp.iana import MessageType, NotificationCode, RouteRefreshSubcode, RouteRefreshSubtype
from bgp.message import FilterAction, FilterGroup, OutboundFilters, PrefixFilter, RouteRefresh
from bgp.wire.fields import U8, U16, U32, ListOf, Malformed, build, parse, value_of
from bgp.wire.header import with_header
from bgp.wire.nlri import IPV4_PREFIX, IPV6_PREFIX
from bgp.wire.sizes import MAX_EXTENDED_MESSAGE
from rib.family import Afi, Family

REFRESH: Final = c.Struct("afi" / U16, "subtype" / U8, "safi" / U8, "orf" / c.GreedyBytes)
#: Octets of a body without ORFs, the only one that RFC 7313's markers may have.
PLAIN: Final = 4


#: The address prefix ORF (RFC 5292 7), and the number that it had before.
ADDRESS_PREFIX: Final = (64, 128)
_DENY: Final = 0x20
_RANGE: Final[dict[int, c.Construct]] = {
    afi: c.Sequence(U32, U8, U8, prefix) for afi, prefix in ((Afi.IPV4, IPV4_PREFIX), (Afi.IPV6, IPV6_PREFIX))
}
_GROUP: Final = c.Struct("type" / U8, "entries" / c.Prefixed(U16, c.GreedyBytes))
FILTERS: Final = c.Struct("when" / U8, "groups" / ListOf(_GROUP))


def _entry(afi: int) -> c.Construct:
    """An entry of the address prefix ORF; flags that mean nothing are 0, or it is not read."""
    whole = c.Struct("head" / U8, "range" / c.If(c.this.head >> 6 != FilterAction.REMOVE_ALL, _RANGE[afi]))

    def decoded(found: Any) -> PrefixFilter:
        action, deny = FilterAction(found.head >> 6), bool(found.head & _DENY)
        return PrefixFilter(action, deny) if found.range is None else PrefixFilter(action, deny, *found.range)

    def encoded(one: PrefixFilter) -> dict[str, object]:
        head = one.action << 6 | (_DENY if one.deny else 0)
        return {"head": head, "range": [one.sequence, one.minimum, one.maximum, one.prefix]}

    return value_of(whole, decoded, encoded)


_ENTRIES: Final[dict[int, c.Construct]] = {afi: ListOf(_entry(afi)) for afi in _RANGE}


def _filters(family: Family, octets: bytes) -> OutboundFilters | bytes:
    """The filters in `octets`, which stay octets where they would not become the same again."""
    try:
        found = parse(FILTERS, octets)
        groups = [FilterGroup(one.type, _entries(family, one.type, one.entries)) for one in found.groups]
        filters = OutboundFilters(found.when, tuple(groups))
        return filters if _octets(family, filters) == octets else octets
    except Malformed:
        return octets


def _entries(family: Family, kind: int, octets: bytes) -> tuple[PrefixFilter, ...] | bytes:
    if kind not in ADDRESS_PREFIX or family.afi not in _ENTRIES:
        return octets
    return tuple(parse(_ENTRIES[family.afi], octets))


def _octets(family: Family, filters: OutboundFilters) -> bytes:
    groups = [
        {
            "type": group.type,
            "entries": group.entries if isinstance(group.entries, bytes) else _built(family, group.entries),
        }
        for group in filters.groups
    ]
    return build(FILTERS, {"when": filters.when, "groups": groups})


def _built(family: Family, entries: tuple[PrefixFilter, ...]) -> bytes:
    if family.afi not in _ENTRIES:
        raise Malformed(f"{family} has no address prefixes to filter")
    if any(one.prefix is not None and one.prefix.afi != family.afi for one in entries):
        raise Malformed(f"a filter of prefixes that are not of {family}")
    return build(_ENTRIES[family.afi], entries)


def decode_refresh(body: bytes, *, enhanced: bool = False) -> RouteRefresh:
    """The message in `body`, which the header check found long enough.

    Raises PeerError 7/1 for a marker of the wrong length where enhanced route refresh was negotiated (RFC 7313 5).
    """
    found = parse(REFRESH, body)
    if enhanced and found.subtype in (RouteRefreshSubtype.BEGIN, RouteRefreshSubtype.END) and len(body) != PLAIN:
        raise PeerError(
            NotificationCode.ROUTE_REFRESH_MESSAGE_ERROR,
            RouteRefreshSubcode.INVALID_MESSAGE_LENGTH,
            with_header(MessageType.ROUTE_REFRESH, body, MAX_EXTENDED_MESSAGE),
            f"ROUTE-REFRESH of subtype {found.subtype} with {len(body) - PLAIN} octets too many",
        )
    family = Family(found.afi, found.safi)
    return RouteRefresh(family, found.subtype, _filters(family, found.orf) if found.orf else b"")


def encode_refresh(message: RouteRefresh) -> bytes:
    """The body of `message`. Raises Malformed for a subtype above 255 and for filters that cannot be."""
    afi, safi = message.family
    orf = message.orf if isinstance(message.orf, bytes) else _octets(message.family, message.orf)
    return build(REFRESH, {"afi": afi, "subtype": message.subtype, "safi": safi, "orf": orf})
