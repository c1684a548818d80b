"""Octets to messages and back: two doors, `decode` and `encode`; a `Decoder` for many messages of one session."""

from bgp.wire.codec import Decoder, decode, encode
from bgp.wire.context import Context

__all__ = ["Context", "Decoder", "decode", "encode"]
