"""Communities: RFC 1997's, RFC 4360's extended and RFC 8092's large ones, each with one text form."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Final, NamedTuple

#: IANA's well-known communities.
WELL_KNOWN: Final[dict[int, str]] = {
    0xFFFF0000: "graceful-shutdown",  # RFC 8326
    0xFFFF0001: "accept-own",  # RFC 7611
    0xFFFF0006: "llgr-stale",  # RFC 9494
    0xFFFF0007: "no-llgr",  # RFC 9494
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

    @classmethod
    def parse(cls, text: str) -> Community:
        """The community of a text form. Raises ValueError."""
        if text in _BY_NAME:
            return cls(_BY_NAME[text])
        high, separator, low = text.partition(":")
        if separator and high.isdecimal() and low.isdecimal() and int(high) < 1 << 16 and int(low) < 1 << 16:
            return cls(int(high) << 16 | int(low))
        raise ValueError(f"{text!r} is not a community: write AS:VALUE, both below 65536, or a well-known name")

    @property
    def numbers(self) -> str:
        """ "65535:65281": the two halves, whatever the name."""
        return f"{self >> 16}:{self & 0xFFFF}"

    def __str__(self) -> str:
        return WELL_KNOWN.get(int(self)) or self.numbers

    def __repr__(self) -> str:
        return f"Community({str(self)!r})"


class LargeCommunity(NamedTuple):
    """A large community (RFC 8092). Text: "65000:1:2"."""

    global_admin: int
    local1: int
    local2: int

    @classmethod
    def parse(cls, text: str) -> LargeCommunity:
        """The large community of a text form. Raises ValueError."""
        parts = text.split(":")
        if len(parts) != 3 or not all(part.isdecimal() and int(part) < 1 << 32 for part in parts):
            raise ValueError(f"{text!r} is not a large community: write A:B:C, each below 4294967296")
        return cls(*map(int, parts))

    def __str__(self) -> str:
        return f"{self.global_admin}:{self.local1}:{self.local2}"


#: RFC 4360 4, 5: subtypes with the two-octet-AS, IPv4-address and four-octet-AS layouts.
_SUBTYPES: Final[dict[int, str]] = {2: "rt", 3: "ro"}
_SUBTYPE_NUMBERS: Final = {name: number for number, name in _SUBTYPES.items()}


class ExtendedCommunity(bytes):
    """An extended community (RFC 4360), as its eight octets. Text: "rt:65000:1", "ro:10.0.0.1:1", else 16 hex digits."""

    __slots__ = ()

    def __new__(cls, octets: bytes) -> ExtendedCommunity:
        """Raises ValueError unless there are eight octets."""
        if len(octets) != 8:
            raise ValueError(f"an extended community has 8 octets, not {len(octets)}")
        return super().__new__(cls, octets)

    @classmethod
    def parse(cls, text: str) -> ExtendedCommunity:
        """The extended community of a text form. Raises ValueError."""
        name, _, rest = text.partition(":")
        if name not in _SUBTYPE_NUMBERS:
            try:
                return cls(bytes.fromhex(text.removeprefix("0x")))
            except ValueError:
                raise ValueError(
                    f"{text!r} is not an extended community: write rt:AS:N, ro:AS:N or 16 hex digits"
                ) from None
        admin, _, number = rest.rpartition(":")
        subtype = _SUBTYPE_NUMBERS[name]
        try:
            if "." in admin:
                return cls(bytes((1, subtype)) + IPv4Address(admin).packed + int(number).to_bytes(2, "big"))
            if int(admin) < 1 << 16:
                return cls(bytes((0, subtype)) + int(admin).to_bytes(2, "big") + int(number).to_bytes(4, "big"))
            return cls(bytes((2, subtype)) + int(admin).to_bytes(4, "big") + int(number).to_bytes(2, "big"))
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{text!r} is not an extended community: {error}") from None

    @property
    def is_transitive(self) -> bool:
        """Whether it may leave the AS (RFC 4360 2)."""
        return not self[0] & 0x40

    def __str__(self) -> str:
        name = _SUBTYPES.get(self[1])
        if name is None or self[0] not in (0, 1, 2) or self.startswith(b"\0\0", 2 if self[0] == 2 else 8):
            return self.hex()  # the last: a small AS number in four octets would be read back as one in two
        if self[0] == 0:
            return f"{name}:{int.from_bytes(self[2:4], 'big')}:{int.from_bytes(self[4:], 'big')}"
        admin = IPv4Address(self[2:6]) if self[0] == 1 else int.from_bytes(self[2:6], "big")
        return f"{name}:{admin}:{int.from_bytes(self[6:], 'big')}"

    def __repr__(self) -> str:
        return f"ExtendedCommunity({str(self)!r})"
