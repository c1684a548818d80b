"""The lines of `bgpdump -m` straight from octets, for messages that nothing is wrong with.

The text of an attribute block is kept, as one block serves many prefixes, and so is that of an NLRI field: many peers announce
the same. What anything is wrong with, and all that is unusual, gives None: then decode, and take `bgp.app.dump`. A
property test holds the two equal.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from functools import lru_cache
from struct import Struct
from typing import Final

from bgp.app.dump_block import KEPT, BlockText, BlockTexts, PlainText
from bgp.app.dump_open import is_plain
from bgp.app.dump_text import address_text, prefix_text
from bgp.wire.prefixes import STEP4, STEP6, prefixes, prefixes_with_ids
from bgp.wire.sizes import HEADER_LENGTH, LEAST_UPDATE, MARKER

#: Families whose routes have lines, as (AFI, SAFI): unicast and multicast.
FAMILIES: Final = frozenset({(1, 1), (1, 2), (2, 1), (2, 2)})
#: Prefixes of each address family whose texts are kept.
PREFIXES_KEPT: Final = 1 << 16
_OPEN, _UPDATE, _NOTIFICATION = 1, 2, 3
#: Marker, length, type; of an UPDATE then the lengths of the withdrawn routes and, if there are none, of the attributes.
_HEAD: Final = Struct(">16sHBHH")
_KEEPALIVE: Final = MARKER + b"\0\x13\4"
_STEPS: Final = {1: STEP4, 2: STEP6}
_NEXT_HOPS: Final = {1: (4, 16, 32), 2: (16, 32)}
_IPV4: Final = (1, 1)

prefix4_text: Final = lru_cache(maxsize=PREFIXES_KEPT)(lambda nlri: prefix_text(1, nlri))
prefix6_text: Final = lru_cache(maxsize=PREFIXES_KEPT)(lambda nlri: prefix_text(2, nlri))


class LineScanner:
    """Makes the lines of messages that are read alike; `add_path`: the families whose NLRI have path identifiers.

    `joined`: as in lines of the deprecated type BGP, see `BlockTexts`.
    """

    def __init__(self, *, as4: bool, add_path: Container[tuple[int, int]] = (), joined: bool = False) -> None:
        self._add_path = add_path
        self._blocks = BlockTexts(as4=as4, joined=joined)
        self._known = self._blocks.kept
        self._fields: dict[bytes, Sequence[str]] = {}

    def message(self, held: bytes, at: int, end: int, head: str, peer: str) -> str | None:
        """The lines of the message that is held[at:end], none but for an UPDATE; None for one to be decoded.

        `head` and `peer` are the fields before and after the kind of line.
        """
        size = end - at
        if size < LEAST_UPDATE:
            return _short(held[at:end])
        marker, length, kind, gone, block = _HEAD.unpack_from(held, at)
        if length != size or marker != MARKER:
            return None
        if gone or kind != _UPDATE:
            if kind == _UPDATE:
                return self.update(held, at + HEADER_LENGTH, end, head, peer)
            return "" if kind == _NOTIFICATION or (kind == _OPEN and is_plain(held[at + HEADER_LENGTH : end])) else None
        start = at + LEAST_UPDATE
        nlri_at = start + block
        if nlri_at >= end:
            return self.update(held, at + HEADER_LENGTH, end, head, peer)
        raw = held[start:nlri_at]
        text = self._known.get(raw) or self._blocks.read(raw)
        nlri = held[nlri_at:end]
        places = self._fields.get(nlri) or self._field(nlri)
        if text.__class__ is not str or places is None:
            return self.update(held, at + HEADER_LENGTH, end, head, peer)
        if len(places) == 1:
            return f"{head}|A|{peer}|{places[0]}|{text}\n"
        before, after = f"{head}|A|{peer}|", f"|{text}\n"
        return before + (after + before).join(places) + after

    def update(self, held: bytes, at: int, end: int, head: str, peer: str) -> str | None:
        """The lines of the UPDATE whose body is held[at:end]; None for one to be decoded."""
        if at + 4 > end:
            return None
        gone_to = at + 2 + (held[at] << 8 | held[at + 1])
        if gone_to + 2 > end:
            return None
        block_to = gone_to + 2 + (held[gone_to] << 8 | held[gone_to + 1])
        if block_to > end:
            return None
        found = self._blocks.read(held[gone_to + 2 : block_to])
        gone = self._field(held[at + 2 : gone_to])
        new = self._field(held[block_to:end])
        if found is None or gone is None or new is None:
            return None
        lines = [f"{head}|W|{peer}|{one}\n" for one in gone]
        text = found if isinstance(found, str) else _own_text(found.plain)
        if new:
            if text is None:
                return None
            lines += [f"{head}|A|{peer}|{one}|{text}\n" for one in new]
        if isinstance(found, BlockText) and not self._mp_lines(found, lines, head, peer):
            return None
        return "".join(lines)

    def _mp_lines(self, found: BlockText, lines: list[str], head: str, peer: str) -> bool:
        """Add the lines of MP attributes; False where they are to be decoded."""
        if found.unreach is not None:
            lost = self._places(found.unreach, 3)
            if lost is None:
                return False
            lines += [f"{head}|W|{peer}|{one}\n" for one in lost]
        if found.reach is not None:
            value, size = found.reach, found.reach[3]
            if not found.plain.complete or size not in _NEXT_HOPS.get(value[0] << 8 | value[1], ()):
                return False
            elements = self._places(value, 5 + size)
            if elements is None:
                return False
            text = found.plain.with_next_hop(address_text(value[4 : 4 + min(size, 16)]))
            lines += [f"{head}|A|{peer}|{one}|{text}\n" for one in elements]
        return True

    def _places(self, value: bytes, at: int) -> Sequence[str] | None:
        """The prefixes from `at` on in the value of an MP attribute, which begins with their family."""
        family = (value[0] << 8 | value[1], value[2])
        if family not in FAMILIES or at > len(value):
            return None
        if family == _IPV4:
            return self._field(value[at:])
        afi = family[0]
        if family in self._add_path:
            return _with_ids(afi, value, at)
        found = prefixes(value, at, len(value), _STEPS[afi])
        return None if found is None else list(map(prefix4_text if afi == 1 else prefix6_text, found))

    def _field(self, octets: bytes) -> Sequence[str] | None:
        """The prefixes of an NLRI field of IPv4 unicast, found again by its octets."""
        fields = self._fields
        kept = fields.get(octets)
        if kept is not None:
            return kept
        if _IPV4 in self._add_path:
            found = _with_ids(1, octets, 0)
        else:
            elements = prefixes(octets, 0, len(octets), STEP4)
            found = None if elements is None else list(map(prefix4_text, elements))
        if found is not None:
            if len(fields) >= KEPT:
                fields.clear()
            fields[octets] = found
        return found


def _short(octets: bytes) -> str | None:
    """What `message` gives of one that is too short to be an UPDATE: KEEPALIVE, or NOTIFICATION with hardly any data."""
    size = len(octets)
    is_right = octets == _KEEPALIVE or (size >= 21 and octets[:19] == MARKER + bytes((0, size, _NOTIFICATION)))
    return "" if is_right else None


def _with_ids(afi: int, octets: bytes, at: int) -> list[str] | None:
    both = prefixes_with_ids(octets, at, len(octets), _STEPS[afi])
    return None if both is None else [f"{prefix_text(afi, one)}|{path_id}" for one, path_id in zip(*both, strict=True)]


def _own_text(plain: PlainText) -> str | None:
    """The fields for prefixes in the NLRI field, which have the next hop of NEXT_HOP."""
    return None if plain.next_hop is None or not plain.complete else plain.with_next_hop(plain.next_hop)
