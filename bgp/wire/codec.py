"""Whole messages: octets to values and back, without a session."""

from __future__ import annotations

from typing import assert_never

from bgp.error import LocalError, PeerError, Reaction
from bgp.iana import HeaderSubcode, MessageType, NotificationCode
from bgp.message import TYPES, Keepalive, Message, Notification, Open, RouteRefresh, Update
from bgp.wire.context import DEFAULT, Context
from bgp.wire.fields import Malformed
from bgp.wire.header import HEADER_LENGTH, MAX_EXTENDED_MESSAGE, MAX_MESSAGE, check_header, with_header
from bgp.wire.notification import decode_notification, encode_notification
from bgp.wire.open import decode_open, encode_open
from bgp.wire.refresh import decode_refresh, encode_refresh
from bgp.wire.update import decode_update, encode_update, worst


def read(octets: bytes, context: Context = DEFAULT) -> Message:
    """The one message that `octets` are, an UPDATE with all its errors: see `Update.errors`.

    Raises PeerError where there is no message to be had.
    """
    longest = MAX_EXTENDED_MESSAGE if context.extended else MAX_MESSAGE
    if len(octets) < HEADER_LENGTH:
        raise PeerError(
            NotificationCode.MESSAGE_HEADER_ERROR,
            HeaderSubcode.BAD_MESSAGE_LENGTH,
            len(octets).to_bytes(2, "big"),
            f"{len(octets)} octets; a message has at least {HEADER_LENGTH}",
        )
    length, kind = check_header(octets, longest)
    if length != len(octets):
        raise PeerError(
            NotificationCode.MESSAGE_HEADER_ERROR,
            HeaderSubcode.BAD_MESSAGE_LENGTH,
            octets[16:18],
            f"a message of {length} octets in {len(octets)}",
        )
    body = octets[HEADER_LENGTH:]
    match kind:
        case MessageType.OPEN:
            return decode_open(body)
        case MessageType.UPDATE:
            return decode_update(body, context)
        case MessageType.NOTIFICATION:
            return decode_notification(body)
        case MessageType.ROUTE_REFRESH:
            return decode_refresh(body)
        case _:
            return Keepalive()


def decode(octets: bytes, context: Context = DEFAULT) -> Message:
    """The one message that `octets` are. Raises PeerError, and nothing else, for what must end a session.

    What RFC 7606 lets a session survive is in `Update.errors`.
    """
    message = read(octets, context)
    if isinstance(message, Update):
        error = worst(message.errors)
        if error is not None and error.reaction is Reaction.SESSION_RESET:
            raise PeerError(error.code, error.subcode, error.data, error.reason)
    return message


def encode(message: Message, context: Context = DEFAULT) -> bytes:
    """The octets of `message`, header and all. Raises LocalError for what cannot be said; nothing is cut short."""
    longest = MAX_EXTENDED_MESSAGE if context.extended and not isinstance(message, Open) else MAX_MESSAGE
    try:
        return with_header(TYPES[type(message)], _body(message, context), longest)
    except Malformed as error:
        raise LocalError(str(error)) from error


def _body(message: Message, context: Context) -> bytes:
    match message:
        case Open():
            return encode_open(message)
        case Update():
            return encode_update(message, context)
        case Notification():
            return encode_notification(message)
        case Keepalive():
            return b""
        case RouteRefresh():
            return encode_refresh(message)
        case _:
            assert_never(message)
