"""eBGP down to the server: an AS per server, downward default, and one flat ToR.

In all three a server has a session with its ToR, or with each of its ToRs. They differ in who shares an AS, and so in
which loop checks have to be told to look away, and in how much of the table goes down.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from bgp.topology.builder import MULTIPATH, PLAIN, Builder, as_numbers, at_least, from_neighbours, knobs, one_of
from bgp.topology.model import NODE, SPINE, TOR, Counts, Node, Topology
from bgp.topology.racks import Sizes, add_rack_sessions, add_racks, add_spine_sessions, add_spines
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
    tors: int = 1,
    tor_as: str = "each",
    blocks: int = 1,
    stack: str = "4",
    without: str | Iterable[str] = (),
) -> Topology:
    """An AS per server, eBGP to its ToRs, eBGP above; all spines share an AS.

    `tors` of a rack share an AS: "each" rack's its own (`tor_as`), or "one" for all, which takes the knob "allowas-in" on
    the ToRs. Knob "multipath" over spines and ToRs. Raises LocalError for numbers that cannot be.
    """
    at_least(1, racks=racks, servers=servers, spines=spines, tors=tors, blocks=blocks)
    one_of("tor_as", tor_as, ("each", "one"))
    left_out = knobs(without, (MULTIPATH, ALLOWAS_IN) if tor_as == "one" else (MULTIPATH,))
    parameters: dict[str, int | str] = {"racks": racks, "servers": servers, "spines": spines, "tors": tors}
    parameters |= {"tor_as": tor_as, "blocks": blocks}
    builder = Builder("as-per-server", parameters, left_out, stack=stack, multipath=True)
    numbers = as_numbers(1 + racks + racks * servers)
    tor_numbers = numbers[1 : 1 + racks] if tor_as == "each" else [numbers[1]] * racks
    upward = replace(PLAIN, allowas_in=int(tor_as == "one" and ALLOWAS_IN not in left_out))
    sizes = Sizes(racks, servers, spines, tors, blocks)
    add_spines(builder, sizes, lambda _: numbers[0])
    add_racks(
        builder,
        sizes,
        tor_asn=lambda rack: tor_numbers[rack - 1],
        server_asn=lambda rack, place: numbers[1 + racks + (rack - 1) * servers + place],
    )
    add_rack_sessions(builder, sizes, uplink=UPLINK, downlink=PLAIN)
    add_spine_sessions(builder, sizes, upward=upward, downward=PLAIN)
    return _full_counts(builder, sizes, look_away=tor_as == "one")


def downward_default(
    racks: int = 3,
    servers: int = 2,
    spines: int = 2,
    *,
    tors: int = 1,
    routes: str = "default",
    blocks: int = 1,
    stack: str = "4",
    without: str | Iterable[str] = (),
) -> Topology:
    """All servers one AS, all ToRs another, the spines a third: prefixes go up, and only 0.0.0.0/0 comes down.

    `routes` "full" keeps the AS plan but sends everything down, which takes the knobs "allowas-in-nodes" and
    "allowas-in-tors". Knob "multipath" over spines and ToRs. Raises LocalError for numbers that cannot be.
    """
    at_least(1, racks=racks, servers=servers, spines=spines, tors=tors, blocks=blocks)
    one_of("routes", routes, ("default", "full"))
    full = routes == "full"
    left_out = knobs(without, (MULTIPATH, ALLOWAS_IN_NODES, ALLOWAS_IN_TORS) if full else (MULTIPATH,))
    sizes = Sizes(racks, servers, spines, tors, blocks)
    parameters: dict[str, int | str] = {"racks": racks, "servers": servers, "spines": spines, "tors": tors}
    parameters |= {"routes": routes, "blocks": blocks}
    builder = Builder("downward-default", parameters, left_out, stack=stack, multipath=True)
    spine_asn, tor_asn, server_asn = as_numbers(3)
    add_spines(builder, sizes, lambda _: spine_asn)
    add_racks(builder, sizes, tor_asn=lambda _: tor_asn, server_asn=lambda _, __: server_asn)
    if full:
        uplink = replace(UPLINK, allowas_in=int(ALLOWAS_IN_NODES not in left_out))
        upward = replace(PLAIN, allowas_in=int(ALLOWAS_IN_TORS not in left_out))
        add_rack_sessions(builder, sizes, uplink=uplink, downlink=PLAIN)
        add_spine_sessions(builder, sizes, upward=upward, downward=PLAIN)
        return _full_counts(builder, sizes, look_away=True)
    default_only = replace(PLAIN, export_policy=reject, default_originate=True)
    # The default that a ToR has from one spine is not for the other.
    upward = replace(PLAIN, export_policy=from_neighbours("own rack", [server_asn]))
    add_rack_sessions(builder, sizes, uplink=UPLINK, downlink=default_only)
    add_spine_sessions(builder, sizes, upward=upward, downward=default_only)
    counts = {
        NODE: Counts(tors, 1, 1),
        TOR: Counts(sizes.own + spines, sizes.own + 1, sizes.own + 1),
        SPINE: Counts(tors * sizes.every, sizes.every, sizes.every),
    }
    return builder.build(sizes.sessions, lambda node: counts[node.role])


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


def _full_counts(builder: Builder, sizes: Sizes, *, look_away: bool) -> Topology:
    """`look_away`: the ToRs accept their own AS once, and so hear of their own rack by their twin and the spines."""
    spines, tors, blocks = sizes.spines, sizes.tors, sizes.blocks
    own, every = sizes.own, sizes.every

    def predict(node: Node) -> Counts:
        if node.role == NODE:
            return Counts(tors * (every - blocks), every - blocks, every - blocks)
        if node.role == SPINE:
            return Counts(tors * every, every, every)
        # A spine prefers the first ToR of a rack, whose BGP identifier is the lowest, and tells the others of it.
        twin = look_away and node.name != sizes.tor_names(node.rack or 0)[0]
        return Counts(own + spines * (every if twin else every - own), every, every)

    return builder.build(sizes.sessions, predict)
