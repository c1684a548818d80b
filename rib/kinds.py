"""Tables of kinds of extended communities: found by their octets, and by their names."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

from rib.layout import Layout

#: Other names that are read, not written.
ALIASES: Final[dict[str, str]] = {"rt": "target", "ro": "origin", "soo": "origin"}


class Kind(NamedTuple):
    """A row: the type and sub-type octets, the name, and what the rest is."""

    code: bytes
    name: str
    layout: Layout


class Registry:
    """A table of kinds, by their octets and by their names."""

    def __init__(self, kinds: tuple[Kind, ...]) -> None:
        self._by_code = {kind.code: kind for kind in kinds}
        self._by_name: dict[str, list[Kind]] = {}
        for kind in kinds:
            self._by_name.setdefault(kind.name, []).append(kind)

    def read(self, octets: bytes) -> tuple[Kind, Any] | None:
        """The kind and the value; None where no row reads all of it."""
        kind = self._by_code.get(octets[:2])
        value = None if kind is None else kind.layout.read(octets[2:])
        return None if kind is None or value is None else (kind, value)

    def show(self, octets: bytes) -> str:
        """ "target:65001:100", or the octets in hexadecimal."""
        found = self.read(octets)
        return octets.hex() if found is None else found[0].name + found[0].layout.show(found[1])

    def parse(self, text: str) -> bytes:
        """The octets of a text. Raises ValueError."""
        name, colon, rest = text.partition(":")
        problem = "no such kind"
        for kind in self._by_name.get(ALIASES.get(name, name), ()):
            try:
                return kind.code + kind.layout.write(kind.layout.parse(colon + rest))
            except ValueError as error:
                problem = str(error)
        raise ValueError(problem)

    def make(self, name: str, value: Any) -> bytes:
        """The octets of a value of the kind of that name. Raises ValueError."""
        for kind in self._by_name.get(ALIASES.get(name, name), ()):
            if isinstance(value, kind.layout.make):
                try:
                    return kind.code + kind.layout.write(value)
                except (AttributeError, ValueError):
                    continue  # the same meaning in another layout
        raise ValueError(f"{value!r} is not a value of {name!r}")
