"""GoBGP holds the labelled, VPN, EVPN, flow specification and MUP routes that we announce, and we those that it does."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Callable
from ipaddress import IPv6Address
from pathlib import Path
from typing import Any, Final

import pytest
import trio
from interop.conftest import REQUIRED

from bgp import accept
from bgp.net import Speaker, open_speaker
from bgp.wire.nlri.keys import key_text
from rib.attributes import Attributes
from rib.family import FAMILY_NAMES, Family

pytestmark = pytest.mark.skipif(
    shutil.which("gobgpd") is None and not REQUIRED, reason="gobgpd is not installed: make interop installs it"
)
OURS, THEIRS = "127.0.0.11", "127.0.0.12"
#: Seconds to wait for what must come.
PATIENCE: Final = 20
#: Our name of a family, and GoBGP's for sessions and on its command line.
FAMILIES: Final = {
    "ipv4-labelled": ("ipv4-labelled-unicast", "ipv4-mpls"),
    "vpnv4": ("l3vpn-ipv4-unicast", "vpnv4"),
    "vpnv6": ("l3vpn-ipv6-unicast", "vpnv6"),
    "l2vpn-evpn": ("l2vpn-evpn", "evpn"),
    "ipv4-flowspec": ("ipv4-flowspec", "ipv4-flowspec"),
    "vpnv6-flowspec": ("l3vpn-ipv6-flowspec", "ipv6-l3vpn-flowspec"),
    "ipv4-mup": ("ipv4-mup", "ipv4-mup"),
}
ESI: Final = ":".join(["00"] * 10)
#: A family, a route of ours, and how GoBGP writes it.
ROUTES: Final = [
    ("ipv4-labelled", "10.1.0.0/16 label 100", "10.1.0.0/16"),
    ("vpnv4", "rd 65001:1 10.1.0.0/16 label 100", "65001:1:10.1.0.0/16"),
    ("vpnv4", "rd 10.0.0.1:7 10.2.3.0/24 label 101", "10.0.0.1:7:10.2.3.0/24"),
    ("vpnv6", "rd 65001:1 2001:db8:1::/48 label 102", "65001:1:2001:db8:1::/48"),
    (
        "l2vpn-evpn",
        f"ethernet-ad rd 65001:1 esi {ESI} tag 100 label 200",
        "[type:A-D][rd:65001:1][esi:single-homed][etag:100]",
    ),
    (
        "l2vpn-evpn",
        f"mac-ip rd 65001:1 esi {ESI} tag 100 mac aa:bb:cc:dd:ee:ff ip 10.0.0.1 label 1000 label2 2000",
        "[type:macadv][rd:65001:1][etag:100][mac:aa:bb:cc:dd:ee:ff][ip:10.0.0.1]",
    ),
    (
        "l2vpn-evpn",
        "inclusive-multicast rd 65001:1 tag 100 ip 10.0.0.1",
        "[type:multicast][rd:65001:1][etag:100][ip:10.0.0.1]",
    ),
    (
        "l2vpn-evpn",
        "ethernet-segment rd 65001:1 esi 00:11:22:33:44:55:66:77:88:99 ip 10.0.0.1",
        "[type:esi][rd:65001:1][esi:ESI_ARBITRARY | 11:22:33:44:55:66:77:88:99][ip:10.0.0.1]",
    ),
    (
        "l2vpn-evpn",
        f"ip-prefix rd 65001:1 esi {ESI} tag 10 prefix 10.0.0.0/24 gateway 10.0.1.1 label 20",
        "[type:Prefix][rd:65001:1][etag:10][prefix:10.0.0.0/24]",
    ),
    (
        "ipv4-flowspec",
        "destination 10.0.0.0/24 protocol =6 destination-port >=80&<=90 tcp-flags =syn+ack",
        "[destination: 10.0.0.0/24][protocol: ==tcp][destination-port: >=80&<=90][tcp-flags: =SA]",
    ),
    (
        "vpnv6-flowspec",
        "rd 65001:9 source 2001:db8:1::/48 port =53",
        "[rd: 65001:9][source: 2001:db8:1::/48/0][port: ==53]",
    ),
    (
        "ipv4-mup",
        "mup-t1st rd 65001:1 prefix 192.168.0.1/32 teid 100 qfi 9 endpoint 10.0.0.1",
        "[type:t1st][rd:65001:1][prefix:192.168.0.1/32]",
    ),
]


class GoBgp:
    """gobgpd, which dials us, asked through its command line."""

    def __init__(self, folder: Path, port: int, api: int) -> None:
        self.api = str(api)
        neighbour = f"""
[global.config]
  as = 65002
  router-id = "10.0.0.2"
  port = -1
[[neighbors]]
  [neighbors.config]
    neighbor-address = "{OURS}"
    peer-as = 65001
  [neighbors.timers.config]
    connect-retry = 1
    idle-hold-time-after-reset = 1
  [neighbors.transport.config]
    remote-port = {port}
    local-address = "{THEIRS}"
  [neighbors.ebgp-multihop.config]
    enabled = true
    multihop-ttl = 5
"""
        for name, _ in FAMILIES.values():
            neighbour += f'  [[neighbors.afi-safis]]\n  [neighbors.afi-safis.config]\n    afi-safi-name = "{name}"\n'
        file = folder / "gobgp.toml"
        file.write_text(neighbour)
        command = ["gobgpd", "-f", str(file), "--api-hosts", f"127.0.0.1:{api}", "--pprof-disable"]
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def command(self, *words: str) -> str:
        """What `gobgp` says; empty where it does not succeed."""
        said = subprocess.run(["gobgp", "-p", self.api, *words], capture_output=True, text=True, check=False)
        return said.stdout if said.returncode == 0 else ""

    def routes(self, family: str) -> dict[str, Any]:
        """The paths of a family, by GoBGP's words for the route."""
        said = self.command("global", "rib", "-a", FAMILIES[family][1], "-j")
        return json.loads(said or "{}") or {}

    def end(self) -> None:
        """Stop it."""
        self.process.terminate()
        self.process.wait(10)
        self.log.close()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


async def until(condition: Callable[[], object], what: Callable[[], object]) -> None:
    deadline = trio.current_time() + PATIENCE
    while trio.current_time() < deadline:
        if await trio.to_thread.run_sync(condition):
            return
        await trio.sleep(0.1)
    raise AssertionError(f"it did not come true; instead: {what()}")


def ours(speaker: Speaker, family: Family) -> set[str]:
    return {key_text(family, key, path.attributes.binding) for key, path in speaker.loc_rib.routes(family)}


async def test_gobgp_holds_what_we_announce_and_lets_it_go(tmp_path: Path) -> None:
    families = tuple(FAMILY_NAMES[name] for name in FAMILIES)
    async with open_speaker(asn=65001, router_id="10.0.0.1", listen=[f"{OURS}:0"]) as speaker:
        await speaker.add_peer(
            THEIRS, asn=65002, families=families, import_policy=accept, export_policy=accept, passive=True, multihop=5
        )
        gobgp = GoBgp(tmp_path, speaker.listening[0][1], free_port())
        try:
            with trio.fail_after(PATIENCE):
                await speaker.wait_established()
            attributes = Attributes(next_hop=IPv6Address("2001:db8::1"))
            for name, text, _ in ROUTES:
                family = FAMILY_NAMES[name]
                speaker.announce_in(family, [text], attributes if name in ("vpnv6", "ipv4-mup") else Attributes())
            wanted = {name: {theirs for other, _, theirs in ROUTES if other == name} for name in FAMILIES}
            for name, expected in wanted.items():
                await until(
                    lambda n=name, e=expected: gobgp.routes(n).keys() == e, lambda n=name: gobgp.routes(n).keys()
                )
            for name, text, _ in ROUTES:
                speaker.withdraw_in(FAMILY_NAMES[name], text)
            for name in FAMILIES:
                await until(lambda n=name: not gobgp.routes(n), lambda n=name: gobgp.routes(n).keys())
        finally:
            await trio.to_thread.run_sync(gobgp.end)


async def test_we_hold_what_gobgp_announces_and_let_it_go(tmp_path: Path) -> None:
    families = tuple(FAMILY_NAMES[name] for name in FAMILIES)
    rib = ("global", "rib")
    routes = [
        ("vpnv4", "10.1.0.0/16 label 100 rd 65002:1", "rd 65002:1 10.1.0.0/16 label 100"),
        (
            "l2vpn-evpn",
            "macadv aa:bb:cc:dd:ee:ff 10.0.0.1 esi single-homed etag 100 label 1000 rd 65002:1",
            f"mac-ip rd 65002:1 esi {ESI} tag 100 mac aa:bb:cc:dd:ee:ff ip 10.0.0.1 label 1000",
        ),
        ("ipv4-flowspec", "match protocol ==udp then discard", "protocol =17"),
    ]
    async with open_speaker(asn=65001, router_id="10.0.0.1", listen=[f"{OURS}:0"]) as speaker:
        await speaker.add_peer(
            THEIRS, asn=65002, families=families, import_policy=accept, export_policy=accept, passive=True, multihop=5
        )
        gobgp = GoBgp(tmp_path, speaker.listening[0][1], free_port())
        try:
            with trio.fail_after(PATIENCE):
                await speaker.wait_established()
            for verb in ("add", "del"):
                for name, command, text in routes:
                    said = (*rib, verb, "-a", FAMILIES[name][1], *command.split())
                    await trio.to_thread.run_sync(gobgp.command, *said)
                    held = {text} if verb == "add" else set()
                    family = FAMILY_NAMES[name]
                    await until(lambda f=family, h=held: ours(speaker, f) == h, lambda f=family: ours(speaker, f))
        finally:
            await trio.to_thread.run_sync(gobgp.end)
