"""A speaker inside an asyncio program: trio as a guest, on memory and on loopback."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any

import pytest
import trio

from bgp import LocalError, accept, aio
from bgp.net import MemoryNetwork, PeerChange
from fsm.words import State
from rib.attributes import Attributes
from rib.route import Change

Test = Callable[..., Coroutine[Any, Any, None]]


def on_asyncio(test: Test) -> Callable[..., None]:
    """Run a test on asyncio's loop, for ten seconds at most."""

    @wraps(test)
    def run(**arguments: object) -> None:
        async def limited() -> None:
            async with asyncio.timeout(10):
                await test(**arguments)

        asyncio.run(limited())

    return run


@asynccontextmanager
async def pair(**options: object) -> AsyncIterator[tuple[aio.Speaker, aio.Speaker]]:
    """Two speakers that are each other's peers, in memory."""
    network = MemoryNetwork()
    policies = {"import_policy": accept, "export_policy": accept} | options
    async with (
        aio.open_guest() as guest,
        guest.open_speaker(
            asn=65001, router_id="10.0.0.1", listen=["10.0.0.1:179"], transport=network.transport("10.0.0.1")
        ) as one,
        guest.open_speaker(
            asn=65002, router_id="10.0.0.2", listen=["10.0.0.2:179"], transport=network.transport("10.0.0.2")
        ) as two,
    ):
        await one.add_peer("10.0.0.2", asn=65002, **policies)
        await two.add_peer("10.0.0.1", asn=65001, **policies)
        await asyncio.gather(one.wait_established(), two.wait_established())
        yield one, two


async def first(changes: AsyncIterator[Change]) -> Change:
    try:
        return await anext(changes)
    finally:
        await changes.aclose()  # type: ignore[attr-defined]  # a generator


@on_asyncio
async def test_a_speaker_runs_beside_other_tasks() -> None:
    async with pair() as (one, two):
        ticks = 0

        async def tick() -> None:
            nonlocal ticks
            while True:
                ticks += 1
                await asyncio.sleep(0)

        beside = asyncio.create_task(tick())
        await one.announce("10.1.0.0/16", communities=["65001:7"])
        change = await first(two.changes(existing=True))
        assert str(change.prefix) == "10.1.0.0/16"
        assert change.new is not None
        assert [str(c) for c in change.new.attributes.communities] == ["65001:7"]
        assert ticks > 0
        beside.cancel()


@on_asyncio
async def test_changes_are_read_with_async_for() -> None:
    async with pair() as (one, two):
        seen: asyncio.Queue[str] = asyncio.Queue()

        async def read() -> None:
            async for change in two.changes(existing=True):
                seen.put_nowait(f"{'-' if change.new is None else '+'}{change.prefix}")

        reading = asyncio.create_task(read())
        await one.announce_all(["10.1.0.0/16", "10.2.0.0/16"], Attributes())
        assert [await seen.get(), await seen.get()] == ["+10.1.0.0/16", "+10.2.0.0/16"]
        await one.withdraw("10.2.0.0/16")
        assert await seen.get() == "-10.2.0.0/16"
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert two.statistics().routes == 1
        assert len(two.loc_rib) == 1


@on_asyncio
async def test_peers_come_and_go() -> None:
    async with pair() as (one, two):
        (peer,) = one.peers
        assert peer.state is State.ESTABLISHED
        await two.remove_peer("10.0.0.1")
        await peer.wait_down()
        assert "6/3" in peer.why_down
        assert two.peers == []


@on_asyncio
async def test_errors_come_to_who_asked() -> None:
    async with pair() as (one, _):
        with pytest.raises(LocalError, match="is a peer already"):
            await one.add_peer("10.0.0.2", asn=65002)
        with pytest.raises(LocalError, match="not announced"):
            await one.withdraw("10.9.0.0/16")
        with pytest.raises(ValueError, match="nonsense"):
            await one.announce("nonsense")
        assert one.peers[0].state is State.ESTABLISHED


@on_asyncio
async def test_what_cannot_be_opened_is_said_at_once() -> None:
    async with aio.open_speaker(asn=65001, router_id="10.0.0.1", listen=["127.0.0.1:0"]) as speaker:
        ((_, port),) = speaker.listening
        assert port > 0
    with pytest.raises(LocalError, match="needs an AS number"):
        async with aio.open_speaker():
            pass


@on_asyncio
async def test_a_port_that_is_taken_is_said_and_leaves_nothing_behind() -> None:
    async with (
        aio.open_guest() as guest,
        guest.open_speaker(asn=65001, router_id="10.0.0.1", listen=["127.0.0.1:0"]) as speaker,
    ):
        ((_, port),) = speaker.listening
        with pytest.raises(OSError, match="cannot listen"):
            async with guest.open_speaker(asn=65002, router_id="10.0.0.2", listen=[f"127.0.0.1:{port}"]):
                pass
        assert speaker.statistics().peers == 0


@on_asyncio
async def test_the_programs_own_exception_comes_out_as_it_was() -> None:
    class Mine(Exception):
        pass

    with pytest.raises(Mine):
        async with aio.open_speaker(asn=65001, router_id="10.0.0.1"):
            raise Mine


@on_asyncio
async def test_what_breaks_in_trio_ends_the_body_and_comes_out() -> None:
    def broken(change: PeerChange) -> None:
        if change.new is State.ESTABLISHED:
            raise ZeroDivisionError("in an observer")

    network = MemoryNetwork()

    async def program() -> None:
        async with (
            aio.open_guest() as guest,
            guest.open_speaker(
                asn=65001, router_id="10.0.0.1", listen=["10.0.0.1:179"], transport=network.transport("10.0.0.1")
            ) as one,
            guest.open_speaker(
                asn=65002, router_id="10.0.0.2", transport=network.transport("10.0.0.2"), observer=broken
            ) as two,
        ):
            await one.add_peer("10.0.0.2", asn=65002, passive=True)
            await two.add_peer("10.0.0.1", asn=65001)
            await asyncio.sleep(9)
            pytest.fail("the body went on")

    with pytest.raises(ZeroDivisionError, match="in an observer"):
        await program()
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0


@on_asyncio
async def test_what_breaks_while_a_peer_is_added_comes_to_who_adds_it() -> None:
    def broken(change: PeerChange) -> None:
        raise ZeroDivisionError(f"at {change.new.title}")

    async with aio.open_guest() as guest:
        with pytest.raises(ZeroDivisionError, match="at Active"):
            async with guest.open_speaker(asn=65001, router_id="10.0.0.1", observer=broken) as speaker:
                await speaker.add_peer("10.0.0.2", asn=65002, passive=True)
        assert speaker.peers == []


@on_asyncio
async def test_cancelling_the_program_ends_the_sessions_with_cease() -> None:
    network = MemoryNetwork()
    async with (
        aio.open_guest() as guest,
        guest.open_speaker(
            asn=65001, router_id="10.0.0.1", listen=["10.0.0.1:179"], transport=network.transport("10.0.0.1")
        ) as one,
    ):
        peer = await one.add_peer("10.0.0.2", asn=65002)

        async def program() -> None:
            async with guest.open_speaker(
                asn=65002, router_id="10.0.0.2", listen=["10.0.0.2:179"], transport=network.transport("10.0.0.2")
            ) as two:
                await two.add_peer("10.0.0.1", asn=65001)
                await asyncio.sleep(100)

        running = asyncio.create_task(program())
        await peer.wait_established()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await peer.wait_down()
        assert "6/2" in peer.why_down


@on_asyncio
async def test_a_cancelled_call_is_cancelled_in_trio() -> None:
    ended: list[str] = []

    async def wait() -> None:
        try:
            await trio.sleep_forever()
        except trio.Cancelled:
            ended.append("cancelled")
            raise

    async with aio.open_guest() as guest:
        task = asyncio.create_task(guest.call(wait))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert ended == ["cancelled"]


@on_asyncio
async def test_a_closed_speaker_says_so() -> None:
    async with aio.open_speaker(asn=65001, router_id="10.0.0.1") as speaker:
        waiting = asyncio.create_task(speaker.add_peer("10.0.0.2", asn=65002, passive=True))
        peer = await waiting
        late = asyncio.create_task(peer.wait_established())
        await asyncio.sleep(0.01)
    with pytest.raises(LocalError, match="closed"):
        await late
    with pytest.raises(LocalError, match="closed"):
        await speaker.announce("10.1.0.0/16")


@on_asyncio
async def test_another_speaker_may_follow() -> None:
    for _ in range(3):
        async with aio.open_speaker(asn=65001, router_id="10.0.0.1") as speaker:
            await speaker.announce("10.1.0.0/16")
            assert speaker.statistics().routes == 1


@on_asyncio
async def test_draining_from_asyncio() -> None:
    async with pair() as (one, two):
        await one.announce("10.1.0.0/16")
        await first(two.changes(existing=True))

        watches = asyncio.Event()

        async def gone() -> None:
            async for change in two.changes(existing=True):
                watches.set()
                if change.new is None:
                    return

        watching = asyncio.create_task(gone())
        await watches.wait()
        await one.drain(0.0)
        await watching
        assert two.statistics().routes == 0
