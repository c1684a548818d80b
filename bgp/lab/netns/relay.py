"""A slow cable: what two ports of a bridge have for each other goes through here, and waits.

Kernels whose qdisc `netem` could do this have it as a module; this needs packet sockets alone, and works in any namespace.
The bridge itself passes nothing between the two (`filters`); what one sends to the other, or to all, is read from its port,
kept, and written to the other's port as it came, checksums that a card would have filled in and long segments included.
"""

from __future__ import annotations

import socket
from contextlib import ExitStack, suppress
from typing import Final, NamedTuple

import trio

# linux/if_packet.h, linux/if_ether.h.
SOL_PACKET: Final = 263
PACKET_VNET_HDR: Final = 15
PACKET_IGNORE_OUTGOING: Final = 23
ETH_P_ALL: Final = 3
#: Octets before a frame that say what is still to be done for it (struct virtio_net_hdr).
BEFORE: Final = 10
#: The longest that is read: a segment that a card would split.
LONGEST: Final = BEFORE + 14 + (1 << 16)
#: Frames that wait in one direction; a cable that is slower still loses the rest.
MAX_WAITING: Final = 10_000


class Port(NamedTuple):
    """A port of the bridge and the link-layer address of the node behind it."""

    name: str
    address: str


async def relay(one: Port, other: Port, seconds: float, *, task_status: trio.TaskStatus[None]) -> None:
    """Pass on what the two send each other, `seconds` later, until cancelled. Raises OSError without the right to."""
    with ExitStack() as opened:
        near, far = (opened.enter_context(_open(port)) for port in (one, other))
        async with trio.open_nursery() as nursery:
            for source, target, wanted in ((near, far, other), (far, near, one)):
                waiting, kept = trio.open_memory_channel[tuple[float, bytes]](MAX_WAITING)
                nursery.start_soon(_read, source, _octets(wanted.address), seconds, waiting)
                nursery.start_soon(_write, target, kept)
            task_status.started()


def _open(port: Port) -> socket.socket:
    made = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    made.setblocking(False)
    made.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    made.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
    made.bind((port.name, ETH_P_ALL))
    return made


def _octets(address: str) -> bytes:
    return bytes.fromhex(address.replace(":", ""))


async def _read(
    sock: socket.socket, wanted: bytes, seconds: float, waiting: trio.MemorySendChannel[tuple[float, bytes]]
) -> None:
    while True:
        await trio.lowlevel.wait_readable(sock)
        with suppress(OSError):  # nothing more for now, or the link is down
            frame = sock.recv(LONGEST)
            target = frame[BEFORE : BEFORE + 6]
            if target == wanted or target[0] & 1:
                with suppress(trio.WouldBlock):
                    waiting.send_nowait((trio.current_time() + seconds, frame))


async def _write(sock: socket.socket, kept: trio.MemoryReceiveChannel[tuple[float, bytes]]) -> None:
    async for due, frame in kept:
        await trio.sleep_until(due)
        with suppress(OSError):
            sock.send(frame)
