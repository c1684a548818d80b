"""Topologies that are too wide or too tangled for boxes, as lines: clusters as a tree, graphs as who peers with whom."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import Final

from rich.text import Text

from bgp.topology.model import NODE, SPINE, SUPERSPINE, TOR, Node, Topology

#: Lines of a graph, names in one line; the rest is a number.
MAX_LINES: Final = 24
MAX_NAMES: Final = 6


def tree(topology: Topology, styles: dict[str, str]) -> Iterator[Text]:
    """Superspines, below them each cluster's spines, below those its racks."""
    yield _line("", topology.having(SUPERSPINE), styles)
    clusters = [list(some) for _, some in groupby(topology.having(SPINE), key=lambda spine: spine.asn)]
    for place, spines in enumerate(clusters):
        last = place == len(clusters) - 1
        yield _line("└ " if last else "├ ", spines, styles)
        below = set(topology.neighbours_of(spines[0].name))
        tors = [tor for tor in topology.having(TOR) if tor.name in below]
        for number, tor in enumerate(tors):
            trunk = ("  " if last else "│ ") + ("└ " if number == len(tors) - 1 else "├ ")
            line = _line(trunk, [tor], styles)
            line.append(" ─ ", "dim")
            line.append(_names(topology.having(NODE, tor.rack)), styles[NODE])
            yield line


def _line(trunk: str, nodes: Sequence[Node], styles: dict[str, str]) -> Text:
    line = Text(trunk, "dim", no_wrap=True)
    line.append(_names(nodes), styles[nodes[0].role])
    line.append(f"  AS {nodes[0].asn}", "dim")
    return line


def _names(nodes: Sequence[Node]) -> str:
    shown = [node.name for node in nodes[:MAX_NAMES]]
    return " ".join(shown) + (f" and {len(nodes) - MAX_NAMES} more" if len(nodes) > MAX_NAMES else "")


def neighbours(topology: Topology, styles: dict[str, str]) -> Iterator[Text]:
    """A line for each node with those it has sessions with."""
    width = max(len(node.name) for node in topology.nodes)
    for node in topology.nodes[:MAX_LINES]:
        peers = [topology[name] for name in topology.neighbours_of(node.name)]
        line = Text(f"{node.name:>{width}}", styles[node.role], no_wrap=True)
        line.append(f"  AS {node.asn}  {' '.join(map(str, node.prefixes[:1]))}  ─ ", "dim")
        line.append(_names(peers), styles[NODE])
        yield line
    if len(topology.nodes) > MAX_LINES:
        yield Text(f"… and {len(topology.nodes) - MAX_LINES} more", "dim")
