"""How a few octets of fixed size are made of fields, and what the fields look like as text.

A `Layout` reads its octets into a value and writes the value as one text, "65001:100", which it reads back. What does not
come out as it went in has no text here: whoever asks shows the octets.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable, Mapping
from enum import IntFlag
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final, NamedTuple


class Field(NamedTuple):
    """Some octets: how to read and write them, and their text, which matches `pattern`. Padding has no pattern."""

    size: int
    pattern: str
    read: Callable[[bytes], Any]
    write: Callable[[Any], bytes]
    show: Callable[[Any], str] = str
    parse: Callable[[str], Any] = int
    is_optional: bool = False  #: its text may be empty


def number(size: int) -> Field:
    """An unsigned number in decimal."""
    return Field(
        size, r"\d+", lambda octets: int.from_bytes(octets, "big"), lambda value: int(value).to_bytes(size, "big")
    )


def named(size: int, names: Mapping[int, str]) -> Field:
    """A number with names; those without one are shown in decimal."""
    numbers = {name: value for value, name in names.items()}

    def parse(text: str) -> int:
        return numbers[text] if text in numbers else int(text)

    return number(size)._replace(pattern="[a-z0-9-]+", show=lambda value: names.get(value, str(value)), parse=parse)


def flags(size: int, kind: type[IntFlag]) -> Field:
    """Flags by name, "sticky+other"; left out where there are none. Reading raises ValueError for unknown ones."""

    def read(octets: bytes) -> IntFlag:
        value = int.from_bytes(octets, "big")
        if value & ~sum(kind):
            raise ValueError(f"{value:#x} has unknown flags")
        return kind(value)

    def parse(text: str) -> IntFlag:
        found = kind(0)
        for name in text.split("+") if text else ():
            if name.upper().replace("-", "_") not in kind.__members__:
                raise ValueError(f"{name!r} is not one of {', '.join(_flag_name(one) for one in kind)}")
            found |= kind[name.upper().replace("-", "_")]
        return found

    return Field(
        size,
        "[a-z0-9+-]+",
        read,
        lambda value: int(value).to_bytes(size, "big"),
        lambda value: "+".join(_flag_name(one) for one in kind if one & value),
        parse,
        is_optional=True,
    )


def _flag_name(flag: IntFlag) -> str:
    return (flag.name or "").lower().replace("_", "-")


def padding(size: int) -> Field:
    """Octets that are 0."""
    return Field(size, "", lambda octets: None, lambda value: bytes(size))


def _long_as(text: str) -> int:
    value = int(text.removesuffix("L"))
    if not text.endswith("L") and value < 1 << 16:
        raise ValueError(f"{text} needs two octets only")
    return value


def _float(octets: bytes) -> float:
    (value,) = struct.unpack(">f", octets)
    if value != value:
        raise ValueError("not a number")  # there are many of them, with one text
    return float(value)


U8: Final = number(1)
U16: Final = number(2)
U24: Final = number(3)
U32: Final = number(4)
ADDRESS: Final = Field(4, r"\d+\.\d+\.\d+\.\d+", IPv4Address, lambda value: value.packed, parse=IPv4Address)
ADDRESS6: Final = Field(
    16,
    r"\[[0-9a-fA-F:.]+\]",
    IPv6Address,
    lambda value: value.packed,
    lambda v: f"[{v}]",
    lambda t: IPv6Address(t[1:-1]),
)
MAC: Final = Field(
    6,
    r"[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}",
    lambda octets: octets.hex(":"),
    lambda text: bytes.fromhex(text.replace(":", "")),
    parse=str.lower,
)
#: An AS number of four octets; one that would fit two is marked, as operators do: "65001L".
LONG_AS: Final = Field(4, r"\d+L?", U32.read, U32.write, lambda asn: f"{asn}L" if asn < 1 << 16 else str(asn), _long_as)
#: IEEE 754, single precision.
FLOAT: Final = Field(
    4,
    r"[-+.0-9a-z]+",
    _float,
    lambda value: struct.pack(">f", value),
    lambda value: repr(value).removesuffix(".0"),
    float,
)


class Layout:
    """Fields one after the other, and the NamedTuple that holds what they read, padding left out.

    The text has flags last, so that they can be absent; the value has them where the octets have them.
    """

    def __init__(self, make: type[Any], *fields: Field) -> None:
        self.make = make
        self.fields = fields
        self.size = sum(field.size for field in fields)
        shown = [field for field in fields if field.pattern]
        #: The places of the value's fields in the text.
        self._order = sorted(range(len(shown)), key=lambda place: shown[place].is_optional)
        self._shown = [shown[place] for place in self._order]
        self._pattern = re.compile(
            "".join(f"(?::({f.pattern}))?" if f.is_optional else f":({f.pattern})" for f in self._shown)
        )

    def read(self, octets: bytes) -> Any | None:
        """The value of `size` octets; None where it would not become the same octets again."""
        found, at = [], 0
        try:
            for field in self.fields:
                value = field.read(octets[at : at + field.size])
                at += field.size
                if field.pattern:
                    found.append(value)
            made = self.make(*found)
            return made if self.write(made) == octets else None
        except ValueError:
            return None

    def write(self, value: Any) -> bytes:
        """The octets of a value. Raises ValueError for one that does not fit."""
        values = iter(value)
        try:
            return b"".join(field.write(next(values) if field.pattern else None) for field in self.fields)
        except (OverflowError, struct.error) as error:
            raise ValueError(f"{value} does not fit: {error}") from None

    def show(self, value: Any) -> str:
        """The text of a value: its fields, each after a colon."""
        texts = (field.show(value[place]) for field, place in zip(self._shown, self._order, strict=True))
        return "".join(f":{text}" for text in texts if text)

    def parse(self, text: str) -> Any:
        """The value of a text. Raises ValueError."""
        match = self._pattern.fullmatch(text)
        if match is None:
            raise ValueError(f"{text.removeprefix(':')!r} has another form")
        parts = zip(self._order, self._shown, match.groups(), strict=True)
        return self.make(*(value for _, value in sorted((place, f.parse(part or "")) for place, f, part in parts)))
