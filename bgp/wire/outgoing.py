"""The hot path outwards: (path attributes, rewrite, prefixes) to packed UPDATEs, without construct.

The attribute block is put together once per path and from the parts that `SpelledAttributes` keeps; prefixes are joined as
they are. Nothing is cut short and nothing is dropped: what does not fit one message goes into the next, and a block that
leaves no room for a prefix raises `LocalError`.

    RFC 7606 5.1: routes of MP families go in an UPDATE of their own, MP_REACH_NLRI or MP_UNREACH_NLRI first.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from struct import Struct
from typing import Final

from bgp.error import LocalError
from bgp.iana import AS_TRANS
from bgp.wire.codes import AGGREGATOR, ONLY_TO_CUSTOMER
from bgp.wire.nlri import FAMILIES
from bgp.wire.sizes import LEAST_UPDATE, MARKER, MAX_MESSAGE
from bgp.wire.spelling import (
    OF_NEXT_HOP,
    SpelledAttributes,
    attribute,
    next_hop_octets,
    parts,
    path_from_octets,
    path_octets,
    reflection_octets,
    spell,
)
from rib.as_path import AsPath
from rib.attributes import Attributes
from rib.export import Rewrite, without_confederation
from rib.family import IPV4_UNICAST, Family

UPDATE: Final = 2
_U16: Final = Struct(">H").pack
_AS4: Final = Struct(">I").pack
_HEAD: Final = Struct(">HBH").pack
#: Of MP_UNREACH_NLRI: attribute header with a 2-octet length, AFI, SAFI.
MP_UNREACH_OVERHEAD: Final = 4 + 2 + 1
#: Unicast and multicast SAFIs, whose NLRI are prefixes and nothing else.
PLAIN: Final = 2
_ORIGIN: Final = tuple(bytes((0x40, 1, 1, origin)) for origin in range(3))
#: Header, Withdrawn Routes Length and Total Path Attribute Length of an UPDATE that withdraws nothing.
_UPDATE: Final = Struct(">16sHBHH").pack
#: By the number of AS numbers, how an AS_PATH of one sequence begins: attribute header and segment header.
_SEQUENCE: Final = tuple(bytes((0x40, 2, 2 + 4 * count, 2, count)) for count in range(64))


class Encoder:
    """Spells UPDATEs for the sessions that share `as4` (4-octet AS numbers, RFC 6793) and `max_message` (octets).

    NLRI of the families in `add_path` come with their path identifiers before them (RFC 7911 3).
    """

    __slots__ = ("_next_hop", "_plain", "_prepend", "_rewrite", "add_path", "as4", "max_message")

    def __init__(
        self, *, as4: bool = True, max_message: int = MAX_MESSAGE, add_path: frozenset[Family] = frozenset()
    ) -> None:
        self.as4 = as4
        self.add_path = add_path
        self.max_message = max_message
        self._rewrite: Rewrite | None = None
        self._next_hop = b""
        self._prepend = b""
        self._plain = False  #: the rewrite is the one between external peers: prepend, our next hop, nothing else

    def block(self, attributes: Attributes, rewrite: Rewrite, next_hop: bytes = b"") -> bytes:
        """The path attributes as they go out, in the order of their codes; `next_hop` is NEXT_HOP, header and all."""
        spelled = spell(attributes)
        value = spelled.path_octets
        if (
            rewrite.override
            or rewrite.confederation
            or not self.as4
            or (value and (value[0] != 2 or len(value) != 2 + 4 * value[1]))
        ):
            value = self._rewritten_path(spelled, rewrite)
        elif rewrite.prepend:
            if value and value[1] < 255:
                value = bytes((2, value[1] + 1)) + _AS4(rewrite.prepend) + value[2:]
            else:
                value = b"\x02\x01" + _AS4(rewrite.prepend) + value
        size = len(value)
        if not self.as4:
            path = self._narrow(value)
        elif size < 256:
            path = bytes((0x40, 2, size)) + value
        else:
            path = attribute(0x40, 2, value)
        return _ORIGIN[spelled.origin] + path + next_hop + self._rest(spelled, rewrite, value)

    def _rest(self, spelled: SpelledAttributes, rewrite: Rewrite, path: bytes) -> bytes:
        if rewrite.external and self.as4 and not rewrite.keep_med and rewrite.only_to_customer is None:
            return spelled.outer
        tail = self._tail(spelled, rewrite)
        rest = b""
        if spelled.med is not None and (not rewrite.external or rewrite.keep_med):
            rest = b"\x80\x04\x04" + _AS4(spelled.med)
        if not rewrite.external:
            local_pref = rewrite.local_pref if spelled.local_pref is None else spelled.local_pref
            rest += b"\x40\x05\x04" + _AS4(local_pref)
            if rewrite.cluster_id is not None:
                originator = spelled.originator_id or rewrite.originator_id
                rest += reflection_octets(originator, (rewrite.cluster_id, *spelled.cluster_list))
            elif not rewrite.confederation:
                rest += spelled.reflection
        if self.as4:
            return rest + tail
        return rest + self._narrow_tail(tail) + self._as4_path(path)

    @staticmethod
    def _tail(spelled: SpelledAttributes, rewrite: Rewrite) -> bytes:
        """What passes through to these peers."""
        tail = spelled.outer if rewrite.external else spelled.tail
        if spelled.outer is not spelled.tail and not rewrite.external and rewrite.next_hop is not None:
            tail = b"".join(attribute(*part) for part in parts(tail) if part[1] not in OF_NEXT_HOP)
        if rewrite.only_to_customer is not None and spelled.only_to_customer is None:
            tail += attribute(0xC0, ONLY_TO_CUSTOMER, _AS4(rewrite.only_to_customer))
        return tail

    def _rewritten_path(self, spelled: SpelledAttributes, rewrite: Rewrite) -> bytes:
        """The AS_PATH by the plain way: confederations, as-override, prepending."""
        return path_octets(
            Rewrite(
                prepend=rewrite.prepend,
                confederation=rewrite.confederation,
                external=rewrite.external,
                override=rewrite.override,
            )
            .apply(spelled)
            .as_path
        )

    @staticmethod
    def _narrow(value: bytes) -> bytes:
        """RFC 6793 4.2.2: AS_PATH for a peer with 2-octet AS numbers."""
        out = []
        for segment in path_from_octets(value).segments:
            out.append(bytes((segment.type, len(segment.asns))))
            out += [_U16(asn if asn < 65536 else AS_TRANS) for asn in segment.asns]
        return attribute(0x40, 2, b"".join(out))

    @staticmethod
    def _as4_path(value: bytes) -> bytes:
        """RFC 6793 4.2.2: AS4_PATH, where an AS number needs it; without confederation segments."""
        path: AsPath = without_confederation(path_from_octets(value))
        if all(asn < 65536 for segment in path.segments for asn in segment.asns):
            return b""
        return attribute(0xC0, 17, path_octets(path))

    @staticmethod
    def _narrow_tail(tail: bytes) -> bytes:
        """RFC 6793 4.2.2: AGGREGATOR in its old form, AS4_AGGREGATOR beside it where it needs one."""
        out = []
        for flags, code, value in parts(tail):
            if code != AGGREGATOR:
                out.append(attribute(flags, code, value))
                continue
            asn = int.from_bytes(value[:4], "big")
            out.append(attribute(flags, code, _U16(asn if asn < 65536 else AS_TRANS) + value[4:]))
            if asn > 65535:
                out.append(attribute(0xC0, 18, value))
        return b"".join(out)

    def announce(self, family: Family, attributes: Attributes, rewrite: Rewrite, nlri: Sequence[bytes]) -> list[bytes]:
        """UPDATEs that announce all of `nlri`. Raises LocalError if the attributes leave no room for a prefix."""
        if rewrite is not self._rewrite:
            self._prepare(rewrite)
        next_hop = self._next_hop or attributes.next_hop_octets
        if family.safi > PLAIN:
            nlri, next_hop = self._bound(family, nlri, attributes.binding), _next_hop_of(family, next_hop)
        if family == IPV4_UNICAST and len(next_hop) == 4:
            block = self._plain_block(attributes, next_hop) or self.block(
                attributes, rewrite, b"\x40\x03\x04" + next_hop
            )
            size = len(block)
            room = self.max_message - LEAST_UPDATE - size
            joined = b"".join(nlri)
            if len(joined) <= room:
                return [_UPDATE(MARKER, LEAST_UPDATE + size + len(joined), UPDATE, 0, size) + block + joined]
            return [
                _UPDATE(MARKER, LEAST_UPDATE + size + len(joined), UPDATE, 0, size) + block + joined
                for joined in _packed(nlri, room)
            ]
        block = self.block(attributes, rewrite)
        head = _U16(family.afi) + bytes((family.safi, len(next_hop))) + next_hop + b"\0"
        room = self.max_message - LEAST_UPDATE - len(block) - 4 - len(head)
        return [self._whole(attribute(0x90, 14, head + joined) + block) for joined in _packed(nlri, room)]

    def _prepare(self, rewrite: Rewrite) -> None:
        """Work out what all routes with this rewrite have in common; they come in long runs."""
        self._rewrite = rewrite
        self._next_hop = next_hop_octets(rewrite.next_hop, rewrite.link_local_next_hop)
        self._prepend = _AS4(rewrite.prepend)
        adds_more = rewrite.only_to_customer is not None
        changes_more = rewrite.keep_med or rewrite.override is not None or not rewrite.external or adds_more
        self._plain = self.as4 and bool(rewrite.prepend) and not changes_more

    def _plain_block(self, attributes: Attributes, next_hop: bytes) -> bytes | None:
        """What `block` gives, of a path that is one sequence and only has to be prepended to; None for any other."""
        if not self._plain or attributes.__class__ is not SpelledAttributes:
            return None
        value = attributes.path_octets
        size = len(value)
        if not 6 <= size < 254 or value[0] != 2 or size != 2 + 4 * value[1]:
            return None
        head = _SEQUENCE[value[1] + 1]
        return b"".join(
            (_ORIGIN[attributes.origin], head, self._prepend, value[2:], b"\x40\x03\x04", next_hop, attributes.outer)
        )

    def _bound(self, family: Family, keys: Sequence[bytes], binding: bytes | None) -> Sequence[bytes]:
        """NLRI of a family that has more than prefixes, to announce with `binding` or, with None, to withdraw."""
        kind = FAMILIES[family].kind if family in FAMILIES else None
        if kind is None or kind.join is None:
            return keys
        if binding == b"" and kind.is_bound:
            raise LocalError(f"a route of {family} cannot be announced without its label")
        join = kind.join
        if family in self.add_path:
            return [key[:4] + join(key[4:], binding or b"") for key in keys]
        return [join(key, binding or b"") for key in keys]

    @staticmethod
    def _whole(block: bytes) -> bytes:
        return MARKER + _HEAD(LEAST_UPDATE + len(block), UPDATE, 0) + _U16(len(block)) + block

    def withdraw(self, family: Family, nlri: Sequence[bytes]) -> list[bytes]:
        """UPDATEs that withdraw all of `nlri`."""
        if family == IPV4_UNICAST:
            return [
                MARKER + _HEAD(LEAST_UPDATE + len(joined), UPDATE, len(joined)) + joined + b"\0\0"
                for joined in _packed(nlri, self.max_message - LEAST_UPDATE)
            ]
        if family.safi > PLAIN:
            nlri = self._bound(family, nlri, None)
        head = _U16(family.afi) + bytes((family.safi,))
        room = self.max_message - LEAST_UPDATE - MP_UNREACH_OVERHEAD
        return [self._whole(attribute(0x90, 15, head + joined)) for joined in _packed(nlri, room)]

    def end_of_rib(self, family: Family) -> bytes:
        """The End-of-RIB marker of `family` (RFC 4724 2)."""
        if family == IPV4_UNICAST:
            return MARKER + _HEAD(LEAST_UPDATE, UPDATE, 0) + b"\0\0"
        return self._whole(attribute(0x80, 15, _U16(family.afi) + bytes((family.safi,))))


def _next_hop_of(family: Family, octets: bytes) -> bytes:
    """A next hop, 4, 16 or 32 octets, as the family has it; of a family that we do not know, as it came."""
    row = FAMILIES.get(family)
    if row is not None and row.next_hops[0] == 0:
        return b""
    if row is None or len(octets) in row.next_hops:
        return octets
    addresses = [octets[i : i + 16] for i in range(0, len(octets), 16)]
    if len(octets) + 8 * len(addresses) in row.next_hops:
        return b"".join(bytes(8) + address for address in addresses)
    raise LocalError(f"{family} has no next hop of {len(octets)} octets")


def _packed(nlri: Sequence[bytes], room: int) -> Iterator[bytes]:
    """`nlri` joined into as few strings of at most `room` octets as their order allows."""
    joined = b"".join(nlri)
    if len(joined) <= room:
        yield joined
        return
    part: list[bytes] = []
    size = 0
    for one in nlri:
        size += len(one)
        if size > room:
            if len(one) > room:
                raise LocalError(f"path attributes leave {room} octets, a prefix needs {len(one)}")
            yield b"".join(part)
            part, size = [], len(one)
        part.append(one)
    yield b"".join(part)
