"""A network inside one process: hosts with addresses, and connections whose octets never meet a kernel.

The same speakers run on it as on TCP. Octets arrive in order and are not lost while a link is up; `cut` breaks the
connections between two hosts, and `heal` lets them dial again.
"""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

import trio

from bgp.net.transport import Connection, Handler, SocketOptions

#: Octets that one direction of a connection holds before the sender waits.
BUFFER: Final = 1 << 18


class _Pipe:
    """One direction of a connection."""

    __slots__ = ("chunks", "closed", "readable", "size", "writable")

    def __init__(self) -> None:
        self.chunks: deque[bytes] = deque()
        self.size = 0
        self.closed = False
        self.readable = trio.Event()
        self.writable = trio.Event()

    def wake(self) -> None:
        self.readable.set()
        self.writable.set()

    def close(self) -> None:
        self.closed = True
        self.wake()


class MemoryConnection:
    """One end of a connection between two hosts of a `MemoryNetwork`."""

    def __init__(self, local: tuple[str, int], remote: tuple[str, int], incoming: _Pipe, outgoing: _Pipe) -> None:
        self.local = local
        self.remote = remote
        self._incoming = incoming
        self._outgoing = outgoing

    async def receive_some(self, max_bytes: int) -> bytes:
        """See `Connection`."""
        pipe = self._incoming
        while not pipe.chunks:
            if pipe.closed:
                await trio.lowlevel.checkpoint()
                return b""
            pipe.readable = trio.Event()
            await pipe.readable.wait()
        found = b"".join(pipe.chunks)
        pipe.chunks.clear()
        if len(found) > max_bytes:
            pipe.chunks.append(found[max_bytes:])
            found = found[:max_bytes]
        pipe.size -= len(found)
        pipe.writable.set()
        await trio.lowlevel.checkpoint()
        return found

    async def send_all(self, octets: bytes) -> None:
        """See `Connection`."""
        pipe = self._outgoing
        await trio.lowlevel.checkpoint()
        while pipe.size >= BUFFER and not pipe.closed:
            pipe.writable = trio.Event()
            await pipe.writable.wait()
        if pipe.closed:
            raise trio.BrokenResourceError("connection reset by peer")
        pipe.chunks.append(octets)
        pipe.size += len(octets)
        pipe.readable.set()

    async def aclose(self) -> None:
        """See `Connection`."""
        self.close()
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """Close both directions; what the other end has not read yet, it still gets."""
        self._incoming.close()
        self._outgoing.close()


class MemoryNetwork:
    """Hosts that can reach each other by address."""

    def __init__(self) -> None:
        self._listeners: dict[tuple[str, int], tuple[Handler, trio.Nursery]] = {}
        self._connections: list[MemoryConnection] = []
        self._cut: set[frozenset[str]] = set()
        self._next_port = 49152

    def transport(self, *addresses: str) -> MemoryTransport:
        """The transport of a host that has `addresses`."""
        return MemoryTransport(self, addresses)

    def cut(self, one: str, other: str) -> None:
        """Break every connection between the two addresses, and refuse new ones."""
        self._cut.add(frozenset((one, other)))
        for connection in self._connections:
            if {connection.local[0], connection.remote[0]} == {one, other}:
                connection.close()
        self._connections = [c for c in self._connections if {c.local[0], c.remote[0]} != {one, other}]

    def heal(self, one: str, other: str) -> None:
        """Let the two addresses connect again."""
        self._cut.discard(frozenset((one, other)))

    def connect(self, local: str, remote: str, port: int) -> MemoryConnection:
        """A connection from `local` to a listener. Raises OSError if nobody listens there or the link is cut."""
        if frozenset((local, remote)) in self._cut:
            raise OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
        listener = self._listeners.get((remote, port))
        if listener is None:
            raise OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        handler, nursery = listener
        self._next_port += 1
        here, there = (local, self._next_port), (remote, port)
        out, back = _Pipe(), _Pipe()
        near, far = MemoryConnection(here, there, back, out), MemoryConnection(there, here, out, back)
        self._connections.append(near)
        nursery.start_soon(handler, far)
        return near

    def bind(self, endpoint: tuple[str, int], handler: Handler, nursery: trio.Nursery) -> None:
        """Listen. Raises OSError if somebody does already."""
        if endpoint in self._listeners:
            raise OSError(errno.EADDRINUSE, f"cannot listen on {endpoint[0]} port {endpoint[1]}: address in use")
        self._listeners[endpoint] = (handler, nursery)

    def unbind(self, endpoint: tuple[str, int]) -> None:
        """Listen no more."""
        self._listeners.pop(endpoint, None)


class MemoryTransport:
    """The transport of one host."""

    def __init__(self, network: MemoryNetwork, addresses: Iterable[str]) -> None:
        self._network = network
        self.addresses = tuple(addresses)

    async def dial(
        self, address: str, port: int, *, local_address: str | None = None, options: SocketOptions
    ) -> Connection:
        """See `Transport`; without a local address the host's first one of the same version is taken."""
        await trio.lowlevel.checkpoint()
        local = local_address or next((own for own in self.addresses if (":" in own) == (":" in address)), None)
        if local not in self.addresses:
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        return self._network.connect(local, address, port)

    async def listen(
        self,
        addresses: Sequence[tuple[str, int]],
        handler: Handler,
        *,
        task_status: trio.TaskStatus[list[tuple[str, int]]] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """See `Transport`."""
        bound: list[tuple[str, int]] = []
        try:
            async with trio.open_nursery() as nursery:
                for endpoint in addresses:
                    self._network.bind(endpoint, handler, nursery)
                    bound.append(endpoint)
                task_status.started(list(bound))
                await trio.sleep_forever()
        finally:
            for endpoint in bound:
                self._network.unbind(endpoint)

    def protect(self, address: str, options: SocketOptions) -> None:
        """See `Transport`; there is nothing to protect in one process."""
