"""What packets say about a fault: how many were lost, in which flows, for how long."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_address

from bgp.lab.fault import Fault, FaultKind, FaultReport, Repair, parse_fault
from bgp.lab.inject import MAX_STREAMS, STREAMS, sample
from bgp.lab.loss import Flow, Passage, measure
from bgp.lab.models import build

SENT = [place / 10 for place in range(20)]  # ten a second for two seconds
BEGAN, AT_REST = 0.5, 1.5
EVERY = range(20)


def passage(number: int, arrived: Iterable[int], slow: float = 0.001) -> Passage:
    flow = Flow("n1", ip_address("10.244.0.65"), number)
    return Passage(flow, SENT, {place: SENT[place] + slow for place in arrived})


def test_nothing_is_lost() -> None:
    found = measure([passage(0, EVERY), passage(1, EVERY, slow=0.25)], BEGAN, AT_REST)
    assert (found.sent, found.lost, len(found.flows)) == (30, 0, 2)
    assert not found.hit
    assert not found.dead
    assert found.longest == 0
    assert round(found.slowest, 6) == 0.25


def test_an_outage_is_from_the_first_lost_packet_to_the_next_that_arrives() -> None:
    healed = passage(0, set(EVERY) - {7, 8, 9, 12})
    found = measure([healed, passage(1, EVERY)], BEGAN, AT_REST)
    assert found.lost == 4
    assert found.hit == {healed.flow}
    assert not found.dead
    assert round(found.longest, 6) == 0.3


def test_a_flow_that_lost_all_since_the_rest_is_dead() -> None:
    dead = passage(0, range(6))
    found = measure([dead, passage(1, EVERY)], BEGAN, AT_REST)
    assert found.dead == {dead.flow}
    assert found.lost == 14
    assert round(found.longest, 6) == 1.3


def test_what_did_not_pass_before_is_looked_at_only_if_asked_for() -> None:
    late = passage(0, range(10, 20))
    assert measure([late], BEGAN, AT_REST).flows == frozenset()
    found = measure([late], BEGAN, AT_REST, frozenset({late.flow}))
    assert (found.sent, found.lost, len(found.dead)) == (15, 5, 0)
    assert round(found.longest, 6) == 0.5


def test_packets_are_sent_between_all_pairs_or_an_even_sample_of_them() -> None:
    fault = Fault(FaultKind.LINK, "link", ())
    small = build("mesh", {"nodes": 6})
    assert len(sample(small, fault)) == 30 * STREAMS
    large = sample(build("mesh", {"nodes": 40}), fault)
    assert MAX_STREAMS / 2 < len(large) <= MAX_STREAMS
    assert len({flow.source for flow in large}) > 30
    assert large == sample(build("mesh", {"nodes": 40}), fault)
    delay = sample(build("mesh", {"nodes": 40}), parse_fault("delay:n3-n4=1", build("mesh", {"nodes": 40})))
    assert len(set(delay) - set(large)) <= 4, "those of the fault's two nodes as well, each way"
    assert {("n3", "10.244.0.193"), ("n4", "10.244.0.129")} <= {(flow.source, str(flow.destination)) for flow in delay}
    without = sample(small, parse_fault("node:n1", small))
    assert len(without) == 20 * STREAMS, "a dead node's own packets are not counted"


def test_the_report_keeps_flows_and_adds_packets() -> None:
    fault = Fault(FaultKind.LINK, "link:n1-n2", ("n1", "n2"))
    report = FaultReport(fault, 2.5, 2.6, flows=8, lost_meanwhile=8, lost=0)
    assert report.as_json()["counted"] == "flows by the tables"
    assert "packets" not in report.as_json()
    loss = measure([passage(0, set(EVERY) - {7})], BEGAN, AT_REST)
    found = report._replace(loss=loss, repaired=Repair(0.5, 0, loss)).as_json()
    packets = {"sent": 15, "lost": 1, "flows": 1, "flows_hit": 1, "longest_outage_ms": 100.0, "slowest_ms": 1.0}
    assert found["counted"] == "packets"
    assert found["packets"] == packets
    assert found["repaired"] == {"converged_after": 0.5, "lost": 0, "packets": packets}
