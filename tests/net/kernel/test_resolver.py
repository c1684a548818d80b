"""Next hops by the routes of others: how far, by which gateway and link."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from bgp.net.kernel import resolver as resolver_module
from bgp.net.kernel.model import BLACKHOLE, Hop, KernelRoute, Link, Way
from bgp.net.kernel.resolver import KernelResolver, Moved
from rib.prefix import Prefix

LINKS = {1: Link(1, "one", True), 2: Link(2, "two", True), 3: Link(3, "down", False)}


def route(prefix: str, *hops: tuple[str | None, int], metric: int = 0, protocol: int = 4) -> KernelRoute:
    made = Prefix(prefix)
    way = Way.of([Hop(None if gateway is None else ip_address(gateway), interface) for gateway, interface in hops])
    return KernelRoute(made.afi, made.nlri, way, protocol, metric)


ROUTES = [
    route("10.0.0.0/24", (None, 1)),
    route("10.0.1.0/24", (None, 2)),
    route("10.0.3.0/24", (None, 3)),
    route("2001:db8::/64", (None, 1), metric=256),
    route("192.0.2.0/24", ("10.0.0.9", 1), metric=30),
    route("192.0.2.0/24", ("10.0.3.9", 3), metric=10),
    route("198.51.100.0/24", ("10.0.0.9", 1), ("10.0.1.9", 2), metric=7),
    route("203.0.113.0/24", ("192.0.2.1", 0), metric=5),
    route("203.0.114.0/24", ("203.0.114.1", 0)),
    route("0.0.0.0/0", ("10.0.0.254", 1), metric=100),
    KernelRoute(1, Prefix("10.9.0.0/16").nlri, BLACKHOLE, 4, 0),
]


@pytest.fixture
def resolver() -> KernelResolver:
    made = KernelResolver()
    made.load(LINKS, ROUTES)
    return made


#: A next hop, its metric, the hops to it.
ANSWERS: list[tuple[str, int | None, list[tuple[str, int]]]] = [
    ("10.0.0.2", 0, [("10.0.0.2", 1)]),
    ("2001:db8::2", 0, [("2001:db8::2", 1)]),
    ("10.0.3.2", None, []),
    ("192.0.2.1", 30, [("10.0.0.9", 1)]),
    ("198.51.100.1", 7, [("10.0.0.9", 1), ("10.0.1.9", 2)]),
    ("203.0.113.7", 5, [("10.0.0.9", 1)]),
    ("203.0.114.7", None, []),
    ("10.9.1.1", None, []),
    ("8.8.8.8", None, []),
    ("2001:db8:1::1", None, []),
]


@pytest.mark.parametrize(("address", "metric", "hops"), ANSWERS)
def test_each_way(resolver: KernelResolver, address: str, metric: int | None, hops: list[tuple[str, int]]) -> None:
    for _ in range(2):
        assert resolver.metric(ip_address(address)) == metric
        assert resolver.hops(ip_address(address)) == tuple(Hop(ip_address(one), link) for one, link in hops)


def test_by_the_default_route_if_it_is_wanted() -> None:
    resolver = KernelResolver(via_default=True)
    resolver.load(LINKS, ROUTES)
    assert resolver.metric(ip_address("8.8.8.8")) == 100
    assert resolver.hops(ip_address("8.8.8.8")) == (Hop(ip_address("10.0.0.254"), 1),)


def test_a_link_local_address_is_on_its_link(resolver: KernelResolver) -> None:
    near = ip_address("fe80::1")
    assert resolver.metric(near) == 0
    assert resolver.hops(near, 1) == (Hop(near, 1),)
    assert resolver.hops(near, 3) == ()
    assert resolver.hops(near) == ()
    resolver.load({}, [])
    resolver.recheck()
    assert resolver.metric(near) is None


def test_a_loopback_address_is_always_there(resolver: KernelResolver) -> None:
    assert resolver.metric(ip_address("127.0.0.2")) == 0


def test_links_by_name_and_number(resolver: KernelResolver) -> None:
    assert [resolver.interface(name) for name in ("two", "7", "none")] == [2, 7, 0]


def test_what_moved_is_told_once(resolver: KernelResolver) -> None:
    address = ip_address("192.0.2.1")
    assert resolver.recheck() == Moved(metrics=False, ways=False)
    resolver.metric(address)
    resolver.hops(address)
    resolver.remove(ROUTES[5])  # the better one, but over a link that is down
    assert resolver.recheck() == Moved(metrics=False, ways=False)
    resolver.add(route("192.0.2.0/24", ("10.0.1.9", 2), metric=30))
    assert resolver.recheck() == Moved(metrics=False, ways=True)
    assert resolver.hops(address) == (Hop(ip_address("10.0.1.9"), 2),)
    resolver.remove(route("192.0.2.0/24", metric=30))
    resolver.remove(route("192.0.2.0/24", metric=30))
    assert resolver.recheck() == Moved(metrics=True, ways=True)
    assert resolver.metric(address) is None
    assert resolver.recheck() == Moved(metrics=False, ways=False)


def test_who_has_forgotten_takes_all_for_moved(resolver: KernelResolver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver_module, "REMEMBERED", 2)
    for number in range(4):
        resolver.metric(ip_address(f"10.0.0.{number}"))
    assert resolver.recheck() == Moved(metrics=True, ways=True)
    for number in range(4):
        resolver.hops(ip_address(f"10.0.0.{number}"))
    assert resolver.recheck() == Moved(metrics=True, ways=True)
    assert resolver.recheck() == Moved(metrics=False, ways=False)
