"""What leaves towards a peer, and what changes on the way out (RFC 4271 5.1, 9.1.3; RFC 4456; RFC 1997; RFC 8212).

`ExportRules.verdict` says of a path whether it may go out to the peers that share the rules and what the export policy
makes of it; `Rewrite` says how its path attributes are spelt there. Both are values: whoever encodes applies the rewrite
to octets, `Rewrite.apply` does it to the record (and is the model of the other).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final, NamedTuple

from rib.as_path import AsPath, Segment, SegmentType
from rib.attributes import AIGP, DEFAULT_LOCAL_PREF, Attributes
from rib.community import GRACEFUL_SHUTDOWN, Community
from rib.family import Afi, Family, Safi
from rib.policy import Policy, accept
from rib.roles import Role, applies, mark, may_go
from rib.route import Path, Source, SourceKind

#: RFC 1997: not beyond this AS (or confederation).
NO_EXPORT: Final = Community(0xFFFFFF01)
#: RFC 1997: to no peer at all.
NO_ADVERTISE: Final = Community(0xFFFFFF02)
#: RFC 1997: to no external peer, confederation members included.
NO_EXPORT_SUBCONFED: Final = Community(0xFFFFFF03)
#: RFC 3765: not to bilateral peers of this AS.
NO_PEER: Final = Community(0xFFFFFF04)
#: The families whose routes we can stand for ourselves. In any other the next hop is kept, towards external peers too: we
#: do not forward by its routes, and a label that another speaker gave out means nothing at our address.
FORWARDED: Final = frozenset({Safi.UNICAST, Safi.MULTICAST})
#: The families of labelled prefixes: an IPv6 next hop of IPv4 ones has to be agreed on (RFC 8950 4).
LABELLED: Final = frozenset({Safi.LABELLED, Safi.VPN, Safi.VPN_MULTICAST})
#: Octets of a label (RFC 8277 2.2).
LABEL_SIZE: Final = 3
#: RFC 8955 4: a flow specification leads nowhere.
WITHOUT_NEXT_HOP: Final = frozenset({Safi.FLOWSPEC, Safi.FLOWSPEC_VPN})
#: The NLRI of 0.0.0.0/0 and of ::/0.
DEFAULT_ROUTE: Final = b"\0"


class Rewrite(NamedTuple):
    """How path attributes change towards a peer."""

    prepend: int = 0  #: RFC 4271 5.1.2: the AS number put before the AS_PATH; 0 for none
    next_hop: IPv4Address | IPv6Address | None = None  #: the new next hop; None keeps the received one
    link_local_next_hop: IPv6Address | None = None
    confederation: bool = False  #: RFC 5065 4: `prepend` goes into an AS_CONFED_SEQUENCE; no marks of reflection
    external: bool = False  #: RFC 4271 5.1.4, 5.1.5: neither LOCAL_PREF nor a received MED leave the AS
    keep_med: bool = False
    local_pref: int = DEFAULT_LOCAL_PREF  #: RFC 4271 5.1.5: sent to internal peers where the route has none
    originator_id: IPv4Address | None = None  #: RFC 4456 8: set on reflection where it is not there yet
    cluster_id: IPv4Address | None = None  #: RFC 4456 8: put before CLUSTER_LIST on reflection
    override: tuple[int, int] | None = None  #: as-override: (their AS number, ours in its place)
    only_to_customer: int | None = None  #: RFC 9234 5: set where it is not there yet

    def apply(self, attributes: Attributes) -> Attributes:
        """The attributes as they go out."""
        as_path = attributes.as_path
        if self.override:
            theirs, ours = self.override
            as_path = AsPath(
                tuple(Segment(s.type, tuple(ours if a == theirs else a for a in s.asns)) for s in as_path.segments)
            )
        if self.external:
            as_path = without_confederation(as_path)
        kind = SegmentType.CONFED_SEQUENCE if self.confederation else SegmentType.SEQUENCE
        changes: dict[str, object] = {"as_path": as_path.prepend_all((self.prepend,) * bool(self.prepend), kind)}
        if self.next_hop is not None:
            changes |= {"next_hop": self.next_hop, "link_local_next_hop": self.link_local_next_hop}
        if self.external:
            changes |= {"local_pref": None, "originator_id": None, "cluster_list": ()}
            changes["ext_communities"] = tuple(one for one in attributes.ext_communities if one.is_transitive)
            changes["unknown"] = tuple(outer for one in attributes.unknown if (outer := one.outside()) is not None)
            if not self.keep_med:
                changes["med"] = None
        elif attributes.local_pref is None:
            changes["local_pref"] = self.local_pref
        if self.confederation:
            changes |= {"originator_id": None, "cluster_list": ()}
        if self.cluster_id is not None:
            changes["originator_id"] = attributes.originator_id or self.originator_id
            changes["cluster_list"] = (self.cluster_id, *attributes.cluster_list)
        if self.next_hop is not None and not self.external:
            # RFC 7311 3.4: whoever becomes the next hop adds its own distance, which nobody here knows.
            changes["unknown"] = tuple(one for one in attributes.unknown if one.code != AIGP)
        if self.only_to_customer is not None and attributes.only_to_customer is None:
            changes["only_to_customer"] = self.only_to_customer
        return attributes.replace(**changes)


def without_confederation(path: AsPath) -> AsPath:
    """RFC 5065 4.1 c: confederation segments do not leave the confederation."""
    kept = tuple(s for s in path.segments if s.type in (SegmentType.SEQUENCE, SegmentType.SET))
    return path if len(kept) == len(path.segments) else AsPath(kept)


class Drain(Enum):
    """How far a speaker is on its way out (RFC 8326)."""

    NO = "no"
    LEAVING = "leaving"  #: its routes still hold, and say that they will not for long
    GONE = "gone"  #: it announces nothing


class Exported(NamedTuple):
    """A path that may go out: its attributes after policy and how they change on the wire."""

    attributes: Attributes
    rewrite: Rewrite


@dataclass(frozen=True, slots=True)
class ExportRules:
    """What decides about routes towards a set of peers. Equal rules may share one update group.

    `policy` None announces nothing (RFC 8212). `next_hops` are ours towards these peers, by AFI.
    """

    own_asn: int
    peer_kind: SourceKind
    peer_asn: int
    policy: Policy | None = accept
    next_hops: tuple[tuple[int, IPv4Address | IPv6Address], ...] = ()
    link_local_next_hop: IPv6Address | None = None
    extended_next_hop: frozenset[Family] = frozenset()  #: RFC 8950: IPv4 families that may go with an IPv6 next hop
    labels: tuple[tuple[Family, int], ...] = ()  #: RFC 8277 2.1: by family, the most labels of a route, if not one
    next_hop_self_external: bool = False  #: towards internal peers: our next hop on externally learned routes
    next_hop_self_always: bool = False
    peer_is_client: bool = False
    transparent: bool = False  #: RFC 7947: a route server adds neither itself nor its next hop
    cluster_id: IPv4Address | None = None
    as_override: bool = False
    own_prefixes_only: bool = False
    default_originate: bool = False  #: announce a default route of our own in place of any other
    bilateral: bool = False  #: RFC 3765: a peer of ours, neither customer nor provider: no-peer holds towards it
    #: RFC 4271 5.1.3 2: networks that we and the external peer are on; a next hop there goes out as it is.
    shared_networks: tuple[IPv4Network | IPv6Network, ...] = ()
    peer_address: IPv4Address | IPv6Address | None = None  #: the next hop that such a peer must not be given
    role: Role | None = None  #: ours on an external session (RFC 9234)
    drain: Drain = Drain.NO
    #: Whether nothing but RFC 1997 can keep an external route from going out to these external peers.
    _open: bool = field(default=False, init=False, compare=False, repr=False)
    #: By family, what happens to a route that no policy touched; most routes are such.
    _usual: dict[Family, Rewrite | None] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        trivial = self.policy is not None and self.policy.trivial
        restricted = self.own_prefixes_only or self.default_originate or self.peer_kind is not SourceKind.EXTERNAL
        restricted = restricted or self.role is not None or self.drain is not Drain.NO
        object.__setattr__(self, "_open", trivial and not restricted)  # the dataclass is frozen

    def verdict(self, family: Family, nlri: bytes, path: Path) -> Exported | None:
        """The path as it goes out to these peers; None if it does not."""
        if self._open and path.source.kind is SourceKind.EXTERNAL and not path.attributes.well_known:
            # What most routes are, between external peers without a policy that looks at them.
            usual = self._usual.get(family) if path.attributes is path.received else None
            if usual is not None:
                return Exported(path.attributes, usual)
        if self.why_not(path) is not None or (self.default_originate and nlri == DEFAULT_ROUTE):
            return None
        attributes = path.attributes
        policy = self.policy
        if policy is None:
            return None
        if not policy.trivial:
            result = policy.apply(family, nlri, attributes, path.source)
            if result is None:
                return None
            attributes = result
        return self._exported(family, path, attributes)

    def _exported(self, family: Family, path: Path, attributes: Attributes) -> Exported | None:
        if self.drain is not Drain.NO:
            attributes = self._marked(attributes)
        rewrite = self.rewrite(family, path, attributes)
        if rewrite is not None and self.role is not None and applies(family):
            if not may_go(self.role, attributes):
                return None
            rewrite = rewrite._replace(only_to_customer=mark(self.role, self.own_asn))
        return None if rewrite is None else Exported(attributes, rewrite)

    def _marked(self, attributes: Attributes) -> Attributes:
        """A route that will not hold for long (RFC 8326 4): external peers are told, internal ones shall not choose it."""
        others = tuple(one for one in attributes.communities if one != GRACEFUL_SHUTDOWN)
        changes: dict[str, object] = {"communities": (*others, GRACEFUL_SHUTDOWN)}
        if self.peer_kind is SourceKind.INTERNAL:
            changes["local_pref"] = 0
        return attributes.replace(**changes)

    def originated_default(self, family: Family, source: Source) -> Exported | None:
        """The default route that these peers get whatever the Loc-RIB holds; None without a next hop for it."""
        path = Path(Attributes(), source)
        return None if self.drain is Drain.GONE else self._exported(family, path, path.attributes)

    def why_not(self, path: Path) -> str | None:
        """Why a path stays here whatever the policy says, in words; None if it may go."""
        source, attributes = path.source, path.attributes
        if self.policy is None:
            return "no export policy (RFC 8212)"
        if reason := self.why_never(source):
            return reason
        if well_known := attributes.well_known:
            return self._forbidden(well_known)
        return None

    @property
    def per_prefix(self) -> bool:
        """Whether the verdict depends on the prefix and not on the path alone."""
        return self.default_originate or (self.policy is not None and self.policy.per_prefix)

    @property
    def picks_sources(self) -> bool:
        """Whether `why_never` may have something to say."""
        if self.drain is Drain.GONE:
            return True
        return self.own_prefixes_only or (self.peer_kind is SourceKind.INTERNAL and not self.peer_is_client)

    def why_never(self, source: Source) -> str | None:
        """Why nothing that came from a source goes out to these peers; None if something may."""
        if self.drain is Drain.GONE:
            return "this speaker was drained (RFC 8326)"
        if self.own_prefixes_only and not source.is_local:
            return "only own prefixes are announced to this peer"
        if source.kind is SourceKind.INTERNAL is self.peer_kind and not source.is_client and not self.peer_is_client:
            return "learned from an internal peer (RFC 4271 9.2)"
        return None

    def _forbidden(self, well_known: tuple[Community, ...]) -> str | None:
        """What well-known communities say against the peers, in words."""
        if NO_ADVERTISE in well_known:
            return "community no-advertise (RFC 1997)"
        if NO_EXPORT in well_known and self.peer_kind is SourceKind.EXTERNAL:
            return "community no-export (RFC 1997)"
        if NO_EXPORT_SUBCONFED in well_known and self.peer_kind is not SourceKind.INTERNAL:
            return "community no-export-subconfed (RFC 1997)"
        if NO_PEER in well_known and self.bilateral:
            return "community no-peer (RFC 3765)"
        return None

    def rewrite(self, family: Family, path: Path, attributes: Attributes) -> Rewrite | None:
        """How `attributes` change; None where we have no next hop to give for the family."""
        source = path.source
        if family.safi not in FORWARDED:
            return self._passed_on(family, path, attributes)
        if self.peer_kind is SourceKind.EXTERNAL:
            # Without exceptions by next hop, all that was learned and not changed leaves in the same way.
            if attributes is path.received and source.kind is SourceKind.EXTERNAL and not self._next_hop_matters:
                try:
                    return self._usual[family]
                except KeyError:
                    found = self._usual[family] = self._external(family, path, attributes)
                    return found
            return self._external(family, path, attributes)
        next_hop = self._internal_next_hop(family, path, attributes)
        if next_hop is None and not self._can_read_next_hop(family, attributes):
            next_hop = self._own_next_hop(family)
            if next_hop is None:
                return None
        return self._inward(path, next_hop)

    @property
    def _next_hop_matters(self) -> bool:
        """Whether the next hop that is there decides what an external peer gets."""
        return self.transparent or bool(self.shared_networks)

    def _can_read_next_hop(self, family: Family, attributes: Attributes) -> bool:
        """Whether there is a next hop that these peers can read with a route of `family` (RFC 8950 4)."""
        length = len(attributes.next_hop_octets)
        return length == 4 or (length > 4 and (family.afi != Afi.IPV4 or family in self.extended_next_hop))

    def _inward(self, path: Path, next_hop: IPv4Address | IPv6Address | None) -> Rewrite:
        """How a route changes within the AS or confederation: RFC 4456 8 marks what is reflected."""
        if self.peer_kind is SourceKind.CONFEDERATION:
            return Rewrite(prepend=self.own_asn, next_hop=next_hop, confederation=True)
        if path.source.kind is SourceKind.INTERNAL:
            return Rewrite(next_hop=next_hop, originator_id=path.source.bgp_id, cluster_id=self.cluster_id)
        return Rewrite(next_hop=next_hop)

    def _external(self, family: Family, path: Path, attributes: Attributes) -> Rewrite | None:
        keeps = self._keeps_next_hop(path, attributes) and self._can_read_next_hop(family, attributes)
        next_hop = None if keeps else self._own_next_hop(family)
        if next_hop is None and not keeps:
            return None
        return self._outward(path, attributes, next_hop, None if next_hop is None else self.link_local_next_hop)

    def _outward(
        self,
        path: Path,
        attributes: Attributes,
        next_hop: IPv4Address | IPv6Address | None,
        link_local_next_hop: IPv6Address | None = None,
    ) -> Rewrite:
        """How a route changes towards external peers that get `next_hop`; None keeps the one that is there."""
        if self.transparent:
            return Rewrite(next_hop=next_hop, link_local_next_hop=link_local_next_hop, external=True, keep_med=True)
        return Rewrite(
            prepend=self.own_asn,
            next_hop=next_hop,
            link_local_next_hop=link_local_next_hop,
            external=True,
            # RFC 4271 5.1.4: a MED learned from another AS stays here; one that we set goes out.
            keep_med=path.source.is_local or attributes.med != path.received.med,
            override=(self.peer_asn, self.own_asn) if self.as_override else None,
        )

    def _passed_on(self, family: Family, path: Path, attributes: Attributes) -> Rewrite | None:
        """Towards these peers, a route of a family that we do not forward: its next hop stays (see `FORWARDED`)."""
        next_hop = None
        if not attributes.next_hop_octets and family.safi not in WITHOUT_NEXT_HOP:
            next_hop = self._own_address(family)
            if next_hop is None:
                return None
        elif family.safi in LABELLED and not self._can_read_next_hop(family, attributes):
            return None
        if family.safi in LABELLED and len(attributes.binding) > LABEL_SIZE * dict(self.labels).get(family, 1):
            return None
        if self.peer_kind is SourceKind.EXTERNAL:
            return self._outward(path, attributes, next_hop)
        return self._inward(path, next_hop)

    def _own_address(self, family: Family) -> IPv4Address | IPv6Address | None:
        """Our next hop for a route of our own; one of an IPv6 family may have a mapped one (RFC 4659 3.2.1.2)."""
        found = self._own_next_hop(family)
        if found is None and self.next_hops:
            found = self.next_hops[0][1]
        if family.afi == Afi.IPV6 and isinstance(found, IPv4Address):
            return IPv6Address(b"\0" * 10 + b"\xff\xff" + found.packed)
        return found

    def _keeps_next_hop(self, path: Path, attributes: Attributes) -> bool:
        """Whether an external peer gets the next hop that is there; a border router gives its own (RFC 4271 5.1.3)."""
        next_hop, is_local = attributes.next_hop, path.source.is_local
        if self.transparent and not is_local:
            return True
        if next_hop is None:
            return False
        if is_local or _set_by_policy(path, attributes):
            return True
        return next_hop != self.peer_address and any(next_hop in network for network in self.shared_networks)

    def _internal_next_hop(
        self, family: Family, path: Path, attributes: Attributes
    ) -> IPv4Address | IPv6Address | None:
        """Ours, where internal peers get that; None where they get the one that is there."""
        if _set_by_policy(path, attributes):
            return None
        external = path.source.kind is SourceKind.EXTERNAL
        if attributes.next_hop is None or self.next_hop_self_always or (self.next_hop_self_external and external):
            return self._own_next_hop(family)
        return None

    def _own_next_hop(self, family: Family) -> IPv4Address | IPv6Address | None:
        afi = Afi.IPV6 if family.afi == Afi.IPV6 else Afi.IPV4
        return next((address for own, address in self.next_hops if own == afi), None)


def _set_by_policy(path: Path, attributes: Attributes) -> bool:
    """Whether the export policy gave the route another next hop: it meant it."""
    return attributes is not path.attributes and attributes.next_hop != path.attributes.next_hop
