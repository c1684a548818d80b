"""VPLS routes (RFC 4761 3.2.2, RFC 6074 3.2.2.1). What is bound to the key: the size of a block and its label base.

- 2 octets Length in octets: 17, or 12 for a member found by discovery
- 8 octets Route Distinguisher
- 2 octets VE ID            or 4 octets PE address
- 2 octets VE Block Offset
- 2 octets VE Block Size
- 3 octets Label Base

A route of another length is malformed within its length.
"""

from __future__ import annotations

from typing import Any, Final

import construct as c

from bgp.wire.fields import IPV4, U16, build, parse, value_of
from bgp.wire.nlri.kind import MALFORMED, Kind, delimited, fields_of, one_of
from bgp.wire.nlri.labelled import RD
from rib.vpls import VplsBlock, VplsMember, VplsRoute

BLOCK_SIZE: Final = 17
MEMBER_SIZE: Final = 12
#: Of a block: where its size stands, behind RD, VE ID and offset.
_BOUND_AT: Final = 12

_BLOCK: Final = fields_of(VplsBlock, c.Struct("rd" / RD, "ve" / U16, "offset" / U16, "size" / U16, "base" / c.Int24ub))
_MEMBER: Final = fields_of(VplsMember, c.Struct("rd" / RD, "ip" / IPV4))
FRAME: Final = c.Prefixed(U16, c.GreedyBytes)


def _decoded(octets: bytes) -> VplsRoute:
    route: VplsRoute = parse(_MEMBER if len(octets) == MEMBER_SIZE else _BLOCK, octets)
    return route


def _encoded(route: Any) -> bytes:
    return build(_MEMBER if isinstance(route, VplsMember) else _BLOCK, route)


ROUTE: Final = delimited(FRAME, value_of(FRAME, _decoded, _encoded))


def split(octets: bytes, at: int, end: int, withdrawn: bool) -> tuple[int, bytes, bytes] | None:
    """A route as key and binding."""
    if end - at < 2:
        return None
    size = octets[at] << 8 | octets[at + 1]
    at += 2
    after = at + size
    if after > end:
        return None
    if size == MEMBER_SIZE:
        return after, bytes((size,)) + octets[at:after], b""
    if size != BLOCK_SIZE:
        return after, b"", MALFORMED
    return after, bytes((size,)) + octets[at : at + _BOUND_AT], b"" if withdrawn else octets[at + _BOUND_AT : after]


def join(key: bytes, binding: bytes) -> bytes:
    """The route of a key and what is bound to it."""
    bound = binding or bytes(BLOCK_SIZE - _BOUND_AT) if key[0] == BLOCK_SIZE else b""
    return b"\0" + key + bound


VPLS: Final = Kind(ROUTE, ROUTE, one_of(VplsBlock, VplsMember), split, join)
