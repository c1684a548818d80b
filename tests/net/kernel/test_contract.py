"""One contract for both kernels: the real one in a network namespace of its own, and the one in memory."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncIterator
from ipaddress import ip_address

import pytest
import trio
from kernels import MemoryWorld, World, real_world

from bgp.net.kernel.model import (
    BLACKHOLE,
    KERNEL_PROTOCOL,
    Edit,
    Event,
    Hop,
    KernelOptions,
    KernelRoute,
    LinksChanged,
    Refusal,
    RouteCame,
    RouteWent,
    Verb,
    Way,
)
from rib.prefix import Prefix

OPTIONS = KernelOptions(protocol=179, metric=77)
STATIC = 4
A, B = Prefix("10.1.0.0/16"), Prefix("2001:db8:1::/48")
UNREACHABLE = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EINVAL}


@pytest.fixture(params=["memory", pytest.param("real", marks=pytest.mark.interop)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    if request.param == "memory":
        yield MemoryWorld(OPTIONS)
        return
    pytest.importorskip("pyroute2")
    if os.geteuid():
        if os.environ.get("BGP_REQUIRE_INTEROP"):
            pytest.fail("a network namespace needs root")
        pytest.skip("a network namespace needs root")
    with real_world(OPTIONS) as made:
        yield made


@pytest.fixture
async def first(world: World) -> int:
    return world.add_link("one", "10.0.0.1/24", "2001:db8::1/64")


@pytest.fixture
async def second(world: World, first: int) -> int:
    return world.add_link("two", "10.0.1.1/24", "2001:db8:0:1::1/64")


def via(gateway: str, interface: int = 0) -> Way:
    return Way.of([Hop(ip_address(gateway), interface)])


async def own(world: World) -> dict[str, Way]:
    routes = await world.kernel.routes(own=True)
    assert all((route.protocol, route.metric) == (179, 77) for route in routes)
    return {str(Prefix.from_nlri(route.afi, route.nlri)): route.way for route in routes}


async def others(world: World) -> dict[tuple[str, int], KernelRoute]:
    routes = await world.kernel.routes(own=False)
    return {(str(Prefix.from_nlri(route.afi, route.nlri)), route.metric): route for route in routes}


async def edit(world: World, verb: Verb, prefix: Prefix, way: Way = BLACKHOLE) -> list[Refusal]:
    return await world.kernel.edit([Edit(verb, prefix.afi, [prefix.nlri], way)])


async def happened(world: World, *kinds: type[Event]) -> list[Event]:
    """The events until there is one of each kind."""
    found: list[Event] = []
    with trio.fail_after(5):
        while not all(any(isinstance(one, kind) for one in found) for kind in kinds):
            found += await world.kernel.events()
    return found


async def test_links(world: World, first: int) -> None:
    link = (await world.kernel.links())[first]
    assert (link.number, link.name, link.is_up) == (first, "one", True)
    world.set_link("one", is_up=False)
    assert not (await world.kernel.links())[first].is_up


async def test_connected_networks_are_the_kernels(world: World, first: int) -> None:
    found = await others(world)
    route = found["10.0.0.0/24", 0]
    assert (route.protocol, route.way.hops) == (KERNEL_PROTOCOL, (Hop(None, first),))
    assert any(prefix == "2001:db8::/64" and r.way.hops == (Hop(None, first),) for (prefix, _), r in found.items())
    assert await own(world) == {}


@pytest.mark.parametrize(
    ("prefix", "gateway", "other"), [(A, "10.0.0.2", "10.0.0.3"), (B, "2001:db8::2", "2001:db8::3")]
)
async def test_add_replace_remove(world: World, first: int, prefix: Prefix, gateway: str, other: str) -> None:
    assert await edit(world, Verb.ADD, prefix, via(gateway)) == []
    assert await own(world) == {str(prefix): via(gateway, first)}
    assert await edit(world, Verb.REPLACE, prefix, via(other, first)) == []
    assert await own(world) == {str(prefix): via(other, first)}
    assert await edit(world, Verb.REMOVE, prefix) == []
    assert await own(world) == {}
    (refusal,) = await edit(world, Verb.REMOVE, prefix)
    assert refusal == Refusal(Verb.REMOVE, prefix.afi, prefix.nlri, errno.ESRCH)


async def test_replacing_nothing_makes_a_route(world: World, first: int) -> None:
    for prefix, gateway in ((A, "10.0.0.2"), (B, "2001:db8::2")):
        assert await edit(world, Verb.REPLACE, prefix, via(gateway)) == []
    assert await own(world) == {str(A): via("10.0.0.2", first), str(B): via("2001:db8::2", first)}


async def test_a_preferred_source(world: World, first: int) -> None:
    for prefix, gateway, source in ((A, "10.0.0.2", "10.0.0.1"), (B, "2001:db8::2", "2001:db8::1")):
        way = Way.of([Hop(ip_address(gateway), first)], ip_address(source))
        assert await edit(world, Verb.ADD, prefix, way) == []
        assert (await own(world))[str(prefix)] == way


async def test_several_hops(world: World, first: int, second: int) -> None:
    for prefix, near, far in ((A, "10.0.0.2", "10.0.1.2"), (B, "2001:db8::2", "2001:db8:0:1::2")):
        both = Way.of([Hop(ip_address(far), second), Hop(ip_address(near), first)])
        for verb, way in ((Verb.ADD, both), (Verb.REPLACE, via(near, first)), (Verb.REPLACE, both)):
            assert await edit(world, verb, prefix, way) == []
            assert (await own(world))[str(prefix)] == way
        assert await edit(world, Verb.REMOVE, prefix) == []
        assert str(prefix) not in await own(world)


async def test_blackholes(world: World) -> None:
    for prefix in (A, B):
        assert await edit(world, Verb.ADD, prefix) == []
    assert await own(world) == {str(A): BLACKHOLE, str(B): BLACKHOLE}
    for prefix in (A, B):
        assert await edit(world, Verb.REMOVE, prefix) == []
    assert await own(world) == {}


async def test_an_ipv4_route_by_an_ipv6_gateway(world: World, first: int) -> None:
    # RFC 8950; link-local gateways as between unnumbered neighbours.
    for gateway in ("2001:db8::2", "fe80::2"):
        assert await edit(world, Verb.REPLACE, A, via(gateway, first)) == []
        assert await own(world) == {str(A): via(gateway, first)}


@pytest.mark.parametrize("text", ["0.0.0.0/0", "::/0", "10.9.9.9/32", "2001:db8:9::9/128", "10.128.0.0/9", "4000::/3"])
async def test_prefixes_of_all_lengths(world: World, first: int, text: str) -> None:
    prefix = Prefix(text)
    way = via("10.0.0.2" if prefix.afi == 1 else "2001:db8::2", first)
    assert await edit(world, Verb.ADD, prefix, way) == []
    assert await own(world) == {text: way}
    assert await edit(world, Verb.REMOVE, prefix) == []


async def test_a_route_of_another_program_is_left_alone(world: World, first: int) -> None:
    for prefix, gateway in ((A, "10.0.0.2"), (B, "2001:db8::2")):
        world.put(str(prefix), gateway, STATIC, 77)
        before = (await others(world))[str(prefix), 77]
        assert [one.error for one in await edit(world, Verb.ADD, prefix)] == [errno.EEXIST]
        assert [one.error for one in await edit(world, Verb.REMOVE, prefix)] == [errno.ESRCH]
        assert (await others(world))[str(prefix), 77] == before
        assert before.protocol == STATIC
    assert await own(world) == {}


async def test_a_route_of_another_metric_is_beside_ours(world: World, first: int) -> None:
    world.put(str(A), "10.0.0.2", STATIC, 5)
    assert await edit(world, Verb.ADD, A, via("10.0.0.3", first)) == []
    assert await own(world) == {str(A): via("10.0.0.3", first)}
    assert (str(A), 5) in await others(world)
    assert await edit(world, Verb.REMOVE, A) == []
    assert (str(A), 5) in await others(world)


async def test_a_gateway_that_nobody_reaches_is_refused_alone(world: World, first: int) -> None:
    for good, bad, gateway, nowhere in (
        (A, Prefix("10.2.0.0/16"), "10.0.0.2", "192.0.2.1"),
        (B, Prefix("2001:db8:2::/48"), "2001:db8::2", "2001:db8:ffff::1"),
    ):
        refused = await world.kernel.edit(
            [
                Edit(Verb.ADD, bad.afi, [bad.nlri], via(nowhere)),
                Edit(Verb.ADD, good.afi, [good.nlri], via(gateway, first)),
            ]
        )
        assert [(one.verb, one.nlri) for one in refused] == [(Verb.ADD, bad.nlri)]
        assert refused[0].error in UNREACHABLE
    assert (await own(world)).keys() == {str(A), str(B)}


async def test_many_at_once(world: World, first: int) -> None:
    keys = [Prefix(f"10.{high}.{low}.0/24").nlri for high in range(16, 20) for low in range(256)]
    taken = keys[:300:100]
    for nlri in taken:
        world.put(str(Prefix.from_nlri(1, nlri)), "10.0.0.9", STATIC, 77)
    refused = await world.kernel.edit([Edit(Verb.ADD, 1, keys, via("10.0.0.2", first))])
    assert [(one.nlri, one.error) for one in refused] == [(nlri, errno.EEXIST) for nlri in taken]
    assert len(await own(world)) == len(keys) - len(taken)
    refused = await world.kernel.edit([Edit(Verb.REMOVE, 1, keys)])
    assert [one.nlri for one in refused] == taken
    assert await own(world) == {}


async def test_what_others_do_is_told_and_what_we_do_is_not(world: World, first: int) -> None:
    for prefix, gateway in ((A, "10.0.0.2"), (B, "2001:db8::2")):
        await edit(world, Verb.ADD, prefix, via(gateway, first))
        world.put(str(prefix), gateway, STATIC, 5)
        world.take(str(prefix), 77)
        found = await happened(world, RouteCame, RouteWent)
        (came,) = (one.route for one in found if isinstance(one, RouteCame) and one.route.nlri == prefix.nlri)
        (went,) = (one.route for one in found if isinstance(one, RouteWent) and one.route.nlri == prefix.nlri)
        assert (came.protocol, came.metric, came.way) == (STATIC, 5, via(gateway, first))
        assert (went.protocol, went.metric, went.way) == (179, 77, via(gateway, first))


async def test_a_route_that_is_taken_over_is_told(world: World, first: int) -> None:
    for prefix, gateway in ((A, "10.0.0.2"), (B, "2001:db8::2")):
        await edit(world, Verb.ADD, prefix, via(gateway, first))
        world.put(str(prefix), gateway, STATIC, 77)
        found = await happened(world, RouteCame)
        while not any(isinstance(one, RouteCame) and one.route.metric == 77 for one in found):
            found += await happened(world, RouteCame)
    assert await own(world) == {}


async def test_a_link_that_goes_down_takes_its_routes_along(world: World, first: int, second: int) -> None:
    await happened(world, LinksChanged)
    for prefix, gateway in ((A, "10.0.0.2"), (B, "2001:db8::2")):
        await edit(world, Verb.ADD, prefix, via(gateway, first))
    kept = Prefix("10.2.0.0/16")
    await edit(world, Verb.ADD, kept, via("10.0.1.2", second))
    world.set_link("one", is_up=False)
    await happened(world, LinksChanged)
    assert (await own(world)).keys() == {str(kept)}
    assert ("10.0.0.0/24", 0) not in await others(world)
    (refusal,) = await edit(world, Verb.ADD, A, via("10.0.0.2"))
    assert refusal.error in UNREACHABLE
    world.set_link("one", is_up=True)
    await happened(world, LinksChanged)
    assert ("10.0.0.0/24", 0) in await others(world)
    assert await edit(world, Verb.ADD, A, via("10.0.0.2")) == []
