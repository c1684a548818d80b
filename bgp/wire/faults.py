"""What can be wrong with the value of a path attribute besides its length (RFC 4271 6.3, RFC 7606 7).

The hot path asks the first ones of every block that is new, so they use no construct. Those of rarer attributes ask the
declaration: what it cannot read is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import construct as c

from bgp.attribute import Aigp, BfdDiscriminator, DomainPath, PrefixSid
from bgp.error import Reaction
from bgp.iana import AS_TRANS
from bgp.iana import UpdateSubcode as Subcode
from bgp.wire.context import Context
from bgp.wire.fields import Malformed, parse
from bgp.wire.segment_routing import PREFIX_SID, prefix_sid_problem
from bgp.wire.values import AIGP, D_PATH

_OPTIONAL: Final = Subcode.OPTIONAL_ATTRIBUTE_ERROR


class Wrong(NamedTuple):
    """The NOTIFICATION subcode for a value, why, and the reaction where it is not that of the attribute's row."""

    subcode: Subcode
    reason: str
    reaction: Reaction | None = None


#: Says what is wrong with a value of the right length.
Fault = Callable[[bytes, Context], Wrong | None]


def asn_size(context: Context) -> int:
    """Octets of an AS number in AS_PATH and AGGREGATOR (RFC 6793 4)."""
    return 4 if context.as4 else 2


def origin_fault(value: bytes, context: Context) -> Wrong | None:
    """RFC 7606 7.1."""
    return None if value[0] <= 2 else Wrong(Subcode.INVALID_ORIGIN_ATTRIBUTE, f"ORIGIN {value[0]}")


def _segments_fault(value: bytes, size: int) -> str | None:
    """What is wrong with the shape of path segments (RFC 7606 7.2)."""
    at, end = 0, len(value)
    while at < end:
        if end - at < 2:
            return "a path segment's header is cut off"
        kind, count = value[at], value[at + 1]
        if not 1 <= kind <= 4:
            return f"path segment type {kind}"
        if count == 0:
            return "a path segment of no AS numbers"
        at += 2 + size * count
        if at > end:
            return f"a path segment of {count} AS numbers runs past the attribute"
    return None


def path_fault(value: bytes, context: Context) -> Wrong | None:
    """AS_PATH: RFC 7606 7.2, RFC 7607 2, RFC 5065 5, RFC 4271 6.3 (first AS)."""
    size = asn_size(context)
    wrong = _segments_fault(value, size)
    if wrong is not None:
        return Wrong(Subcode.MALFORMED_AS_PATH, f"AS_PATH: {wrong}")
    outside = context.peering == "external"
    # The octets are searched first: they can only mislead towards looking closer.
    if bytes(size) in value or (outside and (b"\3" in value or b"\4" in value)):
        at = 0
        while at < len(value):
            end = at + 2 + size * value[at + 1]
            if value[at] > 2 and outside:
                return Wrong(
                    Subcode.MALFORMED_AS_PATH, "AS_PATH: a confederation segment from outside the confederation"
                )
            if any(not any(value[i : i + size]) for i in range(at + 2, end, size)):
                return Wrong(Subcode.MALFORMED_AS_PATH, "AS_PATH: AS number 0")
            at = end
    if context.peering == "confederation" and value[:1] != b"\3":
        return Wrong(
            Subcode.MALFORMED_AS_PATH, "AS_PATH: another member of the confederation begins with AS_CONFED_SEQUENCE"
        )
    if context.enforce_first_as and outside:
        first = int.from_bytes(value[2 : 2 + size], "big") if value and value[0] == 2 else None
        expected = context.peer_asn
        if first != expected and not (size == 2 and expected is not None and expected > 65535 and first == AS_TRANS):
            return Wrong(Subcode.MALFORMED_AS_PATH, f"AS_PATH begins with {first}, not with the peer's AS {expected}")
    return None


def as4_path_fault(value: bytes, context: Context) -> Wrong | None:
    """RFC 6793 6."""
    wrong = "it is too short" if len(value) < 6 else _segments_fault(value, 4)
    return None if wrong is None else Wrong(_OPTIONAL, f"AS4_PATH: {wrong}")


def aggregator_fault(value: bytes, context: Context) -> Wrong | None:
    """RFC 7607 2."""
    return None if any(value[:-4]) else Wrong(_OPTIONAL, "AGGREGATOR with AS number 0 (RFC 7607)")


def declared(declaration: c.Construct) -> Fault:
    """Whatever the declaration cannot read is wrong."""

    def fault(value: bytes, context: Context) -> Wrong | None:
        found = _read(declaration, value)
        return found if isinstance(found, Wrong) else None

    return fault


def judged(name: str, declaration: c.Construct, why: Callable[[Any], str | None]) -> Fault:
    """What the declaration cannot read is wrong, and what `why` has something to say of."""

    def fault(value: bytes, context: Context) -> Wrong | None:
        found = _read(declaration, value)
        if isinstance(found, Wrong):
            return found
        reason = why(found)
        return None if reason is None else Wrong(_OPTIONAL, f"{name}: {reason}")

    return fault


def bfd_problem(value: BfdDiscriminator) -> str | None:
    """RFC 9026 3.1.6: the Source IP Address TLV has an address."""
    wrong = next((one for one in value.tlvs if one.type == 1 and len(one.value) not in (4, 16)), None)
    return None if wrong is None else f"a source address of {len(wrong.value)} octets"


def _read(declaration: c.Construct, value: bytes) -> Any:
    try:
        return parse(declaration, value)
    except Malformed as error:
        return Wrong(_OPTIONAL, str(error))


def aigp_fault(value: bytes, context: Context) -> Wrong | None:
    """RFC 7311 3: the metric has eight octets."""
    found: Aigp | Wrong = _read(AIGP, value)
    if isinstance(found, Wrong):
        return found
    wrong = next((one for one in found.tlvs if one.type == 1 and len(one.value) != 8), None)
    return None if wrong is None else Wrong(_OPTIONAL, f"an AIGP metric of {len(wrong.value)} octets")


def domain_path_fault(value: bytes, context: Context) -> Wrong | None:
    """draft-ietf-bess-evpn-ipvpn-interworking 4: every segment names a domain."""
    found: DomainPath | Wrong = _read(D_PATH, value)
    if isinstance(found, Wrong):
        return found
    return None if all(found.segments) else Wrong(_OPTIONAL, "D_PATH: a segment without a domain")


def prefix_sid_fault(value: bytes, context: Context) -> Wrong | None:
    """RFC 8669 6: the attribute is discarded; RFC 9252 7: an error in an SRv6 service takes the route away."""
    found: PrefixSid | Wrong = _read(PREFIX_SID, value)
    if isinstance(found, Wrong):
        return found
    problem = prefix_sid_problem(found)
    if problem is None:
        return None
    reaction = Reaction.TREAT_AS_WITHDRAW if problem[1] else None
    return Wrong(_OPTIONAL, f"PREFIX_SID: {problem[0]}", reaction)
