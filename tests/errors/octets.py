"""Octets, right and wrong, for cases of malformed input: put together by hand, so that no codec of ours can hide a fault."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import Final

from bgp.wire.spelling import attribute

OURS: Final = 65000  #: the speaker's AS
THEIRS: Final = 65001  #: the tester's, where it is external
WATCHER: Final = 65002  #: the watcher's, where it is external
SPEAKER_ID: Final = IPv4Address("10.0.0.1")
TESTER_ID: Final = IPv4Address("10.0.0.2")
WATCHER_ID: Final = IPv4Address("10.0.0.3")

#: The prefixes that `GOOD` announces and that the cases are about.
P4: Final = bytes.fromhex("18 cb0071")  # 203.0.113.0/24
P6: Final = bytes.fromhex("20 20010db8")  # 2001:db8::/32
#: A prefix beside them.
Q4: Final = bytes.fromhex("18 c63364")  # 198.51.100.0/24
HOP4: Final = IPv4Address("192.0.2.9").packed
HOP6: Final = IPv6Address("2001:db8::9").packed
IPV4: Final = bytes.fromhex("0001 01")
IPV6: Final = bytes.fromhex("0002 01")


# Octets.


def u16(number: int) -> bytes:
    return number.to_bytes(2, "big")


def u32(number: int) -> bytes:
    return number.to_bytes(4, "big")


def message(kind: int, body: bytes = b"", *, length: int | None = None, marker: bytes = b"\xff" * 16) -> bytes:
    return marker + u16(19 + len(body) if length is None else length) + bytes((kind,)) + body


def fields(withdrawn: bytes, block: bytes, nlri: bytes) -> bytes:
    return message(2, u16(len(withdrawn)) + withdrawn + u16(len(block)) + block + nlri)


def extended(flags: int, code: int, value: bytes) -> bytes:
    """An attribute with a length of two octets, however short it is."""
    return bytes((flags | 0x10, code)) + u16(len(value)) + value


def path(*asns: int, kind: int = 2, size: int = 4) -> bytes:
    return bytes((kind, len(asns))) + b"".join(asn.to_bytes(size, "big") for asn in asns)


ORIGIN: Final = attribute(0x40, 1, b"\0")
AS_PATH: Final = attribute(0x40, 2, path(THEIRS))
AS_PATH_OLD: Final = attribute(0x40, 2, path(THEIRS, size=2))
AS_PATH_INTERNAL: Final = attribute(0x40, 2, path(64999))
NEXT_HOP: Final = attribute(0x40, 3, HOP4)
LOCAL_PREF: Final = attribute(0x40, 5, u32(100))


def reach(nlri: bytes = P6, *, hop: bytes = HOP6, flags: int = 0x80, family: bytes = IPV6, reserved: int = 0) -> bytes:
    return attribute(flags, 14, family + bytes((len(hop),)) + hop + bytes((reserved,)) + nlri)


def unreach(nlri: bytes = P6, *, family: bytes = IPV6) -> bytes:
    return attribute(0x80, 15, family + nlri)


def capability(code: int, value: bytes = b"") -> bytes:
    """A capability in an optional parameter of its own (RFC 5492 4)."""
    return bytes((2, 2 + len(value), code, len(value))) + value


MP4: Final = capability(1, bytes.fromhex("00010001"))
MP6: Final = capability(1, bytes.fromhex("00020001"))
REFRESH: Final = capability(2)


def as4(asn: int = THEIRS) -> bytes:
    return capability(65, u32(asn))


def opening(
    parameters: bytes | None = None,
    *,
    asn: int = THEIRS,
    version: int = 4,
    hold: int = 0,
    identifier: IPv4Address = TESTER_ID,
    rest: bytes | None = None,
) -> bytes:
    """An OPEN; `rest` stands for all after the BGP Identifier."""
    if parameters is None:
        parameters = MP4 + MP6 + REFRESH + as4(asn)
    if rest is None:
        rest = bytes((len(parameters),)) + parameters
    return message(1, bytes((version,)) + u16(asn) + u16(hold) + identifier.packed + rest)


EXTERNAL: Final = "external"  #: another AS, four-octet AS numbers
INTERNAL: Final = "internal"  #: our AS
OLD: Final = "old"  #: another AS, without the four-octet AS capability
PATHS: Final = {EXTERNAL: AS_PATH, INTERNAL: AS_PATH_INTERNAL, OLD: AS_PATH_OLD}

#: A community that tells the routes a session begins with from those of its case.
GOOD_MARK: Final = attribute(0xC0, 8, u32(THEIRS << 16 | 1))


def good(kind: str) -> bytes:
    """UPDATEs that announce P4 and P6, so that a withdrawal can be seen."""
    rest = GOOD_MARK + (LOCAL_PREF if kind == INTERNAL else b"")
    plain = ORIGIN + PATHS[kind] + NEXT_HOP + rest
    return fields(b"", plain, P4) + fields(b"", reach() + ORIGIN + PATHS[kind] + rest, b"")


def usual_open(kind: str, more: bytes = b"") -> bytes:
    """The usual OPEN of a tester, with `more` optional parameters."""
    asn = OURS if kind == INTERNAL else THEIRS
    return opening(MP4 + MP6 + REFRESH + (b"" if kind == OLD else as4(asn)) + more, asn=asn)
