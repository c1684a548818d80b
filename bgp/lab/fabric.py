"""The memory fabric: the speakers of a topology in one process, on a network that is memory; everything else is real.

Nothing here polls. A memory network is still when no task can run, and then no octet is under way: with all sessions up
and nothing left to run, what the speakers hold is final until a timer expires or somebody interferes.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import trio
from trio.testing import wait_all_tasks_blocked

from bgp.lab.forwarding import Forwarder, Rejected, Router, Routes, Withheld
from bgp.lab.meter import MeteredTransport, Traffic
from bgp.net import MemoryNetwork, PeerChange, Speaker, open_speaker
from bgp.topology.model import Address, Counts, Session, Topology
from fsm.words import State
from rib.attributes import Attributes
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Afi, Family
from rib.prefix import Prefix
from rib.route import Path


class SessionChange(NamedTuple):
    """A session is up on both sides, or no longer. `at` is in seconds since the start; `reason` why it went down."""

    session: Session
    up: bool
    at: float
    reason: str


@dataclass(frozen=True, slots=True)
class Convergence:
    """How it went: whether everything came to rest in time, and after how many seconds."""

    settled: bool
    established: int
    seconds: float


Watcher = Callable[[SessionChange], None]


class MemoryFabric:
    """A topology that runs. Made by `open_memory_fabric`."""

    name = "memory"

    def __init__(self, topology: Topology, watcher: Watcher | None = None) -> None:
        self.topology = topology
        self.network = MemoryNetwork()
        self.traffic = Traffic()
        self.speakers: dict[str, Speaker] = {}
        self.started_at = trio.current_time()
        self._watcher = watcher
        self._news = trio.Event()
        self._closing = trio.Event()
        #: Session by (node, address of its peer), and which sides of each session are up.
        self._sessions = {(e.node, e.peer.address): s for s in topology.sessions for e in s.ends}
        self._sides: dict[int, set[str]] = {id(session): set() for session in topology.sessions}

    @property
    def established(self) -> int:
        """How many sessions are up on both sides."""
        return sum(len(sides) == 2 for sides in self._sides.values())

    async def converge(self, within: float) -> Convergence:
        """Return when all sessions are up and nothing is left to do, or after `within` seconds."""
        settled = False
        with trio.move_on_after(within):
            await wait_all_tasks_blocked()
            while self.established < len(self._sides):
                await self._news.wait()
                await wait_all_tasks_blocked()
            settled = True
        return Convergence(settled, self.established, trio.current_time() - self.started_at)

    def measure(self) -> dict[str, Counts]:
        """What each speaker holds."""
        forwarder = self.forwarder()
        return {node: self._counts(node, forwarder) for node in self.speakers}

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
        usable = {path: forwarder.resolves(node, path) for path in set(best)}
        return Counts(paths, len(best), sum(usable[path] for path in best))

    def forwarder(self) -> Forwarder:
        """Walks packets by the routes that the speakers have now."""
        routers = {
            name: Router(partial(_routes, speaker), partial(_rejected, speaker), partial(_withheld, speaker))
            for name, speaker in self.speakers.items()
        }
        return Forwarder(self.topology, routers)

    def down(self) -> Iterator[tuple[Session, str]]:
        """The sessions that are not up, each with the reason that one of its sides has."""
        for session in self.topology.sessions:
            if len(self._sides[id(session)]) < 2:
                peers = [self.speakers[end.node].peers[end.peer.address] for end in session.ends]
                reasons = [peer.why_down or peer.connect_error for peer in peers]
                yield session, next((reason for reason in reasons if reason), "no reason known")

    # What `open_memory_fabric` calls.

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Open all speakers, start all sessions, and keep them until `close`."""
        async with trio.open_nursery() as nursery:
            for node in self.topology.nodes:
                await nursery.start(self._run_node, node.name)
            self.started_at = trio.current_time()
            for session in self.topology.sessions:
                await self.speakers[session.listens.node].add_peer(session.listens.peer)
            for session in self.topology.sessions:
                await self.speakers[session.dials.node].add_peer(session.dials.peer)
            task_status.started()

    async def _run_node(self, name: str, *, task_status: trio.TaskStatus[None]) -> None:
        addresses = [str(address) for _, address in self.topology.links_of(name)]
        transport = MeteredTransport(self.network.transport(*addresses), self.traffic)
        options = self.topology.speaker_options(name)
        async with open_speaker(options, transport=transport, observer=partial(self._changed, name)) as speaker:
            if prefixes := self.topology[name].prefixes:
                speaker.announce_all(prefixes, Attributes())
            self.speakers[name] = speaker
            task_status.started()
            await self._closing.wait()

    def close(self) -> None:
        """End all sessions; `run` returns when they are closed."""
        self._closing.set()

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
        if (len(sides) == 2) is not (before == 2):
            self._news.set()
            self._news = trio.Event()
            if self._watcher is not None:
                at = change.at - self.started_at
                self._watcher(SessionChange(session, len(sides) == 2, at, change.reason))


def _routes(speaker: Speaker, family: Family) -> Routes:
    return speaker.loc_rib.table(family).best


def _rejected(speaker: Speaker, address: Address) -> Iterator[Rejected]:
    family = IPV4_UNICAST if address.version == 4 else IPV6_UNICAST
    for peer in speaker.peers.values():
        if peer.adj_in is not None:
            for nlri, path in peer.adj_in.routes(family):
                if path.ineligible is not None and address in (prefix := Prefix.from_nlri(family.afi, nlri)):
                    yield Rejected(peer.options.label, prefix, str(path.ineligible))


def _withheld(speaker: Speaker, prefix: Prefix, path: Path) -> Iterator[Withheld]:
    family = IPV4_UNICAST if prefix.afi == Afi.IPV4 else IPV6_UNICAST
    for peer in speaker.peers.values():
        group = speaker.groups.of(peer)
        if group is None or path.source is peer.source:
            continue
        rules = group.key.rules
        if rules.verdict(family, prefix.nlri, path) is None:
            yield Withheld(peer.options.label, rules.why_not(path) or "the export policy")


@asynccontextmanager
async def open_memory_fabric(topology: Topology, watcher: Watcher | None = None) -> AsyncIterator[MemoryFabric]:
    """Run `topology` in memory as long as the context is open; `watcher` hears of every session that comes and goes."""
    fabric = MemoryFabric(topology, watcher)
    async with trio.open_nursery() as nursery:
        await nursery.start(fabric.run)
        yield fabric
        fabric.close()
