"""What sessions agree on, with BIRD: several paths, IPv4 over IPv6, a password, GTSM, and routes told again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from interop.daemons import Bird, Ours
from interop.wires import eventually, two_hosts

OURS, THEIRS, OTHER = "2001:db8:ff::1", "2001:db8:ff::2", "2001:db8:ff::3"

BIRD: Final = f"""
log stderr all;
router id 192.0.2.2;
protocol device {{}}
protocol direct {{ ipv4; ipv6; interface "eth0"; }}
protocol static one {{ ipv4; route 198.51.100.0/24 blackhole; }}
protocol static two {{ ipv4 {{ preference 150; }}; route 198.51.100.0/24 unreachable; }}
filter tell {{
  if source != RTS_STATIC then reject;
  if proto = "one" then bgp_med = 1; else bgp_med = 2;
  accept;
}}
protocol bgp ours {{
  local {THEIRS} as 65002; neighbor {OURS} as 65001; hold time 9; connect retry time 1; error wait time 1, 2;
  password "s3cret"; ttl security on; enable extended messages on;
  ipv4 {{ import all; export filter tell; add paths on; extended next hop on; }};
  ipv6 {{ import all; export none; }};
}}
"""

SPEAKER: Final = f"""
[speaker]
asn = 65001
router_id = "192.0.2.1"
listen = ["[{OURS}]:179"]
control = "{{control}}"
[[announce]]
prefixes = ["203.0.113.0/24"]
communities = ["65001:7"]
[[peer]]
address = "{THEIRS}"
asn = 65002
import = "accept"
export = "accept"
hold_time = 9
connect_retry_time = 1
add_path = "both"
password = "s3cret"
ttl_security = true
[[peer]]
address = "{OTHER}"
asn = 65003
import = "accept"
export = "accept"
passive = true
"""

ANOTHER: Final = f"""
[speaker]
asn = 65003
router_id = "192.0.2.3"
control = "{{control}}"
[[announce]]
prefixes = ["203.0.113.0/24"]
communities = ["65003:7"]
[[peer]]
address = "{OURS}"
local_address = "{OTHER}"
asn = 65001
import = "accept"
export = "accept"
connect_retry_time = 1
"""


class Three(NamedTuple):
    """Our speaker, BIRD, and a second speaker of ours that announces the same block."""

    ours: Ours
    bird: Bird
    other: Ours

    def up(self) -> bool:
        return self.ours.is_established(THEIRS, OTHER) and self.bird.is_established("ours")

    def paths_of_bird(self) -> list[str]:
        """The communities of the paths that BIRD has to our block."""
        said = self.bird.ask("show route 203.0.113.0/24 all")
        return sorted(line.split(":", 1)[1].strip() for line in said.splitlines() if "BGP.community" in line)

    def told(self) -> str:
        return f"ours: {self.ours.tail()}\nother: {self.other.tail()}\nBIRD: {self.bird.tail()}\n" + self.bird.ask(
            "show protocols all ours"
        )


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    folder: Path = tmp_path_factory.mktemp("features")
    with two_hosts((f"{OURS}/64", f"{THEIRS}/64"), ("192.0.2.1/24", "192.0.2.2/24")) as (left, right):
        right.ip("address", "add", f"{OTHER}/64", "dev", "eth0", "nodad")
        made = Three(
            Ours(left, folder / "ours", SPEAKER),
            Bird(right, folder / "bird", BIRD),
            Ours(right, folder / "other", ANOTHER),
        )
        made.bird.start()
        made.ours.start()
        made.other.start()
        eventually(made.up, "all sessions are up", made.told)
        yield made


def test_bird_gets_both_paths_over_an_ipv6_next_hop(three: Three) -> None:
    eventually(lambda: len(three.paths_of_bird()) == 2, "BIRD has two paths", three.told)
    assert three.paths_of_bird() == ["(65001,7)", "(65003,7)"]
    said = three.bird.ask("show route 203.0.113.0/24 all")
    assert said.count(f"BGP.next_hop: {OURS}") == 2
    assert "BGP.as_path: 65001 65003" in said


def test_we_get_both_paths_of_bird(three: Three) -> None:
    def neighbour() -> dict[str, object]:
        return three.ours.neighbours()[THEIRS]

    eventually(lambda: neighbour()["received"] == 2, "two paths have come", three.told)
    route = three.ours.routes(THEIRS)["198.51.100.0/24"]
    assert route["med"] == 1
    assert route["next_hop"] == THEIRS


def test_a_path_that_goes_is_withdrawn_alone(three: Three) -> None:
    eventually(lambda: len(three.paths_of_bird()) == 2, "BIRD has two paths", three.told)
    three.other.command("withdraw", "203.0.113.0/24")
    eventually(lambda: three.paths_of_bird() == ["(65001,7)"], "one path is left", three.told)
    three.other.command("announce", "203.0.113.0/24", "--community", "65003:8")
    eventually(lambda: three.paths_of_bird() == ["(65001,7)", "(65003,8)"], "the other is back", three.told)
    three.other.command("announce", "203.0.113.0/24", "--community", "65003:7")
    eventually(lambda: three.paths_of_bird() == ["(65001,7)", "(65003,7)"], "and as it was", three.told)


def test_bird_asks_for_our_routes_again(three: Three) -> None:
    def sent() -> int:
        (neighbour,) = [one for one in three.ours.ask("neighbors") if one["address"] == THEIRS]
        return int(neighbour["updates_sent"])

    eventually(lambda: len(three.paths_of_bird()) == 2, "BIRD has two paths", three.told)
    before = sent()
    three.bird.ask("reload in ours")
    eventually(lambda: sent() >= before + 2, "we tell both paths again", three.told)
    eventually(lambda: three.paths_of_bird() == ["(65001,7)", "(65003,7)"], "BIRD has both still", three.told)
    assert three.up()
