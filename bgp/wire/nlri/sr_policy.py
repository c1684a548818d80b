"""Segment routing policies (RFC 9830 2.1). All of it is the key.

- 1 octet       Length in bits: 96 or, for IPv6, 192
- 4 octets      Distinguisher
- 4 octets      Color
- 4 or 16 octets Endpoint
"""

from __future__ import annotations

from typing import Final

import construct as c

from bgp.wire.fields import IPV4, IPV6, U8, U32
from bgp.wire.nlri.kind import Kind, Split, fields_of, key_alone
from rib.sr_policy import SrPolicy


def _kind(bits: int, address: c.Construct) -> Kind:
    element = fields_of(
        SrPolicy, c.Struct(c.Const(bits, U8), "distinguisher" / U32, "color" / U32, "endpoint" / address)
    )
    return Kind(element, element, SrPolicy.parse, _splitter(bits), key_alone)


def _splitter(bits: int) -> Split:
    size = 1 + bits // 8

    def split(octets: bytes, at: int, end: int, withdrawn: bool) -> tuple[int, bytes, bytes] | None:
        after = at + size
        if octets[at] != bits or after > end:
            return None
        return after, octets[at:after], b""

    return split


SR_POLICY4: Final = _kind(96, IPV4)
SR_POLICY6: Final = _kind(192, IPV6)
