"""Invariant: any octets decode to a message or raise PeerError; what decodes encodes to what decodes the same.

The first octet chooses the context, the others are the message.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bgp.error import LocalError, PeerError, Reaction
from bgp.message import Open, Update
from bgp.wire.codec import decode, encode, read
from bgp.wire.context import Context
from bgp.wire.sizes import MARKER
from fuzz.mutate import real_messages
from rib.family import FAMILY_NAMES, IPV4_UNICAST, IPV6_UNICAST

CONTEXTS: Final = (
    Context(),
    Context(as4=False),
    Context(extended=True, add_path=frozenset({IPV4_UNICAST, IPV6_UNICAST})),
    Context(peering="external", peer_asn=65001, enforce_first_as=True, families=frozenset(FAMILY_NAMES.values())),
    Context(peering="internal", families=frozenset({IPV4_UNICAST})),
)


def one(octets: bytes) -> None:
    """Check one input."""
    context = CONTEXTS[octets[0] % len(CONTEXTS)] if octets else CONTEXTS[0]
    message = octets[1:]
    for whole in (message, _framed(message)):
        try:
            found = read(whole, context)
            decode(whole, context)
        except PeerError as error:
            assert 1 <= error.code <= 7, error  # noqa: PT017
            continue
        if isinstance(found, Update) and any(error.reaction > Reaction.ATTRIBUTE_DISCARD for error in found.errors):
            continue
        if isinstance(found, Open) and found.version != 4:
            continue
        try:
            again = encode(found, context)
        except LocalError as error:
            assert "octets" in str(error), error  # noqa: PT017  # only what is too long for its place cannot be said
            continue
        assert read(again, context) == found, again.hex()


def _framed(octets: bytes) -> bytes:
    """The octets behind a right marker and length, so that what is inside is looked at."""
    return MARKER + min(19 + len(octets), 65535).to_bytes(2, "big") + octets[:1] + octets[1:65517]


def seeds() -> Iterator[bytes]:
    """Inputs to begin with."""
    for kind in ("OPEN", "UPDATE", "NOTIFICATION", "ROUTE-REFRESH"):
        for number, seed in enumerate(real_messages(kind)):
            if number % 40 == 0:
                yield bytes((0 if seed.as4 else 1,)) + seed.octets
