"""Values of the path attributes that nearly every route has, read without construct from octets that `check` let through.

A property test holds each reader equal to the declaration of its attribute.
"""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from struct import unpack
from typing import Final

from bgp.iana import AttributeCode as Code
from bgp.message import AttributeValue
from bgp.wire.context import Context
from bgp.wire.spelling import ORIGINS, community_of, extended_of, large_of, path_from_octets
from rib.attributes import Aggregator
from rib.community import Community, ExtendedCommunity, LargeCommunity


def _number(value: bytes, context: Context) -> int:
    return int.from_bytes(value, "big")


def _address(value: bytes, context: Context) -> IPv4Address:
    return IPv4Address(value)


def _aggregator(value: bytes, context: Context) -> Aggregator:
    return Aggregator(int.from_bytes(value[:-4], "big"), IPv4Address(value[-4:]))


def _communities(value: bytes, context: Context) -> tuple[Community, ...]:
    return tuple(map(community_of, unpack(f">{len(value) // 4}I", value)))


def _ext_communities(value: bytes, context: Context) -> tuple[ExtendedCommunity, ...]:
    return tuple([extended_of(value[at : at + 8]) for at in range(0, len(value), 8)])


def _large_communities(value: bytes, context: Context) -> tuple[LargeCommunity, ...]:
    numbers = iter(unpack(f">{len(value) // 4}I", value))
    return tuple(map(large_of, zip(numbers, numbers, numbers, strict=True)))


#: By type code; those of AS numbers ask the context how long one is.
READERS: Final[dict[int, Callable[[bytes, Context], AttributeValue]]] = {
    Code.ORIGIN: lambda value, context: ORIGINS[value[0]],
    Code.AS_PATH: lambda value, context: path_from_octets(value, 4 if context.as4 else 2),
    Code.NEXT_HOP: _address,
    Code.MULTI_EXIT_DISC: _number,
    Code.LOCAL_PREF: _number,
    Code.ATOMIC_AGGREGATE: lambda value, context: True,
    Code.AGGREGATOR: _aggregator,
    Code.COMMUNITIES: _communities,
    Code.ORIGINATOR_ID: _address,
    Code.CLUSTER_LIST: lambda value, context: tuple(IPv4Address(value[at : at + 4]) for at in range(0, len(value), 4)),
    Code.EXTENDED_COMMUNITIES: _ext_communities,
    Code.AS4_PATH: lambda value, context: path_from_octets(value),
    Code.AS4_AGGREGATOR: _aggregator,
    Code.LARGE_COMMUNITIES: _large_communities,
    Code.ONLY_TO_CUSTOMER: _number,
}


def next_hops(octets: bytes) -> tuple[IPv4Address | IPv6Address, ...]:
    """The addresses of a next hop of 4, 16 or 32 octets."""
    if len(octets) == 4:
        return (IPv4Address(octets),)
    return tuple(IPv6Address(octets[at : at + 16]) for at in range(0, len(octets), 16))
