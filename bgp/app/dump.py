"""MRT records as the lines of `bgpdump -m`, which scripts everywhere read.

TYPE|time|A or B|peer|peer AS|prefix[|path id]|AS_PATH|ORIGIN|next hop|LOCAL_PREF|MED|communities|AG or NAG|aggregator|
TYPE|time|W|peer|peer AS|prefix[|path id]
TYPE|time|STATE|peer|peer AS|old|new

These are the lines of messages that were decoded. `bgp.app.dump_scan` makes them from octets where nothing is wrong with
those, faster; a property test holds it equal.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address

from bgp.app import dump_text
from bgp.app.dump_text import (
    AS_TRANS,
    BAD_PATH,
    BRACKETS,
    NAMES,
    NO_NEXT_HOP,
    NOBODY,
    ORIGINS,
    prefix_text,
    segment_text,
)
from bgp.iana import AttributeCode as Code
from bgp.message import MpReach, MpUnreach, Nlri, PathAttribute, PathPrefix, Update
from bgp.wire.formats.mrt_values import Address, LegacyStateChange, Peer, Record, StateChange
from rib.as_path import EMPTY, AsPath
from rib.attributes import Aggregator
from rib.community import Community
from rib.prefix import Prefix


def message_head(record: Record, *, add_path: bool) -> str:
    """The first two fields for a message."""
    if record.microseconds is None:
        return f"BGP4MP{'_AP' if add_path else ''}|{record.time}"
    return f"BGP4MP_ET{'_AP' if add_path else ''}|{record.time}.{record.microseconds:06}"


def peer_text(peer: Peer) -> str:
    """The fields of a peer."""
    return f"{address_text(peer.address)}|{peer.asn}"


def state_line(record: Record, change: StateChange | LegacyStateChange) -> str:
    """The line of a change of state."""
    head = f"BGP|{record.time}" if isinstance(change, LegacyStateChange) else message_head(record, add_path=False)
    return f"{head}|STATE|{peer_text(change.peer)}|{change.old}|{change.new}"


def update_lines(head: str, peer: str, update: Update, *, as4: bool) -> Iterator[str]:
    """The lines of an UPDATE; `head` and `peer` are the fields before and after the kind of line."""
    reach, unreach = update.attribute(Code.MP_REACH_NLRI), update.attribute(Code.MP_UNREACH_NLRI)
    withdrawn = update.withdrawn + (unreach.value.nlri if unreach and isinstance(unreach.value, MpUnreach) else ())
    for place in _places(withdrawn):
        yield f"{head}|W|{peer}|{place}"
    # A plain NLRI field has the next hop of NEXT_HOP, whatever MP_REACH_NLRI says beside it.
    plain = tuple(one for one in update.attributes if one.code != Code.MP_REACH_NLRI)
    for place in _places(update.nlri):
        yield f"{head}|A|{peer}|{place}|{attributes_text(plain, as4)}"
    if reach and isinstance(reach.value, MpReach):
        for place in _places(reach.value.nlri):
            yield f"{head}|A|{peer}|{place}|{attributes_text(update.attributes, as4)}"


def address_text(address: Address) -> str:
    """An address in bgpdump's spelling."""
    return dump_text.address_text(address.packed)


def _places(elements: tuple[Nlri, ...]) -> list[str]:
    """The prefixes; bgpdump prints no other routes."""
    found: list[str] = []
    for one in elements:
        match one:
            case Prefix(afi=afi, nlri=nlri):
                found.append(prefix_text(afi, nlri))
            case PathPrefix(Prefix(afi=afi, nlri=nlri), path_id):
                found.append(f"{prefix_text(afi, nlri)}|{path_id}")
            case _:
                pass
    return found


def path_text(path: AsPath) -> str:
    """An AS_PATH in bgpdump's spelling."""
    if any(one.type not in BRACKETS for one in path.segments):
        return BAD_PATH
    return " ".join(segment_text(one.type, one.asns) for one in path.segments)


@lru_cache(maxsize=1 << 12)
def attributes_text(attributes: tuple[PathAttribute, ...], as4: bool) -> str:
    """The fields from AS_PATH on; `as4`: AS_PATH has 4-octet AS numbers, so that AS4_PATH says nothing (RFC 6793 4.1)."""
    values = {one.code: one.value for one in reversed(attributes)}
    origin = values.get(Code.ORIGIN, 2)
    next_hop = values.get(Code.NEXT_HOP, NO_NEXT_HOP)
    reach = values.get(Code.MP_REACH_NLRI)
    if isinstance(reach, MpReach) and reach.next_hops:
        next_hop = address_text(reach.next_hops[0])
    communities = values.get(Code.COMMUNITIES, ())
    found = communities if isinstance(communities, tuple) else ()
    words = " ".join(NAMES.get(one) or one.numbers for one in found if isinstance(one, Community))
    aggregator = _aggregator(values)
    return "|".join(
        (
            _path_text(values, as4),
            ORIGINS[origin] if isinstance(origin, int) else "INCOMPLETE",
            str(next_hop) if isinstance(next_hop, IPv4Address | IPv6Address | str) else NO_NEXT_HOP,
            str(_number(values.get(Code.LOCAL_PREF))),
            str(_number(values.get(Code.MULTI_EXIT_DISC))),
            words,
            "AG" if Code.ATOMIC_AGGREGATE in values else "NAG",
            ""
            if aggregator is None or aggregator.address.packed == NOBODY
            else f"{aggregator.asn} {aggregator.address}",
            "",
        )
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _path_text(values: Mapping[int, object], as4: bool) -> str:
    """The AS_PATH with what AS4_PATH knows better (RFC 6793 4.2.3)."""
    path, longer = values.get(Code.AS_PATH, EMPTY), values.get(Code.AS4_PATH)
    if not isinstance(path, AsPath):
        return BAD_PATH
    return path_text(path.merge_as4(longer) if isinstance(longer, AsPath) and not as4 else path)


def _aggregator(values: Mapping[int, object]) -> Aggregator | None:
    found, wider = values.get(Code.AGGREGATOR), values.get(Code.AS4_AGGREGATOR)
    if not isinstance(found, Aggregator):
        return None
    return wider if found.asn == AS_TRANS and isinstance(wider, Aggregator) else found
