from __future__ import annotations

import re

from fsm.diagram import matrix, mermaid
from fsm.words import Event, State


def test_diagram_starts_in_idle_and_names_every_state() -> None:
    lines = mermaid().splitlines()
    assert lines[:2] == ["stateDiagram-v2", "    [*] --> Idle"]
    assert {word for line in lines[2:] for word in re.findall(r"[A-Z]\w+", line)} == {state.title for state in State}


def test_diagram_has_the_way_up() -> None:
    lines = [line.strip() for line in mermaid().splitlines()]
    assert "Idle --> Connect: 1, 3, 6, 13" in lines
    assert "Connect --> OpenSent: 12, 16-17" in lines
    assert "OpenSent --> OpenConfirm: 19" in lines
    assert "OpenConfirm --> Established: 26" in lines


def test_diagram_has_no_arrow_from_a_state_to_itself() -> None:
    arrows = re.findall(r"(\w+) --> (\w+):", mermaid())
    assert arrows
    assert all(old != new for old, new in arrows)


def test_matrix_has_a_row_an_event_and_a_column_a_state() -> None:
    rows = [[text.strip() for text in line.strip("|").split("|")] for line in matrix().splitlines()]
    assert rows[0] == ["Event", *(state.title for state in State)]
    assert [row[0] for row in rows[2:]] == [f"{event} {event.name}" for event in Event]
    assert {len(row) for row in rows} == {7}


def test_matrix_says_what_is_done_and_on_what_it_depends() -> None:
    row = next(line for line in matrix().splitlines() if line.startswith("| 16 "))
    assert "*DelayOpen?*" in row
    assert "HoldTimer = large value → **OpenSent**" in row
    assert row.endswith("| – | – | – |")
