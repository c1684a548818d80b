"""What a message says beyond its normal form, as JSON: typed attributes, kinds of communities, capabilities, filters, texts.

A frozen value becomes an object of its fields, a named tuple too; octets become hexadecimal digits. TLVs that nobody reads
are {"type", "value"} with the digits; a value that says something by being there is true.
"""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from bgp.app.jsonform import FIELDS, Json
from bgp.capability import FourOctetAs, Multiprotocol
from bgp.iana import AttributeCode as Code
from bgp.iana import CapabilityCode
from bgp.message import Message, MpReach, MpUnreach, Notification, Open, RouteRefresh, Update
from bgp.wire.attributes import name_of
from rib.as_path import AsPath
from rib.community import Community, ExtendedCommunity, LargeCommunity
from rib.family import Family
from rib.prefix import Prefix
from rib.route_distinguisher import RouteDistinguisher

#: Values whose text says it all.
_TEXTS: Final = (
    AsPath,
    Community,
    ExtendedCommunity,
    Family,
    IPv4Address,
    IPv6Address,
    LargeCommunity,
    Prefix,
    RouteDistinguisher,
)
#: Attributes whose normal form leaves something to say: that of extended communities is digits.
_SAID: Final = frozenset(FIELDS) - {Code.EXTENDED_COMMUNITIES}


def details(message: Message) -> dict[str, Json]:
    """By name; empty where the normal form says all there is."""
    match message:
        case Update():
            return {
                name_of(one.code).lower(): plain(one.value)
                for one in reversed(message.attributes)  # the first one of a code counts
                if one.code not in _SAID and not isinstance(one.value, bytes | MpReach | MpUnreach)
            }
        case Open():
            said = [one for one in message.capabilities if not isinstance(one, FourOctetAs | Multiprotocol)]
            return {_capability(int(one.code)): plain(one) for one in said}
        case Notification():
            return {"text": str(message)}
        case RouteRefresh(orf=orf) if orf:
            return {"orf": plain(orf)}
        case _:
            return {}


def _capability(code: int) -> str:
    try:
        return CapabilityCode(code).name.lower()
    except ValueError:
        return f"capability_{code}"


def plain(value: object) -> Json:
    """A value as JSON."""
    if isinstance(value, _TEXTS):
        return str(value)
    if value is None or isinstance(value, bool | float | str):
        return value
    if isinstance(value, IntEnum):
        return value.name.lower().replace("_", "-")
    if isinstance(value, int):
        return int(value)
    if isinstance(value, bytes):
        return value.hex()
    if is_dataclass(value):
        found = {field.name: plain(getattr(value, field.name)) for field in fields(value)}
        if isinstance(number := getattr(value, "type", None), int):
            found = {"type": int(number), **found}  # of a TLV that is read: its class has the number
        return found or True
    if isinstance(value, tuple):
        if hasattr(value, "_asdict"):
            return {name: plain(one) for name, one in value._asdict().items()}
        return [plain(one) for one in value]
    return str(value)
