"""The fields of a `bgpdump -m` line that a path attribute block makes, from AS_PATH on, straight from its octets.

AS_PATH|ORIGIN|next hop|LOCAL_PREF|MED|communities|AG or NAG|aggregator|

Most blocks are ORIGIN, AS_PATH and then a tail; few tails and not so many paths come again and again, so that their texts are
kept beside those of whole blocks. Every attribute is judged: what is plainly right here, all else by `check`. A block
that anything is wrong with, or that is unusual, has no text here: then decode, and take `bgp.app.dump`.
"""

from __future__ import annotations

from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from bgp.app.dump_text import AS_TRANS, NAMES, NOBODY, ORIGINS, address_text, ipv4_text, segment_text
from bgp.app.later import later
from bgp.wire.formats.mrt_reach import next_hop_of

if TYPE_CHECKING:
    from bgp.app import dump_judge
else:
    dump_judge = later("bgp.app.dump_judge")

#: Texts that are kept of each kind.
KEPT: Final = 1 << 14
_ORIGIN, _AS_PATH, _NEXT_HOP, _MED, _LOCAL_PREF, _ATOMIC, _AGGREGATOR, _COMMUNITIES = range(1, 9)
_MP_REACH: Final = 14
_MP_UNREACH: Final = 15
_AS4_PATH: Final = 17
_AS4_AGGREGATOR: Final = 18
#: ORIGIN as nearly everybody writes it, and AS_PATH with a length of one octet and of two.
_ORIGIN_HEAD: Final = b"\x40\x01\x01"
_PATH_HEAD: Final = b"\x40\x02"
_LONG_PATH_HEAD: Final = b"\x50\x02"
#: Flags, code and length of attributes of which any value is right; ORIGIN's is looked at by itself.
_PLAINLY_RIGHT: Final = frozenset(
    [
        (0x40, _ORIGIN, 1),
        (0x40, _NEXT_HOP, 4),
        (0x80, _MED, 4),
        (0x40, _LOCAL_PREF, 4),
        (0x40, _ATOMIC, 0),
        (0x80, 9, 4),
    ]
    + [(0xC0, _COMMUNITIES, 4 * count) for count in range(1, 64)]
    + [(0x80, 10, 4 * count) for count in range(1, 64)]  # CLUSTER_LIST
    + [(0xC0, 16, 8 * count) for count in range(1, 32)]  # extended communities
    + [(0xC0, 32, 12 * count) for count in range(1, 22)]  # large communities
)
#: How many AS numbers or communities are read and written at once, by their count.
_AT_ONCE: Final = 64
_READ: Final = {size: [Struct(f">{n}{'HI'[size == 4]}").unpack for n in range(2 * _AT_ONCE)] for size in (2, 4)}
_PATHS: Final = [" ".join(["%d"] * n) for n in range(_AT_ONCE)]
_COMMUNITY_LISTS: Final = [" ".join(["%d:%d"] * n) for n in range(_AT_ONCE)]


class PlainText(NamedTuple):
    """The fields around the next hop, NEXT_HOP, and whether ORIGIN and AS_PATH are there."""

    before: str
    next_hop: str | None
    after: str
    complete: bool

    def with_next_hop(self, next_hop: str) -> str:
        """The fields from AS_PATH on."""
        return f"{self.before}|{next_hop}|{self.after}"


class BlockText(NamedTuple):
    """A block that is no text by itself: the values of its MP attributes, or something that prefixes need is missing."""

    plain: PlainText
    reach: bytes | None
    unreach: bytes | None


def path_text(value: bytes, size: int) -> str | None:
    """The text of an AS_PATH, AS numbers of `size` octets; None if anything is wrong with it."""
    if value[:1] == b"\2" and len(value) == 2 + size * value[1] and 0 < value[1] < _AT_ONCE:
        asns = _READ[size][value[1]](value[2:])
        return None if 0 in asns else _PATHS[value[1]] % asns
    segments = []
    at = 0
    while at < len(value):
        end = at + 2 + size * value[at + 1] if at + 1 < len(value) else at
        if not 1 <= value[at] <= 4 or not at + 2 < end <= len(value):
            return None
        asns = Struct(f">{value[at + 1]}{'HI'[size == 4]}").unpack(value[at + 2 : end])
        if 0 in asns:
            return None
        segments.append(segment_text(value[at], asns))
        at = end
    return " ".join(segments)


def communities_text(value: bytes) -> str:
    """The text of COMMUNITIES."""
    count = len(value) // 4
    if count < _AT_ONCE and b"\xff\xff\xff" not in value:
        return _COMMUNITY_LISTS[count] % _READ[2][2 * count](value)
    found = Struct(f">{count}I").unpack(value)
    return " ".join([NAMES.get(one) or f"{one >> 16}:{one & 0xFFFF}" for one in found])


class BlockTexts:
    """Makes the texts of blocks that are read alike; what was made is found in `kept` by the block.

    `joined`: as in lines of the deprecated type BGP, which have nothing between MED and communities.
    """

    def __init__(self, *, as4: bool, joined: bool = False) -> None:
        self.kept: dict[bytes, str | BlockText | None] = {}
        self._as4 = as4
        self._size = 4 if as4 else 2
        self._gap = "" if joined else "|"
        self._paths: dict[bytes, str | None] = {}
        self._tails: dict[bytes, str] = {}

    def read(self, raw: bytes) -> str | BlockText | None:
        """The text of a block, if prefixes in the NLRI field can have it; None for one to be decoded."""
        kept = self.kept
        if raw in kept:
            return kept[raw]
        if len(kept) >= KEPT:
            kept.clear()
        found = kept[raw] = self._usual(raw) or self._any(raw)
        return found

    def _usual(self, raw: bytes) -> str | None:
        """The text of a block that is ORIGIN, AS_PATH and a tail; None for any other."""
        if raw[:3] != _ORIGIN_HEAD or len(raw) < 8 or raw[3] > 2:
            return None
        if raw[4:6] == _PATH_HEAD:
            at = 7
            end = 7 + raw[6]
        elif raw[4:6] == _LONG_PATH_HEAD:
            at = 8
            end = 8 + (raw[6] << 8 | raw[7])
        else:
            return None
        if end > len(raw):
            return None
        tail = self._tails.get(raw[end:]) or self._tail(raw[end:])
        if tail is None:
            return None
        octets = raw[at:end]
        path = self._paths.get(octets) or self._path(octets)
        return None if path is None else f"{path}|{ORIGINS[raw[3]]}|{tail}"

    def _path(self, value: bytes) -> str | None:
        paths = self._paths
        if value in paths:
            return paths[value]
        if len(paths) >= KEPT:
            paths.clear()
        found = paths[value] = path_text(value, self._size)
        return found

    def _tail(self, octets: bytes) -> str | None:
        """The fields from the next hop on; None where they need more than these attributes."""
        values = self._values(octets)
        if values is None or _ORIGIN in values or _AS_PATH in values or _AS4_PATH in values:
            return None
        next_hop = self._next_hop(values)
        if next_hop is None:
            return None
        if len(self._tails) >= KEPT:
            self._tails.clear()
        found = self._tails[octets] = f"{next_hop}|{self._after(values)}"
        return found

    def _next_hop(self, values: dict[int, bytes]) -> str | None:
        """The next hop that prefixes in the NLRI field have; None where there is none, or MP attributes have a say."""
        if _MP_REACH in values or _MP_UNREACH in values or _NEXT_HOP not in values:
            return None
        return ipv4_text(values[_NEXT_HOP])

    def _any(self, raw: bytes) -> str | BlockText | None:
        """What `read` gives, one attribute after the other."""
        values = self._values(raw)
        if values is None:
            return None
        plain = self._plain(values)
        reach, unreach = values.get(_MP_REACH), values.get(_MP_UNREACH)
        if reach is None and unreach is None and plain.complete and plain.next_hop is not None:
            return plain.with_next_hop(plain.next_hop)
        return BlockText(plain, reach, unreach)

    def _values(self, raw: bytes) -> dict[int, bytes] | None:
        """The attributes' values, each judged but for what is inside MP attributes; None if anything is wrong."""
        values: dict[int, bytes] = {}
        at, size = 0, len(raw)
        while at < size:
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
            value = values[code] = raw[start:at]
            kind = flags & 0xC0
            if (kind, code, at - start) not in _PLAINLY_RIGHT and not self._is_right(code, kind, value):
                return None
        return None if values.get(_ORIGIN, b"\0")[0] > 2 else values

    def _is_right(self, code: int, kind: int, value: bytes) -> bool:
        if code == _AS_PATH:
            return kind == 0x40 and self._path(value) is not None
        if code == _AGGREGATOR and kind == 0xC0 and len(value) == 4 + self._size:
            return any(value[:-4])
        if code in (_MP_REACH, _MP_UNREACH):
            return kind == 0x80 and len(value) >= (5 if code == _MP_REACH else 3)
        return dump_judge.is_right(code, kind, value, self._as4)

    def _plain(self, values: dict[int, bytes]) -> PlainText:
        path = self._path(values.get(_AS_PATH, b"")) or ""
        if _AS4_PATH in values and not self._as4:
            path = dump_judge.merged_path(values.get(_AS_PATH, b""), values[_AS4_PATH])
        next_hop = values.get(_NEXT_HOP)
        return PlainText(
            f"{path}|{ORIGINS[values[_ORIGIN][0] if _ORIGIN in values else 2]}",
            None if next_hop is None else ipv4_text(next_hop),
            self._after(values),
            _ORIGIN in values and _AS_PATH in values,
        )

    def _after(self, values: dict[int, bytes]) -> str:
        """LOCAL_PREF|MED|communities|AG or NAG|aggregator|"""
        local_pref = int.from_bytes(values.get(_LOCAL_PREF, b""), "big")
        med = int.from_bytes(values.get(_MED, b""), "big")
        communities = communities_text(values[_COMMUNITIES]) if _COMMUNITIES in values else ""
        atomic = "AG" if _ATOMIC in values else "NAG"
        return f"{local_pref}|{med}{self._gap}{communities}|{atomic}|{_aggregator(values)}|"


def _aggregator(values: dict[int, bytes]) -> str:
    value = values.get(_AGGREGATOR)
    if value is None:
        return ""
    if int.from_bytes(value[:-4], "big") == AS_TRANS:
        value = values.get(_AS4_AGGREGATOR, value)
    if value[-4:] == NOBODY:
        return ""
    return f"{int.from_bytes(value[:-4], 'big')} {ipv4_text(value[-4:])}"


class RibTexts(BlockTexts):
    """The same of blocks of table dumps, in which MP_REACH_NLRI is there for its next hop (RFC 6396 4.3.4)."""

    def _next_hop(self, values: dict[int, bytes]) -> str | None:
        if _MP_UNREACH in values:
            return None
        if _MP_REACH in values:
            octets = next_hop_of(values[_MP_REACH])
            return address_text(octets[:16]) if len(octets) in (4, 16, 32) else None
        return super()._next_hop(values)

    def _any(self, raw: bytes) -> str | None:
        values = self._values(raw)
        if values is None:
            return None
        plain, next_hop = self._plain(values), self._next_hop(values)
        return None if next_hop is None or not plain.complete else plain.with_next_hop(next_hop)
