"""Every message of the corpus decodes to what independent decoders agree on, field for field."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any

from shared_data import json_lines, shared

from rib.family import IPV4_SR_POLICY, IPV6_SR_POLICY, Family

Line = dict[str, Any]
#: Families of which fewer than two of the decoders give the next hop, so that the agreed value has none.
NO_VOTE_ON_NEXT_HOP = {IPV4_SR_POLICY, IPV6_SR_POLICY}


def families(expected: Line) -> set[Family]:
    """The families that an expected value names, those whose NLRI are not compared included."""
    named = [expected["expected"].get(name) for name in ("mp_reach_family", "mp_unreach_family")]
    return {Family(*one) for one in (*named, *expected.get("opaque_nlri", ())) if one}


def test_one_line_of_output_for_each_line_of_input_in_order(ours: Iterator[Line]) -> None:
    assert [line["id"] for line in ours] == [line["id"] for line in json_lines("data/corpus.jsonl.gz")]


def test_agreed_messages_decode_to_the_agreed_value(ours: Iterator[Line]) -> None:
    expected = {line["id"]: line for line in json_lines("data/expected.jsonl.gz")}
    compared, wrong = 0, []
    for line in ours:
        theirs = expected.pop(line["id"], None)
        if theirs is None:
            continue
        compared += 1
        message = line.get("message", {})
        if "opaque_nlri" in theirs:
            message = {name: value for name, value in message.items() if not name.endswith("_nlri")}
            if "mp_reach_next_hop" not in theirs["expected"] and families(theirs) <= NO_VOTE_ON_NEXT_HOP:
                message.pop("mp_reach_next_hop", None)
        if (line["type"], message) != (theirs["type"], theirs["expected"]):
            wrong.append((line["id"], theirs["expected"], line))
    assert not expected, "every expected line has a message"
    assert not wrong, f"{len(wrong)} differ; the first: {wrong[0]}"
    assert compared == 46_167


def test_the_corpus_file_is_the_one_that_the_figures_are_of() -> None:
    with gzip.open(shared("data/corpus.jsonl.gz"), "rt") as lines:
        kinds = Counter(json.loads(line)["type"] for line in lines)
    assert kinds.total() == 46_263
