"""NOTIFICATION (RFC 4271 4.5): 1 octet error code, 1 octet error subcode, data."""

from __future__ import annotations

from typing import Final

import construct as c

from bgp.message import Notification
from bgp.wire.fields import U8, build, parse

NOTIFICATION: Final = c.Struct("code" / U8, "subcode" / U8, "data" / c.GreedyBytes)


def decode_notification(body: bytes) -> Notification:
    """The message in `body`, which the header check found long enough. Any code is taken: there is no answer to it."""
    found = parse(NOTIFICATION, body)
    return Notification(found.code, found.subcode, found.data)


def encode_notification(message: Notification) -> bytes:
    """The body of `message`. Raises Malformed for a code or subcode above 255."""
    return build(NOTIFICATION, {"code": message.code, "subcode": message.subcode, "data": message.data})
