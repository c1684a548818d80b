"""Path attributes as they are kept from the wire: the octets that go out again, and values made when somebody asks.

`SpelledAttributes` is what the scanner makes of an attribute block. Its parts are what the way out needs: the AS_PATH's
value with 4-octet AS numbers, the next hop, and `tail`, the optional transitive attributes that pass through, headers
and all. What the decision process reads is there at once; everything else is read from the parts on first use.
`spell` makes the same of a record that was not read from the wire.
"""

from __future__ import annotations

from functools import partial
from ipaddress import IPv4Address, IPv6Address
from struct import Struct, unpack
from typing import Final

from bgp.error import LocalError
from bgp.wire.codes import (
    AGGREGATOR,
    AIGP,
    ATOMIC_AGGREGATE,
    CLUSTER_LIST,
    COMMUNITIES,
    EXT_COMMUNITIES,
    EXTENDED_LENGTH,
    IPV6_EXT_COMMUNITIES,
    LARGE_COMMUNITIES,
    NEXT_HOP_CHARACTERISTICS,
    ONLY_TO_CUSTOMER,
    OPTIONAL,
    ORIGINATOR_ID,
    TRANSITIVE,
)
from rib.as_path import AsPath, Segment
from rib.attributes import Aggregator, Attributes, Origin, UnknownAttribute
from rib.community import Community, ExtendedCommunity, LargeCommunity

ORIGINS: Final = (Origin.IGP, Origin.EGP, Origin.INCOMPLETE)
_AS4: Final = Struct(">I")
#: Past the constructors, which read text too and check sizes: octets that have been judged need neither.
community_of: Final = partial(int.__new__, Community)
extended_of: Final = partial(bytes.__new__, ExtendedCommunity)
large_of: Final = partial(tuple.__new__, LargeCommunity)
_path_of: Final = partial(tuple.__new__, AsPath)

#: Attributes that say something of the next hop: where we put another one, they go (RFC 7311 3.4, draft-ietf-idr-nhc 2.2).
OF_NEXT_HOP: Final = frozenset({AIGP, NEXT_HOP_CHARACTERISTICS})
#: Attributes of the tail that have a field of their own.
FIELDS: Final = frozenset(
    {ATOMIC_AGGREGATE, AGGREGATOR, COMMUNITIES, EXT_COMMUNITIES, LARGE_COMMUNITIES, ONLY_TO_CUSTOMER}
)
#: Octets of a community, by the attribute that lists those which may have to stay in the AS (RFC 4360 6, RFC 5701 2).
COMMUNITY_SIZES: Final = {EXT_COMMUNITIES: 8, IPV6_EXT_COMMUNITIES: 20}


def attribute(flags: int, code: int, value: bytes) -> bytes:
    """One path attribute, its header made for the value's length (RFC 4271 4.3). Raises LocalError above 65,535 octets."""
    length = len(value)
    if length > 255:
        if length > 65535:
            raise LocalError(f"attribute {code} of {length} octets; 65535 are possible")
        return bytes((flags & 0xE0 | EXTENDED_LENGTH, code, length >> 8, length & 255)) + value
    return bytes((flags & 0xE0, code, length)) + value


def parts(block: bytes) -> list[tuple[int, int, bytes]]:
    """The attributes of a well-formed block as (flags, code, value)."""
    found = []
    at, end = 0, len(block)
    while at < end:
        flags, code = block[at], block[at + 1]
        if flags & EXTENDED_LENGTH:
            start = at + 4
            at = start + (block[at + 2] << 8 | block[at + 3])
        else:
            start = at + 3
            at = start + block[at + 2]
        found.append((flags, code, block[start:at]))
    return found


def split(block: bytes) -> tuple[list[tuple[int, int, bytes]], bytes]:
    """The attributes of any octets as (flags, code, value), and what is left where one does not fit (RFC 7606 4)."""
    found: list[tuple[int, int, bytes]] = []
    at, end = 0, len(block)
    while end - at >= 3:
        flags, code = block[at], block[at + 1]
        if flags & EXTENDED_LENGTH:
            start = at + 4
            stop = start + int.from_bytes(block[at + 2 : start], "big")
        else:
            start = at + 3
            stop = start + block[at + 2]
        if start > end or stop > end:
            break
        found.append((flags, code, block[start:stop]))
        at = stop
    return found, block[at:]


def outward(tail: bytes) -> bytes:
    """What of the attributes that pass through may leave the AS.

    That is neither non-transitive extended communities nor what is said of the next hop, which is another one outside.
    """
    kept = []
    for flags, code, value in parts(tail):
        if code in COMMUNITY_SIZES:
            size = COMMUNITY_SIZES[code]
            value = b"".join(value[i : i + size] for i in range(0, len(value), size) if not value[i] & 0x40)
            if not value:
                continue
        if code not in OF_NEXT_HOP:
            kept.append(attribute(flags, code, value))
    return b"".join(kept)


def without_repeats(value: bytes) -> bytes:
    """Large communities as they go on: who receives one twice removes one, silently (RFC 8092 3)."""
    return b"".join(dict.fromkeys(value[i : i + 12] for i in range(0, len(value), 12)))


def path_octets(path: AsPath) -> bytes:
    """The value of AS_PATH with 4-octet AS numbers (RFC 6793 4)."""
    return b"".join(
        bytes((segment.type, len(segment.asns))) + b"".join(map(_AS4.pack, segment.asns)) for segment in path.segments
    )


def path_from_octets(value: bytes, size: int = 4) -> AsPath:
    """The AS_PATH of a well-formed value, AS numbers of `size` octets."""
    segments = []
    at = 0
    while at < len(value):
        count = value[at + 1]
        end = at + 2 + size * count
        segments.append(Segment(value[at], unpack(f">{count}{'I' if size == 4 else 'H'}", value[at + 2 : end])))
        at = end
    return _path_of((tuple(segments),))


def measure_path(value: bytes) -> tuple[int, int]:
    """(path length, neighbour AS or 0) of an AS_PATH value with 4-octet AS numbers (RFC 4271 9.1.2.2)."""
    if not value:
        return 0, 0
    if value[0] == 2 and len(value) == 2 + 4 * value[1]:
        return value[1], int.from_bytes(value[2:6], "big")
    path = path_from_octets(value)
    return path.length, path.neighbour_as or 0


class SpelledAttributes(Attributes):
    """Path attributes that remember their octets. Compared by content, hashed by their octets."""

    __slots__ = (
        "is_whole",
        "neighbour_as",
        "next_hop_octets",
        "outer",
        "path_length",
        "path_octets",
        "reflection",
        "tail",
    )

    path_octets: bytes  #: the value of AS_PATH, AS numbers of 4 octets
    next_hop_octets: bytes  #: 4, 16 or 32 octets; empty for none; any number in a family that we do not know
    tail: bytes  #: the attributes that pass through, of every code but those with a part of their own
    outer: bytes  #: those of them that may leave the AS
    reflection: bytes  #: ORIGINATOR_ID and CLUSTER_LIST, headers and all (RFC 4456)
    path_length: int
    neighbour_as: int
    is_whole: bool  #: ORIGIN, AS_PATH and NEXT_HOP are there and nothing was wrong

    def __init__(self) -> None:
        """An empty block; the scanner fills it in."""

    def __getattr__(self, name: str) -> object:
        """Called only for what has not been read yet."""
        match name:
            case "as_path":
                self.as_path = path_from_octets(self.path_octets)
            case "next_hop" | "link_local_next_hop":
                self._read_next_hop()
            case "binding":
                self.binding = b""
            case _ if name in self.FIELDS:
                self._read_tail()
            case _:
                raise AttributeError(name)
        return object.__getattribute__(self, name)

    def _read_next_hop(self) -> None:
        octets = self.next_hop_octets
        self.next_hop = self.link_local_next_hop = None
        if len(octets) == 4:
            self.next_hop = IPv4Address(octets)
        elif len(octets) in (16, 32):
            first = IPv6Address(octets[:16])
            second = IPv6Address(octets[16:]) if len(octets) == 32 else None
            # A speaker on an unnumbered link has no global address to give and sends zeros in its place.
            if second is not None and not int(first):
                first = second
            self.next_hop = first
            self.link_local_next_hop = second

    def _read_tail(self) -> None:
        values = {code: value for _, code, value in parts(self.tail)}
        reflection = {code: value for _, code, value in parts(self.reflection)}
        self.atomic_aggregate = ATOMIC_AGGREGATE in values
        value = values.get(AGGREGATOR)
        self.aggregator = (value and Aggregator(int.from_bytes(value[:4], "big"), IPv4Address(value[4:]))) or None
        value = values.get(COMMUNITIES, b"")
        self.communities = tuple(map(community_of, unpack(f">{len(value) // 4}I", value)))
        value = values.get(EXT_COMMUNITIES, b"")
        self.ext_communities = tuple([extended_of(value[i : i + 8]) for i in range(0, len(value), 8)])
        value = values.get(LARGE_COMMUNITIES, b"")
        numbers = iter(unpack(f">{len(value) // 4}I", value))
        self.large_communities = tuple(map(large_of, zip(numbers, numbers, numbers, strict=True)))
        value = values.get(ONLY_TO_CUSTOMER)
        self.only_to_customer = None if value is None else int.from_bytes(value, "big")
        value = reflection.get(ORIGINATOR_ID)
        self.originator_id = IPv4Address(value) if value else None
        value = reflection.get(CLUSTER_LIST, b"")
        self.cluster_list = tuple(IPv4Address(value[i : i + 4]) for i in range(0, len(value), 4))
        self._read_unknown()

    def _read_unknown(self) -> None:
        self.unknown = tuple(
            UnknownAttribute(flags & ~EXTENDED_LENGTH, code, value)
            for flags, code, value in parts(self.tail)
            if code not in FIELDS
        )

    def with_next_hop_octets(self, octets: bytes, binding: bytes = b"") -> SpelledAttributes:
        """The same attributes with another next hop, and what the NLRI are bound to."""
        copy = SpelledAttributes()
        for name in ("origin", "med", "local_pref", *SpelledAttributes.__slots__):
            setattr(copy, name, getattr(self, name))
        copy.next_hop_octets = octets
        copy.binding = binding
        return copy

    @property
    def is_reflected(self) -> bool:
        """Whether the route has passed a route reflector (RFC 4456)."""
        return bool(self.reflection)

    def count_as(self, asn: int) -> int:
        """How often `asn` stands in the AS_PATH."""
        # The octets are searched first: they can only mislead towards looking closer.
        return self.as_path.count(asn) if _AS4.pack(asn) in self.path_octets else 0

    @property
    def well_known(self) -> tuple[Community, ...]:
        """The well-known communities among the communities (RFC 1997)."""
        return super().well_known if b"\xff\xff" in self.tail else ()

    __hash__ = Attributes.__hash__


def spell(attributes: Attributes) -> SpelledAttributes:
    """`attributes` with their octets; the same object where it has them."""
    if isinstance(attributes, SpelledAttributes):
        return attributes
    made = SpelledAttributes()
    made.is_whole = True
    for name in Attributes.FIELDS:
        setattr(made, name, getattr(attributes, name))
    made.path_octets = path_octets(attributes.as_path)
    made.path_length, made.neighbour_as = attributes.path_length, attributes.neighbour_as
    made.next_hop_octets = next_hop_octets(attributes.next_hop, attributes.link_local_next_hop)
    made.tail = b"".join(attribute(*part) for part in _tail_parts(attributes))
    made.outer = outward(made.tail)
    made.reflection = reflection_octets(attributes.originator_id, attributes.cluster_list)
    return made


def next_hop_octets(next_hop: IPv4Address | IPv6Address | None, link_local: IPv6Address | None = None) -> bytes:
    """A next hop as in NEXT_HOP or MP_REACH_NLRI (RFC 4271 4.3, RFC 2545 3)."""
    if next_hop is None:
        return b""
    return next_hop.packed + (link_local.packed if link_local is not None else b"")


def reflection_octets(originator_id: IPv4Address | None, cluster_list: tuple[IPv4Address, ...]) -> bytes:
    """ORIGINATOR_ID and CLUSTER_LIST as attributes (RFC 4456 8); empty where there are none."""
    originator = attribute(OPTIONAL, ORIGINATOR_ID, originator_id.packed) if originator_id is not None else b""
    clusters = b"".join(cluster.packed for cluster in cluster_list)
    return originator + (attribute(OPTIONAL, CLUSTER_LIST, clusters) if clusters else b"")


def _tail_parts(attributes: Attributes) -> list[tuple[int, int, bytes]]:
    both = OPTIONAL | TRANSITIVE
    found: list[tuple[int, int, bytes]] = []
    if attributes.atomic_aggregate:
        found.append((TRANSITIVE, ATOMIC_AGGREGATE, b""))
    if attributes.aggregator is not None:
        asn, address = attributes.aggregator
        found.append((both, AGGREGATOR, _AS4.pack(asn) + address.packed))
    if attributes.communities:
        found.append((both, COMMUNITIES, b"".join(map(_AS4.pack, attributes.communities))))
    if attributes.ext_communities:
        found.append((both, EXT_COMMUNITIES, b"".join(map(bytes, attributes.ext_communities))))
    if attributes.large_communities:
        octets = (_AS4.pack(number) for community in attributes.large_communities for number in community)
        found.append((both, LARGE_COMMUNITIES, without_repeats(b"".join(octets))))
    if attributes.only_to_customer is not None:
        found.append((both, ONLY_TO_CUSTOMER, _AS4.pack(attributes.only_to_customer)))
    found += attributes.unknown
    return sorted(found, key=lambda part: part[1])
