"""Lists of prefixes, as in the Withdrawn Routes and NLRI fields (RFC 4271 4.3), at the speed the hot path needs."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from typing import Final


def _steps(longest: int, last_unicast: int) -> tuple[int, ...]:
    return (*(1 + (bits + 7) // 8 if bits <= longest else 1 << 20 for bits in range(256)), last_unicast)


#: Octets of an IPv4 prefix by its length octet; an impossible length runs past any field. Last comes the highest first
#: octet of a unicast address: after it are multicast and class E (RFC 4271 6.3).
STEP4: Final = _steps(32, 223)
#: The same for IPv6, where multicast is ff00::/8.
STEP6: Final = _steps(128, 254)
#: The bits of the last octet that lie beyond the prefix, by length modulo 8.
HOST_BITS: Final = (0, 0x7F, 0x3F, 0x1F, 0x0F, 0x07, 0x03, 0x01)


class Doubtful(list[bytes]):
    """Prefixes of which some are no unicast destinations: see `split`."""

    __slots__ = ()


def prefixes(octets: bytes, at: int, end: int, step: tuple[int, ...]) -> list[bytes] | None:
    """The prefixes of octets[at:end], host bits cleared; None if they do not fill it exactly or are too long.

    `step` is STEP4 or STEP6. Gives a `Doubtful` list where some prefix is of multicast or class E addresses.
    """
    found: list[bytes] = []
    append = found.append
    highest = step[256]
    doubtful = False
    try:
        while at < end:
            bits = octets[at]
            after = at + step[bits]
            if bits & 7 and octets[after - 1] & HOST_BITS[bits & 7]:
                append(octets[at : after - 1] + bytes((octets[after - 1] & ~HOST_BITS[bits & 7],)))
            else:
                append(octets[at:after])
            if octets[at + 1] > highest:
                doubtful = True
            at = after
    except IndexError:
        # The field is cut off, unless it ends the buffer with a default route, after whose length there is nothing.
        if at + 1 != end or octets[at]:
            return None
        at = end
    if at != end:
        return None
    return Doubtful(found) if doubtful else found


def split(
    nlri: Sequence[bytes], path_ids: Sequence[int] | None, afi: int
) -> list[tuple[list[bytes], list[int] | None]]:
    """The unicast destinations among `nlri`, then the others (RFC 4271 6.3), each with their path identifiers."""
    highest = (STEP4 if afi == 1 else STEP6)[256]
    usable = [not one[0] or one[1] <= highest for one in nlri]
    return [
        (list(compress(nlri, chosen)), None if path_ids is None else list(compress(path_ids, chosen)))
        for chosen in (usable, [not one for one in usable])
    ]


def prefixes_with_ids(octets: bytes, at: int, end: int, step: tuple[int, ...]) -> tuple[list[bytes], list[int]] | None:
    """The prefixes and their path identifiers (RFC 7911 3); None as in `prefixes`."""
    found: list[bytes] = []
    ids: list[int] = []
    doubtful = False
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
        doubtful = doubtful or one.__class__ is Doubtful
        at = after
    return (Doubtful(found) if doubtful else found), ids
