"""Values whose text is a head word and then a name before each field: "mac-ip rd 65000:1 tag 0 mac 02:00:00:00:00:01 …"."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from typing import ClassVar, Final, Self, TypeAlias

from rib.texted import Texted

#: The fields of a value in the order of its text, each with what reads its word.
Words: TypeAlias = Mapping[str, Callable[[str], object]]
#: Stands for octets where there are none.
NO_OCTETS: Final = "-"


@dataclass(frozen=True, slots=True)
class Worded(metaclass=Texted):
    """A dataclass with one text form. `HEAD` opens it, `WORDS` says how each field's text is read.

    A field that may be absent has the default None and is left out of the text where it is.
    """

    HEAD: ClassVar[str] = ""
    WORDS: ClassVar[Words] = {}

    @classmethod
    def parse(cls, text: str) -> Self:
        """The value of a text form; fields may come in any order. Raises ValueError."""
        words = text.split()
        if cls.HEAD:
            if words[:1] != [cls.HEAD]:
                raise ValueError(f"{text!r} does not begin with {cls.HEAD}")
            words = words[1:]
        named = dict(zip(words[::2], words[1::2], strict=False))
        needed = {field.name for field in fields(cls) if field.default is MISSING}
        if len(named) * 2 != len(words) or not needed <= named.keys() <= cls.WORDS.keys():
            form = " ".join(f"{name} {name.upper()}" if name in needed else f"[{name} …]" for name in cls.WORDS)
            raise ValueError(f"{text!r}: write {cls.HEAD}{' ' if cls.HEAD else ''}{form}")
        found = {name: cls.WORDS[name](word) for name, word in named.items()}
        return cls(**found)

    def __str__(self) -> str:
        words = [f"{name} {value}" for name, value in self.named().items()]
        return " ".join(([self.HEAD] if self.HEAD else []) + words)

    def named(self) -> dict[str, int | str]:
        """The fields that are there by name, numbers as numbers and all else as text."""
        pairs = [(name, getattr(self, name)) for name in self.WORDS]
        return {name: value if isinstance(value, int) else _word(value) for name, value in pairs if value is not None}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


def _word(value: object) -> str:
    return (value.hex() or NO_OCTETS) if type(value) is bytes else str(value)


def octets(text: str) -> bytes:
    """Reads octets in hexadecimal. Raises ValueError."""
    return b"" if text == NO_OCTETS else bytes.fromhex(text)


def number(bits: int) -> Callable[[str], int]:
    """A reader of numbers of at most `bits` bits, which raises ValueError for all else."""

    def read(text: str) -> int:
        if not text.isdecimal() or int(text) >= 1 << bits:
            raise ValueError(f"{text!r} is not a number below {1 << bits}")
        return int(text)

    return read


def check_range(name: str, value: int | None, bits: int) -> None:
    """Raises ValueError for a number that is there and does not fit."""
    if value is not None and not 0 <= value < 1 << bits:
        raise ValueError(f"{name} {value} does not fit {bits} bits")
