"""Routes of every family on their way: out of a message, through the tables' octets, into a message."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from nlri_strategies import destinations, makes_no_route

from bgp.error import LocalError, PeerError, Reaction
from bgp.iana import AttributeCode as Code
from bgp.message import Destination, MalformedNlri, MpReach, MpUnreach, PathAttribute, Update
from bgp.wire.codec import encode
from bgp.wire.context import Context
from bgp.wire.nlri import FAMILIES, encode_nlri
from bgp.wire.nlri.keys import destination, key_of, key_text
from bgp.wire.outgoing import Encoder
from bgp.wire.scan import Reach, RouteUpdate, UpdateScanner
from bgp.wire.update import decode_update, encode_update
from rib.as_path import AsPath
from rib.attributes import Attributes
from rib.evpn import UnknownEvpnRoute
from rib.export import Rewrite
from rib.family import (
    BGP_LS,
    BGP_LS_VPN,
    IPV4_FLOWSPEC,
    IPV4_MUP,
    IPV4_UNICAST,
    IPV6_FLOWSPEC,
    L2VPN_EVPN,
    L2VPN_VPLS,
    VPNV4,
    VPNV4_FLOWSPEC,
    VPNV6,
    Family,
)
from rib.flowspec import FlowSpec, VpnFlowSpec
from rib.labelled import VpnPrefix
from rib.link_state import LinkStateNlri
from rib.mup import UnknownMupRoute
from rib.route_distinguisher import RouteDistinguisher

OTHERS = sorted(family for family, row in FAMILIES.items() if row.kind.split is not None)
UNKNOWN = Family(7, 9)
KEEP = Rewrite(external=True)
V4, V6 = IPv4Address("192.0.2.1"), IPv6Address("2001:db8::1")


def scanned(message: bytes, *families: Family) -> RouteUpdate:
    scanner = UpdateScanner(Context(families=frozenset({IPV4_UNICAST, *families}), peering="internal"))
    found = scanner.scan(message, 19, len(message))
    return RouteUpdate([found]) if isinstance(found, Reach) else found


def attributes(family: Family, binding: bytes) -> Attributes:
    hop = V6 if 4 not in FAMILIES[family].next_hops and 12 not in FAMILIES[family].next_hops else V4
    return Attributes(as_path=AsPath.parse("65001"), next_hop=hop, binding=binding)


@pytest.mark.parametrize("family", OTHERS, ids=str)
@given(data=st.data())
@settings(max_examples=12)
def test_what_goes_out_is_what_was_meant(family: Family, data: st.DataObject) -> None:
    value = data.draw(destinations(family).filter(lambda one: not makes_no_route(one)))
    key, binding = key_of(family, value)
    judge = FAMILIES[family].kind.judge
    assume(judge is None or judge(binding, ()) is None)
    record = attributes(family, binding)
    (message,) = Encoder().announce(family, record, KEEP, [key, key])
    update = decode_update(message[19:], Context())
    reach = mp(update)
    assert isinstance(reach, MpReach)
    assert reach.nlri == (value, value)
    assert reach.next_hops == (() if 0 in FAMILIES[family].next_hops else (record.next_hop,))
    (back,) = scanned(message, family).announced
    assert (back.family, back.nlri, back.attributes.binding) == (family, [key, key], binding)
    (gone,) = Encoder().withdraw(family, [key])
    assert keys_withdrawn(gone, family) == [key]
    unreach = mp(decode_update(gone[19:], Context()))
    assert isinstance(unreach, MpUnreach)
    assert unreach.nlri == (destination(family, key),)


def mp(update: Update) -> object:
    return update.attributes[0].value


def keys_withdrawn(message: bytes, family: Family) -> list[bytes]:
    return [key for one in scanned(message, family).withdrawn for key in one.nlri]


def test_many_routes_take_several_messages() -> None:
    keys = [b"\x60" + bytes(7) + b"\1" + number.to_bytes(4, "big") for number in range(2000)]
    messages = Encoder().announce(VPNV4, attributes(VPNV4, b"\0\1\1"), KEEP, keys)
    assert len(messages) > 1
    assert all(len(message) <= 4096 for message in messages)
    assert [key for message in messages for one in scanned(message, VPNV4).announced for key in one.nlri] == keys


def test_routes_with_other_labels_are_told_apart() -> None:
    octets = b"".join(
        encode_nlri(VPNV4, (value,), Context())
        for value in vpn("10.0.0.0/8 label 1", "11.0.0.0/8 label 1", "10.0.0.0/8 label 2", "12.0.0.0/8 label 1")
    )
    reach = b"\0\1\x80\x0c" + bytes(8) + V4.packed + b"\0" + octets
    block = b"\x40\1\1\0\x40\2\0\x90\x0e" + len(reach).to_bytes(2, "big") + reach
    found = scanned(bytes(19) + b"\0\0" + len(block).to_bytes(2, "big") + block, VPNV4).announced
    assert [(one.attributes.binding.hex(), len(one.nlri)) for one in found] == [
        ("000011", 2),
        ("000021", 1),
        ("000011", 1),
    ]
    assert found[0].attributes is found[2].attributes
    assert {one.attributes.next_hop for one in found} == {V4}


def vpn(*texts: str) -> list[Destination]:
    return [VpnPrefix.parse(f"rd 65000:1 {text}") for text in texts]


@pytest.mark.parametrize("hop", [V4, V6], ids=str)
def test_a_vpn_next_hop_has_a_distinguisher_of_zero(hop: IPv4Address | IPv6Address) -> None:
    key, binding = key_of(VPNV4, vpn("10.0.0.0/8 label 16")[0])
    record = Attributes(next_hop=hop, binding=binding)
    (message,) = Encoder().announce(VPNV4, record, KEEP, [key])
    assert b"\0\1\x80" + bytes((8 + len(hop.packed),)) + bytes(8) + hop.packed + b"\0" in message


def test_two_addresses_of_a_vpn_next_hop_have_one_each() -> None:
    link_local = IPv6Address("fe80::1")
    record = Attributes(next_hop=V6, link_local_next_hop=link_local, binding=b"\0\1\1")
    (message,) = Encoder().announce(VPNV6, record, KEEP, [b"\x40" + bytes(8)])
    assert b"\x30" + bytes(8) + V6.packed + bytes(8) + link_local.packed + b"\0" in message
    (back,) = scanned(message, VPNV6).announced
    assert back.attributes.next_hop_octets == V6.packed + link_local.packed


def test_a_next_hop_that_a_family_cannot_have_is_refused() -> None:
    with pytest.raises(LocalError, match="vpnv6 has no next hop of 4 octets"):
        Encoder().announce(VPNV6, Attributes(next_hop=V4, binding=b"\0\1\1"), KEEP, [b"\x40" + bytes(8)])


def test_a_route_without_its_label_is_refused() -> None:
    with pytest.raises(LocalError, match="without its label"):
        Encoder().announce(VPNV4, Attributes(next_hop=V4), KEEP, [b"\x40" + bytes(8)])


def test_a_family_nobody_knows_passes_through() -> None:
    block = bytes.fromhex("40010100 400200 800e0a 000709 03 010203 00 0405")
    message = bytes(19) + b"\0\0" + len(block).to_bytes(2, "big") + block
    (found,) = scanned(message, UNKNOWN).announced
    assert (found.family, found.nlri) == (UNKNOWN, [b"\4\5"])
    assert found.attributes.next_hop is None
    (out,) = Encoder().announce(UNKNOWN, found.attributes, KEEP, found.nlri)
    assert scanned(out, UNKNOWN).announced == [found]
    assert b"\0\7\x09\3\1\2\3\0\4\5" in out
    assert keys_withdrawn(Encoder().withdraw(UNKNOWN, found.nlri)[0], UNKNOWN) == found.nlri


@pytest.mark.parametrize("family", OTHERS, ids=str)
def test_a_malformed_route_ends_the_session(family: Family) -> None:
    hop = FAMILIES[family].next_hops[-1]
    for code, value in ((Code.MP_REACH_NLRI, bytes((hop,)) + bytes(hop) + b"\0\xf0"), (Code.MP_UNREACH_NLRI, b"\xf0")):
        value = family.afi.to_bytes(2, "big") + bytes((family.safi,)) + value
        block = b"\x40\1\1\0\x40\2\0\x80" + bytes((code, len(value))) + value
        with pytest.raises(PeerError, match="malformed NLRI") as refused:
            scanned(bytes(19) + b"\0\0" + len(block).to_bytes(2, "big") + block, family)
        assert (refused.value.code, refused.value.subcode) == (3, 9)


#: NLRI that end where their length says, and are malformed within.
WITHIN = {
    "a flow specification of nothing": (IPV4_FLOWSPEC, "00"),
    "components out of order": (IPV4_FLOWSPEC, "06 048119 038106"),
    "a component twice": (IPV4_FLOWSPEC, "06 038106 038106"),
    "an unknown component": (IPV4_FLOWSPEC, "03 0e8106"),
    "a flow label in IPv4": (IPV4_FLOWSPEC, "03 0d8106"),
    "no end of the list": (IPV4_FLOWSPEC, "03 030106"),
    "an operand cut off": (IPV4_FLOWSPEC, "03 03b106"),
    "a prefix cut off": (IPV4_FLOWSPEC, "03 01200a"),
    "a prefix of 33 bits": (IPV4_FLOWSPEC, "07 01210a00000000"),
    "a flag component of 4 octets": (IPV4_FLOWSPEC, "06 09a0 00000001"),
    "a code point of 2 octets": (IPV4_FLOWSPEC, "04 0b91 0001"),
    "an offset behind the length": (IPV6_FLOWSPEC, "03 010809"),
    "an offset at the length": (IPV6_FLOWSPEC, "03 010808"),
    "only a distinguisher": (VPNV4_FLOWSPEC, "08 0000000100000001"),
    "half a distinguisher": (VPNV4_FLOWSPEC, "04 00000001"),
    "an EVPN prefix of 35 octets": (L2VPN_EVPN, "05 23" + "00" * 35),
    "an EVPN prefix of 33 bits": (L2VPN_EVPN, "05 22" + "00" * 22 + "21" + "00" * 11),
    "two overlay indexes": (L2VPN_EVPN, "05 22" + "00" * 8 + "01" * 10 + "00" * 9 + "01" * 4 + "00" * 3),
    "a MAC address of 47 bits": (L2VPN_EVPN, "02 21" + "00" * 22 + "2f" + "00" * 10),
    "an IP address of 31 bits": (L2VPN_EVPN, "02 25" + "00" * 22 + "30" + "00" * 6 + "1f" + "00" * 7),
    "an originator of 0 bits": (L2VPN_EVPN, "03 11" + "00" * 17),
    "no originator": (L2VPN_EVPN, "03 0d" + "00" * 13),
    "one octet after the first label": (L2VPN_EVPN, "02 25" + "00" * 22 + "30" + "00" * 6 + "00" + "00" * 7),
    "a prefix without its length": (IPV4_FLOWSPEC, "01 01"),
    "an IPv6 prefix without its offset": (IPV6_FLOWSPEC, "02 0108"),
    "an IPv6 prefix cut off": (IPV6_FLOWSPEC, "03 010800"),
    "a VPLS of 16 octets": (L2VPN_VPLS, "0010" + "00" * 16),
    "link state without its identifier": (BGP_LS, "0001 0008" + "00" * 8),
    "a TLV cut off": (BGP_LS, "0001 000e" + "00" * 9 + "0200 0004 00"),
    "a TLV's header cut off": (BGP_LS, "0001 000c" + "00" * 9 + "0200 00"),
    "a TLV inside cut off": (BGP_LS, "0001 0012" + "00" * 9 + "0100 0005 0200 0004 00"),
    "a distinguisher cut off": (BGP_LS_VPN, "0063 0007" + "00" * 7),
    "a segment without prefix": (IPV4_MUP, "01 0001 08" + "00" * 8),
    "a segment's prefix cut off": (IPV4_MUP, "01 0001 0a" + "00" * 8 + "10 0a"),
    "octets behind a segment's prefix": (IPV4_MUP, "01 0001 0b" + "00" * 8 + "08 0a 00"),
    "a segment of 5 octets": (IPV4_MUP, "01 0002 0d" + "00" * 13),
    "a session without prefix": (IPV4_MUP, "01 0003 08" + "00" * 8),
    "a session without endpoint": (IPV4_MUP, "01 0003 0f" + "00" * 8 + "08 0a 00000001 09"),
    "a session's endpoint of 31 bits": (IPV4_MUP, "01 0003 14" + "00" * 8 + "08 0a 00000001 09 1f 0a000001"),
    "a session's source cut off": (IPV4_MUP, "01 0003 16" + "00" * 8 + "08 0a 00000001 09 20 0a000001 20 0a"),
    "an endpoint of 31 bits": (IPV4_MUP, "01 0004 0d" + "00" * 8 + "1f 0a000001"),
    "no endpoint": (IPV4_MUP, "01 0004 08" + "00" * 8),
    "a tunnel of 33 bits": (IPV4_MUP, "01 0004 12" + "00" * 8 + "41 0a000001" + "00" * 5),
}
GOOD = {
    IPV4_FLOWSPEC: "03 038106",
    IPV6_FLOWSPEC: "03 038106",
    VPNV4_FLOWSPEC: "0b 0000000100000001 038106",
    L2VPN_EVPN: "03 11" + "00" * 12 + "20" + "00" * 4,
    L2VPN_VPLS: "000c" + "00" * 12,
    BGP_LS: "0001 0009" + "00" * 9,
    BGP_LS_VPN: "0001 0011" + "00" * 17,
    IPV4_MUP: "01 0002 0c" + "00" * 12,
}


@pytest.mark.parametrize("case", WITHIN)
def test_malformed_within_its_length_is_treated_as_withdrawn(case: str) -> None:
    family, bad = WITHIN[case]
    good = bytes.fromhex(GOOD[family])
    hop = {0: b"", 4: V4.packed, 12: bytes(8) + V4.packed}[FAMILIES[family].next_hops[0]]
    value = family.afi.to_bytes(2, "big") + bytes((family.safi, len(hop))) + hop + b"\0" + bytes.fromhex(bad) + good
    block = b"\x40\1\1\0\x40\2\0\x80\x0e" + bytes((len(value),)) + value
    body = b"\0\0" + len(block).to_bytes(2, "big") + block
    found = scanned(bytes(19) + body, family)
    assert not found.announced
    assert [len(one.nlri) for one in found.withdrawn] == [1]
    assert [(error.reaction, error.code, error.subcode) for error in found.errors] == [
        (Reaction.TREAT_AS_WITHDRAW, 3, 9)
    ]
    update = decode_update(body, Context(families=frozenset({family}), peering="internal"))
    assert [error.reaction for error in update.errors] == [Reaction.TREAT_AS_WITHDRAW]
    reach = update.attributes[2].value
    assert isinstance(reach, MpReach)
    assert reach.nlri[0] == MalformedNlri(bytes.fromhex(bad))
    assert encode_update(update, Context())[-len(good) :] == good


#: Values that a family has by their type, and cannot write.
UNWRITABLE: list[tuple[Family, Destination, str]] = [
    (VPNV4, VpnPrefix.parse("rd 1:1 10.0.0.0/8"), "no label to announce"),
    (IPV4_FLOWSPEC, FlowSpec.parse("destination 2001:db8::/32"), "in a flow specification of AFI 1"),
    (IPV4_FLOWSPEC, FlowSpec.parse("flow-label =1"), "type"),
    (IPV4_FLOWSPEC, FlowSpec.parse("fragment 0x10"), "bits that mean nothing"),
    (IPV4_FLOWSPEC, VpnFlowSpec.parse("rd 1:1 protocol =6"), "is of a VPN"),
    (VPNV4_FLOWSPEC, FlowSpec.parse("protocol =6"), "is not of a VPN"),
    (IPV4_FLOWSPEC, FlowSpec.parse(f"port {','.join(['=256'] * 1400)}"), "4095 fit"),
    (L2VPN_EVPN, UnknownEvpnRoute(2, b""), "a form of their own"),
    (L2VPN_EVPN, UnknownEvpnRoute(9, bytes(256)), "no NLRI"),
    (IPV4_MUP, UnknownMupRoute(1, 1, b""), "a form of their own"),
    (BGP_LS, LinkStateNlri(1, rd=RouteDistinguisher(bytes(8))), "is of a VPN"),
    (BGP_LS_VPN, LinkStateNlri(1), "is not of a VPN"),
]


@pytest.mark.parametrize(("family", "value", "why"), UNWRITABLE, ids=[f"{f} {str(v)[:40]}" for f, v, _ in UNWRITABLE])
def test_what_cannot_be_said_is_refused(family: Family, value: Destination, why: str) -> None:
    with pytest.raises(LocalError, match=why):
        key_of(family, value)


def test_a_withdrawal_by_labels_needs_one_that_can_be_read() -> None:
    with pytest.raises(LocalError, match="means that there are none"):
        encode(Update(attributes=(PathAttribute(0x80, 15, MpUnreach(VPNV4, tuple(vpn("10.0.0.0/8 label 0/16")))),)))


def test_an_unknown_type_makes_no_route() -> None:
    with pytest.raises(LocalError, match="no NLRI"):
        key_of(L2VPN_EVPN, UnknownEvpnRoute(9, b""))
    assert destination(UNKNOWN, b"\1") is None
    assert key_text(UNKNOWN, b"\1") == "01"
    assert key_text(IPV4_UNICAST, b"\x08\x0a") == "10.0.0.0/8"
