"""Mobile user plane routes (draft-ietf-bess-mup-safi 3.1): segments, and sessions of a 5G core turned into routes."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import ClassVar, TypeAlias

from rib.prefix import Prefix
from rib.route_distinguisher import RouteDistinguisher
from rib.worded import Worded, Words, check_range, number, octets


@dataclass(frozen=True, slots=True, repr=False)
class InterworkSegment(Worded):
    """Type 1: a segment of the access side, the prefix that it serves."""

    HEAD = "mup-isd"
    WORDS: ClassVar[Words] = {"rd": RouteDistinguisher.parse, "prefix": Prefix}

    rd: RouteDistinguisher
    prefix: Prefix


@dataclass(frozen=True, slots=True, repr=False)
class DirectSegment(Worded):
    """Type 2: a segment of the network side, by the address of its PE."""

    HEAD = "mup-dsd"
    WORDS: ClassVar[Words] = {"rd": RouteDistinguisher.parse, "ip": ip_address}

    rd: RouteDistinguisher
    ip: IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True, repr=False)
class Type1Session(Worded):
    """Type 1 session transformed (type 3): a user's prefix, and the tunnel `teid` at `endpoint` that leads to it."""

    HEAD = "mup-t1st"
    WORDS: ClassVar[Words] = {
        "rd": RouteDistinguisher.parse,
        "prefix": Prefix,
        "teid": number(32),
        "qfi": number(8),
        "endpoint": ip_address,
        "source": ip_address,
    }

    rd: RouteDistinguisher
    prefix: Prefix
    teid: int
    qfi: int
    endpoint: IPv4Address | IPv6Address
    source: IPv4Address | IPv6Address | None = None

    def __post_init__(self) -> None:
        check_range("teid", self.teid, 32)
        check_range("qfi", self.qfi, 8)


@dataclass(frozen=True, slots=True, repr=False)
class Type2Session(Worded):
    """Type 2 session transformed (type 4): tunnels to `endpoint` whose identifiers begin with `bits` bits of `teid`."""

    HEAD = "mup-t2st"
    WORDS: ClassVar[Words] = {
        "rd": RouteDistinguisher.parse,
        "endpoint": ip_address,
        "teid": octets,
        "bits": number(8),
    }

    rd: RouteDistinguisher
    endpoint: IPv4Address | IPv6Address
    teid: bytes
    bits: int

    def __post_init__(self) -> None:
        if not 0 <= self.bits <= 32 or len(self.teid) != (self.bits + 7) // 8:
            raise ValueError(f"{self.bits} bits of a tunnel identifier in {len(self.teid)} octets")


@dataclass(frozen=True, slots=True, repr=False)
class UnknownMupRoute(Worded):
    """A route of an architecture or type that nobody here can read, kept octet for octet."""

    HEAD = "mup"
    WORDS: ClassVar[Words] = {"architecture": number(8), "type": number(16), "octets": octets}

    architecture: int
    type: int
    octets: bytes

    def __post_init__(self) -> None:
        check_range("architecture", self.architecture, 8)
        check_range("type", self.type, 16)


MupRoute: TypeAlias = InterworkSegment | DirectSegment | Type1Session | Type2Session | UnknownMupRoute
