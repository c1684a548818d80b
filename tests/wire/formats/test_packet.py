"""From link layers to TCP segments; what is no TCP segment is none."""

from __future__ import annotations

from ipaddress import ip_address
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire.formats.captures import ACK, SYN, ethernet, tcp

from bgp.wire.formats.packet import LINKS, End, Segment, segment_of
from bgp.wire.formats.pcap import Packet

FOUR = tcp(b"data", sequence=7, acknowledged=9)
SIX = tcp(b"data", source="2001:db8::1", destination="2001:db8::2", sequence=7, acknowledged=9)


def read(link: int, octets: bytes) -> Segment | None:
    return segment_of(Packet(1, 0, link, len(octets), octets))


def expected(packet: bytes, data: bytes = b"data", missing: int = 0) -> Segment:
    one, two = ("192.0.2.1", "192.0.2.2") if packet[0] >> 4 == 4 else ("2001:db8::1", "2001:db8::2")
    return Segment(End(ip_address(one), 40000), End(ip_address(two), 179), 7, 9, ACK, data, missing)


@pytest.mark.parametrize("packet", [FOUR, SIX])
@pytest.mark.parametrize(
    ("link", "before"),
    [
        (1, None),
        (101, b""),
        (12, b""),
        (0, b"\2\0\0\0"),
        (108, b"\0\0\0\x18"),
        (9, "ppp"),
        (50, "hdlc"),
        (113, "sll"),
        (276, "sll2"),
        (178, "juniper"),
        (178, "juniper extended"),
        (178, "juniper without a frame"),
    ],
)
def test_link_layers(link: int, before: bytes | str | None, packet: bytes) -> None:
    kind = packet[0] >> 4 == 4
    ether = b"\x08\x00" if kind else b"\x86\xdd"
    point = b"\0\x21" if kind else b"\0\x57"
    match before:
        case "sll":
            octets = bytes(14) + ether + packet
        case "sll2":
            octets = ether + bytes(18) + packet
        case "ppp":
            octets = point + packet
        case "hdlc":
            octets = b"\xff\x03" + point + packet
        case "juniper":
            octets = b"MGC\1" + ethernet(packet, tags=(0x8100,))
        case "juniper extended":
            octets = b"MGC\x80" + b"\0\x06\1\4abcd" + ethernet(packet)
        case "juniper without a frame":
            octets = b"MGC\x82" + b"\0\x06\1\4abcd" + b"\2\0\0\0" + packet
        case bytes():
            octets = before + packet
        case _:
            octets = ethernet(packet)
    assert read(link, octets) == expected(packet)


@pytest.mark.parametrize("tags", [(0x8100,), (0x88A8, 0x8100)])
def test_vlan_tags_are_walked_past(tags: tuple[int, ...]) -> None:
    assert read(1, ethernet(FOUR, tags=tags)) == expected(FOUR)


def test_padding_of_a_short_frame_is_no_data() -> None:
    assert read(1, ethernet(tcp(sequence=7, acknowledged=9), padding=bytes(6))) == expected(FOUR, b"")


def test_options_of_tcp_are_no_data() -> None:
    assert read(101, tcp(b"data", sequence=7, acknowledged=9, options=bytes(12))) == expected(FOUR)


def test_a_packet_cut_by_the_capture_says_how_much_is_missing() -> None:
    assert read(101, FOUR[:-3]) == expected(FOUR, b"d", 3)
    assert read(101, SIX[:-4]) == expected(SIX, b"", 4)


def test_length_zero_means_all_that_there_is() -> None:
    assert read(101, FOUR[:2] + b"\0\0" + FOUR[4:]) == expected(FOUR)
    assert read(101, SIX[:4] + b"\0\0" + SIX[6:]) == expected(SIX)


def test_ipv6_extension_headers_are_walked_past() -> None:
    extensions = pack(">BB6x", 60, 0) + pack(">BB6x", 44, 0) + pack(">BBHI", 51, 0, 0, 1) + pack(">BB10x", 6, 1)
    octets = tcp(
        b"data", source="2001:db8::1", destination="2001:db8::2", sequence=7, acknowledged=9, extensions=extensions,
        first_extension=0,
    )  # fmt: skip
    assert read(101, octets) == expected(SIX)


@pytest.mark.parametrize(
    ("link", "octets"),
    [
        (147, FOUR),  # a link type that nobody knows
        (1, bytes(12) + b"\x08\x06" + FOUR),  # ARP
        (1, b""),
        (0, b"\2\0"),
        (101, b"\x50" + FOUR[1:]),
        (9, b"\xc0\x21" + FOUR),
        (178, b"MGX\1" + ethernet(FOUR)),
        (178, b"MGC\x82\0"),
        (178, b"MGC\x02\2\0\0\0\x50"),
        (101, FOUR[:9] + b"\x11" + FOUR[10:]),  # UDP
        (101, FOUR[:6] + b"\x20\0" + FOUR[8:]),  # the first fragment
        (101, FOUR[:6] + b"\0\x01" + FOUR[8:]),  # a later one
        (101, FOUR[:30]),
        (101, FOUR[:32] + b"\x10" + FOUR[33:]),  # a TCP header of 4 octets
        (101, FOUR[:32] + b"\xf0" + FOUR[33:]),  # one longer than the packet
        (101, b"\x41" + FOUR[1:]),
        (101, SIX[:6] + b"\x3b" + SIX[7:]),  # no next header
        (101, SIX[:6] + b"\0" + SIX[7:44]),
        (101, SIX[:6] + b"\x2c" + SIX[7:40] + b"\6\0\0\1" + SIX[40:]),  # the first fragment
        (101, SIX[:6] + b"\x2c" + SIX[7:40] + b"\6\0\0\x08" + SIX[40:]),  # a later one
    ],
)
def test_what_is_no_tcp_segment(link: int, octets: bytes) -> None:
    assert read(link, octets) is None


def test_ends_are_written_as_people_write_them() -> None:
    assert str(End(ip_address("192.0.2.1"), 179)) == "192.0.2.1:179"
    assert str(End(ip_address("2001:db8::1"), 179)) == "[2001:db8::1]:179"


def test_a_segment_without_ack_acknowledges_nothing() -> None:
    found = read(101, tcp(flags=SYN, sequence=3))
    assert found is not None
    assert (found.acknowledged, found.flags) == (None, SYN)


@given(st.sampled_from([*LINKS, 99]), st.one_of(st.binary(max_size=90), st.binary(max_size=8).map(lambda x: x + FOUR)))
@settings(max_examples=300)
def test_any_octets_are_a_segment_or_none(link: int, octets: bytes) -> None:
    read(link, octets)
