"""NLRI as octets and as values: printed in RFCs, or put together by hand from their field lists."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address
from typing import NamedTuple

from bgp.message import Destination
from rib.ethernet import SINGLE_HOMED, Esi, MacAddress
from rib.evpn import (
    EthernetAutoDiscovery,
    EthernetSegment,
    InclusiveMulticast,
    IpPrefix,
    MacIpAdvertisement,
    UnknownEvpnRoute,
)
from rib.family import (
    BGP_LS,
    BGP_LS_VPN,
    IPV4_FLOWSPEC,
    IPV4_LABELLED,
    IPV4_MCAST_VPN,
    IPV4_MUP,
    IPV4_SR_POLICY,
    IPV6_FLOWSPEC,
    IPV6_LABELLED,
    IPV6_MUP,
    IPV6_SR_POLICY,
    L2VPN_VPLS,
    ROUTE_TARGET,
    VPNV4,
    VPNV4_FLOWSPEC,
    VPNV6,
    VPNV6_FLOWSPEC,
    Family,
)
from rib.family import L2VPN_EVPN as EVPN
from rib.flowspec import FlowSpec, VpnFlowSpec
from rib.labelled import LabelledPrefix, VpnPrefix
from rib.link_state import LinkStateNlri
from rib.mup import DirectSegment, InterworkSegment, Type1Session, Type2Session, UnknownMupRoute
from rib.mvpn import McastVpnRoute
from rib.prefix import Prefix
from rib.route_distinguisher import RouteDistinguisher
from rib.route_target import RouteTargetMembership
from rib.sr_policy import SrPolicy
from rib.vpls import VplsBlock, VplsMember


class Vector(NamedTuple):
    """One NLRI; `canonical` is how it goes out again."""

    family: Family
    octets: bytes
    value: Destination
    canonical: bytes
    withdrawn: bool = False


def of(family: Family, octets: str, value: Destination, *, canonical: str = "", withdrawn: bool = False) -> Vector:
    """A vector of hexadecimal octets; `canonical` where the octets are not."""
    return Vector(family, bytes.fromhex(octets), value, bytes.fromhex(canonical or octets), withdrawn)


RD_HEX = "0000fde800000001"
RD = RouteDistinguisher.parse("65000:1")
TEN = Prefix("10.0.0.0/8")
DOCUMENTATION = Prefix("2001:db8::/32")

ESI = "00112233445566778899"
SEGMENT = Esi.parse("00:11:22:33:44:55:66:77:88:99")
MAC = MacAddress.parse("02:00:00:00:00:01")
V4, V6 = IPv4Address("192.0.2.1"), IPv6Address("2001:db8::1")
V6_HEX = "20010db8000000000000000000000001"

# fmt: off
VECTORS = [
    # RFC 8277 2.2, 2.3: one label, three labels, bits that mean nothing, host bits.
    of(IPV4_LABELLED, "20 000101 0a", LabelledPrefix(TEN, (16,))),
    of(IPV4_LABELLED, "50 000100 000110 fffff1 0a", LabelledPrefix(TEN, (16, 17, 0xFFFFF))),
    of(IPV4_LABELLED, "20 00010f 0a", LabelledPrefix(TEN, (16,)), canonical="20 000101 0a"),
    of(IPV4_LABELLED, "21 000031 0aff", LabelledPrefix(Prefix("10.128.0.0/9"), (3,)), canonical="21 000031 0a80"),
    of(IPV4_LABELLED, "18 000001", LabelledPrefix(Prefix("0.0.0.0/0"), (0,))),
    of(IPV6_LABELLED, "38 000201 20010db8", LabelledPrefix(DOCUMENTATION, (32,))),
    # RFC 8277 2.4: withdrawn; the older convention; the label itself.
    of(IPV4_LABELLED, "20 800000 0a", LabelledPrefix(TEN), withdrawn=True),
    of(IPV4_LABELLED, "20 000000 0a", LabelledPrefix(TEN), canonical="20 800000 0a", withdrawn=True),
    of(IPV4_LABELLED, "20 80000e 0a", LabelledPrefix(TEN), canonical="20 800000 0a", withdrawn=True),
    of(IPV4_LABELLED, "20 000101 0a", LabelledPrefix(TEN, (16,)), withdrawn=True),
    of(IPV4_LABELLED, "38 000100 000111 0a", LabelledPrefix(TEN, (16, 17)), withdrawn=True),
    of(IPV6_LABELLED, "38 800000 20010db8", LabelledPrefix(DOCUMENTATION), withdrawn=True),
    # RFC 4364 4.2: the three types of route distinguisher, and one that nobody knows.
    of(VPNV4, "60 000101 0000fde800000001 0a", VpnPrefix(RD, TEN, (16,))),
    of(VPNV4, "60 000101 00010a0000010002 0a", VpnPrefix(RouteDistinguisher.parse("10.0.0.1:2"), TEN, (16,))),
    of(VPNV4, "60 000101 0002fa56ea000002 0a", VpnPrefix(RouteDistinguisher.parse("4200000000:2"), TEN, (16,))),
    of(VPNV4, "60 000101 00020000fde80002 0a", VpnPrefix(RouteDistinguisher.parse("2:65000:2"), TEN, (16,))),
    of(VPNV4, "60 000101 0003000000000002 0a", VpnPrefix(RouteDistinguisher.parse("0003000000000002"), TEN, (16,))),
    of(VPNV4, "60 800000 0000fde800000001 0a", VpnPrefix(RD, TEN), withdrawn=True),
    # RFC 4659 3.2: VPN-IPv6.
    of(VPNV6, "78 000101 0000fde800000001 20010db8", VpnPrefix(RD, DOCUMENTATION, (16,))),
    of(VPNV6, "90 000100 000111 0000fde800000001 20010db8", VpnPrefix(RD, DOCUMENTATION, (16, 17))),
    # RFC 7432 7.1 to 7.4: the four types, each with every length that it can have.
    of(EVPN, f"01 19 {RD_HEX} {ESI} 00000000 000640", EthernetAutoDiscovery(RD, SEGMENT, 0, 100 << 4)),
    of(EVPN, f"02 21 {RD_HEX} {ESI} 00000064 30 020000000001 00 0003e8", MacIpAdvertisement(RD, SEGMENT, 100, MAC, 1000)),
    of(EVPN, f"02 25 {RD_HEX} {ESI} 00000064 30 020000000001 20 c0000201 0003e8",
       MacIpAdvertisement(RD, SEGMENT, 100, MAC, 1000, V4)),
    of(EVPN, f"02 34 {RD_HEX} {ESI} 00000064 30 020000000001 80 {V6_HEX} 0003e8 ffffff",
       MacIpAdvertisement(RD, SEGMENT, 100, MAC, 1000, V6, 0xFFFFFF)),
    of(EVPN, f"02 24 {RD_HEX} {ESI} 00000064 30 020000000001 00 0003e8 000001",
       MacIpAdvertisement(RD, SEGMENT, 100, MAC, 1000, None, 1)),
    of(EVPN, f"03 11 {RD_HEX} 00000000 20 c0000201", InclusiveMulticast(RD, 0, V4)),
    of(EVPN, f"03 1d {RD_HEX} 00000000 80 {V6_HEX}", InclusiveMulticast(RD, 0, V6)),
    of(EVPN, f"04 17 {RD_HEX} {ESI} 20 c0000201", EthernetSegment(RD, SEGMENT, V4)),
    of(EVPN, f"04 23 {RD_HEX} {ESI} 80 {V6_HEX}", EthernetSegment(RD, SEGMENT, V6)),
    # RFC 9136 3.1: both families; host bits are cleared.
    of(EVPN, f"05 22 {RD_HEX} {'00' * 10} 00000000 08 0a000000 c0000201 0003e8",
       IpPrefix(RD, SINGLE_HOMED, 0, TEN, V4, 1000)),
    of(EVPN, f"05 22 {RD_HEX} {'00' * 10} 00000000 09 0affffff 00000000 0003e8",
       IpPrefix(RD, SINGLE_HOMED, 0, Prefix("10.128.0.0/9"), IPv4Address(0), 1000),
       canonical=f"05 22 {RD_HEX} {'00' * 10} 00000000 09 0a800000 00000000 0003e8"),
    of(EVPN, f"05 3a {RD_HEX} {ESI} 00000000 20 20010db8 {'00' * 12} {'00' * 16} 0003e8",
       IpPrefix(RD, SEGMENT, 0, DOCUMENTATION, IPv6Address(0), 1000)),
    # RFC 7606 5.4: a type that is none of these.
    of(EVPN, "06 03 010203", UnknownEvpnRoute(6, b"\1\2\3")),
    of(EVPN, "ff 00", UnknownEvpnRoute(255, b"")),
    # RFC 8955 4.3: its three examples.
    of(IPV4_FLOWSPEC, "0b 0118c00002 038106 048119",
       FlowSpec.parse("destination 192.0.2.0/24 protocol =6 port =25")),
    of(IPV4_FLOWSPEC, "12 0118c00002 0218cb0071 04 0389 458b 911f90",
       FlowSpec.parse("destination 192.0.2.0/24 source 203.0.113.0/24 port >=137&<=139,=8080")),
    of(IPV4_FLOWSPEC, "09 0120c0000201 0c8005",
       FlowSpec.parse("destination 192.0.2.1/32 fragment dont-fragment+first-fragment")),
    # RFC 8956 3.8: its two examples (table 1 there has 20010dbb for the first pattern, table 2 has what is meant).
    of(IPV6_FLOWSPEC, "12 012000 20010db8 026840 123456789a 038106",
       FlowSpec.parse("destination 2001:db8::/32 source ::1234:5678:9a00:0/64-104 protocol =6")),
    of(IPV6_FLOWSPEC, "0f 012000 20010db8 026841 2468acf134",
       FlowSpec.parse("destination 2001:db8::/32 source ::1234:5678:9a00:0/65-104")),
    # RFC 8955 4.2.2: every component; RFC 8955 4.2.1: every operator, every size.
    of(IPV4_FLOWSPEC, "22 0a 0005 0105 0205 0305 0405 0505 0605 0705 100100 2000010000 b30000000100000000",
       FlowSpec.parse("packet-length false5,=5,>5,>=5,<5,<=5,!=5,true5,false256,false65536,>=4294967296")),
    of(IPV4_FLOWSPEC, "0a 09 0002 0102 0202 930112",
       FlowSpec.parse("tcp-flags syn,=syn,!syn,!=syn+ack+0x100")),
    of(IPV4_FLOWSPEC, "0f 03 8106 05 811a 06 811b 07 8108 08 8100", FlowSpec.parse(
       "protocol =6 destination-port =26 source-port =27 icmp-type =8 icmp-code =0")),
    of(IPV4_FLOWSPEC, "03 0b812e", FlowSpec.parse("dscp =46")),
    of(IPV4_FLOWSPEC, "04 03 91 0006", FlowSpec.parse("protocol =6@2")),
    of(IPV6_FLOWSPEC, "06 0d a1 000fffff", FlowSpec.parse("flow-label =1048575")),
    of(IPV6_FLOWSPEC, "03 01 0000", FlowSpec.parse("destination ::/0")),
    # What means nothing is cleared: reserved bits, a first and bit, host bits, a length in two octets.
    of(IPV4_FLOWSPEC, "f007 0109 0aff 03c906", FlowSpec.parse("destination 10.128.0.0/9 protocol =6"),
       canonical="07 0109 0a80 038106"),
    of(IPV4_FLOWSPEC, "05 09 4c02 8c10", FlowSpec.parse("tcp-flags syn,ack"),
       canonical="05 09 0002 8010"),
    of(IPV4_FLOWSPEC, "03 0c80ff", FlowSpec.parse("fragment dont-fragment+is-fragment+first-fragment+last-fragment"),
       canonical="03 0c800f"),
    of(IPV6_FLOWSPEC, "03 0c80ff", FlowSpec.parse("fragment is-fragment+first-fragment+last-fragment"), canonical="03 0c800e"),
    of(IPV6_FLOWSPEC, "04 010a03 ff", FlowSpec.parse("destination 1fc0::/3-10"), canonical="04 010a03 fe"),
    # RFC 8955 4.1: a length above 239 takes two octets.
    of(IPV4_FLOWSPEC, f"f0f1 04 {'0050' * 119} 8051", FlowSpec.parse(f"port {'false80,' * 119}false81")),
    # RFC 8955 8: behind a route distinguisher.
    of(VPNV4_FLOWSPEC, f"0d {RD_HEX} 0118c00002", VpnFlowSpec.parse("rd 65000:1 destination 192.0.2.0/24")),
    of(VPNV6_FLOWSPEC, f"0f {RD_HEX} 012000 20010db8", VpnFlowSpec.parse("rd 65000:1 destination 2001:db8::/32")),
    # RFC 4684 4: all of them, those of an origin AS, a prefix of one, one.
    of(ROUTE_TARGET, "00", RouteTargetMembership()),
    of(ROUTE_TARGET, "20 0000fde8", RouteTargetMembership(65000)),
    of(ROUTE_TARGET, "40 0000fde8 0002fde8", RouteTargetMembership(65000, b"\0\2\xfd\xe8", 32)),
    of(ROUTE_TARGET, "41 0000fde8 0002fde8ff", RouteTargetMembership(65000, b"\0\2\xfd\xe8\x80", 33),
       canonical="41 0000fde8 0002fde880"),
    of(ROUTE_TARGET, "60 0000fde8 0002fde800000001", RouteTargetMembership.parse("origin 65000 target:65000:1")),
    # RFC 4761 3.2.2; RFC 6074 3.2.2.1.
    of(L2VPN_VPLS, f"0011 {RD_HEX} 0001 0001 0008 000641", VplsBlock(RD, 1, 1, 8, 100 << 4 | 1)),
    of(L2VPN_VPLS, f"000c {RD_HEX} c0000201", VplsMember(RD, V4)),
    # RFC 9552 5.2: a node, a link, a prefix, a type that is none of these.
    of(BGP_LS, "0001 0027 02 0000000000000000 0100 001a 0200 0004 0000fc13 0201 0004 0000008b 0203 0006 192168251231",
       LinkStateNlri.parse("node protocol 2 identifier 0 local[as=64531,ls-id=139,router=0x192168251231]")),
    of(BGP_LS, "0002 0031 03 0000000000000007 0100 0008 0200 0004 0000fde8 0101 0008 0200 0004 0000fde9"
               " 0103 0004 c0000201 0104 0004 c0000202",
       LinkStateNlri.parse("link protocol 3 identifier 7 local[as=65000] remote[as=65001]"
                           " ipv4-interface=192.0.2.1 ipv4-neighbour=192.0.2.2")),
    of(BGP_LS, "0003 000f 02 0000000000000000 0109 0002 080a",
       LinkStateNlri.parse("ipv4-prefix protocol 2 identifier 0 reachability=0x080a")),
    of(BGP_LS, "0004 0026 02 0000000000000000 0100 0000 0105 0010 20010db8000000000000000000000001 04d2 0001 ff",
       LinkStateNlri.parse("ipv6-prefix protocol 2 identifier 0 local[] ipv6-interface=2001:db8::1 1234=0xff")),
    of(BGP_LS, "0063 0002 0a0b", LinkStateNlri(99, octets=b"\x0a\x0b")),
    of(BGP_LS_VPN, f"0001 0011 {RD_HEX} 07 0000000000000001", LinkStateNlri(1, 7, 1, rd=RD)),
    # RFC 9830 2.1.
    of(IPV4_SR_POLICY, "60 00000000 00000064 c0000201", SrPolicy(0, 100, V4)),
    of(IPV6_SR_POLICY, f"c0 00000001 00000064 {V6_HEX}", SrPolicy(1, 100, V6)),
    # draft-ietf-bess-mup-safi 3.1: the four types, with and without what may be absent; one that is none of them.
    of(IPV4_MUP, f"01 0001 0a {RD_HEX} 08 0a", InterworkSegment(RD, TEN)),
    of(IPV4_MUP, f"01 0002 0c {RD_HEX} c0000201", DirectSegment(RD, V4)),
    of(IPV4_MUP, f"01 0003 17 {RD_HEX} 20 c0000205 00003039 09 20 c0000201",
       Type1Session(RD, Prefix("192.0.2.5/32"), 12345, 9, V4)),
    of(IPV4_MUP, f"01 0003 18 {RD_HEX} 20 c0000205 00003039 09 20 c0000201 00",
       Type1Session(RD, Prefix("192.0.2.5/32"), 12345, 9, V4),
       canonical=f"01 0003 17 {RD_HEX} 20 c0000205 00003039 09 20 c0000201"),
    of(IPV6_MUP, f"01 0003 28 {RD_HEX} 80 {V6_HEX} 00003039 09 20 c0000201 20 c0000202",
       Type1Session(RD, Prefix("2001:db8::1/128"), 12345, 9, V4, IPv4Address("192.0.2.2"))),
    of(IPV4_MUP, f"01 0004 11 {RD_HEX} 40 c0000201 00003039", Type2Session(RD, V4, b"\0\0\x30\x39", 32)),
    of(IPV4_MUP, f"01 0004 0f {RD_HEX} 2c c0000201 0030", Type2Session(RD, V4, b"\0\x30", 12)),
    of(IPV6_MUP, f"01 0004 19 {RD_HEX} 80 {V6_HEX}", Type2Session(RD, V6, b"", 0)),
    of(IPV4_MUP, "01 0005 01 ff", UnknownMupRoute(1, 5, b"\xff")),
    of(IPV4_MUP, "02 0001 00", UnknownMupRoute(2, 1, b"")),
    # RFC 6514 4.
    of(IPV4_MCAST_VPN, f"05 12 {RD_HEX} 20 0a000001 20 e8000001", McastVpnRoute(
       5, bytes.fromhex(f"{RD_HEX} 20 0a000001 20 e8000001"))),
    of(IPV4_MCAST_VPN, "63 00", McastVpnRoute(99, b"")),
]
# fmt: on
