"""The way of a packet: longest match at each hop, next hops resolved on the node's own links, hop by hop to the pod.

A next hop that is not on a link is looked up in turn (RFC 4271 9.1.2.1: iBGP keeps next hops that only the AS's other
routes lead to). A packet that cannot go on says where it is and why, down to the route that the node refused.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from bgp.topology.model import Address, Link, Topology
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Family
from rib.prefix import Prefix
from rib.route import Path

#: What Linux puts into a packet that leaves.
DEFAULT_TTL: Final = 64
#: How many routes may lead to each other before one leads to a link.
MAX_RECURSION: Final = 8

#: A node's best routes of a family, by NLRI.
Routes = Mapping[bytes, Path]


class Rejected(NamedTuple):
    """A route that a node received and does not use."""

    peer: str
    prefix: Prefix
    reason: str


class Withheld(NamedTuple):
    """A peer that is not told of a route, and why."""

    peer: str
    reason: str


@dataclass(frozen=True, slots=True)
class Router:
    """What forwarding asks of a node: its best routes, the refused ones that cover an address, whom a route is kept from."""

    routes: Callable[[Family], Routes]
    rejected: Callable[[Address], Iterable[Rejected]]
    withheld: Callable[[Prefix, Path], Iterable[Withheld]]


class Hop(NamedTuple):
    """What a node did with the packet: the route that it took and where that leads. No route: it is its own pod."""

    node: str
    ttl: int
    prefix: Prefix | None = None
    path: Path | None = None  #: None for a connected network
    gateway: Address | None = None  #: the address on the link that the packet was handed to
    link: Link | None = None


class Trace(NamedTuple):
    """A packet's way. `reason` is empty when it arrived; else it says why it went no further than `at`."""

    hops: tuple[Hop, ...]
    at: str
    reason: str

    @property
    def arrived(self) -> bool:
        """Whether the packet reached the pod."""
        return not self.reason


class _Step(NamedTuple):
    """One node's decision: `to` is the next node, or None with the reason; an empty reason means it is here."""

    hop: Hop
    to: str | None
    reason: str


class Forwarder:
    """Walks packets through the tables that the nodes had when it was made."""

    def __init__(self, topology: Topology, routers: Mapping[str, Router]) -> None:
        self.topology = topology
        self._routers = routers
        self._tables: dict[tuple[str, Family], tuple[Routes, list[int]]] = {}

    def trace(self, start: str, destination: Address, ttl: int = DEFAULT_TTL) -> Trace:
        """The way of a packet that a pod of `start` sends; a node takes one from the TTL as it passes it on."""
        hops: list[Hop] = []
        node = start
        while True:
            step = self._step(node, destination)
            hops.append(step.hop._replace(ttl=ttl))
            if step.to is None:
                return Trace(tuple(hops), node, step.reason)
            ttl -= 1
            if ttl == 0:
                way = " → ".join(hop.node for hop in hops[-4:])
                return Trace(tuple(hops), node, f"the TTL ran out on the way {way}: a loop")
            node = step.to

    def fates(self, destination: Address) -> dict[str, tuple[str, str]]:
        """For each node with pods: where a packet from there to `destination` ends, and why ("" means it arrived).

        Every node is asked once, so that all pairs cost nodes × destinations look-ups and not that times the way.
        """
        known: dict[str, tuple[str, str]] = {}
        for host in self.topology.hosts:
            way: list[str] = []
            node: str | None = host.name
            while node is not None and node not in known:
                if node in way:
                    known[node] = (
                        node,
                        f"the packet goes round in a loop: {' → '.join([*way[way.index(node) :], node])}",
                    )
                    break
                way.append(node)
                step = self._step(node, destination)
                if step.to is None:
                    known[node] = node, step.reason
                node = step.to
            end = known[node if node is not None else way[-1]]
            for passed in way:
                known.setdefault(passed, end)
        return {host.name: known[host.name] for host in self.topology.hosts}

    def resolves(self, node: str, path: Path) -> bool:
        """Whether the next hop of a path leads to a neighbour on one of the node's links."""
        next_hop = path.attributes.next_hop
        return next_hop is not None and self._gateway(node, next_hop) is not None

    def _step(self, node: str, destination: Address) -> _Step:
        here = Hop(node, 0)
        if any(destination in prefix for prefix in self.topology[node].prefixes):
            return _Step(here, None, "")
        if (connected := self._connected(node, destination)) is not None:
            owner = self.topology.owners.get(destination)
            hop = here._replace(prefix=Prefix(str(connected.network)), gateway=destination, link=connected)
            return _Step(hop, owner, "" if owner else f"no host has {destination} on {connected.name}")
        match = self._longest_match(node, destination)
        if match is None:
            return _Step(here, None, self._why_none(node, destination))
        prefix, path = match
        next_hop = path.attributes.next_hop
        hop = here._replace(prefix=prefix, path=path)
        gateway = None if next_hop is None else self._gateway(node, next_hop)
        if gateway is None:
            return _Step(hop, None, f"the next hop {next_hop} of {prefix} leads to no link of {node}")
        address, link = gateway
        owner = self.topology.owners.get(address)
        hop = hop._replace(gateway=address, link=link)
        return _Step(hop, owner, "" if owner else f"no host has the next hop {address} on {link.name}")

    def _why_none(self, node: str, destination: Address) -> str:
        """Where the route got lost: the nearest node that refuses it, or that has it and keeps it."""
        lost = self._lost_at(node, destination)
        if lost is None:
            return f"node {node} has no route to {destination}"
        where, words = lost
        return words if where == node else f"node {node} has no route to {destination}; {words}"

    def _lost_at(self, start: str, destination: Address) -> tuple[str, str] | None:
        asked, queue = {start}, deque([start])
        while queue:
            node = queue.popleft()
            refused = [f"{r.prefix} from {r.peer}: {r.reason}" for r in self._routers[node].rejected(destination)]
            if refused:
                return node, f"node {node} rejects {'; '.join(refused)}"
            for peer in self.topology.neighbours_of(node):
                held = self._longest_match(peer, destination)
                if held is not None:
                    for withheld in self._routers[peer].withheld(*held):
                        if withheld.peer == node:
                            return peer, f"node {peer} does not tell {node} of {held[0]}: {withheld.reason}"
                elif peer not in asked:
                    asked.add(peer)
                    queue.append(peer)
        return None

    def _gateway(self, node: str, next_hop: Address) -> tuple[Address, Link] | None:
        for _ in range(MAX_RECURSION):
            if (link := self._connected(node, next_hop)) is not None:
                return next_hop, link
            match = self._longest_match(node, next_hop)
            if match is None or match[1].attributes.next_hop is None:
                return None
            next_hop = match[1].attributes.next_hop
        return None

    def _connected(self, node: str, address: Address) -> Link | None:
        for link, _ in self.topology.links_of(node):
            if address.version == link.network.version and address in link.network:
                return link
        return None

    def _longest_match(self, node: str, address: Address) -> tuple[Prefix, Path] | None:
        family = IPV4_UNICAST if address.version == 4 else IPV6_UNICAST
        routes, lengths = self._table(node, family)
        value, width = int(address), address.max_prefixlen
        for length in lengths:
            masked = value >> (width - length) << (width - length)
            nlri = bytes((length,)) + masked.to_bytes(width // 8, "big")[: (length + 7) // 8]
            path = routes.get(nlri)
            if path is not None:
                return Prefix.from_nlri(family.afi, nlri), path
        return None

    def _table(self, node: str, family: Family) -> tuple[Routes, list[int]]:
        found = self._tables.get((node, family))
        if found is None:
            routes = dict(self._routers[node].routes(family))
            found = self._tables[node, family] = routes, sorted({nlri[0] for nlri in routes}, reverse=True)
        return found
