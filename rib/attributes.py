"""The path attributes of a route (RFC 4271 5), as one immutable record.

One `Attributes` stands for one distinct set of path attributes and is shared by every prefix and every peer that has it.
The record is defined here because the decision process and policies read it; how it is spelt on the wire is another
package's knowledge. That package may subclass it and leave fields unset until somebody asks (see `__getattr__` there).
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from rib.as_path import EMPTY, AsPath
from rib.community import Community, ExtendedCommunity, LargeCommunity

#: RFC 4271 5.1.5: the degree of preference that iBGP speakers assume where none was configured.
DEFAULT_LOCAL_PREF: Final = 100
#: Codes of attributes that do not, or not whole, leave the AS.
IPV6_EXT_COMMUNITIES: Final = 25
AIGP: Final = 26
#: RFC 1997: communities from here on have a meaning everywhere.
FIRST_WELL_KNOWN: Final = 0xFFFF0000


class Origin(IntEnum):
    """ORIGIN (RFC 4271 5.1.1); the lower value is preferred."""

    IGP = 0
    EGP = 1
    INCOMPLETE = 2


class Aggregator(NamedTuple):
    """AGGREGATOR (RFC 4271 5.1.7): who formed the aggregate route."""

    asn: int
    address: IPv4Address


class UnknownAttribute(NamedTuple):
    """An optional attribute that the RIB does not look into, kept octet for octet (RFC 4271 5)."""

    flags: int
    code: int
    value: bytes

    def outside(self) -> UnknownAttribute | None:
        """What of it may leave the AS; None for nothing (RFC 7311 3.2; RFC 4360 6 for the communities of RFC 5701)."""
        if self.code != IPV6_EXT_COMMUNITIES:
            return None if self.code == AIGP else self
        some = (self.value[i : i + 20] for i in range(0, len(self.value), 20))
        left = b"".join(community for community in some if not community[0] & 0x40)
        return self._replace(value=left) if left else None


class Attributes:
    """One distinct set of path attributes.

    Fields (absent optional attributes are None or empty): `origin`; `as_path` (merged with AS4_PATH where RFC 6793 asks
    for it); `next_hop` (NEXT_HOP, or the global next hop of MP_REACH_NLRI); `link_local_next_hop` (RFC 2545 3);
    `med`; `local_pref`; `atomic_aggregate`; `aggregator`; `communities`; `ext_communities`; `large_communities`;
    `originator_id`; `cluster_list`; `only_to_customer` (RFC 9234 5); `unknown`; `binding` (what the NLRI of some families
    say besides the key that they are known by, in octets: labels, RFC 8277 2.5; Ethernet segment, gateway and labels,
    RFC 7432 7 and RFC 9136 3.1).
    Compared and hashed by content. Raises TypeError for an unknown field name.
    """

    FIELDS = (
        "origin",
        "as_path",
        "next_hop",
        "link_local_next_hop",
        "med",
        "local_pref",
        "atomic_aggregate",
        "aggregator",
        "communities",
        "ext_communities",
        "large_communities",
        "originator_id",
        "cluster_list",
        "only_to_customer",
        "unknown",
        "binding",
    )
    __slots__ = (*FIELDS, "__weakref__")

    origin: Origin
    as_path: AsPath
    next_hop: IPv4Address | IPv6Address | None
    link_local_next_hop: IPv6Address | None
    med: int | None
    local_pref: int | None
    atomic_aggregate: bool
    aggregator: Aggregator | None
    communities: tuple[Community, ...]
    ext_communities: tuple[ExtendedCommunity, ...]
    large_communities: tuple[LargeCommunity, ...]
    originator_id: IPv4Address | None
    cluster_list: tuple[IPv4Address, ...]
    only_to_customer: int | None
    unknown: tuple[UnknownAttribute, ...]
    binding: bytes

    def __init__(
        self,
        *,
        origin: Origin = Origin.IGP,
        as_path: AsPath = EMPTY,
        next_hop: IPv4Address | IPv6Address | None = None,
        link_local_next_hop: IPv6Address | None = None,
        med: int | None = None,
        local_pref: int | None = None,
        atomic_aggregate: bool = False,
        aggregator: Aggregator | None = None,
        communities: tuple[Community, ...] = (),
        ext_communities: tuple[ExtendedCommunity, ...] = (),
        large_communities: tuple[LargeCommunity, ...] = (),
        originator_id: IPv4Address | None = None,
        cluster_list: tuple[IPv4Address, ...] = (),
        only_to_customer: int | None = None,
        unknown: tuple[UnknownAttribute, ...] = (),
        binding: bytes = b"",
    ) -> None:
        self.origin = origin
        self.as_path = as_path
        self.next_hop = next_hop
        self.link_local_next_hop = link_local_next_hop
        self.med = med
        self.local_pref = local_pref
        self.atomic_aggregate = atomic_aggregate
        self.aggregator = aggregator
        self.communities = communities
        self.ext_communities = ext_communities
        self.large_communities = large_communities
        self.originator_id = originator_id
        self.cluster_list = cluster_list
        self.only_to_customer = only_to_customer
        self.unknown = unknown
        self.binding = binding

    @property
    def path_length(self) -> int:
        """What the decision process counts of the AS_PATH (RFC 4271 9.1.2.2 a): a set is 1, confederations are 0."""
        return self.as_path.length

    @property
    def neighbour_as(self) -> int:
        """The AS that the route came from, within which MED is compared (RFC 4271 9.1.2.2 c); 0 for none."""
        return self.as_path.neighbour_as or 0

    @property
    def next_hop_octets(self) -> bytes:
        """The next hop in network order, 4, 16 or 32 octets; empty for none."""
        first = b"" if self.next_hop is None else self.next_hop.packed
        return first + (b"" if self.link_local_next_hop is None else self.link_local_next_hop.packed)

    @property
    def is_reflected(self) -> bool:
        """Whether the route has passed a route reflector (RFC 4456)."""
        return self.originator_id is not None or bool(self.cluster_list)

    def count_as(self, asn: int) -> int:
        """How often `asn` stands in the AS_PATH."""
        return self.as_path.count(asn)

    @property
    def well_known(self) -> tuple[Community, ...]:
        """The well-known communities among the communities (RFC 1997)."""
        return tuple(community for community in self.communities if community >= FIRST_WELL_KNOWN)

    def as_mapping(self) -> dict[str, object]:
        """All fields by name, in the order of `FIELDS`."""
        return {name: getattr(self, name) for name in self.FIELDS}

    def replace(self, **changes: object) -> Attributes:
        """A copy with some fields changed. Raises TypeError for an unknown field name."""
        fields: Mapping[str, object] = self.as_mapping() | changes
        return Attributes(**fields)  # type: ignore[arg-type]  # names are checked by the call itself

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        return isinstance(other, Attributes) and all(getattr(self, n) == getattr(other, n) for n in self.FIELDS)

    def __hash__(self) -> int:
        return hash(
            (self.origin, self.as_path, self.next_hop, self.med, self.local_pref, self.communities, self.binding)
        )

    def __repr__(self) -> str:
        default = Attributes().as_mapping()
        shown = (f"{name}={value}" for name, value in self.as_mapping().items() if value != default[name])
        return f"Attributes({', '.join(shown)})"
