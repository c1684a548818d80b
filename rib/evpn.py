"""EVPN routes (RFC 7432 7, RFC 9136 3): what a PE says of the Ethernet networks behind it.

A label has 24 bits here: a VNI has them all (RFC 8365 5.1.3), an MPLS label is the upper 20 (RFC 7432 7). Which of the two
it is, the Encapsulation extended community says.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import ClassVar, Final, TypeAlias

from rib.ethernet import Esi, MacAddress
from rib.prefix import Prefix
from rib.route_distinguisher import RouteDistinguisher
from rib.worded import Worded, Words, check_range, number, octets

LABEL_BITS: Final = 24


@dataclass(frozen=True, slots=True, repr=False)
class EthernetAutoDiscovery(Worded):
    """Type 1 (RFC 7432 7.1): a PE reaches an Ethernet segment."""

    HEAD = "ethernet-ad"
    WORDS: ClassVar[Words] = {
        "rd": RouteDistinguisher.parse,
        "esi": Esi.parse,
        "tag": number(32),
        "label": number(LABEL_BITS),
    }

    rd: RouteDistinguisher
    esi: Esi
    tag: int
    label: int

    def __post_init__(self) -> None:
        check_range("tag", self.tag, 32)
        check_range("label", self.label, LABEL_BITS)


@dataclass(frozen=True, slots=True, repr=False)
class MacIpAdvertisement(Worded):
    """Type 2 (RFC 7432 7.2): a host's MAC address and, if known, its IP address. `label2` is for routing (RFC 9135)."""

    HEAD = "mac-ip"
    WORDS: ClassVar[Words] = {
        "rd": RouteDistinguisher.parse,
        "esi": Esi.parse,
        "tag": number(32),
        "mac": MacAddress.parse,
        "ip": ip_address,
        "label": number(LABEL_BITS),
        "label2": number(LABEL_BITS),
    }

    rd: RouteDistinguisher
    esi: Esi
    tag: int
    mac: MacAddress
    label: int
    ip: IPv4Address | IPv6Address | None = None
    label2: int | None = None

    def __post_init__(self) -> None:
        check_range("tag", self.tag, 32)
        check_range("label", self.label, LABEL_BITS)
        check_range("label2", self.label2, LABEL_BITS)


@dataclass(frozen=True, slots=True, repr=False)
class InclusiveMulticast(Worded):
    """Type 3 (RFC 7432 7.3): a PE wants broadcast, unknown unicast and multicast; `ip` is its address."""

    HEAD = "inclusive-multicast"
    WORDS: ClassVar[Words] = {"rd": RouteDistinguisher.parse, "tag": number(32), "ip": ip_address}

    rd: RouteDistinguisher
    tag: int
    ip: IPv4Address | IPv6Address

    def __post_init__(self) -> None:
        check_range("tag", self.tag, 32)


@dataclass(frozen=True, slots=True, repr=False)
class EthernetSegment(Worded):
    """Type 4 (RFC 7432 7.4): a PE, of address `ip`, is attached to an Ethernet segment."""

    HEAD = "ethernet-segment"
    WORDS: ClassVar[Words] = {"rd": RouteDistinguisher.parse, "esi": Esi.parse, "ip": ip_address}

    rd: RouteDistinguisher
    esi: Esi
    ip: IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True, repr=False)
class IpPrefix(Worded):
    """Type 5 (RFC 9136 3.1): an IP prefix. The one of `esi` and `gateway` that is not zero is its overlay index."""

    HEAD = "ip-prefix"
    WORDS: ClassVar[Words] = {
        "rd": RouteDistinguisher.parse,
        "esi": Esi.parse,
        "tag": number(32),
        "prefix": Prefix,
        "gateway": ip_address,
        "label": number(LABEL_BITS),
    }

    rd: RouteDistinguisher
    esi: Esi
    tag: int
    prefix: Prefix
    gateway: IPv4Address | IPv6Address
    label: int

    def __post_init__(self) -> None:
        check_range("tag", self.tag, 32)
        check_range("label", self.label, LABEL_BITS)
        if (self.prefix.afi == 1) is not (self.gateway.version == 4):
            raise ValueError(f"prefix {self.prefix} and gateway {self.gateway} are of two families")
        if any(self.esi) and int(self.gateway):
            raise ValueError(f"two overlay indexes: {self.esi} and {self.gateway} (RFC 9136 3.2)")


@dataclass(frozen=True, slots=True, repr=False)
class UnknownEvpnRoute(Worded):
    """A route of a type that is none of the five, kept octet for octet."""

    HEAD = "evpn"
    WORDS: ClassVar[Words] = {"type": number(8), "octets": octets}

    type: int
    octets: bytes

    def __post_init__(self) -> None:
        check_range("type", self.type, 8)


EvpnRoute: TypeAlias = (
    EthernetAutoDiscovery | MacIpAdvertisement | InclusiveMulticast | EthernetSegment | IpPrefix | UnknownEvpnRoute
)
