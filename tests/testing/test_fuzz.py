"""The fuzzer against a speaker that does right, and against some that do not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from ipaddress import IPv4Address

import pytest
import trio

from bgp.error import LocalError, PeerError
from bgp.message import Keepalive
from bgp.net import open_speaker
from bgp.options import PeerOptions
from bgp.testing.fuzz import fuzz
from bgp.testing.opens import open_probes, usual
from bgp.testing.probes import ENDED, TAKEN, Outcome
from bgp.testing.report import FuzzOptions, FuzzReport
from bgp.wire.codec import encode
from bgp.wire.open import decode_open, validate_open
from rib.policy import accept

SEEN: list[FuzzReport] = []


def options(port: int, **more: object) -> FuzzOptions:
    chosen = {"local_address": "127.0.0.2", "patience": 20.0, "quiet": 0.02, "opens": 0, "resets": 0} | more
    return FuzzOptions("127.0.0.1", port, **chosen)  # type: ignore[arg-type]


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with open_speaker(asn=65000, router_id="10.0.0.1", listen=["127.0.0.1:0"]) as speaker:
        for address, asn in (("127.0.0.2", 65001), ("127.0.0.3", 65000)):
            await speaker.add_peer(PeerOptions(address, asn, passive=True, import_policy=accept, export_policy=accept))
        yield speaker.listening[0][1]


async def test_our_speaker_does_right(port: int) -> None:
    report = await fuzz(options(port, watch_address="127.0.0.3", examples=40), SEEN.append)
    assert report.is_clean, (report.findings, report.lost)
    assert report.examples == 40
    assert report.peer_asn == 65000


async def serve(
    wrong: Callable[[bytes], bool], *, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED
) -> None:
    """A speaker that hangs up on what it should not."""

    async def session(stream: trio.SocketStream) -> None:
        if wrong(bytes(19)):
            return
        await stream.send_all(usual(65000, IPv4Address("10.0.0.1")).octets())
        async for octets in stream:
            if octets[18] == 1:
                await stream.send_all(encode(Keepalive()))
            if wrong(octets):
                return

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, session, listeners)
        task_status.started(listeners[0].socket.getsockname()[1])


async def relay(*, task_status: trio.TaskStatus[int] = trio.TASK_STATUS_IGNORED) -> None:
    """A speaker that believes everything: it passes on, octet for octet, what 127.0.0.2 says."""
    watchers: list[trio.SocketStream] = []

    async def session(stream: trio.SocketStream) -> None:
        await stream.send_all(usual(65000, IPv4Address("10.0.0.1")).octets())
        async for octets in stream:
            if octets[18] == 1:
                await stream.send_all(encode(Keepalive()))
                if stream.socket.getpeername()[0] == "127.0.0.3":
                    watchers.append(stream)
            elif stream not in watchers:
                for watcher in watchers:
                    await watcher.send_all(octets)

    async with trio.open_nursery() as nursery:
        listeners = await trio.open_tcp_listeners(0, host="127.0.0.1")
        nursery.start_soon(trio.serve_listeners, session, listeners)
        task_status.started(listeners[0].socket.getsockname()[1])


async def test_a_wrong_reaction_is_found_and_shrunk(nursery: trio.Nursery) -> None:
    port = await nursery.start(relay)
    report = await fuzz(options(port, watch_address="127.0.0.3", examples=300, findings=1), SEEN.append)
    (finding,) = report.findings
    assert len(finding.probe.faults) == 1
    assert (finding.outcome, finding.expected) == (Outcome.TAKEN, Outcome.WITHDRAWN.value)
    assert len(finding.probe.octets) < 64
    assert not report.is_clean


async def test_a_speaker_that_does_not_come_back_is_lost(nursery: trio.Nursery) -> None:
    gone: list[bytes] = []

    def dies(octets: bytes) -> bool:
        if octets[18] == 2:
            gone.append(octets)
        return bool(gone)

    port = await nursery.start(serve, dies)
    report = await fuzz(options(port, examples=20, patience=0.5, quiet=20.0), SEEN.append)
    assert "no session with 127.0.0.1" in report.lost
    assert report.last == gone[0]


@pytest.mark.parametrize("address", ["8.8.8.8", "2001:4860:4860::8888"])
def test_strangers_are_not_fuzzed(address: str) -> None:
    with pytest.raises(LocalError, match="--yes"):
        FuzzOptions(address).check()
    FuzzOptions(address, any_target=True).check()


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.1.2.3", "192.168.0.1", "fe80::1%eth0", "fd00::1"])
def test_what_is_our_own_is_fuzzed(address: str) -> None:
    FuzzOptions(address).check()


def test_a_name_is_no_target() -> None:
    with pytest.raises(LocalError, match="not an IP address"):
        FuzzOptions("example.org").check()


@pytest.mark.parametrize("number", range(18))
def test_the_codec_agrees_with_what_an_open_claims(number: int) -> None:
    bgp_id = IPv4Address("192.0.2.101")
    probe = open_probes(65001, bgp_id)[number]
    try:
        validate_open(
            decode_open(probe.octets[19:]),
            expected_asn=65001,
            local_bgp_id=IPv4Address("10.0.0.1"),
            internal=False,
        )
    except PeerError:
        assert probe.allowed == ENDED
    else:
        assert probe.allowed == TAKEN
