"""Nodes on one subnet, or a few: a full mesh (Calico's default), or route reflectors in its place.

mesh       every node has a session with every other: N(N-1)/2 of them
planes     the same on each of P switched planes: P·N(N-1)/2
reflectors every node has a session with c of ρ reflectors, and these with each other: cN + ρ(ρ-1)/2
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from ipaddress import IPv4Address
from itertools import combinations
from typing import Final

from bgp.options import PeerOptions
from bgp.topology.builder import MULTIPATH, PLAIN, Builder, as_numbers, at_least, knobs, one_of, pairs
from bgp.topology.model import REFLECTOR, Counts, Node, Topology

#: RFC 4456 7: reflectors whose clients differ must differ in their cluster id.
OWN_CLUSTER_IDS: Final = "own-cluster-id"
REFLECTOR_CLIENT: Final = "reflector-client"
OWN_PREFIXES_ONLY: Final = "own-prefixes-only"
#: RFC 4271 9.1.2.1: next hops lie where the nodes have an interface.
CONNECTED_NEXT_HOP: Final = "connected-next-hop"


def mesh(
    nodes: int = 6, *, asn: str = "one", blocks: int = 1, stack: str = "4", without: str | Iterable[str] = ()
) -> Topology:
    """A full mesh: iBGP in one AS (`asn` "one"), or eBGP with an AS per node ("per-node").

    eBGP peers announce their own prefixes only; without the knob "own-prefixes-only" each tells all others of everything,
    and a node has (N-1)² paths per block. iBGP peers give addresses of the subnet as next hops; without the knob
    "connected-next-hop" they give others, and no route can be used. Raises LocalError for numbers that cannot be.
    """
    at_least(1, nodes=nodes, blocks=blocks)
    one_of("asn", asn, ("one", "per-node"))
    external = asn == "per-node"
    left_out = knobs(without, (OWN_PREFIXES_ONLY,) if external else (CONNECTED_NEXT_HOP,))
    builder = Builder("mesh", {"nodes": nodes, "asn": asn, "blocks": blocks}, left_out, stack=stack)
    names = [f"n{number}" for number in range(1, nodes + 1)]
    subnet = builder.segment("subnet", names)
    numbers = as_numbers(nodes if external else 1)
    builder.hosts(names, builder.identifiers(subnet), lambda n: numbers[n if external else 0], blocks)
    rules = replace(PLAIN, own_prefixes_only=external and OWN_PREFIXES_ONLY not in left_out)
    told = {name: _elsewhere(builder, rules) if CONNECTED_NEXT_HOP in left_out else rules for name in names}
    for one, other in combinations(names, 2):
        builder.session("mesh", subnet, one, other, from_dialler=told[one], from_listener=told[other])
    others = (nodes - 1) * blocks
    paths = (nodes - 1) * others if OWN_PREFIXES_ONLY in left_out else others
    return builder.build(pairs(nodes), lambda _: Counts(paths, others, others))


def _elsewhere(builder: Builder, rules: PeerOptions) -> PeerOptions:
    """The rules with next hops that lie on no link."""
    address = IPv4Address(builder.identifier())
    return replace(rules, next_hop_ipv4=str(address), next_hop_ipv6=f"fd00:10:32::{int(address) & 0xFFFF:x}")


def planes(
    nodes: int = 6, planes: int = 2, *, blocks: int = 1, stack: str = "4", without: str | Iterable[str] = ()
) -> Topology:
    """Nodes of one AS on several switched planes that know nothing of each other, a full iBGP mesh over each.

    A node has a path by every plane to each block, and uses them together: knob "multipath". Raises LocalError for
    numbers that cannot be.
    """
    at_least(1, nodes=nodes, planes=planes, blocks=blocks)
    left_out = knobs(without, (MULTIPATH,))
    builder = Builder(
        "planes", {"nodes": nodes, "planes": planes, "blocks": blocks}, left_out, stack=stack, multipath=True
    )
    names = [f"n{number}" for number in range(1, nodes + 1)]
    subnets = [builder.segment(f"plane {number}", names) for number in range(1, planes + 1)]
    asn = as_numbers(1)[0]
    builder.hosts(names, builder.identifiers(subnets[0]), lambda _: asn, blocks)
    for subnet in subnets:
        for one, other in combinations(names, 2):
            builder.session(subnet.name, subnet, one, other)
    others = (nodes - 1) * blocks
    return builder.build(planes * pairs(nodes), lambda _: Counts(planes * others, others, others))


def reflectors(
    nodes: int = 6,
    *,
    reflectors: int = 2,
    clients_of: int = 2,
    blocks: int = 1,
    stack: str = "4",
    without: str | Iterable[str] = (),
) -> Topology:
    """iBGP over route reflectors (RFC 4456) on the nodes' subnet: each node is the client of `clients_of` of them.

    Knobs: "reflector-client" (the reflectors reflect), "own-cluster-id" (each reflector has a cluster id of its own).
    Raises LocalError for numbers that cannot be.
    """
    at_least(1, nodes=nodes, reflectors=reflectors, clients_of=clients_of, blocks=blocks)
    clients_of = min(clients_of, reflectors)
    left_out = knobs(without, (REFLECTOR_CLIENT, OWN_CLUSTER_IDS))
    parameters = {"nodes": nodes, "reflectors": reflectors, "clients_of": clients_of, "blocks": blocks}
    builder = Builder("reflectors", parameters, left_out, stack=stack)
    tops = [f"rr{number}" for number in range(1, reflectors + 1)]
    names = [f"n{number}" for number in range(1, nodes + 1)]
    subnet = builder.segment("subnet", [*tops, *names])
    identifiers = builder.identifiers(subnet)
    asn = as_numbers(1)[0]
    shared = identifiers[0] if OWN_CLUSTER_IDS in left_out else None
    for name, own in zip(tops, identifiers, strict=False):
        builder.node(Node(name, REFLECTOR, asn, own, cluster_id=shared or own))
    builder.hosts(names, identifiers[reflectors:], lambda _: asn, blocks)
    reflecting = replace(PLAIN, route_reflector_client=REFLECTOR_CLIENT not in left_out)
    for number, name in enumerate(names):
        for step in range(clients_of):
            top = tops[(number + step) % reflectors]
            builder.session("clients", subnet, name, top, from_listener=reflecting)
    for one, other in combinations(tops, 2):
        builder.session("reflectors", subnet, one, other)
    every = nodes * blocks
    # A reflector hears its clients directly and those of every other reflector from that one: each prefix c times.
    counts = {REFLECTOR: Counts(clients_of * every, every, every)}
    learned = Counts(clients_of * (every - blocks), every - blocks, every - blocks)
    sessions = clients_of * nodes + pairs(reflectors)
    return builder.build(sessions, lambda node: counts.get(node.role, learned))
