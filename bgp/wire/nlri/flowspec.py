"""Flow specifications (RFC 8955 4, RFC 8956 3).

- 1 octet or 2  Length in octets: below 240 in one, else 0xF and 12 bits
- 8 octets      Route Distinguisher, in VPN families (RFC 8955 8)
- rest          components, by type in strict order, each

    - 1 octet   Type
    - n octets  a prefix; or pairs of operator and operand, of which the operator of the last has the end bit

An IPv6 prefix has, after its length, the number of bits to skip, and only the bits between these two (RFC 8956 3.1).

Cleared where they are set, as they mean nothing: reserved bits of operators and of fragment operands, the and bit of a
first operator, bits behind a prefix. A length below 240 in two octets goes out in one. All of it is the key.
"""

from __future__ import annotations

from ipaddress import IPv6Address
from typing import Any, Final

import construct as c

from bgp.wire.fields import U8, ListOf, build, parse, value_of
from bgp.wire.nlri.kind import MALFORMED, Kind, Split, delimited, key_alone
from bgp.wire.nlri.labelled import RD, RD_SIZE
from bgp.wire.nlri.prefix import IPV4_PREFIX
from bgp.wire.prefixes import HOST_BITS, STEP4
from rib.family import Afi
from rib.flowspec import (
    ANY_SIZE,
    BITS,
    MAX_FLOW_SPEC,
    SIZES,
    FlowComponent,
    FlowMatch,
    FlowPrefix,
    FlowSpec,
    FlowType,
    PartialPrefix,
    Term,
    VpnFlowSpec,
)
from rib.prefix import Prefix

END: Final = 0x80
AND: Final = 0x40
#: The bits of an operator that say how many octets its operand has.
SIZE_BITS: Final = {1: 0x00, 2: 0x10, 4: 0x20, 8: 0x30}
#: What counts of an operator's low bits: lt, gt, eq; or not, m (RFC 8955 4.2.1).
NUMERIC_BITS: Final = 0x07
MASK_BITS: Final = 0x03
#: RFC 8955 4.1: lengths from here on take two octets.
LONG: Final = 0xF0
#: What counts of a fragment operand: RFC 8955 4.2.2.12; without DF in IPv6 (RFC 8956 3.6).
FRAGMENT_BITS: Final = {Afi.IPV4: 0x0F, Afi.IPV6: 0x0E}
LAST_TYPE: Final = {Afi.IPV4: FlowType.FRAGMENT, Afi.IPV6: FlowType.FLOW_LABEL}


def _size(operator: int) -> int:
    """Octets of the operand (RFC 8955 4.2.1.1)."""
    return 1 << (operator >> 4 & 3)


PAIRS: Final = c.RepeatUntil(
    lambda pair, found, _: bool(pair["operator"] & END),
    c.Struct("operator" / U8, "operand" / c.BytesInteger(lambda this: _size(this.operator))),
)


def _match(afi: Afi, kind: FlowType) -> c.Construct:
    bits = MASK_BITS if kind in BITS else NUMERIC_BITS
    mask = FRAGMENT_BITS[afi] if kind is FlowType.FRAGMENT else -1

    def decoded(pairs: Any) -> FlowMatch:
        terms: list[Term] = []
        for pair in pairs:
            is_and = bool(terms and pair.operator & AND)
            terms.append(Term(pair.operator & bits, pair.operand & mask, _size(pair.operator), is_and))
        return FlowMatch(kind, tuple(terms))

    def encoded(match: FlowMatch) -> list[dict[str, int]]:
        pairs = []
        for term in match.terms:
            if term.operand & ~mask & 0xFF and mask > 0:
                raise ValueError(f"{match}: {term.operand:#x} has bits that mean nothing in AFI {afi}")
            operator = term.comparison | SIZE_BITS[term.size] | (AND if term.is_and else 0)
            pairs.append({"operator": operator, "operand": term.operand})
        pairs[-1]["operator"] |= END
        return pairs

    return value_of(PAIRS, decoded, encoded)


#: The comparisons of a component, by its type; those of IPv4 where the two families differ.
PAIRS_OF: Final = {kind: _match(Afi.IPV4, kind) for kind in FlowType if kind > FlowType.SOURCE}


def _partial(found: Any) -> Prefix | PartialPrefix:
    length, offset = found.length, found.offset
    bits = length - offset
    pattern = int.from_bytes(found.pattern, "big") >> -bits % 8
    address = IPv6Address(pattern << 128 - length)
    if offset:
        return PartialPrefix(address, offset, length)
    return Prefix.from_nlri(Afi.IPV6, bytes((length,)) + address.packed[: (length + 7) // 8])


def _partial_octets(prefix: Prefix | PartialPrefix) -> dict[str, object]:
    if isinstance(prefix, Prefix):
        return {"length": prefix.length, "offset": 0, "pattern": prefix.nlri[1:]}
    bits = prefix.length - prefix.offset
    pattern = int(prefix.address) >> 128 - prefix.length << -bits % 8
    return {"length": prefix.length, "offset": prefix.offset, "pattern": pattern.to_bytes((bits + 7) // 8, "big")}


IPV6_PART: Final = value_of(
    c.Struct(
        "length" / c.ExprValidator(U8, lambda length, _: length <= 128),
        "offset" / c.ExprValidator(U8, lambda offset, this: offset < this.length or offset == this.length == 0),
        "pattern" / c.Bytes(lambda this: (this.length - this.offset + 7) // 8),
    ),
    _partial,
    _partial_octets,
)


def _of_afi(afi: Afi, prefix: Prefix | PartialPrefix) -> Prefix | PartialPrefix:
    if (prefix.afi if isinstance(prefix, Prefix) else Afi.IPV6) != afi:
        raise ValueError(f"{prefix} in a flow specification of AFI {afi}")
    return prefix


def _prefix(afi: Afi, kind: FlowType) -> c.Construct:
    return value_of(
        IPV4_PREFIX if afi == Afi.IPV4 else IPV6_PART,
        lambda prefix: FlowPrefix(kind, prefix),
        lambda component: _of_afi(afi, component.prefix),
    )


def _component(afi: Afi) -> c.Construct:
    kinds = {kind: _match(afi, kind) for kind in FlowType if FlowType.SOURCE < kind <= LAST_TYPE[afi]}
    kinds |= {kind: _prefix(afi, kind) for kind in (FlowType.DESTINATION, FlowType.SOURCE)}
    known = c.OneOf(U8, [int(kind) for kind in kinds])
    return value_of(
        c.Struct("type" / known, "body" / c.Switch(lambda this: this.type, kinds)),
        lambda found: found.body,
        lambda component: {"type": int(component.type), "body": component},
    )


#: Of one octet below 240, else of two with 0xF in front.
LENGTH: Final = value_of(
    c.Struct("first" / U8, "second" / c.If(lambda this: this.first >= LONG, U8)),
    lambda found: found.first if found.second is None else (found.first & 0x0F) << 8 | found.second,
    lambda length: (
        {"first": length, "second": None} if length < LONG else {"first": LONG | length >> 8, "second": length & 0xFF}
    ),
)


FRAME: Final = c.Prefixed(LENGTH, c.GreedyBytes)


def _flow_spec(afi: Afi, vpn: bool) -> c.Construct:
    components = ListOf(_component(afi))
    body = c.Struct("rd" / RD, "components" / components) if vpn else c.Struct("components" / components)

    def decoded(octets: bytes) -> FlowSpec | VpnFlowSpec:
        found = parse(body, octets)
        parts: tuple[FlowComponent, ...] = tuple(found.components)
        return VpnFlowSpec(found.rd, parts) if vpn else FlowSpec(parts)

    def encoded(value: FlowSpec | VpnFlowSpec) -> bytes:
        if isinstance(value, VpnFlowSpec) is not vpn:
            raise ValueError(f"{value} {'is not' if vpn else 'is'} of a VPN")
        octets = build(body, {"rd": getattr(value, "rd", None), "components": value.components})
        if len(octets) > MAX_FLOW_SPEC:
            raise ValueError(f"a flow specification of {len(octets)} octets; {MAX_FLOW_SPEC} fit")
        return octets

    return delimited(FRAME, value_of(FRAME, decoded, encoded))


def _splitter(afi: Afi, head: int) -> Split:
    def split(octets: bytes, at: int, end: int, withdrawn: bool) -> tuple[int, bytes, bytes] | None:
        size = octets[at]
        at += 1
        if size >= LONG:
            if at == end:
                return None
            size = (size & 0x0F) << 8 | octets[at]
            at += 1
        after = at + size
        if after > end:
            return None
        body = bytearray(octets[at:after])
        if size <= head or not _clean(body, head, afi):
            return after, b"", MALFORMED
        length = bytes((size,)) if size < LONG else bytes((LONG | size >> 8, size & 0xFF))
        return after, length + body, b""

    return split


def _clean(body: bytearray, at: int, afi: Afi) -> bool:
    """Clear what means nothing in the components of body[at:]; gives False where they are malformed."""
    end, last = len(body), 0
    while at < end:
        kind = body[at]
        if not last < kind <= LAST_TYPE[afi]:
            return False
        last = kind
        at += 1
        if kind <= FlowType.SOURCE:
            found = _clean_prefix4(body, at) if afi == Afi.IPV4 else _clean_prefix6(body, at)
        else:
            found = _clean_pairs(body, at, kind, afi)
        if found is None:
            return False
        at = found
    return True


def _clean_prefix4(body: bytearray, at: int) -> int | None:
    if at >= len(body):
        return None
    bits = body[at]
    after = at + STEP4[bits]
    if after > len(body):
        return None
    body[after - 1] &= ~HOST_BITS[bits & 7] & 0xFF if bits & 7 else 0xFF
    return after


def _clean_prefix6(body: bytearray, at: int) -> int | None:
    if at + 2 > len(body):
        return None
    length, offset = body[at], body[at + 1]
    if length > 128 or not (offset < length or offset == length == 0):
        return None
    bits = length - offset
    after = at + 2 + (bits + 7) // 8
    if after > len(body):
        return None
    if bits & 7:
        body[after - 1] &= ~HOST_BITS[bits & 7] & 0xFF
    return after


def _clean_pairs(body: bytearray, at: int, kind: int, afi: Afi) -> int | None:
    end = len(body)
    legal = SIZES.get(FlowType(kind), ANY_SIZE)
    kept = 0xF0 | (MASK_BITS if kind in BITS else NUMERIC_BITS)
    mask = kept & ~AND
    while at < end:
        operator = body[at]
        size = _size(operator)
        body[at] = operator & mask
        mask = kept
        at += 1
        if size not in legal or at + size > end:
            return None
        if kind == FlowType.FRAGMENT:
            body[at] &= FRAGMENT_BITS[afi]
        at += size
        if operator & END:
            return at
    return None


def _kind(afi: Afi, vpn: bool) -> Kind:
    element = _flow_spec(afi, vpn)
    parse = VpnFlowSpec.parse if vpn else FlowSpec.parse
    return Kind(element, element, parse, _splitter(afi, RD_SIZE if vpn else 0), key_alone)


FLOWSPEC4: Final = _kind(Afi.IPV4, False)
FLOWSPEC6: Final = _kind(Afi.IPV6, False)
VPN_FLOWSPEC4: Final = _kind(Afi.IPV4, True)
VPN_FLOWSPEC6: Final = _kind(Afi.IPV6, True)
