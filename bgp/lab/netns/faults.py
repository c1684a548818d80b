"""What a fault does to the cables of a lab on real kernels: ports pulled off their bridge, pairs parted, or delayed."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from bgp.lab.fault import Fault, FaultKind
from bgp.lab.netns.channel import Parent
from bgp.lab.netns.switch import Pair, Plug
from bgp.topology.model import Link, Topology


class Cables:
    """The plugs of a topology by the name of their link and their node, and what is broken of them now."""

    def __init__(self, topology: Topology) -> None:
        self.plugs = {(link.name, node): plug for link, node, plug in _plugs(topology)}
        self.faults: list[Fault] = []  #: that keep nodes apart
        self._delays: list[Fault] = []
        self._slow: dict[Pair, float] = {}  #: what the switch delays now, and by how much
        self._topology = topology

    async def cut(self, switch: Parent, fault: Fault) -> None:
        """Let nothing pass where a fault of a link or a node says so."""
        self.faults.append(fault)
        await self._delay(switch)
        await switch.ask("detach", self._pulled(fault))
        if pairs := list(self._parted(fault)):
            await switch.ask("part", pairs)

    async def mend(self, switch: Parent, fault: Fault) -> None:
        """Repair what one fault broke and no other keeps broken."""
        if fault not in self.faults:
            return
        self.faults.remove(fault)
        pulled, parted = self._dead()
        await switch.ask("attach", [plug for plug in self._pulled(fault) if plug not in pulled])
        if pairs := [pair for pair in self._parted(fault) if pair not in parted]:
            await switch.ask("join", pairs)
        await self._delay(switch)

    async def slow_down(self, switch: Parent, fault: Fault) -> None:
        """Let everything between the two nodes of a delay take longer."""
        self._delays.append(fault)
        await self._delay(switch)

    async def speed_up(self, switch: Parent, fault: Fault) -> None:
        """End that."""
        self._delays.remove(fault)
        await self._delay(switch)

    async def _delay(self, switch: Parent) -> None:
        """Have the switch delay what is to be delayed now: nothing that is cut, or the delay would carry it past the cut."""
        pulled, parted = self._dead()
        slow = {
            pair: fault.seconds
            for fault in self._delays
            for pair in self._between(fault)
            if pair not in parted and pulled.isdisjoint(pair)
        }
        if ended := [pair for pair, seconds in self._slow.items() if slow.get(pair) != seconds]:
            await switch.ask("join", ended)
        for pair, seconds in slow.items():
            if self._slow.get(pair) != seconds:
                await switch.ask("delay", [pair], seconds)
        self._slow = slow

    def _dead(self) -> tuple[set[Plug], set[Pair]]:
        """The plugs that are pulled, and the pairs that are parted."""
        pulled = {plug for fault in self.faults for plug in self._pulled(fault)}
        return pulled, {pair for fault in self.faults for pair in self._parted(fault)}

    def _pulled(self, fault: Fault) -> list[Plug]:
        """The plugs that a fault pulls: of a node, of a whole link, of a link that only the two are on."""
        if fault.kind is FaultKind.NODE:
            return [self.plugs[link.name, fault.nodes[0]] for link, _ in self._topology.links_of(fault.nodes[0])]
        whole = [link for link in fault.links if not fault.nodes or not _shared(link)]
        return [self.plugs[link.name, interface.node] for link in whole for interface in link.interfaces]

    def _parted(self, fault: Fault) -> Iterator[Pair]:
        """The pairs of plugs that a fault parts: the two, where others are on the link."""
        if fault.kind is FaultKind.LINK and fault.nodes:
            yield from (pair for pair in self._between(fault) if pair[0].bridge in self._shared_bridges(fault))

    def _shared_bridges(self, fault: Fault) -> set[str]:
        return {self.plugs[link.name, link.interfaces[0].node].bridge for link in fault.links if _shared(link)}

    def _between(self, fault: Fault) -> Iterator[Pair]:
        """The plugs of the two nodes of a fault, on every link of it."""
        for link in fault.links:
            own = [self.plugs[link.name, i.node] for i in link.interfaces if i.node in fault.nodes]
            yield from combinations(own, 2)


def _shared(link: Link) -> bool:
    return len(link.interfaces) > 2


def _plugs(topology: Topology) -> Iterator[tuple[Link, str, Plug]]:
    """The cables of a topology; interfaces are called eth0, eth1, … in the order of a node's links."""
    taken: dict[str, int] = {}
    for number, link in enumerate(topology.links):
        for place, interface in enumerate(link.interfaces):
            own = taken.get(interface.node, 0)
            taken[interface.node] = own + 1
            yield link, interface.node, _plug(number, place, own)


def _plug(link: int, place: int, interface: int) -> Plug:
    address = ":".join(f"{octet:02x}" for octet in (2, 0, *link.to_bytes(2, "big"), *place.to_bytes(2, "big")))
    return Plug(0, f"eth{interface}", f"p{link}x{place}", f"b{link}", address)
