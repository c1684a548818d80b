"""What is asked of sockets, on Linux: TCP-MD5 (RFC 2385) and GTSM (RFC 5082) for sessions, filters for what listens."""

from __future__ import annotations

import errno
import socket
import struct
from collections.abc import Sequence
from ctypes import addressof, create_string_buffer
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

import trio

#: Linux's numbers for what the socket module does not name.
TCP_MD5SIG: Final = 14
IP_MINTTL: Final = 21
IPV6_MINHOPCOUNT: Final = 73
SO_ATTACH_FILTER: Final = 26
#: The most that a key of TCP-MD5 may have (Linux, TCP_MD5SIG_MAXKEYLEN).
MD5_KEY_MAX: Final = 80
#: The TTL of who wants to be seen to be near (RFC 5082 3).
HIGHEST_TTL: Final = 255


@dataclass(frozen=True, slots=True)
class SocketOptions:
    """What a session asks of its socket. `ttl` None leaves the system's default."""

    password: str | None = None
    ttl: int | None = None
    min_ttl: int | None = None


#: Nothing special.
PLAIN: Final = SocketOptions()


def socket_family(address: str) -> socket.AddressFamily:
    """The socket family of an IP address."""
    return socket.AF_INET6 if ":" in address else socket.AF_INET


def host(address: str) -> str:
    """An IP address in the one form that is compared, without the zone of a link-local one."""
    return str(ip_address(address.partition("%")[0]))


def apply(sock: trio.socket.SocketType, address: str, options: SocketOptions) -> None:
    """Set the options of a connection with `address`. Raises OSError where the system cannot."""
    if options.ttl is not None:
        _set_ttl(sock, options.ttl)
    if options.min_ttl is not None:
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, IPV6_MINHOPCOUNT, options.min_ttl)
        else:
            sock.setsockopt(socket.IPPROTO_IP, IP_MINTTL, options.min_ttl)
    if options.password is not None:
        set_md5(sock, address, options.password)


def prepare_listener(sock: trio.socket.SocketType, address: str, options: SocketOptions) -> None:
    """Let a listening socket answer the peer at `address` so that it can believe us. Raises OSError."""
    set_md5(sock, address, options.password or "")
    if options.min_ttl is not None:
        # Our part of the handshake comes from the listening socket; nobody minds a TTL that is too high.
        _set_ttl(sock, HIGHEST_TTL)


def _set_ttl(sock: trio.socket.SocketType, ttl: int) -> None:
    if sock.family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_UNICAST_HOPS, ttl)
    else:
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, ttl)


def set_md5(sock: trio.socket.SocketType, address: str, password: str) -> None:
    """Sign and check the segments of `address`; an empty password does so no more. Raises OSError.

    `struct tcp_md5sig`: sockaddr_storage (128), flags, prefix length, key length (2), interface index (4), key (80).
    """
    key = password.encode()
    if len(key) > MD5_KEY_MAX:
        raise OSError(errno.EINVAL, f"a TCP-MD5 password has at most {MD5_KEY_MAX} octets")
    packed = ip_address(address.partition("%")[0]).packed
    name = struct.pack("=H2s", sock.family, b"") + (struct.pack("=4x16s", packed) if len(packed) == 16 else packed)
    value = struct.pack("=128sBBHi80s", name.ljust(128, b"\0"), 0, 0, len(key), 0, key)
    try:
        sock.setsockopt(socket.IPPROTO_TCP, TCP_MD5SIG, value)
    except OSError as error:
        if key or error.errno not in (errno.ENOENT, errno.ENOPROTOOPT):
            raise


def attach_filter(sock: socket.socket, program: Sequence[tuple[int, int, int, int]]) -> None:
    """Let the kernel drop what `program` does not take, before it reaches `sock` (linux/filter.h).

    A line is (code, jump if true, jump if false, constant). Raises OSError.
    """
    code = create_string_buffer(b"".join(struct.pack("=HBBI", *line) for line in program))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HP", len(program), addressof(code)))
