"""Packets walked through tables made by hand: what no speaker would hold, too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from ipaddress import ip_address

from bgp.lab.fault import parse_fault
from bgp.lab.forwarding import Fate, Forwarder, Rejected, Route, Router, Routes, Withheld
from bgp.topology import as_per_rack, mesh
from bgp.topology.model import Topology
from rib.family import IPV4_UNICAST, Family
from rib.prefix import Prefix


def route(next_hop: str, peer: str = "x") -> Route:
    return Route(ip_address(next_hop), "", peer, "iBGP")


def router(
    routes: Mapping[str, Iterable[Route]],
    rejected: Iterable[Rejected] = (),
    withheld: Iterable[Withheld] = (),
) -> Router:
    table = {Prefix(prefix).nlri: tuple(ways) for prefix, ways in routes.items()}

    def of(family: Family) -> Routes:
        return table if family == IPV4_UNICAST else {}

    return Router(of, lambda family, nlri: len(table[nlri]), lambda address: rejected, lambda prefix: withheld)


def forwarder(topology: Topology, **routers: Router) -> Forwarder:
    empty = router({})
    return Forwarder(topology, {node.name: routers.get(node.name, empty) for node in topology.nodes})


POD = ip_address("10.244.0.129")  # of n3
THREE = mesh(3)


def test_a_packet_to_a_pod_of_the_same_node_is_there() -> None:
    trace = forwarder(THREE).trace("n3", POD)
    assert trace.arrived
    assert [(hop.node, hop.ttl) for hop in trace.hops] == [("n3", 64)]


def test_the_longest_match_wins_over_a_default_and_the_own_block_over_both() -> None:
    found = forwarder(
        THREE,
        n1=router({"0.0.0.0/0": [route("10.0.1.2")], "10.244.0.128/26": [route("10.0.1.3")]}),
        n3=router({"10.244.0.128/26": [route("10.0.1.1")]}),
    )
    assert [hop.node for hop in found.trace("n1", POD).hops] == ["n1", "n3"]


def test_two_nodes_that_point_at_each_other_are_a_loop_and_the_ttl_ends_it() -> None:
    found = forwarder(
        THREE, n1=router({"0.0.0.0/0": [route("10.0.1.2")]}), n2=router({"0.0.0.0/0": [route("10.0.1.1")]})
    )
    trace = found.trace("n1", POD)
    assert len(trace.hops) == 64
    assert trace.reason == "the TTL ran out on the way n1 → n2 → n1 → n2: a loop"
    assert found.fates(POD)["n1"] == Fate("n1", "the packet goes round in a loop: n1 → n2 → n1")


def test_a_next_hop_on_no_link_is_looked_up_in_turn_and_leads_nowhere_after_eight() -> None:
    resolved = forwarder(THREE, n1=router({"10.244.0.128/26": [route("10.9.9.9")], "10.9.9.9/32": [route("10.0.1.3")]}))
    assert resolved.trace("n1", POD).hops[0].gateway == ip_address("10.0.1.3")
    circular = forwarder(THREE, n1=router({"10.244.0.128/26": [route("10.9.9.9")], "10.9.9.9/32": [route("10.9.9.9")]}))
    assert circular.trace("n1", POD).reason == "the next hop 10.9.9.9 of 10.244.0.128/26 leads to no link of n1"


def test_a_next_hop_that_nobody_has_ends_the_way() -> None:
    found = forwarder(THREE, n1=router({"10.244.0.128/26": [route("10.0.1.77")]}))
    assert found.trace("n1", POD).reason == "no host has the next hop 10.0.1.77 on subnet"


def test_an_address_on_a_link_needs_no_route() -> None:
    trace = forwarder(THREE).trace("n1", ip_address("10.0.1.2"))
    assert trace.hops[0].prefix == Prefix("10.0.1.0/24")
    assert trace.hops[0].route is None


def test_all_equal_ways_must_arrive() -> None:
    ways = [route("10.0.1.3"), route("10.0.1.2")]
    found = forwarder(THREE, n1=router({"10.244.0.128/26": ways}))
    assert found.fates(POD)["n1"] == Fate("n2", "node n2 has no route to 10.244.0.129")
    traces = [found.trace("n1", POD, flow=flow) for flow in range(16)]
    assert {trace.arrived for trace in traces} == {True, False}
    assert traces == [found.trace("n1", POD, flow=flow) for flow in range(16)], "a flow keeps to its way"


def test_the_reason_is_looked_for_at_the_neighbours() -> None:
    told = Withheld("n1", "the export policy")
    keeping = forwarder(THREE, n3=router({"10.244.0.128/26": [route("10.0.1.3")]}, withheld=[told]))
    assert keeping.trace("n1", POD).reason == (
        "node n1 has no route to 10.244.0.129; node n3 does not tell n1 of 10.244.0.128/26: the export policy"
    )
    refused = [
        Rejected("n3", Prefix("10.244.0.128/26"), "own AS 1 in AS_PATH"),
        Rejected("n2", Prefix("10.244.0.128/26"), "own AS 1 in AS_PATH"),
    ]
    refusing = forwarder(THREE, n1=router({}, rejected=refused))
    assert refusing.trace("n1", POD).reason == "node n1 rejects 10.244.0.128/26 from n3 and n2: own AS 1 in AS_PATH"


def test_nothing_passes_over_what_is_dead() -> None:
    topology = as_per_rack()
    fault = parse_fault("link:r1s1-r1t", topology)
    found = Forwarder(
        topology,
        {node.name: router({"0.0.0.0/0": [route("10.0.1.1")]}) for node in topology.nodes},
        lambda link, near, far: f"{fault}" if fault.touches(link, near, far) else "",
    )
    assert found.trace("r1s1", topology["r2s1"].pod()).reason == "link:r1s1-r1t"


def test_a_hop_names_the_equal_ways_that_other_flows_take() -> None:
    ways = [route("10.0.1.3", "one"), route("10.0.1.2", "other")]
    hop = forwarder(THREE, n1=router({"10.244.0.128/26": ways})).trace("n1", POD).hops[0]
    assert hop.route in ways
    assert [other.route for other in hop.others] == [way for way in ways if way != hop.route]
    assert [str(other.gateway) for other in hop.others] == [str(way.next_hop) for way in ways if way != hop.route]
