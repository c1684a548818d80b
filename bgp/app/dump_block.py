"""The fields of a `bgpdump -m` line that a path attribute block makes, from AS_PATH on, straight from its octets.

AS_PATH|ORIGIN|next hop|LOCAL_PREF|MED|communities|AG or NAG|aggregator|

Most blocks are ORIGIN, AS_PATH and then a tail; few tails and not so many paths come again and again, so that their texts are
kept beside those of whole blocks. Every attribute is judged: what is plainly right here, all else by `check`. A block
that anything is wrong with, or that is unusual, has no text here: then decode, and take `bgp.app.dump`.
"""

from __future__ import annotations

from socket import inet_ntoa
from struct import Struct
from typing import TYPE_CHECKING, Final, NamedTuple

from bgp.app.dump_text import AS_TRANS, NAMES, NOBODY, ORIGINS, address_text, segment_text
from bgp.app.later import later
from bgp.wire.formats.mrt_reach import next_hop_of

if TYPE_CHECKING:
    from bgp.app import dump_judge
else:
    dump_judge = later("bgp.app.dump_judge")

#: Texts that are kept of each kind.
KEPT: Final = 1 << 14
#: Octets of a prefix of IPv6, with its length.
_LONGEST_PREFIX: Final = 17
_ORIGIN, _AS_PATH, _NEXT_HOP, _MED, _LOCAL_PREF, _ATOMIC, _AGGREGATOR, _COMMUNITIES = range(1, 9)
_SEQUENCE: Final = 2
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
)
#: Flags and octets of an element of those that are lists of one element or more: communities, CLUSTER_LIST, others.
_LISTS: Final = {_COMMUNITIES: (0xC0, 4), 10: (0x80, 4), 16: (0xC0, 8), 32: (0xC0, 12)}
#: How many AS numbers or communities are read and written at once, by their count.
_AT_ONCE: Final = 64
_READ: Final = {size: [Struct(f">2x{n}{'HI'[size == 4]}").unpack for n in range(_AT_ONCE)] for size in (2, 4)}
_READ_COMMUNITIES: Final = [Struct(f">{2 * n}H").unpack for n in range(_AT_ONCE)]
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
    count = value[1] if len(value) > 1 and value[0] == _SEQUENCE else 0
    if 0 < count < _AT_ONCE and len(value) == 2 + size * count:
        asns = _READ[size][count](value)
        return None if 0 in asns else _PATHS[count] % asns
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
        return _COMMUNITY_LISTS[count] % _READ_COMMUNITIES[count](value)
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
        at = self._path_end(raw)
        tail = self._tails.get(raw[at:]) if at else None
        found = kept[raw] = self._any(raw, at) if tail is None else self._put_together(raw, at, tail)
        return found

    def _path_end(self, raw: bytes) -> int:
        """Where the AS_PATH ends of a block that is ORIGIN, AS_PATH and a tail; 0 for any other."""
        if raw[:3] != _ORIGIN_HEAD or len(raw) < 8 or raw[3] > 2:
            return 0
        if raw[4:6] == _PATH_HEAD:
            end = 7 + raw[6]
        elif raw[4:6] == _LONG_PATH_HEAD:
            end = 8 + (raw[6] << 8 | raw[7])
        else:
            return 0
        return end if end <= len(raw) else 0

    def _put_together(self, raw: bytes, end: int, tail: str) -> str | None:
        """The text of a block whose AS_PATH ends there and whose tail has this text."""
        octets = raw[7 if raw[4] == _PATH_HEAD[0] else 8 : end]
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

    def _any(self, raw: bytes, path_end: int) -> str | BlockText | None:
        """What `read` gives, one attribute after the other; a usual tail is kept."""
        values = self._values(raw)
        if values is None:
            return None
        plain, next_hop = self._plain(values), self._next_hop(values)
        if next_hop is None or not plain.complete:
            return self._unfinished(plain, values)
        if path_end and _AS4_PATH not in values:
            if len(self._tails) >= KEPT:
                self._tails.clear()
            self._tails[raw[path_end:]] = f"{next_hop}|{plain.after}"
        return plain.with_next_hop(next_hop)

    def _next_hop(self, values: dict[int, bytes]) -> str | None:
        """The next hop that prefixes in the NLRI field have; None where there is none, or MP attributes have a say."""
        if _MP_REACH in values or _MP_UNREACH in values or _NEXT_HOP not in values:
            return None
        return inet_ntoa(values[_NEXT_HOP])

    def _unfinished(self, plain: PlainText, values: dict[int, bytes]) -> BlockText | None:
        """What there is of a block that is no text by itself."""
        return BlockText(plain, values.get(_MP_REACH), values.get(_MP_UNREACH))

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
        if code in _LISTS and value:
            return (kind, 0) == (_LISTS[code][0], len(value) % _LISTS[code][1])
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
            None if next_hop is None else inet_ntoa(next_hop),
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
    return f"{int.from_bytes(value[:-4], 'big')} {inet_ntoa(value[-4:])}"


class RibTexts(BlockTexts):
    """The same of blocks of table dumps, in which MP_REACH_NLRI is there for its next hop (RFC 6396 4.3.4).

    Some collectors write it whole, with the prefix at its end, which makes every block another one. `read_whole` keeps what it
    reads by what is before the prefix: everything that the text is made of.
    """

    def __init__(self, *, as4: bool) -> None:
        super().__init__(as4=as4)
        #: What `read_whole` has kept for prefixes of that many octets, by what is before them.
        self.whole: list[dict[bytes, str | None]] = [{} for _ in range(_LONGEST_PREFIX + 1)]
        self._whole_tails: list[dict[bytes, str]] = [{} for _ in range(_LONGEST_PREFIX + 1)]

    def read_whole(self, raw: bytes, size: int) -> str | BlockText | None:
        """What `read` gives of a block that ends with `size` octets of the prefix, perhaps because MP_REACH_NLRI does."""
        at = self._path_end(raw)
        if not 0 < at <= len(raw) - size:
            return self.read(raw)
        tails = self._whole_tails[size]
        tail = tails.get(raw[at:-size])
        if tail is None:
            if not _ends_whole(raw, at, size):
                return self.read(raw)
            found = self._any(raw, 0)
            if not isinstance(found, str):
                return None
            if len(tails) >= KEPT:
                tails.clear()
            tails[raw[at:-size]] = found.split("|", 2)[2]
        else:
            found = self._put_together(raw, at, tail)
        kept = self.whole[size]
        if len(kept) >= KEPT:
            kept.clear()
        kept[raw[:-size]] = found
        return found

    def _next_hop(self, values: dict[int, bytes]) -> str | None:
        if _MP_UNREACH in values:
            return None
        if _MP_REACH in values:
            octets = next_hop_of(values[_MP_REACH])
            return address_text(octets[:16]) if len(octets) in (4, 16, 32) else None
        return super()._next_hop(values)

    def _unfinished(self, plain: PlainText, values: dict[int, bytes]) -> None:
        return None


def _ends_whole(block: bytes, at: int, size: int) -> bool:
    """Whether the last attribute from `at` on is MP_REACH_NLRI, written whole, with at least `size` octets of NLRI."""
    code, value = 0, b""
    while len(block) - at >= 4:
        start = at + (4 if block[at] & 0x10 else 3)
        end = start + (block[at + 2] << 8 | block[at + 3] if block[at] & 0x10 else block[at + 2])
        at, code, value = end, block[at + 1], block[start:end]
    return (
        at == len(block)
        and code == _MP_REACH
        and len(value) > 4
        and value[0] == 0
        and len(value) >= 5 + value[3] + size
    )
