"""The cables and switches of a lab: a bridge for every link, in a namespace of their own, with a port for every interface.

A port that is taken off its bridge still has a carrier at the node's end: nothing passes any more, and nobody is told. Two
ports of a bridge with more can be parted, or have what they send each other delayed.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from importlib import import_module
from typing import Any, Final, NamedTuple

import trio

from bgp.lab.netns.channel import Channel, serve
from bgp.lab.netns.relay import Port, relay
from bgp.lab.netns.spaces import enter_new, ip_batch, set_kernel

#: The bridges forward and have no business with addresses.
QUIET: Final = {"ipv6/conf/all/disable_ipv6": "1", "ipv6/conf/default/disable_ipv6": "1"}


class Plug(NamedTuple):
    """One end of a cable: the process of a node and the name that the interface has there, the port and the bridge here.

    `address` is the link-layer address of the node's end.
    """

    process: int
    interface: str
    port: str
    bridge: str
    address: str


#: The two plugs that something is between.
Pair = tuple[Plug, Plug]


def run_switch(end: socket.socket) -> None:
    """The switch's process, from its start to the lab's end."""
    enter_new(mounts=False)
    set_kernel(QUIET)
    trio.run(_Switch().run, end)


def _filters() -> Any:  # a module; pyroute2, which it needs, may be absent, and takes a while to import
    try:
        return import_module("bgp.lab.netns.filters")
    except ImportError as error:
        raise OSError(f"what keeps two ports apart needs pyroute2: {error}") from error


def _ports(pairs: Sequence[Pair]) -> list[tuple[str, str]]:
    return [(one.port, other.port) for one, other in pairs]


class _Switch:
    def __init__(self) -> None:
        self._relays: dict[tuple[str, str], trio.CancelScope] = {}

    async def run(self, end: socket.socket) -> None:
        answers: dict[str, Callable[..., Awaitable[object]]] = {
            "wire": self.wire,
            "detach": self.detach,
            "attach": self.attach,
            "part": self.part,
            "join": self.join,
            "delay": self.delay,
        }
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            await serve(Channel(end), answers.__getitem__)
            nursery.cancel_scope.cancel()

    async def wire(self, bridges: Sequence[str], plugs: Sequence[Plug]) -> None:
        """Make bridges, and cables to them."""
        await trio.to_thread.run_sync(ip_batch, [*_bridges(bridges), *_cables(plugs)])

    async def detach(self, plugs: Sequence[Plug]) -> None:
        """Take ports off their bridges."""
        await trio.to_thread.run_sync(ip_batch, [f"link set {plug.port} nomaster" for plug in plugs])

    async def attach(self, plugs: Sequence[Plug]) -> None:
        """Put them back."""
        await trio.to_thread.run_sync(ip_batch, [f"link set {plug.port} master {plug.bridge}" for plug in plugs])

    async def part(self, pairs: Sequence[Pair]) -> None:
        """Let nothing pass between two ports of a bridge any more; all else goes on."""
        await trio.to_thread.run_sync(_filters().part, _ports(pairs))

    async def join(self, pairs: Sequence[Pair]) -> None:
        """Let everything pass between two ports again, at once."""
        for ports in _ports(pairs):
            if (scope := self._relays.pop(ports, None)) is not None:
                scope.cancel()
        await trio.to_thread.run_sync(_filters().join, _ports(pairs))

    async def delay(self, pairs: Sequence[Pair], seconds: float) -> None:
        """Let what passes between two ports take that long."""
        for one, other in pairs:
            await self._nursery.start(self._relay, one, other, seconds)
        await self.part(pairs)

    async def _relay(self, one: Plug, other: Plug, seconds: float, *, task_status: trio.TaskStatus[None]) -> None:
        with trio.CancelScope() as scope:
            self._relays[one.port, other.port] = scope
            await relay(Port(one.port, one.address), Port(other.port, other.address), seconds, task_status=task_status)


def _bridges(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield f"link add {name} type bridge forward_delay 0 mcast_snooping 0"
        yield f"link set {name} up"


def _cables(plugs: Sequence[Plug]) -> Iterator[str]:
    for plug in plugs:
        yield f"link add {plug.port} type veth peer name {plug.interface} address {plug.address} netns {plug.process}"
        yield f"link set {plug.port} master {plug.bridge} up"
