"""VPLS routes: blocks of labels (RFC 4761 3.2.2) and the members found by discovery (RFC 6074 3.2.2.1)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import ClassVar, TypeAlias

from rib.route_distinguisher import RouteDistinguisher
from rib.worded import Worded, Words, check_range, number


@dataclass(frozen=True, slots=True, repr=False)
class VplsBlock(Worded):
    """Labels of the site `ve` for its peers `offset` to `offset` + `size`. `base` has 24 bits, the label in the upper 20."""

    HEAD = "vpls"
    WORDS: ClassVar[Words] = {
        "rd": RouteDistinguisher.parse,
        "ve": number(16),
        "offset": number(16),
        "size": number(16),
        "base": number(24),
    }

    rd: RouteDistinguisher
    ve: int
    offset: int
    size: int
    base: int

    def __post_init__(self) -> None:
        for name, bits in (("ve", 16), ("offset", 16), ("size", 16), ("base", 24)):
            check_range(name, getattr(self, name), bits)


@dataclass(frozen=True, slots=True, repr=False)
class VplsMember(Worded):
    """A PE, of address `ip`, that serves the VPLS of `rd`."""

    HEAD = "vpls-member"
    WORDS: ClassVar[Words] = {"rd": RouteDistinguisher.parse, "ip": IPv4Address}

    rd: RouteDistinguisher
    ip: IPv4Address


VplsRoute: TypeAlias = VplsBlock | VplsMember
