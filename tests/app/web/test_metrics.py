"""The metrics of the kernel's table, and that each has a name of its own and the form that Prometheus asks for."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

from bgp.app.view import KernelView, Summary
from bgp.app.web.metrics import FAMILIES, KERNEL, PEERS, Snapshot, exposition, measured

SUMMARY = Summary(65001, "10.0.0.1", "tor1", (), 12.5, 1 << 20, {"ipv4-unicast": 3}, 4, 2, 1, "leaving", ())


def samples(snapshot: Snapshot) -> dict[str, float]:
    octets, _ = exposition(snapshot, "")
    return {
        sample.name: sample.value
        for family in text_string_to_metric_families(octets.decode())
        for sample in family.samples
    }


def test_the_kernel_is_measured_where_routes_go_into_it() -> None:
    kernel = KernelView(186, 20, 254, 10, 1, 15, 5, {"10.1.0.0/26": "Network is unreachable"})
    found = samples(Snapshot(SUMMARY, (), kernel))
    assert found["bgp_kernel_routes"] == 10
    assert found["bgp_kernel_missing_routes"] == 1
    assert found["bgp_kernel_written_routes_total"] == 15
    assert "bgp_kernel_routes" not in samples(Snapshot(SUMMARY, (), None))


def test_a_drain_and_the_speaker_itself() -> None:
    found = samples(Snapshot(SUMMARY, (), None))
    assert found["bgp_draining"] == 1
    assert found["bgp_uptime_seconds"] == 12.5
    assert found["bgp_speaker_info"] == 1


def test_every_metric_has_a_name_of_its_own() -> None:
    names = [metric.name for metric in measured(Snapshot(SUMMARY, (), None))]
    names += [row.name for row in KERNEL]
    assert len(set(names)) == len(names)
    assert {row.name for row in PEERS} | {row.name for row in FAMILIES} <= set(names)
