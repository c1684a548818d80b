"""A general leaf–spine (RFC 7938): clusters of leaves and spines, and superspines that join them; eBGP everywhere.

superspine1   superspine2        tier 1: one AS
   ╳              ╳
c1spine1  c1spine2   c2spine1 …  tier 2: an AS per cluster
   ╳              ╳
r1t    r2t        r3t …          tier 3: an AS per leaf
servers                          an AS each
"""

from __future__ import annotations

from collections.abc import Iterable

from bgp.topology.builder import MULTIPATH, PLAIN, Builder, as_numbers, at_least, knobs
from bgp.topology.model import NODE, SPINE, SUPERSPINE, TOR, Counts, Node, Topology
from bgp.topology.server import UPLINK


def leaf_spine(
    leaves: int = 4,
    servers: int = 2,
    spines: int = 2,
    *,
    clusters: int = 1,
    superspines: int = 2,
    blocks: int = 1,
    stack: str = "4",
    without: str | Iterable[str] = (),
) -> Topology:
    """`clusters` of `leaves` and `spines` each, every leaf with `servers`; with more than one cluster, superspines on top.

    The AS numbers are those of RFC 7938 5.2.1, so that its loop check keeps routes from coming down and going up again.
    Knob "multipath". Raises LocalError for numbers that cannot be.
    """
    sizes = {"leaves": leaves, "servers": servers, "spines": spines, "clusters": clusters, "superspines": superspines}
    at_least(1, **sizes, blocks=blocks)
    left_out = knobs(without, (MULTIPATH,))
    supers = superspines if clusters > 1 else 0
    builder = Builder("leaf-spine", {**sizes, "blocks": blocks}, left_out, stack=stack, multipath=True)
    numbers = iter(as_numbers(1 + clusters + clusters * leaves * (1 + servers)))
    tops = [f"superspine{number}" for number in range(1, supers + 1)]
    top_asn = next(numbers)
    for name in tops:
        builder.node(Node(name, SUPERSPINE, top_asn, builder.identifier()))
    for cluster in range(1, clusters + 1):
        prefix = f"c{cluster}" if clusters > 1 else ""
        above = [f"{prefix}spine{number}" for number in range(1, spines + 1)]
        spine_asn = next(numbers)
        for name in above:
            builder.node(Node(name, SPINE, spine_asn, builder.identifier()))
        for leaf in range((cluster - 1) * leaves + 1, cluster * leaves + 1):
            _leaf(builder, leaf, servers, [next(numbers) for _ in range(servers + 1)], blocks)
            for name in above:
                builder.session("fabric", builder.cable(name, f"r{leaf}t"), f"r{leaf}t", name)
        for top in tops:
            for name in above:
                builder.session("core", builder.cable(top, name), name, top)
    return _with_counts(builder, leaves, servers, spines, clusters, supers, blocks)


def _leaf(builder: Builder, number: int, servers: int, asns: list[int], blocks: int) -> None:
    tor, names = f"r{number}t", [f"r{number}s{server}" for server in range(1, servers + 1)]
    subnet = builder.segment(f"rack {number}", [tor, *names])
    own, *others = builder.identifiers(subnet)
    builder.node(Node(tor, TOR, asns[0], own, number))
    builder.hosts(names, others, asns[1:].__getitem__, blocks, number)
    for name in names:
        builder.session(subnet.name, subnet, name, tor, from_dialler=UPLINK, from_listener=PLAIN)


def _with_counts(
    builder: Builder, leaves: int, servers: int, spines: int, clusters: int, supers: int, blocks: int
) -> Topology:
    own, cluster = servers * blocks, leaves * servers * blocks
    every = clusters * cluster
    counts = {
        NODE: Counts(every - blocks, every - blocks, every - blocks),
        TOR: Counts(own + spines * (every - own), every, every),
        SPINE: Counts(cluster + supers * (every - cluster), every, every),
        SUPERSPINE: Counts(spines * every, every, every),
    }
    sessions = clusters * (leaves * (servers + spines) + spines * supers)
    return builder.build(sessions, lambda node: counts[node.role])
