"""Errors by whose fault they are: `LocalError` our caller's, `PeerError` the neighbour's; RFC 7606's ladder as data."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

from rib.family import Family


class LocalError(ValueError):
    """The caller asked for something that cannot be: a value out of range, a peer that does not exist."""


class MissingPackage(LocalError):
    """What was asked for needs a package that comes with an extra of the distribution, which is not installed."""

    def __init__(self, what: str, package: str | None, extra: str) -> None:
        super().__init__(f"{what} needs {package}: pip install 'trio-bgp[{extra}]'")


class PeerError(Exception):
    """What the neighbour sent ends the session: the NOTIFICATION to answer with (RFC 4271 6), and why in words."""

    def __init__(self, code: int, subcode: int, data: bytes = b"", reason: str = "") -> None:
        super().__init__(reason)
        self.code = code
        self.subcode = subcode
        self.data = data
        self.reason = reason

    def __str__(self) -> str:
        return f"{self.reason} ({self.code}/{self.subcode})"


class Reaction(IntEnum):
    """What a malformed UPDATE costs (RFC 7606 2); the highest of several wins (RFC 7606 3 h)."""

    ATTRIBUTE_DISCARD = 1
    TREAT_AS_WITHDRAW = 2
    AFI_SAFI_DISABLE = 3
    SESSION_RESET = 4

    def __str__(self) -> str:
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class UpdateError:
    """One thing that is wrong with an UPDATE.

    `code`, `subcode` and `data` are the NOTIFICATION that RFC 4271 has for it; `attribute` and `family` say where it is.
    """

    reaction: Reaction
    code: int
    subcode: int
    data: bytes
    reason: str
    attribute: int | None = None
    family: Family | None = None

    def __str__(self) -> str:
        return f"{self.reason} ({self.reaction}, {self.code}/{self.subcode})"
