"""Route target membership (RFC 4684 4). All of it is the key.

- 1 octet    Length in bits: 0 for all route targets, else 32 to 96
- 4 octets   Origin AS
- 0-8 octets the first octets of a route target; bits beyond the length mean nothing and are cleared
"""

from __future__ import annotations

from typing import Any, Final

import construct as c

from bgp.wire.fields import U8, U32, value_of
from bgp.wire.nlri.kind import Kind, key_alone
from bgp.wire.prefixes import HOST_BITS
from rib.route_target import ALL_BITS, ORIGIN_BITS, RouteTargetMembership


def _is_length(bits: int, _: object) -> bool:
    return bits == 0 or ORIGIN_BITS <= bits <= ALL_BITS


def _decoded(found: Any) -> RouteTargetMembership:
    if found.origin is None:
        return RouteTargetMembership()
    bits = found.bits - ORIGIN_BITS
    target = bytearray(found.target)
    if bits % 8:
        target[-1] &= ~HOST_BITS[bits % 8]
    return RouteTargetMembership(found.origin, bytes(target), bits)


def _encoded(value: RouteTargetMembership) -> dict[str, object]:
    bits = 0 if value.origin is None else ORIGIN_BITS + value.bits
    return {"bits": bits, "origin": value.origin, "target": value.target}


MEMBERSHIP: Final = value_of(
    c.Struct(
        "bits" / c.ExprValidator(U8, _is_length),
        "origin" / c.If(lambda this: this.bits, U32),
        "target" / c.Bytes(lambda this: max(0, this.bits - ORIGIN_BITS + 7) // 8),
    ),
    _decoded,
    _encoded,
)


def split(octets: bytes, at: int, end: int, withdrawn: bool) -> tuple[int, bytes, bytes] | None:
    """A membership as a key."""
    bits = octets[at]
    after = at + 1 + (bits + 7) // 8
    if after > end or not (bits == 0 or ORIGIN_BITS <= bits <= ALL_BITS):
        return None
    key = octets[at:after]
    if bits & 7:
        key = key[:-1] + bytes((key[-1] & ~HOST_BITS[bits & 7],))
    return after, key, b""


ROUTE_TARGETS: Final = Kind(MEMBERSHIP, MEMBERSHIP, RouteTargetMembership.parse, split, key_alone)
