"""Bells: wake who waits now, remember nothing."""

import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from bgp.net.bell import Bell


async def test_a_bell_wakes_all_who_wait_and_only_those() -> None:
    bell, woken = Bell(), list[str]()

    async def wait(name: str) -> None:
        await bell.wait()
        woken.append(name)

    async with trio.open_nursery() as nursery:
        nursery.start_soon(wait, "a")
        nursery.start_soon(wait, "b")
        await wait_all_tasks_blocked()
        bell.ring()
        nursery.start_soon(wait, "c")
        await wait_all_tasks_blocked()
        assert sorted(woken) == ["a", "b"]
        bell.ring()
    assert sorted(woken) == ["a", "b", "c"]


async def test_a_ring_that_nobody_heard_is_forgotten(autojump_clock: MockClock) -> None:
    bell = Bell()
    bell.ring()
    with trio.move_on_after(5) as scope:
        await bell.wait()
    assert scope.cancelled_caught
