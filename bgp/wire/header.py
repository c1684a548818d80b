"""The header of every message (RFC 4271 4.1, RFC 8654).

- 16 octets  Marker, all ones
-  2 octets  Length, of the whole message
-  1 octet   Type
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import construct as c

from bgp.error import LocalError, PeerError
from bgp.iana import HeaderSubcode, MessageType, NotificationCode
from bgp.wire.fields import U8, U16, build, parse
from bgp.wire.sizes import HEADER_LENGTH, LEAST_UPDATE, MARKER, MAX_EXTENDED_MESSAGE, MAX_MESSAGE

#: Headers that are remembered. There are few: all KEEPALIVEs have the same one.
REMEMBERED: Final = 64

HEADER: Final = c.Struct("marker" / c.Bytes(16), "length" / U16, "type" / U8)
#: The shortest and the longest that a message of each type can be (RFC 4271 4, RFC 2918 3, RFC 8654 3).
LENGTHS: Final[dict[int, tuple[int, int]]] = {
    MessageType.OPEN: (29, MAX_MESSAGE),
    MessageType.UPDATE: (LEAST_UPDATE, MAX_EXTENDED_MESSAGE),
    MessageType.NOTIFICATION: (21, MAX_EXTENDED_MESSAGE),
    MessageType.KEEPALIVE: (HEADER_LENGTH, HEADER_LENGTH),
    MessageType.ROUTE_REFRESH: (23, MAX_EXTENDED_MESSAGE),
}


def check_header(octets: bytes, longest: int) -> tuple[int, int]:
    """(length, type) of the header in the first 19 octets. Raises PeerError 1/1, 1/2 or 1/3 (RFC 4271 6.1).

    `longest` is the longest message that this session may carry.
    """
    return _check(octets[:HEADER_LENGTH], longest)


@lru_cache(maxsize=REMEMBERED)
def _check(octets: bytes, longest: int) -> tuple[int, int]:
    header = parse(HEADER, octets)
    length, kind = int(header.length), int(header.type)
    if header.marker != MARKER:
        raise _error(HeaderSubcode.CONNECTION_NOT_SYNCHRONIZED, b"", "the marker is not all ones")
    if not HEADER_LENGTH <= length <= longest:
        raise _bad_length(length, f"a message of {length} octets; {HEADER_LENGTH} to {longest} are allowed")
    if kind not in LENGTHS:
        raise _error(HeaderSubcode.BAD_MESSAGE_TYPE, bytes((kind,)), f"message type {kind} is unknown")
    least, most = LENGTHS[kind]
    if not least <= length <= most:
        name = MessageType(kind).name.replace("_", "-")
        raise _bad_length(length, f"{name} of {length} octets; {least} to {min(most, longest)} are allowed")
    return length, kind


def with_header(kind: int, body: bytes, longest: int = MAX_MESSAGE) -> bytes:
    """A whole message. Raises LocalError if it is longer than `longest`."""
    length = HEADER_LENGTH + len(body)
    if length > longest:
        raise LocalError(f"a message of {length} octets; {longest} are allowed")
    return _header(length, kind) + body


@lru_cache(maxsize=REMEMBERED)
def _header(length: int, kind: int) -> bytes:
    return build(HEADER, {"marker": MARKER, "length": length, "type": kind})


def _bad_length(length: int, reason: str) -> PeerError:
    return _error(HeaderSubcode.BAD_MESSAGE_LENGTH, length.to_bytes(2, "big"), reason)


def _error(subcode: HeaderSubcode, octets: bytes, reason: str) -> PeerError:
    return PeerError(NotificationCode.MESSAGE_HEADER_ERROR, subcode, octets, reason)
