"""Counts the messages of a speaker that does not count them: BGP is picked out of the packets that pass the namespace.

BIRD 2.0 has no counters of messages, and neither daemon says how many octets it sent. A packet socket sees what goes in and
out; TCP's sequence numbers put it in order once, however often it was sent (RFC 9293 3.4).
"""

from __future__ import annotations

import socket
from contextlib import suppress
from typing import Final

import trio

from bgp.lab.meter import Framer, Traffic
from bgp.net.sockets import attach_filter
from bgp.topology.model import Address
from bgp.wire.formats.packet import SYN, End, Segment, segment_of
from bgp.wire.formats.pcap import Packet
from bgp.wire.formats.tcp import Gap, Stream

PORT: Final = 179
#: linux/if_ether.h, linux/if_packet.h.
ETH_P_ALL: Final = 3
PACKET_HOST, PACKET_OUTGOING = 0, 4
#: Octets that may wait for us; and the longest packet, a segment that a card would split.
ROOM: Final = 1 << 23
LONGEST: Final = 1 << 17
#: LINKTYPE_RAW: a packet from its IP header on.
RAW: Final = 101
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


def read_segment(packet: bytes) -> Segment | None:
    """The segment in an IP packet, which begins with its header; None if it is none that can be read."""
    return segment_of(Packet(0, 0, RAW, len(packet), packet))


def attach(sock: socket.socket) -> None:
    """Let a socket that gets packets from their IP header on get those of BGP alone."""
    attach_filter(sock, FILTER)


class Tap:
    """What the speaker at the addresses `own` sends and receives. `run` it before the speaker starts."""

    def __init__(self, own: frozenset[Address]) -> None:
        self.traffic = Traffic()
        self._own = own
        self._streams: dict[tuple[End, End], tuple[Stream, Framer]] = {}

    async def run(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Count until cancelled."""
        with socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_ALL)) as sock:
            sock.setblocking(False)
            attach(sock)
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
        ends = segment.source, segment.destination
        if ends[0 if sent else 1].address not in self._own:
            return
        if segment.flags & SYN:
            counter = self.traffic.sent if sent else self.traffic.received
            self._streams[ends] = Stream(segment.sequence + 1), Framer(counter)
        elif segment.octets and (found := self._streams.get(ends)) is not None:
            stream, framer = found
            for piece in stream.add(segment.sequence, segment.octets):
                if isinstance(piece, Gap):
                    del self._streams[ends]  # packets that we missed: it is counted no more
                    return
                framer.feed(piece)
                if sent:
                    self.traffic.octets += len(piece)
