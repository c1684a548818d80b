"""Communities: RFC 1997's, RFC 4360's extended and RFC 8092's large ones, each with one text form."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Final, NamedTuple, Self, overload

from rib.extended import EXTENDED, EXTENDED6
from rib.kinds import Registry

#: IANA's well-known communities.
WELL_KNOWN: Final[dict[int, str]] = {
    0xFFFF0000: "graceful-shutdown",  # RFC 8326
    0xFFFF0001: "accept-own",  # RFC 7611
    0xFFFF0002: "route-filter-translated-v4",  # draft-l3vpn-legacy-rtc
    0xFFFF0003: "route-filter-v4",  # draft-l3vpn-legacy-rtc
    0xFFFF0004: "route-filter-translated-v6",  # draft-l3vpn-legacy-rtc
    0xFFFF0005: "route-filter-v6",  # draft-l3vpn-legacy-rtc
    0xFFFF0006: "llgr-stale",  # RFC 9494
    0xFFFF0007: "no-llgr",  # RFC 9494
    0xFFFF0008: "accept-own-nexthop",  # draft-agrewal-idr-accept-own-nexthop
    0xFFFF0009: "standby-pe",  # RFC 9026
    0xFFFF029A: "blackhole",  # RFC 7999
    0xFFFFFF01: "no-export",  # RFC 1997
    0xFFFFFF02: "no-advertise",  # RFC 1997
    0xFFFFFF03: "no-export-subconfed",  # RFC 1997
    0xFFFFFF04: "no-peer",  # RFC 3765
}
_BY_NAME: Final = {name: value for value, name in WELL_KNOWN.items()}


class Community(int):
    """A community (RFC 1997), as its 32-bit number. Text: "65000:1", or the name of a well-known one."""

    __slots__ = ()

    def __new__(cls, value: int | str) -> Self:
        """Of its number or its text. Raises ValueError."""
        return super().__new__(cls, _number_of(value) if isinstance(value, str) else value)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The community of a text form. Raises ValueError."""
        return cls(text)

    @property
    def numbers(self) -> str:
        """ "65535:65281": the two halves, whatever the name."""
        return f"{self >> 16}:{self & 0xFFFF}"

    def __str__(self) -> str:
        return WELL_KNOWN.get(int(self)) or self.numbers

    def __repr__(self) -> str:
        return f"Community({str(self)!r})"


def _number_of(text: str) -> int:
    if text in _BY_NAME:
        return _BY_NAME[text]
    high, separator, low = text.partition(":")
    if separator and high.isdecimal() and low.isdecimal() and int(high) < 1 << 16 and int(low) < 1 << 16:
        return int(high) << 16 | int(low)
    raise ValueError(f"{text!r} is not a community: write AS:VALUE, both below 65536, or a well-known name")


#: RFC 8326: the way that the route leads is about to go.
GRACEFUL_SHUTDOWN: Final = Community(0xFFFF0000)


class _Large(NamedTuple):
    global_admin: int
    local1: int
    local2: int


class LargeCommunity(_Large):
    """A large community (RFC 8092), three numbers of 32 bits. Text: "65000:1:2"."""

    __slots__ = ()

    @overload
    def __new__(cls, global_admin: str) -> Self: ...
    @overload
    def __new__(cls, global_admin: int, local1: int, local2: int) -> Self: ...
    def __new__(cls, global_admin: int | str, *local: int, **named: int) -> Self:
        """Of its numbers or its text. Raises ValueError."""
        if isinstance(global_admin, str):
            global_admin, *local = _three_numbers(global_admin)  # type: ignore[assignment]
        return super().__new__(cls, global_admin, *local, **named)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The large community of a text form. Raises ValueError."""
        return cls(text)

    def __str__(self) -> str:
        return f"{self.global_admin}:{self.local1}:{self.local2}"

    def __repr__(self) -> str:
        return f"LargeCommunity({str(self)!r})"


def _three_numbers(text: str) -> tuple[int, int, int]:
    parts = text.split(":")
    if len(parts) != 3 or not all(part.isdecimal() and int(part) < 1 << 32 for part in parts):
        raise ValueError(f"{text!r} is not a large community: write A:B:C, each below 4294967296")
    first, second, third = map(int, parts)
    return first, second, third


class ExtendedCommunity(bytes):
    """An extended community (RFC 4360), as its eight octets. Text: "target:65000:1", "mac-mobility:5:sticky", … or 16 hex
    digits for a kind that `rib.extended` does not know.
    """

    __slots__ = ()
    registry: ClassVar[Registry] = EXTENDED
    size: ClassVar[int] = 8

    def __new__(cls, octets: bytes | str) -> Self:
        """Of its octets or its text. Raises ValueError, also unless there are as many octets as there must be."""
        if isinstance(octets, str):
            return cls.parse(octets)
        if len(octets) != cls.size:
            raise ValueError(f"an extended community has {cls.size} octets, not {len(octets)}")
        return super().__new__(cls, octets)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The extended community of a text form. Raises ValueError."""
        try:
            if re.fullmatch(rf"(0x)?[0-9a-fA-F]{{{2 * cls.size}}}", text):
                return cls(bytes.fromhex(text.removeprefix("0x")))
            return cls(cls.registry.parse(text))
        except ValueError as error:
            raise ValueError(
                f"{text!r} is not an extended community ({error}): write target:AS:N, origin:AS:N, … "
                f"or {2 * cls.size} hex digits"
            ) from None

    @classmethod
    def make(cls, kind: str, value: object) -> Self:
        """The community of a kind's name and its value, `MacMobility` for "mac-mobility" and so on. Raises ValueError."""
        return cls(cls.registry.make(kind, value))

    @property
    def kind(self) -> str:
        """The name of the kind: "target", "encapsulation", …; empty for one that is not known."""
        found = self.registry.read(self)
        return "" if found is None else found[0].name

    @property
    def value(self) -> Any:
        """What it says, a NamedTuple of `rib.extended`; None where the kind is not known."""
        found = self.registry.read(self)
        return None if found is None else found[1]

    @property
    def is_transitive(self) -> bool:
        """Whether it may leave the AS (RFC 4360 2)."""
        return not self[0] & 0x40

    def __str__(self) -> str:
        return self.registry.show(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class Ipv6ExtendedCommunity(ExtendedCommunity):
    """An IPv6 address specific extended community (RFC 5701), as its twenty octets. Text: "target:[2001:db8::1]:100"."""

    __slots__ = ()
    registry = EXTENDED6
    size = 20
