"""What only the real kernel does: tables that are not there, news that are lost, what is left of a list that was cancelled."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from ipaddress import ip_address

import pytest
import trio
from kernels import RealWorld, real_world

from bgp.net.kernel.model import Edit, EventsLost, Hop, KernelOptions, LinksChanged, RouteCame, Verb, Way
from bgp.net.kernel.serve import open_kernel
from rib.prefix import Prefix

pytest.importorskip("pyroute2")

from bgp.net.kernel import netlink

pytestmark = pytest.mark.interop

KEYS = [Prefix(f"10.{high}.{low}.0/24").nlri for high in range(16, 32) for low in range(256)]


@pytest.fixture
def options() -> KernelOptions:
    return KernelOptions()


@pytest.fixture
async def world(options: KernelOptions) -> Iterator[RealWorld]:  # type: ignore[misc]  # pytest-trio's fixture
    if os.geteuid():
        if os.environ.get("BGP_REQUIRE_INTEROP"):
            pytest.fail("a network namespace needs root")
        pytest.skip("a network namespace needs root")
    with real_world(options) as made:
        yield made


async def test_the_kernel_of_this_machine_has_a_loopback(options: KernelOptions) -> None:
    kernel = open_kernel(options)
    try:
        assert "lo" in {link.name for link in (await kernel.links()).values()}
    finally:
        kernel.close()


@pytest.mark.parametrize("options", [KernelOptions(table=77), KernelOptions(table=70_000)])
async def test_a_table_of_our_own_need_not_be_there(world: RealWorld) -> None:
    world.add_link("one", "10.0.0.1/24")
    assert await world.kernel.routes(own=True) == []
    way = Way.of([Hop(ip_address("10.0.0.2"), 0)])
    assert await world.kernel.edit([Edit(Verb.ADD, 1, KEYS[:3], way)]) == []
    assert len(await world.kernel.routes(own=True)) == 3
    assert await world.kernel.routes(own=False) == []
    assert len(world.run("ip", "route", "show", "table", str(world.kernel.options.table)).splitlines()) == 3  # type: ignore[attr-defined]


async def test_news_that_are_lost_are_told_to_be(world: RealWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(netlink, "BUFFER", 4096)
    deaf = world.within(lambda: netlink.NetlinkKernel(KernelOptions()))
    for number in range(40):
        world.add_link(f"link{number}", f"10.{number}.0.1/24")
    found: list[object] = []
    with trio.fail_after(10):
        while EventsLost() not in found:
            found += await deaf.events()
    deaf.close()


async def test_links_and_addresses_are_news(world: RealWorld) -> None:
    world.add_link("one", "10.0.0.1/24")
    found: list[object] = []
    with trio.fail_after(10):
        while not any(isinstance(event, RouteCame) for event in found):
            found += await world.kernel.events()
    assert LinksChanged() in found


async def test_a_list_that_was_cancelled_does_not_disturb_the_next_question(world: RealWorld) -> None:
    link = world.add_link("one", "10.0.0.1/24")
    way = Way.of([Hop(ip_address("10.0.0.2"), link)])
    assert await world.kernel.edit([Edit(Verb.ADD, 1, KEYS, way)]) == []
    for steps in range(4):
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_cancel_after, scope, steps)
                await world.kernel.routes(own=True)
        assert scope.cancelled_caught
        assert len(await world.kernel.routes(own=True)) == len(KEYS)


async def _cancel_after(scope: trio.CancelScope, steps: int) -> None:
    for _ in range(steps):
        await trio.lowlevel.checkpoint()
    scope.cancel()


async def test_routes_of_very_many_ways_go_in_pieces_that_a_socket_takes(world: RealWorld) -> None:
    link = world.add_link("one", "10.0.0.1/24")
    way = Way.of([Hop(ip_address(f"10.0.0.{number}"), link) for number in range(2, 202)])
    assert await world.kernel.edit([Edit(Verb.ADD, 1, KEYS[:200], way)]) == []
    found = await world.kernel.routes(own=True)
    assert {route.way for route in found} == {way}
    assert len(found) == 200


async def test_the_next_edits_are_asked_for_while_those_before_are_done(world: RealWorld) -> None:
    """And who asks is not left waiting: what was begun is brought to its end when somebody gives up."""
    link = world.add_link("one", "10.0.0.1/24")
    way = Way.of([Hop(ip_address("10.0.0.2"), link)])

    def edits() -> Iterator[Edit]:
        yield Edit(Verb.ADD, 1, KEYS, way)
        raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        await world.kernel.edit(edits())
    there = len(await world.kernel.routes(own=True))
    refused = await world.kernel.edit([Edit(Verb.ADD, 1, KEYS, way)])
    assert len(refused) == there
    assert len(await world.kernel.routes(own=True)) == len(KEYS)


async def test_an_edit_that_is_given_up_leaves_answers_for_nobody(world: RealWorld) -> None:
    link = world.add_link("one", "10.0.0.1/24")
    way = Way.of([Hop(ip_address("10.0.0.2"), link)])
    for steps in range(6):
        with trio.CancelScope() as scope:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_cancel_after, scope, steps)
                await world.kernel.edit([Edit(Verb.ADD, 1, KEYS, way)])
        there = {route.nlri for route in await world.kernel.routes(own=True)}
        gone = await world.kernel.edit([Edit(Verb.REMOVE, 1, KEYS)])
        assert {one.nlri for one in gone} == set(KEYS) - there


async def test_every_refusal_is_heard_even_where_the_kernel_has_little_room_for_answers(
    world: RealWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(netlink, "BUFFER", 1 << 18)
    link = world.add_link("one", "10.0.0.1/24")
    kernel = world.within(lambda: netlink.NetlinkKernel(KernelOptions()))
    way, nowhere = (Way.of([Hop(ip_address(gateway), link)]) for gateway in ("10.0.0.2", "192.0.2.1"))
    refused = await kernel.edit([Edit(Verb.ADD, 1, KEYS, nowhere), Edit(Verb.ADD, 1, KEYS[:1000], way)])
    assert [(one.nlri, one.error) for one in refused] == [(nlri, errno.ENETUNREACH) for nlri in KEYS]
    refused = await kernel.edit([Edit(Verb.ADD, 1, KEYS, way)])
    assert [(one.nlri, one.error) for one in refused] == [(nlri, errno.EEXIST) for nlri in KEYS[:1000]]
    kernel.close()
