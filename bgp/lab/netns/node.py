"""A node of a lab on real kernels: its process, from an empty network namespace to a speaker with pods behind it.

It does what it is asked for over a channel, and tells of every session that comes or goes. It ends when the lab does.
"""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from math import inf
from typing import Final, NamedTuple

import trio

from bgp.iana import CeaseSubcode, MessageType, NotificationCode
from bgp.lab.forwarding import Rejected, Route, Withheld
from bgp.lab.meter import MeteredTransport, Traffic
from bgp.lab.netns.channel import Channel, Gone, serve
from bgp.lab.netns.pods import Pod, attach
from bgp.lab.netns.probe import Address, Answer, listen, probe
from bgp.lab.netns.spaces import enter_new, ip_batch, set_kernel
from bgp.lab.router import router_of
from bgp.message import Notification
from bgp.net import PeerChange, Speaker, TcpTransport, open_speaker
from bgp.net.kernel import BLACKHOLE, Fib, KernelOptions, serve_kernel
from bgp.options import PeerOptions, SpeakerOptions
from bgp.topology.model import Counts
from fsm.words import State
from rib.attributes import Attributes
from rib.family import Family
from rib.prefix import Prefix

#: What makes a Linux machine a router, and one whose tests need no patience.
ROUTER: Final = {
    "ipv4/ip_forward": "1",
    "ipv6/conf/all/forwarding": "1",
    "ipv6/conf/default/accept_dad": "0",
    "ipv4/conf/all/rp_filter": "0",
    "ipv4/conf/default/rp_filter": "0",
    "ipv4/icmp_ratelimit": "0",
    "ipv6/icmp/ratelimit": "0",
    # Flows, not packets, are spread over equal ways, by their ports too.
    "ipv4/fib_multipath_hash_policy": "1",
    "ipv6/fib_multipath_hash_policy": "1",
}


class Change(NamedTuple):
    """A session changed; `at` is in seconds of the machine's monotonic clock."""

    address: str
    up: bool
    at: float
    reason: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What a node is: its speaker, the routes that it originates, how it programs its kernel."""

    speaker: SpeakerOptions
    prefixes: tuple[Prefix, ...]
    kernel: KernelOptions
    multipath: int


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a node holds at one moment."""

    counts: Counts
    routes: dict[Family, dict[bytes, tuple[Route, ...]]]
    paths: dict[Family, dict[bytes, int]]
    rejected: tuple[Rejected, ...]
    withheld: dict[Prefix, tuple[Withheld, ...]]
    why_down: dict[str, str]  #: by address of the peer
    traffic: Traffic


def run_node(end: socket.socket) -> None:
    """The node's process, from its start to the lab's end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the lab's to answer; we end when it does
    enter_new(mounts=True)
    set_kernel(ROUTER)
    trio.run(_NodeProcess().run, end)


class _NodeProcess:
    def __init__(self) -> None:
        self._told, self._to_tell = trio.open_memory_channel[Change](inf)
        self._pods: list[Pod] = []
        self._stop = trio.Event()
        self._stopped = trio.Event()
        self._traffic = Traffic()

    async def run(self, end: socket.socket) -> None:
        channel = Channel(end)
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            nursery.start_soon(self._tell, channel)
            await serve(channel, self._answer)
            nursery.cancel_scope.cancel()

    async def _tell(self, channel: Channel) -> None:
        try:
            async for change in self._to_tell:
                await channel.send(("told", change))
        except Gone:
            return

    def _answer(self, question: str) -> Callable[..., Awaitable[object]]:
        answers: dict[str, Callable[..., Awaitable[object]]] = {
            "configure": self.configure,
            "attach": self.attach,
            "open": self.open,
            "peer": self.peer,
            "rest": self.rest,
            "holdings": self.holdings,
            "probe": self.probe,
            "restart": self.restart,
            "reset": self.reset,
        }
        return answers[question]

    async def configure(self, interfaces: Sequence[tuple[str, Sequence[str]]]) -> None:
        """Give the interfaces that were plugged in their addresses, with prefix lengths."""
        lines = ["link set lo up"]
        for name, addresses in interfaces:
            lines += [f"address add {one} dev {name}{' nodad' if ':' in one else ''}" for one in addresses]
            lines.append(f"link set {name} up")
        await trio.to_thread.run_sync(ip_batch, lines)

    async def attach(self, count: int, blocks: Sequence[Prefix]) -> list[tuple[Address, ...]]:
        """Attach `count` pods, and give their addresses."""
        for number in range(1, count + 1):
            pod = await attach(number, blocks)
            await listen(pod, self._nursery)
            self._pods.append(pod)
        return [pod.addresses for pod in self._pods]

    async def open(self, identity: Identity) -> None:
        """Open the speaker; it has no peers yet."""
        self._identity = identity
        self._peers: list[PeerOptions] = []
        await self._nursery.start(self._speak)

    async def _speak(self, *, task_status: trio.TaskStatus[None]) -> None:
        self._stop, self._stopped = trio.Event(), trio.Event()
        identity = self._identity
        transport = MeteredTransport(TcpTransport(), self._traffic)
        async with (
            open_speaker(identity.speaker, transport=transport, observer=self._changed) as speaker,
            trio.open_nursery() as nursery,
        ):
            self._speaker: Speaker = speaker
            self._fib: Fib = await nursery.start(serve_kernel, speaker, identity.kernel)
            if identity.prefixes:
                speaker.announce_all(identity.prefixes, Attributes())
            task_status.started()
            await self._stop.wait()
            nursery.cancel_scope.cancel()
        self._stopped.set()

    def _changed(self, change: PeerChange) -> None:
        if State.ESTABLISHED in (change.old, change.new):
            up = change.new is State.ESTABLISHED
            self._told.send_nowait(Change(change.peer.options.address, up, time.monotonic(), change.reason))

    async def peer(self, options: Sequence[PeerOptions]) -> None:
        """Add neighbours."""
        for one in options:
            self._peers.append(one)
            await self._speaker.add_peer(one)

    async def rest(self) -> tuple[int, int]:
        """Return when the kernel has been told everything: the UPDATEs that were sent and received so far."""
        await self._fib.wait_idle()
        return self._traffic.sent[MessageType.UPDATE], self._traffic.received[MessageType.UPDATE]

    async def holdings(self, families: Sequence[Family]) -> Holdings:
        """What is there now; `installed` is what the kernel itself says that it has."""
        speaker, router = self._speaker, router_of(self._speaker, self._identity.multipath)
        routes = {family: {nlri: tuple(ways) for nlri, ways in router.routes(family).items()} for family in families}
        paths = {family: {nlri: router.paths(family, nlri) for nlri in routes[family]} for family in families}
        tables = [peer.adj_in.tables for peer in speaker.peers.values() if peer.adj_in is not None]
        usable = sum(p.ineligible is None for table in tables for own in table.values() for p in own.values())
        best = sum(not path.source.is_local for family in families for _, path in speaker.loc_rib.routes(family))
        installed = sum(route.way != BLACKHOLE for route in await self._fib.kernel.routes(own=True))
        rejected = [
            Rejected(peer.options.label, Prefix.from_nlri(family.afi, nlri), str(path.ineligible))
            for peer in speaker.peers.values()
            if peer.adj_in is not None
            for family in families
            for nlri, path in peer.adj_in.routes(family)
            if path.ineligible is not None
        ]
        prefixes = [Prefix.from_nlri(family.afi, nlri) for family in families for nlri in routes[family]]
        return Holdings(
            counts=Counts(usable, best, installed),
            routes=routes,
            paths=paths,
            rejected=tuple(rejected),
            withheld={prefix: tuple(router.withheld(prefix)) for prefix in prefixes},
            why_down={p.options.address: p.why_down for p in speaker.peers.values() if p.why_down},
            traffic=self._traffic.copy(),
        )

    async def probe(self, count: int, destinations: Sequence[Address]) -> list[Answer]:
        """Send packets from the first `count` pods to all destinations."""
        return await probe(self._pods[:count], destinations)

    async def restart(self) -> None:
        """End the speaker in good order and start another one in its place."""
        self._stop.set()
        await self._stopped.wait()
        peers = self._peers
        await self.open(self._identity)
        await self.peer(peers)

    async def reset(self, address: str) -> None:
        """End the session with a peer; it may come up again at once."""
        await trio.lowlevel.checkpoint()
        peer = next(p for p in self._speaker.peers.values() if p.options.address == address)
        peer.reset(Notification(NotificationCode.CEASE, CeaseSubcode.ADMINISTRATIVE_RESET, b""))
