"""A BMP session or a recording of one: messages one after the other, and how to read the BGP messages in them.

A router tells with Peer Up what the two sides of a session have agreed on, for all its views of that peer (RFC 8671 5).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final, TypeAlias

from bgp.wire.context import Context
from bgp.wire.fields import Malformed
from bgp.wire.formats.bmp import AS2, HEADER_LENGTH, LONGEST, VERSION, Bmp, PeerDown, PeerHeader, PeerUp, decode
from bgp.wire.formats.opens import directions, open_of
from bgp.wire.formats.stream import Source, Torn, pieces

#: A BGP message of a peer whose session nobody told us of.
UNTOLD: Final = Context(extended=True)
_Key: TypeAlias = tuple[int, bytes, object]


def read_bmp(file: Source) -> Iterator[tuple[int, Bmp | Malformed]]:
    """(place, message) of a BMP stream; a message that cannot be read as the reason. Raises Torn at a torn end."""
    held, begins = b"", 0
    for piece in pieces(file):
        held += piece
        at = 0
        while len(held) - at >= HEADER_LENGTH:
            length = int.from_bytes(held[at + 1 : at + 5], "big")
            if held[at] != VERSION or not HEADER_LENGTH <= length <= LONGEST:
                raise Torn(f"version {held[at]} and length {length} at {begins + at}: not a BMP message")
            if len(held) - at < length:
                break
            try:
                yield begins + at, decode(held[at : at + length])
            except Malformed as error:
                yield begins + at, error
            at += length
        begins += at
        held = held[at:]
    if held:
        raise Torn(f"the BMP message at {begins} is cut off after {len(held)} octets")


class Contexts:
    """What is known of the sessions of a router."""

    def __init__(self) -> None:
        self._known: dict[_Key, tuple[Context, Context]] = {}

    def learn(self, message: Bmp) -> None:
        """Take notice of a Peer Up or Peer Down."""
        match message:
            case PeerUp(peer=peer):
                sent, received = open_of(message.sent_open), open_of(message.received_open)
                if sent is not None and received is not None:
                    self._known[_key(peer)] = directions(sent, received)
            case PeerDown(peer=peer):
                self._known.pop(_key(peer), None)
            case _:
                pass

    def context(self, peer: PeerHeader) -> Context:
        """How to read a message that is about `peer`; the A flag has the last word on AS numbers (RFC 7854 4.2)."""
        out, into = self._known.get(_key(peer), (UNTOLD, UNTOLD))
        return replace(out if peer.is_adj_rib_out else into, as4=not peer.flags & AS2, extended=True)


def _key(peer: PeerHeader) -> _Key:
    return peer.type, peer.distinguisher, peer.address
