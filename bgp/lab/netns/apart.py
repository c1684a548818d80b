"""Our speaker in a process of its own, which can be killed without the node: its pods, cables and kernel routes stay.

The process is a child of the node's, in the same namespaces, and ends when the other end of its channel does. A fault that
kills it needs this; where nobody asks for one, the speaker is a task of the node's process.
"""

from __future__ import annotations

import signal
import socket
import sys
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from math import inf

import trio

from bgp.lab.netns.channel import Channel, Failed, Gone, Parent, serve
from bgp.lab.netns.ours import OurSpeaker
from bgp.lab.netns.words import Change, Holdings, Identity
from bgp.options import PeerOptions
from rib.family import Family


def run_speaker(descriptor: int) -> None:
    """The speaker's process, from its start until the node's is gone; `descriptor` is its end of the channel."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    trio.run(_serve, socket.socket(fileno=descriptor))


async def _serve(end: socket.socket) -> None:
    channel = Channel(end)
    told, to_tell = trio.open_memory_channel[Change](inf)
    speaker: OurSpeaker

    async def open_speaker(identity: Identity) -> None:
        nonlocal speaker
        speaker = OurSpeaker(identity, nursery, told.send_nowait)
        await speaker.start()

    def answer(question: str) -> Callable[..., Awaitable[object]]:
        if question == "open":
            return open_speaker
        answers: dict[str, Callable[..., Awaitable[object]]] = {
            "peer": speaker.peer,
            "rest": speaker.rest,
            "holdings": speaker.holdings,
            "restart": speaker.restart,
            "reset": speaker.reset,
        }
        return answers[question]

    async def tell() -> None:
        try:
            async for change in to_tell:
                await channel.send(("told", change))
        except Gone:
            return

    async with trio.open_nursery() as nursery:
        nursery.start_soon(tell)
        await serve(channel, answer)
        nursery.cancel_scope.cancel()


class SpeakerApart:
    """The speaker of the node `identity`, a process; `tell` is called at every session that comes or goes."""

    def __init__(self, identity: Identity, nursery: trio.Nursery, tell: Callable[[Change], None]) -> None:
        self._identity = identity
        self._nursery = nursery
        self._tell = tell
        self._peers: list[PeerOptions] = []
        self._up: set[str] = set()
        self._process: trio.Process
        self._child: Parent

    async def start(self) -> None:
        """See `NodeSpeaker`."""
        await self._launch(self._identity)

    async def _launch(self, identity: Identity) -> None:
        ours, theirs = socket.socketpair()
        code = f"from bgp.lab.netns.apart import run_speaker; run_speaker({theirs.fileno()})"
        with theirs:
            self._process = await trio.lowlevel.open_process([sys.executable, "-c", code], pass_fds=[theirs.fileno()])
        self._child = Parent(Channel(ours), "its speaker", self._heard)
        self._nursery.start_soon(self._child.run)
        await self._ask("open", identity)

    def _heard(self, _: str, change: Change) -> None:
        (self._up.add if change.up else self._up.discard)(change.address)
        self._tell(change)

    async def _ask(self, question: str, *arguments: object) -> object:
        try:
            return await self._child.ask(question, *arguments)
        except Failed as error:
            raise OSError(str(error)) from error

    async def peer(self, options: Sequence[PeerOptions]) -> None:
        """See `NodeSpeaker`."""
        self._peers += options
        await self._ask("peer", options)

    async def rest(self) -> tuple[int, int]:
        """See `NodeSpeaker`."""
        found = await self._ask("rest")
        assert isinstance(found, tuple)
        return found

    async def holdings(self, families: Sequence[Family]) -> Holdings:
        """See `NodeSpeaker`."""
        found = await self._ask("holdings", families)
        assert isinstance(found, Holdings)
        return found

    async def restart(self) -> None:
        """See `NodeSpeaker`."""
        await self._ask("restart")

    async def reset(self, address: str) -> None:
        """See `NodeSpeaker`."""
        await self._ask("reset", address)

    async def kill(self) -> None:
        """See `NodeSpeaker`: SIGKILL, and a process that tells its peers that it forwarded all the while (RFC 4724 4.1)."""
        self._process.kill()
        await self._process.wait()
        for address in sorted(self._up):
            self._tell(Change(address, False, time.monotonic(), "killed"))
        self._up.clear()
        await self._child.aclose()
        await self._launch(replace(self._identity, speaker=replace(self._identity.speaker, restarting=True)))
        await self._ask("peer", self._peers)
