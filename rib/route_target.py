"""Route target membership (RFC 4684): which route targets a speaker wants to hear of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rib.community import ExtendedCommunity
from rib.texted import Texted
from rib.worded import check_range, number

#: Of the origin AS and the route target (RFC 4684 4), in bits.
ORIGIN_BITS: Final = 32
ALL_BITS: Final = 96


@dataclass(frozen=True, slots=True)
class RouteTargetMembership(metaclass=Texted):
    """The route targets of an origin AS that begin with `bits` bits of `target`; without an origin, all of them.

    Text: "origin 65000 target:65000:1"; a prefix "origin 65000 0002fde8/32"; "default" for all.
    """

    origin: int | None = None
    target: bytes = b""
    bits: int = 0

    def __post_init__(self) -> None:
        check_range("origin", self.origin, ORIGIN_BITS)
        most = ALL_BITS - ORIGIN_BITS if self.origin is not None else 0
        if not 0 <= self.bits <= most or len(self.target) != (self.bits + 7) // 8:
            raise ValueError(f"{self.bits} bits of route target {self.target.hex()!r}")
        if self.bits % 8 and self.target[-1] & 0xFF >> self.bits % 8:
            raise ValueError(f"route target {self.target.hex()} has bits behind the first {self.bits}")

    @classmethod
    def parse(cls, text: str) -> RouteTargetMembership:
        """The membership of a text form. Raises ValueError."""
        match text.split():
            case ["default"]:
                return cls()
            case ["origin", origin, target] if "/" in target:
                octets, _, bits = target.partition("/")
                return cls(number(ORIGIN_BITS)(origin), bytes.fromhex(octets), number(8)(bits))
            case ["origin", origin, target]:
                return cls(number(ORIGIN_BITS)(origin), bytes(ExtendedCommunity.parse(target)), 64)
            case _:
                raise ValueError(f"{text!r}: write origin AS EXTENDED-COMMUNITY, or default")

    def __str__(self) -> str:
        if self.origin is None:
            return "default"
        whole = self.bits == ALL_BITS - ORIGIN_BITS
        target = str(ExtendedCommunity(self.target)) if whole else f"{self.target.hex()}/{self.bits}"
        return f"origin {self.origin} {target}"

    def __repr__(self) -> str:
        return f"RouteTargetMembership({str(self)!r})"
