"""The tables of the lab's report: a Loc-RIB, a packet's way, counts beside their predictions, who reaches whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

from rich import box
from rich.table import Table
from rich.text import Text

from bgp.lab.drawing import STYLES
from bgp.lab.fabric import Snapshot
from bgp.lab.forwarding import Hop, Route, Trace
from bgp.lab.reach import Reachability, matrix
from bgp.lab.result import Comparison, Result
from bgp.topology.model import TOR, Counts, Topology
from rib.family import Family
from rib.prefix import Prefix

#: Rows of a Loc-RIB that are shown; the rest is a number.
MAX_ROUTES: Final = 12
ROLE_NAMES: Final = {TOR: "ToR"}


class Row(NamedTuple):
    """Routes that differ in nothing but the prefix."""

    prefixes: list[Prefix]
    ways: Sequence[Route]
    paths: int


def rows(snapshot: Snapshot, node: str, families: Sequence[Family]) -> list[Row]:
    """The routes of a node in order, those alike in one row."""
    router = snapshot.forwarder.routers[node]
    groups: dict[tuple[object, ...], Row] = {}
    for family in families:
        routes = router.routes(family)
        for prefix in sorted(Prefix.from_nlri(family.afi, nlri) for nlri in routes):
            ways, paths = routes[prefix.nlri], router.paths(family, prefix.nlri)
            groups.setdefault((*ways, family, paths), Row([], ways, paths)).prefixes.append(prefix)
    return list(groups.values())


def loc_rib(shown: Sequence[Row]) -> Table:
    """What a speaker has chosen, and how many paths it chose from."""
    table = plain("prefixes", "next hop", "AS path", "learned from", "paths")
    for row in shown[:MAX_ROUTES]:
        for place, way in enumerate(row.ways):
            who = Text("own pods", "dim") if not way.peer else Text(f"{way.peer} {way.kind}")
            hop = "" if way.next_hop is None else str(way.next_hop)
            first = span(row.prefixes) if place == 0 else Text("  or", "dim")
            table.add_row(first, hop, way.as_path, who, str(row.paths) if place == 0 else "")
    return table


def span(prefixes: Sequence[Prefix]) -> str:
    """ "10.244.0.0/26 + 3 more"."""
    if len(prefixes) == 1:
        return str(prefixes[0])
    return f"{prefixes[0]} + {len(prefixes) - 1} more"


def way(topology: Topology, trace: Trace) -> Table:
    """A packet hop by hop: the route that each node used, and the session that taught it."""
    table = plain("TTL", "at", "route", "next hop", "learned from", "AS path")
    for hop in trace.hops:
        name = Text(hop.node, STYLES[topology[hop.node].role])
        table.add_row(str(hop.ttl), name, *_hop(hop, trace))
        for other in hop.others:
            _, *way = _hop(other, trace)
            table.add_row("", "", Text("  or", "dim"), *way)
    return table


def _hop(hop: Hop, trace: Trace) -> Iterator[str | Text]:
    if hop.prefix is None:
        yield Text("own block: here", "green") if trace.arrived else Text("no route", "red")
        return
    yield str(hop.prefix)
    yield str(hop.gateway or "–")
    if hop.route is None:
        yield "connected"
    else:
        yield f"{hop.route.peer} {hop.route.kind}"
        yield hop.route.as_path


def counts(topology: Topology, result: Result) -> Table:
    """Every count of every role beside its prediction."""
    table = plain("", "predicted", "measured", "")
    sessions = Comparison(topology.predicted_sessions, result.convergence.established)
    table.add_row("sessions", *_compared(sessions))
    for role in topology.roles:
        for count, meaning in zip(Counts._fields, ("usable paths", "best", "installed"), strict=True):
            shown = f"{count_of(len(topology.having(role)), role)}: {meaning}"
            table.add_row(shown, *_compared(result.compare(role, count)))
    return table


def _compared(comparison: Comparison) -> tuple[str, str, Text]:
    mark = Text("✓", "green") if comparison.holds else Text("✗", "bold red")
    return _number(comparison.predicted), _number(comparison.measured), mark


def _number(value: int | list[int]) -> str:
    if isinstance(value, int):
        return str(value)
    return ", ".join(map(str, value[:6])) + (", …" if len(value) > 6 else "")


def pings(topology: Topology, reachability: Reachability) -> list[Text]:
    """A line for each node: which of the others, in the same order, its pods reach."""
    lines = []
    made = matrix(topology, reachability)
    width = max((len(name) for name, _ in made), default=0)
    for name, marks in made:
        line = Text(f"{name:>{width}}  ", STYLES[topology[name].role])
        for mark in marks:
            line.append(f"{mark} ", "red" if mark == "✗" else "green" if mark == "✓" else "dim")
        lines.append(line)
    return lines


def plain(*headings: str) -> Table:
    """An empty table in the report's style."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim", padding=(0, 1))
    for heading in headings:
        numeric = heading in ("TTL", "paths", "predicted", "measured")
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    return table


def role_name(role: str) -> str:
    """A role as a person reads it."""
    return ROLE_NAMES.get(role, role)


def count_of(number: int, role: str) -> str:
    """ "3 ToRs"."""
    return f"{number} {role_name(role)}{'s' if number != 1 else ''}"
