"""tshark's dissector reads our octets as we mean them: routes of every family that it knows, field for field."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any, Final

import pytest
from interop.conftest import REQUIRED

from bgp.message import MpReach, MpUnreach, PathAttribute, Update
from bgp.wire.codec import encode
from bgp.wire.nlri import FAMILIES
from bgp.wire.nlri.keys import parse_destination
from rib.family import Family

pytestmark = pytest.mark.skipif(
    shutil.which("tshark") is None and not REQUIRED, reason="tshark is not installed: make interop installs it"
)
V4, V6 = IPv4Address("192.0.2.1"), IPv6Address("2001:db8::1")
Fields = dict[str, list[str]]

ESI: Final = "00:11:22:33:44:55:66:77:88:99"
NO_ESI: Final = ":".join(["00"] * 10)
RD: Final = {"bgp.evpn.nlri.rd": ["00:00:fd:e8:00:00:00:01"]}


def evpn(kind: int, **fields: str) -> Fields:
    """The fields of an EVPN route by tshark's names."""
    return RD | {"bgp.evpn.nlri.rt": [str(kind)]} | {f"bgp.evpn.nlri.{name}": [value] for name, value in fields.items()}


#: A family and a route in our words; the fields that tshark must find in its announcement. With "-" it is withdrawn.
TABLE: Final[list[tuple[str, str, Fields]]] = [
    (
        "ipv4-labelled",
        "10.0.0.0/8 label 16/17/1048575",
        {"bgp.label_stack": ["16,17,1048575 (bottom)"], "bgp.mp_reach_nlri_ipv4_prefix": ["10.0.0.0"]},
    ),
    ("ipv6-labelled", "2001:db8::/32 label 32", {"bgp.mp_reach_nlri_ipv6_prefix": ["2001:db8::"]}),
    (
        "ipv4-labelled",
        "- 10.0.0.0/8",
        {"bgp.label_stack": ["0 (withdrawn)"], "bgp.mp_unreach_nlri_ipv4_prefix": ["10.0.0.0"]},
    ),
    (
        "vpnv4",
        "rd 65000:1 10.0.0.0/8 label 16",
        {
            "bgp.rd": ["65000:1"],
            "bgp.label_stack": ["16 (bottom)"],
            "bgp.prefix_length": ["96"],
            "bgp.update.path_attribute.mp_reach_nlri.next_hop.rd": ["0:0"],
            "bgp.update.path_attribute.mp_reach_nlri.next_hop.ipv4": ["192.0.2.1"],
        },
    ),
    ("vpnv4", "rd 10.0.0.1:2 10.0.0.0/8 label 16", {"bgp.rd": ["10.0.0.1:2"]}),
    ("vpnv4", "rd 4200000000:2 10.0.0.0/8 label 16", {"bgp.rd": ["4200000000:2"]}),
    ("vpnv4", "- rd 65000:1 10.0.0.0/8", {"bgp.rd": ["65000:1"], "bgp.label_stack": ["0 (withdrawn)"]}),
    (
        "vpnv6",
        "rd 65000:1 2001:db8::/32 label 16/17",
        {
            "bgp.label_stack": ["16,17 (bottom)"],
            "bgp.update.path_attribute.mp_reach_nlri.next_hop.rd": ["0:0"],
            "bgp.update.path_attribute.mp_reach_nlri.next_hop.ipv6": ["2001:db8::1"],
        },
    ),
    (
        "l2vpn-evpn",
        f"ethernet-ad rd 65000:1 esi {ESI} tag 7 label 1600",
        evpn(1, len="25", esi=ESI, etag="7", mpls_ls1="100"),
    ),
    (
        "l2vpn-evpn",
        f"mac-ip rd 65000:1 esi {ESI} tag 100 mac 02:00:00:00:00:01 ip 192.0.2.9 label 1600 label2 3200",
        evpn(2, len="40", esi=ESI, etag="100", mac_addr="02:00:00:00:00:01", mpls_ls1="100", mpls_ls2="200")
        | {"bgp.evpn.nlri.ip.addr": ["192.0.2.9"]},
    ),
    (
        "l2vpn-evpn",
        "inclusive-multicast rd 65000:1 tag 0 ip 2001:db8::9",
        evpn(3, len="29", etag="0", iplen="128") | {"bgp.evpn.nlri.ipv6.addr": ["2001:db8::9"]},
    ),
    (
        "l2vpn-evpn",
        f"ethernet-segment rd 65000:1 esi {ESI} ip 192.0.2.9",
        evpn(4, len="23", esi=ESI) | {"bgp.evpn.nlri.ip.addr": ["192.0.2.9"]},
    ),
    (
        "l2vpn-evpn",
        f"ip-prefix rd 65000:1 esi {NO_ESI} tag 5 prefix 10.128.0.0/9 gateway 192.0.2.9 label 1000",
        evpn(5, len="34", esi=NO_ESI, etag="5", prefix_len="9")
        | {
            "bgp.evpn.nlri.ip.addr": ["10.128.0.0"],
            "bgp.evpn.nlri.ipv4.gtw_addr": ["192.0.2.9"],
            "bgp.update.path_attribute.mpls_label_value": ["1000"],
        },
    ),
    (
        "ipv4-flowspec",
        "destination 192.0.2.0/24 source 203.0.113.0/24 port >=137&<=139,=8080",
        {
            "bgp.update.path_attribute.mp_reach_nlri.next_hop": ["00"],
            "bgp.flowspec_nlri.length": ["18"],
            "bgp.flowspec_nlri.filter_type": ["1", "2", "4"],
            "bgp.flowspec_nlri.dst_prefix_filter": ["192.0.2.0"],
            "bgp.flowspec_nlri.src_prefix_filter": ["203.0.113.0"],
            "bgp.flowspec_nlri.op.eol": ["0", "0", "1"],
            "bgp.flowspec_nlri.op.and": ["0", "1", "0"],
            "bgp.flowspec_nlri.op.lt": ["0", "1", "0"],
            "bgp.flowspec_nlri.op.gt": ["1", "0", "0"],
            "bgp.flowspec_nlri.op.equal": ["1", "1", "1"],
            "bgp.flowspec_nlri.dec_val_8": ["137", "139"],
            "bgp.flowspec_nlri.dec_val_16": ["8080"],
        },
    ),
    (
        "ipv4-flowspec",
        "fragment !=dont-fragment+last-fragment",
        {
            "bgp.flowspec_nlri.op.flg_not": ["1"],
            "bgp.flowspec_nlri.op.flg_match": ["1"],
            "bgp.flowspec_nlri.val_frag": ["0x09"],
        },
    ),
    (
        "vpnv6-flowspec",
        "rd 65000:1 destination 2001:db8::/32",
        {
            "bgp.flowspec_route_distinguisher_admin_as_num_2": ["65000"],
            "bgp.flowspec_nlri.ipv6_pref_length": ["32"],
            "bgp.flowspec_nlri.ipv6_pref_offset": ["0"],
            "bgp.flowspec_nlri.dst_ipv6_pref": ["2001:db8::"],
        },
    ),
    ("route-target", "default", {"bgp.wildcard_route_target": ["MP Reach NLRI"]}),
    (
        "route-target",
        "origin 65000 target:65000:1",
        {"bgp.originating_as": ["65000"], "bgp.community_prefix": ["65000:1"]},
    ),
    (
        "l2vpn-vpls",
        "vpls rd 65000:1 ve 1 offset 2 size 8 base 1601",
        {
            "bgp.vplsad.rd": ["65000:1"],
            "bgp.vplsbgp.ce_id": ["1"],
            "bgp.vplsbgp.labelblock.offset": ["2"],
            "bgp.vplsbgp.labelblock.size": ["8"],
            "bgp.vplsbgp.labelblock.base": ["100 (bottom)"],
        },
    ),
    ("l2vpn-vpls", "vpls-member rd 65000:1 ip 192.0.2.9", {"bgp.ad.pe_addr": ["192.0.2.9"]}),
    (
        "bgp-ls",
        "link protocol 3 identifier 7 local[as=65000] remote[as=65001] ipv4-interface=192.0.2.1 ipv4-neighbour=192.0.2.2",
        {
            "bgp.ls.nlri_type": ["2"],
            "bgp.ls.nlri_node.protocol_id": ["3"],
            "bgp.ls.nlri_node.identifier": ["7"],
            "bgp.ls.type": ["256", "512", "257", "512", "259", "260"],
            "bgp.ls.tlv.autonomous_system.id": ["65000", "65001"],
            "bgp.ls.nlri_ipv4_interface_address": ["192.0.2.1"],
            "bgp.ls.nlri_ipv4_neighbor_address": ["192.0.2.2"],
        },
    ),
    (
        "ipv4-sr-policy",
        "sr-policy distinguisher 1 color 100 endpoint 192.0.2.9",
        {
            "bgp.sr_policy_nlri_distinguisher": ["00:00:00:01"],
            "bgp.sr_policy_nlri_policy_color": ["00:00:00:64"],
            "bgp.sr_policy_nlri_endpoint_ipv4": ["192.0.2.9"],
        },
    ),
]


def message(family: Family, text: str) -> bytes:
    """An UPDATE with nothing but the one route."""
    route = parse_destination(family, text.removeprefix("- "))
    if text.startswith("- "):
        return encode(Update(attributes=(PathAttribute(0x80, 15, MpUnreach(family, (route,))),)))
    sizes = FAMILIES[family].next_hops
    hop = () if sizes[0] == 0 else (V4,) if sizes[0] in (4, 12) else (V6,)
    return encode(Update(attributes=(PathAttribute(0x80, 14, MpReach(family, hop, (route,))),)))


def capture(messages: list[bytes]) -> bytes:
    """A pcap file of raw IPv4 packets, each with one message on TCP port 179."""
    packets = []
    sequence = 1
    for octets in messages:
        ports = (179).to_bytes(2, "big") + (40000).to_bytes(2, "big")
        tcp = ports + sequence.to_bytes(4, "big") + bytes.fromhex("00000001 5018 ffff 0000 0000") + octets
        length = (20 + len(tcp)).to_bytes(2, "big")
        packet = b"\x45\0" + length + bytes.fromhex("0001 0000 4006 0000") + V4.packed + b"\xc0\0\2\2" + tcp
        packets.append(bytes(8) + len(packet).to_bytes(4, "little") * 2 + packet)
        sequence += len(octets)
    return bytes.fromhex("d4c3b2a1 0200 0400 00000000 00000000 ffff0000 65000000") + b"".join(packets)


def fields_of(node: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """All fields of a dissected packet with their values, in order."""
    if isinstance(node, dict):
        for key, value in node.items():
            yield from fields_of(value, key)
    elif isinstance(node, list):
        for value in node:
            yield from fields_of(value, name)
    else:
        yield name, node


@pytest.fixture(scope="module")
def dissected(tmp_path_factory: pytest.TempPathFactory) -> list[Fields]:
    """What tshark finds in each message of the table, by field."""
    file: Path = tmp_path_factory.mktemp("tshark") / "ours.pcap"
    file.write_bytes(capture([message(Family.parse(family), text) for family, text, _ in TABLE]))
    command = ["tshark", "-r", str(file), "-T", "json", "--no-duplicate-keys"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    packets = []
    for packet in json.loads(said):
        found: Fields = {}
        for name, value in fields_of(packet["_source"]["layers"]["bgp"]):
            found.setdefault(name, []).append(value)
        packets.append(found)
    return packets


@pytest.mark.parametrize("number", range(len(TABLE)), ids=[f"{family} {text}" for family, text, _ in TABLE])
def test_tshark_finds_the_fields_that_we_meant(number: int, dissected: list[Fields]) -> None:
    family, _, expected = TABLE[number]
    found = dissected[number]
    assert {name: found.get(name) for name in expected} == expected
    if "sr-policy" not in family:  # tshark 4.0 does not know the length of its next hop
        assert "_ws.malformed" not in found
