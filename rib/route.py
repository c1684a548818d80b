"""What a route is: where it came from, its path, and the prefix it leads to.

A `Path` is one (attribute block, source) pair and is shared by all prefixes that arrived with it; there is no object per
(prefix, peer). A `Route` names the prefix as well and exists only where a person or an API looks.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from rib.attributes import Attributes
from rib.eligibility import Ineligible
from rib.family import Family
from rib.prefix import Prefix


class SourceKind(Enum):
    """Over what kind of peering a route came (RFC 4271 1.1)."""

    __hash__ = object.__hash__  # members are compared by identity; Enum's own looks up the name

    LOCAL = "local"
    INTERNAL = "internal"
    EXTERNAL = "external"
    CONFEDERATION = "confederation"

    @property
    def word(self) -> str:
        """What people call such a session, or a route of our own."""
        return _WORDS[self]


_WORDS: Final = {
    SourceKind.LOCAL: "own",
    SourceKind.INTERNAL: "iBGP",
    SourceKind.EXTERNAL: "eBGP",
    SourceKind.CONFEDERATION: "confederation",
}


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """All that the decision process and policies may ask about where a route came from. Compared by identity."""

    kind: SourceKind
    name: str
    asn: int
    bgp_id: IPv4Address
    address: IPv4Address | IPv6Address | None = None
    is_client: bool = False  #: RFC 4456: the peer is our route-reflection client

    @property
    def is_local(self) -> bool:
        """Whether this speaker itself originated the route."""
        return self.kind is SourceKind.LOCAL


class Path:
    """One way to reach any number of prefixes: attributes after import policy, as received, source, verdict.

    `ineligible` says why the path may not take part in the decision process (None: it may). `attributes` is what the
    policy made of `received`. Compared by identity.
    """

    __slots__ = ("attributes", "ineligible", "interior_cost", "key", "path_id", "received", "source")

    attributes: Attributes
    received: Attributes
    source: Source
    ineligible: Ineligible | None
    key: tuple[int, ...] | None  #: `rib.decision.preference_key`, made when the path first meets a rival
    path_id: int | None  #: RFC 7911; None where the session has no path identifiers for the family
    interior_cost: int  #: of the way to the next hop (RFC 4271 9.1.2.2 e)

    def __init__(
        self,
        attributes: Attributes,
        source: Source,
        received: Attributes | None = None,
        ineligible: Ineligible | None = None,
        path_id: int | None = None,
        interior_cost: int = 0,
    ) -> None:
        self.attributes = attributes
        self.received = attributes if received is None else received
        self.source = source
        self.ineligible = ineligible
        self.path_id = path_id
        self.interior_cost = interior_cost
        self.key = None

    def __repr__(self) -> str:
        verdict = "" if self.ineligible is None else f", ineligible: {self.ineligible}"
        return f"Path({self.attributes!r} from {self.source.name}{verdict})"


class Route(NamedTuple):
    """A prefix and one path to it."""

    family: Family
    nlri: bytes
    path: Path


class Change(NamedTuple):
    """What happened to the best path of a prefix: `old` or `new` is None where there was or is none."""

    family: Family
    nlri: bytes
    old: Path | None
    new: Path | None

    @property
    def prefix(self) -> Prefix:
        """The prefix, for families whose NLRI are prefixes."""
        return Prefix.from_nlri(self.family.afi, self.nlri)
