"""Graceful restart with FRR (RFC 4724, RFC 8538), both roles, and a drain as FRR sees it (RFC 8326)."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
from interop.daemons import Frr, Ours
from interop.restarts import DROPPED, KEPT, OURS, SPEAKER, THEIRS
from interop.wires import Namespace, eventually, two_hosts

FRR: Final = f"""
hostname frr
router bgp 65002
 bgp router-id {THEIRS}
 no bgp ebgp-requires-policy
 no bgp network import-check
 bgp graceful-restart
 bgp graceful-restart preserve-fw-state
 bgp graceful-restart restart-time 60
 neighbor {OURS} remote-as 65001
 neighbor {OURS} timers 10 30
 neighbor {OURS} timers connect 1
 address-family ipv4 unicast
  network 198.51.100.0/24
  network 198.51.100.128/25
 exit-address-family
"""


class Pair(NamedTuple):
    """Our speaker, with a kernel under it, and FRR on one cable."""

    host: Namespace
    ours: Ours
    frr: Frr

    def up(self) -> bool:
        return self.ours.is_established(THEIRS) and self.frr.is_established(OURS)

    def ours_hold(self) -> set[str]:
        return set(self.ours.routes(THEIRS))

    def kernel_has(self, prefix: str = "198.51.100.128/25") -> bool:
        return f"{prefix} via" in self.host.ip("route")

    def frr_path(self, prefix: str) -> dict[str, Any]:
        """FRR's path to a prefix of ours; empty if there is none."""
        paths = self.frr.ask(f"show bgp ipv4 unicast {prefix}").get("paths", [])
        return next(iter(paths), {})

    def frr_holds(self) -> set[str]:
        return {prefix for prefix in (KEPT, DROPPED) if self.frr_path(prefix).get("valid")}

    def stale(self) -> bool:
        return any("stale" in self.frr_path(prefix) for prefix in (KEPT, DROPPED))

    def settled(self) -> bool:
        return self.up() and len(self.ours_hold()) == 2 and len(self.frr_holds()) == 2 and self.kernel_has()

    def told(self) -> str:
        return f"ours: {self.ours.tail()}\nFRR: {self.frr.tail()}"


@pytest.fixture
def pair(tmp_path: Path) -> Iterator[Pair]:
    tmp_path.chmod(0o755)  # bgpd gives up root and still wants its files
    with two_hosts((f"{OURS}/24", f"{THEIRS}/24")) as (left, right):
        made = Pair(left, Ours(left, tmp_path / "ours", SPEAKER), Frr(right, tmp_path / "frr", FRR))
        made.frr.start()
        made.ours.start()
        eventually(made.settled, "both hold what the other announces", made.told)
        yield made


def strike(file: Path, words: str) -> None:
    """Take words out of a configuration."""
    text = file.read_text()
    assert words in text
    file.write_text(text.replace(words, ""))


def test_we_are_killed_and_come_back_and_frr_keeps_our_routes(pair: Pair) -> None:
    """FRR, which says for a minute after its start that it restarts as well, need not be waited for; packets are."""

    def back_without_a_loss() -> bool:
        assert KEPT in pair.frr_holds()
        assert pair.kernel_has()
        return pair.up() and len(pair.ours_hold()) == 2 and not pair.stale()

    pair.ours.stop(signal.SIGKILL)
    eventually(lambda: not pair.frr.is_established(OURS), "FRR notices", pair.told)
    assert pair.frr_holds() == {KEPT, DROPPED}
    assert pair.stale()
    assert pair.kernel_has()
    strike(pair.ours.folder / "speaker.toml", f', "{DROPPED}"')
    pair.ours.start()
    eventually(back_without_a_loss, "we are back", pair.told)
    eventually(lambda: pair.frr_holds() == {KEPT}, "what we do not say again goes with End-of-RIB", pair.told)
    eventually(lambda: DROPPED not in pair.host.ip("route"), "its blackhole too", pair.told)


def test_frr_is_killed_and_comes_back_and_we_keep_its_routes(pair: Pair) -> None:
    def back_without_a_loss() -> bool:
        assert "198.51.100.0/24" in pair.ours_hold()
        assert pair.kernel_has("198.51.100.0/24")
        return pair.up() and pair.ours_hold() == {"198.51.100.0/24"}

    pair.frr.stop(signal.SIGKILL)
    eventually(lambda: not pair.ours.is_established(THEIRS), "we notice", pair.told)
    assert len(pair.ours_hold()) == 2
    assert pair.kernel_has()
    strike(pair.frr.folder / "bgpd.conf", "  network 198.51.100.128/25\n")
    pair.frr.start()
    eventually(back_without_a_loss, "FRR is back, and what it does not say again goes with End-of-RIB", pair.told)
    eventually(lambda: not pair.kernel_has(), "from the kernel too", pair.told)


def test_a_notification_costs_no_routes_and_a_hard_reset_does(pair: Pair) -> None:
    """RFC 8538: both have the N bit. What FRR's `clear` sends is a Hard Reset."""
    assert pair.frr.ask(f"show bgp ipv4 neighbors {OURS} graceful-restart")[OURS]["nBit"] is True

    def back_without_a_loss() -> bool:
        assert len(pair.frr_holds()) == len(pair.ours_hold()) == 2
        assert pair.kernel_has()
        return pair.settled() and not pair.stale()

    pair.ours.command("reset", THEIRS)
    eventually(back_without_a_loss, "the session is up again", pair.told)
    assert pair.ours.ask("neighbors")[0]["last_sent"]["text"] == "6/4 (Cease, Administrative reset)"
    pair.frr.command(f"clear bgp ipv4 {OURS}")
    eventually(lambda: not pair.ours_hold(), "its routes are gone", pair.told)
    told = pair.ours.ask("neighbors")[0]["last_received"]["text"]
    assert told == "6/9 (Cease, Hard reset) for NOTIFICATION 6/4 (Cease, Administrative reset)"
    eventually(pair.settled, "everything is as before", pair.told)


def test_frr_sees_a_drain(pair: Pair) -> None:
    """First the last choice, then none, and the session stays up (RFC 8326)."""

    def is_last_choice() -> bool:
        path = pair.frr_path(KEPT)
        return path.get("community", {}).get("list") == ["gracefulShutdown"] and path["locPrf"] == 0

    pair.ours.begin("drain", "--wait", "3600")
    eventually(is_last_choice, "our route is the last choice", pair.told)
    pair.ours.command("drain", "--wait", "0")
    eventually(lambda: not pair.frr_holds(), "our routes are gone", pair.told)
    assert pair.up()
    assert pair.kernel_has()
    assert len(pair.ours_hold()) == 2
    pair.ours.command("undrain")
    eventually(pair.settled, "everything is as before", pair.told)
    assert "community" not in pair.frr_path(KEPT)


def test_we_end_in_good_order_and_take_our_routes_along(pair: Pair) -> None:
    assert pair.ours.stop(signal.SIGTERM) == 0
    eventually(lambda: not pair.frr_holds(), "our routes are gone", pair.told)
    assert not pair.kernel_has()
