"""A node of a lab on real kernels: its process, from an empty network namespace to a speaker with pods behind it.

It does what it is asked for over a channel, and tells of every session that comes or goes. It ends when the lab does.
"""

from __future__ import annotations

import signal
import socket
from array import array
from collections.abc import Awaitable, Callable, Sequence
from math import inf
from typing import Final

import trio

from bgp.lab.netns.apart import SpeakerApart
from bgp.lab.netns.channel import Channel, Gone, serve
from bgp.lab.netns.daemons import DAEMONS
from bgp.lab.netns.ours import OurSpeaker
from bgp.lab.netns.pods import Pod, attach
from bgp.lab.netns.probe import Address, Answer, listen, probe
from bgp.lab.netns.spaces import enter_new, ip_batch, set_kernel
from bgp.lab.netns.stream import Course, Stream
from bgp.lab.netns.words import Change, Holdings, Identity, NodeSpeaker
from bgp.options import PeerOptions
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
        self._speaker: NodeSpeaker
        self._stream: Stream

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
            "receive": self.receive,
            "send": self.send,
            "stop_sending": self.stop_sending,
            "received": self.received,
            "restart": self.restart,
            "kill": self.kill,
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
        """Open the speaker; ours has no peers yet, another one reads them in its configuration."""
        kind = DAEMONS.get(identity.daemon, SpeakerApart if identity.apart else OurSpeaker)
        self._speaker = kind(identity, self._nursery, self._told.send_nowait)
        await self._speaker.start()

    async def peer(self, options: Sequence[PeerOptions]) -> None:
        """Add neighbours."""
        await self._speaker.peer(options)

    async def rest(self) -> tuple[int, int]:
        """See `NodeSpeaker`."""
        return await self._speaker.rest()

    async def holdings(self, families: Sequence[Family]) -> Holdings:
        """See `NodeSpeaker`."""
        return await self._speaker.holdings(families)

    async def restart(self) -> None:
        """See `NodeSpeaker`."""
        await self._speaker.restart()

    async def kill(self) -> None:
        """See `NodeSpeaker`."""
        await self._speaker.kill()

    async def reset(self, address: str) -> None:
        """See `NodeSpeaker`."""
        await self._speaker.reset(address)

    async def probe(self, count: int, destinations: Sequence[Address]) -> list[Answer]:
        """Send packets from the first `count` pods to all destinations."""
        return await probe(self._pods[:count], destinations)

    async def receive(self) -> None:
        """Receive the packets of a stream."""
        self._stream = Stream(self._pods[:1])
        await self._nursery.start(self._stream.run)

    async def send(self, courses: Sequence[Course], interval: float) -> None:
        """Send packets of a stream."""
        await trio.lowlevel.checkpoint()
        self._stream.send(courses, interval)

    async def stop_sending(self) -> array[float]:
        """End that. Gives when each packet was sent."""
        await trio.lowlevel.checkpoint()
        return self._stream.stop()

    async def received(self) -> dict[int, tuple[array[int], array[float]]]:
        """End the stream. Gives what arrived."""
        await trio.lowlevel.checkpoint()
        return self._stream.close()
