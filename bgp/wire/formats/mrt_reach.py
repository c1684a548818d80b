"""MP_REACH_NLRI as table dumps have it: cut down to the length of the next hop and the next hop (RFC 6396 4.3.4), or whole."""

from __future__ import annotations


def next_hop_of(value: bytes) -> bytes:
    """The next hop of MP_REACH_NLRI, cut down or whole; as much of it as is there."""
    size, at = (value[3], 4) if len(value) > 4 and value[0] == 0 else (value[0] if value else 0, 1)
    return value[at : at + size]
