"""MAC addresses and Ethernet segment identifiers (RFC 7432 5), as the octets they are."""

from __future__ import annotations

from typing import ClassVar, Final, Self


class _Octets(bytes):
    """So many octets; text: pairs of hexadecimal digits with colons between."""

    __slots__ = ()
    SIZE: ClassVar[int]
    NAME: ClassVar[str]

    def __new__(cls, octets: bytes | str) -> Self:
        """Of octets, or of a text form. Raises ValueError for another number of octets."""
        if isinstance(octets, str):
            return cls.parse(octets)
        if len(octets) != cls.SIZE:
            raise ValueError(f"{cls.NAME} has {cls.SIZE} octets, not {len(octets)}")
        return super().__new__(cls, octets)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The value of a text form. Raises ValueError."""
        try:
            if all(len(pair) == 2 for pair in text.split(":")):
                return cls(bytes.fromhex(text.replace(":", "")))
        except ValueError:
            pass
        form = ":".join(["00"] * cls.SIZE)
        raise ValueError(f"{text!r} is not {cls.NAME}: write it like {form}")

    def __str__(self) -> str:
        return self.hex(":")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class MacAddress(_Octets):
    """A MAC address. Text: "02:00:00:00:00:01"."""

    __slots__ = ()
    SIZE = 6
    NAME = "a MAC address"


class Esi(_Octets):
    """An Ethernet segment identifier (RFC 7432 5): a type octet and nine more; all zero for a single-homed site."""

    __slots__ = ()
    SIZE = 10
    NAME = "an Ethernet segment identifier"

    @property
    def type(self) -> int:
        """How the other octets were made (RFC 7432 5)."""
        return self[0]


#: RFC 7432 5: a site with one way in.
SINGLE_HOMED: Final = Esi(bytes(10))
