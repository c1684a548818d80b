"""The path attributes of table dumps, which are not quite those of an UPDATE (RFC 6396 4.3.4).

MP_REACH_NLRI of a RIB entry is cut down to the length of the next hop and the next hop. Some collectors write it whole, and
so does TABLE_DUMP. `RibDecoder` takes either and gives the UPDATE that would announce the route; `rib_attributes` writes
the form of the RFC.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from bgp.iana import AttributeCode as Code
from bgp.message import PathAttribute, Update
from bgp.wire.attributes import encode_value
from bgp.wire.codes import EXTENDED_LENGTH
from bgp.wire.context import Context
from bgp.wire.decoder import UpdateDecoder
from bgp.wire.fields import FAMILY, Malformed, build
from bgp.wire.formats.mrt_reach import next_hop_of
from bgp.wire.spelling import split
from rib.family import IPV4_UNICAST, Family


class RibDecoder:
    """Reads the routes of table dumps, one after the other."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._decoder = UpdateDecoder(context)

    def update(self, body: bytes) -> Update:
        """The message in a body that `update_body` made. Raises PeerError where it cannot be read."""
        return self._decoder.decode(body)


def update_body(attributes: bytes, family: Family, nlri: bytes) -> bytes:
    """The body of the UPDATE that would announce a route; `nlri` with its path identifier, if it has one.

    Without MP_REACH_NLRI there is no place for the NLRI of other families than IPv4 unicast: they are left out.
    Raises Malformed for attributes that fit no message.
    """
    reach = _reach_of(attributes)
    if reach is None:
        plain = nlri if family == IPV4_UNICAST else b""
        return b"\0\0" + _counted(attributes) + plain
    value = build(FAMILY, family) + bytes((len(reach.next_hop),)) + reach.next_hop + b"\0" + nlri
    return b"\0\0" + _counted(reach.before + _spelled(reach.flags, Code.MP_REACH_NLRI, value) + reach.after)


def _counted(octets: bytes) -> bytes:
    if len(octets) > 0xFFFF:
        raise Malformed(f"path attributes of {len(octets)} octets")
    return len(octets).to_bytes(2, "big") + octets


class _Reach(NamedTuple):
    """MP_REACH_NLRI in a block, and what is around it."""

    before: bytes
    flags: int
    next_hop: bytes
    after: bytes


@lru_cache(maxsize=1 << 12)  # one block serves many prefixes of a dump; they come close together
def _reach_of(block: bytes) -> _Reach | None:
    found, rest = split(block)
    for place, (flags, code, value) in enumerate(found):
        if code == Code.MP_REACH_NLRI:
            before = b"".join(_spelled(*one) for one in found[:place])
            after = b"".join(_spelled(*one) for one in found[place + 1 :]) + rest
            return _Reach(before, flags, next_hop_of(value), after)
    return None


def rib_attributes(update: Update, context: Context) -> bytes:
    """The attribute block of a RIB entry (RFC 6396 4.3.4) with the attributes of `update`. Raises Malformed."""
    return b"".join(_encoded(one, context) for one in update.attributes)


def _encoded(one: PathAttribute, context: Context) -> bytes:
    value = encode_value(one.code, one.value, context)
    if one.code == Code.MP_REACH_NLRI:
        value = value[3 : 4 + value[3]]
    return _spelled(one.flags, one.code, value)


def _spelled(flags: int, code: int, value: bytes) -> bytes:
    """One attribute; its length has two octets where its flags say so or the value needs it."""
    if len(value) > 255:
        flags |= EXTENDED_LENGTH
    return bytes((flags, code)) + len(value).to_bytes(2 if flags & EXTENDED_LENGTH else 1, "big") + value
