"""Capabilities (RFC 5492) as values, and what two speakers make of each other's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Final, TypeAlias, TypeVar

from bgp.iana import CapabilityCode
from rib.family import IPV4_UNICAST, Afi, Family

#: RFC 7911 4: what an ADD-PATH tuple offers.
RECEIVE: Final = 1
SEND: Final = 2
BOTH: Final = 3

C = TypeVar("C")


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


#: RFC 5291 5: what a speaker would do with the filters of an ORF type.
ORF_RECEIVE: Final = 1
ORF_SEND: Final = 2
ORF_BOTH: Final = 3


@dataclass(frozen=True, slots=True)
class OutboundRouteFiltering:
    """By family, (ORF type, mode) pairs: ORF_RECEIVE, ORF_SEND, ORF_BOTH (RFC 5291 5)."""

    code: ClassVar[int] = CapabilityCode.OUTBOUND_ROUTE_FILTERING
    families: tuple[tuple[Family, tuple[tuple[int, int], ...]], ...]


@dataclass(frozen=True, slots=True)
class MultipleLabels:
    """(family, number of labels) pairs: so many are understood with a prefix (RFC 8277 2.1)."""

    code: ClassVar[int] = CapabilityCode.MULTIPLE_LABELS
    families: tuple[tuple[Family, int], ...]


@dataclass(frozen=True, slots=True)
class BgpRole:
    """What the sender is to the receiver (RFC 9234 4.1): one of `RoleNumber`, or a number nobody has given out."""

    code: ClassVar[int] = CapabilityCode.BGP_ROLE
    role: int


@dataclass(frozen=True, slots=True)
class DynamicCapability:
    """Codes of capabilities that may change while the session is up (draft-ietf-idr-dynamic-cap)."""

    code: ClassVar[int] = CapabilityCode.DYNAMIC_CAPABILITY
    codes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Multisession:
    """Flags, and the capabilities that tell sessions apart (draft-ietf-idr-bgp-multisession)."""

    code: ClassVar[int] = CapabilityCode.MULTISESSION
    flags: int = 0
    codes: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class LongLivedGracefulRestart:
    """(family, whether its forwarding state was kept, stale time in seconds) triples (RFC 9494 3)."""

    code: ClassVar[int] = CapabilityCode.LONG_LIVED_GRACEFUL_RESTART
    families: tuple[tuple[Family, bool, int], ...] = ()


@dataclass(frozen=True, slots=True)
class SoftwareVersion:
    """What the sender runs (draft-abraitis-bgp-version-capability)."""

    code: ClassVar[int] = CapabilityCode.SOFTWARE_VERSION
    version: str


@dataclass(frozen=True, slots=True)
class PathsLimit:
    """(family, most paths to a prefix that the sender wants) pairs (draft-abraitis-idr-addpath-paths-limit)."""

    code: ClassVar[int] = CapabilityCode.PATHS_LIMIT
    families: tuple[tuple[Family, int], ...]


@dataclass(frozen=True, slots=True)
class LinkLocalNextHop:
    """A next hop may be a link-local address alone (draft-ietf-idr-linklocal-capability)."""

    code: ClassVar[int] = CapabilityCode.LINK_LOCAL_NEXT_HOP


@dataclass(frozen=True, slots=True)
class Bgpsec:
    """The sender can send signed paths of an AFI, or receive them (RFC 8205 2.1)."""

    code: ClassVar[int] = CapabilityCode.BGPSEC
    version: int
    sends: bool
    afi: int


@dataclass(frozen=True, slots=True)
class BfdStrictMode:
    """The session comes up only after BFD has (draft-ietf-idr-bgp-bfd-strict-mode)."""

    code: ClassVar[int] = CapabilityCode.BFD_STRICT_MODE


@dataclass(frozen=True, slots=True)
class PrestandardRouteRefresh:
    """The same as `RouteRefresh`, from before RFC 2918; still sent beside it (RFC 8810 3)."""

    code: ClassVar[int] = CapabilityCode.PRESTANDARD_ROUTE_REFRESH


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
    | OutboundRouteFiltering
    | MultipleLabels
    | BgpRole
    | DynamicCapability
    | Multisession
    | LongLivedGracefulRestart
    | SoftwareVersion
    | PathsLimit
    | LinkLocalNextHop
    | Bgpsec
    | BfdStrictMode
    | PrestandardRouteRefresh
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
    peer_role: int | None = None  #: what they say they are to us (RFC 9234)
    orf_receive: frozenset[tuple[Family, int]] = frozenset()  #: (family, ORF type): filters of theirs that we apply
    orf_send: frozenset[tuple[Family, int]] = frozenset()  #: filters of ours that they apply
    long_lived: LongLivedGracefulRestart | None = None  #: the neighbour's, where both have it and graceful restart
    paths_limits: tuple[tuple[Family, int], ...] = ()  #: the most paths that we should send
    labels: tuple[tuple[Family, int], ...] = ()  #: the most labels that both can read, where that is more than one
    link_local_next_hop: bool = False


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
    four_octets = _first(FourOctetAs, theirs)
    our_paths, their_paths = (_add_path(ours), _add_path(theirs)) if AddPath in both else ({}, {})
    role = _first(BgpRole, theirs)
    add_path_send = frozenset(f for f in families if our_paths.get(f, 0) & SEND and their_paths.get(f, 0) & RECEIVE)
    filtering = OutboundRouteFiltering in both
    our_filters, their_filters = (_filters(ours, families), _filters(theirs, families)) if filtering else ({}, {})
    return Negotiated(
        families=families,
        as4=as4,
        add_path_receive=frozenset(
            f for f in families if our_paths.get(f, 0) & RECEIVE and their_paths.get(f, 0) & SEND
        ),
        add_path_send=add_path_send,
        extended_message=ExtendedMessage in both,
        route_refresh=RouteRefresh in both,
        enhanced_route_refresh=EnhancedRouteRefresh in both,
        extended_next_hop=frozenset(_next_hops(ours) & _next_hops(theirs) if ExtendedNextHop in both else ()),
        graceful_restart=_first(GracefulRestart, theirs) if GracefulRestart in both else None,
        peer_asn=four_octets.asn if as4 and four_octets is not None else peer_as_field,
        peer_role=None if role is None else role.role,
        orf_receive=_agreed(our_filters, ORF_RECEIVE, their_filters, ORF_SEND),
        orf_send=_agreed(our_filters, ORF_SEND, their_filters, ORF_RECEIVE),
        # RFC 9494 4.1: without graceful restart it means nothing.
        long_lived=_first(LongLivedGracefulRestart, theirs)
        if {GracefulRestart, LongLivedGracefulRestart} <= both
        else None,
        paths_limits=tuple((f, limit) for f, limit in _numbers(PathsLimit, theirs) if f in add_path_send and limit),
        labels=_labels(ours, theirs, families) if MultipleLabels in both else (),
        link_local_next_hop=LinkLocalNextHop in both,
    )


def _first(kind: type[C], capabilities: Iterable[Capability]) -> C | None:
    return next((capability for capability in capabilities if isinstance(capability, kind)), None)


def _filters(capabilities: Iterable[Capability], families: tuple[Family, ...]) -> dict[tuple[Family, int], int]:
    return {
        (family, kind): mode
        for capability in capabilities
        if isinstance(capability, OutboundRouteFiltering)
        for family, filters in capability.families
        if family in families
        for kind, mode in filters
        if mode in (ORF_RECEIVE, ORF_SEND, ORF_BOTH)
    }


def _agreed(
    ours: dict[tuple[Family, int], int], our_part: int, theirs: dict[tuple[Family, int], int], their_part: int
) -> frozenset[tuple[Family, int]]:
    return frozenset(key for key, mode in ours.items() if mode & our_part and theirs.get(key, 0) & their_part)


def _numbers(
    kind: type[PathsLimit] | type[MultipleLabels], capabilities: Iterable[Capability]
) -> list[tuple[Family, int]]:
    found: dict[Family, int] = {}
    for capability in capabilities:
        if isinstance(capability, kind):
            found |= dict(capability.families)
    return list(found.items())


def _labels(
    ours: Iterable[Capability], theirs: Iterable[Capability], families: tuple[Family, ...]
) -> tuple[tuple[Family, int], ...]:
    """RFC 8277 2.1: a number below two is no offer; neither may send more than the other reads."""
    read = dict(_numbers(MultipleLabels, theirs))
    both = ((f, min(count, read.get(f, 0))) for f, count in _numbers(MultipleLabels, ours) if f in families)
    return tuple((family, count) for family, count in both if count >= 2)


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
        if afi == Afi.IPV6
    }
