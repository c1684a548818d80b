"""Topologies on real kernels: pods of real CNI plugins reach each other by the routes that our speakers put there."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import pytest
from interop.wires import PATIENCE, eventually

ROOT: Final = Path(__file__).parent.parent.parent
LAB: Final = (sys.executable, "-m", "bgp", "lab")


def lab(*words: str, status: int = 0, before: tuple[str, ...] = ()) -> dict[str, Any]:
    """What `bgp lab … --fabric netns --json` says."""
    command = [*before, *LAB, *words, "--fabric", "netns", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=3 * PATIENCE)
    assert done.returncode == status, done.stdout + done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


#: What interfaces of a lab are called where they could be left: the switch's ports and bridges, the plugin's veths.
OURS: Final = re.compile(r"(p\d+x\d+|b\d+|veth[0-9a-f]{8})(@.*)?")


def traces() -> dict[str, object]:
    """What of this machine a lab could leave something in."""
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    names = [line.split(": ")[1] for line in links.splitlines()]
    return {
        "links": [name for name in names if OURS.fullmatch(name)],
        "routes": subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout,
        "cni": Path("/run/cni").exists(),
        "forwarding": Path("/proc/sys/net/ipv4/ip_forward").read_text(),
    }


@pytest.fixture(autouse=True)
def nothing_is_left() -> Iterator[None]:
    before = traces()
    yield
    assert traces() == before


@pytest.mark.parametrize(
    ("model", "sessions", "pairs"),
    [
        (["mesh", "--nodes", "6"], 15, 30),
        (["mesh", "--nodes", "4", "--asn", "per-node"], 6, 12),
        (["as-per-rack", "--racks", "3", "--servers", "2", "--spines", "2"], 12, 30),
        (["as-per-rack", "--tors", "2"], 24, 30),
        (["as-per-server"], 12, 30),
        (["downward-default"], 12, 30),
        (["reflectors"], 13, 30),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else "",
)
def test_every_pod_reaches_every_other(model: list[str], sessions: int, pairs: int) -> None:
    found = lab(*model, "--stack", "dual")
    assert found["fabric"] == "netns"
    assert found["converged"] is True
    assert found["sessions"] == {"predicted": sessions, "established": sessions}
    assert found["reachability"] == {"pairs": pairs, "ok": pairs, "failed": []}
    for role in found["roles"].values():
        for count in ("paths", "best", "installed"):
            assert role[count]["predicted"] == role[count]["measured"]


def test_several_pods_on_a_node() -> None:
    found = lab("mesh", "--nodes", "2", "--pods", "3")
    assert found["reachability"] == {"pairs": 18, "ok": 18, "failed": []}


def test_a_missing_knob_fails_as_in_memory() -> None:
    found = lab("as-per-rack", "--without", "next-hop-self", status=1)
    assert found["reachability"]["ok"] == 6
    assert all("next hop is unresolvable" in failure["reason"] for failure in found["reachability"]["failed"])


def test_a_silent_link_is_noticed_by_the_hold_timer_and_flows_go_another_way() -> None:
    fault = lab("as-per-rack", "--fail", "link:spine1-r1t", "--hold-time", "3")["faults"][0]
    assert fault["detected_after"] is not None
    assert fault["converged_after"] is not None
    assert fault["counted"] == "packets"
    assert fault["lost_meanwhile"] > 0
    assert fault["lost"] == 0
    packets = fault["packets"]
    assert 0 < packets["lost"] < packets["sent"]
    assert packets["flows"] == 60
    assert 0 < packets["flows_hit"] < 60
    assert 1000 < packets["longest_outage_ms"] < 1000 * (fault["converged_after"] + 1)
    assert fault["repaired"]["lost"] == 0
    assert fault["repaired"]["converged_after"] is not None


def test_downward_default_loses_flows_for_good_when_a_spine_loses_a_rack_and_full_tables_do_not() -> None:
    (default,) = lab("downward-default", "--fail", "spine-rack", "--hold-time", "3")["faults"]
    (full,) = lab("downward-default", "--routes", "full", "--fail", "spine-rack", "--hold-time", "3")["faults"]
    # Of the 60 flows, 16 go to rack 1 from elsewhere; each is one of those that the spine attracts or it is not.
    assert 0 < default["lost"] < 16
    assert "no route" in default["reason"]
    assert full["packets"]["lost"] > 0, "until it is noticed"
    assert full["lost"] == 0
    assert full["flows"] == default["flows"] == 60
    assert default["repaired"]["lost"] == full["repaired"]["lost"] == 0


def test_two_nodes_on_a_switch_with_others_lose_each_other_alone_and_a_slow_cable_loses_nothing() -> None:
    cut, slow = lab("mesh", "--stack", "dual", "--nodes", "4", "--fail", "link:n1-n2", "--fail", "delay:n1-n2=0.05")[
        "faults"
    ]
    assert cut["detected_after"] is not None
    assert cut["packets"]["flows"] == 4 * 3 * 2 * 2
    assert cut["packets"]["flows_hit"] == cut["lost"] == 2 * 2 * 2, "each way, IPv4 and IPv6"
    assert cut["repaired"]["lost"] == 0
    assert slow["packets"]["lost"] == slow["repaired"]["packets"]["lost"] == 0
    assert slow["packets"]["slowest_ms"] >= 50


def test_a_daemon_that_restarts_or_resets_says_goodbye_and_its_packets_have_no_way_meanwhile() -> None:
    faults = lab("mesh", "--nodes", "3", "--daemon", "n1=bird", "--fail", "restart:n1", "--fail", "reset:n1-n2")[
        "faults"
    ]
    for found in faults:
        assert found["detected_after"] is not None
        assert found["packets"]["lost"] > 0
        assert found["lost"] == 0


def test_faults_at_once_overlap_and_are_repaired_together() -> None:
    (found,) = lab("mesh", "--nodes", "4", "--fail", "link:n3-n4+node:n4+link:n1-n2")["faults"]
    assert found["packets"]["flows"] == 3 * 2 * 2, "of those that live"
    assert found["lost"] == 2 * 2
    assert found["repaired"]["lost"] == 0


def test_a_speaker_that_is_killed_and_comes_back_costs_no_packet() -> None:
    ours, bird = lab("mesh", "--nodes", "3", "--daemon", "n2=bird", "--fail", "kill:n1", "--fail", "kill:n2")["faults"]
    for found in (ours, bird):
        assert found["detected_after"] is not None
        assert found["converged_after"] is not None
        assert found["packets"]["flows"] == 3 * 2 * 2
        assert found["packets"]["sent"] > 100
        assert found["packets"]["lost"] == 0
        assert "repaired" not in found, "it repairs itself"


def test_a_node_that_had_no_power_comes_back_though_updates_were_lost_with_it() -> None:
    (fault,) = lab("as-per-server", "--tors", "2", "--fail", "node:r1t1")["faults"]
    assert fault["lost"] == 0, "each rack has another ToR"
    assert fault["packets"]["lost"] > 0
    assert fault["repaired"]["lost"] == 0
    assert fault["repaired"]["converged_after"] < 20, "it does not wait for what never arrives"


def test_without_pods_there_are_no_packets_and_routes_tell() -> None:
    (fault,) = lab("mesh", "--nodes", "2", "--pods", "0", "--fail", "reset:n1-n2")["faults"]
    assert fault["counted"] == "flows by the tables"
    assert fault["converged_after"] is not None
    assert "packets" not in fault


def test_without_root_it_makes_a_user_namespace_for_itself() -> None:
    nobody = ("unshare", "--user", "--map-user=1000", "--map-group=1000")  # who may still read this checkout
    found = lab("mesh", "--nodes", "3", "--fail", "link:n1-n2", "--fail", "delay:n2-n3=0.01", before=nobody)
    assert found["reachability"] == {"pairs": 6, "ok": 6, "failed": []}
    cut, slow = found["faults"]
    assert cut["lost"] == 2 * 2
    assert slow["packets"]["lost"] == 0


@contextmanager
def running(*words: str) -> Iterator[subprocess.Popen[str]]:
    """A lab whose pods answer: it is up and waits for a fault to be noticed."""
    slow = ["--fail", "node:n1", "--hold-time", "60", "--fail", "kill:n1"]  # n1's speaker is a process below the node's
    process = subprocess.Popen(
        [*LAB, *words, "--fabric", "netns", *slow], stdout=subprocess.PIPE, text=True, cwd=ROOT, start_new_session=True
    )
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if line.startswith("Fault"):
                break
        yield process
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def children(process: int) -> Mapping[int, str]:
    """The processes below another one, as they are called."""
    found: dict[int, str] = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
            if int(fields[2]) == process:  # the process group: the lab's own session
                found[int(entry.name)] = (entry / "cmdline").read_text()
        except OSError:
            continue
    return found


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL], ids=lambda by: by.name)
def test_nothing_is_left_whatever_ends_it(by: signal.Signals, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    with running("mesh", "--nodes", "4", "--daemon", "n2=bird,n3=frr") as process:
        assert len(children(process.pid)) > 3
        process.send_signal(by)
        process.wait(PATIENCE)
        eventually(lambda: not children(process.pid), "all processes are gone", lambda: str(children(process.pid)))
    assert not list(tmp_path.iterdir())


def test_two_at_a_time_do_not_meet() -> None:
    with running("mesh", "--nodes", "3"):
        assert lab("mesh", "--nodes", "3")["reachability"]["ok"] == 6


def test_bird_and_frr_take_our_speakers_place() -> None:
    found = lab("as-per-rack", "--daemon", "tor=frr,r1s1=bird", "--stack", "dual")
    assert found["converged"] is True
    messages = found["messages"]
    # An OPEN each way at least, a KEEPALIVE, an UPDATE and an End-of-RIB for each family; of all twelve sessions.
    assert messages["sent"] >= 12 * 2 * 5
    assert messages["octets"] > 12 * 2 * (29 + 19 + 23 + 29)
    assert abs(messages["sent"] - messages["received"]) <= 12 * 2, "all but what is under way"
    assert found["reachability"] == {"pairs": 30, "ok": 30, "failed": []}
