"""Numbered packets from pod to pod, sent at a steady rate while something happens, and kept account of at the other end.

- packet: number of the flow (4 octets), number of the packet in it (4), over UDP

Each flow has a source port of its own, so that the flows of one pair of pods are spread over equal ways as TCP's are. A node's
process sends the packets of its pods and receives what comes for them; who compares the two is the lab.
"""

from __future__ import annotations

import socket
import struct
import time
from array import array
from collections import defaultdict
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from typing import Final, NamedTuple

import trio

from bgp.lab.netns.pods import Pod
from bgp.lab.netns.probe import PORT, Address
from bgp.lab.netns.spaces import inside

#: Of the first flow; the others follow.
FIRST_PORT: Final = 20_000
#: Octets that may wait until we read them: a second of all flows at least, however busy the machine.
ROOM: Final = 1 << 22
#: Packets that are read in a row.
AT_ONCE: Final = 64
_PACKET: Final = struct.Struct(">II")


class Course(NamedTuple):
    """A flow as its sender knows it: its number, from which pod of the node, and where to."""

    number: int
    source: Address
    destination: Address


class Stream:
    """A node's part in a stream: what it sends, and what it has received, by the number of the flow.

    `run` it, which receives; `send` once all nodes do; `stop` the sending, and `close` when nothing more can arrive.
    """

    def __init__(self, pods: Sequence[Pod]) -> None:
        self._pods = pods
        self._sent = array("d")
        self._arrived: dict[int, tuple[array[int], array[float]]] = defaultdict(lambda: (array("L"), array("d")))
        self._sending = trio.CancelScope()
        self._receiving = trio.CancelScope()

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Receive, from when it has started until it is closed."""
        with ExitStack() as opened, self._receiving:
            async with trio.open_nursery() as nursery:
                self._nursery = nursery
                for pod in self._pods:
                    for address in pod.addresses:
                        sock = opened.enter_context(_bound(pod, address, PORT))
                        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
                        nursery.start_soon(self._receive, sock)
                task_status.started()
                await trio.sleep_forever()

    async def _receive(self, sock: socket.socket) -> None:
        while True:
            await trio.lowlevel.wait_readable(sock)
            with suppress(BlockingIOError):
                for _ in range(AT_ONCE):
                    flow, number = _PACKET.unpack(sock.recv(_PACKET.size))
                    numbers, times = self._arrived[flow]
                    numbers.append(number)
                    times.append(time.monotonic())

    def send(self, courses: Sequence[Course], interval: float) -> None:
        """Send a packet of each flow every `interval` seconds from now on."""
        self._nursery.start_soon(self._send, courses, interval)

    async def _send(self, courses: Sequence[Course], interval: float) -> None:
        with ExitStack() as opened, self._sending:
            ways: list[tuple[int, socket.socket, tuple[str, int]]] = []
            for flow, source, destination in courses:
                pod = next(pod for pod in self._pods if source in pod.addresses)
                sock = opened.enter_context(_bound(pod, source, FIRST_PORT + flow))
                ways.append((flow, sock, (str(destination), PORT)))
            due = trio.current_time()
            while True:
                number = len(self._sent)
                self._sent.append(time.monotonic())
                for flow, sock, address in ways:
                    # One that cannot even leave is lost too.
                    with suppress(OSError):
                        sock.sendto(_PACKET.pack(flow, number), address)
                # What was missed while this process was busy is not made up for: a burst would fill somebody's buffer.
                due = max(due + interval, trio.current_time())
                await trio.sleep_until(due)

    def stop(self) -> array[float]:
        """Send no more. Gives when each packet was sent, of all flows, in seconds of the machine's monotonic clock."""
        self._sending.cancel()
        return self._sent

    def close(self) -> dict[int, tuple[array[int], array[float]]]:
        """Receive no more. Gives by flow the numbers of the packets that arrived, and when each did."""
        self._receiving.cancel()
        return dict(self._arrived)


def _bound(pod: Pod, address: Address, port: int) -> socket.socket:
    with inside(pod.namespace):
        made = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_DGRAM)
    made.setblocking(False)
    made.bind((str(address), port))
    return made
