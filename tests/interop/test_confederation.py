"""BIRD and FRR as other members of our confederation (RFC 5065): each reads what the other says."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from interop.daemons import Bird, Frr, Ours
from interop.wires import eventually, two_hosts

OURS, THEIRS = "192.0.2.1", "192.0.2.2"

SPEAKER: Final = f"""
[speaker]
asn = 64512
confederation = 65100
confederation_members = [64513]
router_id = "{OURS}"
listen = ["{OURS}:179"]
control = "{{control}}"
[[announce]]
prefixes = ["203.0.113.0/24"]
as_path = "65020"
local_pref = 200
communities = ["no-export"]
[[peer]]
address = "{THEIRS}"
asn = 64513
connect_retry_time = 1
"""

FRR: Final = f"""
hostname frr
router bgp 64513
 bgp router-id {THEIRS}
 no bgp ebgp-requires-policy
 bgp confederation identifier 65100
 bgp confederation peers 64512
 no bgp network import-check
 neighbor {OURS} remote-as 64512
 neighbor {OURS} timers connect 1
 address-family ipv4 unicast
  network 198.51.100.0/24
 exit-address-family
"""

BIRD: Final = f"""
log stderr all;
router id {THEIRS};
protocol device {{}}
protocol static {{ ipv4; route 198.51.100.0/24 blackhole; }}
protocol bgp ours {{
  local {THEIRS} as 64513; neighbor {OURS} as 64512; confederation 65100; confederation member on;
  connect retry time 1; error wait time 1, 2;
  ipv4 {{ import all; export all; next hop self; }};
}}
"""


def ours_holds(ours: Ours) -> bool:
    """Whether we have the member's route as one from within."""
    route = ours.routes(THEIRS).get("198.51.100.0/24")
    return route is not None and (route["as_path"], route["local_pref"]) == ("(64513)", 100)


def is_within(ours: Ours) -> bool:
    """Whether we call the neighbour what it is."""
    (neighbour,) = ours.ask("neighbors")
    return bool(neighbour["kind"] == "confederation")


def test_frr_is_a_member(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)  # bgpd gives up root and still wants its files
    with two_hosts((f"{OURS}/24", f"{THEIRS}/24")) as (left, right):
        ours, frr = Ours(left, tmp_path / "ours", SPEAKER), Frr(right, tmp_path / "frr", FRR)
        frr.start()
        ours.start()

        def told() -> str:
            return f"ours: {ours.tail()}\nFRR: {frr.tail()}"

        def frr_holds() -> bool:
            paths = frr.ask("show bgp ipv4 unicast 203.0.113.0/24").get("paths", [])
            return any(
                (path["aspath"]["string"], path.get("locPrf"), path["peer"]["type"])
                == ("(64512) 65020", 200, "confed-external")
                for path in paths
            )

        eventually(lambda: ours_holds(ours), "we hold FRR's route", told)
        eventually(frr_holds, "FRR holds ours", told)
        assert is_within(ours)


def test_bird_is_a_member(tmp_path: Path) -> None:
    with two_hosts((f"{OURS}/24", f"{THEIRS}/24")) as (left, right):
        ours, bird = Ours(left, tmp_path / "ours", SPEAKER), Bird(right, tmp_path / "bird", BIRD)
        bird.start()
        ours.start()

        def told() -> str:
            return f"ours: {ours.tail()}\nBIRD: {bird.tail()}\n" + bird.ask("show route all")

        def bird_holds() -> bool:
            said = bird.ask("show route 203.0.113.0/24 all")
            return bool(re.search(r"as_path: \(64512\) 65020\n", said) and re.search(r"local_pref: 200\n", said))

        eventually(lambda: ours_holds(ours), "we hold BIRD's route", told)
        eventually(bird_holds, "BIRD holds ours", told)
        assert is_within(ours)
