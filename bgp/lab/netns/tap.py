"""Counts the messages of a speaker that does not count them: BGP is picked out of the packets that pass the namespace.

BIRD 2.0 has no counters of messages, and neither daemon says how many octets it sent. A packet socket sees what goes in and
out; TCP's sequence numbers put it in order once, however often it was sent (RFC 9293 3.4).
"""

from __future__ import annotations

import socket
import struct
from collections import Counter
from contextlib import suppress
from ctypes import addressof, create_string_buffer
from ipaddress import ip_address
from typing import Final, NamedTuple

import trio

from bgp.lab.meter import Framer, Traffic
from bgp.topology.model import Address

PORT: Final = 179
#: linux/if_ether.h, linux/if_packet.h, asm-generic/socket.h.
ETH_P_ALL: Final = 3
PACKET_HOST, PACKET_OUTGOING = 0, 4
SO_ATTACH_FILTER: Final = 26
#: Octets that may wait for us; and the longest packet, a segment that a card would split.
ROOM: Final = 1 << 23
LONGEST: Final = 1 << 17
#: Segments that are kept until those before them come; a stream with more is one whose packets we missed, and counted no more.
MAX_EARLY: Final = 1_000
SYN: Final = 0x02
#: (code, jump if true, jump if false, constant) of linux/bpf_common.h: IPv4 or IPv6, TCP, from or to port 179.
FILTER: Final = (
    (0x30, 0, 0, 0),  # version
    (0x74, 0, 0, 4),
    (0x15, 0, 7, 4),
    (0x30, 0, 0, 9),  # IPv4: protocol
    (0x15, 0, 12, 6),
    (0xB1, 0, 0, 0),  # length of the header
    (0x48, 0, 0, 0),
    (0x15, 10, 0, PORT),
    (0x48, 0, 0, 2),
    (0x15, 8, 7, PORT),
    (0x15, 0, 6, 6),  # IPv6: next header
    (0x30, 0, 0, 6),
    (0x15, 0, 4, 6),
    (0x28, 0, 0, 40),
    (0x15, 3, 0, PORT),
    (0x28, 0, 0, 42),
    (0x15, 1, 0, PORT),
    (0x06, 0, 0, 0),
    (0x06, 0, 0, LONGEST),
)


class Segment(NamedTuple):
    """A piece of a TCP connection: the two ends, where in the stream it begins, and its octets."""

    source: tuple[Address, int]
    target: tuple[Address, int]
    sequence: int
    is_first: bool  #: SYN: it opens the connection
    octets: bytes


def read_segment(packet: bytes) -> Segment | None:
    """The segment in an IP packet, which begins with its header; None if it is none that can be read."""
    try:
        if packet[0] >> 4 == 4:
            start, end = 4 * (packet[0] & 15), int.from_bytes(packet[2:4], "big")
            source, target = ip_address(packet[12:16]), ip_address(packet[16:20])
        else:
            start, end = 40, 40 + int.from_bytes(packet[4:6], "big")
            source, target = ip_address(packet[8:24]), ip_address(packet[24:40])
        near, far, sequence, _, offset, flags = struct.unpack_from(">HHIIBB", packet, start)
    except (IndexError, ValueError, struct.error):
        return None
    octets = packet[start + 4 * (offset >> 4) : end]
    return Segment((source, near), (target, far), sequence, bool(flags & SYN), octets)


def attach_filter(sock: socket.socket) -> None:
    """Let a socket that gets packets from their IP header on get those of BGP alone."""
    program = create_string_buffer(b"".join(struct.pack("HBBI", *one) for one in FILTER))
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, struct.pack("HL", len(FILTER), addressof(program)))


class Ordered:
    """One direction of a connection: octets once and in order, from segments that come as they like."""

    def __init__(self, counter: Counter[int], sequence: int) -> None:
        self._framer = Framer(counter)
        self._next = sequence
        self._early: dict[int, bytes] = {}

    def feed(self, sequence: int, octets: bytes) -> int:
        """Take a segment. Gives how many octets came into order."""
        if len(self._early) < MAX_EARLY:
            self._early[sequence] = max(self._early.get(sequence, b""), octets, key=len)
        before = self._next
        while (found := self._due()) is not None:
            own = self._early.pop(found)
            new = own[self._next - found & 0xFFFFFFFF :]
            self._framer.feed(new)
            self._next = self._next + len(new) & 0xFFFFFFFF
        return self._next - before & 0xFFFFFFFF

    def _due(self) -> int | None:
        """The segment that begins where the stream has come to, or before."""
        return next((one for one in self._early if self._next - one & 0xFFFFFFFF < 1 << 31), None)


class Tap:
    """What the speaker at the addresses `own` sends and receives. `run` it before the speaker starts."""

    def __init__(self, own: frozenset[Address]) -> None:
        self.traffic = Traffic()
        self._own = own
        self._streams: dict[tuple[tuple[Address, int], tuple[Address, int]], Ordered] = {}

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Count until cancelled."""
        with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL)) as sock:
            sock.setblocking(False)
            attach_filter(sock)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, ROOM)
            task_status.started()
            while True:
                await trio.lowlevel.wait_readable(sock)
                with suppress(BlockingIOError):
                    packet, (_, _, kind, *_) = sock.recvfrom(LONGEST)
                    if kind in (PACKET_HOST, PACKET_OUTGOING) and (segment := read_segment(packet)) is not None:
                        self.take(segment, sent=kind == PACKET_OUTGOING)

    def take(self, segment: Segment, *, sent: bool) -> None:
        """Count what a segment brings, unless it only passes by on its way to somebody else."""
        source, target, sequence, is_first, octets = segment
        if (source if sent else target)[0] not in self._own:
            return
        if is_first:
            counter = self.traffic.sent if sent else self.traffic.received
            self._streams[source, target] = Ordered(counter, sequence + 1 & 0xFFFFFFFF)
        elif octets and (stream := self._streams.get((source, target))) is not None:
            new = stream.feed(sequence, octets)
            if sent:
                self.traffic.octets += new
