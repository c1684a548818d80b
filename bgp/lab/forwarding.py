"""The way of a packet: longest match at each hop, next hops resolved on the node's own links, hop by hop to the pod.

A next hop that is not on a link is looked up in turn (RFC 4271 9.1.2.1: iBGP keeps next hops that only the AS's other
routes lead to). Where a node has several equal ways, the flow's number says which one a packet takes, as a kernel's hash
does. A packet that cannot go on says where it is and why, down to the route that a node refused.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple
from zlib import crc32

from bgp.topology.model import Address, Interface, Link, Topology
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Afi, Family
from rib.prefix import Prefix

#: What Linux puts into a packet that leaves.
DEFAULT_TTL: Final = 64
#: How many routes may lead to each other before one leads to a link.
MAX_RECURSION: Final = 8
#: Lost routes that are looked for through the whole network; of more the last node says only that it has none.
MAX_EXPLAINED: Final = 2000


@dataclass(frozen=True, slots=True)
class Route:
    """One way to a prefix that a node uses. `peer` is the neighbour that taught it, and "" for a route of its own."""

    next_hop: Address | None
    as_path: str = ""
    peer: str = ""
    kind: str = "own"  #: or "iBGP", "eBGP"


#: What a node forwards by, for one family: NLRI to the ways that are used together.
Routes = Mapping[bytes, Sequence[Route]]


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
    """What forwarding asks of a node; a fabric answers.

    `paths` is how many usable paths there are to an NLRI; `rejected` the refused routes that cover an address;
    `withheld` the peers that the node keeps its route to a prefix from.
    """

    routes: Callable[[Family], Routes]
    paths: Callable[[Family, bytes], int]
    rejected: Callable[[Address], Iterable[Rejected]]
    withheld: Callable[[Prefix], Iterable[Withheld]]


class Hop(NamedTuple):
    """What a node did with the packet: the route that it took and where that leads. No prefix: it is its own pod."""

    node: str
    ttl: int
    prefix: Prefix | None = None
    route: Route | None = None  #: None for a connected network
    gateway: Address | None = None  #: the address on the link that the packet was handed to
    link: Link | None = None
    others: tuple[Hop, ...] = ()  #: the equal ways, which other flows take


class Trace(NamedTuple):
    """A packet's way. `reason` is empty when it arrived; else it says why it went no further than `at`."""

    destination: Address
    hops: tuple[Hop, ...]
    at: str
    reason: str

    @property
    def arrived(self) -> bool:
        """Whether the packet reached the pod."""
        return not self.reason


class Fate(NamedTuple):
    """Where packets end, whichever way they take, and why: an empty reason means that all arrive."""

    at: str
    reason: str


class _Step(NamedTuple):
    """One way out of a node: `to` is the next node, or None with the reason; an empty reason means it is here."""

    hop: Hop
    to: str | None
    reason: str


#: Why nothing passes over a link between two nodes; "" where it does.
Dead = Callable[[Link, str, str], str]


def nothing_dead(link: Link, near: str, far: str) -> str:
    """All links and nodes work."""
    return ""


class Forwarder:
    """Walks packets through the tables that the nodes had when they were first asked."""

    def __init__(self, topology: Topology, routers: Mapping[str, Router], dead: Dead = nothing_dead) -> None:
        self.topology = topology
        self.routers = routers
        self._dead = dead
        self._tables: dict[tuple[str, Family], _Table] = {}
        self._explained = 0

    def trace(self, start: str, destination: Address, *, flow: int = 0, ttl: int = DEFAULT_TTL) -> Trace:
        """The way of a packet that a pod of `start` sends; a node takes one from the TTL as it passes it on."""
        hops: list[Hop] = []
        node = start
        keys: dict[int, bytes] = {}
        while True:
            steps = self._steps(node, destination, keys)
            step = steps[_choice(flow, start, node, destination) % len(steps) if len(steps) > 1 else 0]
            others = tuple(other.hop._replace(ttl=ttl) for other in steps if other is not step)
            hops.append(step.hop._replace(ttl=ttl, others=others))
            if step.to is None:
                return Trace(destination, tuple(hops), node, step.reason or self._why_none(node, destination))
            ttl -= 1
            if ttl == 0:
                way = " → ".join(hop.node for hop in hops[-4:])
                return Trace(destination, tuple(hops), node, f"the TTL ran out on the way {way}: a loop")
            node = step.to

    def fates(self, destination: Address) -> dict[str, Fate]:
        """What becomes of packets to `destination` from each node that has pods.

        Every node is asked once, so that all pairs cost nodes × destinations look-ups and not that times the way.
        """
        known: dict[str, Fate] = {}
        keys: dict[int, bytes] = {}  # NLRI of the prefixes that cover it, by length
        for host in self.topology.hosts:
            self._settle(host.name, destination, keys, known, [])
        return {host.name: known[host.name] for host in self.topology.hosts}

    def _settle(
        self, node: str, destination: Address, keys: dict[int, bytes], known: dict[str, Fate], way: list[str]
    ) -> Fate:
        """The fate of packets at `node`, to which they came by `way`: the first failure among its ways, if any."""
        if (found := known.get(node)) is not None:
            return found
        onward = self._onward(node, destination, keys)
        if len(onward) == 1 and (found := known.get(onward[0])) is not None:
            known[node] = found
            return found
        if node in way:
            return Fate(node, f"the packet goes round in a loop: {' → '.join([*way[way.index(node) :], node])}")
        way.append(node)
        fate = Fate(node, "")
        for to in onward:
            fate = self._settle(to, destination, keys, known, way)
            if fate.reason:
                break
        else:
            # Not all ways lead to a node: this is where it should be, or there is a reason.
            for step in self._steps(node, destination, keys) if not onward else ():
                if step.to is not None:
                    fate = self._settle(step.to, destination, keys, known, way)
                else:
                    fate = Fate(node, step.reason or self._why_none(node, destination))
                if fate.reason:
                    break
        way.pop()
        known[node] = fate
        return fate

    def _onward(self, node: str, destination: Address, keys: dict[int, bytes]) -> Sequence[str]:
        """The nodes that the ways out of `node` lead to, where all of them lead to one; else none.

        Most prefixes share their routes with others, so that this is found out once for many.
        """
        family = IPV4_UNICAST if destination.version == 4 else IPV6_UNICAST
        table = self._table(node, family)
        nlri = table.match(destination, keys)
        routes = None if nlri is None or nlri in table.steps or nlri in table.connected else table.routes[nlri]
        if not routes or nlri is None:
            return ()
        onward = table.onward.get(id(routes))
        if onward is None:
            steps = [self._hand_over(node, family, nlri, route) for route in routes]
            ends = [step.to for step in steps if step.to is not None]
            onward = table.onward[id(routes)] = tuple(ends) if len(ends) == len(steps) else ()
        return onward

    def resolves(self, node: str, next_hop: Address | None) -> bool:
        """Whether a next hop leads to a neighbour on one of the node's links."""
        return next_hop is not None and self._gateway(node, next_hop) is not None

    def _steps(self, node: str, destination: Address, keys: dict[int, bytes]) -> Sequence[_Step]:
        """The ways out of `node`, one at least."""
        family = IPV4_UNICAST if destination.version == 4 else IPV6_UNICAST
        table = self._table(node, family)
        nlri = table.match(destination, keys)
        if nlri is None:
            return [_Step(Hop(node, 0), None, "")]
        if nlri in table.steps:
            return table.steps[nlri]
        if (connected := table.connected.get(nlri)) is not None:
            return [self._deliver(node, destination, connected)]
        made = table.steps[nlri] = [self._hand_over(node, family, nlri, route) for route in table.routes[nlri]]
        return made

    def _deliver(self, node: str, destination: Address, link: Link) -> _Step:
        hop = Hop(node, 0, _prefix_of(link, destination), None, destination, link)
        owner = self.topology.owners.get(destination)
        if owner is None:
            return _Step(hop, None, f"no host has {destination} on {link.name}")
        reason = self._dead(link, node, owner)
        return _Step(hop, None if reason else owner, reason)

    def _hand_over(self, node: str, family: Family, nlri: bytes, route: Route) -> _Step:
        prefix = Prefix.from_nlri(family.afi, nlri)
        hop = Hop(node, 0, prefix, route)
        if route.next_hop is None:
            return _Step(Hop(node, 0), None, "")
        found = self._gateway(node, route.next_hop)
        if found is None:
            return _Step(hop, None, f"the next hop {route.next_hop} of {prefix} leads to no link of {node}")
        address, link = found
        hop = hop._replace(gateway=address, link=link)
        owner = self.topology.owners.get(address)
        if owner is None:
            return _Step(hop, None, f"no host has the next hop {address} on {link.name}")
        reason = self._dead(link, node, owner)
        return _Step(hop, None if reason else owner, reason)

    def _why_none(self, node: str, destination: Address) -> str:
        """Empty for a packet that is where it should be; else where its route got lost.

        That is at the nearest node that refuses the route, or that has it and keeps it.
        """
        if any(destination in prefix for prefix in self.topology[node].prefixes):
            return ""
        self._explained += 1
        lost = self._lost_at(node, destination) if self._explained <= MAX_EXPLAINED else None
        if lost is None:
            return f"node {node} has no route to {destination}"
        where, words = lost
        return words if where == node else f"node {node} has no route to {destination}; {words}"

    def _lost_at(self, start: str, destination: Address) -> tuple[str, str] | None:
        asked, queue = {start}, deque([start])
        while queue:
            node = queue.popleft()
            if refused := list(self.routers[node].rejected(destination)):
                return node, f"node {node} rejects {_together(refused)}"
            for peer in self.topology.neighbours_of(node):
                held = self._longest_match(peer, destination)
                if held is not None:
                    for withheld in self.routers[peer].withheld(held):
                        if withheld.peer == node:
                            return peer, f"node {peer} does not tell {node} of {held}: {withheld.reason}"
                elif peer not in asked:
                    asked.add(peer)
                    queue.append(peer)
        return None

    def _gateway(self, node: str, next_hop: Address) -> tuple[Address, Link] | None:
        family = IPV4_UNICAST if next_hop.version == 4 else IPV6_UNICAST
        known = self._table(node, family).gateways
        if next_hop not in known:
            known[next_hop] = self._resolve(node, family, next_hop)
        return known[next_hop]

    def _resolve(self, node: str, family: Family, next_hop: Address) -> tuple[Address, Link] | None:
        table = self._table(node, family)
        for _ in range(MAX_RECURSION):
            for nlri in (_nlri(next_hop, length) for length in table.lengths):
                if (link := table.connected.get(nlri)) is not None:
                    return next_hop, link
                if routes := table.routes.get(nlri):
                    further = routes[0].next_hop
                    break
            else:
                return None
            if further is None:
                return None
            next_hop = further
        return None

    def _longest_match(self, node: str, address: Address) -> Prefix | None:
        """The prefix of the BGP route that covers an address."""
        family = IPV4_UNICAST if address.version == 4 else IPV6_UNICAST
        table = self._table(node, family)
        for length in table.lengths:
            nlri = _nlri(address, length)
            if nlri in table.routes:
                return Prefix.from_nlri(family.afi, nlri)
        return None

    def _table(self, node: str, family: Family) -> _Table:
        found = self._tables.get((node, family))
        if found is None:
            links = self.topology.links_of(node)
            own = [p.nlri for p in self.topology[node].prefixes if p.afi == family.afi]
            found = self._tables[node, family] = _Table(node, family, self.routers[node].routes(family), links, own)
        return found


class _Table:
    """What a node forwards by, for one family: BGP's routes, its networks, its own blocks; and what came of them."""

    __slots__ = ("connected", "gateways", "lengths", "onward", "routes", "steps")

    def __init__(
        self, node: str, family: Family, routes: Routes, links: Iterable[tuple[Link, Interface]], own: list[bytes]
    ) -> None:
        version = 4 if family.afi == Afi.IPV4 else 6
        self.routes = dict(routes)
        self.connected = {
            Prefix(str(network)).nlri: link
            for link, _ in links
            for network in link.networks
            if network.version == version
        }
        # A node's own blocks come before what it has heard of them.
        self.steps: dict[bytes, Sequence[_Step]] = {nlri: [_Step(Hop(node, 0), None, "")] for nlri in own}
        self.gateways: dict[Address, tuple[Address, Link] | None] = {}
        self.onward: dict[int, tuple[str, ...]] = {}  # by the identity of the routes that a prefix has
        there = {nlri[0] for table in (self.routes, self.connected, self.steps) for nlri in table}
        self.lengths = sorted(there, reverse=True)

    def match(self, destination: Address, keys: dict[int, bytes]) -> bytes | None:
        """The NLRI of the longest prefix that covers a destination; `keys` keeps its NLRI by length."""
        routes, steps, connected = self.routes, self.steps, self.connected
        for length in self.lengths:
            nlri = keys.get(length)
            if nlri is None:
                nlri = keys[length] = _nlri(destination, length)
            if nlri in routes or nlri in steps or nlri in connected:
                return nlri
        return None


def _nlri(address: Address, length: int) -> bytes:
    width = address.max_prefixlen
    masked = int(address) >> (width - length) << (width - length)
    return bytes((length,)) + masked.to_bytes(width // 8, "big")[: (length + 7) // 8]


def _together(refused: Iterable[Rejected]) -> str:
    """Refused routes in words, those alike from several peers at once."""
    peers: dict[tuple[Prefix, str], list[str]] = {}
    for one in refused:
        peers.setdefault((one.prefix, one.reason), []).append(one.peer)
    return "; ".join(f"{prefix} from {' and '.join(some)}: {reason}" for (prefix, reason), some in peers.items())


def _prefix_of(link: Link, address: Address) -> Prefix:
    return Prefix(str(next(network for network in link.networks if address in network)))


def _choice(flow: int, start: str, node: str, destination: Address) -> int:
    """A number that a flow always has at a node, as good as random."""
    return crc32(f"{flow} {start} {node} {destination}".encode())
