"""Lists of prefixes, as in the Withdrawn Routes and NLRI fields (RFC 4271 4.3), at the speed the hot path needs."""

from __future__ import annotations

from typing import Final

#: Octets of an IPv4 prefix by its length octet; an impossible length runs past any field.
STEP4: Final = tuple(1 + (bits + 7) // 8 if bits <= 32 else 1 << 20 for bits in range(256))
#: The same for IPv6.
STEP6: Final = tuple(1 + (bits + 7) // 8 if bits <= 128 else 1 << 20 for bits in range(256))
#: The bits of the last octet that lie beyond the prefix, by length modulo 8.
HOST_BITS: Final = (0, 0x7F, 0x3F, 0x1F, 0x0F, 0x07, 0x03, 0x01)


def prefixes(octets: bytes, at: int, end: int, step: tuple[int, ...]) -> list[bytes] | None:
    """The prefixes of octets[at:end], host bits cleared; None if they do not fill it exactly or are too long.

    `step` is STEP4 or STEP6.
    """
    found: list[bytes] = []
    append = found.append
    try:
        while at < end:
            bits = octets[at]
            after = at + step[bits]
            if bits & 7 and octets[after - 1] & HOST_BITS[bits & 7]:
                append(octets[at : after - 1] + bytes((octets[after - 1] & ~HOST_BITS[bits & 7],)))
            else:
                append(octets[at:after])
            at = after
    except IndexError:
        return None
    return found if at == end else None


def prefixes_with_ids(octets: bytes, at: int, end: int, step: tuple[int, ...]) -> tuple[list[bytes], list[int]] | None:
    """The prefixes and their path identifiers (RFC 7911 3); None as in `prefixes`."""
    found: list[bytes] = []
    ids: list[int] = []
    while at < end:
        if end - at < 5:
            return None
        after = at + 4 + step[octets[at + 4]]
        if after > end:
            return None
        one = prefixes(octets, at + 4, after, step)
        if one is None:
            return None
        ids.append(int.from_bytes(octets[at : at + 4], "big"))
        found += one
        at = after
    return found, ids
