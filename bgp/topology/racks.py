"""Racks under spines: the nodes, subnets, cables and sessions that several models have in common.

A server is on one subnet with each ToR of its rack, and every ToR has a cable to every spine. The models say which AS
each of them is of, and how the ends of a session treat each other.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import NamedTuple

from bgp.options import PeerOptions
from bgp.topology.builder import Builder
from bgp.topology.model import SPINE, TOR, Node


class Sizes(NamedTuple):
    """How much there is of everything; `tors` and `servers` are those of one rack."""

    racks: int
    servers: int
    spines: int
    tors: int
    blocks: int

    @property
    def own(self) -> int:
        """nB: the blocks of a rack."""
        return self.servers * self.blocks

    @property
    def every(self) -> int:
        """E: all blocks."""
        return self.racks * self.own

    @property
    def sessions(self) -> int:
        """tN + tRS."""
        return self.tors * self.racks * (self.servers + self.spines)

    def tor_names(self, rack: int) -> list[str]:
        """The ToRs of a rack."""
        return [f"r{rack}t"] if self.tors == 1 else [f"r{rack}t{number}" for number in range(1, self.tors + 1)]

    def server_names(self, rack: int) -> list[str]:
        """The servers of a rack."""
        return [f"r{rack}s{number}" for number in range(1, self.servers + 1)]

    def spine_names(self) -> list[str]:
        """The spines."""
        return [f"spine{number}" for number in range(1, self.spines + 1)]

    def subnet_name(self, rack: int, side: int) -> str:
        """The subnet of a rack that its ToR number `side` (from 0) serves."""
        return f"rack {rack}" if self.tors == 1 else f"rack {rack} side {side + 1}"


def add_spines(builder: Builder, sizes: Sizes, asn: Callable[[int], int]) -> None:
    """Spines; `asn` gives the AS number of the first, second, …, counting from 0."""
    for place, name in enumerate(sizes.spine_names()):
        builder.node(Node(name, SPINE, asn(place), builder.identifier()))


def add_racks(
    builder: Builder, sizes: Sizes, *, tor_asn: Callable[[int], int], server_asn: Callable[[int, int], int]
) -> None:
    """Racks of ToRs and servers; each ToR has a subnet of its own with all servers of the rack."""
    for rack in range(1, sizes.racks + 1):
        servers = sizes.server_names(rack)
        own: list[str] = []
        for side, tor in enumerate(sizes.tor_names(rack)):
            subnet = builder.segment(sizes.subnet_name(rack, side), [tor, *servers])
            tor_id, *others = builder.identifiers(subnet)
            own = own or others
            builder.node(Node(tor, TOR, tor_asn(rack), tor_id, rack))
        asns = [server_asn(rack, place) for place in range(sizes.servers)]
        builder.hosts(servers, own, asns.__getitem__, sizes.blocks, rack)


def add_rack_sessions(
    builder: Builder, sizes: Sizes, *, uplink: PeerOptions, downlink: PeerOptions, mesh: bool = False
) -> None:
    """Server to ToR, as the server (`uplink`) and the ToR (`downlink`) say; with `mesh` also between servers."""
    subnets = {link.name: link for link in builder.links}
    for rack in range(1, sizes.racks + 1):
        servers = sizes.server_names(rack)
        for side, tor in enumerate(sizes.tor_names(rack)):
            name = sizes.subnet_name(rack, side)
            for server in servers:
                builder.session(name, subnets[name], server, tor, from_dialler=uplink, from_listener=downlink)
            for one, other in combinations(servers, 2) if mesh else ():
                builder.session(name, subnets[name], one, other)


def add_spine_sessions(builder: Builder, sizes: Sizes, *, upward: PeerOptions, downward: PeerOptions) -> None:
    """ToR to spine over a cable, as the ToR (`upward`) and the spine (`downward`) say."""
    for spine in sizes.spine_names():
        for rack in range(1, sizes.racks + 1):
            for tor in sizes.tor_names(rack):
                cable = builder.cable(spine, tor)
                builder.session("fabric", cable, tor, spine, from_dialler=upward, from_listener=downward)
