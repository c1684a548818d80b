"""Malformed UPDATEs as values to log: "the entire malformed UPDATE message" and its prefixes (RFC 7606 6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bgp.error import Reaction, UpdateError
from bgp.iana import MessageType
from bgp.options import PeerOptions
from bgp.session import Malformed
from bgp.wire.header import with_header
from bgp.wire.nlri.keys import key_text
from bgp.wire.scan import RouteUpdate
from bgp.wire.sizes import MAX_EXTENDED_MESSAGE


@dataclass(frozen=True, slots=True)
class MalformedUpdate:
    """An UPDATE with errors, from which peer and when."""

    peer: PeerOptions
    octets: bytes  #: all of it, header and all
    errors: tuple[UpdateError, ...]
    prefixes: tuple[str, ...]  #: that it withdraws or announces; none where the session ends
    ignored: tuple[str, ...]  #: of these, the ones that are no unicast destinations
    at: float

    @property
    def reaction(self) -> Reaction | None:
        """The worst of what came of it; None where only prefixes are ignored (RFC 4271 6.3)."""
        return max((error.reaction for error in self.errors), default=None)


def survived(peer: PeerOptions, update: RouteUpdate, at: float) -> MalformedUpdate:
    """An UPDATE that the session outlives."""
    refused = tuple(_texts(update, refused=True))
    octets = with_header(MessageType.UPDATE, update.octets, MAX_EXTENDED_MESSAGE)
    return MalformedUpdate(peer, octets, update.errors, (*_texts(update), *refused), refused, at)


def fatal(peer: PeerOptions, malformed: Malformed, at: float) -> MalformedUpdate:
    """An UPDATE that ends the session."""
    code, subcode, octets, reason = (
        malformed.error.code,
        malformed.error.subcode,
        malformed.error.data,
        malformed.error.reason,
    )
    error = UpdateError(Reaction.SESSION_RESET, code, subcode, octets, reason)
    return MalformedUpdate(peer, malformed.octets, (error,), (), (), at)


def _texts(update: RouteUpdate, *, refused: bool = False) -> Iterator[str]:
    if not refused:
        for family, keys, _ in update.withdrawn:
            yield from (key_text(family, key) for key in keys)
    for family, attributes, keys, _ in update.refused if refused else update.announced:
        yield from (key_text(family, key, attributes.binding) for key in keys)
