"""The BGP sessions of a packet capture: TCP put together, messages found in it, and how to read them.

Whatever is on port 179, and whatever begins with BGP's marker on other ports, is taken for BGP. The two OPENs of a connection
say how the rest is to be read; where the capture begins later, 4-octet AS numbers are assumed unless the octets say otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, TypeAlias

from bgp.error import PeerError
from bgp.iana import AttributeCode, MessageType
from bgp.message import Open
from bgp.wire.context import Context
from bgp.wire.formats.fragments import Fragments
from bgp.wire.formats.opens import directions, open_of
from bgp.wire.formats.packet import FIN, LINKS, RST, SYN, End, Segment, segment_of
from bgp.wire.formats.pcap import Packet
from bgp.wire.formats.tcp import Gap, Piece, Stream
from bgp.wire.sizes import HEADER_LENGTH, MARKER
from bgp.wire.update import decode_update

PORT: Final = 179
#: Connections that are remembered at a time; beyond them the oldest is taken for over. Who scans ports makes many.
CONNECTIONS: Final = 1 << 14
_AS4: Final = Context(extended=True)
_AS2: Final = Context(as4=False, extended=True)
_ON_AS_SIZE: Final = frozenset({AttributeCode.AS_PATH, AttributeCode.AGGREGATOR})


class Heard(NamedTuple):
    """A message, whole, and how to read it."""

    number: int  #: of the packet with its last octets
    time: int  #: nanoseconds since 1970
    source: End
    destination: End
    asn: int | None  #: the sender's, of its OPEN
    octets: bytes
    context: Context


class Lost(NamedTuple):
    """Something of a session that cannot be read, and why."""

    number: int
    time: int
    source: End
    destination: End
    reason: str


Found: TypeAlias = Heard | Lost
_Pair: TypeAlias = frozenset[End]


class _Direction:
    """What one side sends: its stream, and its messages found in that."""

    def __init__(self, source: End, begins: int, *, from_start: bool) -> None:
        self.source = source
        self.stream = Stream(begins)
        self.opened: Open | None = None
        self.finished = False
        self._held = b""
        self._in_step = from_start

    @property
    def is_over(self) -> bool:
        """Whether FIN has come and nothing waits for what is before it."""
        return self.finished and not self.stream.is_waiting

    def messages(self, found: Iterable[Piece]) -> Iterator[bytes | str]:
        """Whole messages, and what went wrong in words."""
        for piece in found:
            if isinstance(piece, Gap):
                yield f"{piece.size} octets are not in the capture"
                self._held, self._in_step = b"", False
                continue
            self._held += piece
            yield from self._cut()

    def _cut(self) -> Iterator[bytes | str]:
        while True:
            if not self._in_step:
                skipped = _next_header(self._held)
                self._held = self._held[skipped:]
                if len(self._held) < HEADER_LENGTH:
                    return
                self._in_step = True
            if len(self._held) < HEADER_LENGTH:
                return
            if _header_at(self._held, 0) is None:
                yield "no BGP message begins here; looking for the next one"
                self._held, self._in_step = self._held[1:], False
                continue
            size = int.from_bytes(self._held[16:18], "big")
            if len(self._held) < size:
                return
            yield self._held[:size]
            self._held = self._held[size:]

    def left(self) -> str | None:
        """What remains when nothing more comes."""
        return f"the last message is cut off after {len(self._held)} octets" if self._held and self._in_step else None


def _header_at(octets: bytes, at: int) -> int | None:
    """The length of the message whose header is at `at`; None where it cannot be one."""
    size = int.from_bytes(octets[at + 16 : at + 18], "big")
    return size if octets[at : at + 16] == MARKER and size >= HEADER_LENGTH else None


def _next_header(octets: bytes) -> int:
    """Where a message begins, or may begin with more octets."""
    at = octets.find(b"\xff")
    while at >= 0 and len(octets) - at >= HEADER_LENGTH:
        if _header_at(octets, at) is not None and 1 <= octets[at + 18] <= 6:
            return at
        at = octets.find(b"\xff", at + 1)
    return len(octets) if at < 0 else at


class Conversations:
    """The sessions of a capture, while they last. `unread` counts packets by link types that are not read."""

    def __init__(self) -> None:
        self.unread: Counter[int] = Counter()
        self._known: dict[_Pair, dict[End, _Direction]] = {}
        self._fragments = Fragments()

    def packets(self, packets: Iterable[Packet]) -> Iterator[Found]:
        """What the packets of a capture hold."""
        last = None
        for packet in packets:
            last = packet
            if packet.link not in LINKS:
                self.unread[packet.link] += 1
                continue
            segment = segment_of(packet, self._fragments)
            if segment is not None:
                yield from self._segment(packet, segment)
        if last is not None:
            for pair in list(self._known):
                yield from self._close(last, pair)

    def _segment(self, packet: Packet, segment: Segment) -> Iterator[Found]:
        pair = frozenset((segment.source, segment.destination))
        known = self._known.get(pair)
        if known is None:
            if not _is_bgp(segment):
                return
            if len(self._known) >= CONNECTIONS:
                yield from self._close(packet, next(iter(self._known)))
            known = self._known[pair] = {}
        elif segment.flags & SYN and segment.acknowledged is None and segment.source in known:
            yield from self._close(packet, pair)  # the same ports again: another connection
            known = self._known[pair] = {}
        direction = known.get(segment.source)
        sequence = (segment.sequence + bool(segment.flags & SYN)) % (1 << 32)
        if direction is None and (segment.flags & SYN or segment.octets):
            from_start = bool(segment.flags & SYN) or segment.octets.startswith(MARKER)
            direction = known[segment.source] = _Direction(segment.source, sequence, from_start=from_start)
        if direction is not None:
            yield from self._tell(packet, pair, segment, direction, direction.stream.add(sequence, segment.octets))
        other = known.get(segment.destination)
        if other is not None and segment.acknowledged is not None:
            back = segment._replace(source=segment.destination, destination=segment.source)
            yield from self._tell(packet, pair, back, other, other.stream.acknowledge(segment.acknowledged))
        if direction is not None and segment.flags & FIN:
            direction.finished = True
        if segment.flags & RST or (len(known) == 2 and all(one.is_over for one in known.values())):
            yield from self._close(packet, pair)

    def _close(self, packet: Packet, pair: _Pair) -> Iterator[Found]:
        known = self._known.pop(pair, {})
        for source, direction in known.items():
            (destination,) = pair - {source} or {source}
            ends = Segment(source, destination, 0, None, 0, b"", 0)
            yield from self._tell(packet, pair, ends, direction, direction.stream.end(), known)
            reason = direction.left()
            if reason is not None:
                yield Lost(packet.number, packet.time, source, destination, reason)

    def _tell(
        self,
        packet: Packet,
        pair: _Pair,
        segment: Segment,
        direction: _Direction,
        found: Iterable[Piece],
        known: dict[End, _Direction] | None = None,
    ) -> Iterator[Found]:
        sides = self._known.get(pair, {}) if known is None else known
        source, destination = segment.source, segment.destination
        for one in direction.messages(found):
            if isinstance(one, str):
                yield Lost(packet.number, packet.time, source, destination, one)
                continue
            direction.opened = open_of(one) or direction.opened
            asn = direction.opened.asn if direction.opened is not None else None
            context = _context(direction, sides.get(destination), one)
            yield Heard(packet.number, packet.time, source, destination, asn, one, context)


def _is_bgp(segment: Segment) -> bool:
    if segment.octets.startswith(MARKER):
        return True
    on_port = PORT in (segment.source.port, segment.destination.port)
    return on_port and bool(segment.octets or segment.flags & SYN) and not segment.flags & (RST | FIN)


def _context(sender: _Direction, receiver: _Direction | None, octets: bytes) -> Context:
    """How to read a message: by both OPENs, or by what its octets can be."""
    if sender.opened is not None and receiver is not None and receiver.opened is not None:
        return directions(sender.opened, receiver.opened)[0]
    if octets[18] == MessageType.UPDATE and _on_as_size(octets, _AS4) and not _on_as_size(octets, _AS2):
        return _AS2
    return _AS4


def _on_as_size(octets: bytes, context: Context) -> bool:
    """Whether an attribute that holds AS numbers is malformed in a context."""
    try:
        update = decode_update(octets[HEADER_LENGTH:], context)
    except PeerError:
        return False
    return any(error.attribute in _ON_AS_SIZE for error in update.errors)
