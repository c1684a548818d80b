"""The figures of the models as they were measured with other speakers, and what holds for every topology."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from ipaddress import ip_network

import pytest

from bgp.error import LocalError
from bgp.topology import (
    Counts,
    Topology,
    as_per_rack,
    as_per_server,
    downward_default,
    flat_tor,
    leaf_spine,
    mesh,
    planes,
    reflectors,
)
from bgp.topology.builder import pairs

#: Three racks of two servers under two spines, six nodes elsewhere: sessions, then the counts of a role.
FIGURES: list[tuple[Topology, int, dict[str, Counts]]] = [
    (mesh(), 15, {"node": Counts(5, 5, 5)}),
    (mesh(20), 190, {"node": Counts(19, 19, 19)}),
    (mesh(60), 1770, {"node": Counts(59, 59, 59)}),
    (mesh(20, blocks=2), 190, {"node": Counts(38, 38, 38)}),
    (mesh(asn="per-node"), 15, {"node": Counts(5, 5, 5)}),
    (mesh(asn="per-node", without="own-prefixes-only"), 15, {"node": Counts(25, 5, 5)}),
    (mesh(20, asn="per-node", without="own-prefixes-only"), 190, {"node": Counts(361, 19, 19)}),
    (planes(6, 2), 30, {"node": Counts(10, 5, 5)}),
    (reflectors(), 13, {"node": Counts(10, 5, 5), "reflector": Counts(12, 6, 6)}),
    (as_per_rack(), 12, {"node": Counts(5, 5, 5), "tor": Counts(10, 6, 6), "spine": Counts(6, 6, 6)}),
    (as_per_rack(rack="mesh"), 15, {"node": Counts(5, 5, 5), "tor": Counts(10, 6, 6)}),
    (as_per_rack(spine="l2", spines=1), 9, {"node": Counts(5, 5, 5), "tor": Counts(6, 6, 6)}),
    (as_per_rack(tors=2), 24, {"node": Counts(10, 5, 5), "tor": Counts(10, 6, 6), "spine": Counts(12, 6, 6)}),
    (as_per_rack(tors=2, rack="mesh"), 30, {"node": Counts(10, 5, 5), "tor": Counts(10, 6, 6)}),
    (as_per_rack(tors=2, spine="l2"), 12 + 2 * 12, {"node": Counts(10, 5, 5), "tor": Counts(2 + 2 * 2 * 4, 6, 6)}),
    (as_per_rack(4, 5, tors=2), 56, {"node": Counts(38, 19, 19), "tor": Counts(5 + 2 * 15, 20, 20)}),
    (as_per_rack(spines=3), 15, {"spine": Counts(6, 6, 6)}),
    (as_per_server(), 12, {"node": Counts(5, 5, 5), "tor": Counts(10, 6, 6), "spine": Counts(6, 6, 6)}),
    (as_per_server(tors=2), 24, {"node": Counts(10, 5, 5), "tor": Counts(10, 6, 6)}),
    (downward_default(), 12, {"node": Counts(1, 1, 1), "tor": Counts(4, 3, 3), "spine": Counts(6, 6, 6)}),
    (downward_default(tors=2), 24, {"node": Counts(2, 1, 1), "tor": Counts(4, 3, 3)}),
    (flat_tor(), 6, {"node": Counts(5, 5, 5), "tor": Counts(6, 6, 6)}),
    (leaf_spine(3, 2, 2), 12, {"node": Counts(5, 5, 5), "tor": Counts(10, 6, 6), "spine": Counts(6, 6, 6)}),
]
#: A thousand nodes in 25 racks under four spines, two blocks each: a node installs 1,998 routes, a ToR and a spine 2,000.
#: "Paths" are those of one teller for each way: with c reflectors or t ToRs a node hears everything c or t times.
THOUSAND: list[tuple[Topology, int, dict[str, Counts]]] = [
    (
        reflectors(1000, reflectors=4, clients_of=2, blocks=2),
        2006,
        {"node": Counts(3996, 1998, 1998)},
    ),
    (
        as_per_rack(25, 40, 4, blocks=2),
        1100,
        {"node": Counts(1998, 1998, 1998), "tor": Counts(7760, 2000, 2000), "spine": Counts(2000, 2000, 2000)},
    ),
    (
        as_per_rack(25, 40, 4, blocks=2, tors=2),
        2200,
        {"node": Counts(3996, 1998, 1998), "tor": Counts(7760, 2000, 2000), "spine": Counts(4000, 2000, 2000)},
    ),
    (
        as_per_server(25, 40, 4, blocks=2),
        1100,
        {"node": Counts(1998, 1998, 1998), "tor": Counts(7760, 2000, 2000), "spine": Counts(2000, 2000, 2000)},
    ),
    (
        as_per_server(25, 40, 4, blocks=2, tors=2),
        2200,
        {"node": Counts(3996, 1998, 1998), "tor": Counts(7760, 2000, 2000), "spine": Counts(4000, 2000, 2000)},
    ),
    (
        downward_default(25, 40, 4, blocks=2),
        1100,
        {"node": Counts(1, 1, 1), "tor": Counts(84, 81, 81), "spine": Counts(2000, 2000, 2000)},
    ),
]
ALL = [*FIGURES, *THOUSAND[-1:]]


def spell(topology: Topology) -> str:
    return f"{topology.model} {' '.join(map(str, topology.parameters.values()))} {','.join(topology.without)}"


@pytest.mark.parametrize(
    ("topology", "sessions", "counts"), [*FIGURES, *THOUSAND], ids=lambda v: spell(v) if isinstance(v, Topology) else ""
)
def test_the_predictions_are_the_published_figures(
    topology: Topology, sessions: int, counts: dict[str, Counts]
) -> None:
    assert topology.predicted_sessions == len(topology.sessions) == sessions
    for role, expected in counts.items():
        assert {topology.predicted[node.name] for node in topology.having(role)} == {expected}


def test_a_mesh_of_a_thousand_has_half_a_million_sessions() -> None:
    assert pairs(1000) == 499_500, "too many to make here"
    assert pairs(60) == mesh(60).predicted_sessions == 1770


def test_spines_with_an_as_each_hear_everything_from_every_rack() -> None:
    topology = as_per_rack(spines=3, spine_as="each", without="no-valley")
    assert [topology.predicted[f"spine{number}"].paths for number in (1, 2, 3)] == [6, 18, 18]


@pytest.mark.parametrize("topology", [topology for topology, _, _ in ALL], ids=spell)
def test_addresses_identifiers_and_blocks_are_nobody_elses(topology: Topology) -> None:
    addresses = [a for link in topology.links for interface in link.interfaces for a in interface.addresses]
    identifiers = [node.router_id for node in topology.nodes]
    blocks = [prefix for node in topology.nodes for prefix in node.prefixes]
    for made in (addresses, identifiers, blocks):
        assert [value for value, count in Counter(made).items() if count > 1] == []


@pytest.mark.parametrize("topology", [topology for topology, _, _ in ALL], ids=spell)
def test_both_ends_of_a_session_say_the_same_of_each_other(topology: Topology) -> None:
    for session in topology.sessions:
        near, far = session.ends
        assert (near.peer.name, near.peer.asn) == (far.node, topology[far.node].asn)
        assert near.peer.local_address == far.peer.address
        assert (near.peer.passive, far.peer.passive) == (False, True)


@pytest.mark.parametrize(
    "build", [mesh, planes, reflectors, as_per_rack, as_per_server, downward_default, flat_tor, leaf_spine]
)
def test_every_model_has_ipv6_and_both(build: Callable[..., Topology]) -> None:
    four, six, dual = (build(stack=stack) for stack in ("4", "6", "dual"))
    assert (four.versions, six.versions, dual.versions) == ((4,), (6,), (4, 6))
    assert six.predicted == four.predicted
    assert all(dual.predicted[name] == tuple(2 * count for count in counts) for name, counts in four.predicted.items())
    assert {prefix.length for node in six.hosts for prefix in node.prefixes} == {122}
    assert six.sessions[0].dials.peer.address.count(":") > 1
    assert all(len(link.networks) == 2 for link in dual.links)


def test_as_numbers_beyond_the_two_octet_ones_are_of_four() -> None:
    assert flat_tor(1023, asn="per-node").nodes[0].asn == 4_200_000_000
    assert flat_tor(1022, asn="per-node").nodes[-1].asn == 65534


def test_a_pod_has_an_address_of_its_nodes_block() -> None:
    node = mesh(blocks=2, stack="dual")["n2"]
    assert str(node.pod()) == "10.244.0.129"
    assert str(node.pod(63)) == "10.244.0.193", "the first block is full"
    assert str(node.pod(1, 6)) == "fd00:10:244::81"
    with pytest.raises(LocalError, match="has no room for a pod number 125"):
        node.pod(125, 4)


def test_a_rack_larger_than_a_24_gets_a_larger_subnet() -> None:
    subnet = as_per_rack(1, 400, 1).links[0]
    assert subnet.network == ip_network("10.0.2.0/23")


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: mesh(0), "nodes is 0; it must be at least 1"),
        (lambda: mesh(asn="two"), "asn is 'two'; it must be one or per-node"),
        (lambda: mesh(stack="5"), "stack is '5'; it must be 4 or 6 or dual"),
        (lambda: mesh(without="gravity"), "this model has no knob 'gravity'; its knobs are connected-next-hop"),
        (lambda: flat_tor(asn="per-node", without="as-override"), "it has none here"),
        (lambda: mesh(2, blocks=5000), "not enough pod blocks in 10.244.0.0/14"),
        (lambda: as_per_server(tors=0), "tors is 0"),
        (lambda: leaf_spine(clusters=0), "clusters is 0"),
    ],
)
def test_what_cannot_be_is_refused_with_the_reason(call: Callable[[], Topology], words: str) -> None:
    with pytest.raises(LocalError, match=words):
        call()
