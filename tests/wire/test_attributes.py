"""Path attributes as (octets, value): decoded, encoded, cut off at every octet, with an octet too many, with wrong flags."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import contexts, path_attributes

from bgp.attribute import (
    Aigp,
    Association,
    BfdDiscriminator,
    BgpsecPath,
    Bier,
    BierDomain,
    BindingSid,
    CandidatePathName,
    Domain,
    DomainPath,
    DsField,
    EgressEndpoint,
    ExplicitNullPolicy,
    Functions,
    GreKey,
    Hop,
    L2tpSession,
    LabelHandling,
    LabelIndex,
    LabelStack,
    LinkState,
    LinkStateTlv,
    MplsSegment,
    NextHopCharacteristics,
    OriginatorSrgb,
    PeLabel,
    PeLabels,
    PmsiTunnel,
    PolicyName,
    Preference,
    PrefixSid,
    Priority,
    ProtocolType,
    SecurePathSegment,
    SegmentList,
    ServicePath,
    SidStructure,
    Signature,
    SignatureBlock,
    Srv6BindingSid,
    Srv6L2Service,
    Srv6L3Service,
    Srv6Segment,
    Srv6SidInformation,
    StackedLabels,
    SwapLabels,
    Tlv,
    Tunnel,
    TunnelColor,
    TunnelEncapsulation,
    UdpPort,
    VirtualNetwork,
    Weight,
)
from bgp.error import Reaction
from bgp.iana import AttributeCode as Code
from bgp.message import AttributeSet, AttributeValue, PathAttribute
from bgp.wire.attributes import ATTRIBUTES, KIND, check, decode_value, encode_value, name_of
from bgp.wire.context import DEFAULT, Context
from bgp.wire.fields import Malformed
from bgp.wire.tlv import MAX_TLVS
from rib.as_path import AsPath
from rib.attributes import Aggregator, Origin
from rib.community import Community, ExtendedCommunity, Ipv6ExtendedCommunity, LargeCommunity
from rib.family import IPV4_UNICAST, IPV6_UNICAST, L2VPN_EVPN
from rib.route_distinguisher import RouteDistinguisher

OLD = Context(as4=False)
V4, V6 = IPv4Address("10.0.0.1"), IPv6Address("2001:db8::1")
V6_HEX = "20010db8000000000000000000000001"
COLOR = ExtendedCommunity.parse("color:0:100")


def tunnel(kind: int, *tlvs: object) -> TunnelEncapsulation:
    return TunnelEncapsulation((Tunnel(kind, tlvs),))  # type: ignore[arg-type]


def encapsulation(kind: int, body: str) -> str:
    """The hexadecimal digits of a tunnel."""
    octets = bytes.fromhex(body)
    return (kind.to_bytes(2, "big") + len(octets).to_bytes(2, "big") + octets).hex()


RD1 = RouteDistinguisher.parse("65000:1")
COMPOSITE_SSM = bytes.fromhex("000641 0a000001 e8010101")
KEY = bytes(range(20))
#: Code, octets, value, and the context where it is not the usual one.
CASES: list[tuple[int, str, AttributeValue, Context]] = [
    (Code.ORIGIN, "00", Origin.IGP, DEFAULT),
    (Code.ORIGIN, "02", Origin.INCOMPLETE, DEFAULT),
    (Code.AS_PATH, "", AsPath(), DEFAULT),
    (Code.AS_PATH, "02 02 0000fde9 00011170", AsPath.of(65001, 70000), DEFAULT),
    (Code.AS_PATH, "02 02 fde9 5ba0", AsPath.of(65001, 23456), OLD),
    (
        Code.AS_PATH,
        "03 01 0000fc00 04 01 0000fc01 02 01 0000fde9 01 02 00000001 00000002",
        AsPath.parse("(64512) [64513] 65001 {1,2}"),
        DEFAULT,
    ),
    (Code.NEXT_HOP, "0a000001", V4, DEFAULT),
    (Code.MULTI_EXIT_DISC, "00000064", 100, DEFAULT),
    (Code.LOCAL_PREF, "ffffffff", 4294967295, DEFAULT),
    (Code.ATOMIC_AGGREGATE, "", True, DEFAULT),
    (Code.AGGREGATOR, "00011170 0a000001", Aggregator(70000, V4), DEFAULT),
    (Code.AGGREGATOR, "5ba0 0a000001", Aggregator(23456, V4), OLD),
    (Code.COMMUNITIES, "fde90064 ffffff01", (Community.parse("65001:100"), Community.parse("no-export")), DEFAULT),
    (Code.ORIGINATOR_ID, "0a000001", V4, DEFAULT),
    (Code.CLUSTER_LIST, "0a000001 0a000002", (V4, IPv4Address("10.0.0.2")), DEFAULT),
    (Code.EXTENDED_COMMUNITIES, "0002fde900000064", (ExtendedCommunity.parse("target:65001:100"),), DEFAULT),
    (Code.AS4_PATH, "02 02 00011170 00011171", AsPath.of(70000, 70001), OLD),
    (Code.AS4_AGGREGATOR, "00011170 0a000001", Aggregator(70000, V4), OLD),
    (Code.PMSI_TUNNEL, "00 06 000640 0a000001", PmsiTunnel(0, 6, 1600, V4.packed), DEFAULT),
    (Code.PMSI_TUNNEL, f"01 06 000640 {V6_HEX}", PmsiTunnel(1, 6, 1600, V6.packed), DEFAULT),
    (Code.PMSI_TUNNEL, "00 00 000000", PmsiTunnel(0, 0, 0), DEFAULT),
    (
        Code.PMSI_TUNNEL,
        "00 03 000000 0a000001 e8010101",
        PmsiTunnel(0, 3, 0, bytes.fromhex("0a000001e8010101")),
        DEFAULT,
    ),
    (Code.PMSI_TUNNEL, "00 0a 000640 0a000001", PmsiTunnel(0, 0x0A, 1600, V4.packed), DEFAULT),
    (Code.PMSI_TUNNEL, "00 0b 000640 01 0007 0a000001", PmsiTunnel(0, 0x0B, 1600, b"\1\0\7" + V4.packed), DEFAULT),
    (
        Code.PMSI_TUNNEL,
        "00 02 000000 06 0001 04 0a000001 0007 01 0004 00000007",
        PmsiTunnel(0, 2, 0, bytes.fromhex("06 0001 04 0a000001 0007 01 0004 00000007")),
        DEFAULT,
    ),
    (Code.PMSI_TUNNEL, "00 fb 000000 ff", PmsiTunnel(0, 0xFB, 0, b"\xff"), DEFAULT),
    (Code.PMSI_TUNNEL, "00 83 000000 000641 0a000001 e8010101", PmsiTunnel(0, 0x83, 0, COMPOSITE_SSM), DEFAULT),
    (Code.TUNNEL_ENCAPSULATION, "0008 0000", tunnel(8), DEFAULT),
    (
        Code.TUNNEL_ENCAPSULATION,
        encapsulation(8, "01 0c 80 000064 001122334455 0000 06 0a 00000000 0001 0a000001"),
        tunnel(8, VirtualNetwork(0x80, 100, bytes.fromhex("001122334455")), EgressEndpoint(V4)),
        DEFAULT,
    ),
    (
        Code.TUNNEL_ENCAPSULATION,
        f"0002 0034 01 04 00000007 02 02 0800 04 08 030b000000000064 06 06 00000000 0000 06 16 00000000 0002 {V6_HEX}",
        tunnel(2, GreKey(7), ProtocolType(0x800), TunnelColor(COLOR), EgressEndpoint(None), EgressEndpoint(V6)),
        DEFAULT,
    ),
    (
        Code.TUNNEL_ENCAPSULATION,
        encapsulation(1, "01 06 00000001 abcd 07 01 2e 08 02 12b5 09 01 01 63 00"),
        tunnel(1, L2tpSession(1, b"\xab\xcd"), DsField(46), UdpPort(4789), LabelHandling(1), Tlv(99, b"")),
        DEFAULT,
    ),
    (
        Code.TUNNEL_ENCAPSULATION,
        "000d 0006 0a 04 00064140",
        tunnel(13, LabelStack((0x00064140,))),
        DEFAULT,
    ),
    (
        Code.TUNNEL_ENCAPSULATION,
        encapsulation(
            15,
            "0c 06 00 00 00000064 0d 06 00 00 00064000 0d 02 00 00 0e 03 00 00 01 0f 02 05 00"
            f"80 0028 00 09 06 00 00 00000001 01 06 00 00 00064140 0d 12 00 00 {V6_HEX} 63 01 ff"
            f"14 12 00 00 {V6_HEX}"
            "81 0004 00 637031 82 0004 00 706f6c c7 0001 aa",
        ),
        tunnel(
            15,
            Preference(0, 100),
            BindingSid(0, bytes.fromhex("00064000")),
            BindingSid(0),
            ExplicitNullPolicy(0, 1),
            Priority(5),
            SegmentList((Weight(0, 1), MplsSegment(0, 0x00064140), Srv6Segment(0, V6), Tlv(99, b"\xff"))),
            Srv6BindingSid(0, V6),
            CandidatePathName("cp1"),
            PolicyName("pol"),
            Tlv(199, b"\xaa"),
        ),
        DEFAULT,
    ),
    (
        Code.IPV6_EXTENDED_COMMUNITIES,
        f"0002 {V6_HEX} 0064",
        (Ipv6ExtendedCommunity.parse("target:[2001:db8::1]:100"),),
        DEFAULT,
    ),
    (Code.AIGP, "01 000b 0000000000000064", Aigp.of(100), DEFAULT),
    (
        Code.AIGP,
        "02 0004 ff 01 000b 0000000000000001 01 000b 0000000000000002",
        Aigp((Tlv(2, b"\xff"), Tlv(1, bytes(7) + b"\1"), Tlv(1, bytes(7) + b"\2"))),
        DEFAULT,
    ),
    (Code.BGP_LS, "", LinkState(), DEFAULT),
    (
        Code.BGP_LS,
        "0402 0002 7231 0447 0003 00000a 0400 0001 80 0404 0004 0a000001 0447 0001 0a 0448 0000 0441 0004 4cee6b28 "
        "0448 0008 00000001 00000002",
        LinkState(
            (
                LinkStateTlv(1026, "r1"),
                LinkStateTlv(1095, 10),
                LinkStateTlv(1024, 0x80),
                LinkStateTlv(1028, V4),
                Tlv(1095, b"\n"),
                LinkStateTlv(1096, ()),
                LinkStateTlv(1089, 125000000.0),
                LinkStateTlv(1096, (1, 2)),
            )
        ),
        DEFAULT,
    ),
    (Code.LARGE_COMMUNITIES, "0000fde9 00000001 00000002", (LargeCommunity(65001, 1, 2),), DEFAULT),
    (Code.ONLY_TO_CUSTOMER, "0000fde9", 65001, DEFAULT),
    (
        Code.D_PATH,
        "02 0000fde8 0001 46 0000fde9 0002 80",
        DomainPath(((Domain(65000, 1, 70), Domain(65001, 2, 128)),)),
        DEFAULT,
    ),
    (
        Code.PE_DISTINGUISHER_LABELS,
        "0a000001 000641 0a000002 000651",
        PeLabels((PeLabel(V4, 0x641), PeLabel(IPv4Address("10.0.0.2"), 0x651))),
        DEFAULT,
    ),
    (Code.PE_DISTINGUISHER_LABELS, f"{V6_HEX} 000641", PeLabels((PeLabel(V6, 0x641),)), DEFAULT),
    (
        Code.BGPSEC_PATH,
        f"000e 01 00 0000fde9 00 80 0000fdea 0037 01 {KEY.hex()} 0004 aabbccdd {KEY.hex()} 0004 00112233",
        BgpsecPath(
            (SecurePathSegment(1, 0, 65001), SecurePathSegment(0, 0x80, 65002)),
            (SignatureBlock(1, (Signature(KEY, b"\xaa\xbb\xcc\xdd"), Signature(KEY, bytes.fromhex("00112233")))),),
        ),
        DEFAULT,
    ),
    (
        Code.SFP,
        "01 000c 01 0000fde800000001 000007 02 000e ff 03 000a 0029 0000fde800000001"
        "02 0009 fe 03 0002 002a 04 0000 05 0000 63 0001 ff",
        ServicePath(
            (
                Association(1, RD1, 7),
                Hop(255, (Functions(41, (RD1,)),)),
                Hop(254, (Functions(42), SwapLabels())),
                StackedLabels(),
                Tlv(99, b"\xff"),
            )
        ),
        DEFAULT,
    ),
    (
        Code.NEXT_HOP_CHARACTERISTICS,
        "0001 01 04 0a000001 0001 0000 0003 0008 0a000001 0000fde9",
        NextHopCharacteristics(IPV4_UNICAST, V4.packed, (Tlv(1, b""), Tlv(3, bytes.fromhex("0a000001 0000fde9")))),
        DEFAULT,
    ),
    (Code.NEXT_HOP_CHARACTERISTICS, "0019 46 00", NextHopCharacteristics(L2VPN_EVPN, b""), DEFAULT),
    (
        Code.BIER,
        "0001 000e 01 0007 00 0001 0006 05 000641 1003 0063 0001 ff 0001 0004 02 0000 00",
        Bier((BierDomain(1, 7, (Tlv(1, bytes.fromhex("05 000641 1003")),)), Tlv(99, b"\xff"), BierDomain(2, 0))),
        DEFAULT,
    ),
    (
        Code.BFD_DISCRIMINATOR,
        "01 00000007 01 04 0a000001",
        BfdDiscriminator(1, 7, (Tlv(1, V4.packed),)),
        DEFAULT,
    ),
    (Code.PREFIX_SID, "01 0007 00 0000 00000064", PrefixSid((LabelIndex(0, 100),)), DEFAULT),
    (
        Code.PREFIX_SID,
        "01 0007 00 0000 00000064 03 0008 0000 003e80 001f40 63 0001 ff",
        PrefixSid((LabelIndex(0, 100), OriginatorSrgb(0, ((16000, 8000),)), Tlv(99, b"\xff"))),
        DEFAULT,
    ),
    (
        Code.PREFIX_SID,
        f"05 0022 00 01 001e 00 {V6_HEX} 00 0013 00 01 0006 20 10 10 00 10 30",
        PrefixSid((Srv6L3Service((Srv6SidInformation(V6, 0, 0x13, (SidStructure(32, 16, 16, 0, 16, 48),)),)),)),
        DEFAULT,
    ),
    (
        Code.PREFIX_SID,
        f"06 0019 00 01 0015 00 {V6_HEX} 00 0017 00",
        PrefixSid((Srv6L2Service((Srv6SidInformation(V6, 0, 0x17),)),)),
        DEFAULT,
    ),
    (
        Code.ATTR_SET,
        "0000fde9 40 01 01 00 40 02 00 40 05 04 00000064 c0 c8 01 ff",
        AttributeSet(
            65001,
            (
                PathAttribute(0x40, 1, Origin.IGP),
                PathAttribute(0x40, 2, AsPath()),
                PathAttribute(0x40, 5, 100),
                PathAttribute(0xC0, 200, b"\xff"),
            ),
        ),
        DEFAULT,
    ),
    (Code.ATTR_SET, "0000fde9", AttributeSet(65001), DEFAULT),
]
each = pytest.mark.parametrize(
    ("code", "octets", "value", "context"),
    [(code, bytes.fromhex(text), value, context) for code, text, value, context in CASES],
    ids=[f"{name_of(code)}-{number}" for number, (code, *_) in enumerate(CASES)],
)


@each
def test_octets_decode(code: int, octets: bytes, value: AttributeValue, context: Context) -> None:
    assert check(code, ATTRIBUTES[code].kind, octets, context) is None
    assert decode_value(code, octets, context) == value


@each
def test_values_encode(code: int, octets: bytes, value: AttributeValue, context: Context) -> None:
    assert encode_value(code, value, context) == octets


@each
def test_what_is_cut_off_or_left_over_is_refused_or_something_else(
    code: int, octets: bytes, value: AttributeValue, context: Context
) -> None:
    """The two judges agree, octet by octet: what `check` lets through can be read, and encodes to itself."""
    for wrong in [*(octets[:at] for at in range(len(octets))), octets + b"\0"]:
        if check(code, ATTRIBUTES[code].kind, wrong, context) is None:
            found = decode_value(code, wrong, context)
            assert found != value
            assert encode_value(code, found, context) == wrong


@each
def test_values_are_frozen_and_hashable(code: int, octets: bytes, value: AttributeValue, context: Context) -> None:
    assert hash(value) == hash(decode_value(code, octets, context))


def test_every_row_that_reads_has_a_case() -> None:
    assert {code for code, row in ATTRIBUTES.items() if row.codec is not None} <= {code for code, *_ in CASES}


#: Code, octets, RFC 7606's reaction and the NOTIFICATION's subcode; of the usual context.
WRONG = [
    (Code.ORIGIN, "", Reaction.TREAT_AS_WITHDRAW, 5),
    (Code.ORIGIN, "0000", Reaction.TREAT_AS_WITHDRAW, 5),
    (Code.ORIGIN, "03", Reaction.TREAT_AS_WITHDRAW, 6),
    (Code.AS_PATH, "02", Reaction.TREAT_AS_WITHDRAW, 11),
    (Code.AS_PATH, "00 01 0000fde9", Reaction.TREAT_AS_WITHDRAW, 11),
    (Code.AS_PATH, "05 01 0000fde9", Reaction.TREAT_AS_WITHDRAW, 11),
    (Code.AS_PATH, "02 00", Reaction.TREAT_AS_WITHDRAW, 11),
    (Code.AS_PATH, "02 02 0000fde9", Reaction.TREAT_AS_WITHDRAW, 11),
    (Code.AS_PATH, "02 01 00000000", Reaction.TREAT_AS_WITHDRAW, 11),  # RFC 7607
    (Code.NEXT_HOP, "0a0000", Reaction.TREAT_AS_WITHDRAW, 5),
    (Code.MULTI_EXIT_DISC, "", Reaction.TREAT_AS_WITHDRAW, 5),
    (Code.LOCAL_PREF, "000064", Reaction.TREAT_AS_WITHDRAW, 5),
    (Code.ATOMIC_AGGREGATE, "00", Reaction.ATTRIBUTE_DISCARD, 5),
    (Code.AGGREGATOR, "fde9 0a000001", Reaction.ATTRIBUTE_DISCARD, 5),
    (Code.AGGREGATOR, "00000000 0a000001", Reaction.ATTRIBUTE_DISCARD, 9),  # RFC 7607
    (Code.COMMUNITIES, "", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.COMMUNITIES, "fde90064 ff", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.ORIGINATOR_ID, "0a0000", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.CLUSTER_LIST, "", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.EXTENDED_COMMUNITIES, "", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.EXTENDED_COMMUNITIES, "0002fde90000006400", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.AS4_PATH, "02 01 0001", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.AS4_AGGREGATOR, "00011170 0a0000", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.PMSI_TUNNEL, "00 06 0006", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.PMSI_TUNNEL, "00 06 000640 0a00", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.PMSI_TUNNEL, "00 55 000640 0a000001", Reaction.TREAT_AS_WITHDRAW, 9),  # RFC 6514 5: undefined type
    (Code.PMSI_TUNNEL, "00 09 000640 0a000001", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.PMSI_TUNNEL, "00 01 000640" + "00" * 36, Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.PMSI_TUNNEL, "00 0b 000640 0a000001", Reaction.TREAT_AS_WITHDRAW, 9),  # RFC 8556 2
    (Code.PMSI_TUNNEL, "00 02 000640 06 0001 04 0a000001 0007 01", Reaction.TREAT_AS_WITHDRAW, 9),  # RFC 6388 2.2
    (Code.PMSI_TUNNEL, "00 07 000640 06", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.PMSI_TUNNEL, "00 83 000640 0a000001 e8010101", Reaction.TREAT_AS_WITHDRAW, 9),  # RFC 8317 5.2: no label
    (Code.PMSI_TUNNEL, "00 86 000640 000641 0a000001", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.PE_DISTINGUISHER_LABELS, "", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.PE_DISTINGUISHER_LABELS, "0a000001 000641 00", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.PE_DISTINGUISHER_LABELS, "e0000001 000641", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.BGPSEC_PATH, "0002", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.BGPSEC_PATH, "0001", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.BGPSEC_PATH, "0008 01 00 0000fde9", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.BGPSEC_PATH, "0008 01 00 0000fde9 0003 01", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.SFP, "05 0000", Reaction.TREAT_AS_WITHDRAW, 9),  # RFC 9015 3.2.1: no hop
    (Code.SFP, "02 0001 ff", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.SFP, "02 0005 ff 03 0001 00", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.SFP, "02 0006 ff 03 0002 0029 01 0001 01", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.SFP, "02 0005 ff 03 0002 0029", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.NEXT_HOP_CHARACTERISTICS, "0001 01", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.NEXT_HOP_CHARACTERISTICS, "0001 01 04 c0", Reaction.ATTRIBUTE_DISCARD, 9),  # CVE-2026-37459
    (Code.NEXT_HOP_CHARACTERISTICS, "0001 01 04 0a000001 0001", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.BIER, "0001 0003 01 0007", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.BIER, "0001 0008 01 0007 01 0001 0006", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.BFD_DISCRIMINATOR, "01 00000007", Reaction.ATTRIBUTE_DISCARD, 9),  # RFC 9026 3.1.6: less than 11 octets
    (Code.BFD_DISCRIMINATOR, "01 00000007 01 05 0a00000100", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.TUNNEL_ENCAPSULATION, "", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.TUNNEL_ENCAPSULATION, "0008 0004 01 02 00", Reaction.TREAT_AS_WITHDRAW, 9),  # CVE-2024-44070
    (Code.TUNNEL_ENCAPSULATION, "0008 0003 01 0c 80", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.TUNNEL_ENCAPSULATION, "0008 0002 80 00", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.TRAFFIC_ENGINEERING, "", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.IPV6_EXTENDED_COMMUNITIES, "00", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.AIGP, "01 000b 00000000000001", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.AIGP, "01 0002 0000000000000064", Reaction.ATTRIBUTE_DISCARD, 9),  # CVE-2023-41359
    (Code.AIGP, "01 0003", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.AIGP, "01 000a 00000000000001", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.BGP_LS, "0402 0003 7231", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.BGP_LS, "04", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.LARGE_COMMUNITIES, "", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.LARGE_COMMUNITIES, "0000fde9 00000001 0000000200", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.BGPSEC_PATH, "", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.ONLY_TO_CUSTOMER, "00fde9", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.D_PATH, "00", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.D_PATH, "02 0000fde8 0001 46", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.BFD_DISCRIMINATOR, "01 000000", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.BFD_DISCRIMINATOR, "01 00000007 01 05 0a000001", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.PREFIX_SID, "0000000000000000000000", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.PREFIX_SID, "000000", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.PREFIX_SID, "01 0008 00 0000 00000064", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.PREFIX_SID, "01 0006 00 0000 000064", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.PREFIX_SID, "03 0002 0000", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.PREFIX_SID, "03 0007 0000 003e80 001f", Reaction.ATTRIBUTE_DISCARD, 9),
    (Code.PREFIX_SID, "05 0000", Reaction.TREAT_AS_WITHDRAW, 9),  # RFC 9252 7
    (Code.PREFIX_SID, "05 0004 00 01 0015", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.PREFIX_SID, "05 0006 00 01 0002 0000", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.PREFIX_SID, "06 0006 01 01 0002 0000", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.PREFIX_SID, "06 000a 01 02 0001 00 01 0002 0000", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.ATTR_SET, "0000fd", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.ATTR_SET, "0000fde9 40 01", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.ATTR_SET, "0000fde9 40 01 02 00", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.ATTR_SET, "0000fde9 40 01 01 07", Reaction.TREAT_AS_WITHDRAW, 9),
    (Code.ATTR_SET, "0000fde9 40 c8 01 07", Reaction.TREAT_AS_WITHDRAW, 9),
]


@pytest.mark.parametrize(("code", "text", "reaction", "subcode"), WRONG)
def test_a_malformed_value_costs_what_its_rfc_says(code: int, text: str, reaction: Reaction, subcode: int) -> None:
    error = check(code, ATTRIBUTES[code].kind, bytes.fromhex(text), DEFAULT)
    assert error is not None
    assert (error.reaction, error.code, error.subcode, error.attribute) == (reaction, 3, subcode, code)
    assert error.reason


@pytest.mark.parametrize("code", ATTRIBUTES)
def test_flags_are_held_to_the_kind_of_attribute(code: int) -> None:
    """RFC 7606 3 c; the Partial bit and the four unused ones may be anything (RFC 4271 4.3)."""
    value = next(
        (bytes.fromhex(text) for own, text, _, context in CASES if own == code and context is DEFAULT), b"\0" * 8
    )
    row = ATTRIBUTES[code]
    for flags in range(256):
        error = check(code, flags, value, DEFAULT)
        if flags & KIND == row.kind:
            assert error is None or error.reaction is row.reaction, f"{flags:#x}: {error}"
        else:
            assert error is not None
            assert error.reaction is row.flags_reaction
            assert error.subcode == (9 if row.flags_reaction is Reaction.SESSION_RESET else 4)


@pytest.mark.parametrize(
    ("code", "context", "refused"),
    [
        (Code.LOCAL_PREF, Context(peering="external"), True),
        (Code.ORIGINATOR_ID, Context(peering="external"), True),
        (Code.CLUSTER_LIST, Context(peering="external"), True),
        (Code.AIGP, Context(peering="external"), True),
        (Code.AIGP, Context(peering="internal"), False),
        (Code.LOCAL_PREF, Context(peering="internal"), False),
        (Code.LOCAL_PREF, Context(peering="confederation"), False),
        (Code.AS4_PATH, Context(peering="internal"), True),
        (Code.AS4_AGGREGATOR, Context(peering="internal"), True),
        (Code.AS4_PATH, Context(peering="internal", as4=False), False),
        (Code.AS4_PATH, DEFAULT, False),
    ],
)
def test_what_does_not_belong_on_a_session_is_dropped_whatever_it_holds(
    code: int, context: Context, refused: bool
) -> None:
    for value in (b"", b"\1"):
        error = check(code, 0, value, context)
        assert error is not None
        assert (error.reaction is Reaction.ATTRIBUTE_DISCARD and "belong" in error.reason) is refused


def test_an_attribute_that_nobody_knows_is_kept_unless_it_is_well_known() -> None:
    for code in (0, 28, 99, 255):
        assert check(code, 0xC0, b"\1\2\3", DEFAULT) is None
        assert check(code, 0x80, b"", DEFAULT) is None
        assert decode_value(code, b"\1\2\3", DEFAULT) == b"\1\2\3"
        error = check(code, 0x40, b"\1\2\3", DEFAULT)
        assert error is not None
        assert (error.reaction, error.subcode) == (Reaction.SESSION_RESET, 2)
        assert error.data == bytes((0x40, code, 3, 1, 2, 3))


CONFEDERATION = bytes.fromhex("0301 0000fc00 0201 0000fde9")


@pytest.mark.parametrize(
    ("path", "context", "reason"),
    [
        (CONFEDERATION, Context(peering="external"), "from outside the confederation"),
        (CONFEDERATION, Context(peering="confederation"), None),
        (CONFEDERATION[6:], Context(peering="confederation"), "begins with AS_CONFED_SEQUENCE"),
        (b"\4" + CONFEDERATION[1:], Context(peering="confederation"), "begins with AS_CONFED_SEQUENCE"),
        (b"", Context(peering="confederation"), "begins with AS_CONFED_SEQUENCE"),
        (b"", Context(peering="external", peer_asn=65001, enforce_first_as=True), "begins with None"),
        (b"", Context(peering="external", peer_asn=65001), None),
        (CONFEDERATION[6:], Context(peering="external", peer_asn=65001, enforce_first_as=True), None),
        (CONFEDERATION[6:], Context(peering="external", peer_asn=65002, enforce_first_as=True), "not with the peer's"),
        (CONFEDERATION[6:], Context(peering="internal", peer_asn=65002, enforce_first_as=True), None),
        (b"\2\1\x5b\xa0", Context(as4=False, peering="external", peer_asn=99999, enforce_first_as=True), None),
        (b"\2\1\x5b\xa0", Context(as4=False, peering="external", peer_asn=99, enforce_first_as=True), "begins with"),
    ],
)
def test_an_as_path_is_held_to_the_session(path: bytes, context: Context, reason: str | None) -> None:
    error = check(Code.AS_PATH, 0x40, path, context)
    assert (error is None) is (reason is None)
    assert error is None or (reason or "") in error.reason


@given(contexts().flatmap(lambda context: path_attributes(context).map(lambda one: (context, one))))
@settings(max_examples=200)
def test_every_value_encodes_and_decodes_to_itself(both: tuple[Context, PathAttribute]) -> None:
    context, one = replace(both[0], families=None), both[1]
    octets = encode_value(one.code, one.value, context)
    assert decode_value(one.code, octets, context) == one.value


@given(st.sampled_from(sorted(set(ATTRIBUTES) - {14, 15})), st.binary(max_size=60), st.booleans())
@settings(max_examples=400)
def test_check_and_codec_are_of_one_mind(code: int, octets: bytes, as4: bool) -> None:
    context = Context(as4=as4)
    wrong = check(code, ATTRIBUTES[code].kind, octets, context)
    try:
        value = decode_value(code, octets, context)
    except Malformed:
        assert wrong is not None
        return
    if wrong is None:
        assert encode_value(code, value, context) == octets


@pytest.mark.parametrize(
    ("code", "value"),
    [
        (Code.ORIGIN, AsPath()),
        (Code.AS_PATH, 5),
        (Code.MULTI_EXIT_DISC, 1 << 32),
        (Code.COMMUNITIES, (1 << 32,)),
        (Code.TUNNEL_ENCAPSULATION, tunnel(8, LabelIndex(0, 1))),
        (Code.TUNNEL_ENCAPSULATION, tunnel(1 << 16)),
        (Code.PREFIX_SID, PrefixSid((UdpPort(1),))),  # type: ignore[arg-type]
        (Code.PREFIX_SID, PrefixSid((Tlv(1, bytes(70000)),))),
        (Code.BGP_LS, LinkState((LinkStateTlv(9, 1),))),
        (Code.BGP_LS, LinkState((LinkStateTlv(1026, 1),))),
        (Code.PMSI_TUNNEL, PmsiTunnel(0, 6, 1 << 24)),
        (Code.ATTR_SET, True),
        (Code.ATTR_SET, AttributeSet(1 << 32)),
        (Code.TRAFFIC_ENGINEERING, 5),
        (Code.PE_DISTINGUISHER_LABELS, PeLabels((PeLabel(V4, 1), PeLabel(V6, 1)))),
        (Code.PE_DISTINGUISHER_LABELS, PeLabels((PeLabel(V6, 1),) * 7)),
        (Code.BGPSEC_PATH, BgpsecPath((), (SignatureBlock(1, ()),) * 3)),
        (Code.SFP, ServicePath((Functions(1),))),  # type: ignore[arg-type]
        (200, 5),
    ],
)
def test_a_value_that_an_attribute_cannot_have_is_refused(code: int, value: AttributeValue) -> None:
    with pytest.raises(Malformed):
        encode_value(code, value, DEFAULT)


def test_a_service_with_reserved_bits_is_kept_as_octets() -> None:
    """RFC 9252 2: the reserved octet is ignored; the value would not come out with it."""
    octets = bytes.fromhex("05 0005 01 02 0001 00")
    assert check(Code.PREFIX_SID, 0xC0, octets, DEFAULT) is None
    assert decode_value(Code.PREFIX_SID, octets, DEFAULT) == PrefixSid((Tlv(5, octets[3:]),))


@pytest.mark.parametrize(
    ("code", "one"),
    [
        (Code.TUNNEL_ENCAPSULATION, b"\0\x08\0\0"),
        (Code.AIGP, b"\2\0\3"),
        (Code.BGP_LS, b"\4\1\0\0"),
        (Code.PREFIX_SID, b"\x63\0\0"),
    ],
)
def test_a_list_has_a_limit(code: int, one: bytes) -> None:
    kind = ATTRIBUTES[code].kind
    assert check(code, kind, one * MAX_TLVS, DEFAULT) is None
    error = check(code, kind, one * (MAX_TLVS + 1), DEFAULT)
    assert error is not None
    assert f"more than {MAX_TLVS}" in error.reason
    with pytest.raises(Malformed):
        encode_value(Code.BGP_LS, LinkState((Tlv(1, b""),) * (MAX_TLVS + 1)), DEFAULT)


def test_texts_that_are_not_utf_8_are_kept_as_octets() -> None:
    for code, octets, tlv in (
        (Code.BGP_LS, "0402 0001 ff", LinkState((Tlv(1026, b"\xff"),))),
        (Code.BGP_LS, "0441 0004 7fc00001", LinkState((Tlv(1089, b"\x7f\xc0\0\1"),))),
        (Code.TUNNEL_ENCAPSULATION, encapsulation(15, "82 0002 00 ff"), tunnel(15, Tlv(130, b"\0\xff"))),
        (Code.TUNNEL_ENCAPSULATION, encapsulation(15, "0c 06 00 01 00000064"), tunnel(15, Tlv(12, b"\0\1\0\0\0\x64"))),
    ):
        assert decode_value(code, bytes.fromhex(octets), DEFAULT) == tlv
        assert encode_value(code, tlv, DEFAULT) == bytes.fromhex(octets)


def test_sets_within_sets_stay_octets() -> None:
    inner = bytes.fromhex("c0 80 04 0000fde9")
    found = decode_value(Code.ATTR_SET, b"\0\0\0\1" + inner, DEFAULT)
    assert found == AttributeSet(1, (PathAttribute(0xC0, 128, b"\0\0\xfd\xe9"),))


def test_what_tunnels_and_metrics_say_of_themselves() -> None:
    assert PmsiTunnel(0, 6, 0x640, V4.packed).endpoint == V4
    assert PmsiTunnel(0, 6, 0x640).mpls_label == 100
    assert PmsiTunnel(0, 3, 0, bytes(8)).endpoint is None
    assert PeLabel(V4, 0x641).mpls_label == 100
    there = NextHopCharacteristics(IPV6_UNICAST, V6.packed + V6.packed, (Tlv(1, b""),))
    assert there.next_hops == (V6, V6)
    assert there.has(NextHopCharacteristics.ENTROPY_LABEL)
    assert not there.has(NextHopCharacteristics.BGP_IDENTIFIER)
    assert NextHopCharacteristics(IPV6_UNICAST, b"\1").next_hops == ()
    assert (Tunnel(8).name, Tunnel(999).name) == ("vxlan", "999")
    assert (Aigp.of(5).metric, Aigp((Tlv(2, b""),)).metric) == (5, None)
    assert Aigp((Tlv(1, b"\1"), Tlv(1, b"\2"))).metric == 1  # RFC 7311 3: the first one counts
    path = DomainPath.parse("65000:1:70 65001:2:128")
    assert str(path) == "65000:1:70 65001:2:128"
    assert DomainPath.parse("") == DomainPath(())
    assert str(Tlv(1, b"\xab")) == "1:ab"


def test_every_attribute_that_iana_lists_has_a_name() -> None:
    assert name_of(28) == "ENTROPY_LABEL_CAPABILITY"
    assert name_of(40) == "PREFIX_SID"
    assert name_of(200) == "attribute 200"
