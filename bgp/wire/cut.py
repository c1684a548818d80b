"""MP_REACH_NLRI and MP_UNREACH_NLRI cut out of an attribute block, and what the scanner has to say of routes it cannot use."""

from __future__ import annotations

from typing import NamedTuple

from bgp.error import PeerError, Reaction, UpdateError
from bgp.wire.codes import ALWAYS, WHOLE
from bgp.wire.spelling import attribute
from rib.family import IPV4_UNICAST, Family


class Cut(NamedTuple):
    """MP_REACH_NLRI or MP_UNREACH_NLRI, cut out of its block."""

    flags: int
    code: int
    value: bytes

    @property
    def family(self) -> Family:
        """That of the routes; there are at least 3 octets."""
        return Family(int.from_bytes(self.value[:2], "big"), self.value[2])

    def error(self, reason: str) -> PeerError:
        """Optional Attribute Error, whose data is the attribute (RFC 4271 6.3)."""
        return PeerError(3, 9, attribute(self.flags, self.code, self.value), reason)

    def ignored(self, why: str) -> UpdateError:
        """That nobody looks into it (RFC 4760 7)."""
        reason = f"attribute {self.code} is for {self.family}, which {why}"
        return UpdateError(Reaction.ATTRIBUTE_DISCARD, 3, 9, b"", reason, self.code, self.family)

    def disables(self, family: Family, wrong: PeerError) -> UpdateError:
        """That it is wrong, and costs `family` (RFC 4760 7)."""
        return UpdateError(
            Reaction.AFI_SAFI_DISABLE, wrong.code, wrong.subcode, wrong.data, wrong.reason, self.code, family
        )


def plain_ignored(why: str) -> UpdateError:
    """That nobody looks into the NLRI and Withdrawn Routes fields, which are for IPv4 unicast."""
    reason = f"NLRI of {IPV4_UNICAST}, which {why}"
    return UpdateError(Reaction.ATTRIBUTE_DISCARD, 3, 9, b"", reason, None, IPV4_UNICAST)


def missing(codes: int, plain: bool, any_reach: bool) -> list[UpdateError]:
    """RFC 7606 3 d: the well-known attributes that must be there and are not."""
    if not any_reach:
        return []
    needed = WHOLE if plain else ALWAYS
    absent = [code for code in (1, 2, 3) if needed >> code & 1 and not codes >> code & 1]
    return [
        UpdateError(
            Reaction.TREAT_AS_WITHDRAW, 3, 3, bytes((code,)), f"well-known attribute {code} is missing", code, None
        )
        for code in absent
    ]
