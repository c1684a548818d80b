"""Packet captures, pcap and pcapng, one packet at a time.

A pcap file is a header of 24 octets, which tells byte order, link type and the unit of time, and then packets:

- 4 octets Seconds, 4 octets micro- or nanoseconds, 4 octets length here, 4 octets length on the wire, then the packet

A pcapng file is blocks of: 4 octets type, 4 octets length of all of it, a body, and the length again. Sections have their byte
order, interfaces their link type and unit of time; packets name their interface.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct, unpack_from
from typing import Final, NamedTuple

from bgp.wire.formats.stream import Source, Torn, pieces

#: The longest packet or block that is taken for one: captures of offloading interfaces hold packets of 64 KiB, not more.
LONGEST: Final = 1 << 24

#: Magic number to byte order and nanoseconds per unit.
MAGIC: Final = {
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}
PCAPNG_MAGIC: Final = b"\x0a\x0d\x0d\x0a"
_SECTION: Final = 0x0A0D0D0A
_INTERFACE: Final = 1
_OLD_PACKET: Final = 2
_SIMPLE: Final = 3
_ENHANCED: Final = 6
_END: Final = 0
_TSRESOL: Final = 9
_TSOFFSET: Final = 14
_SECOND: Final = 1_000_000_000


class Packet(NamedTuple):
    """A packet as it was captured. `time` in nanoseconds since 1970; `length` on the wire may be more than `octets`."""

    number: int  #: from 1, as in Wireshark
    time: int
    link: int  #: its link type, a LINKTYPE_ number
    length: int
    octets: bytes


class _Reader:
    """Octets of a file, some at a time."""

    def __init__(self, file: Source) -> None:
        self._pieces = pieces(file)
        self._held = b""
        self._at = 0
        self.begins = 0  #: place in the file of what comes next

    def take(self, size: int, what: str) -> bytes:
        """`size` octets; none at the end of the file. Raises Torn where it ends in between."""
        while len(self._held) - self._at < size:
            more = next(self._pieces, b"")
            if not more:
                left = len(self._held) - self._at
                if left:
                    raise Torn(f"{what} at {self.begins} has {left} of {size} octets")
                return b""
            self._held = self._held[self._at :] + more
            self._at = 0
        found = self._held[self._at : self._at + size]
        self._at += size
        self.begins += size
        return found

    def must(self, size: int, what: str) -> bytes:
        """`size` octets. Raises Torn where the file ends before them."""
        found = self.take(size, what)
        if size and not found:
            raise Torn(f"{what} at {self.begins} is not there")
        return found


def read_pcap(file: Source) -> Iterator[Packet]:
    """The packets of a pcap or pcapng file. Raises Torn where it is cut off or damaged, after those before that."""
    reader = _Reader(file)
    magic = reader.take(4, "a magic number")
    if magic in MAGIC:
        return _read_classic(reader, *MAGIC[magic])
    if magic == PCAPNG_MAGIC:
        return _read_blocks(reader)
    raise Torn("neither pcap nor pcapng")


def _read_classic(reader: _Reader, order: str, unit: int) -> Iterator[Packet]:
    (link,) = unpack_from(f"{order}I", reader.must(20, "the file header"), 16)
    head = Struct(f"{order}IIII")
    number = 0
    while octets := reader.take(head.size, "a packet header"):
        seconds, fraction, size, length = head.unpack(octets)
        if size > LONGEST:
            raise Torn(f"the packet at {reader.begins} says that it has {size} octets")
        number += 1
        yield Packet(number, seconds * _SECOND + fraction * unit, link & 0xFFFF, length, reader.must(size, "a packet"))


class _Interface(NamedTuple):
    link: int
    snap_length: int
    per_second: int  #: units of time
    offset: int  #: seconds


def _read_blocks(reader: _Reader) -> Iterator[Packet]:
    order, number, kind = "<", 0, _SECTION
    interfaces: list[_Interface] = []
    while True:
        if kind == _SECTION:
            order, interfaces = _section(reader), []
        else:
            body = _body(reader, order)
            if kind == _INTERFACE:
                interfaces.append(_interface(body, order))
            else:
                packet = _packet(kind, body, order, interfaces, number + 1)
                if packet is not None:
                    number += 1
                    yield packet
        octets = reader.take(4, "a block")
        if not octets:
            return
        (kind,) = unpack_from(f"{order}I", octets)


def _section(reader: _Reader) -> str:
    """The byte order of a section, whose header's type was read."""
    length, magic = reader.must(4, "a section's length"), reader.must(4, "a byte order mark")
    order = {b"\x4d\x3c\x2b\x1a": "<", b"\x1a\x2b\x3c\x4d": ">"}.get(magic)
    if order is None:
        raise Torn(f"the section at {reader.begins} has no byte order mark")
    size = unpack_from(f"{order}I", length)[0]
    if not 28 <= size <= LONGEST:
        raise Torn(f"the section header at {reader.begins} says that it has {size} octets")
    reader.must(size - 12, "a section header")
    return order


def _body(reader: _Reader, order: str) -> bytes:
    """What is between the two lengths of a block, whose type was read."""
    (size,) = unpack_from(f"{order}I", reader.must(4, "a block's length"))
    if size < 12 or size % 4 or size > LONGEST:
        raise Torn(f"the block at {reader.begins} says that it has {size} octets")
    return reader.must(size - 8, "a block")[:-4]


def _interface(body: bytes, order: str) -> _Interface:
    if len(body) < 8:
        raise Torn("an interface description that is too short")
    link, _, snap_length = unpack_from(f"{order}HHI", body)
    per_second, offset = 1_000_000, 0
    for code, value in _options(body, 8, order):
        if code == _TSRESOL and value:
            per_second = 1 << (value[0] & 0x7F) if value[0] & 0x80 else 10 ** value[0]
        elif code == _TSOFFSET and len(value) == 8:
            (offset,) = unpack_from(f"{order}q", value)
    return _Interface(link, snap_length, per_second, offset)


def _options(body: bytes, at: int, order: str) -> Iterator[tuple[int, bytes]]:
    while len(body) - at >= 4:
        code, size = unpack_from(f"{order}HH", body, at)
        if code == _END:
            return
        yield code, body[at + 4 : at + 4 + size]
        at += 4 + (size + 3) // 4 * 4


def _packet(kind: int, body: bytes, order: str, interfaces: list[_Interface], number: int) -> Packet | None:
    """The packet that a block holds; None for blocks of other kinds."""
    if kind not in (_ENHANCED, _OLD_PACKET, _SIMPLE):
        return None
    if len(body) < (4 if kind == _SIMPLE else 20):
        raise Torn("a packet block that is too short")
    if kind == _SIMPLE:
        index, high, low, at = 0, 0, 0, 4
        (length,) = unpack_from(f"{order}I", body)
        size = min(length, len(body) - 4)
    else:
        (index,) = unpack_from(f"{order}I" if kind == _ENHANCED else f"{order}H", body)
        high, low, size, length = unpack_from(f"{order}IIII", body, 4)
        at = 20
    if index >= len(interfaces) or at + size > len(body):
        raise Torn(f"packet {number} of interface {index} with {size} octets, which are not there")
    interface = interfaces[index]
    if kind == _SIMPLE and interface.snap_length:
        size = min(size, interface.snap_length)
    time = (high << 32 | low) * _SECOND // interface.per_second + interface.offset * _SECOND
    return Packet(number, time, interface.link, length, body[at : at + size])
