"""Cases: an incorrect MP_REACH_NLRI or MP_UNREACH_NLRI costs its family and not the session (RFC 7606 2, RFC 4760 7).

The octets of most are those of cases that end the session where the option is not set.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from errors.cases import Case, Expected, Kept, Lost, Nothing, discarded
from errors.octets import AS_PATH, HOP4, IPV4, NEXT_HOP, ORIGIN, P4, P6, fields, reach, unreach
from errors.structure import BAD, BLOCK, CUT, NH9, STRUCTURE_CASES

from bgp.wire.spelling import attribute

OPTION: Final = 'malformed_family = "disable"'
BY_NAME: Final = {case.name: case for case in STRUCTURE_CASES}


def _optional(name: str, expected: Expected) -> Case:
    case = BY_NAME[name]
    return replace(case, name=f"{name}, {OPTION}", required="as the option says", expected=expected, options=(OPTION,))


def _case(name: str, rfc: str, expected: Expected, octets: bytes, note: str = "") -> Case:
    return Case(f"af-{name}", "AF-disable", rfc, expected, octets, options=(OPTION,), note=note)


#: IPv4 unicast in MP_REACH_NLRI, with a prefix of 33 bits.
LEN33: Final = reach(b"\x21" + bytes(5), hop=HOP4, family=IPV4)

# fmt: off
DISABLED_CASES: Final = (
    *(_optional(name, Lost(2)) for name in (
        "mp6-nhlen9", "mp6-nhlen-overrun", "mp6-short4", "mp6-nhlen0", "mp6-plen129", "mp6-nlri-overrun", "mp6-flag-trans",
        "mpun-overrun",
    )),
    _optional("mpun-short2", BY_NAME["mpun-short2"].expected),
    _optional("mp6-dup", BY_NAME["mp6-dup"].expected),
    _optional("nlri-len33", BY_NAME["nlri-len33"].expected),
    _case("twice", "4760 7", Lost(2), fields(b"", CUT + ORIGIN + AS_PATH, b"") + fields(b"", NH9 + ORIGIN + AS_PATH, b"")),
    _case("beside-plain-routes", "7606 3j", Lost(2, kept=Kept(discarded(14))), fields(b"", CUT + BLOCK, P4),
          "The plain routes are used."),
    _case("beside-a-bad-origin", "7606 3h", Lost(2, ((1, P4),)), fields(b"", CUT + BAD + AS_PATH + NEXT_HOP, P4),
          "Each error has its own effect: the routes that could be told apart are withdrawn."),
    _case("withdrawal-beside-routes", "4760 7", Lost(2),
          fields(b"", reach(P6 + b"\x10\x20\x02") + ORIGIN + AS_PATH + unreach(b"\x40\x20\x01"), b"")),
    _case("plain-fields-too", "4760 7", Lost(1), fields(b"", LEN33 + ORIGIN + AS_PATH, b""),
          "IPv4 unicast in the fields of RFC 4271 is the same family, and is ignored too."),
    _case("unknown-family", "4760 7", Nothing(),
          fields(b"", attribute(0xC0, 14, b"\0\x63\1\4" + HOP4 + b"\0") + ORIGIN + AS_PATH, b""),
          "There is nothing to lose of a family that the session does not carry."),
)
# fmt: on
