"""What a case of malformed input is: octets, what must come of them, and the RFC (or incident) that says so.

Each runs black box: a scripted peer has announced P4 and P6, sends the case's octets, and a second session watches what is
announced. The tables are in `attributes`, `structure`, `opens` and `messages`; `docs/errors.md` is made from them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

from errors.octets import EXTERNAL, P4


@dataclass(frozen=True, slots=True)
class Kept:
    """The announcement reaches the watcher: its attributes as sent but for `changed` (None: not there)."""

    changed: dict[int, tuple[int, bytes] | None] = field(default_factory=dict)
    prefix: bytes = P4
    afi: int = 1


@dataclass(frozen=True, slots=True)
class Gone:
    """The routes are withdrawn, and no others; the session stays."""

    prefixes: tuple[tuple[int, bytes], ...] = ((1, P4),)


@dataclass(frozen=True, slots=True)
class Lost:
    """All routes of one family are withdrawn and later ones ignored; the session stays. Of others, `gone` and `kept`."""

    afi: int
    gone: tuple[tuple[int, bytes], ...] = ()
    kept: Kept | None = None


@dataclass(frozen=True, slots=True)
class Nothing:
    """The routes are what they were; the session stays."""


@dataclass(frozen=True, slots=True)
class Reset:
    """NOTIFICATION, the session closed and its routes gone. `data` None: any."""

    code: int
    subcode: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Closed:
    """The session closed without an answer."""


@dataclass(frozen=True, slots=True)
class Up:
    """The session comes up and carries routes."""


Expected: TypeAlias = Kept | Gone | Lost | Nothing | Reset | Closed | Up


@dataclass(frozen=True, slots=True)
class Case:
    """One row. `required` is the words of the list that names the cases; `note` says why we do what we do of several."""

    name: str
    required: str
    rfc: str
    expected: Expected
    octets: bytes
    kind: str = EXTERNAL
    open: bytes | None = None  #: the tester's OPEN where it is not the usual one
    at: str = "Established"  #: where the octets are sent: also OpenSent (no OPEN was sent), OpenConfirm (no KEEPALIVE)
    over_loopback: bool = True  #: whether the case says the same on a loopback address
    options: tuple[str, ...] = ()  #: lines of the speaker's configuration for the tester, beside the usual
    capabilities: bytes = b""  #: optional parameters of the tester's OPEN, beside the usual
    note: str = ""


def discarded(*codes: int) -> dict[int, tuple[int, bytes] | None]:
    """For `Kept`: attributes that do not arrive."""
    return dict.fromkeys(codes)
