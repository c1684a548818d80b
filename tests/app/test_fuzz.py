"""`bgp fuzz`: what it refuses, and what it prints of what was found."""

from __future__ import annotations

import json
import socket
from io import StringIO

import pytest
from typer.testing import CliRunner

from bgp.app.cli import app
from bgp.app.fuzz import as_json, as_text, run_fuzz
from bgp.message import Notification
from bgp.testing.probes import TAKEN, Outcome, Probe
from bgp.testing.report import Finding, FuzzOptions, FuzzReport

FOUND = Finding(Probe(b"\xff" * 40, TAKEN, ("ORIGIN twice",)), Outcome.ENDED, Notification(3, 1, b"\1"))


def report(*findings: Finding, lost: str = "") -> FuzzReport:
    options = FuzzOptions("127.0.0.1", 1790, watch_address="127.0.0.3")
    return FuzzReport(options, 65000, 20, 2, 5, list(findings), lost, b"\xfe\xfd" if lost else b"")


def test_a_stranger_is_refused() -> None:
    done = CliRunner().invoke(app, ["fuzz", "198.41.0.4"])
    assert done.exit_code == 2
    assert "--yes" in done.output


def test_nobody_there_is_said() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and not listened on
        err = StringIO()
        options = FuzzOptions("127.0.0.1", taken.getsockname()[1], patience=1.0)
        assert run_fuzz(options, json_output=False, out=StringIO(), err=err) == 1
    assert "refused" in err.getvalue()


def test_a_finding_is_told_with_what_was_expected() -> None:
    text = "\n".join(as_text(report(FOUND)))
    assert "1. ORIGIN twice" in text
    assert "expected: the route is taken" in text
    assert "found:    the session ends, NOTIFICATION 3/1" in text
    assert "ff" * 32 in text
    assert text.endswith("Found: 1.")


@pytest.mark.parametrize("lost", ["", "no session"])
def test_nothing_found_and_a_lost_speaker_are_told(lost: str) -> None:
    text = "\n".join(as_text(report(lost=lost)))
    assert ("Nothing found." in text) is not bool(lost)
    assert ("fefd" in text) is bool(lost)


def test_the_report_as_json() -> None:
    found = json.loads(json.dumps(as_json(report(FOUND))))
    assert found["updates"] == 20
    assert found["lost"] is None
    assert found["findings"] == [
        {
            "faults": ["ORIGIN twice"],
            "hex": "ff" * 40,
            "expected": ["taken"],
            "found": "ended",
            "notification": [3, 1, "01"],
        }
    ]
