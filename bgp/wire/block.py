"""One attribute block, without MP_REACH_NLRI and MP_UNREACH_NLRI, from octets to `SpelledAttributes` (RFC 4271 4.3).

Part of the hot path: see `bgp.wire.scan`. Every attribute is validated (RFC 7606); what is plainly right is taken here,
everything else is judged by `check`, which the construct-declared codec uses too.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from bgp.error import PeerError, Reaction, UpdateError
from bgp.iana import AS_TRANS
from bgp.wire.attributes import ATTRIBUTES, check
from bgp.wire.codes import AGGREGATOR, ALWAYS, EXT_COMMUNITIES, IPV6_EXT_COMMUNITIES, PARTIAL, WHOLE
from bgp.wire.context import Context
from bgp.wire.spelling import (
    OF_NEXT_HOP,
    ORIGINS,
    SpelledAttributes,
    attribute,
    measure_path,
    outward,
    parts,
    path_from_octets,
    path_octets,
    without_repeats,
)

#: RFC 6793 9: AS_TRANS stands for an AS number that needs four octets.
AS_TRANS_OCTETS: Final = AS_TRANS.to_bytes(2, "big")
#: Attributes that we know and pass on as they are; AIGP is not transitive but goes through the AS (RFC 7311 3.4).
PASSED_ON: Final = frozenset(code for code, row in ATTRIBUTES.items() if row.is_passed_on or row.internal_only)
#: Attributes of which not everything may leave the AS.
IN_PART: Final = 1 << EXT_COMMUNITIES | 1 << IPV6_EXT_COMMUNITIES | sum(1 << code for code in OF_NEXT_HOP)


#: How ORIGIN, AS_PATH, NEXT_HOP and MED begin as nearly everybody writes them.
ORIGIN_HEAD: Final = b"\x40\x01\x01"
PATH_HEAD: Final = b"\x40\x02"
NEXT_HOP_HEAD: Final = b"\x40\x03\x04"
MED_HEAD: Final = b"\x80\x04\x04"


class Block(NamedTuple):
    """An attribute block that was read: `attributes` None where it cannot be used, and what was wrong with it."""

    attributes: SpelledAttributes | None
    errors: tuple[UpdateError, ...]
    codes: int  #: of the attributes that are there: bit n for code n
    has_mp: bool = False  #: there is MP_REACH_NLRI or MP_UNREACH_NLRI: take it out and read the rest


#: What there is to say of a block that carries prefixes itself.
HAS_MP: Final = Block(None, (), 0, has_mp=True)


def usual_tail(raw: bytes, at: int, size: int) -> bool:
    """Whether raw[at:size] is ATOMIC_AGGREGATE, AGGREGATOR, COMMUNITIES or some of them in this order, nothing wrong.

    Raises IndexError where it ends within a header.
    """
    before = 0
    while at < size:
        flags, code, length = raw[at], raw[at + 1], raw[at + 2]
        if code <= before:
            return False
        before = code
        if code == 8:
            if flags != 0xC0 or not length or length & 3:
                return False
        elif code == 7:
            if flags != 0xC0 or length != 8 or raw[at + 3 : at + 7] == b"\0\0\0\0":
                return False
        elif code != 6 or flags != 0x40 or length:
            return False
        at += 3 + length
    return at == size


class BlockReader:
    """Reads attribute blocks of one session, one after the other."""

    def __init__(self, context: Context, next_hops: dict[bytes, bytes]) -> None:
        self.context = context
        #: RFC 5065 5: another member AS of our confederation begins with what no usual block has.
        self.in_confederation = context.peering == "confederation"
        self.first_as = context.peer_asn if context.peering == "external" and context.enforce_first_as else None
        self.next_hops = next_hops
        self.errors: list[UpdateError] = []
        self.values: dict[int, bytes] = {}  #: AS4_PATH and AS4_AGGREGATOR

    def read(self, raw: bytes) -> Block | SpelledAttributes:
        """The block, each attribute validated: attributes alone where nothing is wrong and ORIGIN and AS_PATH are there.

        Raises PeerError for an unrecognised well-known attribute.
        """
        return self.read_usual(raw) or self.read_any(raw)

    def read_usual(self, raw: bytes) -> SpelledAttributes | None:
        """The block, if it is spelt as most are and nothing is wrong with it; else None, and `read_any` has to look.

        That is: ORIGIN, AS_PATH of one sequence, NEXT_HOP, perhaps MED, then of ATOMIC_AGGREGATE, AGGREGATOR and
        COMMUNITIES those that are there; in this order, each header as we would write it.
        """
        if raw[:3] != ORIGIN_HEAD or raw[4:6] != PATH_HEAD or not self.context.as4:
            return None
        try:
            end = 7 + raw[6]
            if raw[end : end + 3] != NEXT_HOP_HEAD or raw[3] > 2 or not self.plain_path(raw, 7, end):
                return None
            at, size = end + 7, len(raw)
            next_hop = raw[end + 3 : at]
            med = None
            if at < size and raw[at] == 0x80:
                if raw[at : at + 3] != MED_HEAD or at + 7 > size:
                    return None
                med = int.from_bytes(raw[at + 3 : at + 7], "big")
                at += 7
            if at < size and not usual_tail(raw, at, size):
                return None
        except IndexError:
            return None
        if len(next_hop) != 4:
            return None
        made = SpelledAttributes()
        made.origin = ORIGINS[raw[3]]
        made.path_octets = raw[7:end]
        made.path_length = raw[8]
        made.neighbour_as = int.from_bytes(raw[9:13], "big")
        made.next_hop_octets = self.next_hops.setdefault(next_hop, next_hop)
        made.med = med
        made.local_pref = None
        made.reflection = b""
        made.tail = made.outer = raw[at:]
        made.is_whole = True
        return made

    def read_any(self, raw: bytes) -> Block | SpelledAttributes:
        """What `read` gives, of any block: one attribute after the other."""
        if self.errors:
            self.errors = []
        if self.values:
            self.values = {}
        made = SpelledAttributes()
        made.med = made.local_pref = None
        made.path_octets = made.next_hop_octets = made.reflection = b""
        made.origin = ORIGINS[0]
        made.path_length = made.neighbour_as = 0
        tail: list[bytes] = []
        reflection: list[bytes] = []
        seen = good = 0
        as4 = self.context.as4
        at, size = 0, len(raw)
        while at < size:
            if size - at < 3 or (raw[at] & 0x10 and size - at < 4):
                self.truncated(raw[at:], "the block ends within an attribute's header")
                break
            flags, code = raw[at], raw[at + 1]
            if flags & 0x10:
                start = at + 4
                end = start + (raw[at + 2] << 8 | raw[at + 3])
            else:
                start = at + 3
                end = start + raw[at + 2]
            if end > size:
                self.truncated(raw[at:], f"attribute {code} runs past the block")
                break
            here, at = at, end
            bit = 1 << code
            if seen & bit:
                continue  # RFC 7606 3 g: the first one counts
            seen |= bit
            kind = flags & 0xC0
            if code == 1 and kind == 0x40 and end - start == 1 and raw[start] < 3:
                made.origin = ORIGINS[raw[start]]
            elif code == 3 and kind == 0x40 and end - start == 4:
                octets = raw[start:end]
                made.next_hop_octets = self.next_hops.setdefault(octets, octets)
            elif code == 2 and kind == 0x40 and as4 and self.plain_path(raw, start, end):
                made.path_octets = raw[start:end]
                made.path_length = raw[start + 1]
                made.neighbour_as = int.from_bytes(raw[start + 2 : start + 6], "big")
            elif code == 8 and kind == 0xC0 and end > start and not (end - start) & 3 and not flags & 0x0F:
                tail.append(raw[here:end])
            elif code in (14, 15):
                return HAS_MP
            else:
                problem = check(code, flags, raw[start:end], self.context)
                if problem is not None:
                    if problem.reaction is Reaction.SESSION_RESET:
                        raise PeerError(problem.code, problem.subcode, problem.data, problem.reason)
                    self.errors.append(problem)
                    continue
                self.keep(made, flags, code, raw[start:end], tail, reflection)
            good |= bit
        made.tail = b"".join(tail) if tail else b""
        made.reflection = b"".join(reflection) if reflection else b""
        if not as4:
            self.widen(made)
        made.outer = outward(made.tail) if good & IN_PART else made.tail
        if not self.errors and good & ALWAYS == ALWAYS:
            made.is_whole = good & WHOLE == WHOLE
            return made
        made.is_whole = False
        if any(error.reaction >= Reaction.TREAT_AS_WITHDRAW for error in self.errors):
            return Block(None, tuple(self.errors), seen)
        return Block(made, tuple(self.errors), good)

    def plain_path(self, raw: bytes, start: int, end: int) -> bool:
        """Whether raw[start:end] is one AS_SEQUENCE that nothing is wrong with."""
        size = end - start
        if size < 6 or raw[start] != 2 or size != 2 + 4 * raw[start + 1] or raw.find(b"\0\0\0\0", start, end) >= 0:
            return False
        if self.in_confederation:
            return False
        return self.first_as is None or int.from_bytes(raw[start + 2 : start + 6], "big") == self.first_as

    def truncated(self, rest: bytes, reason: str) -> None:
        """RFC 7606 4: the rest of the block cannot be read, the prefixes can."""
        self.errors.append(UpdateError(Reaction.TREAT_AS_WITHDRAW, 3, 1, rest, reason, None, None))

    def keep(
        self,
        made: SpelledAttributes,
        flags: int,
        code: int,
        value: bytes,
        tail: list[bytes],
        reflection: list[bytes],
    ) -> None:
        """Put a valid attribute where it belongs."""
        match code:
            case 1:
                made.origin = ORIGINS[value[0]]
            case 2:
                made.path_octets = value
                if self.context.as4:
                    made.path_length, made.neighbour_as = measure_path(value)
            case 3:
                made.next_hop_octets = value
            case 4:
                made.med = int.from_bytes(value, "big")
            case 5:
                made.local_pref = int.from_bytes(value, "big")
            case 9 | 10:
                reflection.append(attribute(0x80, code, value))
            case 17 | 18:
                self.values[code] = value
            case 32:
                tail.append(attribute(flags, code, without_repeats(value)))
            case _ if code in PASSED_ON:
                tail.append(attribute(flags, code, value))
            case _ if flags & 0x40:
                # RFC 4271 5: an unrecognised transitive attribute goes on, marked Partial.
                tail.append(attribute(flags | PARTIAL, code, value))

    def widen(self, made: SpelledAttributes) -> None:
        """RFC 6793 4.2.3: from a peer with 2-octet AS numbers, make AS_PATH and AGGREGATOR what they would have been."""
        path = path_from_octets(made.path_octets, 2)
        tail = parts(made.tail)
        own = next((value for _, code, value in tail if code == AGGREGATOR), None)
        # "When both of the attributes are received": an AGGREGATOR alone says nothing about AS4_PATH.
        use_as4 = own is None or 18 not in self.values or own[:2] == AS_TRANS_OCTETS
        if use_as4 and 17 in self.values:
            path = path.merge_as4(path_from_octets(self.values[17]))
        made.path_octets = path_octets(path)
        made.path_length, made.neighbour_as = path.length, path.neighbour_as or 0
        if own is not None:
            wide = self.values[18] if use_as4 and 18 in self.values else b"\0\0" + own
            made.tail = b"".join(
                attribute(flags, code, wide if code == AGGREGATOR else value) for flags, code, value in tail
            )
