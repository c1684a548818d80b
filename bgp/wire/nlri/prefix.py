"""Prefixes (RFC 4271 4.3, RFC 4760 5).

- 1 octet     Length, in bits
- 0-16 octets Prefix; bits beyond the length mean nothing and are cleared
"""

from __future__ import annotations

from typing import Any, Final

import construct as c

from bgp.wire.fields import U8, value_of
from bgp.wire.nlri.kind import Kind
from bgp.wire.prefixes import STEP4, STEP6
from rib.family import IPV4_MULTICAST, IPV4_UNICAST, IPV6_MULTICAST, IPV6_UNICAST, Afi
from rib.prefix import Prefix

#: Bits of the longest prefix.
LONGEST: Final = {Afi.IPV4: 32, Afi.IPV6: 128}
#: The families whose NLRI are plain prefixes, with the octets each prefix takes: see `bgp.wire.prefixes`.
PREFIX_FAMILIES: Final = {
    IPV4_UNICAST: STEP4,
    IPV4_MULTICAST: STEP4,
    IPV6_UNICAST: STEP6,
    IPV6_MULTICAST: STEP6,
}


def masked(afi: int, length: int, octets: bytes) -> Prefix:
    """The prefix of `length` bits in as many octets as these take. Raises ValueError for a length beyond the family's."""
    if not 0 <= length <= LONGEST[Afi(afi)]:
        raise ValueError(f"a prefix of {length} bits")
    if length % 8:
        last = octets[-1] & (0xFF00 >> length % 8)
        return Prefix.from_nlri(afi, bytes((length,)) + octets[:-1] + bytes((last & 0xFF,)))
    return Prefix.from_nlri(afi, bytes((length,)) + octets)


def _prefix(afi: int) -> c.Construct:
    def decoded(found: Any) -> Prefix:
        return masked(afi, found.length, found.octets)

    return value_of(
        c.Struct(
            "length" / c.ExprValidator(U8, lambda length, _: length <= LONGEST[Afi(afi)]),
            "octets" / c.Bytes(lambda this: (this.length + 7) // 8),
        ),
        decoded,
        lambda prefix: {"length": prefix.nlri[0], "octets": prefix.nlri[1:]},
    )


IPV4_PREFIX: Final = _prefix(1)
IPV6_PREFIX: Final = _prefix(2)
PREFIX4: Final = Kind(IPV4_PREFIX, IPV4_PREFIX, Prefix)
PREFIX6: Final = Kind(IPV6_PREFIX, IPV6_PREFIX, Prefix)
