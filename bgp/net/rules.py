"""From a peer's options to what the engines need: session options, import rules, export rules."""

from __future__ import annotations

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Final

from bgp.capability import (
    BOTH,
    RECEIVE,
    SEND,
    AddPath,
    BgpRole,
    Capability,
    EnhancedRouteRefresh,
    ExtendedMessage,
    ExtendedNextHop,
    FourOctetAs,
    Fqdn,
    GracefulRestart,
    MultipleLabels,
    Multiprotocol,
    Negotiated,
    RouteRefresh,
)
from bgp.iana import RoleNumber
from bgp.options import AddPathMode, MalformedFamily, NextHopSelf, PeerOptions, SpeakerOptions
from bgp.session import SessionOptions
from bgp.wire.nlri import FAMILIES
from fsm.settings import Settings
from rib.adj_in import ImportRules
from rib.export import LABELLED, Drain, ExportRules
from rib.family import Afi
from rib.next_hop import Resolver
from rib.policy import Policy, accept
from rib.roles import Role
from rib.route import Source, SourceKind

#: Texts whose addresses are remembered: the sessions of a program ask for the same few, and reading one is slow.
REMEMBERED: Final = 4096
#: The longest pause after a session that failed, in seconds: towards a peer that we connect to again and again, and towards
#: one that decides by itself when to try again.
IDLE_HOLD_TIME: Final = 60.0
PASSIVE_IDLE_HOLD_TIME: Final = 5.0
#: This machine, in either family.
LOOPBACK: Final[dict[int, IPv4Address | IPv6Address]] = {
    Afi.IPV4: IPv4Address("127.0.0.1"),
    Afi.IPV6: IPv6Address("::1"),
}
#: RFC 7911 4: what we do with path identifiers of a family.
_ADD_PATH: Final = {AddPathMode.RECEIVE: RECEIVE, AddPathMode.SEND: SEND, AddPathMode.BOTH: BOTH}


@lru_cache(maxsize=REMEMBERED)
def address_of(text: str) -> IPv4Address | IPv6Address:
    """The address of a text, a zone left out. Raises ValueError."""
    return ip_address(text.partition("%")[0])


@lru_cache(maxsize=REMEMBERED)
def zoned_address(text: str) -> IPv4Address | IPv6Address:
    """The address of a text, with its zone if it has one. Raises ValueError."""
    return ip_address(text)


@lru_cache(maxsize=REMEMBERED)
def canonical(text: str) -> str:
    """The one spelling of an address, with its zone if it has one. Raises ValueError."""
    return str(ip_address(text))


@lru_cache(maxsize=REMEMBERED)
def _identifier(text: str) -> IPv4Address:
    return IPv4Address(text)


#: RFC 8277 2.1: as many labels as fit.
ANY_NUMBER: Final = 255


def own_asn(speaker: SpeakerOptions, peer: PeerOptions) -> int:
    """The AS number that the peer sees us in: outside a confederation, the confederation's (RFC 5065 4)."""
    if peer.local_asn is not None:
        return peer.local_asn
    if speaker.confederation is None or peer.asn in (speaker.asn, *speaker.confederation_members):
        return speaker.asn
    return speaker.confederation


def kind_of(speaker: SpeakerOptions, peer: PeerOptions) -> SourceKind:
    """Whether the peer is in our AS, in another member AS of our confederation, or outside."""
    if own_asn(speaker, peer) == peer.asn:
        return SourceKind.INTERNAL
    return SourceKind.CONFEDERATION if peer.asn in speaker.confederation_members else SourceKind.EXTERNAL


def is_external(speaker: SpeakerOptions, peer: PeerOptions) -> bool:
    """Whether the peer is another administration's: what RFC 8212, 8326 and 9234 are about."""
    return kind_of(speaker, peer) is SourceKind.EXTERNAL


def session_options(
    speaker: SpeakerOptions, peer: PeerOptions, restart: GracefulRestart | None = None
) -> SessionOptions:
    """What the session with `peer` starts from."""
    asn = own_asn(speaker, peer)
    capabilities: list[Capability] = [Multiprotocol(family) for family in peer.families]
    capabilities += [RouteRefresh(), EnhancedRouteRefresh(), FourOctetAs(asn)]
    if restart is not None:
        capabilities.append(restart)
    if peer.extended_messages:
        capabilities.append(ExtendedMessage())
    if peer.extended_next_hop and ":" in peer.address:
        ipv4 = tuple((family, int(Afi.IPV6)) for family in peer.families if family.afi == Afi.IPV4)
        capabilities += [ExtendedNextHop(ipv4)] if ipv4 else []
    if labelled := tuple((family, ANY_NUMBER) for family in peer.families if family.safi in LABELLED):
        capabilities.append(MultipleLabels(labelled))
    if peer.add_path is not AddPathMode.OFF:
        mode = _ADD_PATH[peer.add_path]
        capabilities.append(AddPath(tuple((family, mode) for family in peer.families if family in FAMILIES)))
    if (role := _role(speaker, peer)) is not None:
        capabilities.append(BgpRole(RoleNumber[role.name]))
    if speaker.hostname:
        capabilities.append(Fqdn(speaker.hostname, ""))
    return SessionOptions(
        asn=asn,
        bgp_id=_identifier(speaker.router_id),
        peer_asn=peer.asn,
        in_confederation=kind_of(speaker, peer) is SourceKind.CONFEDERATION,
        capabilities=tuple(capabilities),
        hold_time=peer.hold_time,
        enforce_first_as=peer.enforce_first_as and not peer.route_server_client,
        disable_families=peer.malformed_family is MalformedFamily.DISABLE,
        strict_role=peer.strict_role,
        machine=_machine_settings(peer.hold_time, peer.connect_retry_time, peer.passive, peer.idle_hold_time),
    )


@lru_cache(maxsize=REMEMBERED)
def _machine_settings(
    hold_time: int, connect_retry_time: float, passive: bool, idle_hold_time: float | None
) -> Settings:
    if idle_hold_time is None:
        idle_hold_time = PASSIVE_IDLE_HOLD_TIME if passive else IDLE_HOLD_TIME
    return Settings(
        hold_time=hold_time,
        connect_retry_time=connect_retry_time,
        passive=passive,
        idle_hold_time=min(Settings().idle_hold_time, idle_hold_time),
        max_idle_hold_time=idle_hold_time,
    )


def import_rules(speaker: SpeakerOptions, peer: PeerOptions, local: str, resolver: Resolver) -> ImportRules:
    """What decides about routes from `peer`, over a session whose local address is `local`."""
    own = {address_of(local)}
    own |= {address_of(text) for text in (peer.next_hop_ipv4, peer.next_hop_ipv6) if text}
    return ImportRules(
        own_asn=own_asn(speaker, peer),
        confederation=speaker.confederation,
        own_bgp_id=_identifier(speaker.router_id),
        policy=effective_policy(speaker, peer, peer.import_policy),
        cluster_id=_cluster_id(speaker),
        allowas_in=peer.allowas_in,
        own_addresses=frozenset(own),
        over_loopback=address_of(peer.address).is_loopback,
        resolver=resolver,
        default_local_pref=peer.default_local_pref,
        reject_as_sets=peer.reject_as_sets,
        honours_shutdown=peer.graceful_shutdown and is_external(speaker, peer),
        role=_role(speaker, peer),
    )


def export_rules(
    speaker: SpeakerOptions, peer: PeerOptions, local: str, agreed: Negotiated, drain: Drain = Drain.NO
) -> ExportRules:
    """What decides about routes to `peer`, over a session whose local address is `local`."""
    return ExportRules(
        own_asn=own_asn(speaker, peer),
        peer_kind=kind_of(speaker, peer),
        peer_asn=peer.asn if peer.as_override else 0,
        policy=effective_policy(speaker, peer, peer.export_policy),
        next_hops=_next_hops(peer, local, agreed),
        extended_next_hop=agreed.extended_next_hop,
        labels=agreed.labels,
        next_hop_self_external=peer.next_hop_self is NextHopSelf.EXTERNAL,
        next_hop_self_always=peer.next_hop_self is NextHopSelf.ALWAYS,
        peer_is_client=peer.route_reflector_client,
        transparent=peer.route_server_client,
        cluster_id=_cluster_id(speaker),
        as_override=peer.as_override,
        own_prefixes_only=peer.own_prefixes_only,
        default_originate=peer.default_originate,
        drain=drain,
        bilateral=peer.bilateral,
        shared_networks=tuple(map(ip_network, peer.shared_networks)),
        peer_address=address_of(peer.address) if peer.shared_networks else None,
        role=_role(speaker, peer),
    )


def path_limit(peer: PeerOptions, agreed: Negotiated) -> int | None:
    """How many paths to a prefix go out under add-path, at most: as few as anybody wants of any family; None for all."""
    wanted = [limit for _, limit in agreed.paths_limits]
    if peer.add_path_limit is not None and agreed.add_path_send:
        wanted.append(peer.add_path_limit)
    return min(wanted, default=None)


def _role(speaker: SpeakerOptions, peer: PeerOptions) -> Role | None:
    """RFC 9234 4: roles are of external sessions only."""
    return peer.role if is_external(speaker, peer) else None


def effective_policy(speaker: SpeakerOptions, peer: PeerOptions, policy: Policy | None) -> Policy | None:
    """The policy that applies where `policy` is configured: RFC 8212 asks for one on external sessions only."""
    return accept if policy is None and not is_external(speaker, peer) else policy


def _cluster_id(speaker: SpeakerOptions) -> IPv4Address:
    return _identifier(speaker.cluster_id or speaker.router_id)


def _next_hops(peer: PeerOptions, local: str, agreed: Negotiated) -> tuple[tuple[int, IPv4Address | IPv6Address], ...]:
    found: dict[int, IPv4Address | IPv6Address] = {}
    address = address_of(local)
    for afi, text, version in ((Afi.IPV4, peer.next_hop_ipv4, 4), (Afi.IPV6, peer.next_hop_ipv6, 6)):
        if text is not None:
            found[afi] = address_of(text)
        elif address.version == version:
            found[afi] = address
    if Afi.IPV4 not in found and Afi.IPV6 in found and agreed.extended_next_hop:
        found[Afi.IPV4] = found[Afi.IPV6]  # RFC 8950: IPv4 routes over an IPv6 next hop
    if address.is_loopback:  # within one machine the other family has a next hop that is as good as this session's own
        found = LOOPBACK | found
    return tuple(found.items())


def source_of(speaker: SpeakerOptions, peer: PeerOptions, bgp_id: IPv4Address) -> Source:
    """What the decision process may ask about a peer."""
    return Source(
        kind_of(speaker, peer), peer.label, peer.asn, bgp_id, zoned_address(peer.address), peer.route_reflector_client
    )


def missing_policies(speaker: SpeakerOptions, peer: PeerOptions) -> tuple[str, ...]:
    """ "import" and "export" where an external session has no such policy, so that nothing passes (RFC 8212)."""
    policies = {"import": peer.import_policy, "export": peer.export_policy}
    return tuple(name for name, policy in policies.items() if effective_policy(speaker, peer, policy) is None)


def without_policies(missing: tuple[str, ...]) -> str:
    """RFC 8212, in words for whoever wonders where the routes are; empty where no policy is missing."""
    if not missing:
        return ""
    verbs = " or ".join({"import": "accepted", "export": "announced"}[name] for name in missing)
    return f"{' and '.join(f'no {name} policy' for name in missing)}: nothing is {verbs} (RFC 8212)"
