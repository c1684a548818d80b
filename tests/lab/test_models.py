"""Every model with real speakers: what they hold is what was predicted, and all pods reach each other."""

from __future__ import annotations

from random import Random

import pytest

from bgp.lab import Reachability, Snapshot, open_memory_fabric
from bgp.lab.command import without_collector
from bgp.lab.models import MODELS, build
from bgp.topology.model import Topology

#: Models as their parameters; each at N=6 and at N=20, in IPv4, and once with both versions of IP.
SIX: list[tuple[str, dict[str, int | str]]] = [
    ("mesh", {}),
    ("mesh", {"asn": "per-node"}),
    ("mesh", {"stack": "dual", "blocks": 2}),
    ("planes", {}),
    ("planes", {"planes": 3, "stack": "dual"}),
    ("reflectors", {}),
    ("reflectors", {"clients_of": 1, "stack": "6"}),
    ("as-per-rack", {"stack": "dual"}),
    ("as-per-rack", {"rack": "mesh"}),
    ("as-per-rack", {"spine": "l2"}),
    ("as-per-rack", {"spine_as": "each", "spines": 3}),
    ("as-per-rack", {"tors": 2, "stack": "dual"}),
    ("as-per-rack", {"tors": 2, "rack": "mesh"}),
    ("as-per-rack", {"tors": 2, "spine": "l2"}),
    ("as-per-rack", {"tors": 3, "spine_as": "each"}),
    ("as-per-server", {"stack": "6"}),
    ("as-per-server", {"tors": 2}),
    ("as-per-server", {"tors": 2, "tor_as": "one"}),
    ("downward-default", {"stack": "dual"}),
    ("downward-default", {"tors": 2}),
    ("downward-default", {"routes": "full", "tors": 2}),
    ("tor", {}),
    ("tor", {"asn": "per-node", "stack": "6"}),
    ("tor", {"asn": "ibgp"}),
    ("leaf-spine", {"leaves": 3}),
    ("leaf-spine", {"leaves": 2, "clusters": 2, "stack": "dual"}),
]
TWENTY: list[tuple[str, dict[str, int | str]]] = [
    ("mesh", {"nodes": 20}),
    ("mesh", {"nodes": 20, "asn": "per-node", "without": "own-prefixes-only"}),
    ("planes", {"nodes": 20}),
    ("reflectors", {"nodes": 20, "reflectors": 4}),
    ("as-per-rack", {"racks": 4, "servers": 5}),
    ("as-per-rack", {"racks": 4, "servers": 5, "spine_as": "each", "without": "no-valley"}),
    ("as-per-rack", {"racks": 4, "servers": 5, "spine": "l2", "without": "no-valley"}),
    ("as-per-rack", {"racks": 4, "servers": 5, "tors": 2}),
    ("as-per-rack", {"racks": 4, "servers": 5, "tors": 2, "spine_as": "each", "without": "no-valley"}),
    ("as-per-rack", {"racks": 4, "servers": 5, "tors": 2, "spine": "l2", "without": "no-valley"}),
    ("as-per-server", {"racks": 4, "servers": 5}),
    ("downward-default", {"racks": 4, "servers": 5, "spines": 3}),
    ("tor", {"nodes": 20}),
    ("leaf-spine", {"leaves": 4, "servers": 5, "spines": 3}),
]


async def run(topology: Topology) -> tuple[Snapshot, Reachability]:
    async with open_memory_fabric(topology) as fabric:
        convergence = await fabric.converge(60)
        assert convergence.settled
        assert convergence.established == topology.predicted_sessions
        snapshot = await fabric.snapshot()
        return snapshot, await fabric.reach(snapshot, 1)


@pytest.mark.parametrize(("model", "parameters"), [*SIX, *TWENTY])
async def test_speakers_hold_what_was_predicted_and_pods_reach_each_other(
    model: str, parameters: dict[str, int | str]
) -> None:
    topology = build(model, parameters)
    snapshot, reachability = await run(topology)
    assert snapshot.counts == topology.predicted
    assert not snapshot.down
    hosts = len(topology.hosts)
    assert (reachability.ok, reachability.pairs) == (hosts * (hosts - 1), hosts * (hosts - 1))


@pytest.mark.parametrize(
    ("model", "parameters", "sessions"),
    [
        ("mesh", {"nodes": 100}, 4950),
        ("reflectors", {"nodes": 100, "reflectors": 4}, 206),
        ("as-per-rack", {"racks": 10, "servers": 10, "spines": 4}, 140),
        ("as-per-rack", {"racks": 10, "servers": 10, "spines": 4, "tors": 2}, 280),
        ("as-per-server", {"racks": 10, "servers": 10, "spines": 4}, 140),
        ("downward-default", {"racks": 10, "servers": 10, "spines": 4}, 140),
        ("tor", {"nodes": 100}, 100),
        ("leaf-spine", {"leaves": 10, "servers": 10, "spines": 4}, 140),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_hundred_nodes_hold_what_was_predicted(
    model: str, parameters: dict[str, int | str], sessions: int
) -> None:
    topology = build(model, parameters)
    with without_collector():
        snapshot, reachability = await run(topology)
    assert len(topology.hosts) == 100
    assert topology.predicted_sessions == sessions
    assert snapshot.counts == topology.predicted
    assert reachability.ok == 9900


#: What the knobs are for: without them so many of 30 pairs are left, and that is why.
KNOBS = [
    (
        "as-per-rack",
        {},
        "next-hop-self",
        6,
        "node r1s1 rejects 10.244.0.128/26 from r1t: next hop is unresolvable: 10.16.0.0",
    ),
    (
        "as-per-rack",
        {},
        "reflector-client",
        24,
        "node r1t does not tell r1s1 of 10.244.0.64/26: learned from an internal peer",
    ),
    (
        "as-per-server",
        {"tor_as": "one"},
        "allowas-in",
        6,
        "node r1t rejects 10.244.0.128/26 from spine1 and spine2: own AS 64513 in AS_PATH",
    ),
    (
        "downward-default",
        {"routes": "full"},
        "allowas-in-nodes,allowas-in-tors",
        0,
        "node r1s1 rejects 10.244.0.64/26 from r1t: own AS 64514 in AS_PATH",
    ),
    (
        "downward-default",
        {"routes": "full"},
        "allowas-in-tors",
        6,
        "node r1t rejects 10.244.0.128/26 from spine1 and spine2: own AS 64513 in AS_PATH",
    ),
    ("tor", {}, "as-override", 0, "node n1 rejects 10.244.0.64/26 from tor: own AS 64513 in AS_PATH"),
    (
        "tor",
        {"asn": "ibgp"},
        "reflector-client",
        0,
        "node tor does not tell n1 of 10.244.0.64/26: learned from an internal peer",
    ),
    (
        "mesh",
        {},
        "connected-next-hop",
        0,
        "node n1 rejects 10.244.0.64/26 from n2: next hop is unresolvable: 10.32.0.2",
    ),
    (
        "reflectors",
        {"clients_of": 1},
        "own-cluster-id",
        12,
        "node rr1 rejects 10.244.0.64/26 from rr2: own cluster id in CLUSTER_LIST: 10.0.1.1",
    ),
    (
        "reflectors",
        {},
        "reflector-client",
        0,
        "node rr1 does not tell n1 of 10.244.0.64/26: learned from an internal peer",
    ),
]


@pytest.mark.parametrize(("model", "parameters", "without", "ok", "why"), KNOBS)
async def test_without_its_knob_a_model_breaks_as_stated_while_all_sessions_are_up(
    model: str, parameters: dict[str, int | str], without: str, ok: int, why: str
) -> None:
    topology = build(model, {**parameters, "without": without})
    snapshot, reachability = await run(topology)
    assert (reachability.ok, reachability.pairs) == (ok, 30)
    assert why in reachability.failed[0].reason
    assert snapshot.counts != topology.predicted
    present = build(model, parameters)
    snapshot, reachability = await run(present)
    assert reachability.ok == 30


async def test_a_node_in_a_flat_rack_learns_nothing_without_its_knob() -> None:
    for parameters in ({"without": "as-override"}, {"asn": "ibgp", "without": "reflector-client"}):
        snapshot, _ = await run(build("tor", parameters))
        assert {snapshot.counts[f"n{number}"] for number in range(1, 7)} == {(0, 0, 0)}


@pytest.mark.parametrize(("knob", "ways"), [("", {"spine1", "spine2"}), ("multipath", {"spine1"})])
async def test_multipath_spreads_flows_over_the_spines_and_without_it_one_carries_all(
    knob: str, ways: set[str]
) -> None:
    topology = build("as-per-rack", {"without": knob})
    snapshot, _ = await run(topology)
    pod = topology["r3s1"].pod()
    traces = [snapshot.forwarder.trace("r1s1", pod, flow=flow) for flow in range(20)]
    assert all(trace.arrived for trace in traces)
    assert {trace.hops[2].node for trace in traces} == ways


def test_every_knob_that_a_model_has_is_one_that_a_test_leaves_out() -> None:
    tested = {(model, name) for model, _, names, _, _ in KNOBS for name in names.split(",")}
    tested |= {
        (model, name) for model in MODELS for name in ("multipath", "own-prefixes-only", "no-valley", "gao-rexford")
    }
    for model, found in MODELS.items():
        for parameter in found.parameters:
            for choice in parameter.choices or ("",):
                if model != "graph":
                    words = {parameter.name: choice} if choice else {}
                    assert {(model, name) for name in knobs_of(model, words)} <= tested


def knobs_of(model: str, parameters: dict[str, int | str]) -> list[str]:
    try:
        build(model, {**parameters, "without": "nothing-of-that-name"})
    except ValueError as error:
        words = str(error)
        return words.partition("its knobs are ")[2].split(", ") if "its knobs" in words else []
    raise AssertionError("an unknown knob was taken")


def at_random(random: Random) -> Topology:
    """Some model with small numbers and any of its choices."""
    model = random.choice([name for name in MODELS if name != "graph"])
    parameters: dict[str, int | str] = {}
    for parameter in MODELS[model].parameters:
        if parameter.name != "without":
            choices = parameter.choices
            parameters[parameter.name] = random.choice(choices) if choices else random.randint(1, 3)
    return build(model, parameters)


@pytest.mark.parametrize("seed", range(25))
async def test_the_formulas_hold_for_any_numbers_and_choices(seed: int) -> None:
    topology = at_random(Random(seed))
    snapshot, reachability = await run(topology)
    assert snapshot.counts == topology.predicted
    assert not reachability.failed
