"""ROUTE-REFRESH (RFC 2918 3, RFC 7313 3.2): 2 octets AFI, 1 octet subtype, 1 octet SAFI, then ORFs (RFC 5291 5.2)."""

from __future__ import annotations

from typing import Final

import construct as c

from bgp.error import PeerError
from bgp.iana import MessageType, NotificationCode, RouteRefreshSubcode, RouteRefreshSubtype
from bgp.message import RouteRefresh
from bgp.wire.fields import U8, U16, build, parse
from bgp.wire.header import MAX_EXTENDED_MESSAGE, with_header
from rib.family import Family

REFRESH: Final = c.Struct("afi" / U16, "subtype" / U8, "safi" / U8, "orf" / c.GreedyBytes)
#: Octets of a body without ORFs, the only one that RFC 7313's markers may have.
PLAIN: Final = 4


def decode_refresh(body: bytes, *, enhanced: bool = False) -> RouteRefresh:
    """The message in `body`, which the header check found long enough.

    Raises PeerError 7/1 for a marker of the wrong length where enhanced route refresh was negotiated (RFC 7313 5).
    """
    found = parse(REFRESH, body)
    if enhanced and found.subtype in (RouteRefreshSubtype.BEGIN, RouteRefreshSubtype.END) and len(body) != PLAIN:
        raise PeerError(
            NotificationCode.ROUTE_REFRESH_MESSAGE_ERROR,
            RouteRefreshSubcode.INVALID_MESSAGE_LENGTH,
            with_header(MessageType.ROUTE_REFRESH, body, MAX_EXTENDED_MESSAGE),
            f"ROUTE-REFRESH of subtype {found.subtype} with {len(body) - PLAIN} octets too many",
        )
    return RouteRefresh(Family(found.afi, found.safi), found.subtype, found.orf)


def encode_refresh(message: RouteRefresh) -> bytes:
    """The body of `message`. Raises Malformed for a subtype above 255."""
    afi, safi = message.family
    return build(REFRESH, {"afi": afi, "subtype": message.subtype, "safi": safi, "orf": message.orf})
