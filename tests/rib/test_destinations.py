"""What routes of other families lead to, as values: what their texts refuse, and what cannot be made."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address

import pytest

from rib.ethernet import Esi, MacAddress
from rib.evpn import EthernetAutoDiscovery, IpPrefix, MacIpAdvertisement
from rib.family import IPV4_FLOWSPEC, IPV4_LABELLED, VPNV4
from rib.flowspec import FlowMatch, FlowPrefix, FlowSpec, FlowType, PartialPrefix, Term, VpnFlowSpec
from rib.labelled import LabelledPrefix, VpnPrefix, prefix_within
from rib.link_state import LinkStateNlri, Tlv
from rib.mup import Type2Session
from rib.mvpn import McastVpnRoute
from rib.prefix import Prefix
from rib.route_distinguisher import RouteDistinguisher
from rib.route_target import RouteTargetMembership
from rib.sr_policy import SrPolicy

RD = RouteDistinguisher.parse("65000:1")
ESI = Esi(bytes(range(10)))

REFUSED: list[tuple[Callable[[str], object], str, str]] = [
    (RouteDistinguisher.parse, "65000", "not a route distinguisher"),
    (RouteDistinguisher.parse, "65000:x", "not a route distinguisher"),
    (RouteDistinguisher.parse, "1:65000:1", "type 2 with 2:"),
    (RouteDistinguisher.parse, "10.0.0.1:65536", "not a route distinguisher"),
    (RouteDistinguisher.parse, "4294967296:1", "not a route distinguisher"),
    (LabelledPrefix.parse, "10.0.0.0/8 label", "write PREFIX"),
    (LabelledPrefix.parse, "10.0.0.0/8 label 1048576", "20 bits"),
    (LabelledPrefix.parse, "10.0.0.1/8 label 1", "host bits"),
    (VpnPrefix.parse, "10.0.0.0/8 label 1", "write rd RD PREFIX"),
    (MacAddress.parse, "02:00:00:00:00", "write it like 00:00:00:00:00:00"),
    (MacAddress.parse, "02:00:00:00:00:0g", "MAC address"),
    (Esi.parse, "0:0", "Ethernet segment identifier"),
    (EthernetAutoDiscovery.parse, "mac-ip", "does not begin with ethernet-ad"),
    (EthernetAutoDiscovery.parse, f"ethernet-ad rd 65000:1 esi {ESI} tag 1", "write ethernet-ad rd RD esi ESI"),
    (EthernetAutoDiscovery.parse, f"ethernet-ad rd 65000:1 esi {ESI} tag 1 label", "write ethernet-ad"),
    (EthernetAutoDiscovery.parse, f"ethernet-ad rd 65000:1 esi {ESI} tag x label 1", "not a number below"),
    (EthernetAutoDiscovery.parse, f"ethernet-ad rd 65000:1 esi {ESI} tag 1 label 16777216", "not a number below"),
    (McastVpnRoute.parse, "mcast-vpn type 1 octets 0x", "hexadecimal"),
    (FlowSpec.parse, "", "no components"),
    (FlowSpec.parse, "colour =1", "no component of a flow specification"),
    (FlowSpec.parse, "protocol =6 port", "nothing behind it"),
    (FlowSpec.parse, "port =1 protocol =6", "not in the order"),
    (FlowSpec.parse, "port =1 port =2", "each once"),
    (FlowSpec.parse, "port 1", "write a comparison"),
    (FlowSpec.parse, "port =x", "the operand is a number"),
    (FlowSpec.parse, "port =18446744073709551616", "the operand is a number"),
    (FlowSpec.parse, "tcp-flags >syn", "write a comparison"),
    (FlowSpec.parse, "tcp-flags =sin", "hexadecimal number"),
    (FlowSpec.parse, "dscp =1@2", "does not fit 2 octets"),
    (FlowSpec.parse, "port =256@1", "does not fit 1 octets"),
    (FlowSpec.parse, "destination 2001:db8::/8-x", "write ADDRESS/OFFSET-LENGTH"),
    (FlowSpec.parse, "destination 2001:db8::/32-32", "the part of an address"),
    (FlowSpec.parse, "destination 2001:db8::/8-64", "bits outside"),
    (VpnFlowSpec.parse, "protocol =6", "write rd RD"),
    (RouteTargetMembership.parse, "65000:1", "write origin AS"),
    (RouteTargetMembership.parse, "origin 65000 00/16", "16 bits of route target"),
    (RouteTargetMembership.parse, "origin 65000 0001/15", "bits behind the first 15"),
    (SrPolicy.parse, "sr-policy color 1", "write sr-policy distinguisher"),
    (LinkStateNlri.parse, "node", "write KIND protocol N"),
    (LinkStateNlri.parse, "node protocol 1 identifier 0 colour=1", "is no descriptor"),
    (LinkStateNlri.parse, "node protocol 1 identifier 0 1234=1", "written 0x"),
    (LinkStateNlri.parse, "node protocol 1 identifier 0 local[as]", "is no descriptor"),
    (LinkStateNlri.parse, "rd", "write KIND"),
]


@pytest.mark.parametrize(("parse", "text", "why"), REFUSED, ids=[text for _, text, _ in REFUSED])
def test_a_text_is_refused_with_the_reason(parse: Callable[[str], object], text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        parse(text)


MADE: dict[str, tuple[Callable[[], object], str]] = {
    "an RD of 7 octets": (lambda: RouteDistinguisher(bytes(7)), "8 octets"),
    "a MAC address of 5": (lambda: MacAddress(bytes(5)), "6 octets"),
    "a label of 21 bits": (lambda: VpnPrefix(RD, Prefix("10.0.0.0/8"), (1 << 20,)), "20 bits"),
    "an EVPN label of 25 bits": (lambda: EthernetAutoDiscovery(RD, ESI, 0, 1 << 24), "label"),
    "a second one": (lambda: MacIpAdvertisement(RD, ESI, 0, MacAddress(bytes(6)), 0, None, -1), "label2"),
    "a tag of 33 bits": (lambda: EthernetAutoDiscovery(RD, ESI, 1 << 32, 0), "tag"),
    "a gateway of another family": (
        lambda: IpPrefix(RD, Esi(bytes(10)), 0, Prefix("10.0.0.0/8"), IPv6Address("::1"), 0),
        "two families",
    ),
    "two overlay indexes": (
        lambda: IpPrefix(RD, ESI, 0, Prefix("10.0.0.0/8"), IPv4Address("10.0.0.1"), 0),
        "two overlay indexes",
    ),
    "a component of nothing": (lambda: FlowMatch(FlowType.PORT, ()), "at least one"),
    "a prefix component with comparisons": (lambda: FlowMatch(FlowType.SOURCE, (Term(1, 1),)), "needs comparisons"),
    "a first term with and": (lambda: FlowMatch(FlowType.PORT, (Term(1, 1, 1, True),)), "nothing before"),
    "a comparison that is none": (lambda: FlowMatch(FlowType.TCP_FLAGS, (Term(4, 1),)), "no comparison 4"),
    "a port with a prefix": (lambda: FlowPrefix(FlowType.PORT, Prefix("10.0.0.0/8")), "compared with numbers"),
    "an origin of 33 bits": (lambda: RouteTargetMembership(1 << 32), "origin"),
    "a target without an origin": (lambda: RouteTargetMembership(None, b"\0", 8), "8 bits"),
    "a known type in octets": (lambda: LinkStateNlri(1, octets=b"\0"), "known"),
    "an unknown type with TLVs": (lambda: LinkStateNlri(99, protocol=1), "all octets"),
    "a plain TLV with others inside": (lambda: Tlv(512, inside=(Tlv(1),)), "node descriptor"),
    "a tunnel identifier of 33 bits": (lambda: Type2Session(RD, IPv4Address(0), bytes(5), 33), "33 bits"),
}


@pytest.mark.parametrize("case", MADE)
def test_what_is_not_valid_cannot_be_made(case: str) -> None:
    make, why = MADE[case]
    with pytest.raises(ValueError, match=why):
        make()


def test_values_show_what_they_are() -> None:
    assert repr(RD) == "RouteDistinguisher('65000:1')"
    assert RD.type == 0
    assert repr(MacAddress(bytes(6))) == "MacAddress('00:00:00:00:00:00')"
    assert Esi(b"\3" + bytes(9)).type == 3
    assert FlowPrefix(FlowType.SOURCE, Prefix("10.0.0.0/8")).afi == 1
    assert FlowPrefix(FlowType.SOURCE, PartialPrefix(IPv6Address("::1:0:0"), 64, 96)).afi == 2
    assert repr(Tlv(512, b"\0\0\0\1")) == "Tlv('as=1')"
    assert McastVpnRoute(1, b"").named() == {"type": 1, "octets": "-"}


def test_fields_come_in_any_order() -> None:
    one = SrPolicy.parse("sr-policy distinguisher 1 color 2 endpoint 10.0.0.1")
    assert SrPolicy.parse("sr-policy endpoint 10.0.0.1 color 2 distinguisher 1") == one


def test_the_prefix_within_a_key() -> None:
    assert prefix_within(IPV4_LABELLED, b"\x08\x0a") == b"\x08\x0a"
    assert prefix_within(VPNV4, b"\x48" + RD + b"\x0a") == b"\x08\x0a"
    assert prefix_within(IPV4_FLOWSPEC, b"\x03\x03\x81\x06") is None
