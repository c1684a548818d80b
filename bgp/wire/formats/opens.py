"""How to read the messages of somebody else's session, from the OPENs that its two sides sent."""

from __future__ import annotations

from bgp.capability import negotiate
from bgp.error import PeerError
from bgp.iana import MessageType
from bgp.message import Open
from bgp.wire.context import Context
from bgp.wire.open import decode_open
from bgp.wire.sizes import HEADER_LENGTH


def open_of(octets: bytes) -> Open | None:
    """The OPEN that a message is; None for another one, and for one that cannot be read."""
    if len(octets) <= HEADER_LENGTH or octets[HEADER_LENGTH - 1] != MessageType.OPEN:
        return None
    try:
        return decode_open(octets[HEADER_LENGTH:])
    except PeerError:
        return None


def directions(ours: Open, theirs: Open) -> tuple[Context, Context]:
    """The contexts of (what the sender of `ours` sends, what it receives): RFC 6793, 7911 and 8654 as negotiated."""
    found = negotiate(ours.capabilities, theirs.capabilities, peer_as_field=theirs.my_as)
    return (
        Context(as4=found.as4, add_path=found.add_path_send, extended=found.extended_message),
        Context(as4=found.as4, add_path=found.add_path_receive, extended=found.extended_message),
    )
