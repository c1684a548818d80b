"""Link state (RFC 9552 5.2). All of it is the key.

- 2 octets NLRI Type
- 2 octets Total NLRI Length, in octets
- 8 octets Route Distinguisher, in BGP-LS-VPN
- 1 octet  Protocol-ID                        of the types that are known here;
- 8 octets Identifier                         others are kept, and passed on, in octets (RFC 9552 5.2)
- rest     descriptors: TLVs of 2 octets of type, 2 of length, a value

TLVs are kept in the order in which they come; those in a node descriptor too. They nest no deeper.
"""

from __future__ import annotations

from typing import Any, Final

import construct as c

from bgp.wire.fields import U8, U16, ListOf, build, parse, value_of
from bgp.wire.nlri.kind import MALFORMED, Kind, Split, delimited, key_alone
from bgp.wire.nlri.labelled import RD, RD_SIZE
from rib.link_state import NODE_DESCRIPTORS, LinkStateNlri, LinkStateType, Tlv

#: Octets of type and length, of an NLRI and of a TLV.
HEADER: Final = 4
#: Protocol-ID and Identifier.
FIXED: Final = 9

_PLAIN: Final = value_of(
    c.Struct("type" / U16, "octets" / c.Prefixed(U16, c.GreedyBytes)),
    lambda found: Tlv(found.type, found.octets),
    lambda tlv: {"type": tlv.type, "octets": tlv.octets},
)
_INSIDE: Final = ListOf(_PLAIN)


def _tlv(found: Tlv) -> Tlv:
    return Tlv(found.type, b"", tuple(parse(_INSIDE, found.octets))) if found.type in NODE_DESCRIPTORS else found


def _flat(tlv: Tlv) -> Tlv:
    return Tlv(tlv.type, build(_INSIDE, tlv.inside)) if tlv.type in NODE_DESCRIPTORS and not tlv.octets else tlv


TLV: Final = value_of(_PLAIN, _tlv, _flat)
_BODY: Final = c.Struct("protocol" / U8, "identifier" / c.Int64ub, "descriptors" / ListOf(TLV))
FRAME: Final = c.Struct("type" / U16, "body" / c.Prefixed(U16, c.GreedyBytes))


def _nlri(vpn: bool) -> c.Construct:
    head = RD_SIZE if vpn else 0

    def decoded(found: Any) -> LinkStateNlri:
        rd = parse(RD, found.body[:head]) if vpn else None
        rest = found.body[head:]
        if found.type not in list(LinkStateType):
            return LinkStateNlri(found.type, octets=rest, rd=rd)
        body = parse(_BODY, rest)
        return LinkStateNlri(found.type, body.protocol, body.identifier, tuple(body.descriptors), b"", rd)

    def encoded(value: LinkStateNlri) -> dict[str, object]:
        if (value.rd is not None) is not vpn:
            raise ValueError(f"{value} {'is not' if vpn else 'is'} of a VPN")
        known = value.type in list(LinkStateType)
        fields = {"protocol": value.protocol, "identifier": value.identifier, "descriptors": value.descriptors}
        return {"type": value.type, "body": (value.rd or b"") + (build(_BODY, fields) if known else value.octets)}

    return delimited(FRAME, value_of(FRAME, decoded, encoded))


def _splitter(head: int) -> Split:
    def split(octets: bytes, at: int, end: int, withdrawn: bool) -> tuple[int, bytes, bytes] | None:
        if end - at < HEADER:
            return None
        kind = octets[at] << 8 | octets[at + 1]
        start = at + HEADER
        after = start + (octets[at + 2] << 8 | octets[at + 3])
        if after > end:
            return None
        start += head
        if kind in _KNOWN:
            start += FIXED
        if start > after or (kind in _KNOWN and not _are_tlvs(octets, start, after, True)):
            return after, b"", MALFORMED
        return after, octets[at:after], b""

    return split


_KNOWN: Final = frozenset(map(int, LinkStateType))


def _are_tlvs(octets: bytes, at: int, end: int, outer: bool) -> bool:
    """Whether octets[at:end] is TLVs, and those in node descriptors are."""
    while at < end:
        if end - at < HEADER:
            return False
        kind = octets[at] << 8 | octets[at + 1]
        start = at + HEADER
        at = start + (octets[at + 2] << 8 | octets[at + 3])
        if at > end or (outer and kind in NODE_DESCRIPTORS and not _are_tlvs(octets, start, at, False)):
            return False
    return True


def _kind(vpn: bool) -> Kind:
    element = _nlri(vpn)
    return Kind(element, element, LinkStateNlri.parse, _splitter(RD_SIZE if vpn else 0), key_alone)


LINK_STATE: Final = _kind(False)
VPN_LINK_STATE: Final = _kind(True)
