"""The network in memory: what cut, stall, delay and heal do to connections."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from bgp.net import Connection, MemoryNetwork, SocketOptions

HERE, THERE = "10.0.0.1", "10.0.0.2"


async def connected(network: MemoryNetwork, nursery: trio.Nursery) -> tuple[Connection, Connection]:
    """Both ends of a connection."""
    send, receive = trio.open_memory_channel[Connection](1)

    async def handler(connection: Connection) -> None:
        await send.send(connection)

    async def listen(task_status: trio.TaskStatus[list[tuple[str, int]]]) -> None:
        await network.transport(THERE).listen([(THERE, 179)], handler, task_status=task_status)

    await nursery.start(listen)
    near = await network.transport(HERE).dial(THERE, 179, options=SocketOptions())
    return near, await receive.receive()


async def test_octets_arrive_in_order_and_in_pieces_of_the_size_asked_for() -> None:
    async with trio.open_nursery() as nursery:
        near, far = await connected(MemoryNetwork(), nursery)
        await near.send_all(b"abc")
        await near.send_all(b"de")
        assert await far.receive_some(4) == b"abcd"
        assert await far.receive_some(4) == b"e"
        await near.aclose()
        assert await far.receive_some(4) == b""
        with pytest.raises(trio.BrokenResourceError):
            await far.send_all(b"f")
        nursery.cancel_scope.cancel()


async def test_a_stalled_way_says_nothing_and_delivers_after_it_is_healed(autojump_clock: MockClock) -> None:
    network = MemoryNetwork()
    async with trio.open_nursery() as nursery:
        near, far = await connected(network, nursery)
        network.stall(HERE, THERE)
        await near.send_all(b"late")
        with trio.move_on_after(1000) as scope:
            await far.receive_some(10)
        assert scope.cancelled_caught
        with trio.move_on_after(1000) as scope:
            await network.transport(HERE).dial(THERE, 179, options=SocketOptions())
        assert scope.cancelled_caught, "who dials waits"
        network.heal(HERE, THERE)
        assert await far.receive_some(10) == b"late"
        nursery.cancel_scope.cancel()


async def test_who_hangs_up_on_a_stalled_way_is_not_heard(autojump_clock: MockClock) -> None:
    network = MemoryNetwork()
    async with trio.open_nursery() as nursery:
        near, far = await connected(network, nursery)
        network.stall(HERE, THERE)
        await near.aclose()
        assert await near.receive_some(10) == b""
        await far.send_all(b"are you there?")
        with trio.move_on_after(1000) as scope:
            await far.receive_some(10)
        assert scope.cancelled_caught
        network.heal(HERE, THERE)
        assert await far.receive_some(10) == b""
        nursery.cancel_scope.cancel()


async def test_a_delay_keeps_the_order_and_says_when_all_will_have_arrived(autojump_clock: MockClock) -> None:
    network = MemoryNetwork()
    async with trio.open_nursery() as nursery:
        near, far = await connected(network, nursery)
        await near.send_all(b"1")
        network.delay(HERE, THERE, 2.0)
        await near.send_all(b"2")
        network.delay(HERE, THERE, 1.0)
        await near.send_all(b"3")
        began = trio.current_time()
        assert network.last_arrival == began + 2
        assert await far.receive_some(10) == b"1"
        assert await far.receive_some(1) == b"2"
        assert trio.current_time() == began + 2
        assert await far.receive_some(10) == b"3"
        assert network.last_arrival is None
        nursery.cancel_scope.cancel()


async def test_a_cut_breaks_connections_and_refuses_new_ones() -> None:
    network = MemoryNetwork()
    async with trio.open_nursery() as nursery:
        near, far = await connected(network, nursery)
        network.cut(HERE, THERE)
        assert await far.receive_some(10) == b""
        assert await near.receive_some(10) == b""
        with pytest.raises(OSError, match="No route to host"):
            await network.transport(HERE).dial(THERE, 179, options=SocketOptions())
        network.heal(HERE, THERE)
        await network.transport(HERE).dial(THERE, 179, options=SocketOptions())
        nursery.cancel_scope.cancel()


async def test_a_sender_waits_while_the_buffer_is_full() -> None:
    async with trio.open_nursery() as nursery:
        near, far = await connected(MemoryNetwork(), nursery)
        sent: list[int] = []

        async def flood() -> None:
            for number in range(4):
                await near.send_all(bytes(1 << 17))
                sent.append(number)

        nursery.start_soon(flood)
        await wait_all_tasks_blocked()
        assert sent == [0, 1]
        await far.receive_some(1 << 18)
        await wait_all_tasks_blocked()
        assert sent == [0, 1, 2, 3]
        nursery.cancel_scope.cancel()
