"""From a captured packet to the TCP segment in it: link layer, IPv4 or IPv6, TCP."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from struct import unpack_from
from typing import Final, NamedTuple, TypeAlias

from bgp.wire.formats.fragments import Fragments
from bgp.wire.formats.pcap import Packet

Address: TypeAlias = IPv4Address | IPv6Address

FIN: Final = 0x01
SYN: Final = 0x02
RST: Final = 0x04
ACK: Final = 0x10
_IPV4: Final = 0x0800
_IPV6: Final = 0x86DD
_VLAN: Final = frozenset({0x8100, 0x88A8, 0x9100})
_TCP: Final = 6
#: IPv6 extension headers that are walked past: hop-by-hop, routing, destination (RFC 8200 4), mobility, HIP, shim6.
_EXTENSIONS: Final = frozenset({0, 43, 60, 135, 139, 140})
_FRAGMENT: Final = 44
_AUTHENTICATION: Final = 51


class End(NamedTuple):
    """One end of a connection."""

    address: Address
    port: int

    def __str__(self) -> str:
        return f"[{self.address}]:{self.port}" if self.address.version == 6 else f"{self.address}:{self.port}"


class Segment(NamedTuple):
    """A TCP segment. `missing` octets at the end of its data were not captured."""

    source: End
    destination: End
    sequence: int
    acknowledged: int | None
    flags: int
    octets: bytes
    missing: int


def segment_of(packet: Packet, fragments: Fragments | None = None) -> Segment | None:
    """The TCP segment in a packet; None where there is none, or not all of its headers.

    Of a fragment: the segment that it was the last missing one of, if `fragments` has the others.
    """
    found = LINKS[packet.link](packet.octets) if packet.link in LINKS else None
    if found is None:
        return None
    protocol, at = found
    octets = packet.octets
    if protocol == _IPV4 and len(octets) - at >= 20:
        return _ipv4(octets, at, fragments)
    if protocol == _IPV6 and len(octets) - at >= 40:
        return _ipv6(octets, at, fragments)
    return None


def _ethernet(octets: bytes) -> tuple[int, int] | None:
    return _after_vlan(octets, 12)


def _after_vlan(octets: bytes, at: int) -> tuple[int, int] | None:
    """(EtherType, place of what follows), past any number of VLAN tags (IEEE 802.1Q, 802.1ad)."""
    while len(octets) - at >= 2:
        kind = octets[at] << 8 | octets[at + 1]
        if kind not in _VLAN:
            return kind, at + 2
        at += 4
    return None


def _raw(octets: bytes) -> tuple[int, int] | None:
    """The version field of IP tells."""
    versions = {4: _IPV4, 6: _IPV6}
    return (versions[octets[0] >> 4], 0) if octets and octets[0] >> 4 in versions else None


def _loopback(octets: bytes) -> tuple[int, int] | None:
    """4 octets of address family, whose number differs from system to system: IP's version tells."""
    found = _raw(octets[4:])
    return None if found is None else (found[0], 4)


def _cooked(octets: bytes) -> tuple[int, int] | None:
    """Linux "any" interface: the protocol is at 14."""
    return _after_vlan(octets, 14)


def _cooked2(octets: bytes) -> tuple[int, int] | None:
    """Its second version: the protocol is at 0, 20 octets of header."""
    return (octets[0] << 8 | octets[1], 20) if len(octets) >= 20 else None


def _ppp(octets: bytes) -> tuple[int, int] | None:
    """Point to point, with or without the two octets of HDLC (RFC 1662 3.1)."""
    at = 2 if octets[:2] == b"\xff\x03" else 0
    versions = {b"\x00\x21": _IPV4, b"\x00\x57": _IPV6}
    return (versions[octets[at : at + 2]], at + 2) if octets[at : at + 2] in versions else None


def _juniper(octets: bytes) -> tuple[int, int] | None:
    """Ethernet behind a header of the router: a magic number, flags, and perhaps extensions behind their length."""
    if octets[:3] != b"MGC" or len(octets) < 6:
        return None
    flags = octets[3]
    start = 6 + (octets[4] << 8 | octets[5]) if flags & _JUNIPER_EXTENSIONS else 4
    if flags & _JUNIPER_NO_FRAME:
        found = _loopback(octets[start:])
        return None if found is None else (found[0], start + 4)
    return _after_vlan(octets, start + 12)


_JUNIPER_EXTENSIONS: Final = 0x80
_JUNIPER_NO_FRAME: Final = 0x02
#: By LINKTYPE_ number: NULL, ETHERNET, PPP (two numbers), RAW (three), LOOP, LINUX_SLL, JUNIPER_ETHER, IPV4, IPV6, LINUX_SLL2.
LINKS: Final[dict[int, Callable[[bytes], tuple[int, int] | None]]] = {
    0: _loopback,
    1: _ethernet,
    9: _ppp,
    12: _raw,
    14: _raw,
    50: _ppp,
    101: _raw,
    108: _loopback,
    113: _cooked,
    178: _juniper,
    228: _raw,
    229: _raw,
    276: _cooked2,
}


def _ipv4(octets: bytes, at: int, fragments: Fragments | None) -> Segment | None:
    length, identification, fragment, _, protocol = unpack_from(">HHHBB", octets, at + 2)
    start = at + 4 * (octets[at] & 0x0F)
    if protocol != _TCP or start < at + 20:
        return None
    # Total Length 0: the interface was to fill it in (segmentation offload).
    end = at + length if length else len(octets)
    source, destination = IPv4Address(octets[at + 12 : at + 16]), IPv4Address(octets[at + 16 : at + 20])
    if fragment & 0x3FFF:
        if fragments is None or end > len(octets):
            return None
        key = (source, destination, identification)
        more = bool(fragment & 0x2000)
        whole = fragments.add(key, (fragment & 0x1FFF) * 8, octets[start:end], more=more)
        return None if whole is None else _tcp(whole, 0, len(whole), source, destination)
    return _tcp(octets, start, end, source, destination)


def _ipv6(octets: bytes, at: int, fragments: Fragments | None) -> Segment | None:
    length, kind = unpack_from(">HB", octets, at + 4)
    end = at + 40 + length if length else len(octets)
    source, destination = IPv6Address(octets[at + 8 : at + 24]), IPv6Address(octets[at + 24 : at + 40])
    at += 40
    while kind != _TCP:
        if len(octets) - at < 8:
            return None
        if kind == _FRAGMENT:
            (fragment,) = unpack_from(">H", octets, at + 2)
            size = 8
            if fragment & 0xFFF9:
                if fragments is None or end > len(octets):
                    return None
                key = (source, destination, octets[at + 4 : at + 8])
                whole = fragments.add(key, fragment & 0xFFF8, octets[at + 8 : end], more=bool(fragment & 1))
                if whole is None:
                    return None
                kind, octets, at, end = octets[at], whole, 0, len(whole)
                continue
        elif kind == _AUTHENTICATION:
            size = 4 * (octets[at + 1] + 2)
        elif kind in _EXTENSIONS:
            size = 8 * (octets[at + 1] + 1)
        else:
            return None
        kind, at = octets[at], at + size
    return _tcp(octets, at, end, source, destination)


def _tcp(octets: bytes, at: int, end: int, source: Address, destination: Address) -> Segment | None:
    if len(octets) - at < 20:
        return None
    source_port, destination_port, sequence, acknowledged, offset, flags = unpack_from(">HHIIBB", octets, at)
    start = at + 4 * (offset >> 4)
    if start < at + 20 or start > end:
        return None
    captured = octets[start:end]
    return Segment(
        End(source, source_port),
        End(destination, destination_port),
        sequence,
        acknowledged if flags & ACK else None,
        flags,
        captured,
        end - start - len(captured),
    )
