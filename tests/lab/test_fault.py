"""Faults: what they are asked for with, and what follows from them in virtual time."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from bgp.error import LocalError
from bgp.lab import FabricSettings, FaultReport, open_memory_fabric, parse_fault
from bgp.lab.fault import FaultKind
from bgp.lab.inject import Log, inject, repair
from bgp.lab.models import build

HOLD_TIME = 90


def suffer(model: str, parameters: dict[str, int | str], *texts: str) -> list[FaultReport]:
    """Run a lab in virtual time and let faults happen one after the other, each healed before the next."""

    async def go() -> list[FaultReport]:
        topology, log = build(model, parameters), Log()
        found = []
        async with open_memory_fabric(topology, log.add, FabricSettings(seed=1)) as fabric:
            assert (await fabric.converge(60)).settled
            for text in texts:
                fault = parse_fault(text, topology)
                found.append(await repair(fabric, await inject(fabric, log, fault, 600), 600))
                assert (await fabric.converge(600)).settled, f"healed after {text}"
            snapshot = await fabric.snapshot()
            assert snapshot.counts == topology.predicted, "all is as it was"
        return found

    return trio.run(go, clock=MockClock(autojump_threshold=0))


def test_a_spine_that_loses_a_rack_costs_downward_default_its_flows_and_full_tables_none() -> None:
    (default,) = suffer("downward-default", {}, "spine-rack")
    (full,) = suffer("downward-default", {"routes": "full"}, "spine-rack")
    assert default.lost_meanwhile > 0
    assert full.lost_meanwhile > 0
    assert 0 < default.lost < default.flows
    assert full.lost == 0
    assert "spine1 → " not in default.why
    assert "node spine1" in default.why
    assert full.converged_after is not None
    assert full.converged_after <= HOLD_TIME + 1


def test_a_silent_link_is_noticed_when_the_hold_time_ends() -> None:
    (found,) = suffer("as-per-rack", {}, "link:r1t-spine1")
    assert found.detected_after is not None
    assert found.converged_after is not None
    assert 2 / 3 * HOLD_TIME - 1 <= found.detected_after <= HOLD_TIME
    assert found.lost_meanwhile > 0
    assert found.lost == 0


def test_a_mesh_has_no_way_around_a_link_between_two_nodes() -> None:
    (found,) = suffer("mesh", {}, "link:n1-n2")
    assert found.lost == found.lost_meanwhile == 8, "four flows each way"
    assert found.why.startswith("n1 → 10.244.0.65 ends at n1: node n1 has no route to 10.244.0.65")


def test_a_dead_node_costs_only_what_went_through_it() -> None:
    node, spine, tor = suffer("as-per-rack", {}, "node:r1s1", "node:spine1", "node:r1t")
    assert node.lost == node.lost_meanwhile == 0
    assert spine.lost_meanwhile > 0
    assert spine.lost == 0
    # Four flows each way between the two servers of rack 1 and each of four others; those between the two go directly
    # until they have lost their routes, which they had from the ToR.
    assert tor.lost_meanwhile == 4 * 2 * 2 * 4
    assert tor.lost == tor.lost_meanwhile + 4 * 2


@pytest.mark.parametrize("more", [{}, {"rack": "mesh"}, {"spine": "l2"}])
def test_a_rack_with_two_tors_can_lose_one_or_its_subnet(more: dict[str, int | str]) -> None:
    for found in suffer("as-per-rack", {"tors": 2, **more}, "node:r1t1", "link:rack 1 side 1"):
        assert found.lost_meanwhile > 0, "until the hold time ends"
        assert found.lost == 0


def test_restarts_and_resets_are_noticed_at_once_and_heal_by_themselves() -> None:
    restart, reset, delay = suffer("as-per-rack", {}, "restart:r1s1", "reset:r1t-spine1", "delay:r1t-spine1=0.5")
    assert restart.detected_after == 0
    assert restart.converged_after is not None
    assert 0 < restart.converged_after < 10
    assert restart.lost == reset.lost == delay.lost == 0
    assert reset.detected_after is not None
    assert reset.detected_after < 0.01
    assert delay.detected_after is None


def test_faults_are_asked_for_in_words() -> None:
    topology = build("as-per-rack", {"spine": "l2"})
    assert parse_fault("link:r1t-r2t", topology).links == topology.links[-2:]
    assert parse_fault("link:plane 1", topology).links == (topology.links[-2],)
    assert parse_fault("delay:r1s1-r1t=0.25", topology).seconds == 0.25
    assert parse_fault("node:r1t", topology).kind is FaultKind.NODE
    assert parse_fault("kill:r1t", topology) == (FaultKind.KILL, "kill:r1t", ("r1t",), (), 0.0, ())
    routed = build("as-per-rack", {})
    assert [link.name for link in parse_fault("spine-rack", routed).links] == ["spine1-r1t"]
    assert str(parse_fault("spine-rack:spine2-r3t", routed)) == "spine-rack:spine2-r3t"


def test_several_at_once_are_one_fault() -> None:
    topology = build("as-per-rack", {})
    found = parse_fault("spine-rack+node:r2s1+delay:r1s1-r1t=0.25", topology)
    assert str(found) == "spine-rack:spine1-r1t+node:r2s1+delay:r1s1-r1t=0.25"
    assert [str(part) for part in found.parts] == ["spine-rack:spine1-r1t", "node:r2s1", "delay:r1s1-r1t=0.25"]
    assert [part.kind for part in found.parts] == [FaultKind.LINK, FaultKind.NODE, FaultKind.DELAY]
    with pytest.raises(LocalError, match="there is no node 'r9'"):
        parse_fault("spine-rack+node:r9", topology)


def test_what_one_fault_spares_two_take() -> None:
    one, both = suffer("as-per-rack", {}, "link:r1t-spine1", "link:r1t-spine1+link:r1t-spine2")
    assert one.lost == 0
    assert both.lost == both.lost_meanwhile == 2 * 2 * 4 * 4, "rack 1 is alone: two servers and four, each way"
    assert both.repaired is not None
    assert both.repaired.lost == 0


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("fire:r1t", "there is no fault 'fire:r1t'; write link:X-Y"),
        ("node:r9t", "there is no node 'r9t'; there are"),
        ("link:r1t", "'link:r1t' names no link"),
        ("link:r1s1-r2s1", "r1s1 and r2s1 have no link in common"),
        ("delay:r1t-r1s1=soon", "with a number from 0 to 3600"),
        ("spine-rack", "has no spines that are routers"),
    ],
)
def test_what_is_no_fault_is_refused_with_the_reason(text: str, words: str) -> None:
    with pytest.raises(LocalError, match=words):
        parse_fault(text, build("as-per-rack", {"spine": "l2"}))
