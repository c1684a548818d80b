"""A node whose speaker is ours: opened in this process, its routes in the kernel of this namespace."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import trio

from bgp.iana import CeaseSubcode, MessageType, NotificationCode
from bgp.lab.forwarding import Rejected
from bgp.lab.meter import MeteredTransport, Traffic
from bgp.lab.netns.words import Change, Holdings, Identity
from bgp.lab.router import router_of
from bgp.message import Notification
from bgp.net import PeerChange, Speaker, TcpTransport, open_speaker
from bgp.net.kernel import BLACKHOLE, Fib, serve_kernel
from bgp.options import PeerOptions
from bgp.topology.model import Counts
from fsm.words import State
from rib.attributes import Attributes
from rib.family import Family
from rib.prefix import Prefix


class OurSpeaker:
    """The speaker of the node `identity`, a task in `nursery`; `tell` is called at every session that comes or goes."""

    def __init__(self, identity: Identity, nursery: trio.Nursery, tell: Callable[[Change], None]) -> None:
        self._identity = identity
        self._nursery = nursery
        self._tell = tell
        self._traffic = Traffic()
        self._peers: list[PeerOptions] = []
        self._stop = trio.Event()
        self._stopped = trio.Event()

    async def start(self) -> None:
        """Open the speaker; it has no peers yet."""
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
            self._tell(Change(change.peer.options.address, up, time.monotonic(), change.reason))

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

    async def restart(self) -> None:
        """End the speaker in good order and start another one in its place."""
        self._stop.set()
        await self._stopped.wait()
        peers, self._peers = self._peers, []
        await self.start()
        await self.peer(peers)

    async def kill(self) -> None:
        """See `NodeSpeaker`: it would be the node's death."""
        raise OSError("a speaker that is no process of its own cannot be killed")

    async def reset(self, address: str) -> None:
        """End the session with a peer; it may come up again at once."""
        await trio.lowlevel.checkpoint()
        peer = next(p for p in self._speaker.peers.values() if p.options.address == address)
        peer.reset(Notification(NotificationCode.CEASE, CeaseSubcode.ADMINISTRATIVE_RESET, b""))
