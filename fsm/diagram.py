"""The table as people read it: a mermaid state diagram and a Markdown matrix for the documentation."""

from __future__ import annotations

from collections.abc import Iterable

from fsm.table import Cell, Rule, cell, outcomes
from fsm.words import Event, State


def mermaid() -> str:
    """The state diagram, as mermaid text: an arrow for every change of state, labelled with the events that cause it."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.IDLE.title}"]
    for old in State:
        for new in State:
            if events := [event for event in Event if new in _targets(cell(old, event))]:
                lines.append(f"    {old.title} --> {new.title}: {_ranges(events)}")
    return "\n".join(lines) + "\n"


def matrix() -> str:
    """The whole table in Markdown: a row an event, a column a state."""
    heads = ["Event", *(state.title for state in State)]
    lines = [_row(heads), _row(["---"] * len(heads))]
    for event in Event:
        lines.append(_row([f"{event} {event.name}", *(_describe(cell(state, event)) for state in State)]))
    return "\n".join(lines) + "\n"


def _targets(of: Cell) -> set[State]:
    return {rule.to for rule in outcomes(of) if rule.to is not None}


def _ranges(events: Iterable[Event]) -> str:
    runs: list[list[int]] = []
    for event in events:
        if runs and runs[-1][-1] == event - 1:
            runs[-1].append(event)
        else:
            runs.append([event])
    return ", ".join(f"{run[0]}-{run[-1]}" if len(run) > 1 else f"{run[0]}" for run in runs)


def _row(texts: Iterable[str]) -> str:
    return f"| {' | '.join(texts)} |"


def _describe(of: Cell) -> str:
    if isinstance(of, Rule):
        steps = "; ".join(step.value for step in of.steps)
        target = f"**{of.to.title}**" if of.to is not None else ""
        return " → ".join(text for text in (steps, target) if text) or "–"
    return f"*{of.condition.value}?* {_describe(of.yes)} *else* {_describe(of.no)}"
