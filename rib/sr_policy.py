"""Segment routing policies (RFC 9830 2.1): which candidate path an UPDATE is about."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import ClassVar

from rib.worded import Worded, Words, check_range, number


@dataclass(frozen=True, slots=True, repr=False)
class SrPolicy(Worded):
    """A candidate path, told apart by `distinguisher`, of the policy to `endpoint` with `color`."""

    HEAD = "sr-policy"
    WORDS: ClassVar[Words] = {"distinguisher": number(32), "color": number(32), "endpoint": ip_address}

    distinguisher: int
    color: int
    endpoint: IPv4Address | IPv6Address

    def __post_init__(self) -> None:
        check_range("distinguisher", self.distinguisher, 32)
        check_range("color", self.color, 32)
