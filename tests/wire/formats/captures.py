"""Packets and capture files made by hand: Ethernet and other link layers, IPv4 and IPv6, TCP, pcap and pcapng."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address
from struct import pack

ACK, SYN, FIN, RST = 0x10, 0x02, 0x01, 0x04
ETHERNET = 1


def tcp(
    data: bytes = b"",
    *,
    source: str = "192.0.2.1",
    destination: str = "192.0.2.2",
    ports: tuple[int, int] = (40000, 179),
    sequence: int = 0,
    acknowledged: int | None = None,
    flags: int = 0,
    options: bytes = b"",
    extensions: bytes = b"",
    first_extension: int = 6,
) -> bytes:
    """An IP packet with a TCP segment. Checksums are zero: nobody here looks at them."""
    flags |= ACK if acknowledged is not None else 0
    offset = 5 + len(options) // 4
    head = pack(
        ">HHIIBBHHH", *ports, sequence % (1 << 32), (acknowledged or 0) % (1 << 32), offset << 4, flags, 0, 0, 0
    )
    segment = extensions + head + options + data
    one, two = ip_address(source), ip_address(destination)
    if one.version == 4:
        return pack(">BBHHHBBH", 0x45, 0, 20 + len(segment), 0, 0x4000, 64, 6, 0) + one.packed + two.packed + segment
    return pack(">IHBB", 6 << 28, len(segment), first_extension, 64) + one.packed + two.packed + segment


def fragmented(packet: bytes, size: int, number: int = 1) -> list[bytes]:
    """An IP packet in fragments of `size` octets, eight or a multiple of it."""
    six = packet[0] >> 4 == 6
    head, body = (packet[:40], packet[40:]) if six else (packet[:20], packet[20:])
    found = []
    for at in range(0, len(body), size):
        piece, more = body[at : at + size], at + size < len(body)
        if six:
            extension = pack(">BBHI", head[6], 0, at | more, number)
            found.append(head[:4] + pack(">HB", len(piece) + 8, 44) + head[7:] + extension + piece)
        else:
            middle = pack(">HHH", 20 + len(piece), number, more << 13 | at >> 3)
            found.append(head[:2] + middle + head[8:] + piece)
    return found


def ethernet(packet: bytes, *, tags: tuple[int, ...] = (), padding: bytes = b"") -> bytes:
    """A frame, with VLAN tags of these EtherTypes."""
    kind = b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd"
    return bytes(12) + b"".join(pack(">HH", tag, 7) for tag in tags) + kind + packet + padding


def pcap(
    frames: Iterable[bytes], *, link: int = ETHERNET, order: str = "<", nanoseconds: bool = False, snap: int = 1 << 16
) -> bytes:
    """A pcap file; the packets are one second apart, from 100.000005 on."""
    magic = 0xA1B23C4D if nanoseconds else 0xA1B2C3D4
    octets = pack(f"{order}IHHiIII", magic, 2, 4, 0, 0, snap, link)
    for number, frame in enumerate(frames):
        kept = frame[:snap]
        octets += pack(f"{order}IIII", 100 + number, 5000 if nanoseconds else 5, len(kept), len(frame)) + kept
    return octets


def block(order: str, kind: int, body: bytes) -> bytes:
    body += bytes(-len(body) % 4)
    return pack(f"{order}II", kind, len(body) + 12) + body + pack(f"{order}I", len(body) + 12)


def section(order: str = "<") -> bytes:
    return block(order, 0x0A0D0D0A, pack(f"{order}IHHq", 0x1A2B3C4D, 1, 0, -1))


def interface(order: str = "<", *, link: int = ETHERNET, options: bytes = b"") -> bytes:
    return block(order, 1, pack(f"{order}HHI", link, 0, 0) + options)


def enhanced(frame: bytes, time: int, *, order: str = "<", index: int = 0) -> bytes:
    """An enhanced packet block."""
    body = pack(f"{order}IIIII", index, time >> 32, time & 0xFFFFFFFF, len(frame), len(frame)) + frame
    return block(order, 6, body)
