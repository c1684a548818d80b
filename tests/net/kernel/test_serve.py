"""A speaker with a kernel under it: what is eligible follows the kernel's routes, and the kernel follows the speaker."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
import trio
from helpers import capabilities
from speakers import Laboratory, announcement, laboratory, settle
from trio.testing import MockClock

from bgp import accept
from bgp.capability import GracefulRestart
from bgp.error import LocalError
from bgp.message import MpUnreach, PathAttribute, Update
from bgp.net import Speaker
from bgp.net.kernel import Fib, MemoryKernel, serve, serve_kernel
from bgp.net.kernel.fib import SETTLE
from bgp.net.kernel.model import Hop, KernelOptions, Way
from rib.family import IPV4_UNICAST, IPV6_UNICAST
from rib.prefix import Prefix

OPTIONS = KernelOptions()
A, B = "10.1.0.0/16", "10.2.0.0/16"


def kernel_with_a_link() -> MemoryKernel:
    kernel = MemoryKernel(OPTIONS)
    kernel.add_link("one", "10.0.0.1/24")
    return kernel


async def serving(
    lab: Laboratory, kernel: MemoryKernel, options: KernelOptions = OPTIONS, **more: object
) -> tuple[Speaker, Fib]:
    speaker = await lab.speaker(65000, **more)
    fib: Fib = await lab.start(serve_kernel, speaker, options, kernel)
    await speaker.add_peer("10.0.0.66", asn=65066, passive=True, import_policy=accept, export_policy=accept)
    return speaker, fib


async def own(kernel: MemoryKernel, fib: Fib) -> set[str]:
    await fib.wait_idle()
    return {str(Prefix.from_nlri(route.afi, route.nlri)) for route in await kernel.routes(own=True)}


def why(speaker: Speaker) -> dict[str, str]:
    adj_in = speaker.peers["10.0.0.66"].adj_in
    assert adj_in is not None
    return {str(Prefix.from_nlri(1, key)): str(path.ineligible or "") for key, path in adj_in.routes(IPV4_UNICAST)}


async def test_next_hops_decide_what_is_eligible(autojump_clock: MockClock) -> None:
    kernel = kernel_with_a_link()
    async with laboratory() as lab:
        speaker, fib = await serving(lab, kernel)
        neighbour = await (await lab.neighbour(speaker)).open()
        await neighbour.say(announcement(A), announcement(B, next_hop="192.0.2.1"))
        assert why(speaker) == {A: "", B: "next hop is unresolvable: 192.0.2.1"}
        assert await own(kernel, fib) == {A}
        kernel.put("192.0.2.0/24", Way.of([Hop(ip_address("10.0.0.9"), 1)]), 4)
        await trio.sleep(2 * SETTLE)
        await settle()
        assert why(speaker) == {A: "", B: ""}
        assert await own(kernel, fib) == {A, B}
        kernel.set_link("one", is_up=False)
        await trio.sleep(2 * SETTLE)
        await settle()
        assert why(speaker)[A] == "next hop is unresolvable: 10.0.0.66"
        assert await own(kernel, fib) == set()
        assert len(speaker.loc_rib) == 0


async def test_the_kernel_follows_the_speaker() -> None:
    kernel = kernel_with_a_link()
    async with laboratory() as lab:
        speaker, fib = await serving(lab, kernel)
        speaker.announce(B)
        neighbour = await (await lab.neighbour(speaker)).open()
        await neighbour.announce(A)
        assert await own(kernel, fib) == {A, B}
        await neighbour.cut()
        assert await own(kernel, fib) == {B}
    assert await kernel.routes(own=True) == []


@pytest.mark.parametrize(("restarting", "says"), [(True, True), (True, False), (False, True)])
async def test_routes_of_a_former_run_wait_for_their_peers(
    restarting: bool, says: bool, autojump_clock: MockClock
) -> None:
    """After a restart until the End-of-RIB of those who say it; else, or where somebody does not, for `stale_time`."""
    kernel = kernel_with_a_link()
    for prefix in (A, B):
        kernel.put(prefix, Way.of([Hop(ip_address("10.0.0.66"), 1)]), OPTIONS.protocol, OPTIONS.metric)
    async with laboratory() as lab:
        speaker, fib = await serving(lab, kernel, restarting=restarting)
        offers = (*capabilities(65066), GracefulRestart(False, False, 0, ())) if says else None
        neighbour = await (await lab.neighbour(speaker, offers=offers)).open(hold_time=0)
        await neighbour.announce(A)
        await trio.sleep(1)
        assert len(await kernel.routes(own=True)) == 2
        if restarting and says:
            await neighbour.say(
                Update((), (), ()), Update((), (PathAttribute(0x80, 15, MpUnreach(IPV6_UNICAST, ())),), ())
            )
            await trio.sleep(1)
        else:
            await trio.sleep(OPTIONS.stale_time)
        assert await own(kernel, fib) == {A}
        assert fib.statistics().written == 0


async def test_routes_of_a_former_run_wait_for_peers_that_restart_as_well(autojump_clock: MockClock) -> None:
    """Which routes are chosen does not depend on them (RFC 4724 4.1), but what they still have to say keeps packets going."""
    kernel = kernel_with_a_link()
    for prefix in (A, B):
        kernel.put(prefix, Way.of([Hop(ip_address("10.0.0.66"), 1)]), OPTIONS.protocol, OPTIONS.metric)
    async with laboratory() as lab:
        speaker, fib = await serving(lab, kernel, restarting=True)
        restarting = GracefulRestart(True, False, 60, ((IPV4_UNICAST, True),))
        offers = (*capabilities(65066), restarting)
        neighbour = await (await lab.neighbour(speaker, offers=offers)).open(hold_time=0)
        await speaker.wait_selected()
        await trio.sleep(10)
        assert await own(kernel, fib) == {A, B}
        await neighbour.announce(A)
        await neighbour.say(Update((), (), ()), Update((), (PathAttribute(0x80, 15, MpUnreach(IPV6_UNICAST, ())),), ()))
        assert await own(kernel, fib) == {A}
        assert fib.statistics().written == 0


def test_without_pyroute2_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise ImportError(f"No module named 'pyroute2' for {name}")

    monkeypatch.setattr(serve, "import_module", absent)
    with pytest.raises(LocalError, match=r"pip install 'trio-bgp\[kernel\]'"):
        serve.open_kernel(replace(OPTIONS))
