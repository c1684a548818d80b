"""Cases: the fields of UPDATEs, their prefixes, MP_REACH_NLRI and MP_UNREACH_NLRI (RFC 4760, RFC 7606 3, 5)."""

from __future__ import annotations

from typing import Final

from errors.cases import Case, Gone, Kept, Nothing, Reset, discarded
from errors.octets import (
    AS_PATH,
    HOP4,
    HOP6,
    IPV4,
    IPV6,
    NEXT_HOP,
    ORIGIN,
    P4,
    P6,
    Q4,
    fields,
    message,
    reach,
    u16,
    unreach,
)

from bgp.wire.spelling import attribute

BLOCK: Final = ORIGIN + AS_PATH + NEXT_HOP
BAD: Final = attribute(0x40, 1, b"\7")
#: AFI 99, a next hop of four octets, and something.
STRANGE: Final = attribute(0x80, 14, bytes.fromhex("0063 01 04 c0000209 00 18cb0071"))
UNNEGOTIATED: Final = attribute(0x80, 14, bytes.fromhex("0001 04 04 c0000209 00 30000011cb0071"))
BOTH: Final = ((1, P4), (2, P6))
V6: Final = ((2, P6),)
E39: Final = "RESET 3/9"


def mp(value: bytes, flags: int = 0x80) -> bytes:
    return attribute(flags, 14, value)


def reset39(one: bytes) -> Reset:
    """Optional Attribute Error: the data is the attribute (RFC 4271 6.3)."""
    return Reset(3, 9, one)


def with_mp(one: bytes, *more: bytes) -> bytes:
    return fields(b"", one + ORIGIN + AS_PATH + b"".join(more), b"")


def mp_case(name: str, rfc: str, one: bytes, required: str = E39) -> Case:
    return Case(name, required, rfc, reset39(one), with_mp(one))


SHORT: Final = mp(IPV6 + b"\x10")
NH9: Final = reach(hop=HOP6[:9])
NH0: Final = reach(hop=b"")
OVERRUN: Final = mp(IPV6 + b"\xc8" + HOP6 + b"\0" + P6)
LEN129: Final = reach(b"\x81" + bytes(17))
CUT: Final = reach(b"\x40\x20\x01")
TRANS: Final = reach(flags=0xC0)
UN2: Final = attribute(0x80, 15, b"\0\2")
UNCUT: Final = unreach(b"\x40\x20\x01")
LINK_LOCAL: Final = bytes.fromhex("fe80") + bytes(13) + b"\x09"

# fmt: off
STRUCTURE_CASES: Final = (
    Case("total-attr-len-too-big", "RESET 3/1", "7606 3b", Reset(3, 1), message(2, u16(0) + u16(200) + BLOCK + P4)),
    Case("withdrawn-len-too-big", "RESET 3/1", "7606 3b", Reset(3, 1), message(2, u16(200) + P4 + u16(0))),
    Case("error-no-nlri", "RESET 3/x", "7606 5.2", Reset(3, 1), fields(b"", BAD + AS_PATH + NEXT_HOP, b"")),
    Case("error-only-withdrawn", "RESET 3/x", "7606 5.2", Reset(3, 1), fields(P4, BAD + AS_PATH + NEXT_HOP, b"")),
    Case("discard-no-nlri", "no effect", "7606 5.2", Nothing(), fields(b"", BLOCK + attribute(0x40, 6, b"\0"), b"")),
    Case("attrs-no-nlri-valid", "no effect", "4271 6.3", Nothing(), fields(b"", BLOCK, b"")),
    Case("nlri-no-attrs", "withdraw or RESET 3/3", "CVE-2023-41358", Gone(), fields(b"", b"", P4),
         note="Withdrawn: RFC 7606 3 d."),
    Case("only-unknown-attr+nlri", "withdraw", "CVE-2023-46753", Gone(), fields(b"", attribute(0xC0, 99, b"abc"), P4)),
    Case("mpunreach+nlri-no-mandatory", "withdraw", "CVE-2023-47234", Gone(), fields(b"", unreach(b""), P4)),
    Case("nlri-len33", "RESET 3/10", "7606 5.3", Reset(3, 10), fields(b"", BLOCK, b"\x21\xcb\0\x71\0\0")),
    Case("nlri-overrun", "RESET 3/10", "7606 5.3", Reset(3, 10), fields(b"", BLOCK, b"\x18\xcb\0")),
    Case("withdrawn-len33", "RESET 3/10", "7606 3i", Reset(3, 10), fields(b"\x21\xcb\0\x71\0\0", b"", b"")),
    Case("withdrawn-overrun", "RESET 3/10", "7606 3i", Reset(3, 10), fields(b"\x18\xcb\0", b"", b"")),
    Case("nlri-trailing-bits", "accept (masked)", "4271 4.3", Kept(prefix=bytes.fromhex("14 c63360")),
         fields(b"", BLOCK, bytes.fromhex("14 c6336f"))),
    Case("nlri-multicast", "prefix ignored", "4271 6.3", Kept(), fields(b"", BLOCK, b"\x08\xe0" + P4)),
    Case("nlri-classE", "prefix ignored/accepted", "4271 6.3", Kept(), fields(b"", BLOCK, b"\x08\xf0" + P4),
         note="Ignored, like a multicast prefix: `bgp show rejected` has it with the reason."),
    Case("withdraw-unknown-prefix", "no effect", "4271", Nothing(), fields(Q4, b"", b"")),
    Case("wd-and-nlri-same", "accept", "4271 4.3", Kept(), fields(P4, BLOCK, P4)),
    Case("mp6-valid", "accept", "4760", Kept(prefix=P6, afi=2), with_mp(reach())),
    mp_case("mp6-nhlen9", "7606 7.11", NH9, "RESET 3/9 or AF-disable"),
    mp_case("mp6-nhlen-overrun", "7606 7.11", OVERRUN),
    mp_case("mp6-short4", "7606 5.3", SHORT),
    mp_case("mp6-nhlen0", "7606 7.11", NH0),
    mp_case("mp6-plen129", "7606 5.3", LEN129),
    mp_case("mp6-nlri-overrun", "7606 5.3", CUT),
    mp_case("mp6-flag-trans", "7606 5.3", TRANS, "RESET 3/9 or AF-disable"),
    Case("mp6-dup", "RESET 3/1", "7606 3g", Reset(3, 1), with_mp(reach(), reach())),
    Case("mp6-reserved-nonzero", "accept", "4760 3", Kept(prefix=P6, afi=2), with_mp(reach(reserved=7))),
    Case("mp-unknown-afi", "ignored", "4760", Nothing(), with_mp(STRANGE)),
    Case("mp-unneg-safi", "ignored", "4760", Nothing(), with_mp(UNNEGOTIATED)),
    Case("mp6-empty-nlri", "no effect", "4760", Nothing(), with_mp(reach(b""))),
    Case("mpun-short2", E39, "7606 5.3", reset39(UN2), fields(b"", UN2, b"")),
    Case("mpun-overrun", E39, "7606 5.3", reset39(UNCUT), fields(b"", UNCUT, b"")),
    Case("mpun-dup", "RESET 3/1", "7606 3g", Reset(3, 1), fields(b"", unreach() + unreach(), b"")),
    Case("mp6-no-origin", "withdraw", "7606 3d", Gone(V6), fields(b"", reach() + AS_PATH, b"")),
    Case("mp6-bad-origin", "withdraw", "7606 7.1", Gone(V6), fields(b"", reach() + BAD + AS_PATH, b"")),
    Case("mp6-nexthop-attr-too", "accept (NEXT_HOP ignored)", "4760 3", Kept(discarded(3), prefix=P6, afi=2),
         with_mp(reach(), NEXT_HOP)),
    Case("mp6-last-attr", "accept", "7606 5.1", Kept(prefix=P6, afi=2), fields(b"", ORIGIN + AS_PATH + reach(), b"")),
    Case("mp6-ll-nexthop-only", "withdraw/accept", "2545", Kept(prefix=P6, afi=2), with_mp(reach(hop=LINK_LOCAL)),
         note="Accepted: on an unnumbered link there is no other next hop to give."),
    Case("mp6-multicast-nlri", "accept (multicast prefix itself ignored)", "4271 6.3", Kept(prefix=P6, afi=2),
         with_mp(reach(b"\x10\xff\x02" + P6))),
    Case("mp4-in-mpreach", "accept", "4760", Kept({3: (0x40, HOP4), 14: None}),
         with_mp(reach(P4, hop=HOP4, family=IPV4))),
    Case("eor-v4", "no effect", "4724", Nothing(), fields(b"", b"", b"")),
    Case("eor-v6", "no effect", "4724", Nothing(), fields(b"", unreach(b""), b"")),
)
# fmt: on
