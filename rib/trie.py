"""Prefixes by what they cover: longest match, more and less specific ones, in the order of their addresses.

A prefix is a node of the binary tree of all addresses, and nodes are numbered as in a heap: the root is 1, below node n are
2n and 2n + 1. So a prefix of L bits is the number 1 followed by those bits, the prefixes that cover it are its number
shifted right, and an address is the node of its host route.

No tree of nodes is built: a Python object and an attribute look-up for each bit cost more than the few dict look-ups that
a real table needs. The nodes stand in dicts, one for each *block*, that is, for each leading 16 bits (IPv6: 32); prefixes
shorter than that stand in a dict of their own. A block knows which lengths it has, seldom more than six, so a longest
match is one look-up of the block and one for each of those lengths, longest first. Inside a block and among the blocks
the order is worked out when somebody asks for it and kept up from then on.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, MutableMapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from itertools import chain, repeat
from socket import AF_INET, AF_INET6, inet_pton
from typing import Final, Generic, NamedTuple, TypeVar, overload

from rib.family import Afi
from rib.prefix import Prefix

V = TypeVar("V")
D = TypeVar("D")

#: What names a prefix: its text, or a value of ours or of the standard library.
AnyPrefix = Prefix | IPv4Network | IPv6Network | str
#: What a longest match can be asked for: an address, or a prefix, which is to be covered as a whole.
AnyTarget = AnyPrefix | IPv4Address | IPv6Address

#: A sorted list longer than this is made anew when asked for, and not kept up: moving its tail would cost more.
KEPT_SORTED: Final = 1 << 16


class Found(NamedTuple, Generic[V]):
    """A prefix that is in the trie, and what stands there."""

    prefix: Prefix
    value: V


class _Nodes(dict[int, V]):
    """Nodes and what stands there; in order when asked for."""

    __slots__ = ("_sorted", "_width")

    def __init__(self, width: int) -> None:
        self._width = width
        self._sorted: list[int] | None = None

    def place(self, node: int) -> int:
        """A node as a number in whose order nodes come: by first address, then, in the last octet, by length."""
        length = node.bit_length()
        return (node << (self._width - length)) << 8 | length

    def in_order(self) -> list[int]:
        """The places of all nodes, in order."""
        if self._sorted is None:
            self._sorted = sorted(map(self.place, self))
        return self._sorted

    def below(self, node: int) -> list[int]:
        """The places of the node itself, if it is there, and of all below it, in order."""
        ordered = self.in_order()
        beyond = (node + 1) << (self._width - node.bit_length()) << 8
        start = bisect_left(ordered, self.place(node))
        return ordered[start : bisect_left(ordered, beyond, start)]

    def added(self, node: int) -> None:
        """Keep the order up after a new node came in."""
        if (ordered := self._sorted) is not None:
            if len(ordered) < KEPT_SORTED:
                insort(ordered, self.place(node))
            else:
                self._sorted = None

    def removed(self, node: int) -> None:
        """Keep the order up after a node went."""
        if (ordered := self._sorted) is not None:
            del ordered[bisect_left(ordered, self.place(node))]


class _Block(_Nodes[V]):
    """The prefixes that begin with the same bits, and how many there are of each length."""

    __slots__ = ("counts", "shifts")

    def __init__(self, width: int) -> None:
        super().__init__(width)
        self.shifts: tuple[int, ...] = ()  #: for each length, longest first, how far an address is shifted right
        self.counts: dict[int, int] = {}

    def count(self, shift: int, change: int) -> None:
        """One more or one fewer of a length."""
        left = self.counts.get(shift, 0) + change
        if left:
            self.counts[shift] = left
        else:
            del self.counts[shift]
        if left == 0 or left == change:
            self.shifts = tuple(sorted(self.counts))


class NlriTrie(Generic[V]):
    """The trie of one address family (AFI 1 or 2), with canonical NLRI octets for keys: what `PrefixTrie` is made of."""

    def __init__(self, afi: int) -> None:
        self.afi = afi
        self._bits = 32 if afi == Afi.IPV4 else 128
        self._octets = self._bits // 8
        #: Leading bits that make a block.
        self._head = 16 if afi == Afi.IPV4 else 32
        self._tail = self._bits - self._head
        self._width = self._bits + 1
        self._short: _Block[V] = _Block(self._width)
        self._blocks: _Nodes[_Block[V]] = _Nodes(self._width)
        self._size = 0

    def __len__(self) -> int:
        return self._size

    def _node(self, nlri: bytes) -> int:
        length = nlri[0]
        return (1 << length) | int.from_bytes(nlri[1:], "big") >> (-length & 7)

    def _nlri(self, node: int) -> bytes:
        length = node.bit_length() - 1
        size = (length + 7) >> 3
        return bytes((length,)) + ((node ^ (1 << length)) << (-length & 7)).to_bytes(size, "big")

    def _home(self, node: int) -> _Block[V] | None:
        """The dict in which `node` is if it is anywhere."""
        beyond = node.bit_length() - 1 - self._head
        return self._short if beyond < 0 else self._blocks.get(node >> beyond)

    def __setitem__(self, nlri: bytes, value: V) -> None:
        node = self._node(nlri)
        block = self._home(node)
        if block is None:
            head = node >> (nlri[0] - self._head)
            block = self._blocks[head] = _Block(self._width)
            self._blocks.added(head)
        elif node in block:
            block[node] = value
            return
        block[node] = value
        block.added(node)
        block.count(self._bits - nlri[0], 1)
        self._size += 1

    def __getitem__(self, nlri: bytes) -> V:
        node = self._node(nlri)
        block = self._home(node)
        if block is None or node not in block:
            raise KeyError(nlri)
        return block[node]

    def get(self, nlri: bytes, default: D) -> V | D:
        """What stands at exactly `nlri`; `default` where nothing does."""
        node = self._node(nlri)
        block = self._home(node)
        return default if block is None else block.get(node, default)

    def __delitem__(self, nlri: bytes) -> None:
        node = self._node(nlri)
        block = self._home(node)
        if block is None or node not in block:
            raise KeyError(nlri)
        del block[node]
        self._size -= 1
        if not block and block is not self._short:
            head = node >> (nlri[0] - self._head)
            del self._blocks[head]
            self._blocks.removed(head)
            return
        block.removed(node)
        block.count(self._bits - nlri[0], -1)

    def __contains__(self, nlri: bytes) -> bool:
        node = self._node(nlri)
        block = self._home(node)
        return block is not None and node in block

    def clear(self) -> None:
        """Take everything out."""
        self._short = _Block(self._width)
        self._blocks = _Nodes(self._width)
        self._size = 0

    def match(self, address: bytes) -> tuple[bytes, V] | None:
        """The longest prefix that covers an address, in network order, and what stands there."""
        host = (1 << self._bits) | int.from_bytes(address, "big")
        block = self._blocks.get(host >> self._tail)
        if block is not None:
            for shift in block.shifts:
                if (node := host >> shift) in block:
                    return self._nlri(node), block[node]
        short = self._short
        for shift in short.shifts:
            if (node := host >> shift) in short:
                return self._nlri(node), short[node]
        return None

    def covering(self, nlri: bytes) -> list[tuple[bytes, V]]:
        """All prefixes that cover `nlri`, itself included, shortest first."""
        node, length = self._node(nlri), nlri[0]
        host = node << (self._bits - length)
        found: list[tuple[bytes, V]] = []
        for block in (self._short, self._home(node) if length >= self._head else None):
            if block is None:
                continue
            for shift in reversed(block.shifts):
                if self._bits - shift <= length and (above := host >> shift) in block:
                    found.append((self._nlri(above), block[above]))
        return found

    def covered(self, nlri: bytes) -> Iterator[tuple[bytes, V]]:
        """All prefixes that `nlri` covers, itself included, in order."""
        node = self._node(nlri)
        if nlri[0] < self._head:
            return self._walk(self._short.below(node), self._blocks.below(node))
        block = self._blocks.get(node >> (nlri[0] - self._head))
        return iter(()) if block is None else map(self._at, block.below(node), repeat(block))

    def items(self) -> Iterator[tuple[bytes, V]]:
        """All of them, in the order of their addresses, a prefix before those that it covers."""
        return self._walk(self._short.in_order(), self._blocks.in_order())

    def _walk(self, shorts: list[int], heads: list[int]) -> Iterator[tuple[bytes, V]]:
        """Short prefixes and blocks, both in order, as one sequence. A short prefix comes before the block it begins with."""
        at, short, tail, blocks = self._at, self._short, self._tail, self._blocks
        waiting = iter(shorts)
        next_short = next(waiting, None)
        for head in heads:
            while next_short is not None and next_short < head:
                yield at(next_short, short)
                next_short = next(waiting, None)
            block = blocks[head >> (8 + tail)]
            yield from map(at, block.in_order(), repeat(block))
        if next_short is not None:
            yield from map(at, chain((next_short,), waiting), repeat(short))

    def _at(self, place: int, nodes: _Nodes[V]) -> tuple[bytes, V]:
        """The NLRI and the value at a place."""
        length = (place & 0xFF) - 1
        address = place >> 8
        octets = address.to_bytes(self._octets + 1, "big")
        return bytes((length,)) + octets[1 : 1 + ((length + 7) >> 3)], nodes[address >> (self._bits - length)]


class PrefixTrie(MutableMapping[Prefix, V]):
    """A mapping from prefixes, IPv4 and IPv6, that also answers which of them cover an address.

    Keys may be given as `Prefix`, as text or as networks of the standard library. Iteration is in order: IPv4 first, then
    by first address, a prefix before those that it covers. Do not change the trie while iterating.
    Raises ValueError for text that is no prefix or has host bits set; KeyError where a mapping does.
    """

    def __init__(self, items: Mapping[str, V] | Mapping[Prefix, V] | Iterable[tuple[AnyPrefix, V]] = ()) -> None:
        self._ipv4: NlriTrie[V] = NlriTrie(Afi.IPV4)
        self._ipv6: NlriTrie[V] = NlriTrie(Afi.IPV6)
        for prefix, value in items.items() if isinstance(items, Mapping) else items:
            self[prefix] = value

    def family(self, afi: int) -> NlriTrie[V]:
        """The half of one address family, for those who have NLRI octets."""
        return self._ipv4 if afi == Afi.IPV4 else self._ipv6

    def _split(self, prefix: object) -> tuple[NlriTrie[V], bytes]:
        made = _prefix(prefix)
        return self.family(made.afi), made.nlri

    def __getitem__(self, prefix: AnyPrefix) -> V:
        half, nlri = self._split(prefix)
        try:
            return half[nlri]
        except KeyError:
            raise KeyError(str(prefix)) from None

    def __setitem__(self, prefix: AnyPrefix, value: V) -> None:
        half, nlri = self._split(prefix)
        half[nlri] = value

    def __delitem__(self, prefix: AnyPrefix) -> None:
        half, nlri = self._split(prefix)
        try:
            del half[nlri]
        except KeyError:
            raise KeyError(str(prefix)) from None

    def __contains__(self, prefix: object) -> bool:
        half, nlri = self._split(prefix)
        return nlri in half

    def __len__(self) -> int:
        return len(self._ipv4) + len(self._ipv6)

    def __iter__(self) -> Iterator[Prefix]:
        for half in (self._ipv4, self._ipv6):
            for nlri, _ in half.items():
                yield Prefix.from_nlri(half.afi, nlri)

    @overload
    def get(self, prefix: AnyPrefix, default: None = None, /) -> V | None: ...
    @overload
    def get(self, prefix: AnyPrefix, default: V | D, /) -> V | D: ...
    def get(self, prefix: AnyPrefix, default: V | D | None = None, /) -> V | D | None:
        """What stands at exactly `prefix`; `default` where nothing does."""
        half, nlri = self._split(prefix)
        return half.get(nlri, default)

    @overload
    def pop(self, prefix: AnyPrefix, /) -> V: ...
    @overload
    def pop(self, prefix: AnyPrefix, default: V | D, /) -> V | D: ...
    def pop(self, prefix: AnyPrefix, /, *default: V | D) -> V | D:
        """Take out what stands at exactly `prefix`, and give it; `default`, if given, where nothing does."""
        half, nlri = self._split(prefix)
        if nlri not in half:
            if default:
                return default[0]
            raise KeyError(str(prefix))
        value = half[nlri]
        del half[nlri]
        return value

    def clear(self) -> None:
        """Take everything out."""
        self._ipv4.clear()
        self._ipv6.clear()

    def longest_match(self, target: AnyTarget) -> Found[V] | None:
        """The longest prefix that covers an address (or, given a prefix, all of it); None where none does."""
        if isinstance(target, IPv4Address | IPv6Address):
            octets = target.packed
        elif isinstance(target, str) and "/" not in target:
            octets = _address(target)
        else:
            half, nlri = self._split(target)
            above = half.covering(nlri)
            return Found(Prefix.from_nlri(half.afi, above[-1][0]), above[-1][1]) if above else None
        half = self._ipv4 if len(octets) == 4 else self._ipv6
        found = half.match(octets)
        return None if found is None else Found(Prefix.from_nlri(half.afi, found[0]), found[1])

    def covered(self, prefix: AnyPrefix) -> Iterator[Found[V]]:
        """All prefixes within `prefix`, itself included if it is there, in order."""
        half, nlri = self._split(prefix)
        return (Found(Prefix.from_nlri(half.afi, one), value) for one, value in half.covered(nlri))

    def covering(self, target: AnyTarget) -> Iterator[Found[V]]:
        """All prefixes that cover `target`, itself included if it is there, shortest first."""
        half, nlri = self._split(target)
        return (Found(Prefix.from_nlri(half.afi, one), value) for one, value in half.covering(nlri))

    def __repr__(self) -> str:
        return f"PrefixTrie({len(self._ipv4)} IPv4 and {len(self._ipv6)} IPv6 prefixes)"


def _prefix(given: object) -> Prefix:
    return given if isinstance(given, Prefix) else Prefix(str(given))


def _address(text: str) -> bytes:
    """The octets of an address. Raises ValueError."""
    try:
        return inet_pton(AF_INET6 if ":" in text else AF_INET, text)
    except (OSError, ValueError):
        raise ValueError(f"{text!r} is not an IP address") from None
