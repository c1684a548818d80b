"""BIRD 2 as external and as internal peer, IPv4 and IPv6: each holds exactly what the other says; both restart."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from interop.daemons import Bird, ContainedBird, Ours, build_image
from interop.wires import eventually, two_hosts

LONG: Final = [*range(64600, 64630), 4_200_000_000]
OURS4, OURS6 = "192.0.2.1", "2001:db8:ff::1"
THEIRS4, THEIRS6 = "192.0.2.2", "2001:db8:ff::2"

BIRD: Final = """
log stderr all;
router id 192.0.2.2;
protocol device {{}}
protocol direct {{ ipv4; ipv6; interface "eth0"; }}
function mark() {{
  bgp_med = 77;
  bgp_community.add((65002, 100));
  bgp_large_community.add((65002, 4000000000, 3));
  bgp_ext_community.add((rt, 65002, 9));
  {prepend}
}}
filter out4 {{ if source != RTS_STATIC then reject; if net = 198.51.100.128/25 then mark(); accept; }}
filter out6 {{ if source != RTS_STATIC then reject; if net = 2001:db8:b:1::/64 then mark(); accept; }}
protocol static four {{ ipv4; route 198.51.100.0/24 blackhole; route 198.51.100.128/25 blackhole; }}
protocol static six {{ ipv6; route 2001:db8:b::/48 blackhole; route 2001:db8:b:1::/64 blackhole; }}
protocol bgp ours4 {{
  local {THEIRS4} as {theirs}; neighbor {OURS4} as {ours}; hold time 9; connect retry time 1; error wait time 1, 2;
  ipv4 {{ import all; export filter out4; }};
}}
protocol bgp ours6 {{
  local {THEIRS6} as {theirs}; neighbor {OURS6} as {ours}; hold time 9; connect retry time 1; error wait time 1, 2;
  ipv6 {{ import all; export filter out6; }};
}}
"""

SPEAKER: Final = """
[speaker]
asn = {ours}
router_id = "192.0.2.1"
listen = ["{OURS4}:179", "[{OURS6}]:179"]
control = "{{control}}"
[[announce]]
prefixes = ["203.0.113.0/24", "2001:db8:a::/48"]
[[announce]]
prefixes = ["203.0.113.128/25", "2001:db8:a:1::/64"]
med = 55
origin = "incomplete"
as_path = "{path}"
communities = ["65001:7", "65001:8"]
large_communities = ["65001:4000000000:2"]
ext_communities = ["rt:65001:5"]
[[peer]]
address = "{THEIRS4}"
asn = {theirs}
families = ["ipv4-unicast"]
import = "accept"
export = "accept"
hold_time = 9
connect_retry_time = 1
[[peer]]
address = "{THEIRS6}"
asn = {theirs}
families = ["ipv6-unicast"]
import = "accept"
export = "accept"
hold_time = 9
connect_retry_time = 1
"""


class Pair(NamedTuple):
    """Our speaker and BIRD on one cable."""

    ours: Ours
    bird: Bird
    our_asn: int
    their_asn: int

    @property
    def external(self) -> bool:
        return self.our_asn != self.their_asn

    def up(self) -> bool:
        return (
            self.ours.is_established(THEIRS4, THEIRS6)
            and self.bird.is_established("ours4")
            and self.bird.is_established("ours6")
        )

    def ours_hold(self) -> dict[str, dict[str, Any]]:
        return self.ours.routes(THEIRS4) | self.ours.routes(THEIRS6)

    def bird_holds(self) -> dict[str, dict[str, str]]:
        prefixes = ("203.0.113.0/24", "203.0.113.128/25", "2001:db8:a::/48", "2001:db8:a:1::/64")
        return {prefix: found for prefix in prefixes if (found := self.bird.route(prefix))}

    def settled(self) -> bool:
        return self.up() and len(self.ours_hold()) == 4 and len(self.bird_holds()) == 4

    def told(self) -> str:
        return f"ours: {self.ours.tail()}\nBIRD: {self.bird.tail()}\n{self.bird.ask('show protocols all')}"


@pytest.fixture(
    params=[(65001, 65002, Bird), (65001, 65001, Bird), (65001, 65002, ContainedBird)],
    ids=["external", "internal", "container"],
    scope="module",
)
def pair(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    our_asn, their_asn, kind = request.param
    if kind is ContainedBird:
        build_image()
    folder: Path = tmp_path_factory.mktemp("bird")
    names = {"OURS4": OURS4, "OURS6": OURS6, "THEIRS4": THEIRS4, "THEIRS6": THEIRS6}
    prepend = " ".join(f"bgp_path.prepend({asn});" for asn in reversed(LONG))
    cable = [(f"{OURS4}/24", f"{THEIRS4}/24"), (f"{OURS6}/64", f"{THEIRS6}/64")]
    with two_hosts(*cable) as (left, right):
        bird = kind(right, folder / "bird", BIRD.format(ours=our_asn, theirs=their_asn, prepend=prepend, **names))
        path = " ".join(map(str, LONG))
        ours = Ours(left, folder / "ours", SPEAKER.format(ours=our_asn, theirs=their_asn, path=path, **names))
        bird.start()
        ours.start()
        made = Pair(ours, bird, our_asn, their_asn)
        eventually(made.settled, "both hold what the other announces", made.told)
        yield made


def test_bird_shows_our_routes_exactly(pair: Pair) -> None:
    before = [pair.our_asn] if pair.external else []
    found = pair.bird_holds()
    for prefix, next_hop in (("203.0.113.0/24", OURS4), ("2001:db8:a::/48", OURS6)):
        route = found[prefix]
        assert route["origin"] == "IGP"
        assert route["as_path"].split() == [str(asn) for asn in before]
        assert route["next_hop"].split()[0] == next_hop
        assert {"med", "community", "large_community", "ext_community"}.isdisjoint(route)
        assert route.get("local_pref") == "100"  # ours towards iBGP, BIRD's own assumption from eBGP
    for prefix, next_hop in (("203.0.113.128/25", OURS4), ("2001:db8:a:1::/64", OURS6)):
        assert found[prefix] | {"next_hop": found[prefix]["next_hop"].split()[0]} == {
            "origin": "Incomplete",
            "as_path": " ".join(map(str, [*before, *LONG])),
            "next_hop": next_hop,
            "med": "55",
            "local_pref": "100",
            "community": "(65001,7) (65001,8)",
            "large_community": "(65001, 4000000000, 2)",
            "ext_community": "(rt, 65001, 5)",
        }


def test_our_loc_rib_holds_its_routes_exactly(pair: Pair) -> None:
    before = [pair.their_asn] if pair.external else []
    found = pair.ours_hold()
    for prefix, next_hop in (("198.51.100.0/24", THEIRS4), ("2001:db8:b::/48", THEIRS6)):
        route = found[prefix]
        assert route["as_path"] == " ".join(map(str, before))
        assert route["next_hop"] == next_hop
        assert route["origin"] == "igp"
        assert {"communities", "med", "large_communities"}.isdisjoint(route)
    for prefix, next_hop in (("198.51.100.128/25", THEIRS4), ("2001:db8:b:1::/64", THEIRS6)):
        route = found[prefix]
        assert route["as_path"] == " ".join(map(str, [*before, *LONG]))
        assert route["next_hop"] == next_hop
        assert route["med"] == 77
        assert route["communities"] == ["65002:100"]
        assert route["large_communities"] == ["65002:4000000000:3"]
        assert len(route["ext_communities"]) == 1
        assert route["ext_communities"][0].endswith("65002:9")
        assert route.get("local_pref", 100) == 100


def test_withdrawals_arrive_both_ways(pair: Pair) -> None:
    pair.ours.command("announce", "100.64.1.0/24", "2001:db8:c::/48", "--community", "65001:1")
    eventually(lambda: pair.bird.route("100.64.1.0/24") and pair.bird.route("2001:db8:c::/48"), "BIRD has the new ones")
    assert pair.bird.route("100.64.1.0/24")["community"] == "(65001,1)"
    pair.ours.command("withdraw", "100.64.1.0/24", "2001:db8:c::/48")
    gone = lambda: not pair.bird.route("100.64.1.0/24") and not pair.bird.route("2001:db8:c::/48")  # noqa: E731
    eventually(gone, "BIRD has lost the new ones")
    for protocol in ("four", "six"):
        pair.bird.ask(f"disable {protocol}")
    eventually(lambda: not pair.ours_hold(), "we have lost BIRD's routes", pair.told)
    for protocol in ("four", "six"):
        pair.bird.ask(f"enable {protocol}")
    eventually(pair.settled, "we have BIRD's routes again", pair.told)


def test_bird_restarts(pair: Pair) -> None:
    pair.bird.stop()
    eventually(lambda: not pair.ours.is_established(THEIRS4), "we see that BIRD is gone", pair.ours.tail)
    peer = pair.ours.neighbours()[THEIRS4]
    assert peer["why"], "a session that is down says why"
    eventually(lambda: not pair.ours_hold(), "its routes are gone", pair.ours.tail)
    pair.bird.start()
    eventually(pair.settled, "everything is as before", pair.told)


def test_our_speaker_restarts(pair: Pair) -> None:
    assert pair.ours.stop(signal.SIGTERM) == 0, "SIGTERM ends it in order"
    eventually(lambda: not pair.bird.is_established("ours4"), "BIRD sees that we are gone")
    said = pair.bird.ask("show protocols all ours4")
    assert "Administrative shutdown" in said or "Received: Cease" in said or "Cease" in said, said
    eventually(lambda: not pair.bird_holds(), "our routes are gone there")
    pair.ours.start()
    eventually(pair.settled, "everything is as before", pair.told)
