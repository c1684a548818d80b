"""The cables and switches of a lab: a bridge for every link, in a namespace of their own, with a port for every interface.

A port that is taken off its bridge still has a carrier at the node's end: nothing passes any more, and nobody is told.
"""

from __future__ import annotations

import socket
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Final, NamedTuple

import trio

from bgp.lab.netns.channel import Channel, serve
from bgp.lab.netns.spaces import enter_new, ip_batch, set_kernel

#: The bridges forward and have no business with addresses.
QUIET: Final = {"ipv6/conf/all/disable_ipv6": "1", "ipv6/conf/default/disable_ipv6": "1"}


class Plug(NamedTuple):
    """One end of a cable: the process of a node and the name that the interface has there, the port and the bridge here."""

    process: int
    interface: str
    port: str
    bridge: str


def run_switch(end: socket.socket) -> None:
    """The switch's process, from its start to the lab's end."""
    enter_new(mounts=False)
    set_kernel(QUIET)
    trio.run(_serve, end)


async def _serve(end: socket.socket) -> None:
    answers: dict[str, Callable[..., Awaitable[object]]] = {"wire": _wire, "detach": _detach, "attach": _attach}
    await serve(Channel(end), answers.__getitem__)


async def _wire(bridges: Sequence[str], plugs: Sequence[Plug]) -> None:
    """Make bridges, and cables to them."""
    await trio.to_thread.run_sync(ip_batch, [*_bridges(bridges), *_cables(plugs)])


def _bridges(names: Sequence[str]) -> Iterator[str]:
    for name in names:
        yield f"link add {name} type bridge forward_delay 0 mcast_snooping 0"
        yield f"link set {name} up"


def _cables(plugs: Sequence[Plug]) -> Iterator[str]:
    for plug in plugs:
        yield f"link add {plug.port} type veth peer name {plug.interface} netns {plug.process}"
        yield f"link set {plug.port} master {plug.bridge} up"


async def _detach(plugs: Sequence[Plug]) -> None:
    await trio.to_thread.run_sync(ip_batch, [f"link set {plug.port} nomaster" for plug in plugs])


async def _attach(plugs: Sequence[Plug]) -> None:
    await trio.to_thread.run_sync(ip_batch, [f"link set {plug.port} master {plug.bridge}" for plug in plugs])
