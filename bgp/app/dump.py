"""MRT records as the lines of `bgpdump -m`, which scripts everywhere read.

TYPE|time|A or B|peer|peer AS|prefix[|path id]|AS_PATH|ORIGIN|next hop|LOCAL_PREF|MED|communities|AG or NAG|aggregator|
TYPE|time|W|peer|peer AS|prefix[|path id]
TYPE|time|STATE|peer|peer AS|old|new
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from socket import AF_INET6, inet_ntop
from typing import Final

from bgp.iana import AttributeCode as Code
from bgp.message import MpReach, MpUnreach, Nlri, PathAttribute, PathPrefix, Update
from bgp.wire.formats.mrt import MessageRecord, Record, RibEntry, StateChange
from rib.as_path import AsPath
from rib.attributes import Aggregator
from rib.community import Community

ORIGINS: Final = ("IGP", "EGP", "INCOMPLETE")
#: What bgpdump calls the well-known communities; it has numbers for all others.
NAMES: Final = {0xFFFFFF01: "no-export", 0xFFFFFF02: "no-advertise", 0xFFFFFF03: "local-AS"}
#: What bgpdump prints for a next hop that is not there.
NO_NEXT_HOP: Final = "255.255.255.255"
AS_TRANS: Final = 23456


def lines(record: Record, update: Update | None) -> Iterator[str]:
    """The lines of a record; `update` is its message where that is an UPDATE. Nothing for other messages."""
    match record.content:
        case RibEntry() as entry:
            head = f"TABLE_DUMP{'2' if entry.version == 2 else ''}{'' if entry.path_id is None else '_AP'}"
            peer = f"{record.time}|B|{_address(entry.peer.address)}|{entry.peer.asn}"
            element = entry.prefix if entry.path_id is None else PathPrefix(entry.prefix, entry.path_id)
            yield f"{head}|{peer}|{_nlri(element)}|{_attributes(entry.update.attributes)}"
        case StateChange(peer=peer, old=old, new=new):
            yield f"{_type(record, False)}|{_time(record)}|STATE|{_address(peer.address)}|{peer.asn}|{old}|{new}"
        case MessageRecord() as message if update is not None:
            yield from _update(record, message, update)


def _update(record: Record, message: MessageRecord, update: Update) -> Iterator[str]:
    head = f"{_type(record, bool(message.context.add_path))}|{_time(record)}"
    peer = f"{_address(message.peer.address)}|{message.peer.asn}"
    reach, unreach = update.attribute(Code.MP_REACH_NLRI), update.attribute(Code.MP_UNREACH_NLRI)
    withdrawn = update.withdrawn + (unreach.value.nlri if unreach and isinstance(unreach.value, MpUnreach) else ())
    for one in withdrawn:
        yield f"{head}|W|{peer}|{_nlri(one)}"
    # A plain NLRI field has the next hop of NEXT_HOP, whatever MP_REACH_NLRI says beside it.
    plain = tuple(one for one in update.attributes if one.code != Code.MP_REACH_NLRI)
    for one in update.nlri:
        yield f"{head}|A|{peer}|{_nlri(one)}|{_attributes(plain)}"
    if reach and isinstance(reach.value, MpReach):
        for one in reach.value.nlri:
            yield f"{head}|A|{peer}|{_nlri(one)}|{_attributes(update.attributes)}"


def _type(record: Record, add_path: bool) -> str:
    return f"BGP4MP{'' if record.microseconds is None else '_ET'}{'_AP' if add_path else ''}"


def _time(record: Record) -> str:
    return str(record.time) if record.microseconds is None else f"{record.time}.{record.microseconds:06}"


def _address(address: IPv4Address | IPv6Address) -> str:
    """As inet_ntop has it: what is mapped from IPv4 in dotted form."""
    return inet_ntop(AF_INET6, address.packed) if address.version == 6 else str(address)


def _nlri(one: Nlri) -> str:
    return f"{one.prefix}|{one.path_id}" if isinstance(one, PathPrefix) else str(one)


@lru_cache(maxsize=1 << 12)  # a table dump has the same block for one prefix after the other
def _attributes(attributes: tuple[PathAttribute, ...]) -> str:
    values = {one.code: one.value for one in reversed(attributes)}
    origin = values.get(Code.ORIGIN, 2)
    path, next_hop = _path(values), values.get(Code.NEXT_HOP, NO_NEXT_HOP)
    reach = values.get(Code.MP_REACH_NLRI)
    if isinstance(reach, MpReach) and reach.next_hops:
        next_hop = _address(reach.next_hops[0])
    communities = values.get(Code.COMMUNITIES, ())
    assert isinstance(communities, tuple)
    words = " ".join(NAMES.get(one) or one.numbers for one in communities if isinstance(one, Community))
    aggregator = _aggregator(values)
    return "|".join(
        (
            str(path),
            ORIGINS[origin] if isinstance(origin, int) else "INCOMPLETE",
            str(next_hop),
            str(_number(values.get(Code.LOCAL_PREF))),
            str(_number(values.get(Code.MULTI_EXIT_DISC))),
            words,
            "AG" if Code.ATOMIC_AGGREGATE in values else "NAG",
            "" if aggregator is None else f"{aggregator.asn} {aggregator.address}",
            "",
        )
    )


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _path(values: Mapping[int, object]) -> AsPath:
    """The AS_PATH with what AS4_PATH knows better (RFC 6793 4.2.3)."""
    path, longer = values.get(Code.AS_PATH), values.get(Code.AS4_PATH)
    if not isinstance(path, AsPath):
        return AsPath()
    return path.merge_as4(longer) if isinstance(longer, AsPath) else path


def _aggregator(values: Mapping[int, object]) -> Aggregator | None:
    found, wider = values.get(Code.AGGREGATOR), values.get(Code.AS4_AGGREGATOR)
    if not isinstance(found, Aggregator):
        return None
    return wider if found.asn == AS_TRANS and isinstance(wider, Aggregator) else found
