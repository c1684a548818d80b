"""The rules of malformed input at the codec: octets and a session's context to reaction, code, subcode and data.

Each row is held against both readers of UPDATEs, the construct-declared codec and the scanner of the hot path. The names of
the rules are those of the list in `../shared/errors.md`, part 1.
"""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from typing import Final, NamedTuple

import pytest
from errors.octets import (
    AS_PATH,
    AS_PATH_OLD,
    HOP4,
    HOP6,
    IPV6,
    MP4,
    NEXT_HOP,
    ORIGIN,
    P4,
    P6,
    as4,
    capability,
    extended,
    fields,
    message,
    opening,
    path,
    reach,
    u16,
    u32,
    unreach,
)

from bgp.error import PeerError, Reaction
from bgp.wire.context import Context
from bgp.wire.header import check_header
from bgp.wire.open import decode_open, validate_open
from bgp.wire.refresh import decode_refresh
from bgp.wire.scan import Reach, UpdateScanner
from bgp.wire.spelling import attribute
from bgp.wire.update import decode_update, worst
from rib.family import IPV4_UNICAST, IPV6_UNICAST

FAMILIES: Final = frozenset({IPV4_UNICAST, IPV6_UNICAST})
EXTERNAL: Final = Context(peering="external", peer_asn=65001, enforce_first_as=True, families=FAMILIES)
LENIENT: Final = Context(peering="external", peer_asn=65001, families=FAMILIES)
INTERNAL: Final = Context(peering="internal", peer_asn=65000, families=FAMILIES)
#: An incorrect multiprotocol attribute costs its family (RFC 4760 7).
SPARED: Final = replace(EXTERNAL, disables=True)
ALONE: Final = replace(SPARED, families=frozenset({IPV6_UNICAST}))
OLD: Final = Context(as4=False, peering="external", peer_asn=65001, families=FAMILIES)
W: Final = Reaction.TREAT_AS_WITHDRAW
D: Final = Reaction.ATTRIBUTE_DISCARD
A: Final = Reaction.AFI_SAFI_DISABLE
R: Final = Reaction.SESSION_RESET
BLOCK: Final = ORIGIN + AS_PATH + NEXT_HOP


class Verdict(NamedTuple):
    """What comes of an UPDATE: the worst error's reaction and NOTIFICATION; all None where nothing is wrong."""

    reaction: Reaction | None = None
    code: int | None = None
    subcode: int | None = None
    data: bytes | None = None


FINE: Final = Verdict()


class Rule(NamedTuple):
    name: str
    octets: bytes
    verdict: Verdict
    context: Context = EXTERNAL


def plus(*more: bytes) -> bytes:
    return fields(b"", BLOCK + b"".join(more), P4)


def bad(name: str, one: bytes, reaction: Reaction, subcode: int, context: Context = EXTERNAL) -> Rule:
    """A bad attribute beside good ones: the data is the attribute (RFC 4271 6.3)."""
    return Rule(name, plus(one), Verdict(reaction, 3, subcode, one), context)


def instead(name: str, code: int, one: bytes, subcode: int, context: Context = EXTERNAL) -> Rule:
    """A bad attribute in the place of the good one."""
    good = {1: ORIGIN, 2: AS_PATH if context.as4 else AS_PATH_OLD, 3: NEXT_HOP}
    block = b"".join(one if code == other else octets for other, octets in good.items())
    return Rule(name, fields(b"", block, P4), Verdict(W, 3, subcode, one), context)


def aspath(name: str, value: bytes, context: Context = EXTERNAL) -> Rule:
    return instead(f"AS_PATH: {name}", 2, attribute(0x40, 2, value), 11, context)


def mp(name: str, one: bytes) -> Rule:
    return Rule(f"MP: {name}", fields(b"", one + ORIGIN + AS_PATH, b""), Verdict(R, 3, 9, one))


ADDRESS: Final = bytes((192, 0, 2, 1))
# fmt: off
UPDATES: Final = (
    Rule("G1 withdrawn length", message(2, u16(9) + u16(0)), Verdict(R, 3, 1, b"")),
    Rule("G1 total attribute length", message(2, u16(0) + u16(9)), Verdict(R, 3, 1, b"")),
    instead("G2 optional ORIGIN", 1, attribute(0xC0, 1, b"\0"), 4),
    Rule("G2 partial and low bits are not checked", fields(b"", bytes.fromhex("6f 01 01 00") + AS_PATH + NEXT_HOP, P4), FINE),
    Rule("G3 extended length, short value", plus(extended(0x80, 4, u32(1))), FINE),
    Rule("G4 no ORIGIN", fields(b"", AS_PATH + NEXT_HOP, P4), Verdict(W, 3, 3, b"\1")),
    Rule("G4 no AS_PATH", fields(b"", ORIGIN + NEXT_HOP, P4), Verdict(W, 3, 3, b"\2")),
    Rule("G4 no NEXT_HOP", fields(b"", ORIGIN + AS_PATH, P4), Verdict(W, 3, 3, b"\3")),
    Rule("G4 NEXT_HOP is for plain NLRI", fields(b"", reach() + ORIGIN + AS_PATH, b""), FINE),
    Rule("G5 no LOCAL_PREF", fields(b"", BLOCK, P4), FINE, INTERNAL),
    Rule("G6 MP_REACH twice", fields(b"", reach() + reach() + ORIGIN + AS_PATH, b""), Verdict(R, 3, 1, b"")),
    Rule("G6 MP_UNREACH twice", fields(b"", unreach() + unreach(), b""), Verdict(R, 3, 1, b"")),
    Rule("G7 another twice", plus(attribute(0x40, 1, b"\7")), FINE),
    Rule("G8 reset over withdraw", plus(attribute(0xC0, 8, b""), attribute(0x40, 99, b"")),
         Verdict(R, 3, 2, attribute(0x40, 99, b""))),
    Rule("G8 withdraw over discard", plus(attribute(0xC0, 7, b""), attribute(0xC0, 8, b"")),
         Verdict(W, 3, 9, attribute(0xC0, 8, b""))),
    Rule("G9 attribute past the block", plus(b"\xc0\x63\x09ab"), Verdict(W, 3, 1, b"\xc0\x63\x09ab")),
    Rule("G9 header cut off", plus(b"\xc0\x63"), Verdict(W, 3, 1, b"\xc0\x63")),
    Rule("G9 extended header cut off", plus(b"\xd0\x63\0"), Verdict(W, 3, 1, b"\xd0\x63\0")),
    bad("G10 empty MED", attribute(0x80, 4, b""), W, 5),
    Rule("G10 AS_PATH may be empty", fields(b"", ORIGIN + attribute(0x40, 2, b"") + NEXT_HOP, P4), FINE, INTERNAL),
    Rule("G11 an error, no routes", fields(b"", attribute(0x40, 1, b"\7") + AS_PATH, b""), Verdict(R, 3, 1, b"")),
    Rule("G12 only discards, no routes", fields(b"", BLOCK + attribute(0x40, 6, b"\0"), b""),
         Verdict(D, 3, 5, attribute(0x40, 6, b"\0"))),
    Rule("G13 no attributes", fields(b"", b"", P4), Verdict(W, 3, 3, b"\1")),
    Rule("G14 withdrawn of 33 bits", fields(b"\x21" + bytes(5), b"", b""), Verdict(R, 3, 10, b"")),
    Rule("G15 MP_REACH last, beside plain NLRI", fields(b"", BLOCK + reach(), P4), FINE),
    instead("ORIGIN 3", 1, attribute(0x40, 1, b"\3"), 6),
    instead("ORIGIN of two octets", 1, attribute(0x40, 1, b"\0\0"), 5),
    aspath("segment type 0", path(65001, kind=0)),
    aspath("segment type 5", path(65001, kind=5)),
    aspath("overrun", b"\2\7" + u32(65001)),
    aspath("one octet left", path(65001) + b"\2"),
    aspath("empty segment", path(65001) + b"\2\0"),
    aspath("AS 0", path(65001, 0)),
    aspath("confederation from outside", path(1, kind=3) + path(65001)),
    aspath("first AS", path(64999)),
    aspath("empty on eBGP", b""),
    Rule("AS_PATH: first AS, not enforced", fields(b"", ORIGIN + attribute(0x40, 2, path(64999)) + NEXT_HOP, P4), FINE,
         LENIENT),
    Rule("AS_PATH: AS_SET", fields(b"", ORIGIN + attribute(0x40, 2, path(65001) + path(1, 2, kind=1)) + NEXT_HOP, P4), FINE),
    instead("NEXT_HOP of three octets", 3, attribute(0x40, 3, bytes(3)), 5),
    bad("LOCAL_PREF from outside", attribute(0x40, 5, u32(1)), D, 9),
    bad("LOCAL_PREF of three octets from inside", attribute(0x40, 5, bytes(3)), W, 5, INTERNAL),
    bad("ATOMIC_AGGREGATE of one octet", attribute(0x40, 6, b"\0"), D, 5),
    bad("ATOMIC_AGGREGATE flags", attribute(0xC0, 6, b""), W, 4),
    bad("AGGREGATOR of the old length", attribute(0xC0, 7, bytes((1, 1)) + ADDRESS), D, 5),
    bad("AGGREGATOR with AS 0", attribute(0xC0, 7, u32(0) + ADDRESS), D, 9),
    bad("AGGREGATOR flags", attribute(0x40, 7, u32(1) + ADDRESS), W, 4),
    bad("COMMUNITIES empty", attribute(0xC0, 8, b""), W, 9),
    bad("ORIGINATOR_ID from outside", attribute(0x80, 9, ADDRESS), D, 9),
    bad("ORIGINATOR_ID of three octets", attribute(0x80, 9, bytes(3)), W, 9, INTERNAL),
    bad("CLUSTER_LIST empty", attribute(0x80, 10, b""), W, 9, INTERNAL),
    bad("EXTENDED_COMMUNITIES of nine octets", attribute(0xC0, 16, bytes(9)), W, 9),
    bad("AS4_PATH from a four-octet peer", attribute(0xC0, 17, path(1)), D, 9),
    Rule("AS4_PATH too short", fields(b"", ORIGIN + AS_PATH_OLD + NEXT_HOP + attribute(0xC0, 17, b"\2\1\0\1"), P4),
         Verdict(D, 3, 9, attribute(0xC0, 17, b"\2\1\0\1")), OLD),
    Rule("AS4_AGGREGATOR of seven octets", fields(b"", ORIGIN + AS_PATH_OLD + NEXT_HOP + attribute(0xC0, 18, bytes(7)), P4),
         Verdict(D, 3, 9, attribute(0xC0, 18, bytes(7))), OLD),
    bad("IPV6_EXTENDED_COMMUNITIES of 21 octets", attribute(0xC0, 25, bytes(21)), W, 9),
    bad("LARGE_COMMUNITIES of 13 octets", attribute(0xC0, 32, bytes(13)), W, 9),
    bad("ONLY_TO_CUSTOMER of three octets", attribute(0xC0, 35, bytes(3)), W, 9),
    Rule("unknown transitive", plus(attribute(0xC0, 99, b"x")), FINE),
    Rule("unknown, not transitive", plus(attribute(0x80, 99, b"x")), FINE),
    bad("unknown well-known", attribute(0x40, 99, b"x"), R, 2),
    bad("neither optional nor transitive", attribute(0x00, 99, b"x"), W, 4),
    Rule("NLRI of 33 bits", fields(b"", BLOCK, b"\x21" + bytes(5)), Verdict(R, 3, 10, b"")),
    Rule("NLRI overrun", fields(b"", BLOCK, b"\x18\1"), Verdict(R, 3, 10, b"")),
    Rule("host bits", fields(b"", BLOCK, b"\x0c\x0a\xff"), FINE),
    mp("four octets", attribute(0x80, 14, IPV6 + b"\0")),
    mp("next hop of nine octets", reach(hop=HOP6[:9])),
    mp("next hop of none", reach(hop=b"")),
    mp("next hop past the attribute", attribute(0x80, 14, IPV6 + b"\xff" + HOP6 + b"\0" + P6)),
    mp("prefix of 129 bits", reach(b"\x81" + bytes(17))),
    mp("prefix cut off", reach(b"\x40\x20")),
    mp("flags", reach(flags=0xC0)),
    mp("withdrawal of two octets", attribute(0x80, 15, b"\0\2")),
    mp("withdrawal cut off", unreach(b"\x40\x20")),
    *(Rule(f"AF: {name}", fields(b"", one + ORIGIN + AS_PATH, b""), Verdict(reaction, 3, 9, one), context)
      for reaction, context in ((A, SPARED), (R, ALONE))
      for name, one in (
          ("four octets", attribute(0x80, 14, IPV6 + b"\0")),
          ("next hop of nine octets", reach(hop=HOP6[:9])),
          ("prefix of 129 bits", reach(b"\x81" + bytes(17))),
          ("flags", reach(flags=0xC0)),
          ("withdrawal cut off", unreach(b"\x40\x20")),
      )),
    Rule("AF: which one cannot be read", fields(b"", attribute(0x80, 15, b"\0\2"), b""),
         Verdict(R, 3, 9, attribute(0x80, 15, b"\0\2")), SPARED),
    Rule("AF: twice", fields(b"", reach() + reach() + ORIGIN + AS_PATH, b""), Verdict(R, 3, 1, b""), SPARED),
    Rule("AF: a reset is worse", fields(b"", unreach(b"\x40") + attribute(0x40, 99, b""), P4),
         Verdict(R, 3, 2, attribute(0x40, 99, b"")), SPARED),
    Rule("AF: worse than withdraw", fields(b"", unreach(b"\x40") + attribute(0x40, 1, b"\7") + AS_PATH, P4),
         Verdict(A, 3, 9, unreach(b"\x40")), SPARED),
    Rule("NLRI of a family that was not negotiated", fields(b"", BLOCK, P4), Verdict(D, 3, 9, b""), ALONE),
    Rule("Withdrawn Routes likewise", fields(P4, b"", b""), Verdict(D, 3, 9, b""), ALONE),
    Rule("NLRI likewise, nothing missing", fields(b"", ORIGIN, P4), Verdict(D, 3, 9, b""), ALONE),
    Rule("MP: reserved octet", fields(b"", reach(reserved=9) + ORIGIN + AS_PATH, b""), FINE),
    Rule("MP: a family that was not negotiated",
         fields(b"", reach(P4, hop=HOP4, family=b"\0\1\2") + ORIGIN + AS_PATH, b""), Verdict(D, 3, 9, b"")),
    Rule("MP: no NLRI", fields(b"", reach(b"") + ORIGIN + AS_PATH, b""), FINE),
    Rule("End-of-RIB", fields(b"", b"", b""), FINE),
    Rule("End-of-RIB of IPv6", fields(b"", unreach(b""), b""), FINE),
)
# fmt: on


def by_codec(body: bytes, context: Context) -> Verdict:
    try:
        error = worst(decode_update(body, context).errors)
    except PeerError as found:
        return Verdict(R, found.code, found.subcode, found.data)
    return FINE if error is None else Verdict(error.reaction, error.code, error.subcode, error.data)


def by_scanner(body: bytes, context: Context) -> Verdict:
    try:
        found = UpdateScanner(context).scan(body, 0, len(body))
    except PeerError as error:
        return Verdict(R, error.code, error.subcode, error.data)
    error = worst(() if isinstance(found, Reach) else found.errors)
    return FINE if error is None else Verdict(error.reaction, error.code, error.subcode, error.data)


@pytest.mark.parametrize("reader", [by_codec, by_scanner])
@pytest.mark.parametrize("rule", UPDATES, ids=lambda rule: rule.name)
def test_an_update_is_judged_by_the_rules(rule: Rule, reader: object) -> None:
    assert reader(rule.octets[19:], rule.context) == rule.verdict  # type: ignore[operator]


HEADERS: Final = (
    ("marker", message(4, marker=bytes(16)), 4096, (1, 1, b"")),
    ("18 octets", message(4, length=18), 4096, (1, 2, u16(18))),
    ("4097 octets", message(2, length=4097), 4096, (1, 2, u16(4097))),
    ("4097 octets, extended", message(2, length=4097), 65535, None),
    ("4097 octets of OPEN, extended", message(1, length=4097), 65535, (1, 2, u16(4097))),
    ("20 octets of KEEPALIVE, extended", message(4, length=20), 65535, (1, 2, u16(20))),
    ("28 octets of OPEN", message(1, length=28), 4096, (1, 2, u16(28))),
    ("22 octets of UPDATE", message(2, length=22), 4096, (1, 2, u16(22))),
    ("20 octets of NOTIFICATION", message(3, length=20), 4096, (1, 2, u16(20))),
    ("22 octets of ROUTE-REFRESH", message(5, length=22), 4096, (1, 2, u16(22))),
    ("type 0", message(0), 4096, (1, 3, b"\0")),
    ("type 6", message(6), 4096, (1, 3, b"\6")),
    ("type 255", message(255), 4096, (1, 3, b"\xff")),
)


@pytest.mark.parametrize(("name", "octets", "longest", "expected"), HEADERS, ids=[row[0] for row in HEADERS])
def test_a_header_is_judged_by_the_rules(
    name: str, octets: bytes, longest: int, expected: tuple[int, int, bytes] | None
) -> None:
    if expected is None:
        check_header(octets, longest)
        return
    with pytest.raises(PeerError) as found:
        check_header(octets, longest)
    assert (found.value.code, found.value.subcode, found.value.data) == expected


OPENS: Final = (
    ("version", opening(version=3), (2, 1, u16(4))),
    ("another AS", opening(asn=64999), (2, 2, b"")),
    ("AS 0", opening(MP4, asn=0), (2, 2, b"")),
    ("four-octet AS 0", opening(MP4 + as4(0)), (2, 2, b"")),
    ("another four-octet AS", opening(MP4 + as4(64999)), (2, 2, b"")),
    ("four-octet AS of three octets", opening(MP4 + capability(65, bytes(3))), (2, 0, b"")),
    ("identifier 0", opening(identifier=IPv4Address(0)), (2, 3, b"")),
    ("unknown parameter", opening(MP4 + as4() + b"\x63\0"), (2, 4, b"")),
    ("authentication", opening(MP4 + as4() + b"\1\0"), (2, 4, b"")),
    ("hold time 1", opening(hold=1), (2, 6, b"")),
    ("hold time 2", opening(hold=2), (2, 6, b"")),
    ("hold time 0", opening(hold=0), None),
    ("identifier 224.0.0.1", opening(identifier=IPv4Address("224.0.0.1")), None),
    ("nothing offered", opening(b""), None),
    ("parameters past the message", opening(rest=b"\x09\2\0"), (2, 0, b"")),
    ("parameters before the end", opening(rest=b"\0\2\0"), (2, 0, b"")),
    ("extended, cut off", opening(rest=b"\xff\xff\0"), (2, 0, b"")),
    ("extended and empty", opening(rest=b"\xff\xff\0\0"), None),
)


@pytest.mark.parametrize(("name", "octets", "expected"), OPENS, ids=[row[0] for row in OPENS])
def test_an_open_is_judged_by_the_rules(name: str, octets: bytes, expected: tuple[int, int, bytes] | None) -> None:
    def judge() -> None:
        validate_open(
            decode_open(octets[19:]), expected_asn=65001, local_bgp_id=IPv4Address("10.0.0.1"), internal=False
        )

    if expected is None:
        judge()
        return
    with pytest.raises(PeerError) as found:
        judge()
    assert (found.value.code, found.value.subcode, found.value.data) == expected


def test_a_marker_of_a_wrong_length_is_refused_whole_where_markers_were_agreed_on() -> None:
    octets = message(5, bytes.fromhex("0001010100"))
    with pytest.raises(PeerError) as found:
        decode_refresh(octets[19:], enhanced=True)
    assert (found.value.code, found.value.subcode, found.value.data) == (7, 1, octets)
    assert decode_refresh(octets[19:], enhanced=False).subtype == 1
