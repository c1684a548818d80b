"""What a topology is: nodes, the links between them, the BGP sessions over these, and the counts that must come out.

Values only. A fabric (`bgp.lab`) makes speakers of them; the predictions come from the formulas of the model, not from a
simulation, so that what is measured can be held against them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import NamedTuple

from bgp.error import LocalError
from bgp.options import BGP_PORT, PeerOptions, SpeakerOptions
from rib.family import IPV4_UNICAST, Afi, Family
from rib.prefix import Prefix

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

#: Roles from the top of the picture to its foot.
SUPERSPINE, SPINE, REFLECTOR, TOR, NODE = ROLES = ("superspine", "spine", "reflector", "tor", "node")


@dataclass(frozen=True, slots=True)
class Node:
    """One speaker. `prefixes` are its own: the blocks that its pods have their addresses from, IPv4 first."""

    name: str
    role: str
    asn: int
    router_id: str
    rack: int | None = None
    prefixes: tuple[Prefix, ...] = ()
    multipath: int = 1  #: how many equally good ways to a prefix are used at a time
    cluster_id: str | None = None

    def pod(self, number: int = 1, version: int | None = None) -> Address:
        """The address of one of its pods, the first being number 1; of IP `version` if that is given.

        A block is filled before the next one is begun. Raises LocalError for a pod that there is no room for.
        """
        left = number
        for prefix in self.prefixes:
            block = prefix.network
            if version in (None, block.version):
                if left < block.num_addresses - 1:
                    return block[left]
                left -= block.num_addresses - 2
        raise LocalError(f"node {self.name} has no room for a pod number {number}: its blocks are full")


class Interface(NamedTuple):
    """A node's addresses on a link, one for each version of IP that the topology has, IPv4 first."""

    node: str
    addresses: tuple[Address, ...]

    @property
    def address(self) -> Address:
        """The first address: the one that sessions run over."""
        return self.addresses[0]

    def of_version(self, version: int) -> Address | None:
        """The address of an IP version; None where there is none."""
        return next((address for address in self.addresses if address.version == version), None)


@dataclass(frozen=True, slots=True)
class Link:
    """A subnet and who is on it: two ends of a cable, or many on a switch. `networks`: one for each version of IP."""

    name: str
    networks: tuple[Network, ...]
    interfaces: tuple[Interface, ...]

    @property
    def network(self) -> Network:
        """The network that sessions run over."""
        return self.networks[0]


class End(NamedTuple):
    """One side of a session: the node, and the neighbour as that node is told about it."""

    node: str
    peer: PeerOptions


@dataclass(frozen=True, slots=True)
class Session:
    """A BGP session. `dials` opens the connection and `listens` waits for it; `group` is what to show it under."""

    group: str
    dials: End
    listens: End

    @property
    def internal(self) -> bool:
        """Whether it is iBGP."""
        return self.dials.peer.asn == self.listens.peer.asn

    @property
    def ends(self) -> tuple[End, End]:
        """Both sides."""
        return self.dials, self.listens


class Counts(NamedTuple):
    """What one speaker holds: usable paths from its peers, prefixes with a best path from a peer, routes it forwards by."""

    paths: int
    best: int
    installed: int


@dataclass(frozen=True)
class Topology:
    """A whole network. `parameters` are the arguments that it was built with; `without` the knobs that were left out."""

    model: str
    parameters: Mapping[str, int | str]
    nodes: tuple[Node, ...]
    links: tuple[Link, ...]
    sessions: tuple[Session, ...]
    predicted_sessions: int
    predicted: Mapping[str, Counts] = field(repr=False)  #: by node
    without: tuple[str, ...] = ()
    #: Pairs of nodes whose pods are not meant to reach each other: policies between ASes may keep them apart.
    separate: frozenset[tuple[str, str]] = frozenset()

    def __getitem__(self, name: str) -> Node:
        return self._by_name[name]

    @cached_property
    def _by_name(self) -> dict[str, Node]:
        return {node.name: node for node in self.nodes}

    @cached_property
    def _links_of(self) -> dict[str, list[tuple[Link, Interface]]]:
        found: dict[str, list[tuple[Link, Interface]]] = {node.name: [] for node in self.nodes}
        for link in self.links:
            for interface in link.interfaces:
                found[interface.node].append((link, interface))
        return found

    @cached_property
    def _neighbours(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {node.name: [] for node in self.nodes}
        for session in self.sessions:
            found[session.dials.node].append(session.listens.node)
            found[session.listens.node].append(session.dials.node)
        return found

    @cached_property
    def owners(self) -> dict[Address, str]:
        """Whose each interface address is."""
        return {a: interface.node for link in self.links for interface in link.interfaces for a in interface.addresses}

    def owner_of_pod(self, address: Address) -> str:
        """The node whose block an address lies in. Raises KeyError if it is nobody's."""
        for node in self.hosts:
            if any(address in prefix for prefix in node.prefixes):
                return node.name
        raise KeyError(address)

    @property
    def families(self) -> tuple[Family, ...]:
        """The address families that the sessions carry."""
        return self.sessions[0].dials.peer.families if self.sessions else (IPV4_UNICAST,)

    @cached_property
    def versions(self) -> tuple[int, ...]:
        """The versions of IP that pods have addresses of."""
        afis = {prefix.afi for node in self.nodes for prefix in node.prefixes}
        return tuple(version for version, afi in ((4, Afi.IPV4), (6, Afi.IPV6)) if afi in afis)

    @property
    def roles(self) -> tuple[str, ...]:
        """The roles that occur, from the top down."""
        there = {node.role for node in self.nodes}
        return tuple(role for role in ROLES if role in there)

    @property
    def racks(self) -> tuple[int, ...]:
        """The numbers of the racks."""
        return tuple(sorted({node.rack for node in self.nodes if node.rack is not None}))

    @cached_property
    def hosts(self) -> tuple[Node, ...]:
        """The nodes that have pods."""
        return tuple(node for node in self.nodes if node.prefixes)

    def having(self, role: str, rack: int | None = None) -> tuple[Node, ...]:
        """The nodes of a role, of one rack if that is given."""
        return tuple(n for n in self.nodes if n.role == role and (rack is None or n.rack == rack))

    def links_of(self, name: str) -> tuple[tuple[Link, Interface], ...]:
        """The links that a node is on, each with its place there."""
        return tuple(self._links_of[name])

    def speaker_options(self, name: str) -> SpeakerOptions:
        """How to open the speaker of a node."""
        node, links = self[name], self._links_of[name]
        return SpeakerOptions(
            asn=node.asn,
            router_id=node.router_id,
            listen=tuple(_endpoint(address) for _, interface in links for address in interface.addresses),
            cluster_id=node.cluster_id,
            networks=tuple(str(network) for link, _ in links for network in link.networks),
            hostname=node.name,
        )

    def neighbours_of(self, name: str) -> tuple[str, ...]:
        """The nodes that a node has sessions with, once for each session."""
        return tuple(self._neighbours[name])


def _endpoint(address: Address) -> str:
    return f"[{address}]:{BGP_PORT}" if address.version == 6 else f"{address}:{BGP_PORT}"
