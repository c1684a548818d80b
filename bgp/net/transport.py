"""How speakers reach each other: what a connection and a transport are, and TCP as one of them.

A `Transport` dials and listens; `bgp.net.memory` has another, inside one process. TCP-MD5 (RFC 2385) and GTSM (RFC 5082)
are socket options, so they live here.
"""

from __future__ import annotations

import errno
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, Protocol

import trio

#: Linux's numbers for what the socket module does not name.
TCP_MD5SIG: Final = 14
IP_MINTTL: Final = 21
IPV6_MINHOPCOUNT: Final = 73
#: The most that a key of TCP-MD5 may have (Linux, TCP_MD5SIG_MAXKEYLEN).
MD5_KEY_MAX: Final = 80
#: Connections that may wait to be accepted: a whole mesh may come at once.
BACKLOG: Final = 4096


@dataclass(frozen=True, slots=True)
class SocketOptions:
    """What a session asks of its socket. `ttl` None leaves the system's default."""

    password: str | None = None
    ttl: int | None = None
    min_ttl: int | None = None


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
        """Ask the listening sockets for `options` from the peer at `address`. Raises OSError."""


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
        self._listeners: list[trio.SocketListener] = []
        self._protected: dict[str, SocketOptions] = {}

    async def dial(
        self, address: str, port: int, *, local_address: str | None = None, options: SocketOptions
    ) -> Connection:
        """See `Transport`."""
        sock = trio.socket.socket(_socket_family(address), socket.SOCK_STREAM)
        try:
            _apply(sock, address, options)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if local_address is not None:
                await sock.bind((local_address, 0))
            await _connect(sock, address, port)
        except BaseException:
            sock.close()
            raise
        return TcpConnection(trio.SocketStream(sock))

    async def listen(
        self,
        addresses: Sequence[tuple[str, int]],
        handler: Handler,
        *,
        task_status: trio.TaskStatus[list[tuple[str, int]]] = trio.TASK_STATUS_IGNORED,
    ) -> None:
        """See `Transport`."""
        try:
            for address, port in addresses:
                self._listeners.append(await _bound(address, port))
            for peer, options in self._protected.items():
                self._apply_to_listeners(peer, options)
            task_status.started([_endpoint(one.socket.getsockname()) for one in self._listeners])

            async def serve(stream: trio.SocketStream) -> None:
                await handler(TcpConnection(stream))

            await trio.serve_listeners(serve, self._listeners)
        finally:
            for listener in self._listeners:
                listener.socket.close()
            self._listeners.clear()

    def protect(self, address: str, options: SocketOptions) -> None:
        """See `Transport`."""
        if options.password is None and options.min_ttl is None:
            return
        self._protected[address] = options
        self._apply_to_listeners(address, options)

    def _apply_to_listeners(self, address: str, options: SocketOptions) -> None:
        for listener in self._listeners:
            if listener.socket.family == _socket_family(address) and options.password is not None:
                _set_md5(listener.socket, address, options.password)


async def _connect(sock: trio.socket.SocketType, address: str, port: int) -> None:
    try:
        await sock.connect((address, port))
    except OSError as error:
        # The caller knows the address: trio's text would name it a second time.
        raise OSError(error.errno, os.strerror(error.errno) if error.errno else str(error)) from error


async def _bound(address: str, port: int) -> trio.SocketListener:
    family = _socket_family(address)
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


def _socket_family(address: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def _endpoint(name: tuple[str, int] | tuple[str, int, int, int]) -> tuple[str, int]:
    return name[0], name[1]


def _apply(sock: trio.socket.SocketType, address: str, options: SocketOptions) -> None:
    v6 = ":" in address
    if options.ttl is not None:
        if v6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, options.ttl)
        else:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, options.ttl)
    if options.min_ttl is not None:
        if v6:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MINHOPCOUNT, options.min_ttl)
        else:
            sock.setsockopt(socket.IPPROTO_IP, IP_MINTTL, options.min_ttl)
    if options.password is not None:
        _set_md5(sock, address, options.password)


def _set_md5(sock: trio.socket.SocketType, address: str, password: str) -> None:
    """`struct tcp_md5sig`: sockaddr_storage (128), flags, prefix length, key length (2), interface index (4), key (80)."""
    key = password.encode()
    if len(key) > MD5_KEY_MAX:
        raise OSError(errno.EINVAL, f"a TCP-MD5 password has at most {MD5_KEY_MAX} octets")
    family = _socket_family(address)
    packed = ip_address(address.partition("%")[0]).packed
    name = struct.pack("=H2s", family, b"") + (struct.pack("=4x16s", packed) if len(packed) == 16 else packed)
    sock.setsockopt(
        socket.IPPROTO_TCP, TCP_MD5SIG, struct.pack("=128sBBHi80s", name.ljust(128, b"\0"), 0, 0, len(key), 0, key)
    )
