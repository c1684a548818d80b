"""The control protocol: what a running speaker can be asked over its Unix socket.

A question is one line of JSON: `{"ask": NAME, …}` with the fields of the dataclass of that name in `QUESTIONS`. The answer
is any number of lines `{"row": …}` and then one of

- `{"end": …}`, with what there is to say at the end, or
- `{"error": TEXT, "status": N}`: why not, and the exit status for it (1: it failed, 2: it was asked wrongly).

Any number of questions may follow each other on a connection; each is answered before the next is read. The lines themselves
are spelt in `bgp.app.protocol_lines`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from pydantic import ValidationError

from bgp.app.schema import build, frozen, table, words
from bgp.error import LocalError
from rib.as_path import EMPTY, AsPath
from rib.attributes import Attributes, Origin
from rib.community import Community, ExtendedCommunity, LargeCommunity
from rib.family import Family
from rib.prefix import Prefix

#: Octets that a question may have: thousands of prefixes in one announcement.
LONGEST_QUESTION: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class AskSummary:
    """The speaker and its peers at a glance: one row."""


@dataclass(frozen=True, slots=True)
class AskNeighbors:
    """All that is known of the peers, or of one: a row each."""

    peer: str | None = None


@dataclass(frozen=True, slots=True)
class AskRoutes:
    """Best routes, in order: a row each. `within` leaves out what no such prefix covers."""

    family: Family | None = None
    peer: str | None = None
    within: Prefix | None = None


@dataclass(frozen=True, slots=True)
class AskReceived:
    """What a peer announced, refused routes included: a row each."""

    peer: str
    family: Family | None = None
    within: Prefix | None = None


@dataclass(frozen=True, slots=True)
class AskSent:
    """What a peer has been told: a row each."""

    peer: str
    family: Family | None = None
    within: Prefix | None = None


@dataclass(frozen=True, slots=True)
class AskRejected:
    """Received routes that may not be used, with the reason; with `lost` those that lost the decision too."""

    family: Family | None = None
    peer: str | None = None
    within: Prefix | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class AskRoute:
    """Every path to one prefix and how the best was chosen: a row for each family that has it."""

    prefix: Prefix


@dataclass(frozen=True, slots=True)
class AskLookup:
    """The route that a packet to an address takes: the longest match, as `route` shows it."""

    to: IPv4Address | IPv6Address


@dataclass(frozen=True, slots=True)
class AskKernel:
    """What is in the kernel's routing table and what should be and is not, with the reason: one row."""


@dataclass(frozen=True, slots=True)
class Announce:
    """Originate routes, or change them: prefixes, or `routes` of another family, each as `routes` prints it."""

    prefixes: tuple[Prefix, ...] = ()
    family: Family | None = None
    routes: tuple[str, ...] = ()
    next_hop: IPv4Address | IPv6Address | None = None
    med: int | None = None
    local_pref: int | None = None
    origin: Origin = Origin.IGP
    as_path: AsPath = EMPTY
    communities: tuple[Community, ...] = ()
    large_communities: tuple[LargeCommunity, ...] = ()
    ext_communities: tuple[ExtendedCommunity, ...] = ()

    def attributes(self) -> Attributes:
        """The path attributes of the routes."""
        names = {field.name for field in fields(self)} - {"prefixes", "family", "routes"}
        return Attributes(**{name: getattr(self, name) for name in names})


@dataclass(frozen=True, slots=True)
class Withdraw:
    """Originate routes no more."""

    prefixes: tuple[Prefix, ...] = ()
    family: Family | None = None
    routes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reset:
    """End a session with Cease 6/4, saying `message` (RFC 9003); it comes up again."""

    peer: str
    message: str = ""


@dataclass(frozen=True, slots=True)
class Refresh:
    """Tell a peer all routes again, and ask it to do the same (RFC 2918)."""

    peer: str


@dataclass(frozen=True, slots=True)
class Drain:
    """Ask the peers to choose other ways (RFC 8326), `wait` so many seconds, then take all routes back."""

    wait: float = 30.0


@dataclass(frozen=True, slots=True)
class Undrain:
    """Announce again what `drain` took back."""


@dataclass(frozen=True, slots=True)
class Reload:
    """Read the configuration again, as after SIGHUP."""


@dataclass(frozen=True, slots=True)
class Shutdown:
    """End every session with Cease 6/2, saying `message` (RFC 9003), and then the speaker."""

    message: str = ""


Question = (
    AskSummary
    | AskNeighbors
    | AskRoutes
    | AskReceived
    | AskSent
    | AskRejected
    | AskRoute
    | AskLookup
    | AskKernel
    | Announce
    | Withdraw
    | Reset
    | Refresh
    | Drain
    | Undrain
    | Reload
    | Shutdown
)

#: The questions by their names on the wire.
QUESTIONS: Final[Mapping[str, type]] = {
    "summary": AskSummary,
    "neighbors": AskNeighbors,
    "routes": AskRoutes,
    "received": AskReceived,
    "sent": AskSent,
    "rejected": AskRejected,
    "route": AskRoute,
    "lookup": AskLookup,
    "kernel": AskKernel,
    "announce": Announce,
    "withdraw": Withdraw,
    "reset": Reset,
    "refresh": Refresh,
    "drain": Drain,
    "undrain": Undrain,
    "reload": Reload,
    "shutdown": Shutdown,
}


def parse_question(line: bytes) -> Question:
    """The question in a line. Raises LocalError, which says what is wrong with it."""
    try:
        asked = json.loads(line)
    except ValueError as error:
        raise LocalError(f"a question is a line of JSON: {error}") from None
    name = asked.pop("ask", None) if isinstance(asked, dict) else None
    if not isinstance(name, str) or name not in QUESTIONS:
        raise LocalError(f'a question has a key "ask", one of {", ".join(QUESTIONS)}')
    kind = QUESTIONS[name]
    try:
        made: Question = build(kind, table(kind).model_validate(frozen(asked)))
    except ValidationError as error:
        problems = (
            f"{'.'.join(map(str, one['loc']))}: {words(one, (kind,))}" for one in error.errors(include_url=False)
        )
        raise LocalError("; ".join(problems)) from None
    return made
