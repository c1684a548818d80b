"""Every message that some project's tests refuse gets a verdict; where ours differs, docs/mustfail.md has the reason."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from shared_data import json_lines

Line = dict[str, Any]
DOC: Final = Path(__file__).parents[2] / "docs" / "mustfail.md"


def verdict(error: Line | None) -> str:
    """ "session-reset 1/2", or "accepted"."""
    if error is None:
        return "accepted"
    code, subcode, _ = error["notification"]
    return f"{error['reaction']} {code}/{subcode}"


def source_verdict(expected: Line) -> str:
    code = expected.get("notification")
    return expected["action"] + (f" {code[0]}/{code[1]}" if code else "")


def agrees(expected: Line, ours: Line | None) -> bool:
    if expected["action"] == "reject":
        return ours is not None
    if ours is None or ours["reaction"] != expected["action"]:
        return False
    return "notification" not in expected or ours["notification"][:2] == expected["notification"]


def test_differences_are_those_that_the_document_explains(ours: Iterator[Line]) -> None:
    expected = {line["id"]: line["expect_error"] for line in json_lines("data/mustfail.jsonl.gz")}
    assert len(expected) == 24
    found = {line["id"]: line.get("error") for line in ours if line["id"] in expected}
    assert found.keys() == expected.keys(), "every message has a verdict"
    for error in filter(None, found.values()):
        assert error["reason"]
        assert error["reaction"] in ("session-reset", "afi-safi-disable", "treat-as-withdraw", "attribute-discard")
    different = {
        (name, source_verdict(expected[name]), verdict(found[name]))
        for name in expected
        if not agrees(expected[name], found[name])
    }
    rows = [line.strip("| \n").split(" | ") for line in DOC.read_text().splitlines() if line.startswith("| ")]
    assert different == {tuple(row[:3]) for row in rows[2:]}
    assert all("RFC" in row[3] for row in rows[2:])
