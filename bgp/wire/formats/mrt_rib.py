"""The path attributes of table dumps, which are not quite those of an UPDATE (RFC 6396 4.3.4).

MP_REACH_NLRI of a RIB entry is cut down to the length of the next hop and the next hop. Some collectors write it whole, and
so does TABLE_DUMP. `rib_update` takes either and gives the UPDATE that would announce the route; `rib_attributes` writes
the form of the RFC.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

from bgp.error import UpdateError
from bgp.iana import AttributeCode as Code
from bgp.message import MpReach, Nlri, PathAttribute, Update
from bgp.wire.attributes import encode_value
from bgp.wire.context import Context
from bgp.wire.fields import FAMILY, build
from bgp.wire.nlri import decode_mp_reach, decode_nlri
from bgp.wire.spelling import attribute
from bgp.wire.update import decode_attributes
from rib.family import IPV4_UNICAST, Family


def rib_update(attributes: bytes, family: Family, nlri: bytes, context: Context) -> Update:
    """A route of a table dump as the UPDATE that would announce it; `nlri` with its path identifier as `context` has it.

    Raises Malformed, and PeerError, for what cannot be read.
    """
    found, errors = _attributes(attributes, family, context)
    elements = decode_nlri(family, nlri, context)
    if not any(one.code == Code.MP_REACH_NLRI for one in found):
        plain = family == IPV4_UNICAST
        return Update(attributes=found, nlri=elements if plain else (), errors=errors)
    whole = tuple(_with(one, elements) for one in found)
    return Update(attributes=whole, errors=errors)


def _with(one: PathAttribute, elements: tuple[Nlri, ...]) -> PathAttribute:
    if isinstance(one.value, MpReach):
        return replace(one, value=replace(one.value, nlri=elements))
    return one


@lru_cache(maxsize=1 << 12)  # one block serves many prefixes of a dump; they come close together
def _attributes(
    octets: bytes, family: Family, context: Context
) -> tuple[tuple[PathAttribute, ...], tuple[UpdateError, ...]]:
    def reach(value: bytes) -> MpReach:
        return decode_mp_reach(_without_nlri(family, value), context)

    attributes, errors = decode_attributes(octets, context, {Code.MP_REACH_NLRI: reach})
    return tuple(attributes), tuple(errors)


def next_hop_of(value: bytes) -> bytes:
    """The next hop of MP_REACH_NLRI, cut down or whole; as much of it as is there."""
    size, at = (value[3], 4) if len(value) > 4 and value[0] == 0 else (value[0] if value else 0, 1)
    return value[at : at + size]


def _without_nlri(family: Family, value: bytes) -> bytes:
    next_hop = next_hop_of(value)
    return build(FAMILY, family) + bytes((len(next_hop),)) + next_hop + b"\0"


def rib_attributes(update: Update, context: Context) -> bytes:
    """The attribute block of a RIB entry (RFC 6396 4.3.4) with the attributes of `update`. Raises Malformed."""
    return b"".join(_encoded(one, context) for one in update.attributes)


def _encoded(one: PathAttribute, context: Context) -> bytes:
    value = encode_value(one.code, one.value, context)
    if one.code == Code.MP_REACH_NLRI:
        value = value[3 : 4 + value[3]]
    extended = attribute(one.flags, one.code, value)
    if one.flags & 0x10 and len(value) < 256:
        return bytes((one.flags, one.code, 0, len(value))) + value
    return extended if len(value) > 255 else bytes((one.flags,)) + extended[1:]
