"""Multicast VPN routes (RFC 6514 4), by type and octets: nobody here looks into them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from rib.worded import Worded, Words, check_range, number, octets


@dataclass(frozen=True, slots=True, repr=False)
class McastVpnRoute(Worded):
    """A route of one of the seven types of RFC 6514, or of a later one."""

    HEAD = "mcast-vpn"
    WORDS: ClassVar[Words] = {"type": number(8), "octets": octets}

    type: int
    octets: bytes

    def __post_init__(self) -> None:
        check_range("type", self.type, 8)
