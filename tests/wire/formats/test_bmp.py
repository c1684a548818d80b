"""BMP: every message type as octets and as a value, read from a stream, and the context that Peer Up gives."""

from __future__ import annotations

import io
from ipaddress import IPv4Address, IPv6Address
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import ipv4, ipv6, u8, u16, u32
from wire.formats.test_mrt_scan import Dripping

from bgp.capability import BOTH, AddPath, FourOctetAs, Multiprotocol
from bgp.message import Open
from bgp.wire.codec import encode as encode_bgp
from bgp.wire.fields import Malformed
from bgp.wire.formats.bmp import (
    ADJ_RIB_OUT,
    AS2,
    IPV6_FLAG,
    Bmp,
    Initiation,
    PeerDown,
    PeerHeader,
    PeerType,
    PeerUp,
    RouteMirroring,
    RouteMonitoring,
    Statistic,
    StatisticsReport,
    Termination,
    Tlv,
    UnknownBmp,
    decode,
    encode,
)
from bgp.wire.formats.bmp_stream import Contexts, read_bmp
from bgp.wire.formats.stream import Torn
from rib.family import IPV4_UNICAST

ONE: Final = IPv4Address("192.0.2.1")
SIX: Final = IPv6Address("2001:db8::1")
PEER: Final = PeerHeader(0, 0, bytes(8), ONE, 65001, IPv4Address("10.0.0.1"), 1000, 5)
PEER_HEX: Final = "00 00 0000000000000000 000000000000000000000000c0000201 0000fde9 0a000001 000003e8 00000005"
SIX_PEER: Final = PEER._replace(flags=IPV6_FLAG, address=SIX)
SIX_HEX: Final = "00 80 0000000000000000 20010db8000000000000000000000001 0000fde9 0a000001 000003e8 00000005"
OPEN: Final = "ff" * 16 + "001d 01 04 fde9 00b4 0a000001 00"
KEEPALIVE: Final = "ff" * 16 + "0013 04"

#: (octets after the length, value), from RFC 7854 4, RFC 8671 and RFC 9069 by hand.
TABLE: Final = (
    (f"00 {PEER_HEX} {KEEPALIVE}", RouteMonitoring(PEER, bytes.fromhex(KEEPALIVE))),
    (f"01 {PEER_HEX} 00000002 0001 0004 0000002a 0009 000b 0001 01 0000000000000007",
     StatisticsReport(PEER, (Statistic(1, b"\0\0\0\x2a"), Statistic(9, bytes.fromhex("0001010000000000000007"))))),
    (f"02 {PEER_HEX} 02 0012", PeerDown(PEER, 2, b"\0\x12")),
    (f"02 {PEER_HEX} 04", PeerDown(PEER, 4, b"")),
    (f"03 {SIX_HEX} 20010db8000000000000000000000002 00b3 c000 {OPEN} {OPEN} 0003 0002 7631",
     PeerUp(SIX_PEER, IPv6Address("2001:db8::2"), 179, 49152, bytes.fromhex(OPEN), bytes.fromhex(OPEN), (Tlv(3, b"v1"),))),
    (f"03 {PEER_HEX} 000000000000000000000000c0000202 00b3 c000 {OPEN} {OPEN}",
     PeerUp(PEER, IPv4Address("192.0.2.2"), 179, 49152, bytes.fromhex(OPEN), bytes.fromhex(OPEN), ())),
    ("04 0002 0003 723173 0063 0001 01", Initiation((Tlv(2, b"r1s"), Tlv(99, b"\1")))),
    ("05 0001 0002 0001", Termination((Tlv(1, b"\0\1"),))),
    (f"06 {PEER_HEX} 0000 0013 {KEEPALIVE} 0001 0002 0001",
     RouteMirroring(PEER, (Tlv(0, bytes.fromhex(KEEPALIVE)), Tlv(1, b"\0\1")))),
    ("09 0102", UnknownBmp(9, b"\1\2")),
)  # fmt: skip


def whole(text: str) -> bytes:
    body = bytes.fromhex(text)
    return b"\3" + (len(body) + 5).to_bytes(4, "big") + body


@pytest.mark.parametrize(("text", "value"), TABLE)
def test_a_message_is_its_octets(text: str, value: Bmp) -> None:
    octets = whole(text)
    assert decode(octets) == value
    assert encode(value) == octets


@pytest.mark.parametrize(("text", "value"), TABLE)
def test_a_message_cut_short_is_another_one_or_refused(text: str, value: Bmp) -> None:
    body = bytes.fromhex(text)
    for end in range(1, len(body)):
        octets = b"\3" + (end + 5).to_bytes(4, "big") + body[:end]
        try:
            found = decode(octets)
        except Malformed:
            continue
        assert found != value
        assert encode(found) == octets


def test_a_length_that_is_not_that_of_the_octets_is_refused() -> None:
    with pytest.raises(Malformed):
        decode(whole("04") + b"\0")
    with pytest.raises(Malformed):
        decode(b"\2" + whole("04")[1:])


def test_an_ipv4_peer_has_twelve_octets_of_zero_before_its_address() -> None:
    with pytest.raises(Malformed, match="12 octets"):
        decode(whole(f"00 {SIX_HEX.replace('00 80', '00 00', 1)}"))


def test_statistics_know_their_family() -> None:
    plain, by_family = Statistic(7, (5).to_bytes(8, "big")), Statistic(10, bytes.fromhex("00020100000000000000ff"))
    assert (plain.number, plain.family) == (5, None)
    assert (by_family.number, str(by_family.family)) == (255, "ipv6-unicast")


def open_message(asn: int, *, add_path: bool = True) -> bytes:
    paths = (AddPath(((IPV4_UNICAST, BOTH),)),) if add_path else ()
    return encode_bgp(Open(4, 23456, 90, ONE, (Multiprotocol(IPV4_UNICAST), FourOctetAs(asn), *paths)))


def peer_up(peer: PeerHeader, *, add_path: bool) -> PeerUp:
    sent, received = open_message(65002), open_message(65001, add_path=add_path)
    return PeerUp(peer, IPv4Address("192.0.2.2"), 179, 4000, sent, received, ())


def test_peer_up_says_how_to_read_what_follows() -> None:
    contexts = Contexts()
    assert not contexts.context(PEER).add_path
    contexts.learn(peer_up(PEER, add_path=True))
    assert contexts.context(PEER).add_path == {IPV4_UNICAST}
    assert contexts.context(PEER).as4
    assert contexts.context(PEER._replace(flags=ADJ_RIB_OUT)).add_path == {IPV4_UNICAST}
    assert not contexts.context(PEER._replace(flags=AS2)).as4
    assert not contexts.context(PEER._replace(address=IPv4Address("192.0.2.9"))).add_path
    contexts.learn(PeerDown(PEER, 4, b""))
    assert not contexts.context(PEER).add_path


def test_path_identifiers_are_there_only_if_both_sides_agree() -> None:
    contexts = Contexts()
    contexts.learn(peer_up(PEER, add_path=False))
    assert not contexts.context(PEER).add_path


def test_a_stream_is_read_message_by_message_past_a_bad_one() -> None:
    bad = whole(f"01 {PEER_HEX} 00000009")
    octets = whole("04") + bad + whole("05")
    found = list(read_bmp(io.BytesIO(octets)))
    assert [at for at, _ in found] == [0, 6, 6 + len(bad)]
    assert isinstance(found[1][1], Malformed)
    assert (found[0][1], found[2][1]) == (Initiation(()), Termination(()))


@pytest.mark.parametrize("size", [1, 5, 7, 100])
def test_a_stream_may_come_in_any_pieces(size: int) -> None:
    octets = b"".join(whole(text) for text, _ in TABLE)
    assert [message for _, message in read_bmp(Dripping(octets, size))] == [value for _, value in TABLE]


def test_texts_of_tlvs_are_utf8_as_far_as_they_are() -> None:
    assert Tlv(0, "größe".encode() + b"\xff").text == "größe\ufffd"


@pytest.mark.parametrize("octets", [whole("04")[:-1], b"\2" + whole("04")[1:], b"\3\0\0\0\5\4"])
def test_a_stream_that_goes_wrong_ends_in_torn_after_what_was_right(octets: bytes) -> None:
    found = read_bmp(io.BytesIO(whole("04") + octets))
    assert next(found) == (0, Initiation(()))
    with pytest.raises(Torn, match="at 6"):
        next(found)


octets = st.binary(max_size=20)
tlvs = st.lists(st.builds(Tlv, u16, octets), max_size=3).map(tuple)
peers = st.one_of(
    st.builds(PeerHeader, u8, st.integers(0, 127), st.binary(min_size=8, max_size=8), ipv4, u32, ipv4, u32, u32),
    st.builds(
        PeerHeader,
        st.sampled_from([PeerType.GLOBAL, PeerType.RD, PeerType.LOCAL]),
        st.integers(128, 255),
        st.binary(min_size=8, max_size=8),
        ipv6,
        u32,
        ipv4,
        u32,
        u32,
    ),
)
messages: st.SearchStrategy[Bmp] = st.one_of(
    st.builds(RouteMonitoring, peers, octets),
    st.builds(StatisticsReport, peers, st.lists(st.builds(Statistic, u16, octets), max_size=3).map(tuple)),
    st.builds(PeerDown, peers, u8, octets),
    st.builds(RouteMirroring, peers, tlvs),
    st.builds(Initiation, tlvs),
    st.builds(Termination, tlvs),
    st.builds(UnknownBmp, st.integers(7, 255), octets),
)


@given(messages)
@settings(max_examples=150)
def test_any_message_is_read_as_it_was_written(message: Bmp) -> None:
    assert decode(encode(message)) == message


@given(st.integers(0, 8), st.binary(max_size=80))
@settings(max_examples=150)
def test_any_octets_are_a_message_or_malformed(kind: int, body: bytes) -> None:
    try:
        found = decode(b"\3" + (len(body) + 6).to_bytes(4, "big") + bytes((kind,)) + body)
    except Malformed:
        return
    assert encode(found)[5:] == bytes((kind,)) + body


def test_a_local_address_of_another_kind_than_the_peer_s_is_malformed() -> None:
    with pytest.raises(Malformed, match="Peer Up"):
        decode(whole(f"03 {PEER_HEX} 20010db8000000000000000000000002 00b3 c000 {OPEN} {OPEN}"))


def test_openings_that_cannot_be_read_teach_nothing() -> None:
    contexts = Contexts()
    broken = open_message(65002)[:-1]
    for sent in (broken[:16] + len(broken).to_bytes(2, "big") + broken[18:], bytes.fromhex(KEEPALIVE)):
        contexts.learn(PeerUp(PEER, ONE, 179, 4000, sent, open_message(65001), ()))
        assert not contexts.context(PEER).add_path
    contexts.learn(Initiation(()))
