"""A cluster's nodes with real kernels: speakers that die, end, drain and return, cables that are cut, routes of others."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from interop.cluster import Node, cluster, pinging
from interop.wires import eventually


@pytest.fixture(scope="module")
def nodes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Node]]:
    with cluster(tmp_path_factory.mktemp("cluster"), 3) as made:
        yield made


def whole(nodes: list[Node]) -> bool:
    return all(node.has(other) for node in nodes for other in nodes if other is not node)


def told(nodes: list[Node]) -> str:
    return "\n".join(f"{node.address}:\n{node.speaker.tail()}\n{node.kernel_routes()}" for node in nodes)


def test_routes_are_in_the_kernel_with_source_and_blackhole(nodes: list[Node]) -> None:
    one, two, _ = nodes
    assert one.kernel_routes("10.244.1.0/26") == ["blackhole 10.244.1.0/26 proto 179 metric 20"]
    (line,) = one.kernel_routes(two.block)
    for words in ("via 192.0.2.2", "proto 179", "src 192.0.2.1", "metric 20"):
        assert words in line
    said = one.pod.run("ping", "-n", "-c", "2", two.pod_address)
    assert "2 received" in said
    assert "ttl=62" in said


def test_a_speaker_that_is_killed_and_comes_back_costs_no_ping(nodes: list[Node]) -> None:
    one, two, _ = nodes
    with pinging(one, two) as counts:
        two.speaker.stop(signal.SIGKILL)
        eventually(
            lambda: not one.speaker.is_established(two.address), "its peers see that it is gone", one.speaker.tail
        )
        assert one.has(two), "its routes are kept: it promised to forward on"
        two.speaker.start()
        eventually(lambda: one.speaker.is_established(two.address), "it is back", lambda: told(nodes))
        eventually(lambda: whole(nodes), "all routes are there", lambda: told(nodes))
    sent, lost = counts
    assert sent > 10
    assert lost == 0


def test_an_orderly_end_takes_the_routes_away_at_once(nodes: list[Node]) -> None:
    one, two, three = nodes
    assert two.speaker.stop(signal.SIGTERM) == 0
    eventually(lambda: not one.has(two) and not three.has(two), "the others have lost its routes", lambda: told(nodes))
    assert two.kernel_routes("proto", "179") == []
    two.speaker.start()
    eventually(lambda: whole(nodes), "all routes are there again", lambda: told(nodes))


def test_a_route_of_another_program_is_left_alone(nodes: list[Node]) -> None:
    one, two, _ = nodes
    foreign = "10.250.0.0/24"
    one.host.ip("route", "add", foreign, "via", "192.0.2.3", "metric", "20", "proto", "static")
    try:
        two.speaker.command("announce", foreign)
        eventually(lambda: foreign in one.speaker.routes(two.address), "the route arrived", lambda: told(nodes))
        two.speaker.command("withdraw", foreign)
        eventually(lambda: foreign not in one.speaker.routes(two.address), "the route went", lambda: told(nodes))
        (line,) = one.kernel_routes(foreign)
        assert "via 192.0.2.3" in line
        assert "proto static" in line
    finally:
        one.host.ip("route", "del", foreign)


def test_a_route_that_somebody_deletes_is_put_back(nodes: list[Node]) -> None:
    one, two, _ = nodes
    one.host.ip("route", "del", two.block, "proto", "179", "metric", "20")
    eventually(lambda: one.has(two), "the route is there again", one.speaker.tail)


def test_a_node_that_is_cut_off_is_gone_with_the_hold_time(tmp_path: Path, nodes: list[Node]) -> None:
    one, two, _ = nodes
    one_sees = lambda: one.speaker.is_established(two.address)  # noqa: E731
    two.host.ip("link", "set", "eth0", "down")
    eventually(lambda: not one_sees(), "the hold timer expires", one.speaker.tail)
    assert "hold timer" in one.speaker.neighbours()[two.address]["why"]
    two.host.ip("link", "set", "eth0", "up")
    eventually(lambda: whole(nodes), "all is as before", lambda: told(nodes))


def test_a_drained_node_is_the_last_choice_and_then_none(nodes: list[Node]) -> None:
    one, two, _ = nodes
    two.speaker.command("drain", "--wait", "0")
    eventually(lambda: not one.has(two), "the routes of the drained node are gone", lambda: told(nodes))
    assert one.speaker.is_established(two.address), "the session stays"
    assert two.has(one), "it still knows the way to the others"
    two.speaker.command("undrain")
    eventually(lambda: whole(nodes), "all routes are there again", lambda: told(nodes))
