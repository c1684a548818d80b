"""What decoders disagree about: our answers, counted by the families of disputes that docs/disputed.md explains."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from shared_data import json_lines

from bgp.wire.nlri import FAMILIES
from rib.family import Family

Line = dict[str, Any]
DOC: Final = Path(__file__).parents[2] / "docs" / "disputed.md"


def dispute(theirs: Line, ours: Line) -> str:
    """The family of disputes that a message belongs to: the first column of the document."""
    error = ours.get("error")
    if error is not None:
        return f"refused {error['notification'][0]}/{error['notification'][1]}, {error['reaction']}"
    if ours["type"] == "ROUTE-REFRESH":
        return "ROUTE-REFRESH with filters"
    if set(theirs["fields"]) == {"mp_reach_next_hop"}:
        return "next hop that one decoder reads"
    if set(theirs["fields"]) <= {"nlri", "mp_reach_nlri"}:
        return "path identifiers"
    return "two against one"


def test_our_answers_are_those_that_the_document_counts(ours: Iterator[Line]) -> None:
    disputed = {line["id"]: line for line in json_lines("data/disputed.jsonl.gz")}
    found = [(disputed[line["id"]], line) for line in ours if line["id"] in disputed]
    assert len(found) == len(disputed) == 72
    counted = Counter(dispute(*pair) for pair in found)
    rows = [line.strip("| \n").split(" | ") for line in DOC.read_text().splitlines() if line.startswith("| ")]
    assert counted == {row[0]: int(row[1]) for row in rows[2:]}


def test_next_hops_that_one_decoder_reads_are_ours_too(ours: Iterator[Line]) -> None:
    disputed = {line["id"]: line for line in json_lines("data/disputed.jsonl.gz")}
    for line in ours:
        theirs = disputed.get(line["id"])
        if theirs is None or set(theirs.get("fields") or ()) != {"mp_reach_next_hop"} or "error" in line:
            continue
        message = line["message"]
        if Family(*message["mp_reach_family"]) in FAMILIES:
            ((decoder, value),) = theirs["fields"]["mp_reach_next_hop"].items()
            assert message["mp_reach_next_hop"] == value, decoder


def test_path_identifiers_are_read_where_the_session_has_them_and_nowhere_else(ours: Iterator[Line]) -> None:
    found = {line["id"]: line.get("message", {}) for line in ours if "addpath" in line["id"]}
    without = found["exabgp/qa/encoding/conf-addpath.ci#L3.0"]
    assert without["nlri"] == ["0.0.0.0/1", "0.0.0.0/3", "193.0.2.1/32"]
    (route,) = found["exabgp/qa/encoding/conf-addpath.ci#L6.1"]["mp_reach_nlri"]
    assert route == {"prefix": "10.0.0.0/24", "labels": [20012], "rd": "100:100", "path_id": 10}


def test_filters_after_a_route_refresh_do_not_hide_its_family(ours: Iterator[Line]) -> None:
    disputed = {line["id"]: line for line in json_lines("data/disputed.jsonl.gz") if line["type"] == "ROUTE-REFRESH"}
    for line in ours:
        theirs = disputed.get(line["id"])
        if theirs is not None and theirs["status"] == "disputed":
            for field, by_decoder in theirs["fields"].items():
                assert line["message"][field] in by_decoder.values()
