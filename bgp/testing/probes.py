"""Messages that probe a BGP speaker: right ones, the ways to spoil them, and what must come of each (RFC 4271, RFC 7606).

A `Draft` is an UPDATE before it is spelt. A `Fault` spoils it and knows the outcome that the RFCs ask for; of several
faults the worst decides (RFC 7606 3 h). The rows about single attributes come from the table of attributes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import Enum
from ipaddress import IPv4Address
from typing import Final, NamedTuple

from bgp.error import Reaction
from bgp.iana import AttributeCode as Code
from bgp.iana import MessageType
from bgp.wire.attributes import ATTRIBUTES
from bgp.wire.context import Context
from bgp.wire.header import with_header
from bgp.wire.spelling import attribute

#: The prefixes that probes announce, and the one that marks their end (RFC 5737).
PREFIX: Final = bytes((24, 203, 0, 113))
MARK: Final = bytes((24, 198, 51, 100))


class Outcome(Enum):
    """What became of a probe."""

    TAKEN = "the route is taken"
    WITHDRAWN = "the route is withdrawn"
    UNCHANGED = "the older route is kept"
    ENDED = "the session ends"


#: Outcomes that the RFCs allow; none for "anything, as long as the speaker lives".
Allowed = frozenset[Outcome]
TAKEN: Final = frozenset({Outcome.TAKEN})
WITHDRAWN: Final = frozenset({Outcome.WITHDRAWN})
ENDED: Final = frozenset({Outcome.ENDED})
ANYTHING: Final = frozenset[Outcome]()
OF_REACTION: Final = {
    Reaction.ATTRIBUTE_DISCARD: TAKEN,
    Reaction.TREAT_AS_WITHDRAW: WITHDRAWN,
    Reaction.AFI_SAFI_DISABLE: ANYTHING,
    Reaction.SESSION_RESET: ENDED,
}


class Attribute(NamedTuple):
    """One path attribute of a draft."""

    flags: int
    code: int
    value: bytes


@dataclass(frozen=True, slots=True)
class Draft:
    """An UPDATE before it is spelt. `tail` stands behind the attributes, within their length."""

    attributes: tuple[Attribute, ...]
    nlri: bytes = PREFIX
    withdrawn: bytes = b""
    tail: bytes = b""
    excess: int = 0  #: how much longer than it is the block of attributes claims to be

    def octets(self) -> bytes:
        """The message, header and all."""
        block = b"".join(attribute(*one) for one in self.attributes) + self.tail
        lengths = len(self.withdrawn).to_bytes(2, "big"), (len(block) + self.excess).to_bytes(2, "big")
        return with_header(MessageType.UPDATE, lengths[0] + self.withdrawn + lengths[1] + block + self.nlri)

    def index(self, code: int) -> int | None:
        """Where the first attribute of a code is."""
        return next((at for at, one in enumerate(self.attributes) if one.code == code), None)

    def change(self, code: int, **fields: object) -> Draft | None:
        """With fields of the first attribute of a code replaced; None where there is none."""
        at = self.index(code)
        if at is None:
            return None
        changed = self.attributes[at]._replace(**fields)  # type: ignore[arg-type]  # whatever the fault wants
        return replace(self, attributes=(*self.attributes[:at], changed, *self.attributes[at + 1 :]))

    def without(self, code: int) -> Draft | None:
        """Without the attributes of a code; None where there are none."""
        kept = tuple(one for one in self.attributes if one.code != code)
        return None if len(kept) == len(self.attributes) else replace(self, attributes=kept)

    def with_more(self, *more: Attribute) -> Draft:
        """With more attributes, after the others."""
        return replace(self, attributes=self.attributes + more)


@dataclass(frozen=True, slots=True)
class Fault:
    """A way to spoil an UPDATE. `spoil` takes octets to do it with, and gives None where there is nothing to spoil."""

    name: str
    allowed: Allowed
    spoil: Callable[[Draft, bytes], Draft | None]
    order: int = 0  #: -1: it undoes what others have done before it; 1: what comes after it cannot be read


@dataclass(frozen=True, slots=True)
class Probe:
    """Octets to send and the outcomes that are right; `faults` in words."""

    octets: bytes
    allowed: Allowed
    faults: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Between:
    """What two ends of a session are: whose AS numbers and which next hop a right UPDATE has."""

    asn: int
    peer_asn: int
    next_hop: IPv4Address

    @property
    def context(self) -> Context:
        """How the other side reads what we send."""
        internal = self.asn == self.peer_asn
        return Context(peering="internal" if internal else "external", peer_asn=self.asn)


def plain(between: Between, community: int) -> Draft:
    """A right UPDATE, told by a community."""
    path = b"" if between.asn == between.peer_asn else b"\2\1" + between.asn.to_bytes(4, "big")
    found = [
        Attribute(0x40, Code.ORIGIN, b"\0"),
        Attribute(0x40, Code.AS_PATH, path),
        Attribute(0x40, Code.NEXT_HOP, between.next_hop.packed),
        Attribute(0xC0, Code.COMMUNITIES, community.to_bytes(4, "big")),
    ]
    if between.asn == between.peer_asn:
        found.insert(3, Attribute(0x40, Code.LOCAL_PREF, b"\0\0\0\x64"))
    return Draft(tuple(found))


def worst(faults: Iterable[Fault]) -> Allowed:
    """What may come of several faults at once (RFC 7606 3 h)."""
    allowed = [fault.allowed for fault in faults]
    if not all(allowed):
        return ANYTHING
    for level in (ENDED, WITHDRAWN):
        (worst_outcome,) = level
        if level in allowed:
            return level
        if any(worst_outcome in one for one in allowed):
            return frozenset().union(*allowed, TAKEN)
    return TAKEN


# The ways.


def _wrong_length(code: int) -> Callable[[Draft, bytes], Draft | None]:
    row = ATTRIBUTES[code]

    def spoil(draft: Draft, octets: bytes) -> Draft | None:
        if row.sizes(len(octets), Context(peering="external")):
            return None
        return draft.change(code, value=octets)

    return spoil


def _wrong_flags(code: int) -> Callable[[Draft, bytes], Draft | None]:
    kind = ATTRIBUTES[code].kind

    def spoil(draft: Draft, octets: bytes) -> Draft | None:
        change = 0x40 << (octets[0] & 1 if octets else 0)
        return draft.change(code, flags=kind ^ change)

    return spoil


def _segment(kind: int | None, count: int | None, *, more: bytes = b"") -> Callable[[Draft, bytes], Draft | None]:
    """AS_PATH with another segment type or count, or with octets after it."""

    def spoil(draft: Draft, octets: bytes) -> Draft | None:
        at = draft.index(Code.AS_PATH)
        if at is None or not draft.attributes[at].value:
            return None
        value = draft.attributes[at].value
        head = bytes((value[0] if kind is None else kind, value[1] if count is None else count))
        return draft.change(Code.AS_PATH, value=head + value[2:] + more)

    return spoil


def _again(code: int) -> Callable[[Draft, bytes], Draft | None]:
    def spoil(draft: Draft, octets: bytes) -> Draft | None:
        return (
            draft.with_more(Attribute(ATTRIBUTES[code].kind, code, octets)) if draft.index(code) is not None else None
        )

    return spoil


def _overrun(draft: Draft, octets: bytes) -> Draft | None:
    return replace(draft, tail=bytes((0xC0, 99, min(255, len(octets) + 1))) + octets[:200])


#: Attributes that every speaker reads, so that an error in them cannot be passed on unseen.
_READ_BY_ALL: Final = (1, 2, 3, 4, 7, 8, 16)
_READ_BY_MOST: Final = (6, 9, 10, 32)


def _about(code: int) -> list[Fault]:
    """The faults that one attribute can have, by the table of attributes."""
    row = ATTRIBUTES[code]
    name = row.code.name
    length, flags = OF_REACTION[row.reaction], OF_REACTION[row.flags_reaction]
    if row.refused is not None:
        # From an external peer it is dropped whatever it holds; whether its flags are looked at first is nowhere said.
        length, flags = TAKEN, TAKEN | WITHDRAWN
    found = [Fault(f"{name} with wrong flags", flags, _wrong_flags(code))]
    if code != Code.AS_PATH:
        found.append(Fault(f"{name} of the wrong length", length, _wrong_length(code)))
        found.append(Fault(f"{name} twice", TAKEN, _again(code)))
    return found


def _missing(code: Code) -> Fault:
    return Fault(f"{code.name} missing", WITHDRAWN, lambda draft, _: draft.without(code))


FAULTS: Final[tuple[Fault, ...]] = (
    *(fault for code in (*_READ_BY_ALL, *_READ_BY_MOST) for fault in _about(code)),
    *map(_missing, (Code.ORIGIN, Code.AS_PATH, Code.NEXT_HOP)),
    Fault("ORIGIN above 2", WITHDRAWN, lambda draft, octets: draft.change(1, value=bytes((3 + len(octets) % 250,)))),
    Fault("AS_PATH with a segment of type 0", WITHDRAWN, _segment(0, None)),
    Fault("AS_PATH with a segment of type 5", WITHDRAWN, _segment(5, None)),
    Fault("AS_PATH with an empty segment", WITHDRAWN, _segment(None, None, more=b"\2\0")),
    Fault("AS_PATH that overruns", WITHDRAWN, _segment(None, 200)),
    Fault("AS_PATH with an octet left over", WITHDRAWN, _segment(None, None, more=b"\2")),
    Fault("AS_PATH with AS 0", WITHDRAWN, _segment(None, None, more=b"\2\1\0\0\0\0")),
    Fault("a block without attributes", WITHDRAWN, lambda draft, _: replace(draft, attributes=()), order=-1),
    Fault("an unknown transitive attribute", TAKEN, lambda draft, octets: draft.with_more(Attribute(0xC0, 99, octets))),
    Fault(
        "an unknown attribute that is not transitive",
        TAKEN,
        lambda draft, octets: draft.with_more(Attribute(0x80, 98, octets)),
    ),
    Fault("an unknown well-known attribute", ENDED, lambda draft, octets: draft.with_more(Attribute(0x40, 97, octets))),
    Fault("low flag bits", TAKEN, lambda draft, _: replace(draft, tail=bytes((0xCF, 96, 0)))),
    Fault("a prefix of 33 bits", ENDED, lambda draft, _: replace(draft, nlri=draft.nlri + b"\x21" + bytes(5))),
    Fault(
        "a prefix cut off",
        ENDED,
        lambda draft, _: replace(draft, nlri=draft.nlri + b"\x18\xc6"),
        order=1,
    ),
    Fault(
        "a withdrawn prefix of 33 bits",
        ENDED,
        lambda draft, _: replace(draft, withdrawn=draft.withdrawn + b"\x21" + bytes(5)),
    ),
    Fault("the prefix withdrawn as well", TAKEN, lambda draft, _: replace(draft, withdrawn=PREFIX + draft.withdrawn)),
    Fault("host bits", TAKEN, lambda draft, _: replace(draft, nlri=draft.nlri + b"\x14\xc6\x12\xff")),
    Fault("a multicast prefix as well", TAKEN, lambda draft, _: replace(draft, nlri=draft.nlri + b"\x08\xe0")),
    Fault("an attribute that runs past the block", WITHDRAWN, _overrun, order=1),
    Fault("an attribute's header cut off", WITHDRAWN, lambda draft, _: replace(draft, tail=b"\xc0\x08"), order=1),
    Fault("a block that runs past the message", ENDED, lambda draft, _: replace(draft, excess=1000), order=1),
)
