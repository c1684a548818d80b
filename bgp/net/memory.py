"""A network inside one process: hosts with addresses, and connections whose octets never meet a kernel.

The same speakers run on it as on TCP. Octets arrive in order and are not lost. Between two addresses `cut` breaks the
connections, as a host that goes away in good order does; `stall` lets nothing through and says nothing, as a cable that
is pulled does, and what was sent meanwhile arrives after `heal`, as TCP would send it again; `delay` takes time.
"""

from __future__ import annotations

import errno
import os
from collections import deque
from collections.abc import Iterable, Sequence
from typing import Final

import trio

from bgp.net.bell import Bell
from bgp.net.sockets import SocketOptions
from bgp.net.transport import Connection, Handler

#: Octets that one direction of a connection holds before the sender waits.
BUFFER: Final = 1 << 18


class _Pipe:
    """One direction of a connection. `due` has the times when the chunks arrive, where there is a delay."""

    __slots__ = ("chunks", "closed", "delay", "due", "readable", "size", "stalled", "writable")

    def __init__(self, delay: float = 0.0) -> None:
        self.chunks: deque[bytes] = deque()
        self.due: deque[float] = deque()
        self.size = 0
        self.delay = delay
        self.closed = False
        self.stalled = False
        self.readable = Bell()
        self.writable = Bell()

    async def wait_for_octets(self) -> None:
        """Return when there is something to read, or the end of the stream."""
        while self.stalled or not (self.chunks or self.closed):
            await self.readable.wait()
        if self.due and self.due[0] > trio.current_time():
            await trio.sleep_until(self.due[0])
            await self.wait_for_octets()

    def take(self) -> bytes:
        """All octets that have arrived."""
        if not self.due:
            found = b"".join(self.chunks)
            self.chunks.clear()
            return found
        now = trio.current_time()
        arrived: list[bytes] = []
        while self.due and self.due[0] <= now:
            self.due.popleft()
            arrived.append(self.chunks.popleft())
        return b"".join(arrived)

    def put_back(self, octets: bytes) -> None:
        self.chunks.appendleft(octets)
        if self.due or self.delay:
            self.due.appendleft(trio.current_time())

    def put(self, octets: bytes) -> None:
        self.chunks.append(octets)
        if self.delay or self.due:
            # Nothing overtakes: what is sent later is due later, whatever the delay has become.
            at = trio.current_time() + self.delay
            self.due.append(max(at, self.due[-1]) if self.due else at)
        self.size += len(octets)
        self.readable.ring()

    def wake(self) -> None:
        self.readable.ring()
        self.writable.ring()

    def slow_down(self, delay: float) -> None:
        self.delay = delay
        now = trio.current_time()
        self.due.extend([now] * (len(self.chunks) - len(self.due)))

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
        self._closed = False

    async def receive_some(self, max_bytes: int) -> bytes:
        """See `Connection`."""
        pipe = self._incoming
        if self._closed:
            await trio.lowlevel.checkpoint()
            return b""
        if pipe.stalled or pipe.due or not pipe.chunks:
            await pipe.wait_for_octets()
        else:
            await trio.lowlevel.checkpoint()
        if not pipe.chunks or self._closed:
            return b""
        found = pipe.take()
        if len(found) > max_bytes:
            pipe.put_back(found[max_bytes:])
            found = found[:max_bytes]
        pipe.size -= len(found)
        pipe.writable.ring()
        return found

    async def send_all(self, octets: bytes) -> None:
        """See `Connection`."""
        pipe = self._outgoing
        # Others get their turn when the pipe is full, or when there is no more to send: a whole mesh comes up in one process.
        await trio.lowlevel.checkpoint_if_cancelled()
        while pipe.size >= BUFFER and not pipe.closed:
            await pipe.writable.wait()
        if self._closed or (pipe.closed and not pipe.stalled):
            raise trio.BrokenResourceError("connection reset by peer")
        pipe.put(octets)

    async def aclose(self) -> None:
        """See `Connection`."""
        self.close()
        await trio.lowlevel.checkpoint()

    def close(self) -> None:
        """Close both directions; what the other end has not read yet, it still gets."""
        self._closed = True
        self._incoming.close()
        self._outgoing.close()

    @property
    def closed(self) -> bool:
        """Whether both ends know that it is over."""
        return self._incoming.closed and not self._incoming.stalled

    def stall(self, stalled: bool) -> None:
        """Let nothing through in either direction, or let through again what was held up."""
        for pipe in (self._incoming, self._outgoing):
            pipe.stalled = stalled
            pipe.wake()

    def delay(self, seconds: float) -> None:
        """Let octets that are sent from now on take so long."""
        self._incoming.slow_down(seconds)
        self._outgoing.slow_down(seconds)

    @property
    def last_arrival(self) -> float | None:
        """When all that was sent will have arrived; None where nothing is under way."""
        due = [pipe.due[-1] for pipe in (self._incoming, self._outgoing) if pipe.due and not pipe.stalled]
        return max(due, default=None)


class MemoryNetwork:
    """Hosts that can reach each other by address."""

    def __init__(self) -> None:
        self._listeners: dict[tuple[str, int], tuple[Handler, trio.Nursery]] = {}
        self._connections: dict[frozenset[str], list[MemoryConnection]] = {}
        self._cut: set[frozenset[str]] = set()
        self._stalled: dict[frozenset[str], trio.Event] = {}
        self._delays: dict[frozenset[str], float] = {}
        self._next_port = 49152

    def transport(self, *addresses: str) -> MemoryTransport:
        """The transport of a host that has `addresses`."""
        return MemoryTransport(self, addresses)

    def cut(self, one: str, other: str) -> None:
        """Break every connection between the two addresses, and refuse new ones."""
        pair = frozenset((one, other))
        self._cut.add(pair)
        for connection in self._connections.pop(pair, ()):
            connection.close()

    def stall(self, one: str, other: str) -> None:
        """Let nothing through between the two addresses, and tell nobody; who dials waits."""
        pair = frozenset((one, other))
        self._stalled.setdefault(pair, trio.Event())
        for connection in self._connections.get(pair, ()):
            connection.stall(True)

    def delay(self, one: str, other: str, seconds: float) -> None:
        """Let octets between the two addresses take so long."""
        pair = frozenset((one, other))
        self._delays[pair] = seconds
        for connection in self._connections.get(pair, ()):
            connection.delay(seconds)

    def heal(self, one: str, other: str) -> None:
        """Undo `cut` and `stall`."""
        pair = frozenset((one, other))
        self._cut.discard(pair)
        if (healed := self._stalled.pop(pair, None)) is not None:
            healed.set()
            for connection in self._connections.get(pair, ()):
                connection.stall(False)

    @property
    def last_arrival(self) -> float | None:
        """When all octets that are under way with a delay will have arrived; None if there are none."""
        if not self._delays:
            return None
        found = [c.last_arrival for connections in self._connections.values() for c in connections]
        # What was due before now and has not been read never will be: its reader has gone.
        now = trio.current_time()
        return max((at for at in found if at is not None and at > now), default=None)

    async def wait_passable(self, one: str, other: str) -> None:
        """Return when the way between two addresses is not stalled."""
        while (stalled := self._stalled.get(frozenset((one, other)))) is not None:
            await stalled.wait()

    def connect(self, local: str, remote: str, port: int) -> MemoryConnection:
        """A connection from `local` to a listener. Raises OSError if nobody listens there or the link is cut."""
        pair = frozenset((local, remote))
        if pair in self._cut:
            raise OSError(errno.EHOSTUNREACH, os.strerror(errno.EHOSTUNREACH))
        listener = self._listeners.get((remote, port))
        if listener is None:
            raise OSError(errno.ECONNREFUSED, os.strerror(errno.ECONNREFUSED))
        handler, nursery = listener
        self._next_port += 1
        delay = self._delays.get(pair, 0.0)
        here, there = (local, self._next_port), (remote, port)
        out, back = _Pipe(delay), _Pipe(delay)
        near, far = MemoryConnection(here, there, back, out), MemoryConnection(there, here, out, back)
        known = [c for c in self._connections.get(pair, ()) if not c.closed]
        self._connections[pair] = [*known, near]
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
        if local is None or local not in self.addresses:
            raise OSError(errno.EADDRNOTAVAIL, os.strerror(errno.EADDRNOTAVAIL))
        await self._network.wait_passable(local, address)
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
