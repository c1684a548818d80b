"""The lines of `bgpdump -m` straight from octets, for messages and table dumps that nothing is wrong with.

The text of an attribute block is kept, as one block serves many prefixes, and so is that of a prefix. Every attribute is
judged: what is plainly right here, all else by `check`. What that has anything to say about, and all that is unusual, gives
None: then decode, and take `bgp.app.dump`.
"""

from __future__ import annotations

from functools import lru_cache
from struct import unpack
from typing import Final, NamedTuple

from bgp.app.dump import AS_TRANS, NAMES, NOBODY, ORIGINS, ipv6_text, path_text, prefix_text
from bgp.iana import AttributeCode as Code
from bgp.wire.attributes import check
from bgp.wire.context import Context
from bgp.wire.formats.mrt_rib import next_hop_of
from bgp.wire.prefixes import STEP4, STEP6, prefixes, prefixes_with_ids
from bgp.wire.sizes import HEADER_LENGTH, MARKER
from bgp.wire.spelling import path_from_octets
from rib.family import IPV4_MULTICAST, IPV4_UNICAST, IPV6_MULTICAST, IPV6_UNICAST, Family

#: Block texts that are kept.
KEPT: Final = 1 << 14
UPDATE: Final = 2
_STEPS: Final = {(1, 1): STEP4, (1, 2): STEP4, (2, 1): STEP6, (2, 2): STEP6}
_FAMILIES: Final = {tuple(one): one for one in (IPV4_UNICAST, IPV4_MULTICAST, IPV6_UNICAST, IPV6_MULTICAST)}
_NEXT_HOPS: Final = {1: (4, 16, 32), 2: (16, 32)}
_AS_PATH: Final = 2
_MP_REACH: Final = 14
_MP_UNREACH: Final = 15


class PlainText(NamedTuple):
    """The fields of a block without MP attributes: around the next hop, NEXT_HOP, and whether ORIGIN and AS_PATH are there."""

    before: str
    next_hop: str | None
    after: str
    complete: bool

    def with_next_hop(self, next_hop: str) -> str:
        """The fields from AS_PATH on."""
        return f"{self.before}|{next_hop}|{self.after}"


class BlockText(NamedTuple):
    """The same of any block; the values of its MP attributes; `text`: for prefixes in the NLRI field."""

    plain: PlainText
    reach: bytes | None
    unreach: bytes | None
    text: str | None


prefix4_text: Final = lru_cache(maxsize=1 << 16)(lambda nlri: prefix_text(1, nlri))


class LineScanner:
    """Makes the lines of messages and table dumps that are read in one context."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._size = 4 if context.as4 else 2
        self._add_path = IPV4_UNICAST in context.add_path
        self._blocks: dict[bytes, BlockText | None] = {}
        self._plain: dict[bytes, PlainText | None] = {}
        self._ribs: dict[bytes, str | None] = {}

    def rib_text(self, block: bytes) -> str | None:
        """The fields from AS_PATH on of a table dump's route; None for a block to be decoded."""
        ribs = self._ribs
        if block in ribs:
            return ribs[block]
        if len(ribs) >= KEPT:
            ribs.clear()
        found = ribs[block] = self._rib_text(block)
        return found

    def _rib_text(self, block: bytes) -> str | None:
        found = self._read(block)
        if found is None or found.unreach is not None or not found.plain.complete:
            return None
        if found.reach is None:
            return found.text
        octets = next_hop_of(found.reach)
        return found.plain.with_next_hop(_next_hop(octets)) if len(octets) in (4, 16, 32) else None

    def update_lines(self, octets: bytes, head: str, peer: str) -> list[str] | None:
        """The lines of a message, none but for an UPDATE; None for one to be decoded."""
        size = len(octets)
        if size < HEADER_LENGTH + 4 or octets[18] != UPDATE or octets[:16] != MARKER:
            return None
        if octets[16] << 8 | octets[17] != size:
            return None
        gone_to = 21 + (octets[19] << 8 | octets[20])
        if gone_to + 2 > size:
            return None
        block_to = gone_to + 2 + (octets[gone_to] << 8 | octets[gone_to + 1])
        if block_to > size:
            return None
        found = self._block(octets[gone_to + 2 : block_to])
        if found is None:
            return None
        lines: list[str] = []
        if gone_to > 21:
            gone = self._texts(IPV4_UNICAST, octets, 21, gone_to)
            if gone is None:
                return None
            lines = [f"{head}|W|{peer}|{one}" for one in gone]
        if block_to < size:
            new = self._texts(IPV4_UNICAST, octets, block_to, size)
            if new is None or found.text is None:
                return None
            text = found.text
            lines += [f"{head}|A|{peer}|{one}|{text}" for one in new]
        if found.reach is None and found.unreach is None:
            return lines
        return self._mp_lines(found, lines, head, peer)

    def _mp_lines(self, found: BlockText, lines: list[str], head: str, peer: str) -> list[str] | None:
        if found.unreach is not None:
            lost = self._unreach(found.unreach)
            if lost is None:
                return None
            lines += [f"{head}|W|{peer}|{one}" for one in lost]
        if found.reach is not None:
            reached = self._reach(found.plain, found.reach)
            if reached is None:
                return None
            elements, text = reached
            lines += [f"{head}|A|{peer}|{one}|{text}" for one in elements]
        return lines

    def _texts(self, family: Family, octets: bytes, at: int, end: int) -> list[str] | None:
        """The prefixes of an NLRI field."""
        afi, step = family.afi, _STEPS[family]
        if family in self.context.add_path:
            both = prefixes_with_ids(octets, at, end, step)
            if both is None:
                return None
            return [f"{prefix_text(afi, one)}|{path_id}" for one, path_id in zip(*both, strict=True)]
        found = prefixes(octets, at, end, step)
        if found is None:
            return None
        return [prefix4_text(one) for one in found] if afi == 1 else [prefix_text(2, one) for one in found]

    def _unreach(self, value: bytes) -> list[str] | None:
        family = _FAMILIES.get((value[0] << 8 | value[1], value[2]))
        return None if family is None else self._texts(family, value, 3, len(value))

    def _reach(self, plain: PlainText, value: bytes) -> tuple[list[str], str] | None:
        """The prefixes of MP_REACH_NLRI and the fields from AS_PATH on."""
        family = _FAMILIES.get((value[0] << 8 | value[1], value[2]))
        size = value[3]
        if family is None or size not in _NEXT_HOPS[family.afi] or not plain.complete or len(value) < 5 + size:
            return None
        elements = self._texts(family, value, 5 + size, len(value))
        return None if elements is None else (elements, plain.with_next_hop(_next_hop(value[4 : 4 + size])))

    def _block(self, raw: bytes) -> BlockText | None:
        """The fields of an attribute block, found again by its octets."""
        blocks = self._blocks
        if raw in blocks:
            return blocks[raw]
        if len(blocks) >= KEPT:
            blocks.clear()
        found = blocks[raw] = self._read(raw)
        return found

    def _read(self, raw: bytes) -> BlockText | None:
        """The fields of a block; None for one that anything is wrong with, or that has an attribute twice."""
        mp: dict[int, bytes] = {}
        rest: list[bytes] = []
        at, size = 0, len(raw)
        seen = 0
        while at < size:
            here = at
            if size - at < 3 or (raw[at] & 0x10 and size - at < 4):
                return None
            flags, code = raw[at], raw[at + 1]
            if flags & 0x10:
                start = at + 4
                at = start + (raw[at + 2] << 8 | raw[at + 3])
            else:
                start = at + 3
                at = start + raw[at + 2]
            bit = 1 << code
            if at > size or seen & bit:
                return None
            seen |= bit
            if code != _MP_REACH and code != _MP_UNREACH:
                rest.append(raw[here:at])
            elif flags & 0xC0 != 0x80 or at - start < (5 if code == _MP_REACH else 3):
                return None
            else:
                mp[code] = raw[start:at]
        plain = self._plain_text(b"".join(rest) if mp else raw)
        if plain is None:
            return None
        text = None if plain.next_hop is None or not plain.complete else plain.with_next_hop(plain.next_hop)
        return BlockText(plain, mp.get(_MP_REACH), mp.get(_MP_UNREACH), text)

    def _plain_text(self, raw: bytes) -> PlainText | None:
        kept = self._plain
        if raw in kept:
            return kept[raw]
        if len(kept) >= KEPT:
            kept.clear()
        found = kept[raw] = self._plain_read(raw)
        return found

    def _plain_read(self, raw: bytes) -> PlainText | None:
        """The fields of a block without MP attributes, each attribute once and whole."""
        values: dict[int, bytes] = {}
        path: str | None = None
        at, size = 0, len(raw)
        while at < size:
            flags, code = raw[at], raw[at + 1]
            if flags & 0x10:
                start = at + 4
                at = start + (raw[at + 2] << 8 | raw[at + 3])
            else:
                start = at + 3
                at = start + raw[at + 2]
            value = values[code] = raw[start:at]
            if code == _AS_PATH and flags & 0xC0 == 0x40 and (path := _sequence(value, self._size)) is not None:
                continue
            if (flags & 0xC0, code, at - start) not in _PLAINLY_RIGHT and check(code, flags, value, self.context):
                return None
        origin, next_hop = values.get(Code.ORIGIN), values.get(Code.NEXT_HOP)
        if origin is not None and origin[0] > 2:
            return None
        if path is None or Code.AS4_PATH in values:
            path = _path(values, self._size)
        return PlainText(
            f"{path}|{ORIGINS[origin[0] if origin else 2]}",
            _next_hop(next_hop) if next_hop else None,
            _after(values),
            Code.ORIGIN in values and Code.AS_PATH in values,
        )


#: Kind, code and length of attributes of which any value is right; ORIGIN's is looked at by itself.
_PLAINLY_RIGHT: Final = frozenset(
    [(0x40, Code.ORIGIN, 1), (0x40, Code.NEXT_HOP, 4), (0x80, Code.MULTI_EXIT_DISC, 4), (0x40, Code.LOCAL_PREF, 4)]
    + [(0x40, Code.ATOMIC_AGGREGATE, 0)]
    + [(0xC0, Code.COMMUNITIES, 4 * count) for count in range(1, 64)]
)


def _next_hop(octets: bytes) -> str:
    return "{}.{}.{}.{}".format(*octets) if len(octets) == 4 else ipv6_text(octets[:16])


def _sequence(value: bytes, size: int) -> str | None:
    """The text of an AS_PATH that is one AS_SEQUENCE with nothing wrong with it."""
    if len(value) < 2 or value[0] != 2 or not value[1] or len(value) != 2 + size * value[1]:
        return None
    asns = unpack(f">{value[1]}{'I' if size == 4 else 'H'}", value[2:])
    return None if 0 in asns else " ".join(map(str, asns))


def _path(values: dict[int, bytes], size: int) -> str:
    """The AS_PATH with what AS4_PATH knows better (RFC 6793 4.2.3)."""
    path, longer = path_from_octets(values.get(Code.AS_PATH, b""), size), values.get(Code.AS4_PATH)
    return path_text(path if longer is None or size == 4 else path.merge_as4(path_from_octets(longer)))


def _after(values: dict[int, bytes]) -> str:
    """LOCAL_PREF|MED|communities|AG or NAG|aggregator|"""
    local_pref = int.from_bytes(values.get(Code.LOCAL_PREF, b""), "big")
    med = int.from_bytes(values.get(Code.MULTI_EXIT_DISC, b""), "big")
    value = values.get(Code.COMMUNITIES)
    communities = "" if value is None else " ".join(map(_community, unpack(f">{len(value) // 4}I", value)))
    atomic = "AG" if Code.ATOMIC_AGGREGATE in values else "NAG"
    return f"{local_pref}|{med}|{communities}|{atomic}|{_aggregator(values)}|"


@lru_cache(maxsize=KEPT)
def _community(one: int) -> str:
    return NAMES.get(one) or f"{one >> 16}:{one & 0xFFFF}"


def _aggregator(values: dict[int, bytes]) -> str:
    value = values.get(Code.AGGREGATOR)
    if value is None:
        return ""
    if int.from_bytes(value[:-4], "big") == AS_TRANS:
        value = values.get(Code.AS4_AGGREGATOR, value)
    if value[-4:] == NOBODY.packed:
        return ""
    return f"{int.from_bytes(value[:-4], 'big')} {_next_hop(value[-4:])}"
