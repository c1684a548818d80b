"""THE table of path attributes: for each one its flags, which values are legal, what a malformed one costs (RFC 7606), codec.

    1 octet       Flags: Optional, Transitive, Partial, Extended Length, four unused
    1 octet       Type code
    1 or 2 octets Length of the value
    n octets      Value

`check` judges the octets of one attribute. The scanner of the hot path and the construct-declared codec both ask it, so it
uses no construct; a property test holds that what it lets through the codec can read, and the other way round.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, NamedTuple

import construct as c

from bgp.error import Reaction, UpdateError
from bgp.iana import AttributeCode as Code
from bgp.iana import NotificationCode
from bgp.iana import UpdateSubcode as Subcode
from bgp.message import AttributeValue
from bgp.wire.context import Context
from bgp.wire.fields import IPV4, U8, U16, U32, ListOf, Malformed, build, parse, value_of
from bgp.wire.nlri import decode_mp_reach, decode_mp_unreach, encode_mp_reach, encode_mp_unreach
from bgp.wire.spelling import attribute
from rib.as_path import AsPath, Segment
from rib.attributes import Aggregator, Origin
from rib.community import Community, ExtendedCommunity, LargeCommunity

OPTIONAL: Final = 0x80
TRANSITIVE: Final = 0x40
#: The flags that say what kind of attribute it is; the others may be anything (RFC 4271 4.3).
KIND: Final = OPTIONAL | TRANSITIVE
WELL_KNOWN: Final = TRANSITIVE
BOTH: Final = OPTIONAL | TRANSITIVE

#: Says whether a value's length is right in a context.
Sizes = Callable[[int, Context], bool]
#: Says what else is wrong with a value of the right length, with the subcode for it.
Fault = Callable[[bytes, Context], tuple[Subcode, str] | None]


class Row(NamedTuple):
    """All that there is to know of one attribute."""

    code: Code
    kind: int  #: the Optional and Transitive flags that it must have
    reaction: Reaction  #: to a malformed value
    sizes: Sizes
    codec: Callable[[Context], c.Construct] | None  #: None: read by nobody here, kept as octets
    fault: Fault | None = None
    flags_reaction: Reaction = Reaction.TREAT_AS_WITHDRAW  #: RFC 7606 3 c
    subcode: Subcode = Subcode.ATTRIBUTE_LENGTH_ERROR  #: for a value of the wrong length
    refused: Callable[[Context], bool] | None = None  #: sessions on which it is discarded whatever it holds


def exactly(size: int) -> Sizes:
    """That many octets."""
    return lambda length, _: length == size


def multiple(size: int) -> Sizes:
    """A whole number of elements, at least one (RFC 7606 4: only some attributes may be empty)."""
    return lambda length, _: length > 0 and length % size == 0


def any_size(length: int, context: Context) -> bool:
    """Whatever there is; `fault` looks into it."""
    return True


def not_empty(length: int, context: Context) -> bool:
    """RFC 7606 4."""
    return length > 0


def asn_size(context: Context) -> int:
    """Octets of an AS number in AS_PATH and AGGREGATOR (RFC 6793 4)."""
    return 4 if context.as4 else 2


def _from_external(context: Context) -> bool:
    return context.peering == "external"


def _from_four_octet_peer(context: Context) -> bool:
    return context.as4 and context.peering is not None


def _origin_fault(value: bytes, context: Context) -> tuple[Subcode, str] | None:
    return None if value[0] <= 2 else (Subcode.INVALID_ORIGIN_ATTRIBUTE, f"ORIGIN {value[0]}")


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


def _path_fault(value: bytes, context: Context) -> tuple[Subcode, str] | None:
    """AS_PATH: RFC 7606 7.2, RFC 7607 2, RFC 5065 5, RFC 4271 6.3 (first AS)."""
    size = asn_size(context)
    wrong = _segments_fault(value, size)
    if wrong is not None:
        return Subcode.MALFORMED_AS_PATH, f"AS_PATH: {wrong}"
    at = 0
    while at < len(value):
        end = at + 2 + size * value[at + 1]
        if value[at] > 2 and context.peering == "external":
            return Subcode.MALFORMED_AS_PATH, "AS_PATH: a confederation segment from outside the confederation"
        if any(not any(value[i : i + size]) for i in range(at + 2, end, size)):
            return Subcode.MALFORMED_AS_PATH, "AS_PATH: AS number 0"
        at = end
    if context.enforce_first_as and context.peering == "external":
        first = int.from_bytes(value[2 : 2 + size], "big") if value and value[0] == 2 else None
        expected = context.peer_asn
        if first != expected and not (size == 2 and expected is not None and expected > 65535 and first == 23456):
            return Subcode.MALFORMED_AS_PATH, f"AS_PATH begins with {first}, not with the peer's AS {expected}"
    return None


def _as4_path_fault(value: bytes, context: Context) -> tuple[Subcode, str] | None:
    wrong = "it is too short" if len(value) < 6 else _segments_fault(value, 4)
    return None if wrong is None else (Subcode.OPTIONAL_ATTRIBUTE_ERROR, f"AS4_PATH: {wrong}")


def _aggregator_fault(value: bytes, context: Context) -> tuple[Subcode, str] | None:
    return None if any(value[:-4]) else (Subcode.OPTIONAL_ATTRIBUTE_ERROR, "AGGREGATOR with AS number 0 (RFC 7607)")


def _path_codec(size: int) -> c.Construct:
    segment = c.Struct("type" / U8, "asns" / c.PrefixedArray(U8, U32 if size == 4 else U16))
    return value_of(
        ListOf(segment),
        lambda found: AsPath(tuple(Segment(one.type, tuple(one.asns)) for one in found)),
        lambda path: [{"type": one.type, "asns": one.asns} for one in path.segments],
    )


def _aggregator_codec(size: int) -> c.Construct:
    return value_of(
        c.Struct("asn" / (U32 if size == 4 else U16), "address" / IPV4),
        lambda found: Aggregator(found.asn, found.address),
        lambda aggregator: aggregator._asdict(),
    )


def _tuple_of(element: c.Construct, decode: Callable[[Any], Any], encode: Callable[[Any], Any]) -> c.Construct:
    return value_of(
        ListOf(element), lambda found: tuple(decode(one) for one in found), lambda values: [encode(v) for v in values]
    )


_PATHS: Final = {size: _path_codec(size) for size in (2, 4)}
_AGGREGATORS: Final = {size: _aggregator_codec(size) for size in (2, 4)}
_ORIGIN: Final = value_of(U8, Origin, int)
_PRESENT: Final = value_of(c.Bytes(0), lambda _: True, lambda _: b"")
_COMMUNITIES: Final = _tuple_of(U32, Community, int)
_EXT_COMMUNITIES: Final = _tuple_of(c.Bytes(8), ExtendedCommunity, bytes)
_LARGE_COMMUNITIES: Final = _tuple_of(c.Array(3, U32), lambda numbers: LargeCommunity(*numbers), list)
_ADDRESSES: Final = _tuple_of(IPV4, lambda address: address, lambda address: address)

_W: Final = Reaction.TREAT_AS_WITHDRAW
_D: Final = Reaction.ATTRIBUTE_DISCARD
_R: Final = Reaction.SESSION_RESET
_O: Final = Subcode.OPTIONAL_ATTRIBUTE_ERROR

# fmt: off
ATTRIBUTES: Final[dict[int, Row]] = {
    row.code: row
    for row in (
        Row(Code.ORIGIN, WELL_KNOWN, _W, exactly(1), lambda _: _ORIGIN, _origin_fault),
        Row(Code.AS_PATH, WELL_KNOWN, _W, any_size, lambda context: _PATHS[asn_size(context)], _path_fault),
        Row(Code.NEXT_HOP, WELL_KNOWN, _W, exactly(4), lambda _: IPV4),
        Row(Code.MULTI_EXIT_DISC, OPTIONAL, _W, exactly(4), lambda _: U32),
        Row(Code.LOCAL_PREF, WELL_KNOWN, _W, exactly(4), lambda _: U32, refused=_from_external),
        Row(Code.ATOMIC_AGGREGATE, WELL_KNOWN, _D, exactly(0), lambda _: _PRESENT),
        Row(Code.AGGREGATOR, BOTH, _D, lambda length, context: length == 4 + asn_size(context),
            lambda context: _AGGREGATORS[asn_size(context)], _aggregator_fault),
        Row(Code.COMMUNITIES, BOTH, _W, multiple(4), lambda _: _COMMUNITIES, subcode=_O),
        Row(Code.ORIGINATOR_ID, OPTIONAL, _W, exactly(4), lambda _: IPV4, subcode=_O, refused=_from_external),
        Row(Code.CLUSTER_LIST, OPTIONAL, _W, multiple(4), lambda _: _ADDRESSES, subcode=_O, refused=_from_external),
        Row(Code.MP_REACH_NLRI, OPTIONAL, _R, lambda length, _: length >= 5, None, subcode=_O, flags_reaction=_R),
        Row(Code.MP_UNREACH_NLRI, OPTIONAL, _R, lambda length, _: length >= 3, None, subcode=_O, flags_reaction=_R),
        Row(Code.EXTENDED_COMMUNITIES, BOTH, _W, multiple(8), lambda _: _EXT_COMMUNITIES, subcode=_O),
        Row(Code.AS4_PATH, BOTH, _D, any_size, lambda _: _PATHS[4], _as4_path_fault, refused=_from_four_octet_peer),
        Row(Code.AS4_AGGREGATOR, BOTH, _D, exactly(8), lambda _: _AGGREGATORS[4], _aggregator_fault, subcode=_O,
            refused=_from_four_octet_peer),
        Row(Code.PMSI_TUNNEL, BOTH, _W, not_empty, None, subcode=_O),
        Row(Code.TUNNEL_ENCAPSULATION, BOTH, _W, not_empty, None, subcode=_O),
        Row(Code.TRAFFIC_ENGINEERING, OPTIONAL, _W, not_empty, None, subcode=_O),
        Row(Code.IPV6_EXTENDED_COMMUNITIES, BOTH, _W, multiple(20), None, subcode=_O),
        Row(Code.AIGP, OPTIONAL, _D, not_empty, None, subcode=_O, flags_reaction=_D),
        Row(Code.BGP_LS, OPTIONAL, _D, any_size, None, subcode=_O, flags_reaction=_D),
        Row(Code.LARGE_COMMUNITIES, BOTH, _W, multiple(12), lambda _: _LARGE_COMMUNITIES, subcode=_O),
        Row(Code.ONLY_TO_CUSTOMER, BOTH, _W, exactly(4), lambda _: U32, subcode=_O),
        Row(Code.PREFIX_SID, BOTH, _D, lambda length, _: length >= 3, None, subcode=_O, flags_reaction=_D),
    )
}
# fmt: on


def check(code: int, flags: int, value: bytes, context: Context) -> UpdateError | None:
    """What is wrong with one path attribute (RFC 4271 6.3, RFC 7606 3, 4, 7), or None.

    An attribute that is to be dropped for where it comes from is reported like a malformed one: attribute discard.
    """
    row = ATTRIBUTES.get(code)
    if row is None:
        if flags & OPTIONAL:
            return None
        if not flags & TRANSITIVE:
            # RFC 4271 4.3: no attribute is well-known and not transitive, so the flags are wrong, whatever it is.
            reason = f"attribute {code} with flags {flags:#04x}"
            return _error(code, flags, value, _W, Subcode.ATTRIBUTE_FLAGS_ERROR, reason)
        reason = f"attribute {code} is not optional and unknown"
        return _error(code, flags, value, Reaction.SESSION_RESET, Subcode.UNRECOGNIZED_WELL_KNOWN_ATTRIBUTE, reason)
    if row.refused is not None and row.refused(context):
        return _error(
            code, flags, value, Reaction.ATTRIBUTE_DISCARD, _O, f"{name_of(code)} does not belong on this session"
        )
    if flags & KIND != row.kind:
        reason = f"{name_of(code)} with flags {flags:#04x}"
        subcode = _O if row.flags_reaction is _R else Subcode.ATTRIBUTE_FLAGS_ERROR
        return _error(code, flags, value, row.flags_reaction, subcode, reason)
    if not row.sizes(len(value), context):
        return _error(code, flags, value, row.reaction, row.subcode, f"{name_of(code)} of {len(value)} octets")
    fault = row.fault(value, context) if row.fault is not None else None
    return None if fault is None else _error(code, flags, value, row.reaction, *fault)


def name_of(code: int) -> str:
    """An attribute's name as in RFC 4271: MULTI_EXIT_DISC, or "attribute 200"."""
    row = ATTRIBUTES.get(code)
    return f"attribute {code}" if row is None else row.code.name


def _error(code: int, flags: int, value: bytes, reaction: Reaction, subcode: Subcode, reason: str) -> UpdateError:
    octets = attribute(flags, code, value)
    return UpdateError(reaction, NotificationCode.UPDATE_MESSAGE_ERROR, subcode, octets, reason, code)


def decode_value(code: int, value: bytes, context: Context) -> AttributeValue:
    """The value of an attribute; its octets where nobody here reads them. Raises Malformed."""
    if code == Code.MP_REACH_NLRI:
        return decode_mp_reach(value, context)
    if code == Code.MP_UNREACH_NLRI:
        return decode_mp_unreach(value, context)
    row = ATTRIBUTES.get(code)
    if row is None or row.codec is None:
        return value
    found: AttributeValue = parse(row.codec(context), value)
    return found


def encode_value(code: int, value: AttributeValue, context: Context) -> bytes:
    """The octets of an attribute's value. Raises Malformed for a value that the attribute cannot have."""
    if isinstance(value, bytes):
        return value
    if code == Code.MP_REACH_NLRI:
        return encode_mp_reach(value, context)  # type: ignore[arg-type]  # a wrong type fails there
    if code == Code.MP_UNREACH_NLRI:
        return encode_mp_unreach(value, context)  # type: ignore[arg-type]  # likewise
    row = ATTRIBUTES.get(code)
    if row is None or row.codec is None:
        raise Malformed(f"{name_of(code)} takes octets, not {value!r}")
    return build(row.codec(context), value)
