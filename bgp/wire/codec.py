"""Whole messages: octets to values and back, without a session."""

from __future__ import annotations

from typing import Final, assert_never

from bgp.error import LocalError, PeerError, Reaction
from bgp.iana import HeaderSubcode, MessageType, NotificationCode
from bgp.message import TYPES, Keepalive, Message, Notification, Open, RouteRefresh, Update
from bgp.wire.context import DEFAULT, Context
from bgp.wire.decoder import UpdateDecoder
from bgp.wire.fields import Malformed
from bgp.wire.header import check_header, with_header
from bgp.wire.notification import decode_notification, encode_notification
from bgp.wire.open import decode_open, encode_open
from bgp.wire.refresh import decode_refresh, encode_refresh
from bgp.wire.sizes import HEADER_LENGTH, LEAST_UPDATE, MARKER, MAX_EXTENDED_MESSAGE, MAX_MESSAGE
from bgp.wire.update import encode_update, worst

UPDATE: Final = int(MessageType.UPDATE)


class Decoder:
    """Octets to messages, those of one session or of one file: what is said again and again is read once."""

    def __init__(self, context: Context = DEFAULT) -> None:
        self.context = context
        self._longest = MAX_EXTENDED_MESSAGE if context.extended else MAX_MESSAGE
        self._updates = UpdateDecoder(context)

    def read(self, octets: bytes) -> Message:
        """The one message that `octets` are, an UPDATE with all its errors: see `Update.errors`.

        Raises PeerError where there is no message to be had.
        """
        size = len(octets)
        if size < HEADER_LENGTH:
            raise _bad_length(size, f"{size} octets; a message has at least {HEADER_LENGTH}")
        if (
            octets[18] == UPDATE
            and LEAST_UPDATE <= size <= self._longest
            and octets[:18] == MARKER + size.to_bytes(2, "big")
        ):
            return self._updates.decode(octets[HEADER_LENGTH:])
        length, kind = check_header(octets, self._longest)
        if length != size:
            raise _bad_length(length, f"a message of {length} octets in {size}")
        body = octets[HEADER_LENGTH:]
        match kind:  # UPDATEs have been seen to
            case MessageType.OPEN:
                return decode_open(body)
            case MessageType.NOTIFICATION:
                return decode_notification(body)
            case MessageType.ROUTE_REFRESH:
                return decode_refresh(body)
            case _:
                return Keepalive()

    def decode(self, octets: bytes) -> Message:
        """The one message that `octets` are. Raises PeerError, and nothing else, for what must end a session.

        What RFC 7606 lets a session survive is in `Update.errors`.
        """
        message = self.read(octets)
        if isinstance(message, Update) and message.errors:
            error = worst(message.errors)
            if error is not None and error.reaction is Reaction.SESSION_RESET:
                raise PeerError(error.code, error.subcode, error.data, error.reason)
        return message


def _bad_length(length: int, reason: str) -> PeerError:
    octets = length.to_bytes(2, "big")
    return PeerError(NotificationCode.MESSAGE_HEADER_ERROR, HeaderSubcode.BAD_MESSAGE_LENGTH, octets, reason)


def read(octets: bytes, context: Context = DEFAULT) -> Message:
    """What `Decoder.read` gives, of a single message."""
    return Decoder(context).read(octets)


def decode(octets: bytes | bytearray | memoryview, context: Context = DEFAULT) -> Message:
    """What `Decoder.decode` gives, of a single message."""
    return Decoder(context).decode(bytes(octets))


def encode(message: Message, context: Context = DEFAULT) -> bytes:
    """The octets of `message`, header and all. Raises LocalError for what cannot be said; nothing is cut short."""
    if type(message) not in TYPES:
        raise LocalError(f"{message!r} is no BGP message")
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
