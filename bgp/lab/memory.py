"""The memory fabric: the speakers of a topology in one process, on a network that is memory; everything else is real.

Nothing here polls. A memory network is still when no task can run and no octet is under way: with the sessions up that can
be, what the speakers hold is then final until a timer expires or somebody interferes.

In virtual time every link takes a while, drawn from the seed, so that the order of events is that of a network and the
same for every run.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from itertools import combinations
from random import Random
from typing import Final

import trio
from trio.testing import wait_all_tasks_blocked

from bgp.error import LocalError
from bgp.lab.fabric import Convergence, FabricSettings, SessionChange, Snapshot, Watcher
from bgp.lab.fault import Fault, FaultKind, link_of, why_dead
from bgp.lab.forwarding import Forwarder
from bgp.lab.loss import Flow
from bgp.lab.meter import MeteredTransport, Traffic
from bgp.lab.reach import Reachability
from bgp.lab.router import router_of
from bgp.net import MemoryNetwork, PeerChange, Speaker, open_speaker
from bgp.net.bell import Bell
from bgp.topology.model import Counts, End, Link, Session, Topology
from fsm.words import State
from rib.attributes import Attributes

#: In virtual time a link takes from 50 µs to 1 ms, as within a data centre.
SHORTEST: Final = 50e-6
LONGEST: Final = 1e-3


class MemoryFabric:
    """A topology that runs. Made by `open_memory_fabric`."""

    name = "memory"

    def __init__(self, topology: Topology, watcher: Watcher | None, settings: FabricSettings) -> None:
        self.topology = topology
        self.network = MemoryNetwork()
        self.traffic = Traffic()
        self.speakers: dict[str, Speaker] = {}
        self.faults: list[Fault] = []
        self._started_at = trio.current_time()
        self._settings = settings
        self._watcher = watcher
        self._news = Bell()
        self._closing = trio.Event()
        self._stops: dict[str, trio.Event] = {}
        self._nursery: trio.Nursery | None = None
        #: Session by (node, address of its peer), and which sides of each session are up.
        self._sessions = {(e.node, e.peer.address): s for s in topology.sessions for e in s.ends}
        self._sides: dict[int, set[str]] = {id(session): set() for session in topology.sessions}
        if settings.seed is not None:
            self._slow_down(Random(settings.seed))

    def _slow_down(self, random: Random) -> None:
        for link in self.topology.links:
            delay = random.uniform(SHORTEST, LONGEST)
            for one, other in _pairs(link):
                self.network.delay(one, other, delay)

    @property
    def established(self) -> int:
        """How many sessions are up on both sides."""
        return sum(len(sides) == 2 for sides in self._sides.values())

    def now(self) -> float:
        """See `Fabric`."""
        return trio.current_time() - self._started_at

    async def converge(self, within: float) -> Convergence:
        """See `Fabric`."""
        settled = False
        with trio.move_on_after(within):
            await self._still()
            while any(len(self._sides[id(s)]) != (2 if self._possible(s) else 0) for s in self.topology.sessions):
                await self._news.wait()
                await self._still()
            settled = True
        return Convergence(settled, self.established, self.now())

    async def _still(self) -> None:
        """Return when no task can run and no octet is under way."""
        await wait_all_tasks_blocked()
        while (at := self.network.last_arrival) is not None:
            await trio.sleep_until(at)
            await wait_all_tasks_blocked()

    def _possible(self, session: Session) -> bool:
        link = link_of(self.topology, session)
        return not why_dead(self.faults, link, session.dials.node, session.listens.node)

    async def snapshot(self) -> Snapshot:
        """See `Fabric`."""
        await trio.lowlevel.checkpoint()
        forwarder = self.forwarder()
        counts = {node: self._counts(node, forwarder) for node in self.speakers}
        return Snapshot(counts, forwarder, tuple(self._down()), self.traffic.copy())

    def _counts(self, node: str, forwarder: Forwarder) -> Counts:
        speaker = self.speakers[node]
        tables = [t for p in speaker.peers.values() if p.adj_in is not None for t in p.adj_in.tables.values()]
        paths = sum(path.ineligible is None for table in tables for path in table.values())
        best = [
            path
            for table in speaker.loc_rib.tables.values()
            for path in table.best.values()
            if not path.source.is_local
        ]
        usable = {path: forwarder.resolves(node, path.attributes.next_hop) for path in set(best)}
        return Counts(paths, len(best), sum(usable[path] for path in best))

    def forwarder(self) -> Forwarder:
        """Walks packets by the routes that the speakers have now."""
        routers = {
            node.name: router_of(self.speakers[node.name], node.multipath)
            for node in self.topology.nodes
            if node.name in self.speakers
        }
        return Forwarder(self.topology, routers, partial(why_dead, tuple(self.faults)))

    async def reach(self, snapshot: Snapshot, pods: int) -> Reachability:
        """See `Fabric`; packets are walked through the tables, not sent."""
        await trio.lowlevel.checkpoint()
        return Reachability.of(self.topology, snapshot.forwarder, pods)

    def _down(self) -> Iterator[tuple[Session, str]]:
        for session in self.topology.sessions:
            if len(self._sides[id(session)]) < 2:
                peers = [
                    self.speakers[e.node].peers.get(e.peer.address) for e in session.ends if e.node in self.speakers
                ]
                reasons = [peer.why_down or peer.connect_error for peer in peers if peer is not None]
                yield session, next((reason for reason in reasons if reason), "no reason known")

    # Faults.

    async def send(self, flows: Sequence[Flow]) -> None:
        """See `Fabric`: nothing is sent."""
        await trio.lowlevel.checkpoint()

    async def fail(self, fault: Fault) -> None:
        """See `Fabric`. Raises LocalError for a fault of kernels."""
        await trio.lowlevel.checkpoint()
        match fault.kind:
            case FaultKind.RESTART:
                await self._restart(fault.nodes[0])
                return
            case FaultKind.KILL:
                raise LocalError(f"{fault}: there is no kernel here that keeps the routes")
            case FaultKind.RESET:
                for one, other in self._addresses(fault):
                    self.network.cut(one, other)
                    self.network.heal(one, other)
                return
            case FaultKind.DELAY:
                for one, other in self._addresses(fault):
                    self.network.delay(one, other, fault.seconds)
                return
            case FaultKind.LINK | FaultKind.NODE:
                for one, other in self._addresses(fault):
                    self.network.stall(one, other)
        self.faults.append(fault)

    async def heal(self, fault: Fault) -> None:
        """See `Fabric`; a restart and a reset heal by themselves."""
        await trio.lowlevel.checkpoint()
        if fault.kind is FaultKind.DELAY:
            for one, other in self._addresses(fault):
                self.network.delay(one, other, 0.0)
        elif fault in self.faults:
            self.faults.remove(fault)
            held = {pair for other in self.faults for pair in self._addresses(other)}
            for pair in self._addresses(fault):
                if pair not in held:
                    self.network.heal(*pair)

    def _addresses(self, fault: Fault) -> list[tuple[str, str]]:
        """The pairs of addresses that a fault is between."""
        if fault.kind is FaultKind.NODE:
            node = fault.nodes[0]
            links = [link for link, _ in self.topology.links_of(node)]
            own = {str(address) for _, interface in self.topology.links_of(node) for address in interface.addresses}
            return [pair for link in links for pair in _pairs(link) if own & set(pair)]
        own_ends = set(fault.nodes)
        return [pair for link in fault.links for pair in _pairs(link, only=own_ends)]

    async def _restart(self, node: str) -> None:
        self._stops[node].set()
        while node in self.speakers:
            await self._news.wait()
        assert self._nursery is not None  # set while it runs
        await self._nursery.start(self._run_node, node)
        await self._add_peers(node)

    # Its life.

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Open all speakers, start all sessions, and keep them until `close`."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            for node in self.topology.nodes:
                await nursery.start(self._run_node, node.name)
            self._started_at = trio.current_time()
            for session in self.topology.sessions:
                await self._add_peer(session.listens)
            for session in self.topology.sessions:
                await self._add_peer(session.dials)
            task_status.started()
            await self._closing.wait()
            for stop in self._stops.values():
                stop.set()

    async def _add_peers(self, node: str) -> None:
        for session in self.topology.sessions:
            for end in session.ends:
                if end.node == node:
                    await self._add_peer(end)

    async def _add_peer(self, end: End) -> None:
        peer, hold_time = end.peer, self._settings.hold_time
        await self.speakers[end.node].add_peer(peer if hold_time is None else replace(peer, hold_time=hold_time))

    async def _run_node(self, name: str, *, task_status: trio.TaskStatus[None]) -> None:
        stop = self._stops[name] = trio.Event()
        addresses = [str(address) for _, interface in self.topology.links_of(name) for address in interface.addresses]
        transport = MeteredTransport(self.network.transport(*addresses), self.traffic)
        options = self.topology.speaker_options(name)
        async with open_speaker(options, transport=transport, observer=partial(self._changed, name)) as speaker:
            if self._settings.seed is not None:
                speaker.random = Random(f"{self._settings.seed} {name}")
            if prefixes := self.topology[name].prefixes:
                speaker.announce_all(prefixes, Attributes())
            self.speakers[name] = speaker
            task_status.started()
            await stop.wait()
        if not self._closing.is_set():
            del self.speakers[name]
            self._tell()

    def close(self) -> None:
        """End all sessions; `run` returns when they are closed."""
        for fault in self.faults:
            for one, other in self._addresses(fault):
                self.network.heal(one, other)
        self._closing.set()

    def _tell(self) -> None:
        self._news.ring()

    def _changed(self, node: str, change: PeerChange) -> None:
        if self._closing.is_set():
            return
        session = self._sessions[node, change.peer.options.address]
        sides = self._sides[id(session)]
        before = len(sides)
        if change.new is State.ESTABLISHED:
            sides.add(node)
        else:
            sides.discard(node)
        if len(sides) != before:
            self._tell()
        if (len(sides) == 2) is not (before == 2) and self._watcher is not None:
            self._watcher(SessionChange(session, len(sides) == 2, change.at - self._started_at, change.reason))


def _pairs(link: Link, *, only: set[str] | None = None) -> Iterator[tuple[str, str]]:
    """The pairs of addresses that talk over a link, of two nodes only if they are given."""
    for one, other in combinations(link.interfaces, 2):
        if not only or {one.node, other.node} == only:
            for near, far in zip(one.addresses, other.addresses, strict=True):
                yield str(near), str(far)


@asynccontextmanager
async def open_memory_fabric(
    topology: Topology, watcher: Watcher | None = None, settings: FabricSettings | None = None
) -> AsyncIterator[MemoryFabric]:
    """Run `topology` in memory as long as the context is open; `watcher` hears of every session that comes and goes."""
    fabric = MemoryFabric(topology, watcher, settings or FabricSettings())
    async with trio.open_nursery() as nursery:
        await nursery.start(fabric.run)
        yield fabric
        fabric.close()
