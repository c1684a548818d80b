"""Capabilities (RFC 5492) as values, and what two speakers make of each other's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias

from bgp.iana import CapabilityCode
from rib.family import IPV4_UNICAST, Family

#: RFC 7911 4: what an ADD-PATH tuple offers.
RECEIVE: Final = 1
SEND: Final = 2
BOTH: Final = 3


@dataclass(frozen=True, slots=True)
class Multiprotocol:
    """Routes of `family` can be exchanged (RFC 4760 8)."""

    code: ClassVar[int] = CapabilityCode.MULTIPROTOCOL
    family: Family


@dataclass(frozen=True, slots=True)
class RouteRefresh:
    """ROUTE-REFRESH is understood (RFC 2918 2)."""

    code: ClassVar[int] = CapabilityCode.ROUTE_REFRESH


@dataclass(frozen=True, slots=True)
class FourOctetAs:
    """AS numbers have four octets; the sender's own is `asn` (RFC 6793 3)."""

    code: ClassVar[int] = CapabilityCode.FOUR_OCTET_AS
    asn: int


@dataclass(frozen=True, slots=True)
class ExtendedMessage:
    """Messages may have up to 65,535 octets (RFC 8654 3)."""

    code: ClassVar[int] = CapabilityCode.EXTENDED_MESSAGE


@dataclass(frozen=True, slots=True)
class AddPath:
    """(family, mode) pairs: RECEIVE 1, SEND 2, BOTH 3; other modes are ignored (RFC 7911 4)."""

    code: ClassVar[int] = CapabilityCode.ADD_PATH
    families: tuple[tuple[Family, int], ...]


@dataclass(frozen=True, slots=True)
class GracefulRestart:
    """RFC 4724 3: `time` in seconds; `families` with whether their forwarding state was kept.

    `notification` is the N flag of RFC 8538 2.
    """

    code: ClassVar[int] = CapabilityCode.GRACEFUL_RESTART
    restarting: bool
    notification: bool
    time: int
    families: tuple[tuple[Family, bool], ...] = ()


@dataclass(frozen=True, slots=True)
class EnhancedRouteRefresh:
    """ROUTE-REFRESH marks where the routes begin and end (RFC 7313 3.1)."""

    code: ClassVar[int] = CapabilityCode.ENHANCED_ROUTE_REFRESH


@dataclass(frozen=True, slots=True)
class ExtendedNextHop:
    """(family, AFI of the next hop) pairs (RFC 8950 4)."""

    code: ClassVar[int] = CapabilityCode.EXTENDED_NEXT_HOP
    families: tuple[tuple[Family, int], ...]


@dataclass(frozen=True, slots=True)
class Fqdn:
    """The sender's host and domain name (draft-walton-bgp-hostname-capability)."""

    code: ClassVar[int] = CapabilityCode.FQDN
    host: str
    domain: str = ""


@dataclass(frozen=True, slots=True)
class UnknownCapability:
    """A capability that nobody here can read, kept octet for octet."""

    code: int
    value: bytes


Capability: TypeAlias = (
    Multiprotocol
    | RouteRefresh
    | FourOctetAs
    | ExtendedMessage
    | AddPath
    | GracefulRestart
    | EnhancedRouteRefresh
    | ExtendedNextHop
    | Fqdn
    | UnknownCapability
)


@dataclass(frozen=True, slots=True)
class Negotiated:
    """What holds for a session: what both sides said."""

    families: tuple[Family, ...]
    as4: bool
    add_path_receive: frozenset[Family]
    add_path_send: frozenset[Family]
    extended_message: bool
    route_refresh: bool
    enhanced_route_refresh: bool
    extended_next_hop: frozenset[Family]  #: IPv4 families whose next hop may be an IPv6 address
    graceful_restart: GracefulRestart | None  #: the neighbour's, where both have it
    peer_asn: int


def families_of(capabilities: Iterable[Capability]) -> tuple[Family, ...]:
    """The families a speaker offers; IPv4 unicast where it names none (RFC 4760 8)."""
    named = tuple(dict.fromkeys(c.family for c in capabilities if isinstance(c, Multiprotocol)))
    return named or (IPV4_UNICAST,)


def negotiate(ours: Sequence[Capability], theirs: Sequence[Capability], *, peer_as_field: int) -> Negotiated:
    """What holds between two speakers; `peer_as_field` is the My Autonomous System field of their OPEN."""
    their_families = families_of(theirs)
    families = tuple(family for family in families_of(ours) if family in their_families)
    both = {type(capability) for capability in ours} & {type(capability) for capability in theirs}
    as4 = FourOctetAs in both
    four_octets = [capability.asn for capability in theirs if isinstance(capability, FourOctetAs)]
    our_paths, their_paths = _add_path(ours), _add_path(theirs)
    restart = [capability for capability in theirs if isinstance(capability, GracefulRestart)]
    return Negotiated(
        families=families,
        as4=as4,
        add_path_receive=frozenset(
            f for f in families if our_paths.get(f, 0) & RECEIVE and their_paths.get(f, 0) & SEND
        ),
        add_path_send=frozenset(f for f in families if our_paths.get(f, 0) & SEND and their_paths.get(f, 0) & RECEIVE),
        extended_message=ExtendedMessage in both,
        route_refresh=RouteRefresh in both,
        enhanced_route_refresh=EnhancedRouteRefresh in both,
        extended_next_hop=frozenset(_next_hops(ours) & _next_hops(theirs)),
        graceful_restart=restart[0] if GracefulRestart in both else None,
        peer_asn=four_octets[0] if as4 else peer_as_field,
    )


def _add_path(capabilities: Iterable[Capability]) -> dict[Family, int]:
    return {
        family: mode
        for capability in capabilities
        if isinstance(capability, AddPath)
        for family, mode in capability.families
        if mode in (RECEIVE, SEND, BOTH)
    }


def _next_hops(capabilities: Iterable[Capability]) -> set[Family]:
    return {
        family
        for capability in capabilities
        if isinstance(capability, ExtendedNextHop)
        for family, afi in capability.families
        if afi == 2
    }
