"""Counts the messages and octets that pass between speakers, by looking at the headers on the wire (RFC 4271 4.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import trio

from bgp.net.sockets import SocketOptions
from bgp.net.transport import Connection, Handler, Transport

#: Octets of a message's header; its length field is at 16, its type at 18.
HEADER: Final = 19


@dataclass(slots=True)
class Traffic:
    """What was sent and received, over all connections of a fabric; messages by type.

    `tap`, where there is one, is shown the octets of every write: from which address, to which, what.
    """

    sent: Counter[int] = field(default_factory=Counter)
    received: Counter[int] = field(default_factory=Counter)
    octets: int = 0  #: sent
    tap: Callable[[str, str, bytes], None] | None = None

    def copy(self) -> Traffic:
        """The counts of now."""
        return Traffic(self.sent.copy(), self.received.copy(), self.octets)


class Framer:
    """Finds the messages in a stream of octets that comes in any pieces."""

    def __init__(self, counter: Counter[int]) -> None:
        self._counter = counter
        self._rest = b""

    def feed(self, octets: bytes) -> None:
        """Count the messages that end in `octets`."""
        octets = self._rest + octets if self._rest else octets
        at, size = 0, len(octets)
        while size - at >= HEADER:
            length = octets[at + 16] << 8 | octets[at + 17]
            if length < HEADER:
                # Not BGP: there is nothing to count, and the session will say so.
                at = size
                break
            if at + length > size:
                break
            self._counter[octets[at + 18]] += 1
            at += length
        self._rest = octets[at:]


class MeteredConnection:
    """A connection whose messages are counted."""

    def __init__(self, inner: Connection, traffic: Traffic) -> None:
        self._inner = inner
        self._traffic = traffic
        self._out, self._in = Framer(traffic.sent), Framer(traffic.received)

    @property
    def local(self) -> tuple[str, int]:
        """See `Connection`."""
        return self._inner.local

    @property
    def remote(self) -> tuple[str, int]:
        """See `Connection`."""
        return self._inner.remote

    async def receive_some(self, max_bytes: int) -> bytes:
        """See `Connection`."""
        octets = await self._inner.receive_some(max_bytes)
        self._in.feed(octets)
        return octets

    async def send_all(self, octets: bytes) -> None:
        """See `Connection`."""
        await self._inner.send_all(octets)
        self._out.feed(octets)
        self._traffic.octets += len(octets)
        if self._traffic.tap is not None:
            self._traffic.tap(self.local[0], self.remote[0], octets)

    async def aclose(self) -> None:
        """See `Connection`."""
        await self._inner.aclose()


class MeteredTransport:
    """A transport whose connections are counted."""

    def __init__(self, inner: Transport, traffic: Traffic) -> None:
        self._inner = inner
        self._traffic = traffic

    async def dial(
        self, address: str, port: int, *, local_address: str | None = None, options: SocketOptions
    ) -> Connection:
        """See `Transport`."""
        made = await self._inner.dial(address, port, local_address=local_address, options=options)
        return MeteredConnection(made, self._traffic)

    async def listen(
        self,
        addresses: Sequence[tuple[str, int]],
        handler: Handler,
        *,
        task_status: trio.TaskStatus[list[tuple[str, int]]] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """See `Transport`."""

        async def metered(connection: Connection) -> None:
            await handler(MeteredConnection(connection, self._traffic))

        await self._inner.listen(addresses, metered, task_status=task_status)

    def protect(self, address: str, options: SocketOptions) -> None:
        """See `Transport`."""
        self._inner.protect(address, options)
