"""Graceful restart with BIRD (RFC 4724), both roles: who is killed and comes back loses no route at the other side."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from interop.daemons import Bird, Ours
from interop.restarts import OURS, SPEAKER, THEIRS
from interop.wires import Namespace, eventually, two_hosts

BIRD: Final = f"""
log stderr all;
router id {THEIRS};
graceful restart wait 15;
protocol device {{}}
protocol direct {{ ipv4; interface "eth0"; }}
protocol static {{ ipv4; route 198.51.100.0/24 blackhole; route 198.51.100.128/25 blackhole; }}
protocol bgp ours {{
  local {THEIRS} as 65002; neighbor {OURS} as 65001; hold time 30; connect retry time 1; error wait time 1, 2;
  graceful restart on; graceful restart time 60;
  ipv4 {{ import all; export where source = RTS_STATIC; }};
}}
"""


class Pair(NamedTuple):
    """Our speaker, with a kernel under it, and BIRD on one cable."""

    host: Namespace
    ours: Ours
    bird: Bird

    def up(self) -> bool:
        return self.ours.is_established(THEIRS) and self.bird.is_established("ours")

    def ours_hold(self) -> set[str]:
        return set(self.ours.routes(THEIRS))

    def kernel_has(self) -> bool:
        return "198.51.100.128/25 via" in self.host.ip("route")

    def bird_holds(self) -> bool:
        return bool(self.bird.route("203.0.113.0/24")) and bool(self.bird.route("203.0.113.128/25"))

    def settled(self) -> bool:
        return self.up() and len(self.ours_hold()) == 2 and self.bird_holds() and self.kernel_has()

    def told(self) -> str:
        return f"ours: {self.ours.tail()}\nBIRD: {self.bird.tail()}"


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    with two_hosts((f"{OURS}/24", f"{THEIRS}/24")) as (left, right):
        made = Pair(left, Ours(left, tmp_path / "ours", SPEAKER), Bird(right, tmp_path / "bird", BIRD))
        made.bird.start()
        made.ours.start()
        eventually(made.settled, "both hold what the other announces", made.told)
        yield made


def test_a_bird_that_is_killed_and_comes_back_keeps_its_routes_with_us(pair: Pair) -> None:
    def back_without_a_loss() -> bool:
        assert len(pair.ours_hold()) == 2
        assert pair.kernel_has()
        return pair.settled()

    pair.bird.stop(signal.SIGKILL)
    eventually(lambda: not pair.ours.is_established(THEIRS), "we notice", pair.told)
    assert len(pair.ours_hold()) == 2
    pair.bird.arguments.append("-R")
    pair.bird.start()
    eventually(back_without_a_loss, "BIRD is back", pair.told)


def test_a_bird_that_ends_in_good_order_takes_its_routes_along(pair: Pair) -> None:
    pair.bird.stop(signal.SIGTERM)
    eventually(lambda: not pair.ours_hold(), "its routes are gone", pair.told)
    eventually(lambda: not pair.kernel_has(), "the kernel's too", pair.told)


def test_we_are_killed_and_come_back_and_bird_keeps_our_routes(pair: Pair) -> None:
    def back_without_a_loss() -> bool:
        assert pair.bird_holds()
        assert pair.kernel_has()
        return pair.settled()

    pair.ours.stop(signal.SIGKILL)
    eventually(lambda: not pair.bird.is_established("ours"), "BIRD notices", pair.told)
    assert pair.bird_holds()
    assert pair.kernel_has()
    pair.ours.start()
    eventually(back_without_a_loss, "we are back", pair.told)
    assert "stale" not in pair.bird.ask("show route all")


def test_we_end_in_good_order_and_take_our_routes_along(pair: Pair) -> None:
    assert pair.ours.stop(signal.SIGTERM) == 0
    eventually(lambda: not pair.bird_holds(), "our routes are gone", pair.told)
    assert not pair.kernel_has()
