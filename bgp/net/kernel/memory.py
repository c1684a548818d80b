"""A kernel in memory, for labs without namespaces and for tests: it refuses, forgets and stays silent as the real one does."""

from __future__ import annotations

import errno
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_interface
from typing import Final

import trio

from bgp.net.kernel.model import (
    KERNEL_PROTOCOL,
    Edit,
    Event,
    Hop,
    KernelOptions,
    KernelRoute,
    Link,
    LinksChanged,
    Refusal,
    RouteCame,
    RouteWent,
    Verb,
    Way,
)
from rib.family import Afi
from rib.prefix import Prefix
from rib.trie import PrefixTrie

#: What the kernel gives to IPv6 routes that it makes itself.
IPV6_METRIC: Final = 256


class MemoryKernel:
    """`bgp.net.kernel.model.Kernel` without a kernel. Its other methods are the hands of somebody else on the machine."""

    def __init__(self, options: KernelOptions | None = None) -> None:
        self.options = options or KernelOptions()
        self._links: dict[int, Link] = {}
        self._routes: dict[tuple[int, bytes, int], KernelRoute] = {}
        self._networks: list[tuple[int, Prefix]] = []
        self._events: list[Event] = []
        self._news = trio.Event()

    # As a Kernel.

    def close(self) -> None:
        """Nothing is held."""

    async def links(self) -> dict[int, Link]:
        """All links by their number."""
        await trio.lowlevel.checkpoint()
        return dict(self._links)

    async def routes(self, *, own: bool) -> list[KernelRoute]:
        """Our routes in the table, or those of everybody else there."""
        await trio.lowlevel.checkpoint()
        return [route for route in self._routes.values() if self._is_own(route) is own]

    def _is_own(self, route: KernelRoute) -> bool:
        return route.protocol == self.options.protocol and route.metric == self.options.metric

    async def edit(self, edits: Iterable[Edit]) -> list[Refusal]:
        """Do all of it, in order; gives what was refused."""
        await trio.lowlevel.checkpoint()
        protocol, metric = self.options.protocol, self.options.metric
        refused = []
        for verb, afi, keys, way in edits:
            for nlri in keys:
                if error := self._do(verb, KernelRoute(afi, nlri, way, protocol, metric)):
                    refused.append(Refusal(verb, afi, nlri, error))
        return refused

    def _do(self, verb: Verb, route: KernelRoute) -> int:
        index = (route.afi, route.nlri, route.metric)
        there = self._routes.get(index)
        if verb is Verb.REMOVE:
            if there is None or there.protocol != route.protocol:
                return errno.ESRCH
            del self._routes[index]
            return 0
        if verb is Verb.ADD and there is not None:
            return errno.EEXIST
        hops = tuple(self._placed(hop) for hop in route.way.hops)
        if any(hop is None for hop in hops):
            return errno.ENETUNREACH if route.afi == Afi.IPV4 else errno.EHOSTUNREACH
        placed = tuple(hop for hop in hops if hop is not None)
        self._routes[index] = route._replace(way=Way.of(placed, route.way.source))
        return 0

    def _placed(self, hop: Hop) -> Hop | None:
        """The hop with its link; None where no link that is up leads there."""
        if hop.gateway is None or (hop.gateway.is_link_local and hop.interface):
            return hop if self._is_up(hop.interface) else None
        for index, network in self._networks:
            if hop.gateway in network and hop.interface in (0, index) and self._is_up(index):
                return Hop(hop.gateway, index)
        return None

    def _is_up(self, index: int) -> bool:
        link = self._links.get(index)
        return link is not None and link.is_up

    async def events(self) -> list[Event]:
        """Wait until something happens that `edit` did not do, and give all of it."""
        await trio.lowlevel.checkpoint()
        while not self._events:
            self._news = trio.Event()
            await self._news.wait()
        found, self._events = self._events, []
        return found

    # As somebody else.

    def _tell(self, event: Event) -> None:
        self._events.append(event)
        self._news.set()

    def add_link(self, name: str, *addresses: str) -> int:
        """A link that is up, with addresses such as "10.0.0.1/24"; gives its index."""
        index = len(self._links) + 1
        self._links[index] = Link(index, name, True)
        for address in addresses:
            self._connect(index, address)
        self._tell(LinksChanged())
        return index

    def _connect(self, index: int, address: str) -> None:
        interface = ip_interface(address)
        network = Prefix(str(interface.network))
        self._networks.append((index, network))
        source = interface.ip if interface.version == 4 else None
        metric = 0 if interface.version == 4 else IPV6_METRIC
        self.put(network, Way((Hop(None, index),), source), KERNEL_PROTOCOL, metric)

    def set_link(self, name: str, *, is_up: bool) -> None:
        """Cut a link, or mend it. The routes through it go without a word, IPv6 ones with one."""
        link = next(link for link in self._links.values() if link.name == name)
        self._links[link.number] = link._replace(is_up=is_up)
        self._tell(LinksChanged())
        if is_up:
            for index, network in self._networks:
                if index == link.number:
                    metric = 0 if network.afi == Afi.IPV4 else IPV6_METRIC
                    self.put(network, Way((Hop(None, index),)), KERNEL_PROTOCOL, metric)
            return
        for place, route in list(self._routes.items()):
            if route.way.hops and all(not self._is_up(hop.interface) for hop in route.way.hops):
                del self._routes[place]
                if route.afi == Afi.IPV6:
                    self._tell(RouteWent(route))

    def put(self, prefix: Prefix | str, way: Way, protocol: int, metric: int = 0) -> None:
        """Make a route, or put one in the place of another of the same metric, whoever's it was."""
        made = prefix if isinstance(prefix, Prefix) else Prefix(prefix)
        route = KernelRoute(made.afi, made.nlri, way, protocol, metric)
        self._routes[made.afi, made.nlri, metric] = route
        self._tell(RouteCame(route))

    def take(self, prefix: Prefix | str, metric: int = 0) -> None:
        """Remove a route, whoever's it is. Raises KeyError if there is none."""
        made = prefix if isinstance(prefix, Prefix) else Prefix(prefix)
        self._tell(RouteWent(self._routes.pop((made.afi, made.nlri, metric))))

    def look_up(self, address: IPv4Address | IPv6Address) -> KernelRoute | None:
        """The route that a packet to `address` takes: of the longest prefix, the one of the lowest metric."""
        trie: PrefixTrie[KernelRoute] = PrefixTrie()
        for (afi, nlri, metric), route in self._routes.items():
            half = trie.family(afi)
            there = half.get(nlri, None)
            if there is None or metric < there.metric:
                half[nlri] = route
        found = trie.longest_match(address)
        return None if found is None else found.value
