"""An AS per rack (RFC 7938, "Calico over IP fabrics"): iBGP between the servers and their ToR, eBGP above.

spine1   spine2      one AS for all spines, or one each; L2: a spine is a switch and the ToRs mesh over it
  ×        ×         eBGP
ToR 1    ToR 2       each rack an AS; the ToR reflects the servers' routes, or the rack is a mesh
 │ │      │ │        iBGP on the rack's subnet
servers  servers
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import combinations
from typing import Final

from bgp.options import NextHopSelf, PeerOptions
from bgp.topology.builder import MULTIPATH, OWN_AS, PLAIN, Builder, as_numbers, at_least, knobs, one_of
from bgp.topology.model import NODE, SPINE, TOR, Counts, Link, Node, Topology

#: The ToR gives the servers its own next hop for what it learned outside the rack, and for that only.
NEXT_HOP_SELF: Final = "next-hop-self"
REFLECTOR_CLIENT: Final = "reflector-client"
#: ToRs tell upwards of their own rack only, so that no traffic goes down into a rack and up again.
NO_VALLEY: Final = "no-valley"


def as_per_rack(
    racks: int = 3,
    servers: int = 2,
    spines: int = 2,
    *,
    spine: str = "l3",
    spine_as: str = "one",
    rack: str = "reflect",
    blocks: int = 1,
    stack: str = "4",
    without: str | Iterable[str] = (),
) -> Topology:
    """Racks of `servers` under a ToR each, and `spines` above.

    `spine`: "l3" routers, or "l2" switches, planes over which the ToRs peer with each other. `spine_as`: "one" AS for all
    or "each" its own. `rack`: the ToR "reflect"s or the rack is a full "mesh".
    Knobs: "next-hop-self"; "reflector-client" where the ToR reflects; "no-valley" where spines do not share an AS;
    "multipath" over the spines.
    Raises LocalError for numbers that cannot be.
    """
    at_least(1, racks=racks, servers=servers, spines=spines, blocks=blocks)
    one_of("spine", spine, ("l3", "l2"))
    one_of("spine_as", spine_as, ("one", "each"))
    one_of("rack", rack, ("reflect", "mesh"))
    shared_as = spine == "l3" and spine_as == "one"
    known = [NEXT_HOP_SELF, MULTIPATH]
    known += [REFLECTOR_CLIENT] if rack == "reflect" else []
    known += [] if shared_as else [NO_VALLEY]
    left_out = knobs(without, known)
    parameters: dict[str, int | str] = {"racks": racks, "servers": servers, "spines": spines, "spine": spine}
    parameters |= {"spine_as": spine_as, "rack": rack, "blocks": blocks}
    builder = Builder("as-per-rack", parameters, left_out, stack=stack, multipath=True)

    numbers = as_numbers(racks + (0 if spine == "l2" else 1 if shared_as else spines))
    rack_numbers, spine_numbers = numbers[len(numbers) - racks :], numbers[: len(numbers) - racks]
    tops = [f"spine{number}" for number in range(1, spines + 1)]
    if spine == "l3":
        for place, name in enumerate(tops):
            builder.node(Node(name, SPINE, spine_numbers[0 if shared_as else place], builder.identifier()))
    for number in range(1, racks + 1):
        _rack(builder, number, servers, rack_numbers[number - 1], blocks, mesh=rack == "mesh")

    upward = PLAIN if shared_as or NO_VALLEY in left_out else replace(PLAIN, export_policy=OWN_AS)
    tors = [f"r{number}t" for number in range(1, racks + 1)]
    if spine == "l3":
        _cables(builder, tors, tops, upward)
    else:
        _planes(builder, tors, spines, upward)
    valley = NO_VALLEY in left_out
    return _with_counts(builder, racks, servers, spines, blocks, mesh=rack == "mesh", l2=spine == "l2", valley=valley)


def _rack(builder: Builder, number: int, servers: int, asn: int, blocks: int, *, mesh: bool) -> None:
    tor, names = f"r{number}t", [f"r{number}s{server}" for server in range(1, servers + 1)]
    subnet = builder.segment(f"rack {number}", [tor, *names])
    identifiers = builder.identifiers(subnet)
    builder.node(Node(tor, TOR, asn, identifiers[0], number))
    builder.hosts(names, identifiers[1:], lambda _: asn, blocks, number)
    _rack_sessions(builder, subnet, tor, names, mesh=mesh)


def _rack_sessions(builder: Builder, subnet: Link, tor: str, names: list[str], *, mesh: bool) -> None:
    without = builder.without
    downward = replace(
        PLAIN,
        next_hop_self=NextHopSelf.NEVER if NEXT_HOP_SELF in without else NextHopSelf.EXTERNAL,
        route_reflector_client=not mesh and REFLECTOR_CLIENT not in without,
    )
    for name in names:
        builder.session(subnet.name, subnet, name, tor, from_listener=downward)
    if mesh:
        for one, other in combinations(names, 2):
            builder.session(subnet.name, subnet, one, other)


def _cables(builder: Builder, tors: list[str], tops: list[str], upward: PeerOptions) -> None:
    for top in tops:
        for tor in tors:
            builder.session("fabric", builder.cable(top, tor), tor, top, from_dialler=upward)


def _planes(builder: Builder, tors: list[str], planes: int, upward: PeerOptions) -> None:
    for number in range(1, planes + 1):
        plane = builder.segment(f"plane {number}", tors)
        for one, other in combinations(tors, 2):
            builder.session("fabric", plane, one, other, from_dialler=upward, from_listener=upward)


def _with_counts(
    builder: Builder, racks: int, servers: int, spines: int, blocks: int, *, mesh: bool, l2: bool, valley: bool
) -> Topology:
    own, every = servers * blocks, racks * servers * blocks
    in_rack = servers * (servers + 1) // 2 if mesh else servers
    above = spines * racks * (racks - 1) // 2 if l2 else racks * spines
    learned = every - blocks

    def predict(node: Node) -> Counts:
        if node.role == NODE:
            return Counts(learned, learned, learned)
        if node.role == TOR:
            # Over a plane each other ToR tells of its own rack, and without the knob of all others too.
            tellers = racks - 1 if l2 and valley else 1
            return Counts(own + spines * tellers * (every - own), every, every)
        # ToRs prefer the first spine, whose BGP identifier is the lowest; it is told of nothing that came from itself.
        paths = racks * every if valley and node.name != "spine1" else every
        return Counts(paths, every, every)

    return builder.build(racks * in_rack + above, predict)
