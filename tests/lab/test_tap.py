"""Messages counted from packets: in any order, sent twice, in pieces, and of nobody else."""

from __future__ import annotations

import socket
import struct
import sys
from ipaddress import ip_address

import pytest

from bgp.iana import MessageType
from bgp.lab.netns.tap import Tap, attach, read_segment
from bgp.wire.formats.packet import End, Segment

KEEPALIVE = b"\xff" * 16 + b"\x00\x13\x04"
END_OF_RIB = b"\xff" * 16 + b"\x00\x17\x02" + bytes(4)
OURS, THEIRS = ("192.0.2.1", 179), ("192.0.2.2", 40_000)


def packet(source: tuple[str, int], target: tuple[str, int], sequence: int, octets: bytes, flags: int = 0x10) -> bytes:
    segment = struct.pack(">HHIIBBHHH", source[1], target[1], sequence, 0, 6 << 4, flags, 0, 0, 0) + bytes(4) + octets
    near, far = ip_address(source[0]), ip_address(target[0])
    if near.version == 4:
        header = struct.pack(">BBHHHBBH", 0x46, 0, 24 + len(segment), 0, 0, 64, 6, 0)
        return header + near.packed + far.packed + bytes(4) + segment + b"padding"
    return struct.pack(">IHBB", 6 << 28, len(segment), 6, 64) + near.packed + far.packed + segment + b"padding"


def take(tap: Tap, *words: object, sent: bool) -> None:
    segment = read_segment(packet(*words))  # type: ignore[arg-type]
    assert segment is not None
    tap.take(segment, sent=sent)


@pytest.mark.parametrize(("one", "other"), [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")])
def test_a_segment_is_read_past_options_and_without_padding(one: str, other: str) -> None:
    found = read_segment(packet((one, 179), (other, 40_000), 7, KEEPALIVE, flags=0x12))
    ends = End(ip_address(one), 179), End(ip_address(other), 40_000)
    assert found == Segment(*ends, sequence=7, acknowledged=0, flags=0x12, octets=KEEPALIVE, missing=0)


@pytest.mark.parametrize("octets", [b"", b"\x45", b"\x60" + bytes(30)])
def test_what_is_cut_short_is_no_segment(octets: bytes) -> None:
    assert read_segment(octets) is None


@pytest.mark.parametrize("start", [1, 0xFFFFFFF0])
def test_octets_are_taken_once_and_in_order(start: int) -> None:
    tap, octets = Tap(frozenset({ip_address(OURS[0])})), KEEPALIVE + END_OF_RIB + KEEPALIVE
    pieces = [(start + at & 0xFFFFFFFF, octets[at : at + 10]) for at in range(0, len(octets), 10)]
    late = [pieces[1], pieces[0], pieces[0], *pieces[:1:-1], pieces[3], (start, octets[:25])]
    take(tap, OURS, THEIRS, start - 1 & 0xFFFFFFFF, b"", 0x02, sent=True)
    for piece in late:
        take(tap, OURS, THEIRS, *piece, sent=True)
    assert tap.traffic.octets == len(octets)
    assert tap.traffic.sent == {MessageType.KEEPALIVE: 2, MessageType.UPDATE: 1}


def test_only_our_own_connections_are_counted_and_a_new_one_begins_anew() -> None:
    tap = Tap(frozenset({ip_address(OURS[0])}))
    take(tap, THEIRS, OURS, 100, b"", 0x02, sent=False)
    take(tap, OURS, THEIRS, 500, b"", 0x12, sent=True)
    take(tap, OURS, THEIRS, 501, END_OF_RIB, sent=True)
    take(tap, THEIRS, OURS, 101, KEEPALIVE, sent=False)
    take(tap, THEIRS, OURS, 9, b"", 0x02, sent=False)
    take(tap, THEIRS, OURS, 10, KEEPALIVE, sent=False)
    take(tap, THEIRS, ("192.0.2.9", 179), 10, b"", 0x02, sent=False)
    take(tap, THEIRS, ("192.0.2.9", 179), 11, KEEPALIVE, sent=False)
    assert tap.traffic.sent == {MessageType.UPDATE: 1}
    assert tap.traffic.received == {MessageType.KEEPALIVE: 2}
    assert tap.traffic.octets == len(END_OF_RIB)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="filters of sockets are Linux's")
@pytest.mark.parametrize(("one", "other"), [("192.0.2.1", "192.0.2.2"), ("2001:db8::1", "2001:db8::2")])
def test_the_kernel_hands_on_what_comes_from_or_goes_to_the_port_alone(one: str, other: str) -> None:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with near, far:
        far.setblocking(False)
        attach(far)
        wanted = [packet((one, 179), (other, 5), 1, KEEPALIVE), packet((one, 5), (other, 179), 1, KEEPALIVE)]
        unwanted = packet((one, 5), (other, 80), 1, KEEPALIVE)
        udp = (
            packet((one, 5), (other, 179), 1, KEEPALIVE)
            .replace(b"\x40\x06", b"\x40\x11")
            .replace(b"\x06\x40", b"\x11\x40")
        )
        for octets in (unwanted, udp, wanted[0], unwanted, wanted[1]):
            near.send(octets)
        assert [far.recv(1 << 16), far.recv(1 << 16)] == wanted
        with pytest.raises(BlockingIOError):
            far.recv(1 << 16)
