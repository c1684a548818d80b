"""Cases: OPEN (RFC 4271 6.2, RFC 5492, RFC 6286, RFC 9072)."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Final

from errors.cases import Case, Expected, Reset, Up
from errors.octets import (
    INTERNAL,
    MP4,
    MP6,
    OLD,
    OURS,
    REFRESH,
    SPEAKER_ID,
    THEIRS,
    as4,
    capability,
    message,
    opening,
    u16,
    u32,
)

USUAL: Final = MP4 + MP6 + REFRESH + as4()
MALFORMED: Final = Reset(2, 0)
E20: Final = "NOTIF 2/0"
E22: Final = "NOTIF 2/2"
#: USUAL as RFC 9072 has it: each parameter with a length of two octets.
LONG: Final = b"".join(
    bytes((2,)) + u16(len(one)) + one
    for one in (
        bytes.fromhex("010400010001"),
        bytes.fromhex("010400020001"),
        bytes.fromhex("0200"),
        b"\x41\x04" + u32(THEIRS),
    )
)
FIXED_NOTE: Final = "Refused: a capability of fixed form that cannot be read is a malformed OPEN."


def case(name: str, required: str, rfc: str, expected: Expected, opened: bytes, **more: object) -> Case:
    return Case(name, required, rfc, expected, b"", open=opened, at="OpenSent", **more)  # type: ignore[arg-type]


def rest(octets: bytes) -> bytes:
    """An OPEN with these octets after the BGP Identifier."""
    return opening(rest=octets)


def caps(octets: bytes) -> bytes:
    """An OPEN with one capabilities parameter of these octets."""
    return opening(USUAL + bytes((2, len(octets))) + octets)


# fmt: off
OPEN_CASES: Final = (
    case("open-ver3", "NOTIF 2/1 data=0004", "4271 6.2", Reset(2, 1, u16(4)), opening(version=3)),
    case("open-ver5", "NOTIF 2/1 data=0004", "4271 6.2", Reset(2, 1, u16(4)), opening(version=5)),
    case("open-as-wrong", E22, "4271 6.2", Reset(2, 2), opening(asn=64999)),
    case("open-as0", E22, "7607", Reset(2, 2), opening(MP4 + MP6, asn=0)),
    case("open-as4cap0", E22, "7607/6793", Reset(2, 2), opening(MP4 + MP6 + as4(0))),
    case("open-as4cap-mismatch", E22, "6793", Reset(2, 2), opening(MP4 + MP6 + as4(64999))),
    case("open-as4cap-len3", E20, "5492", MALFORMED, opening(MP4 + capability(65, bytes(3)))),
    case("open-hold1", "NOTIF 2/6", "4271 6.2", Reset(2, 6), opening(hold=1)),
    case("open-hold2", "NOTIF 2/6", "4271 6.2", Reset(2, 6), opening(hold=2)),
    case("open-hold0", "OK (keepalive)", "4271 4.2", Up(), opening(hold=0)),
    case("open-hold3", "OK", "4271", Up(), opening(hold=3)),
    case("open-id0", "NOTIF 2/3", "6286", Reset(2, 3), opening(identifier=IPv4Address(0))),
    case("open-id-multicast", "OK (6286) / 2/3 (4271)", "6286", Up(), opening(identifier=IPv4Address("224.0.0.1")),
         note="RFC 6286 2.1: any identifier that is not 0."),
    case("open-id-same-ibgp", "NOTIF 2/3", "6286", Reset(2, 3), opening(asn=OURS, identifier=SPEAKER_ID), kind=INTERNAL),
    case("open-id-same-ebgp", "OK", "6286", Up(), opening(identifier=SPEAKER_ID)),
    case("open-unknown-optparam", "NOTIF 2/4", "4271 6.2", Reset(2, 4), opening(USUAL + b"\x63\1\0")),
    case("open-auth-optparam1", "NOTIF 2/4 (or 2/5)", "4271", Reset(2, 4), opening(USUAL + b"\1\1\0"),
         note="2/5 is deprecated by RFC 4271."),
    case("open-optlen-overrun", E20, "4271 6.2", MALFORMED, rest(bytes((len(USUAL) + 5,)) + USUAL)),
    case("open-optlen-short", E20, "4271 6.2", MALFORMED, rest(bytes((len(USUAL) - 6,)) + USUAL)),
    case("open-param-overrun", E20, "4271 6.2", MALFORMED, opening(USUAL + b"\2\x09\2\0")),
    case("open-param-1byte", E20, "CVE-2022-43681", MALFORMED, opening(USUAL + b"\2")),
    case("open-cap-overrun", E20, "5492", MALFORMED, caps(b"\x01\x09\0\1\0\1")),
    case("open-cap-1byte", E20, "5492", MALFORMED, caps(b"\x02\x00\x41")),
    case("open-mpcap-len3", "NOTIF 2/0 / ignore", "4760", MALFORMED, caps(b"\1\3\0\1\0"), note=FIXED_NOTE),
    case("open-unknown-cap", "OK", "5492", Up(), caps(b"\xc8\3abc")),
    case("open-no-caps", "OK (ipv4)", "5492", Up(), opening(b""), kind=OLD),
    case("open-only-unknown-af", "NOTIF 2/7 or OK", "5492",
         Reset(2, 7, bytes.fromhex("0104 00010001 0104 00020001")), opening(capability(1, bytes.fromhex("00630063")) + as4()),
         note="Refused: such a session could carry nothing. The data is the capabilities that we want (RFC 5492 5)."),
    case("open-dup-mpcap", "OK", "5492", Up(), opening(USUAL + MP4 + MP4)),
    case("open-9072", "OK", "9072", Up(), rest(b"\xff\xff" + u16(len(LONG)) + LONG)),
    case("open-9072-nonext1", "OK", "9072 2", Up(), rest(b"\x01\xff" + u16(len(LONG)) + LONG)),
    case("open-9072-trunc0", E20, "CVE-2022-40302", MALFORMED, rest(b"\xff\xff")),
    case("open-9072-trunc1", E20, "CVE-2022-40302", MALFORMED, rest(b"\xff\xff\0")),
    case("open-9072-trunc2", E20, "CVE-2022-40318", MALFORMED, rest(b"\xff\xff\0\x09")),
    case("open-9072-paramtrunc", E20, "CVE-2022-43681", MALFORMED, rest(b"\xff\xff\0\2\2\0")),
    case("open-9072-overrun", E20, "9072", MALFORMED, rest(b"\xff\xff" + u16(len(LONG) + 20) + LONG)),
    case("open-9072-len0", "OK", "9072 2", Up(), rest(b"\xff\xff\0\0"), kind=OLD),
    case("open-len28", "NOTIF 1/2 data=001c", "4271 6.1", Reset(1, 2, u16(28)), message(1, opening()[19:28])),
    case("open-gr-len3", "NOTIF 2/0 / ignore", "4724", MALFORMED, caps(b"\x40\3\0\x78\0"), note=FIXED_NOTE),
    case("open-role-len2", "NOTIF 2/0 / ignore", "9234", MALFORMED, caps(b"\x09\2\0\0"), note=FIXED_NOTE),
    case("open-role-conflict", "NOTIF 2/11 (if role)", "9234 4.2", Reset(2, 11), caps(b"\x09\1\3"),
         options=('role = "customer"',)),
    case("open-addpath-val9", "OK (tuple ignored)", "7911 4", Up(), caps(b"\x45\4\0\1\1\x09")),
    case("open-llgr-len3", "NOTIF 2/0 / ignore", "CVE-2023-31489", MALFORMED, caps(b"\x47\3\0\1\1"), note=FIXED_NOTE),
    case("open-softver-zero", "OK", "CVE-2025-43971", Up(), caps(b"\x4b\1\0")),
    case("open-fqdn-overrun", "NOTIF 2/0 or OK", "hostname cap", MALFORMED, caps(b"\x49\4\x09ab\0"), note=FIXED_NOTE),
)
# fmt: on
