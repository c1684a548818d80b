"""The netns fabric: every node a process in a network namespace of its own, its routes in that kernel, pods behind it.

The lab's process starts the others and asks them; it has no sockets in any namespace and changes nothing of its own. It
needs root, or the root of a user namespace (`unshare -Urnm`), iproute2 and the CNI plugins of containernetworking-plugins.
"""

from __future__ import annotations

import multiprocessing
import os
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from multiprocessing.process import BaseProcess
from typing import Any, Final

import trio

from bgp.error import LocalError
from bgp.lab.export.words import peers
from bgp.lab.fabric import Convergence, FabricSettings, SessionChange, Snapshot, Watcher
from bgp.lab.fault import Fault, FaultKind, link_of, why_dead
from bgp.lab.forwarding import DEFAULT_TTL, Forwarder, Rejected, Router, Routes, Withheld
from bgp.lab.loss import Flow, Stream
from bgp.lab.meter import Traffic
from bgp.lab.netns.channel import Channel, Failed, Parent
from bgp.lab.netns.faults import Cables
from bgp.lab.netns.node import run_node
from bgp.lab.netns.probe import Answer
from bgp.lab.netns.sending import start_stream
from bgp.lab.netns.settings import EXPORTERS, as_told, daemons_of
from bgp.lab.netns.spaces import hidden_temporaries
from bgp.lab.netns.switch import run_switch
from bgp.lab.netns.words import Change, Holdings, Identity
from bgp.lab.reach import Failure, Reachability
from bgp.net.kernel import KernelOptions
from bgp.topology.model import Address, End, Node, Session, Topology
from rib.family import Family
from rib.prefix import Prefix

#: Seconds that processes have to end by themselves.
FAREWELL: Final = 5.0
#: Seconds between two looks at whether all is at rest.
PAUSE: Final = 0.02
#: Seconds without a change after which daemons that do not tell are taken to have come to rest.
QUIET: Final = 5.0
#: The same where a fault may have cost UPDATEs on their way: those sent are not compared with those received then.
SETTLED: Final = 0.1


class NetnsFabric:
    """A topology on real kernels. Made by `open_netns_fabric`."""

    name = "netns"

    def __init__(self, topology: Topology, watcher: Watcher | None, settings: FabricSettings) -> None:
        self.topology = topology = as_told(topology, settings)
        self.daemons = daemons_of(topology, settings)
        self._settings = settings
        self._watcher = watcher
        self._pods: dict[str, list[tuple[Address, ...]]] = {}
        self._started_at = time.monotonic()
        self._news = trio.Event()
        self._closing = False
        self._hurt = False  #: there was a fault
        self._nodes: dict[str, Parent] = {}
        self._children: list[Parent] = []
        self._switch: Parent  # from `start` on
        self._processes: dict[str, BaseProcess] = {}
        self._cables = Cables(topology)
        self.faults = self._cables.faults
        self._sessions = {(e.node, e.peer.address): s for s in topology.sessions for e in s.ends}
        self._sides: dict[int, set[str]] = {id(session): set() for session in topology.sessions}

    @property
    def established(self) -> int:
        """How many sessions are up on both sides."""
        return sum(len(sides) == 2 for sides in self._sides.values())

    def now(self) -> float:
        """See `Fabric`."""
        return time.monotonic() - self._started_at

    # Its life.

    async def start(self, nursery: trio.Nursery) -> None:
        """Start all processes, wire them up, and open the speakers; sessions begin when the last one is there."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["bgp.lab.netns.node", "bgp.lab.netns.switch", "bgp.net.kernel.netlink"])
        with hidden_temporaries():
            self._switch = self._spawn(context, "switch", run_switch, nursery)
            for node in self.topology.nodes:
                self._nodes[node.name] = self._spawn(context, node.name, run_node, nursery)
        await self._wire()
        await self._each(self._prepare)
        self._started_at = time.monotonic()
        for side in ("listens", "dials"):
            await self._each(partial(self._peer, side))

    def _spawn(
        self, context: Any, name: str, run: Callable[[socket.socket], None], nursery: trio.Nursery
    ) -> Parent:  # the context is multiprocessing's, whose types differ by kind
        ours, theirs = socket.socketpair()
        process = context.Process(target=run, args=(theirs,), name=f"bgp-lab-{name}", daemon=True)
        process.start()
        theirs.close()
        self._processes[name] = process
        made = Parent(Channel(ours), name, self._told)
        self._children.append(made)
        nursery.start_soon(made.run)
        return made

    async def _each(self, do: Callable[[Node], Awaitable[object]]) -> None:
        async with trio.open_nursery() as nursery:
            for node in self.topology.nodes:
                nursery.start_soon(do, node)

    async def _wire(self) -> None:
        process = {name: one.pid or 0 for name, one in self._processes.items()}
        # A child answers when it has entered its namespace; before that a cable would end in ours.
        await self._each(lambda node: self._nodes[node.name].ask("configure", ()))
        plugs = [plug._replace(process=process[node]) for (_, node), plug in self._cables.plugs.items()]
        await self._switch.ask("wire", sorted({plug.bridge for plug in plugs}), plugs)

    async def _prepare(self, node: Node) -> None:
        child = self._nodes[node.name]
        links = self.topology.links_of(node.name)
        await child.ask(
            "configure",
            [
                (
                    self._cables.plugs[link.name, node.name].interface,
                    [f"{a}/{net.prefixlen}" for a, net in zip(interface.addresses, link.networks, strict=True)],
                )
                for link, interface in links
            ],
        )
        if node.prefixes:
            self._pods[node.name] = await child.ask("attach", self._settings.pods, node.prefixes)
        own = {version: interface.of_version(version) for version in (6, 4) for _, interface in links}
        options = KernelOptions(
            source_ipv4=None if own.get(4) is None else str(own[4]),
            source_ipv6=None if own.get(6) is None else str(own[6]),
            max_paths=node.multipath,
            relax_as_path=node.multipath > 1,
        )
        speaker = replace(self.topology.speaker_options(node.name), networks=None)
        addresses = frozenset(address for _, interface in links for address in interface.addresses)
        identity = Identity(
            speaker, node.prefixes, options, node.multipath, addresses, node.name in self._settings.killed
        )
        if daemon := self.daemons.get(node.name):
            text = EXPORTERS[daemon](self.topology, node.name)
            names = {peer.address: peer.label for peer in peers(self.topology, node.name)}
            identity = replace(identity, daemon=daemon, configuration=text, names=names)
        await child.ask("open", identity)

    async def _peer(self, side: str, node: Node) -> None:
        ends: list[End] = [getattr(session, side) for session in self.topology.sessions]
        told = [end.peer for end in ends if end.node == node.name]
        if told:
            await self._nodes[node.name].ask("peer", told)

    def _told(self, node: str, change: Change) -> None:
        session = self._sessions[node, change.address]
        sides = self._sides[id(session)]
        before = len(sides) == 2
        (sides.add if change.up else sides.discard)(node)
        self._news.set()
        self._news = trio.Event()
        after = len(sides) == 2
        if before is not after and self._watcher is not None and not self._closing:
            self._watcher(SessionChange(session, after, change.at - self._started_at, change.reason))

    async def close(self) -> None:
        """Let all processes end, and their networks with them."""
        self._closing = True
        for child in self._children:
            await child.aclose()
        with trio.move_on_after(FAREWELL) as scope:
            scope.shield = True
            for process in self._processes.values():
                await trio.to_thread.run_sync(process.join, FAREWELL)
        for process in self._processes.values():
            if process.is_alive():
                process.kill()

    # What it holds.

    async def converge(self, within: float) -> Convergence:
        """See `Fabric`."""
        settled = False
        at = self.now()
        with trio.move_on_after(within):
            while any(len(self._sides[id(s)]) != (2 if self._possible(s) else 0) for s in self.topology.sessions):
                await self._news.wait()
            at = await self._rest()
            settled = True
        return Convergence(settled, self.established, at if settled else self.now())

    async def _rest(self) -> float:
        """Return when nothing goes on any more; gives since when."""
        before: list[tuple[int, int]] = []
        at = looked = self.now()
        while True:
            counted = await self._counted()
            if counted != before:
                at = self.now()
            # UPDATEs that were sent and have not arrived would be missing; a daemon does not say how many there are, and
            # what was sent on a connection that broke never arrives.
            balanced = self.daemons or self._hurt or sum(a for a, _ in counted) == sum(b for _, b in counted)
            patience = QUIET if self.daemons else SETTLED if self._hurt else 0.0
            quiet = self.now() - at >= patience or (self.daemons and await self._as_predicted())
            if counted == before and balanced and quiet:
                return looked if self.daemons else at
            before, looked = counted, self.now()
            await trio.sleep(PAUSE)

    async def _as_predicted(self) -> bool:
        return not self.faults and (await self.snapshot()).counts == self.topology.predicted

    async def _counted(self) -> list[tuple[int, int]]:
        """The UPDATEs that every node sent and received, once it had nothing to say."""
        counted: dict[str, tuple[int, int]] = {}

        async def ask(node: Node) -> None:
            counted[node.name] = await self._nodes[node.name].ask("rest")

        await self._each(ask)
        return [counted[node.name] for node in self.topology.nodes]

    def _possible(self, session: Session) -> bool:
        link = link_of(self.topology, session)
        return not why_dead(self.faults, link, session.dials.node, session.listens.node)

    async def snapshot(self) -> Snapshot:
        """See `Fabric`."""
        found: dict[str, Holdings] = {}

        async def ask(node: Node) -> None:
            found[node.name] = await self._nodes[node.name].ask("holdings", self.topology.families)

        await self._each(ask)
        faults = tuple(self.faults)
        routers = {name: _router(holdings) for name, holdings in found.items()}
        forwarder = Forwarder(self.topology, routers, partial(why_dead, faults))
        traffic = Traffic()
        for holdings in found.values():
            traffic.sent += holdings.traffic.sent
            traffic.received += holdings.traffic.received
            traffic.octets += holdings.traffic.octets
        counts = {node.name: found[node.name].counts for node in self.topology.nodes}
        return Snapshot(counts, forwarder, tuple(self._down(found)), traffic)

    def _down(self, found: dict[str, Holdings]) -> Iterator[tuple[Session, str]]:
        for session in self.topology.sessions:
            if len(self._sides[id(session)]) < 2:
                reasons = [found[end.node].why_down.get(end.peer.address, "") for end in session.ends]
                yield session, next(filter(None, reasons), "no reason known")

    async def reach(self, snapshot: Snapshot, pods: int) -> Reachability:
        """See `Fabric`: a ping and a TCP connection for each pair of pods, time to live and source address checked."""
        hosts = [host for host in self.topology.hosts if self._pods.get(host.name)]
        failed: dict[tuple[str, str], Failure] = {}
        lost: set[tuple[str, str, int, int]] = set()
        for host in hosts:
            others = [(other, number) for other in hosts if other is not host for number in range(pods)]
            wanted = {address: place for place in others for address in self._pods[place[0].name][place[1]]}
            answers: list[Answer] = await self._nodes[host.name].ask("probe", pods, list(wanted))
            own = {address: number for number, one in enumerate(self._pods[host.name]) for address in one}
            for answer in answers:
                other, number = wanted[answer.destination]
                if problem := self._problem(snapshot.forwarder, host, answer):
                    lost.add((host.name, other.name, own[answer.source], number))
                    failed.setdefault((host.name, other.name), self._failure(snapshot, host, other, answer, problem))
        as_meant = set(failed) == self.topology.separate
        pairs = pods * pods * len(hosts) * (len(hosts) - 1)
        return Reachability(pairs, tuple(failed.values()), len(lost), as_meant)

    def _problem(self, forwarder: Forwarder, host: Node, answer: Answer) -> str:
        """What is wrong with an answer. The reply has passed as many routers as a packet on its way back does."""
        if answer.problem:
            return answer.problem
        back = forwarder.trace(self.topology.owner_of_pod(answer.destination), answer.source)
        expected = DEFAULT_TTL - len(back.hops)
        if back.arrived and answer.ttl != expected:
            return f"the reply had a time to live of {answer.ttl} left, not {expected}"
        return ""

    def _failure(self, snapshot: Snapshot, host: Node, other: Node, answer: Answer, problem: str) -> Failure:
        """Where and why, as the routes have it; the packet's own words where these would let it pass."""
        trace = snapshot.forwarder.trace(host.name, answer.destination)
        if not trace.arrived:
            return Failure(host.name, other.name, trace.at, f"{trace.reason} ({problem})")
        back = snapshot.forwarder.trace(other.name, answer.source)
        reason = problem if back.arrived else f"the answer ends at {back.at}: {back.reason} ({problem})"
        return Failure(host.name, other.name, trace.at, reason)

    # Faults.

    async def fail(self, fault: Fault) -> None:
        """See `Fabric`. Raises Failed for a fault that this kernel cannot bring about."""
        self._hurt = True
        match fault.kind:
            case FaultKind.RESTART:
                await self._nodes[fault.nodes[0]].ask("restart")
            case FaultKind.KILL:
                await self._nodes[fault.nodes[0]].ask("kill")
            case FaultKind.RESET:
                for session in self.topology.sessions:
                    if {end.node for end in session.ends} == set(fault.nodes):
                        await self._nodes[session.dials.node].ask("reset", session.dials.peer.address)
            case FaultKind.DELAY:
                await self._cables.slow_down(self._switch, fault)
            case FaultKind.LINK | FaultKind.NODE:
                await self._cables.cut(self._switch, fault)

    async def heal(self, fault: Fault) -> None:
        """See `Fabric`; a restart and a reset heal by themselves."""
        if fault.kind is FaultKind.DELAY:
            await self._cables.speed_up(self._switch, fault)
        else:
            await self._cables.mend(self._switch, fault)

    async def send(self, flows: Sequence[Flow]) -> Stream | None:
        """See `Fabric`; without pods nobody can."""
        pods = {name: own[0] for name, own in self._pods.items() if own}
        if not pods:
            return None
        return await start_stream(self._nodes, pods, flows, self._started_at)


def _first(group: BaseExceptionGroup[Failed]) -> Failed:
    one = group.exceptions[0]
    return _first(one) if isinstance(one, BaseExceptionGroup) else one


def _router(holdings: Holdings) -> Router:
    def routes(family: Family) -> Routes:
        return holdings.routes.get(family, {})

    def paths(family: Family, nlri: bytes) -> int:
        return holdings.paths.get(family, {}).get(nlri, 0)

    def rejected(address: Address) -> Iterable[Rejected]:
        return [one for one in holdings.rejected if address in one.prefix]

    def withheld(prefix: Prefix) -> Iterable[Withheld]:
        return holdings.withheld.get(prefix, ())

    return Router(routes, paths, rejected, withheld)


@asynccontextmanager
async def open_netns_fabric(
    topology: Topology, watcher: Watcher | None = None, settings: FabricSettings | None = None
) -> AsyncIterator[NetnsFabric]:
    """Run `topology` on real kernels as long as the context is open; all of it is gone afterwards.

    Raises LocalError without the right to make network namespaces, or where a program that it needs is missing.
    """
    if os.geteuid() != 0:
        raise LocalError("real kernels need root, or a user namespace: unshare -Urnm bgp lab …")
    fabric = NetnsFabric(topology, watcher, settings or FabricSettings())
    try:
        async with trio.open_nursery() as nursery:
            try:
                await fabric.start(nursery)
                yield fabric
            finally:
                with trio.CancelScope(shield=True):
                    await fabric.close()
                nursery.cancel_scope.cancel()
    except BaseExceptionGroup as group:
        failed, others = group.split(Failed)
        if failed is None or others is not None:
            raise
        raise LocalError(str(_first(failed))) from None
