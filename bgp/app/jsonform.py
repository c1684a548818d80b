"""Messages in their JSON normal form: what `bgp decode --json` prints, and what other decoders are compared by.

An attribute that is absent has no key. `attributes` lists [flags, type code, value length] in wire order.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address
from typing import Final, TypeAlias, assert_never

from bgp.capability import AddPath, FourOctetAs, Multiprotocol
from bgp.error import PeerError, Reaction, UpdateError
from bgp.iana import AttributeCode as Code
from bgp.iana import MessageType
from bgp.message import (
    TYPES,
    AttributeValue,
    Keepalive,
    Message,
    MpReach,
    MpUnreach,
    Nlri,
    Notification,
    Open,
    PathPrefix,
    RouteRefresh,
    Update,
)
from bgp.wire.attributes import encode_value
from bgp.wire.context import Context
from bgp.wire.nlri import is_read
from bgp.wire.sizes import HEADER_LENGTH
from bgp.wire.spelling import split
from rib.as_path import AsPath
from rib.attributes import Aggregator
from rib.community import Community, ExtendedCommunity, LargeCommunity
from rib.labelled import LabelledPrefix, VpnPrefix
from rib.prefix import Prefix
from rib.worded import Worded

Json: TypeAlias = "None | bool | int | float | str | list[Json] | dict[str, Json]"

#: Blocks and texts of addresses that are remembered: a file says the same again and again.
BLOCKS: Final = 1 << 12
TEXTS: Final = 1 << 12
#: RFC 4271 4.4: all there is to say of a KEEPALIVE.
KEEPALIVE_LENGTH: Final = 19


def message_json(message: Message, context: Context, octets: bytes | None = None) -> dict[str, Json]:
    """The normal form of `message`, which was read in `context` from `octets`, if from any."""
    match message:
        case Update():
            return _update(message, context, octets)
        case Open():
            return _open(message)
        case Notification(code, subcode, octets):
            return {"code": code, "subcode": subcode, "data": octets.hex()}
        case RouteRefresh(family, subtype):
            return {"afi": int(family.afi), "safi": int(family.safi), "subtype": subtype}
        case Keepalive():
            return {"length": KEEPALIVE_LENGTH}
        case _:
            assert_never(message)


def type_name(message: Message) -> str:
    """ "OPEN", "ROUTE-REFRESH", …"""
    return kind_name(TYPES[type(message)])


def kind_name(kind: int) -> str:
    """The name of a message type; "UNKNOWN-9" for one that is none."""
    return _KINDS.get(kind) or f"UNKNOWN-{kind}"


_KINDS: Final = {int(kind): kind.name.replace("_", "-") for kind in MessageType}


def error_json(error: PeerError | UpdateError) -> dict[str, Json]:
    """What is wrong, what it costs, and the NOTIFICATION for it."""
    reaction = error.reaction if isinstance(error, UpdateError) else Reaction.SESSION_RESET
    return {
        "reaction": str(reaction),
        "notification": [error.code, error.subcode, error.data.hex()],
        "reason": error.reason,
    }


def _open(message: Open) -> dict[str, Json]:
    found: dict[str, Json] = {
        "version": message.version,
        "my_as": message.my_as,
        "hold_time": message.hold_time,
        "bgp_id": str(message.bgp_id),
        "capabilities": [*sorted({int(capability.code) for capability in message.capabilities})],
    }
    capabilities = message.capabilities
    families = {one.family for one in capabilities if isinstance(one, Multiprotocol)}
    paths = {(*family, mode) for one in capabilities if isinstance(one, AddPath) for family, mode in one.families}
    for one in capabilities:
        if isinstance(one, FourOctetAs):
            found["asn4"] = one.asn
    if families:
        found["multiprotocol"] = [list(map(int, family)) for family in sorted(families)]
    if paths:
        found["add_path"] = [list(map(int, path)) for path in sorted(paths)]
    return found


def _update(update: Update, context: Context, octets: bytes | None) -> dict[str, Json]:
    found: dict[str, Json] = {
        "attributes": _heads(update, context, octets),
        "withdrawn": _nlri(update.withdrawn),
        "nlri": _nlri(update.nlri),
    }
    seen: set[int] = set()
    for one in update.attributes:
        # Octets stand for what is unknown or could not be read: `attributes` has its type and length.
        if one.code in seen or isinstance(one.value, bytes):
            continue
        seen.add(one.code)
        if isinstance(one.value, MpReach | MpUnreach):
            found.update(_mp(one.value, context))
        elif one.code in FIELDS:
            name, form = FIELDS[one.code]
            found[name] = form(one.value)
    return found


def _heads(update: Update, context: Context, octets: bytes | None) -> list[Json]:
    """[flags, type code, value length] of each attribute: from the octets it was read from, where they are at hand."""
    if octets is not None:
        start = HEADER_LENGTH + 2 + int.from_bytes(octets[HEADER_LENGTH : HEADER_LENGTH + 2], "big")
        end = start + 2 + int.from_bytes(octets[start : start + 2], "big")
        found = _heads_of(octets[start + 2 : end])
        if len(found) == len(update.attributes):
            return [*found]
    return [[one.flags, one.code, len(encode_value(one.code, one.value, context))] for one in update.attributes]


@lru_cache(maxsize=BLOCKS)
def _heads_of(block: bytes) -> list[list[Json]]:
    return [[flags, code, len(value)] for flags, code, value in split(block)[0]]


def _mp(value: MpReach | MpUnreach, context: Context) -> dict[str, Json]:
    name = "mp_reach" if isinstance(value, MpReach) else "mp_unreach"
    found: dict[str, Json] = {f"{name}_family": list(map(int, value.family))}
    withdrawn = isinstance(value, MpUnreach)
    if isinstance(value, MpReach) and value.next_hops:
        found["mp_reach_next_hop"] = [_address(address) for address in value.next_hops]
    if is_read(value.family, context) and not value.octets:
        found[f"{name}_nlri"] = _nlri(value.nlri, withdrawn)
    return found


@lru_cache(maxsize=TEXTS)
def _address(address: IPv4Address | IPv6Address) -> str:
    """In hexadecimal even where it is mapped from IPv4, which newer Pythons print in dotted form."""
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        return f"::ffff:{int(address) >> 16 & 0xFFFF:x}:{int(address) & 0xFFFF:x}"
    return str(address)


def _nlri(elements: tuple[Nlri, ...], withdrawn: bool = False) -> list[Json]:
    return [_one_nlri(one, withdrawn) for one in elements]


def _one_nlri(one: Nlri, withdrawn: bool) -> Json:
    if one.__class__ is Prefix:  # nearly all are
        return str(one)
    destination, path_id = (one.prefix, one.path_id) if isinstance(one, PathPrefix) else (one, None)
    if isinstance(destination, LabelledPrefix | VpnPrefix):
        found: dict[str, Json] = {"prefix": str(destination.prefix)}
        if not withdrawn:  # RFC 8277 2.4: what stands there then means nothing
            found["labels"] = list(destination.labels)
        if isinstance(destination, VpnPrefix):
            found["rd"] = str(destination.rd)
        if path_id is not None:
            found["path_id"] = path_id
        return found
    if isinstance(destination, Worded):
        fields: dict[str, Json] = {"route": destination.HEAD, **destination.named()}
        return fields if path_id is None else fields | {"path_id": path_id}
    return str(destination) if path_id is None else [str(destination), path_id]


def _path(value: AttributeValue) -> Json:
    assert isinstance(value, AsPath)
    return [[int(segment.type), list(segment.asns)] for segment in value.segments]


def _number(value: AttributeValue) -> Json:
    assert isinstance(value, int)
    return value if isinstance(value, bool) else int(value)


def _aggregator(value: AttributeValue) -> Json:
    assert isinstance(value, Aggregator)
    return [value.asn, str(value.address)]


@lru_cache(maxsize=TEXTS)
def _text(value: AttributeValue) -> Json:
    return str(value)


def _list(value: AttributeValue) -> Json:
    assert isinstance(value, tuple)
    return [_element(one) for one in value]


def _element(one: object) -> str:
    match one:
        case Community():
            return one.numbers
        case ExtendedCommunity():
            return one.hex()
        case LargeCommunity() | IPv4Address():
            return str(one)
        case _:
            raise TypeError(f"{one!r} is no element of a path attribute")


#: Attribute to the name and form of its value.
FIELDS: Final[dict[int, tuple[str, Callable[[AttributeValue], Json]]]] = {
    Code.ORIGIN: ("origin", _number),
    Code.AS_PATH: ("as_path", _path),
    Code.NEXT_HOP: ("next_hop", _text),
    Code.MULTI_EXIT_DISC: ("med", _number),
    Code.LOCAL_PREF: ("local_pref", _number),
    Code.ATOMIC_AGGREGATE: ("atomic_aggregate", _number),
    Code.AGGREGATOR: ("aggregator", _aggregator),
    Code.COMMUNITIES: ("communities", _list),
    Code.ORIGINATOR_ID: ("originator_id", _text),
    Code.CLUSTER_LIST: ("cluster_list", _list),
    Code.EXTENDED_COMMUNITIES: ("ext_communities", _list),
    Code.AS4_PATH: ("as4_path", _path),
    Code.AS4_AGGREGATOR: ("as4_aggregator", _aggregator),
    Code.LARGE_COMMUNITIES: ("large_communities", _list),
}
