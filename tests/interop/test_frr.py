"""FRR as external peer over IPv4 and IPv6, and as internal peer: each holds what the other says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import pytest
from interop.daemons import ContainedFrr, Frr, Ours, build_image
from interop.wires import eventually, two_hosts

OURS4, OURS6 = "192.0.2.1", "2001:db8:ff::1"
THEIRS4, THEIRS6 = "192.0.2.2", "2001:db8:ff::2"

FRR: Final = """
hostname frr
router bgp {theirs}
 bgp router-id 192.0.2.2
 no bgp ebgp-requires-policy
 no bgp default ipv4-unicast
 no bgp network import-check
 neighbor {OURS4} remote-as {ours}
 neighbor {OURS4} timers 3 9
 neighbor {OURS4} timers connect 1
 neighbor {OURS6} remote-as {ours}
 neighbor {OURS6} timers 3 9
 neighbor {OURS6} timers connect 1
 address-family ipv4 unicast
  network 198.51.100.0/24 route-map MARK
  neighbor {OURS4} activate
 exit-address-family
 address-family ipv6 unicast
  network 2001:db8:b::/48 route-map MARK
  neighbor {OURS6} activate
 exit-address-family
route-map MARK permit 10
 set metric 77
 set community 65002:100
 set large-community 65002:4000000000:3
 set as-path prepend 65010 4200000000
"""

SPEAKER: Final = """
[speaker]
asn = {ours}
router_id = "192.0.2.1"
listen = ["{OURS4}:179", "[{OURS6}]:179"]
control = "{{control}}"
[[announce]]
prefixes = ["203.0.113.0/24", "2001:db8:a::/48"]
med = 55
as_path = "65020 4200000001"
communities = ["65001:7"]
large_communities = ["65001:4000000000:2"]
[[peer]]
address = "{THEIRS4}"
asn = {theirs}
families = ["ipv4-unicast"]
import = "accept"
export = "accept"
connect_retry_time = 1
[[peer]]
address = "{THEIRS6}"
asn = {theirs}
families = ["ipv6-unicast"]
import = "accept"
export = "accept"
connect_retry_time = 1
"""


class Pair(NamedTuple):
    """Our speaker and FRR on one cable."""

    ours: Ours
    frr: Frr
    our_asn: int
    their_asn: int

    def ours_hold(self) -> dict[str, dict[str, Any]]:
        return self.ours.routes(THEIRS4) | self.ours.routes(THEIRS6)

    def frr_holds(self, prefix: str) -> dict[str, Any]:
        family = "ipv6" if ":" in prefix else "ipv4"
        paths = self.frr.ask(f"show bgp {family} unicast {prefix}").get("paths", [])
        return next((path for path in paths if path.get("valid")), {})

    def settled(self) -> bool:
        up = self.ours.is_established(THEIRS4, THEIRS6) and all(map(self.frr.is_established, (OURS4, OURS6)))
        return up and len(self.ours_hold()) == 2 and all(map(self.frr_holds, ("203.0.113.0/24", "2001:db8:a::/48")))

    def told(self) -> str:
        return f"ours: {self.ours.tail()}\nFRR: {self.frr.tail()}"


@pytest.fixture(
    params=[(65001, 65002, Frr), (65001, 65001, Frr), (65001, 65002, ContainedFrr)],
    ids=["external", "internal", "container"],
    scope="module",
)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    our_asn, their_asn, kind = request.param
    if kind is ContainedFrr:
        build_image()
    folder = tmp_path_factory.mktemp("frr")
    folder.chmod(0o755)  # bgpd gives up root and still wants its files
    names = {"OURS4": OURS4, "OURS6": OURS6, "THEIRS4": THEIRS4, "THEIRS6": THEIRS6}
    cable = [(f"{OURS4}/24", f"{THEIRS4}/24"), (f"{OURS6}/64", f"{THEIRS6}/64")]
    with two_hosts(*cable) as (left, right):
        frr = kind(right, folder / "frr", FRR.format(ours=our_asn, theirs=their_asn, **names))
        ours = Ours(left, folder / "ours", SPEAKER.format(ours=our_asn, theirs=their_asn, **names))
        frr.start()
        ours.start()
        made = Pair(ours, frr, our_asn, their_asn)
        eventually(made.settled, "both hold what the other announces", made.told)
        yield made


def test_frr_shows_our_routes(pair: Pair) -> None:
    before = "65001 " if pair.our_asn != pair.their_asn else ""
    for prefix, next_hop in (("203.0.113.0/24", OURS4), ("2001:db8:a::/48", OURS6)):
        path = pair.frr_holds(prefix)
        assert path["aspath"]["string"] == f"{before}65020 4200000001"
        assert path["metric"] == 55
        assert path["community"]["list"] == ["65001:7"]
        assert path["largeCommunity"]["list"] == ["65001:4000000000:2"]
        assert next_hop in [hop["ip"] for hop in path["nexthops"]]
        assert path["origin"] == "IGP"


def test_our_loc_rib_holds_its_routes(pair: Pair) -> None:
    before = "65002 " if pair.our_asn != pair.their_asn else ""
    for prefix, next_hop in (("198.51.100.0/24", THEIRS4), ("2001:db8:b::/48", THEIRS6)):
        route = pair.ours_hold()[prefix]
        assert route["as_path"] == f"{before}65010 4200000000"
        assert route["next_hop"] == next_hop
        assert route["med"] == 77
        assert route["communities"] == ["65002:100"]
        assert route["large_communities"] == ["65002:4000000000:3"]


def test_withdrawals_and_a_refresh(pair: Pair) -> None:
    pair.ours.command("announce", "100.64.1.0/24")
    eventually(lambda: pair.frr_holds("100.64.1.0/24"), "FRR has the new one", pair.told)
    pair.ours.command("withdraw", "100.64.1.0/24")
    eventually(lambda: not pair.frr_holds("100.64.1.0/24"), "FRR has lost the new one", pair.told)
    pair.ours.command("refresh", THEIRS4)
    eventually(lambda: len(pair.ours_hold()) == 2, "FRR answers a route refresh with the same routes", pair.told)


def test_frr_restarts(pair: Pair) -> None:
    pair.frr.stop()
    eventually(lambda: not pair.ours_hold(), "its routes are gone", pair.told)
    pair.frr.start()
    eventually(pair.settled, "everything is as before", pair.told)
