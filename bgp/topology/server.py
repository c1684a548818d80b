"""eBGP down to the server: an AS per server, downward default, and one flat ToR.

In all three a server has one session, with its ToR. They differ in who shares an AS, and so in which loop checks have to
be told to look away, and in how much of the table goes down.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from bgp.options import PeerOptions
from bgp.topology.builder import PLAIN, Builder, as_numbers, at_least, from_neighbours, knobs, one_of
from bgp.topology.model import NODE, SPINE, TOR, Counts, Node, Topology
from rib.policy import reject

ALLOWAS_IN: Final = "allowas-in"
#: Full routes in downward default's AS plan need it on both; the two can be left out one by one.
ALLOWAS_IN_NODES: Final = "allowas-in-nodes"
ALLOWAS_IN_TORS: Final = "allowas-in-tors"
AS_OVERRIDE: Final = "as-override"
REFLECTOR_CLIENT: Final = "reflector-client"

#: How a server speaks to its ToR: it is no transit, whatever it hears.
UPLINK: Final = replace(PLAIN, own_prefixes_only=True)


def as_per_server(
    racks: int = 3,
    servers: int = 2,
    spines: int = 2,
    *,
    tor_as: str = "each",
    blocks: int = 1,
    stack: str = "4",
    without: str | Iterable[str] = (),
) -> Topology:
    """An AS per server, eBGP to its ToR, eBGP above; all spines share an AS.

    `tor_as`: "each" ToR its own AS, or "one" for all, which takes the knob "allowas-in" on the ToRs.
    Raises LocalError for numbers that cannot be.
    """
    at_least(1, racks=racks, servers=servers, spines=spines, blocks=blocks)
    one_of("tor_as", tor_as, ("each", "one"))
    left_out = knobs(without, (ALLOWAS_IN,) if tor_as == "one" else ())
    parameters: dict[str, int | str] = {"racks": racks, "servers": servers, "spines": spines}
    builder = Builder("as-per-server", parameters | {"tor_as": tor_as, "blocks": blocks}, left_out, stack=stack)
    numbers = as_numbers(1 + racks + racks * servers)
    tor_numbers = numbers[1 : 1 + racks] if tor_as == "each" else [numbers[1]] * racks
    upward = replace(PLAIN, allowas_in=int(tor_as == "one" and ALLOWAS_IN not in left_out))
    _racks(
        builder,
        (racks, servers, spines, blocks),
        spine_asn=numbers[0],
        tor_asn=lambda rack: tor_numbers[rack - 1],
        server_asn=lambda rack, place: numbers[1 + racks + (rack - 1) * servers + place],
    )
    _sessions(builder, racks, servers, spines, uplink=UPLINK, downlink=PLAIN, upward=upward, downward=PLAIN)
    return _full_counts(builder, racks, servers, spines, blocks)


def downward_default(
    racks: int = 3,
    servers: int = 2,
    spines: int = 2,
    *,
    routes: str = "default",
    blocks: int = 1,
    stack: str = "4",
    without: str | Iterable[str] = (),
) -> Topology:
    """All servers one AS, all ToRs another, the spines a third: prefixes go up, and only 0.0.0.0/0 comes down.

    `routes` "full" keeps the AS plan but sends everything down, which takes the knobs "allowas-in-nodes" and
    "allowas-in-tors". Raises LocalError for numbers that cannot be.
    """
    at_least(1, racks=racks, servers=servers, spines=spines, blocks=blocks)
    one_of("routes", routes, ("default", "full"))
    full = routes == "full"
    left_out = knobs(without, (ALLOWAS_IN_NODES, ALLOWAS_IN_TORS) if full else ())
    parameters: dict[str, int | str] = {"racks": racks, "servers": servers, "spines": spines}
    builder = Builder("downward-default", parameters | {"routes": routes, "blocks": blocks}, left_out, stack=stack)
    spine_asn, tor_asn, server_asn = as_numbers(3)
    _racks(
        builder,
        (racks, servers, spines, blocks),
        spine_asn=spine_asn,
        tor_asn=lambda _: tor_asn,
        server_asn=lambda _, __: server_asn,
    )
    if full:
        uplink = replace(UPLINK, allowas_in=int(ALLOWAS_IN_NODES not in left_out))
        upward = replace(PLAIN, allowas_in=int(ALLOWAS_IN_TORS not in left_out))
        _sessions(builder, racks, servers, spines, uplink=uplink, downlink=PLAIN, upward=upward, downward=PLAIN)
        return _full_counts(builder, racks, servers, spines, blocks)
    default_only = replace(PLAIN, export_policy=reject, default_originate=True)
    # The default that a ToR has from one spine is not for the other.
    upward = replace(PLAIN, export_policy=from_neighbours("own rack", [server_asn]))
    _sessions(
        builder, racks, servers, spines, uplink=UPLINK, downlink=default_only, upward=upward, downward=default_only
    )
    own, every = servers * blocks, racks * servers * blocks
    counts = {
        NODE: Counts(1, 1, 1),
        TOR: Counts(own + spines, own + 1, own + 1),
        SPINE: Counts(every, every, every),
    }
    return builder.build(racks * servers + racks * spines, lambda node: counts[node.role])


def flat_tor(
    nodes: int = 6, *, asn: str = "one", blocks: int = 1, stack: str = "4", without: str | Iterable[str] = ()
) -> Topology:
    """One ToR that every node peers with.

    `asn`: the nodes share "one" AS and the ToR has another (knob "as-override" on the ToR), each has its own
    ("per-node"), or nodes and ToR are one AS ("ibgp", knob "reflector-client"). Raises LocalError for numbers that cannot be.
    """
    at_least(1, nodes=nodes, blocks=blocks)
    one_of("asn", asn, ("one", "per-node", "ibgp"))
    known = {"one": (AS_OVERRIDE,), "per-node": (), "ibgp": (REFLECTOR_CLIENT,)}
    left_out = knobs(without, known[asn])
    builder = Builder("tor", {"nodes": nodes, "asn": asn, "blocks": blocks}, left_out, stack=stack)
    names = [f"n{number}" for number in range(1, nodes + 1)]
    subnet = builder.segment("rack", ["tor", *names])
    identifiers = builder.identifiers(subnet)
    numbers = as_numbers(1 + nodes if asn == "per-node" else 2)
    builder.node(Node("tor", TOR, numbers[0], identifiers[0]))
    internal = asn == "ibgp"
    builder.hosts(
        names,
        identifiers[1:],
        lambda place: numbers[0 if internal else 1 + (place if asn == "per-node" else 0)],
        blocks,
    )
    downlink = replace(
        PLAIN,
        as_override=asn == "one" and AS_OVERRIDE not in left_out,
        route_reflector_client=internal and REFLECTOR_CLIENT not in left_out,
    )
    for name in names:
        builder.session("rack", subnet, name, "tor", from_dialler=UPLINK, from_listener=downlink)
    every = nodes * blocks
    counts = {TOR: Counts(every, every, every), NODE: Counts(*[every - blocks] * 3)}
    return builder.build(nodes, lambda node: counts[node.role])


def _racks(
    builder: Builder,
    sizes: tuple[int, int, int, int],
    *,
    spine_asn: int,
    tor_asn: Callable[[int], int],
    server_asn: Callable[[int, int], int],
) -> None:
    racks, servers, spines, blocks = sizes
    for number in range(1, spines + 1):
        builder.node(Node(f"spine{number}", SPINE, spine_asn, builder.identifier()))
    for rack in range(1, racks + 1):
        tor, names = f"r{rack}t", _servers(rack, servers)
        subnet = builder.segment(f"rack {rack}", [tor, *names])
        identifiers = builder.identifiers(subnet)
        builder.node(Node(tor, TOR, tor_asn(rack), identifiers[0], rack))
        asns = [server_asn(rack, place) for place in range(servers)]
        builder.hosts(names, identifiers[1:], asns.__getitem__, blocks, rack)


def _servers(rack: int, servers: int) -> Sequence[str]:
    return [f"r{rack}s{server}" for server in range(1, servers + 1)]


def _sessions(
    builder: Builder,
    racks: int,
    servers: int,
    spines: int,
    *,
    uplink: PeerOptions,
    downlink: PeerOptions,
    upward: PeerOptions,
    downward: PeerOptions,
) -> None:
    """Server to ToR (`uplink`, `downlink`) and ToR to spine (`upward`, `downward`), each as its lower and upper end say."""
    subnets = {link.name: link for link in builder.links}
    for rack in range(1, racks + 1):
        name = f"rack {rack}"
        for server in _servers(rack, servers):
            builder.session(name, subnets[name], server, f"r{rack}t", from_dialler=uplink, from_listener=downlink)
    for spine in range(1, spines + 1):
        for rack in range(1, racks + 1):
            cable = builder.cable(f"spine{spine}", f"r{rack}t")
            builder.session("fabric", cable, f"r{rack}t", f"spine{spine}", from_dialler=upward, from_listener=downward)


def _full_counts(builder: Builder, racks: int, servers: int, spines: int, blocks: int) -> Topology:
    own, every = servers * blocks, racks * servers * blocks
    counts = {
        NODE: Counts(*[every - blocks] * 3),
        TOR: Counts(own + spines * (every - own), every, every),
        SPINE: Counts(every, every, every),
    }
    return builder.build(racks * servers + racks * spines, lambda node: counts[node.role])
