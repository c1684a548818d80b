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
from bgp.topology.builder import MULTIPATH, OWN_AS, PLAIN, Builder, as_numbers, at_least, knobs, one_of, pairs
from bgp.topology.model import NODE, TOR, Counts, Node, Topology
from bgp.topology.racks import Sizes, add_rack_sessions, add_racks, add_spine_sessions, add_spines

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
    tors: int = 1,
    blocks: int = 1,
    stack: str = "4",
    without: str | Iterable[str] = (),
) -> Topology:
    """Racks of `servers` under a ToR or several (`tors`), and `spines` above.

    ToRs of a rack share its AS and have no session with each other: either knows all that the other does from the servers.

    `spine`: "l3" routers, or "l2" switches, planes over which the ToRs peer with each other. `spine_as`: "one" AS for all
    or "each" its own. `rack`: the ToR "reflect"s or the rack is a full "mesh".
    Knobs: "next-hop-self"; "reflector-client" where the ToR reflects; "no-valley" where spines do not share an AS;
    "multipath" over spines and ToRs.
    Raises LocalError for numbers that cannot be.
    """
    at_least(1, racks=racks, servers=servers, spines=spines, tors=tors, blocks=blocks)
    one_of("spine", spine, ("l3", "l2"))
    one_of("spine_as", spine_as, ("one", "each"))
    one_of("rack", rack, ("reflect", "mesh"))
    l2, mesh = spine == "l2", rack == "mesh"
    shared_as = not l2 and spine_as == "one"
    known = [NEXT_HOP_SELF, MULTIPATH]
    known += [] if mesh else [REFLECTOR_CLIENT]
    known += [] if shared_as else [NO_VALLEY]
    left_out = knobs(without, known)
    parameters: dict[str, int | str] = {"racks": racks, "servers": servers, "spines": spines, "spine": spine}
    parameters |= {"spine_as": spine_as, "rack": rack, "tors": tors, "blocks": blocks}
    builder = Builder("as-per-rack", parameters, left_out, stack=stack, multipath=True)
    sizes = Sizes(racks, servers, spines, tors, blocks)

    above = 0 if l2 else 1 if shared_as else spines
    numbers = as_numbers(above + racks)
    if not l2:
        add_spines(builder, sizes, lambda place: numbers[0 if shared_as else place])
    asn = numbers[above:].__getitem__
    add_racks(builder, sizes, tor_asn=lambda rack: asn(rack - 1), server_asn=lambda rack, _: asn(rack - 1))
    downlink = replace(
        PLAIN,
        next_hop_self=NextHopSelf.NEVER if NEXT_HOP_SELF in left_out else NextHopSelf.EXTERNAL,
        route_reflector_client=not mesh and REFLECTOR_CLIENT not in left_out,
    )
    add_rack_sessions(builder, sizes, uplink=PLAIN, downlink=downlink, mesh=mesh)
    valley = NO_VALLEY in left_out
    upward = PLAIN if shared_as or valley else replace(PLAIN, export_policy=OWN_AS)
    if l2:
        _planes(builder, sizes, upward)
    else:
        add_spine_sessions(builder, sizes, upward=upward, downward=PLAIN)
    return _with_counts(builder, sizes, mesh=mesh, l2=l2, valley=valley)


def _planes(builder: Builder, sizes: Sizes, upward: PeerOptions) -> None:
    """Switches that all ToRs are on; those of different racks have a session over each."""
    tors = [(rack, tor) for rack in range(1, sizes.racks + 1) for tor in sizes.tor_names(rack)]
    for number in range(1, sizes.spines + 1):
        plane = builder.segment(f"plane {number}", [tor for _, tor in tors])
        for (rack, one), (other_rack, other) in combinations(tors, 2):
            if rack != other_rack:
                builder.session("fabric", plane, one, other, from_dialler=upward, from_listener=upward)


def _with_counts(builder: Builder, sizes: Sizes, *, mesh: bool, l2: bool, valley: bool) -> Topology:
    racks, servers, spines, tors, blocks = sizes
    own, every, learned = sizes.own, sizes.every, sizes.every - blocks
    in_rack = tors * (servers + (pairs(servers) if mesh else 0))
    above = spines * tors**2 * pairs(racks) if l2 else tors * racks * spines

    def predict(node: Node) -> Counts:
        if node.role == NODE:
            return Counts(tors * learned, learned, learned)
        if node.role == TOR:
            # Over a plane each other ToR tells of its own rack, and without the knob of all others too.
            tellers = tors * (racks - 1 if valley else 1) if l2 else 1
            return Counts(own + spines * tellers * (every - own), every, every)
        # ToRs prefer the first spine, whose BGP identifier is the lowest; it is told of nothing that came from itself.
        tellers = racks if valley and node.name != "spine1" else 1
        return Counts(tors * tellers * every, every, every)

    return builder.build(racks * in_rack + above, predict)
