"""Octets to messages and back: two doors, `decode` and `encode`."""

from bgp.wire.codec import decode, encode
from bgp.wire.context import Context

__all__ = ["Context", "decode", "encode"]
