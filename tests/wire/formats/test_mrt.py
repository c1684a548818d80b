"""MRT: every kind of record as octets and as a value; what is no such record stays what it was."""

from __future__ import annotations

import io
from ipaddress import IPv4Address, IPv6Address
from struct import pack
from typing import Final

import pytest
from hypothesis import given, settings
from wire.formats.mrt_strategies import records

from bgp.wire.fields import Malformed
from bgp.wire.formats.mrt import decode, encode
from bgp.wire.formats.mrt_scan import read_mrt
from bgp.wire.formats.mrt_values import (
    Bgp4mp,
    Broken,
    GeoPeer,
    GeoPeerTable,
    IndexedPeer,
    Legacy,
    LegacyMessage,
    LegacyStateChange,
    MessageRecord,
    Peer,
    PeerIndexTable,
    Record,
    Rib,
    Rib2,
    RibEntry,
    RibGeneric,
    StateChange,
    TableDump,
    Type,
    Unread,
    context_of,
)
from rib.family import IPV4_UNICAST, L2VPN_EVPN, VPNV4, Family
from rib.prefix import Prefix

ONE: Final = IPv4Address("192.0.2.1")
TWO: Final = IPv4Address("192.0.2.2")
SIX: Final = IPv6Address("2001:db8::1")
KEEPALIVE: Final = b"\xff" * 16 + b"\0\x13\x04"
ENTRY: Final = RibEntry(1, 1000, None, b"\x40\x01\x01\x00")

#: (type, body in hexadecimal, value): RFC 6396's layouts written out by hand.
TABLE: Final = (
    (13, "c0000201 0002 7631 0002 00 c0000202 c0000201 fde9 03 c0000202 20010db8000000000000000000000001 00010000",
     PeerIndexTable(ONE, b"v1", (IndexedPeer(0, TWO, ONE, 65001), IndexedPeer(3, TWO, SIX, 65536)))),
    (13, "c0000201 0000 42480000 7fc00000 0001 02 c0000202 c0000201 00010000 3f800000 c0000000",
     GeoPeerTable(ONE, b"", pack(">f", 50.0), b"\x7f\xc0\0\0",
                  (GeoPeer(2, TWO, ONE, 65536, pack(">f", 1.0), pack(">f", -2.0)),))),
    (13, "00000007 18c63364 0001 0001 000003e8 0004 40010100",
     Rib(Rib2.RIB_IPV4_UNICAST, 7, Prefix("198.51.100.0/24"), (ENTRY,))),
    (13, "00000007 2020010db8 0000", Rib(Rib2.RIB_IPV6_UNICAST, 7, Prefix("2001:db8::/32"), ())),
    (13, "00000007 18c63364 0001 0001 000003e8 00000005 0004 40010100",
     Rib(Rib2.RIB_IPV4_UNICAST_ADDPATH, 7, Prefix("198.51.100.0/24"), (ENTRY._replace(path_id=5),))),
    (13, "00000007 0001 80 70 000011 0000fde900000001 c63364 0001 0001 000003e8 0004 40010100",
     RibGeneric(Rib2.RIB_GENERIC, 7, VPNV4, bytes.fromhex("70 000011 0000fde900000001 c63364"), (ENTRY,))),
    (13, "00000007 0001 01 00000009 18c63364 0001 0001 000003e8 0004 40010100",
     RibGeneric(Rib2.RIB_GENERIC_ADDPATH, 7, IPV4_UNICAST, bytes.fromhex("00000009 18c63364"), (ENTRY,))),
    (12, "0000 0001 c6336400 18 01 000003e8 c0000201 fde9 0004 40010100",
     TableDump(0, 1, Prefix("198.51.100.0/24"), 1, 1000, Peer(ONE, 65001), ENTRY.attributes)),
    (16, "fde9 fdea 0000 0001 c0000201 c0000202 0003 0006",
     StateChange(Bgp4mp.STATE_CHANGE, Peer(ONE, 65001), Peer(TWO, 65002), 0, 3, 6)),
    (16, "00010000 0000fdea 0007 0001 c0000201 c0000202" + KEEPALIVE.hex(),
     MessageRecord(Bgp4mp.MESSAGE_AS4, Peer(ONE, 65536), Peer(TWO, 65002), 7, KEEPALIVE)),
    (5, "fde9 c0000201 fdea c0000202 00000000",
     LegacyMessage(Legacy.UPDATE, Peer(ONE, 65001), Peer(TWO, 65002), b"\xff" * 16 + b"\0\x17\2\0\0\0\0")),
    (5, "fde9 c0000201 0003 0006", LegacyStateChange(Peer(ONE, 65001), 3, 6)),
    (32, "0102", Unread(32, 0, b"\1\2")),
)  # fmt: skip


def subtype_of(value: object) -> int:
    match value:
        case PeerIndexTable():
            return Rib2.PEER_INDEX_TABLE
        case GeoPeerTable():
            return Rib2.GEO_PEER_TABLE
        case TableDump(prefix=prefix):
            return prefix.afi
        case LegacyStateChange():
            return Legacy.STATE_CHANGE
        case _:
            return value.subtype  # type: ignore[attr-defined, no-any-return]


@pytest.mark.parametrize(("kind", "text", "value"), TABLE)
def test_a_record_is_its_octets(kind: int, text: str, value: object) -> None:
    body = bytes.fromhex(text)
    assert decode(kind, subtype_of(value), body) == value
    header = pack(">IHHI", 99, kind, subtype_of(value), len(body))
    assert encode(Record(0, 99, None, value)) == header + body  # type: ignore[arg-type]


@pytest.mark.parametrize(("kind", "text", "value"), [row for row in TABLE if row[0] != 32])
def test_a_record_cut_short_or_too_long_is_broken_and_kept(kind: int, text: str, value: object) -> None:
    body = bytes.fromhex(text)
    for end in range(len(body)):
        found = decode(kind, subtype_of(value), body[:end])
        assert isinstance(found, Broken | MessageRecord | LegacyMessage), end
        if isinstance(found, Broken):
            assert (found.body, bool(found.reason)) == (body[:end], True)
    if not isinstance(value, MessageRecord | LegacyMessage):
        assert isinstance(decode(kind, subtype_of(value), body + b"\0"), Broken)


def test_the_context_follows_from_the_subtype() -> None:
    record = MessageRecord(Bgp4mp.MESSAGE_AS4_ADDPATH, Peer(ONE, 1), Peer(TWO, 2), 0, KEEPALIVE)
    assert context_of(record).as4
    assert IPV4_UNICAST in context_of(record).add_path
    assert not context_of(record._replace(subtype=Bgp4mp.MESSAGE)).as4
    assert not context_of(LegacyMessage(Legacy.OPEN, Peer(ONE, 1), Peer(TWO, 2), KEEPALIVE)).as4


@pytest.mark.parametrize(
    ("family", "nlri"),
    [(L2VPN_EVPN, "0203aabbcc"), (Family(1, 133), "03010203"), (Family(1, 133), "f003010203"),
     (Family(16388, 71), "00010002aabb"), (Family(25, 65), "0003aabbcc"), (Family(1, 85), "010001 01ff")],
)  # fmt: skip
def test_generic_routes_of_families_with_lengths_of_their_own(family: Family, nlri: str) -> None:
    value = RibGeneric(Rib2.RIB_GENERIC, 1, family, bytes.fromhex(nlri), (ENTRY, ENTRY))
    octets = encode(Record(0, 1, None, value))
    assert [record.content for record in read_mrt(io.BytesIO(octets))] == [value]


def test_a_generic_route_of_an_unknown_family_is_kept() -> None:
    body = bytes.fromhex("00000001 0001 99 0102")
    found = decode(Type.TABLE_DUMP_V2, Rib2.RIB_GENERIC, body)
    assert isinstance(found, Broken)
    assert "no length that is known" in found.reason
    assert encode(Record(0, 1, None, found))[12:] == body


def test_values_that_do_not_fit_are_refused() -> None:
    with pytest.raises(Malformed):
        encode(Record(0, 1 << 32, None, Unread(1, 1, b"")))
    with pytest.raises(Malformed):
        encode(Record(0, 1, None, StateChange(Bgp4mp.STATE_CHANGE, Peer(ONE, 65536), Peer(TWO, 1), 0, 1, 2)))
    with pytest.raises(Malformed):
        encode(Record(0, 1, None, StateChange(Bgp4mp.STATE_CHANGE, Peer(ONE, 1), Peer(SIX, 1), 0, 1, 2)))


@given(records())
@settings(max_examples=300)
def test_any_record_is_read_as_it_was_written(record: Record) -> None:
    octets = encode(record)
    assert list(read_mrt(io.BytesIO(octets))) == [record]


def test_a_message_too_long_for_a_header_is_broken() -> None:
    body = bytes.fromhex("fde9 c0000201 fdea c0000202") + bytes(65517)
    found = decode(Type.BGP, Legacy.UPDATE, body)
    assert isinstance(found, Broken)
    assert "65517 octets" in found.reason
    assert isinstance(decode(Type.BGP, Legacy.UPDATE, body[:-1]), LegacyMessage)


def test_a_generic_route_says_whether_its_nlri_begins_with_a_path_identifier() -> None:
    value = RibGeneric(Rib2.RIB_GENERIC, 1, VPNV4, b"", ())
    assert not value.has_path_id
    assert value._replace(subtype=Rib2.RIB_GENERIC_ADDPATH).has_path_id


def test_an_nlri_longer_than_its_record_is_broken() -> None:
    found = decode(Type.TABLE_DUMP_V2, Rib2.RIB_GENERIC, bytes.fromhex("00000001 0001 80 70 0000"))
    assert isinstance(found, Broken)
    assert "an NLRI of 15 octets in 3" in found.reason
