"""How speakers reach each other: what a connection and a transport are, and TCP as one of them.

A `Transport` dials and listens; `bgp.net.memory` has another, inside one process.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Final, Protocol

import trio

from bgp.net.sockets import PLAIN, SocketOptions, apply, host, prepare_listener, socket_family

#: Connections that may wait to be accepted: a whole mesh may come at once.
BACKLOG: Final = 4096


class Connection(Protocol):
    """A byte stream between two addresses. Every method may raise OSError or trio.BrokenResourceError."""

    @property
    def local(self) -> tuple[str, int]:
        """Our address and port."""

    @property
    def remote(self) -> tuple[str, int]:
        """Their address and port."""

    async def receive_some(self, max_bytes: int) -> bytes:
        """Up to `max_bytes` octets; empty at the end of the stream."""

    async def send_all(self, octets: bytes) -> None:
        """Send all of `octets`."""

    async def aclose(self) -> None:
        """Close at once; safe to call twice."""


Handler = Callable[[Connection], Awaitable[None]]


class Transport(Protocol):
    """Makes connections."""

    async def dial(
        self, address: str, port: int, *, local_address: str | None = None, options: SocketOptions
    ) -> Connection:
        """Connect to `address`. Raises OSError, its text saying why."""

    async def listen(
        self,
        addresses: Sequence[tuple[str, int]],
        handler: Handler,
        *,
        task_status: trio.TaskStatus[list[tuple[str, int]]],
    ) -> None:
        """Hand each accepted connection to `handler`, in a task of its own, until cancelled.

        Reports the bound addresses when it listens. Raises OSError if it cannot.
        """

    def protect(self, address: str, options: SocketOptions) -> None:
        """Ask the listening sockets for `options` from the peer at `address`; `PLAIN` asks no more. Raises OSError."""


class TcpConnection:
    """A TCP connection."""

    def __init__(self, stream: trio.SocketStream) -> None:
        self._stream = stream
        self.local = _endpoint(stream.socket.getsockname())
        self.remote = _endpoint(stream.socket.getpeername())

    async def receive_some(self, max_bytes: int) -> bytes:
        """See `Connection`."""
        return await self._stream.receive_some(max_bytes)

    async def send_all(self, octets: bytes) -> None:
        """See `Connection`."""
        await self._stream.send_all(octets)

    async def aclose(self) -> None:
        """See `Connection`."""
        await self._stream.aclose()


class TcpTransport:
    """TCP of the network namespace this process is in."""

    def __init__(self) -> None:
        self._listeners: set[trio.SocketListener] = set()
        self._protected: dict[str, SocketOptions] = {}

    async def dial(
        self, address: str, port: int, *, local_address: str | None = None, options: SocketOptions
    ) -> Connection:
        """See `Transport`."""
        sock = trio.socket.socket(socket_family(address), socket.SOCK_STREAM)
        try:
            apply(sock, address, options)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if local_address is not None:
                await sock.bind((local_address, 0))
            await _connect(sock, address, port)
            return TcpConnection(trio.SocketStream(sock))
        except BaseException:
            sock.close()
            raise

    async def listen(
        self,
        addresses: Sequence[tuple[str, int]],
        handler: Handler,
        *,
        task_status: trio.TaskStatus[list[tuple[str, int]]] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """See `Transport`."""
        listeners: list[trio.SocketListener] = []
        try:
            for address, port in addresses:
                listeners.append(await _bound(address, port))
            self._listeners.update(listeners)
            for peer, options in self._protected.items():
                self._prepare_listeners(peer, options)
            task_status.started([_endpoint(one.socket.getsockname()) for one in listeners])
            await trio.serve_listeners(partial(self._serve, handler), listeners)
        finally:
            for listener in listeners:
                listener.socket.close()
            self._listeners.difference_update(listeners)

    async def _serve(self, handler: Handler, stream: trio.SocketStream) -> None:
        try:
            connection = TcpConnection(stream)
            options = self._protected.get(host(connection.remote[0]))
            if options is not None:
                apply(stream.socket, connection.remote[0], options)
        except OSError:
            return  # gone before it was looked at; whoever serves closes it
        await handler(connection)

    def protect(self, address: str, options: SocketOptions) -> None:
        """See `Transport`."""
        before = self._protected.pop(host(address), PLAIN)
        if options != PLAIN:
            self._protected[host(address)] = options
        if options.password != before.password or options.min_ttl != before.min_ttl:
            self._prepare_listeners(address, options)

    def _prepare_listeners(self, address: str, options: SocketOptions) -> None:
        for listener in self._listeners:
            if listener.socket.family == socket_family(address):
                prepare_listener(listener.socket, address, options)


async def _connect(sock: trio.socket.SocketType, address: str, port: int) -> None:
    try:
        await sock.connect((address, port))
    except OSError as error:
        # The caller knows the address: trio's text would name it a second time.
        raise OSError(error.errno, os.strerror(error.errno) if error.errno else str(error)) from error


async def _bound(address: str, port: int) -> trio.SocketListener:
    family = socket_family(address)
    sock = trio.socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        await sock.bind((address, port))
        sock.listen(BACKLOG)
    except OSError as error:
        sock.close()
        raise OSError(
            error.errno, f"cannot listen on {address} port {port}: {os.strerror(error.errno or 0)}"
        ) from error
    return trio.SocketListener(sock)


def _endpoint(name: tuple[str, int] | tuple[str, int, int, int]) -> tuple[str, int]:
    """Address and port; with a zone, which Python leaves apart, where the same address may be on other links too."""
    if len(name) == 4 and name[3]:
        return f"{name[0]}%{socket.if_indextoname(name[3])}", name[1]
    return name[0], name[1]
