"""The lines of `bgpdump -m` straight from octets, for messages and table dumps that nothing is wrong with.

The text of an attribute block is kept, as one block serves many prefixes. Every attribute is still judged by `check`; what
it has anything to say about, and all that is unusual, gives None: then decode, and take `bgp.app.dump`.
"""

from __future__ import annotations

from functools import lru_cache
from struct import unpack
from typing import Final, NamedTuple

from bgp.app.dump import AS_TRANS, NAMES, NO_NEXT_HOP, ORIGINS, ipv6_text, prefix_text
from bgp.iana import AttributeCode as Code
from bgp.wire.attributes import check
from bgp.wire.context import Context
from bgp.wire.formats.mrt_rib import next_hop_of
from bgp.wire.header import HEADER_LENGTH, MARKER
from bgp.wire.prefixes import STEP4, STEP6, prefixes, prefixes_with_ids
from bgp.wire.spelling import path_from_octets
from rib.family import IPV4_MULTICAST, IPV4_UNICAST, IPV6_MULTICAST, IPV6_UNICAST, Family

#: Block texts that are kept.
KEPT: Final = 1 << 14
UPDATE: Final = 2
_STEPS: Final = {(1, 1): STEP4, (1, 2): STEP4, (2, 1): STEP6, (2, 2): STEP6}
_FAMILIES: Final = {tuple(one): one for one in (IPV4_UNICAST, IPV4_MULTICAST, IPV6_UNICAST, IPV6_MULTICAST)}
_NEXT_HOPS: Final = {1: (4, 16, 32), 2: (16, 32)}
_ALWAYS: Final = (Code.ORIGIN, Code.AS_PATH)


class BlockText(NamedTuple):
    """The fields of an attribute block around the next hop, and NEXT_HOP; the MP attributes as they are."""

    before: str
    next_hop: str | None
    after: str
    complete: bool  #: ORIGIN and AS_PATH are there
    reach: bytes | None
    unreach: bytes | None


@lru_cache(maxsize=KEPT)
def rib_text(block: bytes, context: Context) -> str | None:
    """The fields from AS_PATH on of a table dump's route; None for a block to be decoded."""
    found = block_text(block, context)
    if found is None or found.unreach is not None:
        return None
    next_hop = found.next_hop or NO_NEXT_HOP
    if found.reach is not None:
        octets = next_hop_of(found.reach)
        if len(octets) not in (4, 16, 32):
            return None
        next_hop = _next_hop(octets)
    return f"{found.before}|{next_hop}|{found.after}"


def update_lines(octets: bytes, context: Context, head: str, peer: str) -> list[str] | None:
    """The lines of a message, none but for an UPDATE; None for one to be decoded."""
    size = len(octets)
    if size < HEADER_LENGTH + 4 or octets[:16] != MARKER or octets[18] != UPDATE:
        return None
    if octets[16] << 8 | octets[17] != size:
        return None
    gone_to = HEADER_LENGTH + 2 + (octets[19] << 8 | octets[20])
    if gone_to + 2 > size:
        return None
    block_to = gone_to + 2 + (octets[gone_to] << 8 | octets[gone_to + 1])
    if block_to > size:
        return None
    gone = _texts(IPV4_UNICAST, octets, HEADER_LENGTH + 2, gone_to, context)
    new = _texts(IPV4_UNICAST, octets, block_to, size, context)
    if gone is None or new is None:
        return None
    found = block_text(octets[gone_to + 2 : block_to], context)
    if found is None or (new and not (found.complete and found.next_hop is not None)):
        return None
    lines = [f"{head}|W|{peer}|{one}" for one in gone]
    if found.unreach is not None:
        lost = _unreach(found.unreach, context)
        if lost is None:
            return None
        lines += [f"{head}|W|{peer}|{one}" for one in lost]
    if new:
        text = f"{found.before}|{found.next_hop}|{found.after}"
        lines += [f"{head}|A|{peer}|{one}|{text}" for one in new]
    if found.reach is not None:
        reached = _reach(found, found.reach, context)
        if reached is None:
            return None
        elements, text = reached
        lines += [f"{head}|A|{peer}|{one}|{text}" for one in elements]
    return lines


def _texts(family: Family, octets: bytes, at: int, end: int, context: Context) -> list[str] | None:
    """The prefixes of an NLRI field."""
    if at == end:
        return []
    afi, step = family.afi, _STEPS[family]
    if family in context.add_path:
        both = prefixes_with_ids(octets, at, end, step)
        return (
            None if both is None else [f"{prefix_text(afi, one)}|{path_id}" for one, path_id in zip(*both, strict=True)]
        )
    found = prefixes(octets, at, end, step)
    return None if found is None else [prefix_text(afi, one) for one in found]


def _unreach(value: bytes, context: Context) -> list[str] | None:
    family = _FAMILIES.get((value[0] << 8 | value[1], value[2]))
    return None if family is None else _texts(family, value, 3, len(value), context)


def _reach(found: BlockText, value: bytes, context: Context) -> tuple[list[str], str] | None:
    """The prefixes of MP_REACH_NLRI and the fields from AS_PATH on."""
    family = _FAMILIES.get((value[0] << 8 | value[1], value[2]))
    size = value[3]
    if family is None or size not in _NEXT_HOPS[family.afi] or not found.complete or len(value) < 5 + size:
        return None
    elements = _texts(family, value, 5 + size, len(value), context)
    if elements is None:
        return None
    return elements, f"{found.before}|{_next_hop(value[4 : 4 + size])}|{found.after}"


def _next_hop(octets: bytes) -> str:
    return "{}.{}.{}.{}".format(*octets) if len(octets) == 4 else ipv6_text(octets[:16])


def block_text(raw: bytes, context: Context) -> BlockText | None:
    """The fields of an attribute block; None for one that anything is wrong with, or that has an attribute twice."""
    values: dict[int, bytes] = {}
    rest: list[bytes] = []
    at, size = 0, len(raw)
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
        if at > size or code in values:
            return None
        values[code] = raw[start:at]
        if code != Code.MP_REACH_NLRI and code != Code.MP_UNREACH_NLRI:
            rest.append(raw[here:at])
        elif flags & 0xC0 != 0x80 or at - start < (5 if code == Code.MP_REACH_NLRI else 3):
            return None
    plain = raw if len(rest) == len(values) else b"".join(rest)
    text = _plain_text(plain, context)
    if text is None:
        return None
    return BlockText(*text, values.get(Code.MP_REACH_NLRI), values.get(Code.MP_UNREACH_NLRI))


@lru_cache(maxsize=KEPT)
def _plain_text(raw: bytes, context: Context) -> tuple[str, str | None, str, bool] | None:
    """(before, next hop, after, complete) of a block without MP attributes, each attribute once and whole."""
    values: dict[int, bytes] = {}
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
        if check(code, flags, value, context) is not None:
            return None
    origin, next_hop = values.get(Code.ORIGIN), values.get(Code.NEXT_HOP)
    before = f"{_path(values, context)}|{ORIGINS[origin[0] if origin else 2]}"
    return before, _next_hop(next_hop) if next_hop else None, _after(values), all(c in values for c in _ALWAYS)


def _path(values: dict[int, bytes], context: Context) -> str:
    value = values.get(Code.AS_PATH, b"")
    size = 4 if context.as4 else 2
    longer = values.get(Code.AS4_PATH)
    if longer is None and len(value) > 1 and value[0] == 2 and len(value) == 2 + size * value[1]:
        return " ".join(map(str, unpack(f">{value[1]}{'I' if size == 4 else 'H'}", value[2:])))
    path = path_from_octets(value, size)
    return str(path if longer is None else path.merge_as4(path_from_octets(longer)))


def _after(values: dict[int, bytes]) -> str:
    """LOCAL_PREF|MED|communities|AG or NAG|aggregator|"""
    local_pref = int.from_bytes(values.get(Code.LOCAL_PREF, b""), "big")
    med = int.from_bytes(values.get(Code.MULTI_EXIT_DISC, b""), "big")
    value = values.get(Code.COMMUNITIES, b"")
    communities = " ".join(
        NAMES.get(one) or f"{one >> 16}:{one & 0xFFFF}" for one in unpack(f">{len(value) // 4}I", value)
    )
    atomic = "AG" if Code.ATOMIC_AGGREGATE in values else "NAG"
    return f"{local_pref}|{med}|{communities}|{atomic}|{_aggregator(values)}|"


def _aggregator(values: dict[int, bytes]) -> str:
    value = values.get(Code.AGGREGATOR)
    if value is None:
        return ""
    if int.from_bytes(value[:-4], "big") == AS_TRANS:
        value = values.get(Code.AS4_AGGREGATOR, value)
    return f"{int.from_bytes(value[:-4], 'big')} {_next_hop(value[-4:])}"
