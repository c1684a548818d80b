"""Next hops by the kernel's routes: whether one can be reached, through which gateway and link, how far it is.

Our own routes do not count (RFC 4271 9.1.2.1 asks for a way that does not depend on the route itself), nor do, by default,
default routes: by them everything would be reachable. A gateway of the route that was found is looked up in turn, until a
link is reached.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from bgp.net.kernel.model import Hop, KernelRoute, Link
from rib.trie import PrefixTrie

Address = IPv4Address | IPv6Address

#: How many routes may lead to one another before a link is reached.
DEPTH: Final = 8
#: Next hops about which an answer is remembered. Real tables have thousands.
REMEMBERED: Final = 1 << 16


class Moved(NamedTuple):
    """What changed about next hops that were asked for."""

    metrics: bool  #: whether some can be reached, or how far they are
    ways: bool  #: by which gateway or link some are reached


class KernelResolver:
    """A `rib.next_hop.Resolver` over the routes of others in the kernel."""

    def __init__(self, *, via_default: bool = False) -> None:
        self.via_default = via_default
        self._links: Mapping[int, Link] = {}
        self._routes: PrefixTrie[dict[int, KernelRoute]] = PrefixTrie()
        self._has_forgotten = False
        self._metrics: dict[Address, int | None] = {}
        self._ways: dict[tuple[Address, int], tuple[Hop, ...]] = {}

    # What the kernel has.

    def load(self, links: Mapping[int, Link], routes: Iterable[KernelRoute]) -> None:
        """Start anew from these."""
        self._links = links
        self._routes = PrefixTrie()
        for route in routes:
            self.add(route)

    def add(self, route: KernelRoute) -> None:
        """A route of somebody else is there."""
        half = self._routes.family(route.afi)
        there = half.get(route.nlri, None)
        if there is None:
            half[route.nlri] = {route.metric: route}
        else:
            there[route.metric] = route

    def remove(self, route: KernelRoute) -> None:
        """A route of somebody else is there no more."""
        half = self._routes.family(route.afi)
        there = half.get(route.nlri, None)
        if there is not None:
            there.pop(route.metric, None)
            if not there:
                del half[route.nlri]

    def interface(self, name: str) -> int:
        """The index of a link by its name or its number; 0 if there is none."""
        if name.isdecimal():
            return int(name)
        return next((link.number for link in self._links.values() if link.name == name), 0)

    # What is asked.

    def metric(self, address: Address) -> int | None:
        """The interior cost of the way to `address`; None where there is no way. The answer is remembered."""
        if address in self._metrics:
            return self._metrics[address]
        if len(self._metrics) >= REMEMBERED:
            self._metrics.clear()
            self._has_forgotten = True
        found = self._metrics[address] = self._metric(address)
        return found

    def _metric(self, address: Address) -> int | None:
        if address.is_loopback:
            return 0  # of a session over loopback addresses; from any other it is no host address
        if address.is_link_local:
            return 0 if any(link.is_up for link in self._links.values()) else None
        for route in self._best(address):
            if self._hops(route, address, DEPTH):
                return route.metric if any(hop.gateway is not None for hop in route.way.hops) else 0
        return None

    def hops(self, address: Address, interface: int = 0) -> tuple[Hop, ...]:
        """The gateways and links by which `address` is reached; empty if it is not. The answer is remembered.

        A link-local address is reached on `interface` only.
        """
        index = (address, interface)
        found = self._ways.get(index)
        if found is None:
            if len(self._ways) >= REMEMBERED:
                self._ways.clear()
                self._has_forgotten = True
            found = self._ways[index] = self._way(*index)
        return found

    def _way(self, address: Address, interface: int) -> tuple[Hop, ...]:
        if address.is_link_local:
            link = self._links.get(interface)
            return (Hop(address, interface),) if link is not None and link.is_up else ()
        for route in self._best(address):
            if found := self._hops(route, address, DEPTH):
                return found
        return ()

    def _best(self, address: Address) -> list[KernelRoute]:
        """The routes of the longest prefix around `address`, the lowest metric first."""
        found = self._routes.longest_match(address)
        if found is None or (not found.prefix.length and not self.via_default):
            return []
        return [found.value[metric] for metric in sorted(found.value)]

    def _hops(self, route: KernelRoute, address: Address, depth: int) -> tuple[Hop, ...]:
        """How `address` is reached by `route`; empty if it is not."""
        reached: list[Hop] = []
        for hop in route.way.hops:
            gateway = hop.gateway or address
            if hop.interface:
                link = self._links.get(hop.interface)
                if link is not None and link.is_up:
                    reached.append(Hop(gateway, hop.interface))
            elif depth:
                for further in self._best(gateway):
                    reached += self._hops(further, gateway, depth - 1)
        return tuple(dict.fromkeys(reached))

    def recheck(self) -> Moved:
        """Which of the answers that were given are others now; from now on those are remembered."""
        metrics, ways = self._metrics, self._ways
        self._metrics = {address: self._metric(address) for address in metrics}
        self._ways = {index: self._way(*index) for index in ways}
        unknown, self._has_forgotten = self._has_forgotten, False
        return Moved(unknown or self._metrics != metrics, unknown or self._ways != ways)
