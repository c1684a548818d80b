"""Capture files: both formats, both byte orders, every unit of time, and ends that are torn."""

from __future__ import annotations

import contextlib
import io
from struct import pack

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire.formats.captures import block, enhanced, interface, pcap, section

from bgp.wire.formats.pcap import LONGEST, Packet, read_pcap
from bgp.wire.formats.stream import Torn

FRAMES = [b"one", b"", b"three octets"]
SECOND = 1_000_000_000


def read(octets: bytes) -> list[Packet]:
    return list(read_pcap(io.BytesIO(octets)))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("nanoseconds", [False, True])
def test_pcap(order: str, nanoseconds: bool) -> None:
    found = read(pcap(FRAMES, order=order, nanoseconds=nanoseconds, link=101))
    assert found == [
        Packet(number, (99 + number) * SECOND + 5000, 101, len(frame), frame) for number, frame in enumerate(FRAMES, 1)
    ]


def test_packets_that_were_cut_remember_their_length() -> None:
    assert [(one.length, one.octets) for one in read(pcap([b"0123456789"], snap=4))] == [(10, b"0123")]


@pytest.mark.parametrize("order", ["<", ">"])
def test_pcapng(order: str) -> None:
    octets = section(order) + interface(order, link=101) + interface(order, link=1)
    octets += enhanced(b"one", 7_000_000, order=order, index=1)
    octets += block(order, 5, b"statistics of an interface")
    octets += block(order, 2, pack(f"{order}HHIIII", 0, 0, 0, 8_000_000, 2, 2) + b"ab")
    octets += block(order, 3, pack(f"{order}I", 3) + b"abc")
    assert read(octets) == [
        Packet(1, 7 * SECOND, 1, 3, b"one"),
        Packet(2, 8 * SECOND, 101, 2, b"ab"),
        Packet(3, 0, 101, 3, b"abc"),
    ]


@pytest.mark.parametrize(
    ("options", "ticks", "nanoseconds"),
    [
        (pack("<HHB3x", 9, 1, 9), 5, 5),
        (pack("<HHB3x", 9, 1, 3), 5, 5_000_000),
        (pack("<HHB3x", 9, 1, 0x80 | 1), 3, SECOND * 3 // 2),
        (pack("<HHq", 14, 8, 10), 1, 10 * SECOND + 1000),
        (pack("<HH4s", 2, 3, b"lo\0\0") + pack("<HHB3x", 9, 1, 9) + pack("<HH", 0, 0) + b"junk", 5, 5),
    ],
)
def test_units_and_origins_of_time(options: bytes, ticks: int, nanoseconds: int) -> None:
    (packet,) = read(section() + interface(options=options) + enhanced(b"x", ticks))
    assert packet.time == nanoseconds


def test_a_new_section_has_its_own_order_and_interfaces() -> None:
    octets = section("<") + interface("<", link=1) + enhanced(b"a", 1) + section(">") + interface(">", link=101)
    assert [one.link for one in read(octets + enhanced(b"b", 2, order=">"))] == [1, 101]


@pytest.mark.parametrize("octets", [pcap(FRAMES), section() + interface() + enhanced(b"one", 1) + enhanced(b"two", 2)])
def test_a_file_cut_anywhere_gives_what_is_before(octets: bytes) -> None:
    whole = read(octets)
    for end in range(4, len(octets)):
        found: list[Packet] = []
        try:
            for packet in read_pcap(io.BytesIO(octets[:end])):
                found.append(packet)
        except Torn:
            pass
        else:
            assert len(found) < len(whole)
        assert found == whole[: len(found)]


@pytest.mark.parametrize(
    ("octets", "reason"),
    [
        (b"", "neither"),
        (b"abcd", "neither"),
        (pcap([]) + pack("<IIII", 0, 0, LONGEST + 1, 0), "says that it has"),
        (section()[:8] + b"junk" + section()[12:], "byte order"),
        (section() + pack("<II", 6, 13) + bytes(20), "says that it has"),
        (section()[:4] + pack("<I", 27) + section()[8:], "says that it has"),
        (section() + enhanced(b"one", 1), "interface 0"),
        (section() + interface() + block("<", 6, bytes(8)), "too short"),
        (section() + block("<", 1, b""), "too short"),
        (section() + interface() + block("<", 6, pack("<IIIII", 0, 0, 0, 99, 99) + b"abc"), "not there"),
    ],
)
def test_damage_is_reported(octets: bytes, reason: str) -> None:
    with pytest.raises(Torn, match=reason):
        read(octets)


def test_simple_packets_are_as_long_as_their_interface_lets_them() -> None:
    described = block("<", 1, pack("<HHI", 101, 0, 2))
    (packet,) = read(section() + described + block("<", 3, pack("<I", 3) + b"abc"))
    assert (packet.length, packet.octets) == (3, b"ab")


@given(st.binary(max_size=80), st.sampled_from([pcap([]), section(), section() + interface(), b""]))
@settings(max_examples=200)
def test_any_octets_are_packets_or_torn(octets: bytes, before: bytes) -> None:
    with contextlib.suppress(Torn):
        read(before + octets)
