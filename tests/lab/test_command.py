"""`bgp lab` from parameters to output: what it prints, the object of --json, exit status, the same result for a seed."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import pytest
import trio

from bgp.error import LocalError
from bgp.lab import LabOptions, run_lab
from bgp.lab.command import Run
from bgp.lab.models import build


def run(model: str, options: LabOptions | None = None, **parameters: int | str) -> tuple[int, str]:
    out = io.StringIO()
    status = run_lab(model, parameters, out=out, options=options or LabOptions())
    return status, out.getvalue()


def flat(text: str) -> str:
    """The words without the breaks of lines."""
    return " ".join(text.split())


def as_json(model: str, options: LabOptions | None = None, **parameters: int | str) -> dict[str, object]:
    out = io.StringIO()
    run_lab(model, parameters, json_output=True, out=out, options=options or LabOptions())
    found: dict[str, object] = json.loads(out.getvalue())
    return found


def test_the_demo_shows_all_that_was_promised() -> None:
    status, text = run("as-per-rack", racks=3, servers=4, spines=2)
    assert status == 0
    for words in (
        "│  spine1  │",
        "├ r1s1 10.244.0.0/26",
        "Sessions  6 eBGP spine–ToR, 12 iBGP ToR–node",
        "r1t ⇄ r1s1",
        "Loc-RIB of spine1",
        "Loc-RIB of r1t",
        "Loc-RIB of r1s1",
        "A packet  from pod 10.244.0.1 (r1s1, rack 1) to pod 10.244.2.193 (r3s4, rack 3)",
        "own block: here",
        "12 nodes: usable paths          11         11   ✓",
        "✓ Converged in 0.",
        "18 sessions up, every count as predicted.",
        "132 of 132 ordered pairs of pods reach each other.",
    ):
        assert words in text


def test_the_json_object_has_the_contracts_keys() -> None:
    found = as_json("mesh", LabOptions(trace=(("n1", "n3"),)), nodes=3)
    assert found["model"] == "mesh"
    assert found["parameters"] == {"nodes": 3, "asn": "one", "blocks": 1, "stack": "4"}
    assert (found["fabric"], found["converged"]) == ("memory", True)
    assert found["sessions"] == {"predicted": 3, "established": 3}
    counts = {"predicted": 2, "measured": 2}
    assert found["roles"] == {"node": {"count": 3, "paths": counts, "best": counts, "installed": counts}}
    assert found["reachability"] == {"pairs": 6, "ok": 6, "failed": []}
    assert found["faults"] == []
    (trace,) = found["traces"]  # type: ignore[misc]
    assert trace["arrived"]
    assert trace["hops"][0] == {
        "node": "n1",
        "ttl": 64,
        "prefix": "10.244.0.128/26",
        "next_hop": "10.0.1.3",
        "learned_from": "n3",
        "kind": "iBGP",
        "as_path": "",
    }


def test_what_fails_is_explained_and_is_the_exit_status() -> None:
    status, text = run("tor", without="as-override")
    assert status == 1
    assert "without as-override" in text
    assert "n1 → n2, n3, n4, n5, n6: node n1 rejects 10.244.0.64/26 from tor: own AS 64513 in AS_PATH" in flat(text)
    assert "✗ Not converged" in text
    failed = as_json("tor", without="as-override")["reachability"]["failed"]  # type: ignore[index]
    assert failed[0] == {
        "from": "n1",
        "to": "n2",
        "at": "n1",
        "reason": "node n1 rejects 10.244.0.64/26 from tor: own AS 64513 in AS_PATH",
    }


def test_pairs_that_policies_keep_apart_are_no_failure(tmp_path: Path) -> None:
    file = tmp_path / "graph"
    file.write_text("a b peer\nb c peer\n")
    status, text = run("graph", file=str(file))
    assert status == 0
    assert "4 of 6 ordered pairs of pods reach each other." in text
    assert "node b does not tell a of 10.244.0.128/26: the export policy" in flat(text)


def test_pods_traces_and_pings_are_shown() -> None:
    status, text = run("as-per-rack", LabOptions(pods=3, trace=(("r1s1", "r2s1"),), ping=True), stack="dual")
    assert status == 0
    assert text.count("A packet  from pod") == 2, "one for each version of IP"
    assert "270 of 270 ordered pairs" in text
    assert "r1s1  · ✓ ✓ ✓ ✓ ✓" in text


def test_a_trace_through_two_tors_shows_both() -> None:
    status, text = run("as-per-rack", LabOptions(trace=(("r1s1", "r3s2"),)), tors=2)
    assert status == 0
    rows = text[text.index("A packet  from pod") :].splitlines()[3:9]
    assert [row.split()[:2] for row in rows[::2]] == [["64", "r1s1"], ["63", "r1t1"], ["62", "spine1"]]
    assert [row.split()[:2] for row in rows[1::2]] == [["or", "10.0.2.1"], ["or", "10.16.0.12"], ["or", "10.16.0.11"]]
    assert "r1t2 iBGP" in rows[1]
    found = as_json("as-per-rack", LabOptions(trace=(("r1s1", "r3s2"),)), tors=2)
    assert found["traces"][0]["hops"][0]["others"] == [
        {
            "node": "r1s1",
            "ttl": 64,
            "prefix": "10.244.1.64/26",
            "next_hop": "10.0.2.1",
            "learned_from": "r1t2",
            "kind": "iBGP",
            "as_path": "64512 64515",
        }
    ]


def test_virtual_time_gives_one_result_for_a_seed_and_another_for_another() -> None:
    options = [LabOptions(virtual=True, seed=seed, fail=("node:spine1", "restart:r1t")) for seed in (3, 3, 4)]
    first, again, other = [as_json("as-per-rack", one) for one in options]
    assert first == again
    assert first["faults"] != other["faults"]
    assert [fault["fault"] for fault in first["faults"]] == ["node:spine1", "restart:r1t"]  # type: ignore[index, union-attr]
    assert first["faults"][0].keys() >= {"fault", "detected_after", "converged_after", "lost"}  # type: ignore[index, union-attr]


def test_a_silent_fault_in_the_walls_time_takes_the_shortest_hold_time() -> None:
    topology = build("as-per-rack", {})
    for options, hold_time in (
        (LabOptions(fail=("spine-rack",)), 3),
        (LabOptions(fail=("spine-rack",), hold_time=9), 9),
        (LabOptions(fail=("spine-rack",), virtual=True), None),
        (LabOptions(fail=("restart:r1t",)), None),
        (LabOptions(), None),
    ):
        assert Run(topology, "memory", options, None).settings().hold_time == hold_time


def test_several_pods_fill_the_blocks_one_after_the_other() -> None:
    found = as_json("mesh", LabOptions(pods=70), nodes=2, blocks=2)
    assert found["reachability"]["ok"] == 2 * 70 * 70  # type: ignore[index]


@pytest.mark.parametrize(
    ("model", "options", "parameters", "words"),
    [
        ("ring", {}, {}, "there is no model 'ring'; there are mesh, planes, reflectors"),
        ("mesh", {}, {"servers": 2}, "mesh has no parameter 'servers'"),
        ("mesh", {}, {"nodes": "two"}, "nodes is 'two'; it must be a whole number"),
        ("mesh", {"trace": (("n1", "n9"),)}, {}, "'n9' is no node that has pods"),
        ("mesh", {"fail": ("node:n9",)}, {}, "there is no node 'n9'"),
        ("mesh", {"fail": ("kill:n1",)}, {}, "kill needs a kernel that keeps the routes: use --fabric netns"),
        ("mesh", {"pods": 63}, {}, "no room for a pod number 63"),
        ("mesh", {"pods": -1}, {}, "--pods is -1; it must be at least 0"),
        ("mesh", {"hold_time": 2}, {}, "--hold-time: hold time must be 0 or 3 to 65535 seconds, not 2"),
        ("mesh", {"svg": Path("/there/is/none.svg")}, {}, "cannot write /there/is/none.svg: there is no directory"),
        ("mesh", {"svg": Path("/")}, {}, "cannot write /: it is a directory"),
        ("mesh", {"daemons": (("n1", "bird"),)}, {}, "--daemon needs real kernels: --fabric netns"),
        ("graph", {}, {}, "write --file FILE"),
    ],
)
def test_wrong_usage_is_refused_before_anything_is_written(
    model: str, options: dict[str, object], parameters: dict[str, int | str], words: str
) -> None:
    out = io.StringIO()
    with pytest.raises(LocalError, match=words):
        run_lab(model, parameters, out=out, options=LabOptions(**options))  # type: ignore[arg-type]
    assert out.getvalue() == ""


def test_memory_is_that_of_the_lab_not_of_what_started_it() -> None:
    ballast = b"x" * 300_000_000
    done = subprocess.run([sys.executable, "-m", "bgp", "lab", "mesh", "--json"], capture_output=True, check=True)
    assert json.loads(done.stdout)["cost"]["megabytes"] < len(ballast) / 1e6


def test_an_unknown_fabric_is_refused() -> None:
    with pytest.raises(LocalError, match="there is no fabric 'air'"):
        run_lab("mesh", {}, fabric="air", out=io.StringIO())


def test_an_interruption_ends_a_lab_whatever_else_it_broke(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise BaseExceptionGroup("nursery", [KeyboardInterrupt(), RuntimeError("where it struck")])

    monkeypatch.setattr(trio, "run", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run_lab("mesh", {"nodes": 2}, out=io.StringIO())
