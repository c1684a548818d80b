"""FRR holds the labelled, VPN, EVPN and flow specification routes that we announce, and lets them go."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Final

import pytest
import trio
from interop.conftest import REQUIRED

from bgp import accept
from bgp.net import open_speaker
from rib.attributes import Attributes
from rib.family import FAMILY_NAMES

pytestmark = pytest.mark.skipif(
    shutil.which("vtysh") is None and not REQUIRED, reason="FRR is not installed: make interop installs it"
)
OURS, THEIRS = "127.0.0.21", "127.0.0.22"
#: Seconds to wait for what must come.
PATIENCE: Final = 20
#: Our name of a family, and FRR's.
FAMILIES: Final = {
    "ipv4-labelled": "ipv4 labeled-unicast",
    "vpnv4": "ipv4 vpn",
    "vpnv6": "ipv6 vpn",
    "l2vpn-evpn": "l2vpn evpn",
    "ipv4-flowspec": "ipv4 flowspec",
    "ipv6-flowspec": "ipv6 flowspec",
}
ESI: Final = ":".join(["00"] * 10)
#: A family, a route of ours, and what FRR shows of it.
ROUTES: Final = [
    ("ipv4-labelled", "10.1.0.0/16 label 100", ["10.1.0.0/16"]),
    ("vpnv4", "rd 65001:1 10.1.0.0/16 label 100", ["65001:1", "10.1.0.0/16", "label=100"]),
    ("vpnv6", "rd 65001:1 2001:db8:1::/48 label 102", ["65001:1", "2001:db8:1::/48", "label=102"]),
    (
        "l2vpn-evpn",
        "ethernet-ad rd 65001:1 esi 00:11:22:33:44:55:66:77:88:99 tag 100 label 200",
        ["[1]:[100]:[00:11:22:33:44:55:66:77:88:99]:"],
    ),
    (
        "l2vpn-evpn",
        f"mac-ip rd 65001:1 esi {ESI} tag 0 mac aa:bb:cc:dd:ee:ff ip 10.0.0.1 label 1000",
        ["[2]:[0]:[48]:[aa:bb:cc:dd:ee:ff]:[32]:[10.0.0.1]"],
    ),
    ("l2vpn-evpn", "inclusive-multicast rd 65001:1 tag 0 ip 10.0.0.1", ["[3]:[0]:[32]:[10.0.0.1]"]),
    (
        "l2vpn-evpn",
        "ethernet-segment rd 65001:1 esi 00:11:22:33:44:55:66:77:88:99 ip 10.0.0.1",
        ["[4]:[00:11:22:33:44:55:66:77:88:99]:[32]:[10.0.0.1]"],
    ),
    (
        "l2vpn-evpn",
        f"ip-prefix rd 65001:1 esi {ESI} tag 0 prefix 10.0.0.0/24 gateway 0.0.0.0 label 20",
        ["[5]:[0]:[24]:[10.0.0.0]"],
    ),
    (
        "ipv4-flowspec",
        "destination 10.0.0.0/24 protocol =6 destination-port >=80&<=90",
        ["to 10.0.0.0/24 proto = 6  dstp >= 80 , <= 90"],
    ),
    ("ipv6-flowspec", "destination 2001:db8::/32 protocol =17", ["to 2001:db8::/32/off 0 proto = 17"]),
]


class Frr:
    """FRR's bgpd without zebra, which dials us, asked through `vtysh`."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder = folder
        neighbour = f"neighbor {OURS}"
        activated = "".join(
            f" address-family {name}\n  {neighbour} activate\n exit-address-family\n" for name in FAMILIES.values()
        )
        (folder / "bgpd.conf").write_text(
            f"""hostname frr
router bgp 65002
 bgp router-id 10.0.0.2
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 {neighbour} remote-as 65001
 {neighbour} port {port}
 {neighbour} update-source {THEIRS}
 {neighbour} ebgp-multihop 5
 {neighbour} disable-connected-check
 {neighbour} timers connect 1
{activated}"""
        )
        command = ["/usr/lib/frr/bgpd", "-Z", "-S", "-f", str(folder / "bgpd.conf"), "-p", "0", "-l", THEIRS]
        command += ["-A", "127.0.0.1", "-P", "0", "-i", str(folder / "pid"), "--vty_socket", str(folder)]
        self.log = (folder / "log").open("wb")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=self.log)

    def shown(self, family: str) -> str:
        """What FRR says of a family's routes."""
        question = f"show bgp {FAMILIES[family]}"
        command = ["vtysh", "--vty_socket", str(self.folder), "-d", "bgpd", "-c", question]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def end(self) -> None:
        """Stop it."""
        self.process.terminate()
        self.process.wait(10)
        self.log.close()


async def until(condition: Callable[[str], bool], shown: Callable[[], str]) -> None:
    said = ""
    deadline = trio.current_time() + PATIENCE
    while trio.current_time() < deadline:
        said = await trio.to_thread.run_sync(shown)
        if condition(said):
            return
        await trio.sleep(0.1)
    raise AssertionError(f"it did not come true; instead:\n{said}")


async def test_frr_holds_what_we_announce_and_lets_it_go(tmp_path: Path) -> None:
    families = tuple(FAMILY_NAMES[name] for name in FAMILIES)
    async with open_speaker(asn=65001, router_id="10.0.0.1", listen=[f"{OURS}:0"]) as speaker:
        await speaker.add_peer(
            THEIRS, asn=65002, families=families, import_policy=accept, export_policy=accept, passive=True, multihop=5
        )
        frr = Frr(tmp_path, speaker.listening[0][1])
        try:
            with trio.fail_after(PATIENCE):
                await speaker.wait_established()
            for name, text, _ in ROUTES:
                hop = IPv6Address("2001:db8::1") if name == "vpnv6" else IPv4Address("192.0.2.1")
                speaker.announce_in(FAMILY_NAMES[name], [text], Attributes(next_hop=hop))
            for name, _, expected in ROUTES:
                await until(lambda said, e=expected: all(one in said for one in e), lambda n=name: frr.shown(n))
            for name, text, _ in ROUTES:
                speaker.withdraw_in(FAMILY_NAMES[name], text)
            for name in FAMILIES:
                await until(lambda said: "displayed, 0 exist" in said, lambda n=name: frr.shown(n))
        finally:
            await trio.to_thread.run_sync(frr.end)
