"""Multicast VPN routes (RFC 6514 4), not looked into. All of it is the key.

- 1 octet  Route Type: 1 to 7; a session discards others (RFC 7606 5.4)
- 1 octet  Length, in octets
- n octets what the type has
"""

from __future__ import annotations

from typing import Final

import construct as c

from bgp.wire.fields import U8
from bgp.wire.nlri.kind import Kind, fields_of, key_alone
from rib.mvpn import McastVpnRoute

#: RFC 6514 4: Source Tree Join.
LAST_TYPE: Final = 7

ROUTE: Final = fields_of(McastVpnRoute, c.Struct("type" / U8, "octets" / c.Prefixed(U8, c.GreedyBytes)))


def split(octets: bytes, at: int, end: int, withdrawn: bool) -> tuple[int, bytes, bytes] | None:
    """A route as a key."""
    if end - at < 2:
        return None
    after = at + 2 + octets[at + 1]
    if after > end:
        return None
    return after, octets[at:after] if 1 <= octets[at] <= LAST_TYPE else b"", b""


MCAST_VPN: Final = Kind(ROUTE, ROUTE, McastVpnRoute.parse, split, key_alone)
