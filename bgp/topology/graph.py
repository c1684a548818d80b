"""Arbitrary graphs: an AS per node, a session per edge, and policies from what the two ends are to each other.

Between ASes money decides (Gao and Rexford): a route from a customer earns, so it is preferred and told to all; one from a
peer or a provider costs, so it is told to customers only. With these policies BGP always comes to rest, and what it comes
to can be worked out: the prediction here is a path-vector computation on the graph that knows nothing of speakers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final, NamedTuple, Protocol

from bgp.error import LocalError
from bgp.options import PeerOptions
from bgp.topology.builder import PLAIN, Builder, as_numbers, at_least, from_neighbours, knobs
from bgp.topology.model import NODE, Counts, Node, Topology
from rib.policy import Action, Policy, Rule, Set

#: What the far end of an edge is to the near one.
CUSTOMER, PEER, PROVIDER, NOTHING = "customer", "peer", "provider", ""
#: The other way round.
INVERSE: Final = {CUSTOMER: PROVIDER, PROVIDER: CUSTOMER, PEER: PEER, NOTHING: NOTHING}
#: LOCAL_PREF of routes by what the neighbour is that told of them.
PREFERENCES: Final = {CUSTOMER: 200, PEER: 150, PROVIDER: 100, NOTHING: 100}
#: The knob: without it everybody tells everybody everything, and the shortest path wins.
GAO_REXFORD: Final = "gao-rexford"


class Edge(NamedTuple):
    """A link between two nodes; `relation` is what `other` is to `one`."""

    one: str
    other: str
    relation: str = NOTHING


class Graph(Protocol):
    """What is asked of a graph: networkx has it."""

    def nodes(self, data: bool) -> Iterable[tuple[object, Mapping[str, object]]]:
        """Its nodes with their attributes; "asn" is used."""

    def edges(self, data: bool) -> Iterable[tuple[object, object, Mapping[str, object]]]:
        """Its edges with their attributes; "relation" is used."""


def from_graph(graph: Graph, *, blocks: int = 1, stack: str = "4", without: str | Iterable[str] = ()) -> Topology:
    """The topology of a networkx graph: an edge's "relation" says what its second node is to its first.

    That is "customer", "peer" or "provider", or nothing; a node's "asn" is its AS number. Raises LocalError for others.
    """
    asns: dict[str, int] = {}
    for name, facts in graph.nodes(data=True):
        found = facts.get("asn")
        if found is not None:
            if not isinstance(found, int):
                raise LocalError(f"the asn of node {name} is {found!r}; it must be a number")
            asns[str(name)] = found
    edges = [Edge(str(one), str(other), str(facts.get("relation", ""))) for one, other, facts in graph.edges(data=True)]
    return from_edges(edges, asns=asns, blocks=blocks, stack=stack, without=without)


def from_edges(
    edges: Sequence[Edge],
    *,
    asns: Mapping[str, int] | None = None,
    source: str = "",
    blocks: int = 1,
    stack: str = "4",
    without: str | Iterable[str] = (),
) -> Topology:
    """The topology of a list of edges; `source` says where they are from. Raises LocalError for what is no graph."""
    at_least(1, blocks=blocks)
    left_out = knobs(without, (GAO_REXFORD,))
    names = list(dict.fromkeys(name for edge in edges for name in edge[:2]))
    _check(edges, names)
    builder = Builder("graph", {"file": source, "blocks": blocks}, left_out, stack=stack)
    numbers = _numbers(names, asns or {})
    for name in names:
        builder.node(Node(name, NODE, numbers[name], builder.identifier(), None, builder.blocks(blocks)))
    relations = _relations([edge._replace(relation=NOTHING) for edge in edges] if left_out else edges)
    for edge in edges:
        one, other = edge[:2]
        builder.session(
            "graph",
            builder.cable(one, other),
            other,
            one,
            from_dialler=_options(other, one, relations, numbers),
            from_listener=_options(one, other, relations, numbers),
        )
    return _predicted(builder, names, relations, blocks, len(edges))


def _check(edges: Sequence[Edge], names: Sequence[str]) -> None:
    if not edges:
        raise LocalError("the graph has no edges")
    seen: set[frozenset[str]] = set()
    for edge in edges:
        if edge.relation not in INVERSE:
            raise LocalError(
                f"{edge.one}–{edge.other}: {edge.relation!r} is no relation; write customer, peer or provider"
            )
        if edge.one == edge.other or frozenset(edge[:2]) in seen:
            raise LocalError(f"{edge.one}–{edge.other}: a loop, or a second edge between the two")
        seen.add(frozenset(edge[:2]))
    for name in names:
        if not name or any(letter in name for letter in ",= \t"):
            raise LocalError(f"{name!r} is no name for a node")


def _numbers(names: Sequence[str], given: Mapping[str, int]) -> dict[str, int]:
    """The AS number of each node: the given one, or else a private one."""
    taken = set(given.values())
    if len(taken) < len(given):
        raise LocalError("two nodes have one AS number")
    spare = iter([asn for asn in as_numbers(len(names) + len(taken)) if asn not in taken])
    return {name: given[name] if name in given else next(spare) for name in names}


def _relations(edges: Sequence[Edge]) -> dict[str, dict[str, str]]:
    """For each node what its neighbours are to it."""
    found: dict[str, dict[str, str]] = {}
    for one, other, relation in edges:
        found.setdefault(one, {})[other] = relation
        found.setdefault(other, {})[one] = INVERSE[relation]
    return found


def _options(
    node: str, peer: str, relations: Mapping[str, Mapping[str, str]], numbers: Mapping[str, int]
) -> PeerOptions:
    """How `node` treats `peer`."""
    relation = relations[node][peer]
    if relation == NOTHING:
        return PLAIN
    prefer = Policy(f"from a {relation}", (Rule(set=Set(local_pref=PREFERENCES[relation])),), Action.ACCEPT)
    if relation == CUSTOMER:
        return replace(PLAIN, import_policy=prefer)
    earning = [numbers[name] for name, what in relations[node].items() if what in (CUSTOMER, NOTHING)]
    policy = from_neighbours("own and customers'", earning or [numbers[node]])
    return replace(PLAIN, import_policy=prefer, export_policy=policy)


#: The path of a node to an origin: the nodes on it, itself first.
Path = tuple[str, ...]


def _predicted(
    builder: Builder, names: Sequence[str], relations: Mapping[str, Mapping[str, str]], blocks: int, sessions: int
) -> Topology:
    places = {name: place for place, name in enumerate(names)}
    paths, best = dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    apart: set[tuple[str, str]] = set()
    for origin in names:
        chosen = _routes(origin, names, relations, places)
        for name in names:
            if name != origin:
                paths[name] += len(_offers(name, chosen, relations))
                best[name] += name in chosen
                if name not in chosen:
                    apart |= {(name, origin), (origin, name)}

    def predict(node: Node) -> Counts:
        return Counts(paths[node.name] * blocks, best[node.name] * blocks, best[node.name] * blocks)

    return builder.build(sessions, predict, separate=frozenset(apart))


def _routes(
    origin: str, names: Sequence[str], relations: Mapping[str, Mapping[str, str]], places: Mapping[str, int]
) -> dict[str, Path]:
    """The path that each node ends up with: all choose again until nobody changes its mind."""
    chosen: dict[str, Path] = {origin: (origin,)}
    for _ in range(2 * len(names) + 2):
        now: dict[str, Path] = {origin: (origin,)}
        for name in names:
            if name != origin and (offers := _offers(name, chosen, relations)):
                # RFC 4271 9.1: preference, length, then the neighbour's BGP identifier, which is in the order of names.
                now[name] = min(offers, key=lambda p: (-PREFERENCES[relations[p[0]][p[1]]], len(p), places[p[1]]))
        if now == chosen:
            break
        chosen = now
    return chosen


def _offers(name: str, chosen: Mapping[str, Path], relations: Mapping[str, Mapping[str, str]]) -> list[Path]:
    """The paths that a node hears of and that do not lead through itself."""
    found = []
    for peer in relations[name]:
        path = chosen.get(peer)
        if path is not None and name not in path and _tells(peer, name, path, relations):
            found.append((name, *path))
    return found


def _tells(teller: str, listener: str, path: Path, relations: Mapping[str, Mapping[str, str]]) -> bool:
    """Whether `teller` tells `listener` of its path."""
    if relations[teller][listener] in (CUSTOMER, NOTHING) or len(path) == 1:
        return True
    return relations[teller][path[1]] in (CUSTOMER, NOTHING)
