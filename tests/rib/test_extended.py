"""Extended communities as octets, text and values: all three ways round."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rib import extended
from rib.community import ExtendedCommunity, Ipv6ExtendedCommunity
from rib.extended import KINDS, KINDS6, AddressNumber, AsNumber
from rib.kinds import Kind

#: Octets, text, value; the octets as other speakers write them.
CASES = [
    ("0002fde900000064", "target:65001:100", AsNumber(65001, 100)),
    ("0102c00002010007", "target:192.0.2.1:7", AddressNumber(IPv4Address("192.0.2.1"), 7)),
    ("0202000111700005", "target:70000:5", AsNumber(70000, 5)),
    ("02020000fde90064", "target:65001L:100", AsNumber(65001, 100)),
    ("0003fde9ffffffff", "origin:65001:4294967295", AsNumber(65001, 4294967295)),
    ("0005000100000002", "ospf-domain:1:2", AsNumber(1, 2)),
    ("01070a0000010000", "ospf-router-id:10.0.0.1:0", AddressNumber(IPv4Address("10.0.0.1"), 0)),
    ("0306000000010500", "ospf-route-type:0.0.0.1:5:0", extended.OspfRouteType(IPv4Address("0.0.0.1"), 5, 0)),
    ("4004fde94cee6b28", "link-bandwidth:65001:125000000", extended.Rate(65001, 125000000.0)),
    ("030b000000000064", "color:0:100", extended.Color(0, 100)),
    ("030b400000000064", "color:16384:100", extended.Color(0x4000, 100)),
    ("030c000000000008", "encapsulation:vxlan", extended.Encapsulation(8)),
    ("030c00000000ffff", "encapsulation:65535", extended.Encapsulation(65535)),
    ("030d000000000000", "default-gateway", extended.Nothing()),
    ("4300000000000000", "origin-validation-state:valid", extended.OriginValidation(0)),
    ("4300000000000009", "origin-validation-state:9", extended.OriginValidation(9)),
    ("4301800100000064", "cost:128:1:100", extended.Cost(128, 1, 100)),
    ("0600010000000005", "mac-mobility:5:sticky", extended.MacMobility(extended.MobilityFlag.STICKY, 5)),
    ("0600000000000000", "mac-mobility:0", extended.MacMobility(extended.MobilityFlag(0), 0)),
    ("06010100000000a0", "esi-label:160:single-active", extended.EsiLabel(extended.EsiFlag.SINGLE_ACTIVE, 160)),
    ("0602001122334455", "es-import:00:11:22:33:44:55", extended.Mac("00:11:22:33:44:55")),
    ("0603aabbccddeeff", "router-mac:aa:bb:cc:dd:ee:ff", extended.Mac("aa:bb:cc:dd:ee:ff")),
    (
        "0604000605dc0000",
        "layer2-attributes:1500:primary+control-word",
        extended.Layer2Attributes(extended.Layer2Flag.PRIMARY | extended.Layer2Flag.CONTROL_WORD, 1500),
    ),
    ("060501000000000a", "e-tree:10:leaf", extended.ETree(extended.ETreeFlag.LEAF, 10)),
    ("0606024000000000", "df-election:2:16384", extended.DfElection(2, 0x4000)),
    ("0608010000000000", "arp-nd:router", extended.ArpNd(extended.ArpNdFlag.ROUTER)),
    ("0609000300000000", "multicast-flags:igmp-proxy+mld-proxy", extended.Multicast(extended.MulticastFlag(3))),
    ("01090a0000010000", "node-target:10.0.0.1", extended.NodeTarget(IPv4Address("10.0.0.1"))),
    ("0010fde900000064", "vpn-distinguisher:65001:100", AsNumber(65001, 100)),
    ("01120a0000010007", "segmented-next-hop:10.0.0.1:7", AddressNumber(IPv4Address("10.0.0.1"), 7)),
    ("0213000111700005", "target-record:70000:5", AsNumber(70000, 5)),
    ("02040000fde90064", "generic:65001L:100", AsNumber(65001, 100)),
    ("4204000111700005", "generic-nontransitive:70000:5", AsNumber(70000, 5)),
    ("0301800100000064", "cost-transitive:128:1:100", extended.Cost(128, 1, 100)),
    ("060afde900000064", "evi-target:65001:100", AsNumber(65001, 100)),
    ("060b0a0000010007", "evi-target:10.0.0.1:7", AddressNumber(IPv4Address("10.0.0.1"), 7)),
    ("060c000111700005", "evi-target:70000:5", AsNumber(70000, 5)),
    ("060f0000000a8000", "service-carving-time:10:32768", extended.ServiceCarvingTime(10, 32768)),
    (
        "07020000fde94007",
        "interface-set:65001:7+input",
        extended.InterfaceSet(65001, extended.InterfaceGroup(7, extended.Direction.INPUT)),
    ),
    (
        "47020000fde9ffff",
        "interface-set-nontransitive:65001:16383+input+output",
        extended.InterfaceSet(65001, extended.InterfaceGroup(16383, extended.Direction(3))),
    ),
    ("0a02000000000064", "transport-class:100", extended.TransportClass(100)),
    ("0c00000a0000000a", "mup:10:10", AsNumber(10, 10)),
    ("8006000000000000", "traffic-rate:0:0", extended.Rate(0, 0.0)),
    ("8006fde949742400", "traffic-rate:65001:1000000", extended.Rate(65001, 1000000.0)),
    ("800c000041200000", "traffic-rate-packets:0:10", extended.Rate(0, 10.0)),
    ("8007000000000001", "traffic-action:terminal", extended.TrafficAction(extended.TrafficActionFlag.TERMINAL)),
    ("8008fde900000003", "redirect:65001:3", AsNumber(65001, 3)),
    ("81080a0000010007", "redirect:10.0.0.1:7", AddressNumber(IPv4Address("10.0.0.1"), 7)),
    ("8208000111700003", "redirect:70000:3", AsNumber(70000, 3)),
    ("800900000000002e", "traffic-marking:46", extended.TrafficMarking(46)),
    ("800a130205dc0000", "layer2-info:19:2:1500:0", extended.Layer2Info(19, 2, 1500, 0)),
    (
        "010c0a0000010001",
        "redirect-to-ip:10.0.0.1:copy",
        extended.RedirectToAddress(IPv4Address("10.0.0.1"), extended.CopyFlag.COPY),
    ),
    ("0800000000000000", "redirect-to-next-hop", extended.RedirectToNextHop(extended.CopyFlag(0))),
]


@pytest.mark.parametrize(("octets", "text", "value"), CASES)
def test_octets_text_and_value_are_one(octets: str, text: str, value: object) -> None:
    community = ExtendedCommunity(bytes.fromhex(octets))
    assert str(community) == text
    assert community.value == value
    assert community.kind == text.partition(":")[0]
    assert ExtendedCommunity.parse(text) == ExtendedCommunity.parse(octets) == community


@pytest.mark.parametrize(("octets", "text", "value"), CASES)
def test_a_value_makes_the_community(octets: str, text: str, value: object) -> None:
    made = ExtendedCommunity.make(text.partition(":")[0], value)
    assert made.value == value
    assert made.hex() == octets or "L:" in text  # a short AS number takes the short form


def test_every_kind_has_a_case() -> None:
    tried = {bytes.fromhex(octets)[:2] for octets, _, _ in CASES}
    names = {text.partition(":")[0] for _, text, _ in CASES}
    left = {kind.name for kind in KINDS if kind.code not in tried} - names
    assert left == {"data-collection", "source-as", "l2vpn-id", "vrf-route-import", "link-bandwidth-transitive"}


@pytest.mark.parametrize(
    "octets",
    [
        "0f02030405060708",
        "030c000000010008",  # octets that must be 0
        "0600800000000005",  # a flag that nobody knows
        "8006fde97fc00000",  # not a number
        "ffffffffffffffff",
    ],
)
def test_what_no_kind_reads_whole_is_its_octets(octets: str) -> None:
    community = ExtendedCommunity(bytes.fromhex(octets))
    assert (community.kind, community.value, str(community)) == ("", None, octets)


@given(
    st.one_of(
        st.binary(min_size=8, max_size=8), *(st.binary(min_size=6, max_size=6).map(k.code.__add__) for k in KINDS)
    )
)
def test_every_community_is_read_back_from_its_text(octets: bytes) -> None:
    community = ExtendedCommunity(octets)
    assert ExtendedCommunity.parse(str(community)) == community
    if community.kind:
        assert ExtendedCommunity.make(community.kind, community.value).value == community.value


@given(st.sampled_from(KINDS6), st.binary(min_size=18, max_size=18))
def test_every_ipv6_community_is_read_back_from_its_text(kind: Kind, rest: bytes) -> None:
    community = Ipv6ExtendedCommunity(kind.code + rest)
    assert Ipv6ExtendedCommunity.parse(str(community)) == community


def test_an_ipv6_community_reads_well() -> None:
    community = Ipv6ExtendedCommunity.parse("target:[2001:db8::1]:100")
    assert community.hex() == "000220010db80000000000000000000000010064"
    assert community.value == AddressNumber(IPv6Address("2001:db8::1"), 100)
    assert repr(community) == "Ipv6ExtendedCommunity('target:[2001:db8::1]:100')"


@pytest.mark.parametrize("text", ["rt:65001:100", "target:65001:100", "0x0002fde900000064", "0002FDE900000064"])
def test_other_spellings_are_read(text: str) -> None:
    assert ExtendedCommunity.parse(text).hex() == "0002fde900000064"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "target",
        "target:1",
        "target:1:2:3",
        "target:4294967296:1",
        "target:65001:4294967296",
        "target:70000:65536",
        "target:10.0.0.256:1",
        "target:[::1]:1",
        "mac-mobility:5:other",
        "mac-mobility:sticky",
        "es-import:00:11:22:33:44",
        "traffic-rate:0:fast",
        "traffic-rate:0:1e40",
        "default-gateway:1",
        "frobnicate:1:2",
        "0002fde9000064",
    ],
)
def test_a_text_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an extended community"):
        ExtendedCommunity.parse(text)


def test_a_value_of_another_kind_is_refused() -> None:
    for kind, value in (
        ("target", extended.Nothing()),
        ("frobnicate", AsNumber(1, 1)),
        ("target", AsNumber(1 << 32, 1)),
        ("interface-set", extended.InterfaceSet(1, extended.InterfaceGroup(1 << 14, extended.Direction.INPUT))),
    ):
        with pytest.raises(ValueError, match="is not a value of"):
            ExtendedCommunity.make(kind, value)


def test_octets_of_another_size_are_refused() -> None:
    for kind, size in ((ExtendedCommunity, 7), (ExtendedCommunity, 20), (Ipv6ExtendedCommunity, 8)):
        with pytest.raises(ValueError, match="octets, not"):
            kind(bytes(size))


def test_what_stays_in_the_as_is_said() -> None:
    assert not ExtendedCommunity.parse("link-bandwidth:1:1").is_transitive
    assert ExtendedCommunity.parse("target:1:1").is_transitive
