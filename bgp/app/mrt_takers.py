"""What makes lines of `bgpdump -m` of one kind of MRT record each, straight from the octets: `takers` is the table.

A taker is given a record's time, the octets that it is among, and where its body begins and ends. It gives the lines, or None
for a record to be decoded: one with anything wrong, or a rare one.
"""

from __future__ import annotations

from collections.abc import Callable
from socket import inet_ntoa
from struct import Struct
from typing import Final, TypeAlias

from bgp.app.dump_block import RibTexts
from bgp.app.dump_open import is_plain
from bgp.app.dump_scan import FAMILIES, LineScanner, prefix4_text, prefix6_text
from bgp.app.dump_text import address_text
from bgp.wire.prefixes import STEP4, STEP6, prefixes
from bgp.wire.sizes import HEADER_LENGTH, MAX_EXTENDED_MESSAGE

Taker: TypeAlias = Callable[[int, bytes, int, int], str | None]
#: The same of what follows the peer's fields: octets, from where, to where, and the fields before and after the kind of line.
Rest: TypeAlias = Callable[[bytes, int, int, str, str], str | None]

#: Peers of one kind of record whose texts are kept.
PEERS: Final = 1 << 12
#: Types and subtypes as one number.
PEER_INDEX_TABLE: Final = 13 << 16 | 1
_BGP: Final = 5 << 16
_TABLE_DUMP: Final = 12 << 16
_TABLE_DUMP_V2: Final = 13 << 16
_BGP4MP: Final = 16 << 16
_BGP4MP_ET: Final = 17 << 16
#: Subtypes of BGP4MP (RFC 6396 4.4, RFC 8050 3): (octets of an AS number, whether NLRI have path identifiers).
_MESSAGES: Final = {1: (2, False), 4: (4, False), 6: (2, False), 7: (4, False)} | {
    8: (2, True), 9: (4, True), 10: (2, True), 11: (4, True),
}  # fmt: skip
_STATE_CHANGES: Final = {0: 2, 5: 4}
#: Subtypes of TABLE_DUMP_V2 (RFC 6396 4.3, RFC 8050 4): (AFI, whether routes have path identifiers).
_RIBS: Final = {2: (1, False), 3: (1, False), 4: (2, False), 5: (2, False)} | {
    8: (1, True), 9: (1, True), 10: (2, True), 11: (2, True),
}  # fmt: skip
_STATES: Final = Struct(">HH")
#: View, sequence, address, length, status, time, peer with its AS number, octets of attributes (RFC 6396 4.2).
_TABLE_DUMP_ROUTE: Final = Struct(">4xIB5x6sH")
#: The bits of an IPv4 address beyond a prefix, by its length.
_BEYOND: Final = [0xFFFFFFFF >> length for length in range(33)]
_U32: Final = Struct(">I")
_RIB_ENTRY: Final = Struct(">HIH")
_RIB_ENTRY_ADD_PATH: Final = Struct(">HIIH")


class _Bgp4mp:
    """Records of BGP4MP (RFC 6396 4.4): two AS numbers of `size` octets, interface, AFI, two addresses, and the `rest`.

    `mark`: what the lines' first field ends with.
    """

    def __init__(self, size: int, rest: Rest, mark: str = "") -> None:
        self._size = size
        self._rest = rest
        self._names = f"BGP4MP{mark}", f"BGP4MP_ET{mark}"
        self._afi = 2 * size + 3
        self._lengths = {1: 2 * size + 12, 2: 2 * size + 36}
        self._peers: dict[bytes, str] = {}

    def take(self, time: int, held: bytes, start: int, end: int) -> str | None:
        """A record of BGP4MP."""
        return self._lines(f"{self._names[0]}|{time}", held, start, end)

    def take_exact(self, time: int, held: bytes, start: int, end: int) -> str | None:
        """A record of BGP4MP_ET, which begins with microseconds (RFC 6396 3)."""
        if end - start < _U32.size:
            return None
        head = f"{self._names[1]}|{time}.{_U32.unpack_from(held, start)[0]:06}"
        return self._lines(head, held, start + _U32.size, end)

    def _lines(self, head: str, held: bytes, start: int, end: int) -> str | None:
        if end - start <= self._afi:
            return None
        at = start + self._lengths.get(held[start + self._afi], 0)
        ends = held[start:at]
        peer = self._peers.get(ends) or self._peer(ends)
        return None if peer is None or at > end else self._rest(held, at, end, head, peer)

    def _peer(self, ends: bytes) -> str | None:
        """The text of the peer; None where these are not the fields of a record."""
        if not ends or ends[self._afi - 1] or self._lengths[ends[self._afi]] != len(ends):
            return None
        if len(self._peers) >= PEERS:
            self._peers.clear()
        address = ends[self._afi + 1 : (self._afi + 1 + len(ends)) // 2]
        found = self._peers[ends] = f"{address_text(address)}|{int.from_bytes(ends[: self._size], 'big')}"
        return found


def _state_change(held: bytes, at: int, end: int, head: str, peer: str) -> str | None:
    """The line of a change of state (RFC 6396 4.4.1)."""
    if end - at != _STATES.size:
        return None
    old, new = _STATES.unpack_from(held, at)
    return f"{head}|STATE|{peer}|{old}|{new}\n"


class _Legacy:
    """The deprecated type BGP (RFC 6396 B.2): 2 octets peer AS, 4 its address, of a message 6 of our end, its body."""

    def __init__(self) -> None:
        self._update = LineScanner(as4=False, joined=True).update

    def takers(self) -> dict[int, Taker]:
        """By subtype."""
        return {1: self.update, 3: self.state, 5: self.open, 6: self.notification, 7: self.keepalive}

    def update(self, time: int, held: bytes, start: int, end: int) -> str | None:
        if not 12 <= end - start <= 12 + MAX_EXTENDED_MESSAGE - HEADER_LENGTH:
            return None
        return self._update(held, start + 12, end, f"BGP|{time}", _legacy_peer(held, start))

    def state(self, time: int, held: bytes, start: int, end: int) -> str | None:
        if end - start != 6 + _STATES.size:
            return None
        old, new = _STATES.unpack_from(held, start + 6)
        return f"BGP|{time}|STATE|{_legacy_peer(held, start)}|{old}|{new}\n"

    def open(self, time: int, held: bytes, start: int, end: int) -> str | None:
        return "" if is_plain(held[start + 12 : end]) else None

    def notification(self, time: int, held: bytes, start: int, end: int) -> str | None:
        return "" if 14 <= end - start <= 12 + MAX_EXTENDED_MESSAGE - HEADER_LENGTH else None

    def keepalive(self, time: int, held: bytes, start: int, end: int) -> str | None:
        return "" if end - start == 12 else None


def _legacy_peer(held: bytes, start: int) -> str:
    return f"{inet_ntoa(held[start + 2 : start + 6])}|{held[start] << 8 | held[start + 1]}"


class _TableDump:
    """Routes of TABLE_DUMP (RFC 6396 4.2), those of IPv4."""

    def __init__(self) -> None:
        self._texts = RibTexts(as4=False)
        self._known = self._texts.kept
        self._peers: dict[bytes, str] = {}

    def take(self, time: int, held: bytes, start: int, end: int) -> str | None:
        if end - start < _TABLE_DUMP_ROUTE.size:
            return None
        address, length, peer, size = _TABLE_DUMP_ROUTE.unpack_from(held, start)
        block = start + _TABLE_DUMP_ROUTE.size
        if length > 32 or address & _BEYOND[length] or block + size != end:
            return None
        raw = held[block:end]
        text = self._known.get(raw) or self._texts.read(raw)
        if text is None:
            return None
        peer_text = self._peers.get(peer) or self._peer(peer)
        return f"TABLE_DUMP|{time}|B|{peer_text}|{inet_ntoa(held[start + 4 : start + 8])}/{length}|{text}\n"

    def _peer(self, octets: bytes) -> str:
        if len(self._peers) >= PEERS:
            self._peers.clear()
        found = self._peers[octets] = f"{inet_ntoa(octets[:4])}|{octets[4] << 8 | octets[5]}"
        return found


class Ribs:
    """TABLE_DUMP_V2 (RFC 6396 4.3, RFC 8050 4.1): the peers of the last index table, and the routes after it.

    `table`: the body of the last one that could be read here. After one that could not, routes are to be decoded.
    """

    def __init__(self) -> None:
        self.table: bytes | None = None
        self._peers: list[str] = []
        self._texts = RibTexts(as4=True)
        self._known = self._texts.kept

    def take_peers(self, time: int, held: bytes, start: int, end: int) -> str | None:
        """A peer index table."""
        body = held[start:end]
        peers = _peers(body)
        self._peers = peers or []
        if peers is None:
            return None
        self.table = body
        return ""

    def taker(self, afi: int, add_path: bool) -> Taker:
        """What makes lines of routes to prefixes of one address family."""
        step, name = (STEP4, prefix4_text) if afi == 1 else (STEP6, prefix6_text)
        entry = _RIB_ENTRY_ADD_PATH if add_path else _RIB_ENTRY

        def take(time: int, held: bytes, start: int, end: int) -> str | None:
            if end - start < 7:
                return None
            at = start + 4 + step[held[start + 4]]
            if at + 2 > end or (found := prefixes(held, start + 4, at, step)) is None:
                return None
            head = f"TABLE_DUMP2_AP|{time}|B|" if add_path else f"TABLE_DUMP2|{time}|B|"
            nlri = b"" if afi == 1 else held[start + 4 : at]
            lines = self._lines((head, name(found[0]), nlri), entry, held, at, end)
            return None if lines is None else "".join(lines)

        return take

    def _lines(self, names: tuple[str, str, bytes], entry: Struct, held: bytes, at: int, end: int) -> list[str] | None:
        """`names`: what lines begin with, the prefix, and its octets if MP_REACH_NLRI may end with them."""
        head, prefix, nlri = names
        count = held[at] << 8 | held[at + 1]
        at += 2
        before, unpack = entry.size, entry.unpack_from
        peers, cut = self._peers, len(nlri)
        read, read_whole = self._texts.read, self._texts.read_whole
        known, known_whole = self._known.get, self._texts.whole[cut].get
        lines = []
        place = prefix
        for _ in range(count):
            start = at + before
            if start > end:
                return None
            if before == 8:
                peer, _, length = unpack(held, at)
            else:
                peer, _, path_id, length = unpack(held, at)
                place = f"{prefix}|{path_id}"
            at = start + length
            raw = held[start:at]
            if cut and raw.endswith(nlri):
                text = known_whole(raw[:-cut]) or read_whole(raw, cut)
            else:
                text = known(raw) or read(raw)
            if text is None or peer >= len(peers):
                return None
            lines.append(f"{head}{peers[peer]}|{place}|{text}\n")
        return lines if at == end else None


def _peers(body: bytes) -> list[str] | None:
    """The texts of the peers of an index table (RFC 6396 4.3.1); None where it does not end with the last."""
    at = 6 + (body[4] << 8 | body[5]) if len(body) >= 8 else len(body)
    if at + 2 > len(body):
        return None
    found = []
    count = body[at] << 8 | body[at + 1]
    at += 2
    for _ in range(count):
        kind = body[at] if at < len(body) else 0
        address_to = at + 5 + (16 if kind & 1 else 4)
        after = address_to + (4 if kind & 2 else 2)
        if after > len(body):
            return None
        found.append(f"{address_text(body[at + 5 : address_to])}|{int.from_bytes(body[address_to:after], 'big')}")
        at = after
    return found if at == len(body) else None


def takers(ribs: Ribs) -> dict[int, Taker]:
    """What takes a record, by type and subtype as one number; `ribs` remembers the peers of table dumps."""
    found: dict[int, Taker] = {_TABLE_DUMP | 1: _TableDump().take, PEER_INDEX_TABLE: ribs.take_peers}
    bgp4mp = {subtype: _Bgp4mp(size, _state_change) for subtype, size in _STATE_CHANGES.items()}
    for subtype, (size, add_path) in _MESSAGES.items():
        scanner = LineScanner(as4=size == 4, add_path=FAMILIES if add_path else ())
        bgp4mp[subtype] = _Bgp4mp(size, scanner.message, "_AP" if add_path else "")
    for subtype, records in bgp4mp.items():
        found[_BGP4MP | subtype], found[_BGP4MP_ET | subtype] = records.take, records.take_exact
    for subtype, taker in _Legacy().takers().items():
        found[_BGP | subtype] = taker
    for subtype, (afi, add_path) in _RIBS.items():
        found[_TABLE_DUMP_V2 | subtype] = ribs.taker(afi, add_path)
    return found
