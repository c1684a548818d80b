"""Configurations of other speakers: each knob has its words. Whether the speakers agree is asked in tests/interop."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bgp.error import LocalError
from bgp.lab.export import bird_configuration, export_topology, frr_configuration
from bgp.lab.export.words import Clause, clauses
from bgp.lab.models import build
from bgp.options import RestartMode
from bgp.topology.model import Session
from rib.policy import Action, Match, Policy, Rule, accept, reject

#: Model, parameters, node, words for BIRD, words for FRR.
WORDS: list[tuple[str, dict[str, int | str], str, list[str], list[str]]] = [
    (
        "as-per-rack",
        {},
        "r1t",
        ["rr client;", "next hop self ebgp;", "passive on;"],
        ["route-reflector-client", "next-hop-self\n"],
    ),
    (
        "as-per-rack",
        {},
        "r1s1",
        ["route 10.244.0.0/26 blackhole;", "router id 10.0.1.2;"],
        ["ip route 10.244.0.0/26 blackhole", "network 10.244.0.0/26"],
    ),
    (
        "as-per-rack",
        {"stack": "dual"},
        "r1s1",
        ["ipv6 {", "next hop address fd00:10:0:1::2;"],
        ["set ipv6 next-hop global fd00:10:0:1::2"],
    ),
    ("as-per-server", {"tor_as": "one"}, "r1t", ["allow local as 1;"], ["allowas-in 1"]),
    ("tor", {}, "tor", ["bgp_path.delete(64513)"], ["as-override"]),
    ("reflectors", {}, "rr2", ["rr cluster id 10.0.1.2;"], ["bgp cluster-id 10.0.1.2"]),
    (
        "downward-default",
        {},
        "r1t",
        ["if net = 0.0.0.0/0 then accept; reject;", "bgp_path.first ~ [64514]"],
        ["default-originate", "permit ^64514(_|$)"],
    ),
    (
        "mesh",
        {"asn": "per-node"},
        "n1",
        ["if source != RTS_STATIC then reject;"],
        ["match ip address prefix-list own4"],
    ),
    (
        "as-per-rack",
        {},
        "r1t",
        ["merge paths on limit 64;"],
        ["bgp bestpath as-path multipath-relax", "maximum-paths 64"],
    ),
]


@pytest.mark.parametrize(("model", "parameters", "node", "bird", "frr"), WORDS)
def test_every_knob_has_its_words(
    model: str, parameters: dict[str, int | str], node: str, bird: list[str], frr: list[str]
) -> None:
    topology = build(model, parameters)
    for words, text in ((bird, bird_configuration(topology, node)), (frr, frr_configuration(topology, node))):
        for word in words:
            assert word in text


def test_who_restarts_gracefully_keeps_the_kernels_routes() -> None:
    topology = build("mesh", {"nodes": 2})
    assert "graceful" not in bird_configuration(topology, "n1") + frr_configuration(topology, "n1")
    session = topology.sessions[0]
    ends = [e._replace(peer=replace(e.peer, graceful_restart=RestartMode.ON, restart_time=7)) for e in session.ends]
    restarting = replace(topology, sessions=(Session(session.group, *ends),))
    bird = bird_configuration(restarting, "n1")
    assert "graceful restart time 7;" in bird
    assert "protocol kernel kernel_ipv4 {\n  graceful restart on;" in bird
    assert "bgp graceful-restart preserve-fw-state" in frr_configuration(restarting, "n1")


def test_relations_are_local_preferences_and_as_path_lists(tmp_path: Path) -> None:
    file = tmp_path / "graph"
    file.write_text("p q peer\np c customer\n")
    topology = build("graph", {"file": str(file)})
    assert "bgp_local_pref = 150" in bird_configuration(topology, "p")
    assert "set local-preference 200" in frr_configuration(topology, "p")


def test_each_node_gets_a_folder(tmp_path: Path) -> None:
    files = export_topology(build("mesh", {"nodes": 2}), tmp_path / "out")
    assert [str(file.relative_to(tmp_path)) for file in files] == [
        "out/n1/bird.conf",
        "out/n1/frr.conf",
        "out/n2/bird.conf",
        "out/n2/frr.conf",
    ]


def test_policies_are_read_as_clauses_or_refused() -> None:
    assert clauses(accept) == [Clause()]
    assert clauses(reject) == clauses(None) == []
    for policy in (
        Policy("no", (Rule(action=Action.REJECT),)),
        Policy("by origin", (Rule(Match(origin_as=(65000,))),)),
        Policy("short", (Rule(Match(max_path_length=2)),)),
    ):
        with pytest.raises(LocalError, match="cannot be exported"):
            clauses(policy)
