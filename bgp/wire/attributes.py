"""THE table of path attributes: for each one its flags, which values are legal, what a malformed one costs (RFC 7606), codec.

    1 octet       Flags: Optional, Transitive, Partial, Extended Length, four unused
    1 octet       Type code
    1 or 2 octets Length of the value
    n octets      Value

`check` judges the octets of one attribute. The scanner of the hot path and the construct-declared codec both ask it, so for
what every route has it uses no construct; a property test holds that what it lets through the codec can read, and the
other way round.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

import construct as c

from bgp.error import Reaction, UpdateError
from bgp.iana import AttributeCode as Code
from bgp.iana import NotificationCode
from bgp.iana import UpdateSubcode as Subcode
from bgp.message import AttributeSet, AttributeValue, PathAttribute
from bgp.wire import rare, values
from bgp.wire.codes import EXTENDED_LENGTH, OPTIONAL, TRANSITIVE
from bgp.wire.context import DEFAULT, Context
from bgp.wire.faults import (
    Fault,
    Wrong,
    aggregator_fault,
    aigp_fault,
    as4_path_fault,
    asn_size,
    bfd_problem,
    declared,
    domain_path_fault,
    judged,
    origin_fault,
    path_fault,
    prefix_sid_fault,
)
from bgp.wire.fields import IPV4, U8, U16, U32, Malformed, build, parse
from bgp.wire.link_state import LINK_STATE
from bgp.wire.nlri import decode_mp_reach, decode_mp_unreach, encode_mp_reach, encode_mp_unreach
from bgp.wire.segment_routing import PREFIX_SID
from bgp.wire.spelling import attribute, split
from bgp.wire.tunnel import PMSI_TUNNEL, TUNNEL_ENCAPSULATION, pmsi_problem

#: The flags that say what kind of attribute it is; the others may be anything (RFC 4271 4.3).
KIND: Final = OPTIONAL | TRANSITIVE
WELL_KNOWN: Final = TRANSITIVE
BOTH: Final = OPTIONAL | TRANSITIVE

#: Says whether a value's length is right in a context.
Sizes = Callable[[int, Context], bool]


class Row(NamedTuple):
    """All that there is to know of one attribute."""

    code: Code
    kind: int  #: the Optional and Transitive flags that it must have
    reaction: Reaction  #: to a malformed value
    sizes: Sizes
    codec: Callable[[Context], c.Construct] | None  #: None: read by nobody here, kept as octets
    rfc: str  #: where it is defined, and where what is wrong with it
    fault: Fault | None = None
    flags_reaction: Reaction = Reaction.TREAT_AS_WITHDRAW  #: RFC 7606 3 c
    subcode: Subcode = Subcode.ATTRIBUTE_LENGTH_ERROR  #: for a value of the wrong length
    refused: Callable[[Context], bool] | None = None  #: sessions on which it is discarded whatever it holds
    internal_only: bool = False  #: does not leave the AS

    @property
    def is_passed_on(self) -> bool:
        """Whether routes keep it: transitive ones, and those that a family cannot do without."""
        return bool(self.kind & TRANSITIVE) or self.code == Code.BGP_LS


def exactly(size: int) -> Sizes:
    """That many octets."""
    return lambda length, _: length == size


def multiple(size: int) -> Sizes:
    """A whole number of elements, at least one (RFC 7606 4: only some attributes may be empty)."""
    return lambda length, _: length > 0 and length % size == 0


def at_least(size: int) -> Sizes:
    """That many octets or more; `fault` looks into them."""
    return lambda length, _: length >= size


def any_size(length: int, context: Context) -> bool:
    """Whatever there is; `fault` looks into it."""
    return True


def _from_external(context: Context) -> bool:
    return context.peering == "external"


def _from_four_octet_peer(context: Context) -> bool:
    return context.as4 and context.peering is not None


def _always(codec: c.Construct) -> Callable[[Context], c.Construct]:
    return lambda _: codec


def _attribute_set_fault(value: bytes, context: Context) -> Wrong | None:
    try:
        decode_attribute_set(value)
    except Malformed as error:
        return Wrong(Subcode.OPTIONAL_ATTRIBUTE_ERROR, f"ATTR_SET: {error}")
    return None


_W: Final = Reaction.TREAT_AS_WITHDRAW
_D: Final = Reaction.ATTRIBUTE_DISCARD
_R: Final = Reaction.SESSION_RESET
_O: Final = Subcode.OPTIONAL_ATTRIBUTE_ERROR

# fmt: off
ATTRIBUTES: Final[dict[int, Row]] = {
    row.code: row
    for row in (
        Row(Code.ORIGIN, WELL_KNOWN, _W, exactly(1), _always(values.ORIGIN), "4271 4.3 a, 7606 7.1", origin_fault),
        Row(Code.AS_PATH, WELL_KNOWN, _W, any_size, lambda context: values.PATHS[asn_size(context)],
            "4271 4.3 b, 5065 3, 7606 7.2", path_fault),
        Row(Code.NEXT_HOP, WELL_KNOWN, _W, exactly(4), _always(IPV4), "4271 4.3 c, 7606 7.3"),
        Row(Code.MULTI_EXIT_DISC, OPTIONAL, _W, exactly(4), _always(U32), "4271 4.3 d, 7606 7.4"),
        Row(Code.LOCAL_PREF, WELL_KNOWN, _W, exactly(4), _always(U32), "4271 4.3 e, 7606 7.5", refused=_from_external),
        Row(Code.ATOMIC_AGGREGATE, WELL_KNOWN, _D, exactly(0), _always(values.PRESENT), "4271 4.3 f, 7606 7.6"),
        Row(Code.AGGREGATOR, BOTH, _D, lambda length, context: length == 4 + asn_size(context),
            lambda context: values.AGGREGATORS[asn_size(context)], "4271 4.3 g, 7606 7.7", aggregator_fault),
        Row(Code.COMMUNITIES, BOTH, _W, multiple(4), _always(values.COMMUNITIES), "1997, 7606 7.8", subcode=_O),
        Row(Code.ORIGINATOR_ID, OPTIONAL, _W, exactly(4), _always(IPV4), "4456 8, 7606 7.9", subcode=_O,
            refused=_from_external),
        Row(Code.CLUSTER_LIST, OPTIONAL, _W, multiple(4), _always(values.ADDRESSES), "4456 8, 7606 7.10", subcode=_O,
            refused=_from_external),
        Row(Code.MP_REACH_NLRI, OPTIONAL, _R, at_least(5), None, "4760 3, 7606 7.11", subcode=_O, flags_reaction=_R),
        Row(Code.MP_UNREACH_NLRI, OPTIONAL, _R, at_least(3), None, "4760 4, 7606 7.12", subcode=_O, flags_reaction=_R),
        Row(Code.EXTENDED_COMMUNITIES, BOTH, _W, multiple(8), _always(values.EXT_COMMUNITIES), "4360 2, 7606 7.14",
            subcode=_O),
        Row(Code.AS4_PATH, BOTH, _D, any_size, _always(values.PATHS[4]), "6793 3, 6793 6", as4_path_fault,
            refused=_from_four_octet_peer),
        Row(Code.AS4_AGGREGATOR, BOTH, _D, exactly(8), _always(values.AGGREGATORS[4]), "6793 3, 6793 6",
            aggregator_fault, subcode=_O, refused=_from_four_octet_peer),
        Row(Code.PMSI_TUNNEL, BOTH, _W, at_least(5), _always(PMSI_TUNNEL), "6514 5, 7385 4",
            judged("PMSI_TUNNEL", PMSI_TUNNEL, pmsi_problem), subcode=_O),
        Row(Code.TUNNEL_ENCAPSULATION, BOTH, _W, at_least(4), _always(TUNNEL_ENCAPSULATION), "9012 2, 9012 13",
            declared(TUNNEL_ENCAPSULATION), subcode=_O),
        Row(Code.TRAFFIC_ENGINEERING, OPTIONAL, _W, at_least(1), None, "5543 3, 7606 7.13", subcode=_O),
        Row(Code.IPV6_EXTENDED_COMMUNITIES, BOTH, _W, multiple(20), _always(values.IPV6_EXT_COMMUNITIES),
            "5701 2, 7606 7.15", subcode=_O),
        Row(Code.AIGP, OPTIONAL, _D, at_least(3), _always(values.AIGP), "7311 3", aigp_fault, subcode=_O,
            flags_reaction=_D, refused=_from_external, internal_only=True),
        Row(Code.PE_DISTINGUISHER_LABELS, BOTH, _W, at_least(7), _always(rare.PE_LABELS), "6514 8",
            declared(rare.PE_LABELS), subcode=_O),
        Row(Code.BGP_LS, OPTIONAL, _D, any_size, _always(LINK_STATE), "9552 5.3, 9552 8.2.2", declared(LINK_STATE),
            subcode=_O, flags_reaction=_D),
        Row(Code.LARGE_COMMUNITIES, BOTH, _W, multiple(12), _always(values.LARGE_COMMUNITIES), "8092 3, 8092 6",
            subcode=_O),
        Row(Code.BGPSEC_PATH, OPTIONAL, _W, at_least(2), _always(rare.BGPSEC_PATH), "8205 3, 8205 5.2",
            judged("BGPSEC_PATH", rare.BGPSEC_PATH, rare.bgpsec_problem), subcode=_O),
        Row(Code.ONLY_TO_CUSTOMER, BOTH, _W, exactly(4), _always(U32), "9234 5", subcode=_O),
        Row(Code.D_PATH, BOTH, _W, at_least(1), _always(values.D_PATH), "draft-ietf-bess-evpn-ipvpn-interworking 4",
            domain_path_fault, subcode=_O),
        Row(Code.SFP, BOTH, _W, at_least(3), _always(rare.SERVICE_PATH), "9015 3.2.1",
            judged("SFP", rare.SERVICE_PATH, rare.service_path_problem), subcode=_O),
        Row(Code.BFD_DISCRIMINATOR, BOTH, _D, at_least(11), _always(values.BFD_DISCRIMINATOR), "9026 3.1.6",
            judged("BFD_DISCRIMINATOR", values.BFD_DISCRIMINATOR, bfd_problem), subcode=_O),
        Row(Code.NEXT_HOP_CHARACTERISTICS, BOTH, _D, at_least(4), _always(rare.NEXT_HOP_CHARACTERISTICS),
            "draft-ietf-idr-nhc 2", declared(rare.NEXT_HOP_CHARACTERISTICS), subcode=_O),
        Row(Code.PREFIX_SID, BOTH, _D, at_least(3), _always(PREFIX_SID), "8669 3, 8669 6, 9252 7", prefix_sid_fault,
            subcode=_O, flags_reaction=_D),
        Row(Code.BIER, BOTH, _D, at_least(4), _always(rare.BIER), "9793 3, 9793 4",
            judged("BIER", rare.BIER, rare.bier_problem), subcode=_O),
        Row(Code.ATTR_SET, BOTH, _W, at_least(4), None, "6368 5, 7606 7.16", _attribute_set_fault, subcode=_O),
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
    if fault is None:
        return None
    return _error(code, flags, value, fault.reaction or row.reaction, fault.subcode, fault.reason)


def name_of(code: int) -> str:
    """An attribute's name as in the RFCs: MULTI_EXIT_DISC, or "attribute 200"."""
    return Code(code).name if code in _CODES else f"attribute {code}"


_CODES: Final = frozenset(Code)


def _error(code: int, flags: int, value: bytes, reaction: Reaction, subcode: Subcode, reason: str) -> UpdateError:
    octets = attribute(flags, code, value)
    return UpdateError(reaction, NotificationCode.UPDATE_MESSAGE_ERROR, subcode, octets, reason, code)


def decode_value(code: int, value: bytes, context: Context) -> AttributeValue:
    """The value of an attribute; its octets where nobody here reads them. Raises Malformed."""
    match code:
        case Code.MP_REACH_NLRI:
            return decode_mp_reach(value, context)
        case Code.MP_UNREACH_NLRI:
            return decode_mp_unreach(value, context)
        case Code.ATTR_SET:
            return decode_attribute_set(value)
    row = ATTRIBUTES.get(code)
    if row is None or row.codec is None:
        return value
    found: AttributeValue = parse(row.codec(context), value)
    return found


def encode_value(code: int, value: AttributeValue, context: Context) -> bytes:
    """The octets of an attribute's value. Raises Malformed for a value that the attribute cannot have."""
    if isinstance(value, bytes):
        return value
    match code:
        case Code.MP_REACH_NLRI:
            return encode_mp_reach(value, context)  # type: ignore[arg-type]  # a wrong type fails there
        case Code.MP_UNREACH_NLRI:
            return encode_mp_unreach(value, context)  # type: ignore[arg-type]  # likewise
        case Code.ATTR_SET if isinstance(value, AttributeSet):
            return encode_attribute_set(value)
    row = ATTRIBUTES.get(code)
    if row is None or row.codec is None:
        raise Malformed(f"{name_of(code)} takes octets, not {value!r}")
    return build(row.codec(context), value)


ATTRIBUTE: Final = c.Struct(
    "flags" / U8,
    "code" / U8,
    "value"
    / c.IfThenElse(
        lambda this: this.flags & EXTENDED_LENGTH, c.Prefixed(U16, c.GreedyBytes), c.Prefixed(U8, c.GreedyBytes)
    ),
)


def encode_attribute(one: PathAttribute, context: Context) -> bytes:
    """Header and value; the length takes two octets where it must or where the flags say so. Raises Malformed."""
    value = encode_value(one.code, one.value, context)
    flags = one.flags | EXTENDED_LENGTH if len(value) > 255 else one.flags
    return build(ATTRIBUTE, {"flags": flags, "code": one.code, "value": value})


#: Attributes that stay octets within ATTR_SET: RFC 6368 5 wants none of them there, and sets within sets have no end.
OPAQUE_WITHIN: Final = frozenset({Code.MP_REACH_NLRI, Code.MP_UNREACH_NLRI, Code.ATTR_SET})


def decode_attribute_set(octets: bytes) -> AttributeSet:
    """ATTR_SET (RFC 6368 5): 4 octets origin AS, then attributes with AS numbers of 4 octets. Raises Malformed."""
    found, left = split(octets[4:])
    if left or len(octets) < 4:
        raise Malformed(f"{len(left) or len(octets)} octets that are no attribute")
    attributes = []
    for flags, code, value in found:
        if code in OPAQUE_WITHIN:
            attributes.append(PathAttribute(flags, code, value))
            continue
        wrong = check(code, flags, value, DEFAULT)
        if wrong is not None:
            raise Malformed(wrong.reason)
        attributes.append(PathAttribute(flags, code, decode_value(code, value, DEFAULT)))
    return AttributeSet(int.from_bytes(octets[:4], "big"), tuple(attributes))


def encode_attribute_set(value: AttributeSet) -> bytes:
    """The octets of ATTR_SET. Raises Malformed."""
    inside = (encode_attribute(one, DEFAULT) for one in value.attributes)
    return build(U32, value.asn) + b"".join(inside)
