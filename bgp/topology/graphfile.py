"""Graphs from files: edge lists and CAIDA's AS relationships here; GML, GraphML and JSON by networkx.

- edge list    NODE NODE [customer|peer|provider]      what the second is to the first
- CAIDA        AS|AS|-1 (provider and customer) or AS|AS|0 (peers)
"""

from __future__ import annotations

from collections.abc import Iterable
from importlib import import_module
from json import loads
from pathlib import Path
from typing import Final

from bgp.error import LocalError, MissingPackage
from bgp.topology.graph import CUSTOMER, PEER, Edge, Graph, from_edges, from_graph
from bgp.topology.model import Topology

#: Nodes that a lab of a graph may have at most: every pair of them is told of.
MAX_NODES: Final = 2000


def read_graph(file: str, *, blocks: int = 1, stack: str = "4", without: str | Iterable[str] = ()) -> Topology:
    """The topology of the graph in `file`. Raises LocalError, naming the line, for what cannot be read."""
    path = Path(file)
    try:
        text = path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise LocalError(f"cannot read {file}: {getattr(error, 'strerror', None) or error}") from error
    if path.suffix in (".gml", ".graphml", ".json"):
        return from_graph(_by_networkx(path, text), blocks=blocks, stack=stack, without=without)
    edges = [_edge(file, number, line) for number, line in _lines(text)]
    if len({name for edge in edges for name in edge[:2]}) > MAX_NODES:
        raise LocalError(f"{file} has more than {MAX_NODES} nodes")
    names = {name for edge in edges for name in edge[:2]} if _is_caida(text) else set()
    asns = {name: int(name.removeprefix("as")) for name in names}
    return from_edges(edges, asns=asns, source=path.name, blocks=blocks, stack=stack, without=without)


def _lines(text: str) -> list[tuple[int, str]]:
    bare = [(number, line.partition("#")[0].strip()) for number, line in enumerate(text.splitlines(), 1)]
    return [(number, line) for number, line in bare if line]


def _is_caida(text: str) -> bool:
    return any("|" in line for _, line in _lines(text))


def _edge(file: str, number: int, line: str) -> Edge:
    if "|" in line:
        words = line.split("|")
        relations = {"-1": CUSTOMER, "0": PEER}
        if len(words) < 3 or not (words[0].isdigit() and words[1].isdigit()) or words[2] not in relations:
            raise LocalError(f"{file}, line {number}: {line!r} is not AS|AS|-1 or AS|AS|0")
        return Edge(f"as{words[0]}", f"as{words[1]}", relations[words[2]])
    words = line.split()
    if len(words) not in (2, 3):
        raise LocalError(f"{file}, line {number}: {line!r} is not NODE NODE [customer|peer|provider]")
    return Edge(*words)


def _by_networkx(path: Path, text: str) -> Graph:
    try:
        networkx = import_module("networkx")
    except ImportError:
        raise MissingPackage(str(path), "networkx", "graph") from None
    try:
        if path.suffix == ".json":
            data = loads(text)
            if not isinstance(data, dict) or "nodes" not in data:
                raise ValueError('an object with "nodes", and "links" or "edges", is expected (node-link format)')
            # networkx wrote "links" for long, and writes "edges" now.
            found: Graph = networkx.node_link_graph(data, edges="edges" if "edges" in data else "links")
        else:
            found = networkx.parse_gml(text) if path.suffix == ".gml" else networkx.parse_graphml(text)
    except (ValueError, KeyError, TypeError, SyntaxError, networkx.NetworkXException) as error:
        raise LocalError(f"{path}: {error}") from error
    return found
