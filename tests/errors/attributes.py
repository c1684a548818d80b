"""Cases: path attributes of UPDATEs (RFC 4271 6.3, RFC 7606 3, 4, 7)."""

from __future__ import annotations

from typing import Final

from errors.cases import Case, Expected, Gone, Kept, Reset, discarded
from errors.octets import (
    AS_PATH,
    AS_PATH_INTERNAL,
    EXTERNAL,
    INTERNAL,
    LOCAL_PREF,
    NEXT_HOP,
    OLD,
    ORIGIN,
    OURS,
    P4,
    SPEAKER_ID,
    THEIRS,
    extended,
    fields,
    path,
    u16,
    u32,
)

from bgp.wire.spelling import attribute

W: Final = "withdraw"
D: Final = "discard"
A: Final = "accept"
#: A route's attributes with one that was sent wrong in the place of the right one, or none.
_BASE: Final = {EXTERNAL: (ORIGIN, AS_PATH, NEXT_HOP), INTERNAL: (ORIGIN, AS_PATH_INTERNAL, NEXT_HOP)}
OTHER: Final = u32(THEIRS) + bytes((10, 9, 9, 9))  #: AGGREGATOR
OLD_AGGREGATOR: Final = u16(THEIRS) + bytes((10, 9, 9, 9))


def with_(*more: bytes) -> bytes:
    """A good UPDATE with more attributes."""
    return fields(b"", ORIGIN + AS_PATH + NEXT_HOP + b"".join(more), P4)


def internal(*more: bytes) -> bytes:
    """The same from a peer of our AS; without LOCAL_PREF."""
    return fields(b"", ORIGIN + AS_PATH_INTERNAL + NEXT_HOP + b"".join(more), P4)


def old(*more: bytes, before: bytes = b"", asns: tuple[int, ...] = (THEIRS, 23456)) -> bytes:
    """The same from a peer with two-octet AS numbers."""
    aspath = attribute(0x40, 2, path(*asns, size=2))
    return fields(b"", ORIGIN + before + aspath + NEXT_HOP + b"".join(more), P4)


def origin(one: bytes) -> bytes:
    return fields(b"", one + AS_PATH + NEXT_HOP, P4)


def as_path(one: bytes) -> bytes:
    return fields(b"", ORIGIN + one + NEXT_HOP, P4)


def next_hop(one: bytes) -> bytes:
    return fields(b"", ORIGIN + AS_PATH + one, P4)


def aspath_of(value: bytes, flags: int = 0x40) -> bytes:
    return as_path(attribute(flags, 2, value))


def _case(name: str, required: str, rfc: str, expected: Expected, octets: bytes, **more: object) -> Case:
    kind = INTERNAL if "-ibgp" in name else OLD if name.endswith("-old") else EXTERNAL
    return Case(name, required, rfc, expected, octets, kind, **more)  # type: ignore[arg-type]


def merged(*asns: int) -> dict[int, tuple[int, bytes] | None]:
    """For `Kept`: AS_PATH with four-octet numbers, and no AS4_PATH."""
    return {2: (0x40, path(*asns)), 17: None}


DEFAULT_PREF: Final = {5: (0x40, u32(100))}
LONG: Final = bytes(range(250)) * 12

# fmt: off
ATTRIBUTE_CASES: Final = (
    _case("valid-update", A, "", Kept(), with_(attribute(0x80, 4, u32(5)), attribute(0xC0, 8, u32(1 << 16 | 2)))),
    _case("valid-update-ibgp", A, "", Kept(), internal(LOCAL_PREF)),
    _case("origin-len0", W, "7606 7.1", Gone(), origin(attribute(0x40, 1, b""))),
    _case("origin-len2", W, "7606 7.1", Gone(), origin(attribute(0x40, 1, b"\0\0"))),
    _case("origin-val3", W, "7606 7.1", Gone(), origin(attribute(0x40, 1, b"\3"))),
    _case("origin-flag-optional", W, "7606 3c", Gone(), origin(attribute(0xC0, 1, b"\0"))),
    _case("origin-flag-nontrans", W, "7606 3c", Gone(), origin(attribute(0x00, 1, b"\0"))),
    _case("origin-flag-partial", "accept (P not checked)", "7606 3c", Kept(), origin(attribute(0x60, 1, b"\0"))),
    _case("origin-lowbits", A, "4271 4.3", Kept(), origin(bytes.fromhex("4f 01 01 00"))),
    _case("origin-extlen", A, "4271 4.3", Kept(), origin(extended(0x40, 1, b"\0"))),
    _case("origin-missing", W, "7606 3d", Gone(), origin(b"")),
    _case("aspath-segtype0", W, "7606 7.2", Gone(), aspath_of(path(THEIRS, kind=0))),
    _case("aspath-segtype5", W, "7606 7.2", Gone(), aspath_of(path(THEIRS, kind=5))),
    _case("aspath-overrun", W, "7606 7.2", Gone(), aspath_of(b"\2\3" + u32(THEIRS))),
    _case("aspath-underrun1", W, "7606 7.2", Gone(), aspath_of(path(THEIRS) + b"\2")),
    _case("aspath-seglen0", W, "7606 7.2", Gone(), aspath_of(path(THEIRS) + b"\2\0")),
    _case("aspath-as0", W, "7607", Gone(), aspath_of(path(THEIRS, 0))),
    _case("aspath-flag-optional", W, "7606 3c", Gone(), aspath_of(path(THEIRS), flags=0xC0)),
    _case("aspath-missing", W, "7606 3d", Gone(), as_path(b"")),
    _case("aspath-confed-ebgp", W, "5065 5", Gone(), aspath_of(path(64900, kind=3) + path(THEIRS))),
    _case("aspath-firstas", "withdraw (if enforced)", "7606 7.2", Gone(), aspath_of(path(64900, THEIRS))),
    _case("aspath-empty-ebgp", "withdraw (if enforced)", "4271 6.3", Gone(), aspath_of(b"")),
    _case("aspath-asset", "withdraw (9774)/accept", "9774", Kept(), aspath_of(path(THEIRS) + path(64900, 64901, kind=1)),
          note="Old tables have AS_SETs; the peer's option reject_as_sets withdraws such routes."),
    _case("aspath-ownas", "withdraw (loop)", "4271 9.1.2", Gone(), aspath_of(path(THEIRS, OURS))),
    _case("aspath-255x2", A, "4271", Kept(), aspath_of(path(THEIRS, *range(1000, 1254)) + path(*range(2000, 2255)))),
    _case("nexthop-len3", W, "7606 7.3", Gone(), next_hop(attribute(0x40, 3, b"\xc0\0\2"))),
    _case("nexthop-len5", W, "7606 7.3", Gone(), next_hop(attribute(0x40, 3, b"\xc0\0\2\1\0"))),
    _case("nexthop-len0", W, "7606 7.3", Gone(), next_hop(attribute(0x40, 3, b""))),
    _case("nexthop-flag-optional", W, "7606 3c", Gone(), next_hop(attribute(0xC0, 3, b"\xc0\0\2\x09"))),
    _case("nexthop-missing", W, "7606 3d", Gone(), next_hop(b"")),
    _case("nexthop-zero", W, "7606 3e", Gone(), next_hop(attribute(0x40, 3, bytes(4)))),
    _case("nexthop-multicast", W, "7606 3e", Gone(), next_hop(attribute(0x40, 3, bytes((224, 0, 0, 5))))),
    _case("nexthop-loopback", W, "4271 6.3", Gone(), next_hop(attribute(0x40, 3, bytes((127, 0, 0, 1)))),
          over_loopback=False, note="Accepted where the session itself runs over a loopback address."),
    _case("nexthop-self(receiver)", W, "4271 6.3a", Gone(), next_hop(b"")),  # filled in by the runner
    _case("med-len3", W, "7606 7.4", Gone(), with_(attribute(0x80, 4, bytes(3)))),
    _case("med-len0", W, "7606 7.4", Gone(), with_(attribute(0x80, 4, b""))),
    _case("med-flag-trans", W, "7606 3c", Gone(), with_(attribute(0xC0, 4, u32(5)))),
    _case("localpref-ebgp", D, "7606 7.5", Kept(DEFAULT_PREF), with_(attribute(0x40, 5, u32(777)))),
    _case("localpref-ebgp-len3", D, "7606 7.5", Kept(DEFAULT_PREF), with_(attribute(0x40, 5, bytes(3)))),
    _case("localpref-ibgp-len3", W, "7606 7.5", Gone(), internal(attribute(0x40, 5, bytes(3)))),
    _case("localpref-ibgp-missing", "withdraw or accept (default 100)", "4271 5", Kept(), internal(),
          note="Taken with 100, as BIRD does: the route is usable and RFC 7606 3 d leaves no other error."),
    _case("atomic-len1", D, "7606 7.6", Kept(discarded(6)), with_(attribute(0x40, 6, b"\0"))),
    _case("atomic-flag-optional", W, "7606 3c", Gone(), with_(attribute(0xC0, 6, b""))),
    _case("aggregator-len6-as4", D, "7606 7.7", Kept(discarded(7)), with_(attribute(0xC0, 7, OLD_AGGREGATOR))),
    _case("aggregator-len0", D, "7606 7.7", Kept(discarded(7)), with_(attribute(0xC0, 7, b""))),
    _case("aggregator-as0", D, "7607", Kept(discarded(7)), with_(attribute(0xC0, 7, bytes(4) + OTHER[4:]))),
    _case("aggregator-flag-nonopt", W, "7606 3c", Gone(), with_(attribute(0x40, 7, OTHER))),
    _case("comm-len0", W, "7606 7.8", Gone(), with_(attribute(0xC0, 8, b""))),
    _case("comm-len5", W, "7606 7.8", Gone(), with_(attribute(0xC0, 8, bytes(5)))),
    _case("comm-flag-nontrans", W, "7606 3c", Gone(), with_(attribute(0x80, 8, u32(1 << 16 | 2)))),
    _case("extcomm-len9", W, "7606 7.14", Gone(), with_(attribute(0xC0, 16, bytes(9)))),
    _case("extcomm-unknown-type", A, "7606 7.14", Kept(), with_(attribute(0xC0, 16, bytes.fromhex("3f77010203040506")))),
    _case("extcomm-len0", W, "7606 7.14", Gone(), with_(attribute(0xC0, 16, b""))),
    _case("ext6comm-len21", W, "7606 7.15", Gone(), with_(attribute(0xC0, 25, bytes(21)))),
    _case("largecomm-len13", W, "8092 6", Gone(), with_(attribute(0xC0, 32, bytes(13)))),
    _case("largecomm-len0", W, "8092 6", Gone(), with_(attribute(0xC0, 32, b""))),
    _case("largecomm-dup", A, "8092 6", Kept({32: (0xC0, u32(1) + u32(2) + u32(3))}),
          with_(attribute(0xC0, 32, (u32(1) + u32(2) + u32(3)) * 2)),
          note="One of two is passed on: RFC 8092 3 has the receiver remove redundant values, silently."),
    _case("originatorid-ebgp", D, "7606 7.9", Kept(discarded(9)), with_(attribute(0x80, 9, bytes((10, 9, 9, 9))))),
    _case("originatorid-ebgp-len3", D, "7606 7.9", Kept(discarded(9)), with_(attribute(0x80, 9, bytes(3)))),
    _case("originatorid-ibgp-len3", W, "7606 7.9", Gone(), internal(LOCAL_PREF, attribute(0x80, 9, bytes(3)))),
    _case("originatorid-ibgp-self", "withdraw (loop)", "4456 8", Gone(),
          internal(LOCAL_PREF, attribute(0x80, 9, SPEAKER_ID.packed))),
    _case("clusterlist-ebgp", D, "7606 7.10", Kept(discarded(10)), with_(attribute(0x80, 10, bytes((10, 9, 9, 9))))),
    _case("clusterlist-ibgp-len5", W, "7606 7.10", Gone(), internal(LOCAL_PREF, attribute(0x80, 10, bytes(5)))),
    _case("clusterlist-ibgp-len0", W, "7606 7.10", Gone(), internal(LOCAL_PREF, attribute(0x80, 10, b""))),
    _case("as4path-from-new", D, "6793 6", Kept(discarded(17)), with_(attribute(0xC0, 17, path(70001)))),
    _case("as4path-malformed-new", D, "6793 6", Kept(discarded(17)), with_(attribute(0xC0, 17, b"\2\5\0\0\0\1"))),
    _case("as4path-malformed-old", D, "6793 6", Kept(merged(THEIRS, 23456)), old(attribute(0xC0, 17, b"\2\5\0\0\0\1"))),
    _case("as4path-len4-old", D, "6793 6", Kept(merged(THEIRS, 23456)), old(attribute(0xC0, 17, b"\2\1\0\1"))),
    _case("as4path-confed-old", "discard segs", "6793 6", Kept(merged(THEIRS, 70001)),
          old(attribute(0xC0, 17, path(64900, kind=3) + path(70001)))),
    _case("as4aggr-len7-old", D, "6793 6", Kept({**merged(THEIRS, 23456), 7: (0xC0, u32(23456) + OTHER[4:]), 18: None}),
          old(attribute(0xC0, 7, u16(23456) + OTHER[4:]), attribute(0xC0, 18, bytes(7)))),
    _case("as4path-valid-old", "accept (merged)", "6793 4.2.3", Kept(merged(THEIRS, 70001)),
          old(attribute(0xC0, 17, path(70001)))),
    _case("as4path-before-aspath-old", A, "CVE-2026-41643", Kept(merged(THEIRS, 70001)),
          old(before=attribute(0xC0, 17, path(70001)))),
    _case("otc-len3", W, "9234 5", Gone(), with_(attribute(0xC0, 35, bytes(3)))),
    _case("otc-extlen-flag", A, "9234", Kept(), with_(extended(0xC0, 35, u32(THEIRS)))),
    _case("aigp-flag-trans", D, "7311 3", Kept(discarded(26)), with_(attribute(0xC0, 26, bytes.fromhex("01000b") + bytes(8)))),
    _case("prefixsid-zeros", D, "8669 6", Kept(discarded(40)), with_(attribute(0xC0, 40, bytes(10)))),
    _case("prefixsid-tlv-overrun", D, "8669 6", Kept(discarded(40)), with_(attribute(0xC0, 40, bytes.fromhex("01 00ff 00")))),
    _case("encap23-garbage", "withdraw/propagate", "9012", Gone(), with_(attribute(0xC0, 23, b"\xde\xad\xbe\xef\x01"))),
    _case("encap23-len0", W, "9012", Gone(), with_(attribute(0xC0, 23, b""))),
    _case("attr128-attrset-garbage", "withdraw/propagate", "7606 7.16", Gone(), with_(attribute(0xC0, 128, b"\xde\xad\xbe"))),
    _case("attr255", "propagate", "CVE-2019-5892", Kept({255: (0xE0, b"garbage")}), with_(attribute(0xC0, 255, b"garbage"))),
    _case("unknown-opt-trans", "accept+propagate P=1", "4271 5", Kept({99: (0xE0, b"abc")}),
          with_(attribute(0xC0, 99, b"abc"))),
    _case("unknown-opt-nontrans", "accept, not propagated", "4271 5", Kept(discarded(99)), with_(attribute(0x80, 99, b"abc"))),
    _case("unknown-opt-trans-len0", "accept+propagate", "4271", Kept({99: (0xE0, b"")}), with_(attribute(0xC0, 99, b""))),
    _case("unknown-opt-trans-extlen-short", "accept+consistent hdr", "BIRD<=2.0.8 OTC bug", Kept({99: (0xE0, b"abc")}),
          with_(extended(0xC0, 99, b"abc"))),
    _case("unknown-wellknown", "RESET 3/2", "4271 6.3", Reset(3, 2, bytes.fromhex("40 63 02 abcd")),
          with_(attribute(0x40, 99, b"\xab\xcd"))),
    _case("attr-type0", "accept/discard", "", Kept({0: (0xE0, b"abc")}), with_(attribute(0xC0, 0, b"abc"))),
    _case("unknown-big-3000", "accept+propagate", "", Kept({99: (0xF0, LONG)}), with_(attribute(0xC0, 99, LONG))),
    _case("dup-origin", "accept (first wins)", "7606 3g", Kept(), with_(attribute(0x40, 1, b"\2"))),
    _case("dup-med", "accept (first wins)", "7606 3g", Kept(), with_(attribute(0x80, 4, u32(5)), attribute(0x80, 4, u32(6)))),
    _case("dup-unknown", "accept (first wins)", "7606 3g", Kept({99: (0xE0, b"1")}),
          with_(attribute(0xC0, 99, b"1"), attribute(0xC0, 99, b"2"))),
    _case("attr-len-overrun", W, "7606 4", Gone(), with_(bytes((0xC0, 99, 200)) + b"abc")),
    _case("attr-hdr-1left", W, "7606 4", Gone(), with_(b"\x40")),
    _case("attr-hdr-2left", W, "7606 4", Gone(), with_(b"\xc0\x08")),
    _case("attr-hdr-extlen-3left", W, "7606 4", Gone(), with_(b"\xd0\x63\0")),
    _case("two-errors-strongest", W, "7606 3h", Gone(), with_(attribute(0xC0, 7, b""), attribute(0xC0, 8, bytes(5)))),
    _case("attr-zero3+nlri", W, "CVE-2023-47235", Gone(), fields(b"", bytes(3), P4),
          note="Neither Optional nor Transitive: no attribute can have such flags (RFC 4271 4.3), so they are wrong."),
)
# fmt: on
