"""FRR's configuration of a node, for bgpd, staticd and zebra together (frr.conf)."""

from __future__ import annotations

from collections.abc import Iterator

from bgp.lab.export.words import Clause, clauses, peers
from bgp.options import NextHopSelf, PeerOptions, RestartMode
from bgp.topology.model import Node, Topology
from rib.family import Afi, Family


def frr_configuration(topology: Topology, name: str) -> str:
    """The text of frr.conf. Raises LocalError for a policy that FRR is not told in."""
    node, neighbours = topology[name], list(peers(topology, name))
    lines = [f"! {name}, {node.role} of {topology.model}", "frr defaults datacenter", f"hostname {name}"]
    lines += [f"{_ip(prefix.afi)} route {prefix} blackhole" for prefix in node.prefixes]
    for number, prefix in enumerate(node.prefixes, 1):
        lines.append(f"{_ip(prefix.afi)} prefix-list own{_version(prefix.afi)} seq {5 * number} permit {prefix}")
    maps: dict[str, list[str]] = {}
    for number, peer in enumerate(neighbours, 1):
        maps |= _maps(number, peer)
    for text in dict.fromkeys(line for block in maps.values() for line in block if line.startswith("bgp as-path")):
        lines.append(text)
    for block in maps.values():
        lines += [line for line in block if not line.startswith("bgp as-path")]
    lines += _router(topology, node, neighbours, maps)
    return "\n".join([*lines, "end"]) + "\n"


def _ip(afi: int) -> str:
    return "ip" if afi == Afi.IPV4 else "ipv6"


def _version(afi: int) -> int:
    return 4 if afi == Afi.IPV4 else 6


def _router(topology: Topology, node: Node, neighbours: list[PeerOptions], maps: dict[str, list[str]]) -> Iterator[str]:
    yield f"router bgp {node.asn}"
    yield f" bgp router-id {node.router_id}"
    if node.cluster_id is not None:
        yield f" bgp cluster-id {node.cluster_id}"
    yield " no bgp default ipv4-unicast"
    yield " no bgp ebgp-requires-policy"
    yield " no bgp network import-check"
    if node.multipath > 1:
        yield " bgp bestpath as-path multipath-relax"
    if any(peer.graceful_restart is RestartMode.ON for peer in neighbours):
        yield " bgp graceful-restart"
        yield " bgp graceful-restart preserve-fw-state"
    for peer in neighbours:
        yield f" neighbor {peer.address} remote-as {peer.asn}"
        yield f" neighbor {peer.address} description {peer.label}"
        yield f" neighbor {peer.address} update-source {peer.local_address}"
        yield f" neighbor {peer.address} timers {max(peer.hold_time // 3, 1)} {peer.hold_time}"
        yield f" neighbor {peer.address} timers connect {max(round(peer.connect_retry_time), 1)}"
        if peer.passive:
            yield f" neighbor {peer.address} passive"
        if peer.asn != node.asn:
            yield f" neighbor {peer.address} enforce-first-as"
    for family in topology.families:
        yield from _family(node, neighbours, family, maps)


def _family(node: Node, neighbours: list[PeerOptions], family: Family, maps: dict[str, list[str]]) -> Iterator[str]:
    version = _version(family.afi)
    yield f" address-family ipv{version} unicast"
    for prefix in node.prefixes:
        if prefix.afi == family.afi:
            yield f"  network {prefix}"
    if node.multipath > 1:
        yield f"  maximum-paths {node.multipath}"
        yield f"  maximum-paths ibgp {node.multipath}"
    for number, peer in enumerate(neighbours, 1):
        address = peer.address
        yield f"  neighbor {address} activate"
        if peer.next_hop_self is not NextHopSelf.NEVER:
            force = " force" if peer.next_hop_self is NextHopSelf.ALWAYS else ""
            yield f"  neighbor {address} next-hop-self{force}"
        if peer.route_reflector_client:
            yield f"  neighbor {address} route-reflector-client"
        if peer.allowas_in:
            yield f"  neighbor {address} allowas-in {peer.allowas_in}"
        if peer.as_override:
            yield f"  neighbor {address} as-override"
        if peer.default_originate:
            yield f"  neighbor {address} default-originate"
        for way in ("in", "out"):
            if f"peer{number}-{way}{version}" in maps:
                yield f"  neighbor {address} route-map peer{number}-{way}{version} {way}"
    yield " exit-address-family"


def _maps(number: int, peer: PeerOptions) -> dict[str, list[str]]:
    """The route maps of a peer, with the AS_PATH lists that they need; none where everything goes."""
    found: dict[str, list[str]] = {}
    for family in peer.families:
        version = _version(family.afi)
        for way, policy in (("in", peer.import_policy), ("out", peer.export_policy)):
            name = f"peer{number}-{way}{version}"
            own_only = way == "out" and peer.own_prefixes_only
            next_hop = peer.next_hop_ipv4 if version == 4 else peer.next_hop_ipv6
            sets = [f" set {_ip(family.afi)} next-hop {'global ' if version == 6 else ''}{next_hop}"]
            extra = sets if way == "out" and next_hop is not None else []
            accepted = clauses(policy)
            if accepted == [Clause()] and not own_only and not extra:
                continue
            lines: list[str] = []
            for place, clause in enumerate(accepted, 1):
                lines += _entry(name, 10 * place, clause, f"own{version}" if own_only else "", family, extra)
            found[name] = lines or [f"route-map {name} deny 10"]
    return found


def _entry(name: str, seq: int, clause: Clause, own: str, family: Family, extra: list[str]) -> Iterator[str]:
    listed = f"as-{name}-{seq}"
    if clause.own_as:
        yield f"bgp as-path access-list {listed} seq 5 permit ^$"
    for place, asn in enumerate(clause.neighbours, 1):
        yield f"bgp as-path access-list {listed} seq {5 * place} permit ^{asn}(_|$)"
    yield f"route-map {name} permit {seq}"
    if clause.own_as or clause.neighbours:
        yield f" match as-path {listed}"
    if own:
        yield f" match {_ip(family.afi)} address prefix-list {own}"
    if clause.local_pref is not None:
        yield f" set local-preference {clause.local_pref}"
    yield from extra
    yield "exit"
