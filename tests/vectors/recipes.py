"""What each speaker is told, and what that means in our words: see `record.py`."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Final

from rib.family import (
    IPV4_FLOWSPEC,
    IPV4_LABELLED,
    IPV4_MUP,
    IPV6_FLOWSPEC,
    IPV6_LABELLED,
    L2VPN_EVPN,
    L2VPN_VPLS,
    VPNV4,
    VPNV4_FLOWSPEC,
    VPNV6,
    VPNV6_FLOWSPEC,
    Family,
)


@dataclass(frozen=True)
class Recipe:
    """How to run a speaker and what to tell it."""

    command: Sequence[str]
    routes: Sequence[tuple[Family, str]]  #: what it then announces, in our words
    files: Mapping[str, str] = field(default_factory=dict)
    then: Sequence[Sequence[str]] = ()  #: commands to run once the session is up
    environment: Mapping[str, str] | None = None
    feeds_to: tuple[str, int] | None = None  #: where a speaker that cannot originate the routes learns them
    collector_asn: int = 65000
    bgp_id: IPv4Address = IPv4Address("127.0.0.2")

    @property
    def families(self) -> list[Family]:
        """All that the collector has to offer."""
        return sorted({family for family, _ in self.routes})


_BIRD: Final = """\
log stderr all;
router id 127.0.0.1;
protocol device {{ }}
ipv4 table master4; ipv6 table master6;
vpn4 table vpntab4; vpn6 table vpntab6; flow4 table flowtab4; flow6 table flowtab6;
protocol static {{ vpn4; route 65001:1 10.1.0.0/16 via "lo" mpls 100;
                  route 10.0.0.1:7 10.2.3.0/24 via "lo" mpls 101/102; }}
protocol static {{ vpn6; route 4200000001:2 2001:db8:1::/48 via "lo" mpls 102; }}
protocol static {{ flow4;
  route flow4 {{ dst 10.0.0.0/8; proto = 23; dport > 24 && < 30 || 40..50,60..70,80; }};
  route flow4 {{ src 10.0.1.0/24; tcp flags 0x03/0x0f && !0/0xff || 0x33/0x33; length 2048..65535; dscp = 63;
                fragment !dont_fragment && !is_fragment; }}; }}
protocol static {{ flow6;
  route flow6 {{ dst fec0:1122:3344:5566::1/128; src 2001:db8::/32;
                next header = 23; sport > 24 && < 30 || = 40 || 50,60,70..80; label 2013; }}; }}
protocol bgp {{
  local 127.0.0.1 as 65001;
  neighbor {collector} port {port} as 65000;
  multihop 2;
  vpn4 mpls {{ import none; export all; next hop self; }};
  vpn6 mpls {{ import none; export all; next hop address 2001:db8::1; }};
  flow4 {{ import none; export all; }};
  flow6 {{ import none; export all; }};
}}
"""
_BIRD_ROUTES: Final = [
    # With a next hop of its own, BIRD gives out the implicit null label (RFC 3032 2.1) in place of the configured ones.
    (VPNV4, "rd 65001:1 10.1.0.0/16 label 3"),
    (VPNV4, "rd 10.0.0.1:7 10.2.3.0/24 label 3"),
    (VPNV6, "rd 4200000001:2 2001:db8:1::/48 label 3"),
    (IPV4_FLOWSPEC, "destination 10.0.0.0/8 protocol =23 destination-port >24&<30,>=40&<=50,>=60&<=70,=80"),
    (
        IPV4_FLOWSPEC,
        "source 10.0.1.0/24 tcp-flags =fin+syn&!rst+psh&fin+syn+rst+psh+ack+urg+ece+cwr,=fin+syn+ack+urg"
        " packet-length >=2048&<=65535 dscp =63 fragment !dont-fragment&!is-fragment",
    ),
    (
        IPV6_FLOWSPEC,
        "destination fec0:1122:3344:5566::1/128 source 2001:db8::/32 protocol =23"
        " source-port >24&<30,=40,=50,=60,>=70&<=80 flow-label =2013",
    ),
]

_EXABGP: Final = """\
neighbor {collector} {{
  router-id 127.0.0.1;
  local-address 127.0.0.1;
  local-as 65001;
  peer-as 65000;
  connect {port};
  family {{
    ipv4 nlri-mpls; ipv6 nlri-mpls; ipv4 mpls-vpn; ipv6 mpls-vpn;
    ipv4 flow; ipv6 flow; ipv4 flow-vpn; ipv6 flow-vpn; l2vpn vpls;
  }}
  static {{
    route 10.1.0.0/16 next-hop 192.0.2.1 label 100;
    route 10.2.0.0/16 next-hop 192.0.2.1 label [ 100 200 ];
    route 2001:db8:1::/48 next-hop 2001:db8::1 label 101;
    route 10.1.0.0/16 next-hop 192.0.2.1 rd 65001:1 label 100;
    route 10.3.0.0/16 next-hop 192.0.2.1 rd 10.0.0.1:7 label [ 100 200 ];
    route 10.4.0.0/16 next-hop 192.0.2.1 rd 4200000001:2 label 7;
    route 2001:db8:1::/48 next-hop 2001:db8::1 rd 65001:1 label 102;
  }}
  flow {{
    route one {{ match {{ destination 10.0.0.0/24; source 10.1.0.0/24; protocol [ tcp udp ];
                 port [ =80 =8080 ]; destination-port >8080&<8088; source-port >1024; }} then {{ discard; }} }}
    route two {{ match {{ destination 10.0.0.0/24; packet-length [ >200&<300 >400&<500 ];
                 fragment [ first-fragment last-fragment ]; tcp-flags [ fin syn ]; }} then {{ discard; }} }}
    route three {{ match {{ source 2001:db8::/32; next-header tcp; traffic-class 46; flow-label 2013; }} then {{ discard; }} }}
    route four {{ rd 65001:9; match {{ destination 10.0.0.0/24; icmp-type 8; icmp-code 0; }} then {{ discard; }} }}
  }}
  l2vpn {{
    vpls site {{ endpoint 3; base 10702; offset 1; size 8; rd 65001:1; next-hop 192.0.2.1;
                 extended-community [ target:65001:1 ]; }}
  }}
}}
"""
_EXABGP_ROUTES: Final = [
    (IPV4_LABELLED, "10.1.0.0/16 label 100"),
    (IPV4_LABELLED, "10.2.0.0/16 label 100/200"),
    (IPV6_LABELLED, "2001:db8:1::/48 label 101"),
    (VPNV4, "rd 65001:1 10.1.0.0/16 label 100"),
    (VPNV4, "rd 10.0.0.1:7 10.3.0.0/16 label 100/200"),
    (VPNV4, "rd 4200000001:2 10.4.0.0/16 label 7"),
    (VPNV6, "rd 65001:1 2001:db8:1::/48 label 102"),
    (
        IPV4_FLOWSPEC,
        "destination 10.0.0.0/24 source 10.1.0.0/24 protocol =6,=17 port =80,=8080"
        " destination-port >8080&<8088 source-port >1024",
    ),
    (
        IPV4_FLOWSPEC,
        "destination 10.0.0.0/24 tcp-flags fin,syn packet-length >200&<300,>400&<500"
        " fragment first-fragment,last-fragment",
    ),
    (IPV6_FLOWSPEC, "source 2001:db8::/32 protocol =6 dscp =46 flow-label =2013"),
    (VPNV4_FLOWSPEC, "rd 65001:9 destination 10.0.0.0/24 icmp-type =8 icmp-code =0"),
    (L2VPN_VPLS, f"vpls rd 65001:1 ve 3 offset 1 size 8 base {10702 << 4 | 1}"),
]

_GOBGP: Final = """\
[global.config]
  as = 65001
  router-id = "127.0.0.1"
  port = -1
[[neighbors]]
  [neighbors.config]
    neighbor-address = "{collector}"
    peer-as = 65000
  [neighbors.transport.config]
    remote-port = {port}
    local-address = "127.0.0.1"
  [neighbors.ebgp-multihop.config]
    enabled = true
    multihop-ttl = 5
"""
_GOBGP_FAMILIES: Final = [
    "ipv4-unicast",
    "ipv4-labelled-unicast",
    "ipv6-labelled-unicast",
    "l3vpn-ipv4-unicast",
    "l3vpn-ipv6-unicast",
    "l2vpn-evpn",
    "ipv4-flowspec",
    "ipv6-flowspec",
    "l3vpn-ipv4-flowspec",
    "l3vpn-ipv6-flowspec",
    "rtc",
    "ipv4-srpolicy",
    "ipv4-mup",
    "l2vpn-vpls",
]
_GOBGP += "".join(
    f'  [[neighbors.afi-safis]]\n    [neighbors.afi-safis.config]\n    afi-safi-name = "{name}"\n'
    for name in _GOBGP_FAMILIES
)
_ADD: Final = "gobgp -p 50151 global rib add -a"
_ESI: Final = ":".join(["00"] * 10)
#: A command of GoBGP's, the family, our words.
_GOBGP_TABLE: Final = [
    ("ipv4-mpls 10.1.0.0/16 100", IPV4_LABELLED, "10.1.0.0/16 label 100"),
    ("ipv4-mpls 10.2.0.0/16 100/200", IPV4_LABELLED, "10.2.0.0/16 label 100/200"),
    ("ipv6-mpls 2001:db8:1::/48 101 nexthop 2001:db8::1", IPV6_LABELLED, "2001:db8:1::/48 label 101"),
    ("vpnv4 10.1.0.0/16 label 100 rd 65001:1", VPNV4, "rd 65001:1 10.1.0.0/16 label 100"),
    ("vpnv4 10.2.3.0/24 label 101 rd 10.0.0.1:7", VPNV4, "rd 10.0.0.1:7 10.2.3.0/24 label 101"),
    ("vpnv6 2001:db8:1::/48 label 102 rd 65001:1 nexthop 2001:db8::1", VPNV6, "rd 65001:1 2001:db8:1::/48 label 102"),
    (
        "evpn a-d esi single-homed etag 100 label 200 rd 65001:1",
        L2VPN_EVPN,
        f"ethernet-ad rd 65001:1 esi {_ESI} tag 100 label 200",
    ),
    (
        "evpn macadv aa:bb:cc:dd:ee:ff 10.0.0.1 esi single-homed etag 100 label 1000 rd 65001:1",
        L2VPN_EVPN,
        f"mac-ip rd 65001:1 esi {_ESI} tag 100 mac aa:bb:cc:dd:ee:ff ip 10.0.0.1 label 1000",
    ),
    (
        "evpn macadv aa:bb:cc:dd:ee:02 2001:db8::5 esi single-homed etag 100 label 1000,2000 rd 65001:1",
        L2VPN_EVPN,
        f"mac-ip rd 65001:1 esi {_ESI} tag 100 mac aa:bb:cc:dd:ee:02 ip 2001:db8::5 label 1000 label2 2000",
    ),
    ("evpn multicast 10.0.0.1 etag 100 rd 65001:1", L2VPN_EVPN, "inclusive-multicast rd 65001:1 tag 100 ip 10.0.0.1"),
    (
        "evpn esi 10.0.0.1 esi arbitrary 11:22:33:44:55:66:77:88:99 rd 65001:1",
        L2VPN_EVPN,
        "ethernet-segment rd 65001:1 esi 00:11:22:33:44:55:66:77:88:99 ip 10.0.0.1",
    ),
    (
        "evpn prefix 10.0.0.0/24 gw 10.0.1.1 esi single-homed etag 10 label 20 rd 65001:1",
        L2VPN_EVPN,
        f"ip-prefix rd 65001:1 esi {_ESI} tag 10 prefix 10.0.0.0/24 gateway 10.0.1.1 label 20",
    ),
    (
        "evpn prefix 2001:db8:2::/48 esi single-homed etag 10 label 20 rd 65001:1",
        L2VPN_EVPN,
        f"ip-prefix rd 65001:1 esi {_ESI} tag 10 prefix 2001:db8:2::/48 gateway :: label 20",
    ),
    (
        "ipv4-flowspec match destination 10.0.0.0/24 source 20.0.0.0/24 protocol ==tcp"
        " destination-port >=80&<=90 then discard",
        IPV4_FLOWSPEC,
        "destination 10.0.0.0/24 source 20.0.0.0/24 protocol =6 destination-port >=80&<=90",
    ),
    (
        "ipv4-flowspec match destination 10.0.1.0/24 fragment is-fragment tcp-flags =SA dscp ==46"
        " packet-length <100 then discard",
        IPV4_FLOWSPEC,
        "destination 10.0.1.0/24 tcp-flags =syn+ack packet-length <100 dscp =46 fragment is-fragment",
    ),
    (
        "ipv6-flowspec match destination 2001:db8:1::/48 label ==100 then discard",
        IPV6_FLOWSPEC,
        "destination 2001:db8:1::/48 flow-label =100",
    ),
    (
        "ipv4-l3vpn-flowspec match destination 10.0.0.0/24 icmp-type ==8 rd 65001:9 then discard",
        VPNV4_FLOWSPEC,
        "rd 65001:9 destination 10.0.0.0/24 icmp-type =8",
    ),
    (
        "ipv6-l3vpn-flowspec match source 2001:db8:1::/48 port ==53 rd 65001:9 then discard",
        VPNV6_FLOWSPEC,
        "rd 65001:9 source 2001:db8:1::/48 port =53",
    ),
    ("ipv4-mup isd 10.0.0.0/24 rd 65001:1 prefix 2001:db8:1:1::/64 locator-node-length 24 function-length 16"
     " behavior ENDM_GTP4E rt 65001:1 nexthop 2001:db8::1", IPV4_MUP, "mup-isd rd 65001:1 prefix 10.0.0.0/24"),
    ("ipv4-mup dsd 10.0.0.1 rd 65001:1 prefix 2001:db8:2:2::/64 locator-node-length 24 function-length 16"
     " behavior END_DT4 rt 65001:1 mup 10:10 nexthop 2001:db8::1", IPV4_MUP, "mup-dsd rd 65001:1 ip 10.0.0.1"),
    ("ipv4-mup t1st 192.168.0.1/32 rd 65001:1 rt 65001:1 teid 100 qfi 9 endpoint 10.0.0.1 nexthop 2001:db8::1", IPV4_MUP,
     "mup-t1st rd 65001:1 prefix 192.168.0.1/32 teid 100 qfi 9 endpoint 10.0.0.1"),
    ("ipv4-mup t2st 10.0.0.1 rd 65001:1 rt 65001:1 teid 100 mup 10:10 nexthop 2001:db8::1", IPV4_MUP,
     "mup-t2st rd 65001:1 endpoint 10.0.0.1 teid 00000064 bits 32"),
]  # fmt: skip

_FRR: Final = """\
hostname frr
password frr
router bgp 65001
 bgp router-id 127.0.0.1
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 neighbor {collector} remote-as 65000
 neighbor {collector} port {port}
 neighbor {collector} update-source 127.0.0.1
 neighbor {collector} ebgp-multihop 5
 neighbor {collector} disable-connected-check
 address-family ipv4 vpn
  network 10.1.0.0/16 rd 65001:1 label 100
  network 10.2.3.0/24 rd 10.0.0.1:7 label 101
  neighbor {collector} activate
 exit-address-family
 address-family ipv6 vpn
  network 2001:db8:1::/48 rd 65001:1 label 102
  neighbor {collector} activate
 exit-address-family
"""
_FRR_ROUTES: Final = [
    (VPNV4, "rd 65001:1 10.1.0.0/16 label 100"),
    (VPNV4, "rd 10.0.0.1:7 10.2.3.0/24 label 101"),
    (VPNV6, "rd 65001:1 2001:db8:1::/48 label 102"),
]

#: VPN routes are originated on OpenBSD only, so this one passes on what it is fed.
_OPENBGPD: Final = """\
AS 65001
router-id 127.0.0.31
listen on 127.0.0.31 port 11179
socket "{folder}/bgpd.sock"
neighbor {collector} {{
  remote-as 65000
  port {port}
  local-address 127.0.0.31
  multihop 5
  announce IPv4 vpn
  announce IPv6 vpn
}}
neighbor 127.0.0.33 {{
  remote-as 65033
  passive
  local-address 127.0.0.31
  multihop 5
  announce IPv4 vpn
  announce IPv6 vpn
}}
nexthop qualify via default
allow from any
allow to any
"""
_OPENBGPD_ROUTES: Final = [
    (VPNV4, "rd 65001:1 10.1.0.0/16 label 100"),
    (VPNV4, "rd 10.0.0.1:7 10.2.3.0/24 label 100/101"),
    (VPNV6, "rd 4200000001:2 2001:db8:1::/48 label 102"),
]

RECIPES: Final[dict[str, Recipe]] = {
    "bird": Recipe(
        ["bird", "-f", "-c", "bird.conf", "-s", "{folder}/bird.ctl"], _BIRD_ROUTES, files={"bird.conf": _BIRD}
    ),
    "exabgp": Recipe(
        ["exabgp", "exabgp.conf"],
        _EXABGP_ROUTES,
        files={"exabgp.conf": _EXABGP},
        environment=dict(os.environ) | {"exabgp.daemon.user": "root", "exabgp.log.all": "false"},
    ),
    "gobgp": Recipe(
        ["gobgpd", "-f", "gobgp.toml", "--api-hosts", "127.0.0.1:50151", "--pprof-disable"],
        [(family, text) for _, family, text in _GOBGP_TABLE],
        files={"gobgp.toml": _GOBGP},
        then=[[*_ADD.split(), *command.split()] for command, _, _ in _GOBGP_TABLE],
    ),
    "openbgpd": Recipe(
        ["/usr/sbin/bgpd", "-d", "-f", "{folder}/bgpd.conf"],
        _OPENBGPD_ROUTES,
        files={"bgpd.conf": _OPENBGPD},
        feeds_to=("127.0.0.31", 11179),
    ),
    "frr": Recipe(
        ["/usr/lib/frr/bgpd", "-S", "-n", "-f", "bgpd.conf", "-p", "11791", "-l", "127.0.0.1", "-P", "0",
         "-i", "{folder}/bgpd.pid", "--vty_socket", "{folder}", "-z", "{folder}/zserv.api"],
        _FRR_ROUTES,
        files={"bgpd.conf": _FRR},
    ),
}  # fmt: skip
