"""Packets between pods: an echo of ICMP, which tells the time to live, and a TCP connection, which tells the source address.

Every pod answers TCP on one port with the address that it saw. A probe asks both of each destination.
"""

from __future__ import annotations

import os
import socket
import struct
from collections.abc import Sequence
from functools import partial
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final, NamedTuple, cast

import trio

from bgp.lab.netns.pods import Pod
from bgp.lab.netns.spaces import inside

Address = IPv4Address | IPv6Address

#: TCP's echo service (RFC 862), near enough.
PORT: Final = 7
#: Seconds that an answer may take, and how often is asked.
PATIENCE: Final = 1.0
TRIES: Final = 3
#: Questions that are under way at a time.
AT_ONCE: Final = 32
IPV6_RECVHOPLIMIT: Final = 51
IPV6_HOPLIMIT: Final = 52
#: (request, reply, destination unreachable, time exceeded) of ICMP (RFC 792) and ICMPv6 (RFC 4443).
TYPES: Final = {4: (8, 0, 3, 11), 6: (128, 129, 1, 3)}


class Answer(NamedTuple):
    """What came of a probe. `problem` is empty if all was as it should be, else it says what was not."""

    source: Address
    destination: Address
    ttl: int | None  #: that the reply had left
    problem: str


async def listen(pod: Pod, nursery: trio.Nursery) -> None:
    """Answer TCP in the pod: whoever connects is told the address that it was seen with."""
    with inside(pod.namespace):
        sockets = [_listener(address) for address in pod.addresses]
    listeners = [trio.SocketListener(trio.socket.from_stdlib_socket(one)) for one in sockets]
    nursery.start_soon(partial(trio.serve_listeners, _tell_who, listeners))


def _listener(address: Address) -> socket.socket:
    made = socket.socket(socket.AF_INET if address.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((str(address), PORT))
    made.listen(256)
    return made


async def _tell_who(stream: trio.SocketStream) -> None:
    async with stream:
        try:
            await stream.send_all(stream.socket.getpeername()[0].encode())
        except trio.BrokenResourceError:
            return


async def probe(pods: Sequence[Pod], destinations: Sequence[Address]) -> list[Answer]:
    """Ask every destination from each of the pods. Takes as long as the slowest answer."""
    found: list[Answer] = []
    limit = trio.CapacityLimiter(AT_ONCE)
    async with trio.open_nursery() as nursery:
        for pod in pods:
            for destination in destinations:
                nursery.start_soon(_probe_one, pod, destination, limit, found)
    return found


async def _probe_one(pod: Pod, destination: Address, limit: trio.CapacityLimiter, found: list[Answer]) -> None:
    source = pod.address(destination.version)
    if source is None:
        return
    async with limit:
        ttl, problem = None, "no answer"
        for sequence in range(TRIES):
            ttl, problem = await _ping(pod, destination, sequence)
            if not problem:
                break
        if not problem:
            problem = await _connect(pod, source, destination)
        found.append(Answer(source, destination, ttl, problem))


async def _ping(pod: Pod, destination: Address, sequence: int) -> tuple[int | None, str]:
    """(TTL of the reply, what was wrong)."""
    version = destination.version
    request, *_ = TYPES[version]
    identifier = int.from_bytes(os.urandom(2), "big")
    with inside(pod.namespace):
        raw = _raw(version)
    sock = trio.socket.from_stdlib_socket(raw)
    with sock:
        body = struct.pack(">BBHHH", request, 0, 0, identifier, sequence) + b"lab " * 4
        if version == 4:  # the kernel does it for ICMPv6
            body = body[:2] + _checksum(body).to_bytes(2, "big") + body[4:]
        problem = f"no answer within {PATIENCE * TRIES:g} s"
        try:
            await sock.sendto(body, (str(destination), 0))
            with trio.move_on_after(PATIENCE):
                while True:
                    octets, extra, _, peer = await sock.recvmsg(2048, 256)
                    # The cast: the address of a raw socket's packet is a tuple that begins with text.
                    told = _read(version, octets, extra, cast(tuple[str], peer)[0], (identifier, sequence))
                    if told is not None:
                        return told
        except OSError as error:
            problem = error.strerror or str(error)
    return None, problem


def _raw(version: int) -> socket.socket:
    if version == 4:
        return socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP)
    made = socket.socket(socket.AF_INET6, socket.SOCK_RAW, socket.IPPROTO_ICMPV6)
    made.setsockopt(socket.IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1)
    return made


def _read(
    version: int, octets: bytes, extra: Sequence[tuple[int, int, bytes]], peer: str, wanted: tuple[int, int]
) -> tuple[int | None, str] | None:
    """What an ICMP message says about our request; None if it is about something else."""
    _, reply, unreachable, exceeded = TYPES[version]
    if version == 4:
        ttl: int | None = octets[8]
        octets = octets[(octets[0] & 15) * 4 :]
    else:
        ttl = next((struct.unpack("i", value)[0] for _, kind, value in extra if kind == IPV6_HOPLIMIT), None)
    if len(octets) < 8:
        return None
    kind, code = octets[0], octets[1]
    if kind == reply and struct.unpack(">HH", octets[4:8]) == wanted:
        return ttl, ""
    if kind in (unreachable, exceeded):
        inner = octets[8:]
        inner = inner[(inner[0] & 15) * 4 :] if version == 4 and inner else inner[40:]
        if len(inner) >= 8 and struct.unpack(">HH", inner[4:8]) == wanted:
            what = f"time exceeded at {peer}" if kind == exceeded else f"{peer} says it is unreachable (code {code})"
            return None, what
    return None


def _checksum(octets: bytes) -> int:
    """RFC 1071."""
    total = sum(int.from_bytes(octets[at : at + 2], "big") for at in range(0, len(octets), 2))
    total = (total >> 16) + (total & 0xFFFF)
    return ~(total + (total >> 16)) & 0xFFFF


async def _connect(pod: Pod, source: Address, destination: Address) -> str:
    """What is wrong with a TCP connection there; empty for nothing."""
    with inside(pod.namespace):
        made = socket.socket(socket.AF_INET if destination.version == 4 else socket.AF_INET6, socket.SOCK_STREAM)
    sock = trio.socket.from_stdlib_socket(made)
    with sock, trio.move_on_after(PATIENCE * TRIES):
        try:
            await sock.connect((str(destination), PORT))
            seen = (await sock.recv(64)).decode()
        except OSError as error:
            return f"TCP: {error.strerror or error}"
        return "" if seen and ip_address(seen) == source else f"it was seen as {seen or 'nobody'}"
    return f"TCP: no answer within {PATIENCE * TRIES:g} s"
