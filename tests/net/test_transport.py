"""What every transport does, TCP on loopback and memory alike; and what only TCP can: MD5 and GTSM."""

from __future__ import annotations

import errno
import os
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest
import trio

from bgp import LocalError, PeerOptions, accept
from bgp.message import Keepalive, Notification
from bgp.net import Connection, MemoryNetwork, SocketOptions, Speaker, TcpTransport, Transport, open_speaker
from bgp.net.sockets import MD5_KEY_MAX, PLAIN, host, set_md5
from bgp.wire.codec import encode
from fsm.words import State
from rib.family import IPV6_UNICAST


def loopback() -> tuple[Transport, Transport]:
    return TcpTransport(), TcpTransport()


def memory() -> tuple[Transport, Transport]:
    network = MemoryNetwork()
    return network.transport("127.0.0.1"), network.transport("127.0.0.2")


both = pytest.mark.parametrize("transports", [loopback, memory])
Transports = Callable[[], tuple[Transport, Transport]]


@asynccontextmanager
async def listening(transport: Transport, address: str = "127.0.0.1") -> AsyncIterator[tuple[int, list[Connection]]]:
    """The port that `transport` listens on, and the connections that came in."""
    accepted: list[Connection] = []

    async def handler(connection: Connection) -> None:
        accepted.append(connection)
        await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        ((_, port),) = await nursery.start(_listen, transport, address, handler)
        yield port, accepted
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def dialling(
    transport: Transport, port: int, local_address: str | None = None, options: SocketOptions = PLAIN
) -> AsyncIterator[Connection]:
    """A connection to 127.0.0.1, closed in the end."""
    connection = await transport.dial("127.0.0.1", port, local_address=local_address, options=options)
    try:
        yield connection
    finally:
        await connection.aclose()


async def _listen(transport: Transport, address: str, handler, *, task_status) -> None:  # type: ignore[no-untyped-def]
    await transport.listen([(address, 0)], handler, task_status=task_status)


async def _until(condition: Callable[[], object]) -> None:
    with trio.fail_after(5):
        while not condition():
            await trio.lowlevel.checkpoint()


@both
async def test_octets_go_both_ways_in_order(transports: Transports) -> None:
    here, there = transports()
    async with listening(here) as (port, accepted), dialling(there, port, "127.0.0.2") as dialled:
        await _until(lambda: accepted)
        assert dialled.local[0] == "127.0.0.2"
        assert dialled.remote == ("127.0.0.1", port)
        assert accepted[0].remote == dialled.local
        assert accepted[0].local == dialled.remote
        await dialled.send_all(b"one")
        await dialled.send_all(b"two")
        heard = b""
        while len(heard) < 6:
            heard += await accepted[0].receive_some(4)
        assert heard == b"onetwo"
        await accepted[0].send_all(b"three")
        assert await dialled.receive_some(100) == b"three"


@both
async def test_a_closed_connection_ends_the_stream_of_the_other_side(transports: Transports) -> None:
    here, there = transports()
    async with listening(here) as (port, accepted), dialling(there, port) as dialled:
        await dialled.send_all(b"last")
        await dialled.aclose()
        await dialled.aclose()
        await _until(lambda: accepted)
        assert await accepted[0].receive_some(100) == b"last"
        assert await accepted[0].receive_some(100) == b""


@both
async def test_who_does_not_listen_cannot_be_dialled(transports: Transports) -> None:
    here, there = transports()
    async with listening(here) as (port, _):
        pass
    with pytest.raises(OSError, match="refused"):
        await there.dial("127.0.0.1", port, options=PLAIN)


@both
async def test_an_address_that_is_not_ours_cannot_be_dialled_from(transports: Transports) -> None:
    here, there = transports()
    async with listening(here) as (port, _):
        with pytest.raises(OSError) as caught:  # noqa: PT011 # the number is looked at
            await there.dial("127.0.0.1", port, local_address="192.0.2.1", options=PLAIN)
        assert caught.value.errno == errno.EADDRNOTAVAIL


@both
async def test_an_endpoint_is_listened_on_once(transports: Transports) -> None:
    here, _ = transports()
    async with listening(here) as (port, _):
        with pytest.raises(BaseExceptionGroup) as caught:
            async with trio.open_nursery() as nursery:
                await nursery.start(_listen_on, here, port)
        assert caught.group_contains(OSError, match="cannot listen on 127.0.0.1 port")


async def _listen_on(transport: Transport, port: int, *, task_status) -> None:  # type: ignore[no-untyped-def]
    async def handler(connection: Connection) -> None:
        await connection.aclose()

    await transport.listen([("127.0.0.1", port)], handler, task_status=task_status)


@both
async def test_a_slow_reader_makes_the_writer_wait(transports: Transports) -> None:
    here, there = transports()
    async with listening(here) as (port, accepted), dialling(there, port) as dialled:
        await _until(lambda: accepted)
        sent = 0
        with trio.move_on_after(0.2) as scope:
            while sent < 1 << 30:
                await dialled.send_all(bytes(1 << 18))
                sent += 1 << 18
        assert scope.cancelled_caught
        heard = 0
        while heard < sent:
            heard += len(await accepted[0].receive_some(1 << 20))


# TCP only.


def has_md5() -> bool:
    async def try_it() -> bool:
        with trio.socket.socket() as sock:
            try:
                set_md5(sock, "127.0.0.1", "x")
            except OSError:
                return False
        return True

    return sys.platform == "linux" and trio.run(try_it)


needs_linux = pytest.mark.skipif(sys.platform != "linux", reason="socket options of Linux")
needs_md5 = pytest.mark.skipif(not has_md5(), reason="this kernel has no TCP-MD5 (CONFIG_TCP_MD5SIG)")


@asynccontextmanager
async def speakers(
    one: dict[str, object], two: dict[str, object], addresses: tuple[str, str] = ("127.0.0.1", "127.0.0.2")
) -> AsyncIterator[tuple[Speaker, Speaker]]:
    """A speaker that waits at the first address, and one that dials it from the second."""
    text = f"[{addresses[0]}]:0" if ":" in addresses[0] else f"{addresses[0]}:0"
    policies = {"import_policy": accept, "export_policy": accept}
    async with (
        open_speaker(asn=65001, router_id="10.0.0.1", listen=[text]) as near,
        open_speaker(asn=65002, router_id="10.0.0.2") as far,
    ):
        await near.add_peer(addresses[1], asn=65002, passive=True, **policies | one)
        port = near.listening[0][1]
        await far.add_peer(
            addresses[0], asn=65001, port=port, local_address=addresses[1], connect_retry_time=1.0, **policies | two
        )
        yield near, far


@pytest.mark.parametrize("addresses", [("127.0.0.1", "127.0.0.2"), ("::1", "::1")])
async def test_speakers_exchange_routes_over_tcp(addresses: tuple[str, str]) -> None:
    async with speakers({}, {}, addresses) as (near, far):
        changes = far.loc_rib.changes()
        with trio.fail_after(5):
            await near.wait_established()
            near.announce("2001:db8:1::/48", next_hop="2001:db8::1")
            change = await anext(changes)
        assert change.family == IPV6_UNICAST
        assert str(change.prefix) == "2001:db8:1::/48"


@needs_md5
@pytest.mark.parametrize("addresses", [("127.0.0.1", "127.0.0.2"), ("::1", "::1")])
async def test_both_sides_with_the_password_come_up(addresses: tuple[str, str]) -> None:
    async with speakers({"password": "s3cret"}, {"password": "s3cret"}, addresses) as (near, far):
        with trio.fail_after(5):
            await near.wait_established()
            await far.wait_established()


@needs_md5
@pytest.mark.parametrize("password", ["wrong", None])
async def test_without_the_password_nobody_connects(password: str | None) -> None:
    here, there = loopback()
    here.protect("127.0.0.2", SocketOptions("s3cret"))
    async with listening(here) as (port, accepted):
        with trio.move_on_after(0.1) as scope:
            await there.dial("127.0.0.1", port, local_address="127.0.0.2", options=SocketOptions(password))
        assert scope.cancelled_caught
        assert not accepted
        async with dialling(there, port, "127.0.0.3"):
            pass  # others need none
        here.protect("127.0.0.2", PLAIN)
        async with dialling(there, port, "127.0.0.2"):
            pass  # and this one needs none any more


@needs_md5
async def test_a_password_that_is_too_long_is_refused() -> None:
    async with open_speaker(asn=65001, router_id="10.0.0.1", listen=["127.0.0.1:0"]) as speaker:
        with pytest.raises(LocalError, match=f"at most {MD5_KEY_MAX} octets"):
            await speaker.add_peer("127.0.0.2", asn=65002, password="x" * 81)
        assert speaker.peers == {}
        await speaker.add_peer("127.0.0.2", asn=65002, password="x" * 80)


@needs_linux
@pytest.mark.parametrize("addresses", [("127.0.0.1", "127.0.0.2"), ("::1", "::1")])
async def test_ttl_security_lets_the_near_ones_in(addresses: tuple[str, str]) -> None:
    async with speakers({"ttl_security": True}, {"ttl_security": True}, addresses) as (near, far):
        with trio.fail_after(5):
            await near.wait_established()
            await far.wait_established()


@needs_linux
async def test_ttl_security_does_not_believe_a_low_ttl() -> None:
    here, there = loopback()
    here.protect("127.0.0.2", SocketOptions(ttl=255, min_ttl=255))
    async with (
        listening(here) as (port, accepted),
        dialling(there, port, "127.0.0.2", SocketOptions(ttl=64)) as dialled,
    ):
        await _until(lambda: accepted)
        await dialled.send_all(b"believe me")
        with trio.move_on_after(0.1) as scope:
            await accepted[0].receive_some(100)
        assert scope.cancelled_caught


@needs_linux
async def test_a_dialling_side_with_ttl_security_does_not_believe_a_low_ttl() -> None:
    here, there = loopback()
    async with listening(here) as (port, _):
        with trio.move_on_after(0.1) as scope:
            async with dialling(there, port, None, SocketOptions(ttl=255, min_ttl=255)):
                pytest.fail("a handshake with a TTL of 64 was believed")
        assert scope.cancelled_caught


async def test_a_stranger_is_hung_up_on() -> None:
    async with open_speaker(asn=65001, router_id="10.0.0.1", listen=["127.0.0.1:0"]) as speaker:
        await speaker.add_peer("127.0.0.2", asn=65002, passive=True)
        stream = await trio.open_tcp_stream(*speaker.listening[0], local_address="127.0.0.3")
        with trio.fail_after(5):
            assert await stream.receive_some(100) == b""
        await stream.aclose()


async def test_connections_that_are_reset_at_once_do_no_harm() -> None:
    async with open_speaker(asn=65001, router_id="10.0.0.1", listen=["127.0.0.1:0"]) as speaker:
        peer = await speaker.add_peer("127.0.0.2", asn=65002, passive=True)
        for _ in range(20):
            with socket.socket() as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
                sock.bind(("127.0.0.2", 0))
                sock.connect(speaker.listening[0])
        await _until(lambda: peer.state in (State.ACTIVE, State.IDLE))


async def test_octets_that_are_not_bgp_get_their_notification_and_harm_nobody_else() -> None:
    async with speakers({}, {}) as (near, far):
        with trio.fail_after(5):
            await near.wait_established()
        await near.add_peer("127.0.0.3", asn=65003, passive=True)
        stream = await trio.open_tcp_stream(*near.listening[0], local_address="127.0.0.3")
        await stream.send_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        heard = b""
        with trio.fail_after(5):
            while octets := await stream.receive_some(1000):
                heard += octets
        await stream.aclose()
        assert heard.endswith(encode(Notification(1, 1)))
        assert near.peers["127.0.0.3"].last_sent == Notification(1, 1)
        assert far.peers["127.0.0.1"].state is State.ESTABLISHED


async def test_octets_one_by_one_lose_nothing() -> None:
    async with open_speaker(asn=65001, router_id="10.0.0.1", listen=["127.0.0.1:0"]) as speaker:
        peer = await speaker.add_peer("127.0.0.2", asn=65002, passive=True, import_policy=accept)
        stream = await trio.open_tcp_stream(*speaker.listening[0], local_address="127.0.0.2")
        body = bytes.fromhex("04 fdea 005a 0a000002 00")
        opening = b"\xff" * 16 + bytes((0, 29, 1)) + body
        for octet in opening + encode(Keepalive()):
            await stream.send_all(bytes((octet,)))
            await trio.lowlevel.checkpoint()
        with trio.fail_after(5):
            await peer.wait_established()
        route = bytes.fromhex("0000 0012 40010100 400204 0201fdea 400304 7f000002 180a0101")
        changes = speaker.loc_rib.changes()
        for octet in b"\xff" * 16 + bytes((0, 19 + len(route), 2)) + route:
            await stream.send_all(bytes((octet,)))
            await trio.lowlevel.checkpoint()
        with trio.fail_after(5):
            change = await anext(changes)
        assert str(change.prefix) == "10.1.1.0/24"
        await stream.aclose()


async def test_a_port_that_is_taken_is_an_error_that_says_so() -> None:
    async with open_speaker(asn=65001, router_id="10.0.0.1", listen=["127.0.0.1:0"]) as speaker:
        port = speaker.listening[0][1]
        with pytest.raises(OSError, match=f"cannot listen on 127.0.0.1 port {port}: {os.strerror(errno.EADDRINUSE)}"):
            async with open_speaker(asn=65002, router_id="10.0.0.2", listen=[f"127.0.0.1:{port}"]):
                pass


async def test_a_failed_dial_says_what_happened() -> None:
    async with listening(TcpTransport()) as (port, _):
        pass
    async with open_speaker(asn=65001, router_id="10.0.0.1") as speaker:
        peer = await speaker.add_peer("127.0.0.1", asn=65002, port=port)
        await _until(lambda: peer.connect_error)
        assert peer.connect_error == f"cannot connect to 127.0.0.1 port {port}: Connection refused"
        assert peer.why_down == peer.connect_error


def test_addresses_are_compared_in_one_form() -> None:
    assert host("2001:DB8:0::1") == "2001:db8::1"
    assert host("fe80::1%eth0") == "fe80::1"
    assert PeerOptions("127.0.0.1", 1).password is None
