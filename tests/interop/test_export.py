"""BIRD and FRR read what `bgp lab --export` writes for them, for every model."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bgp.lab.export import export_topology
from bgp.lab.models import MODELS, build

CASES: list[tuple[str, dict[str, int | str]]] = [
    *((model, {}) for model in MODELS if model != "graph"),
    ("as-per-rack", {"stack": "dual", "racks": 1}),
    ("as-per-rack", {"tors": 2, "racks": 1}),
    ("as-per-server", {"tor_as": "one", "tors": 2, "racks": 1}),
    ("downward-default", {"stack": "dual", "racks": 1}),
    ("tor", {"asn": "ibgp", "stack": "6", "nodes": 2}),
    ("leaf-spine", {"clusters": 2, "leaves": 1, "servers": 1}),
    ("mesh", {"asn": "per-node", "nodes": 2}),
]


def one_of_each_role(model: str, parameters: dict[str, int | str], folder: Path) -> list[Path]:
    topology = build(model, parameters)
    names = {topology.having(role)[0].name for role in topology.roles}
    return [file for file in export_topology(topology, folder) if file.parent.name in names]


def complaints(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    words = (done.stdout + done.stderr).strip()
    return words or (f"exit status {done.returncode}" if done.returncode else "")


@pytest.mark.parametrize(("model", "parameters"), CASES)
def test_bird_and_frr_find_nothing_wrong(model: str, parameters: dict[str, int | str], tmp_path: Path) -> None:
    for file in one_of_each_role(model, parameters, tmp_path):
        if file.name == "bird.conf":
            assert complaints("bird", "-p", "-c", str(file)) == ""
        else:
            assert complaints("vtysh", "-C", "-f", str(file)) == ""


def test_a_graphs_policies_are_read(tmp_path: Path) -> None:
    graph = tmp_path / "graph"
    graph.write_text("p q peer\np c customer\n")
    for file in export_topology(build("graph", {"file": str(graph)}), tmp_path / "out"):
        command = ("bird", "-p", "-c", str(file)) if file.name == "bird.conf" else ("vtysh", "-C", "-f", str(file))
        assert complaints(*command) == ""


def test_what_is_wrong_is_found(tmp_path: Path) -> None:
    file = tmp_path / "frr.conf"
    file.write_text("router bgp 1\n neighbour 10.0.0.1 remote-as 2\n")
    assert "Unknown command" in complaints("vtysh", "-C", "-f", str(file))
