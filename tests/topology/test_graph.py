"""Graphs from edges and files: who tells whom what, worked out by hand."""

from __future__ import annotations

import json
from itertools import combinations
from pathlib import Path
from random import Random

import networkx
import pytest

from bgp.error import LocalError
from bgp.lab import open_memory_fabric
from bgp.topology import Edge, from_edges, from_graph, read_graph
from rib.policy import accept

#: Two providers that are peers, a customer of each, and one of both.
#:
#:     p1 ——— p2
#:    /  \   /  \
#:   c1   c12   c2
SMALL = [
    Edge("p1", "p2", "peer"),
    Edge("p1", "c1", "customer"),
    Edge("p1", "c12", "customer"),
    Edge("p2", "c12", "customer"),
    Edge("p2", "c2", "customer"),
]


def test_customers_reach_each_other_over_the_peers_and_nobody_is_transit_for_its_providers() -> None:
    topology = from_edges(SMALL)
    assert topology.predicted_sessions == 5
    assert not topology.separate
    # c1 hears of the four others from p1. c12 hears of p1, c1, p2, c2 from both: four each.
    assert topology.predicted["c1"] == (4, 4, 4)
    assert topology.predicted["c12"] == (8, 4, 4)
    # p1: c1 from c1; c12 from c12 and p2; p2 and c2 from p2. c12 does not tell it of p2 or c2.
    assert topology.predicted["p1"] == (5, 4, 4)


def test_without_the_policies_everybody_tells_everything() -> None:
    topology = from_edges(SMALL, without="gao-rexford")
    assert all(end.peer.export_policy is accept for session in topology.sessions for end in session.ends)
    # p1 now hears from c12 of p2 and c2 too.
    assert topology.predicted["p1"].paths == 7


def test_two_hops_between_peers_are_a_valley_that_nobody_pays_for() -> None:
    topology = from_edges([Edge("a", "b", "peer"), Edge("b", "c", "peer")])
    assert topology.separate == {("a", "c"), ("c", "a")}
    assert topology.predicted["a"] == (1, 1, 1)


def test_without_relations_the_shortest_path_is_taken() -> None:
    ring = from_edges([Edge("a", "b"), Edge("b", "c"), Edge("c", "d"), Edge("d", "a")])
    assert ring.predicted["a"].best == 3
    assert not ring.separate


class Triangle:
    """As networkx has it."""

    def nodes(self, data: bool) -> list[tuple[object, dict[str, object]]]:
        return [(1, {"asn": 64700}), (2, {}), (3, {})]

    def edges(self, data: bool) -> list[tuple[object, object, dict[str, object]]]:
        return [(1, 2, {"relation": "customer"}), (2, 3, {}), (1, 3, {})]


def test_a_graph_object_gives_names_numbers_and_relations() -> None:
    topology = from_graph(Triangle())
    assert topology["1"].asn == 64700
    assert topology["2"].asn == 64512
    assert topology.predicted_sessions == 3


def test_networkx_graphs_are_taken() -> None:
    topology = from_graph(networkx.petersen_graph())
    assert (len(topology.nodes), topology.predicted_sessions) == (10, 15)


@pytest.mark.parametrize("kind", ["gml", "graphml", "json"])
def test_the_files_of_networkx_are_read(kind: str, tmp_path: Path) -> None:
    graph = networkx.Graph()
    graph.add_node("top", asn=65099)
    graph.add_edge("top", "left", relation="customer")
    graph.add_edge("top", "right", relation="customer")
    file = tmp_path / f"graph.{kind}"
    if kind == "json":
        file.write_text(json.dumps(networkx.node_link_data(graph, edges="links")))
    else:
        (networkx.write_gml if kind == "gml" else networkx.write_graphml)(graph, file)
    topology = read_graph(str(file))
    assert topology["top"].asn == 65099
    assert topology.predicted["left"] == (2, 2, 2)
    assert topology.sessions[0].listens.peer.import_policy is not accept


@pytest.mark.parametrize("kind", ["gml", "graphml", "json"])
def test_a_file_that_networkx_cannot_read_is_named(kind: str, tmp_path: Path) -> None:
    file = tmp_path / f"graph.{kind}"
    file.write_text("{ nonsense")
    with pytest.raises(LocalError, match=f"graph.{kind}: "):
        read_graph(str(file))


@pytest.mark.parametrize("text", ["[1, 2]", "{}", '"a"', '{"nodes": 5}'])
def test_json_that_is_no_graph_is_named(text: str, tmp_path: Path) -> None:
    file = tmp_path / "graph.json"
    file.write_text(text)
    with pytest.raises(LocalError, match=r"graph\.json: "):
        read_graph(str(file))


@pytest.mark.parametrize("edges", ["links", "edges"])
def test_both_forms_of_networkx_json_are_read(edges: str, tmp_path: Path) -> None:
    file = tmp_path / "graph.json"
    graph = networkx.Graph([("a", "b"), ("b", "c")])
    file.write_text(json.dumps(networkx.node_link_data(graph, edges=edges)))
    assert len(read_graph(str(file)).sessions) == 2


def test_edges_may_not_have_two_meanings_nor_nodes_one_number() -> None:
    with pytest.raises(LocalError, match="two nodes have one AS number"):
        from_edges([Edge("a", "b")], asns={"a": 1, "b": 1})
    with pytest.raises(LocalError, match="is no name for a node"):
        from_edges([Edge("a b", "c")])


#: What a speaker does with a graph is what the computation says, policies or none; the edges are drawn by a seed.
@pytest.mark.parametrize("seed", range(6))
async def test_speakers_come_to_what_was_computed(seed: int) -> None:
    random = Random(seed)
    names = [f"a{number}" for number in range(9)]
    edges = [
        # Those before are never customers of those after: nobody is its own provider.
        Edge(one, other, random.choice(["customer", "peer"]))
        for one, other in combinations(names, 2)
        if random.random() < 0.4
    ]
    topology = from_edges(edges)
    async with open_memory_fabric(topology) as fabric:
        assert (await fabric.converge(60)).settled
        snapshot = await fabric.snapshot()
        assert snapshot.counts == topology.predicted
        assert (await fabric.reach(snapshot, 1)).as_meant


def test_files_of_edges_and_of_caida_are_read(tmp_path: Path) -> None:
    edges = tmp_path / "edges.txt"
    edges.write_text("# who knows whom\na b customer\nb c   # no relation\n")
    assert read_graph(str(edges)).predicted_sessions == 2
    caida = tmp_path / "as-rel.txt"
    caida.write_text("# inferred\n3356|64496|-1|bgp\n3356|1299|0|bgp\n")
    topology = read_graph(str(caida))
    assert topology["as3356"].asn == 3356
    assert topology.sessions[0].listens.node == "as3356"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no edges"),
        ("a b c d", "line 1: 'a b c d' is not NODE NODE"),
        ("a b friend", "'friend' is no relation"),
        ("a b\nb a", "second edge"),
        ("a a", "a loop"),
        ("1|2|7", "is not AS|AS|-1 or AS|AS|0"),
    ],
)
def test_what_is_no_graph_is_refused_with_the_place(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "graph"
    file.write_text(text)
    with pytest.raises(LocalError, match=words.replace("|", r"\|")):
        read_graph(str(file))


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(LocalError, match="cannot read /nowhere: No such file"):
        read_graph("/nowhere")
