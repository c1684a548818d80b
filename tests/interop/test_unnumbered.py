"""A session between link-local addresses (RFC 4291 2.5.6), as on a cable without numbers; IPv4 rides along (RFC 8950)."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from interop.daemons import Bird, Ours
from interop.wires import eventually, two_hosts

BIRD: Final = """
log stderr all;
router id 192.0.2.2;
protocol device {}
protocol direct { ipv4; ipv6; interface "eth0"; }
protocol static four { ipv4; route 198.51.100.0/24 blackhole; }
protocol static six { ipv6; route 2001:db8:b::/48 blackhole; }
protocol bgp ours {
  local fe80::2 as 65002; neighbor fe80::1%eth0 as 65001; interface "eth0";
  hold time 9; connect retry time 1; error wait time 1, 2;
  ipv4 { import all; export where source = RTS_STATIC; extended next hop on; };
  ipv6 { import all; export where source = RTS_STATIC; };
}
"""

SPEAKER: Final = """
[speaker]
asn = 65001
router_id = "192.0.2.1"
listen = ["[fe80::1%eth0]:179"]
control = "{control}"
[kernel]
[[announce]]
prefixes = ["203.0.113.0/24", "2001:db8:a::/48"]
[[peer]]
address = "fe80::2%eth0"
asn = 65002
import = "accept"
export = "accept"
hold_time = 9
connect_retry_time = 1
"""


def test_both_families_travel_between_link_local_addresses(tmp_path: Path) -> None:
    with two_hosts(("fe80::1/64", "fe80::2/64")) as (left, right):
        ours, bird = Ours(left, tmp_path / "ours", SPEAKER), Bird(right, tmp_path / "bird", BIRD)
        bird.start()
        ours.start()

        def told() -> str:
            asked = "\n".join(bird.ask(question) for question in ("show protocols all ours", "show route all"))
            return f"ours: {ours.tail()}\nBIRD: {bird.tail()}\n{asked}"

        eventually(lambda: ours.is_established("fe80::2%eth0"), "the session is up", told)
        eventually(lambda: len(ours.routes("fe80::2%eth0")) == 2, "we hold BIRD's routes", told)
        for prefix in ("203.0.113.0/24", "2001:db8:a::/48"):
            eventually(lambda prefix=prefix: bird.route(prefix), f"BIRD holds {prefix}", told)
            assert "fe80::1" in bird.route(prefix)["next_hop"]
        eventually(lambda: "via inet6 fe80::2 dev eth0" in left.ip("route"), "the kernel has the IPv4 route", told)
        eventually(lambda: "via fe80::2 dev eth0" in left.ip("-6", "route"), "and the IPv6 route", told)
