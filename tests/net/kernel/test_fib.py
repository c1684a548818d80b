"""The Loc-RIB in a kernel: what goes in, what stays out and why, and who puts right what others do."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from ipaddress import IPv6Address, ip_address

import pytest
import trio
from routes import LOCAL, attributes, nlri, source
from trio.testing import MockClock

from bgp.net.kernel import fib as fib_module
from bgp.net.kernel.fib import SETTLE, Fib
from bgp.net.kernel.memory import MemoryKernel
from bgp.net.kernel.model import BLACKHOLE, Hop, KernelOptions, Way
from rib.attributes import Attributes
from rib.family import IPV4_MULTICAST, IPV4_UNICAST, IPV6_UNICAST, Family
from rib.loc_rib import LocRib
from rib.prefix import Prefix
from rib.route import Path, Source, SourceKind

OPTIONS = KernelOptions()
STATIC = 4
A, B, C = "10.1.0.0/16", "10.2.0.0/16", "2001:db8:1::/48"


class Bench:
    """A Loc-RIB, a kernel with two links, and what programs it."""

    def __init__(self, options: KernelOptions = OPTIONS) -> None:
        self.options = options
        self.loc_rib = LocRib()
        self.kernel = MemoryKernel(options)
        self.one = self.kernel.add_link("one", "10.0.0.1/24", "2001:db8::1/64")
        self.two = self.kernel.add_link("two", "10.0.1.1/24")
        self.moves = 0
        self.fib = self.make()

    def make(self) -> Fib:
        def moved() -> None:
            self.moves += 1

        return Fib(self.loc_rib, self.kernel, self.options, next_hops_changed=moved)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Fib]:
        async with trio.open_nursery() as nursery:
            await nursery.start(self.fib.run)
            yield self.fib
            nursery.cancel_scope.cancel()

    def announce(self, prefix: str, new: Path, old: Path | None = None) -> Path:
        made = Prefix(prefix)
        family = IPV4_UNICAST if made.afi == 1 else IPV6_UNICAST
        self.loc_rib.table(family).insert([made.nlri], new, None if old is None else {made.nlri: old})
        self.loc_rib.flush()
        return new

    def withdraw(self, prefix: str, old: Path) -> None:
        made = Prefix(prefix)
        self.loc_rib.table(IPV4_UNICAST if made.afi == 1 else IPV6_UNICAST).remove([(made.nlri, old)])
        self.loc_rib.flush()

    async def there(self) -> dict[str, Way]:
        await self.fib.wait_idle()
        routes = await self.kernel.routes(own=True)
        return {str(Prefix.from_nlri(route.afi, route.nlri)): route.way for route in routes}

    def via(self, *gateways: str) -> Way:
        links = {"10.0.0": self.one, "10.0.1": self.two}
        return Way.of([Hop(ip_address(one), links.get(one.rpartition(".")[0], self.one)) for one in gateways])

    def missing(self) -> dict[str, str]:
        return {str(Prefix.from_nlri(one.afi, one.nlri)): one.reason for one in self.fib.why_missing()}


@pytest.fixture
def bench() -> Bench:
    return Bench()


def path(next_hop: str, number: int = 2, as_path: str = "65002", **fields: object) -> Path:
    return Path(attributes(as_path, next_hop, **fields), source(number))


def own(next_hop: str | None = None) -> Path:
    return Path(Attributes(next_hop=None if next_hop is None else ip_address(next_hop)), LOCAL)


async def test_routes_go_in_and_out(bench: Bench) -> None:
    before = bench.announce(B, path("10.0.0.2"))
    async with bench.running() as fib:
        first = bench.announce(A, path("10.0.0.2"))
        bench.announce(C, path("2001:db8::2"))
        assert await bench.there() == {A: bench.via("10.0.0.2"), B: bench.via("10.0.0.2"), C: bench.via("2001:db8::2")}
        second = bench.announce(A, path("10.0.1.3"), first)
        assert (await bench.there())[A] == bench.via("10.0.1.3")
        bench.withdraw(A, second)
        bench.withdraw(B, before)
        assert await bench.there() == {C: bench.via("2001:db8::2")}
        assert fib.statistics() == (1, 0, 0, 4, 2)


async def test_a_flap_costs_nothing(bench: Bench) -> None:
    first = bench.announce(A, path("10.0.0.2"))
    async with bench.running() as fib:
        await bench.there()
        bench.withdraw(A, first)
        bench.announce(A, first)
        assert await bench.there() == {A: bench.via("10.0.0.2")}
        assert (fib.statistics().written, fib.statistics().removed) == (1, 0)


async def test_other_families_are_not_the_kernels(bench: Bench) -> None:
    async with bench.running():
        bench.loc_rib.table(IPV4_MULTICAST).insert([nlri(A)], path("10.0.0.2"), None)
        bench.loc_rib.table(Family(25, 70)).insert([b"\2\1x"], path("10.0.0.2"), None)
        bench.loc_rib.flush()
        assert await bench.there() == {}


async def test_own_blocks_are_blackholes(bench: Bench) -> None:
    async with bench.running():
        bench.announce(A, own())
        bench.announce(C, own())
        bench.announce(B, own("10.0.0.7"))
        assert await bench.there() == {A: BLACKHOLE, C: BLACKHOLE, B: bench.via("10.0.0.7")}


async def test_own_blocks_need_not_be_there() -> None:
    bench = Bench(replace(OPTIONS, blackhole=False))
    async with bench.running():
        bench.announce(A, own())
        assert await bench.there() == {}
        assert bench.missing() == {}


async def test_a_preferred_source() -> None:
    bench = Bench(replace(OPTIONS, source_ipv4="10.0.0.1", source_ipv6="2001:db8::1"))
    async with bench.running():
        bench.announce(A, path("10.0.0.2"))
        bench.announce(C, path("2001:db8::2"))
        sources = {prefix: str(way.source) for prefix, way in (await bench.there()).items()}
        assert sources == {A: "10.0.0.1", C: "2001:db8::1"}


async def test_an_ipv4_route_by_an_ipv6_next_hop(bench: Bench) -> None:
    async with bench.running():
        bench.announce(A, path("2001:db8::2"))
        assert await bench.there() == {A: bench.via("2001:db8::2")}


async def test_a_link_local_next_hop_is_on_the_link_of_the_session(bench: Bench) -> None:
    peer = Source(SourceKind.EXTERNAL, "near", 65002, LOCAL.bgp_id, IPv6Address("fe80::2%one"))
    async with bench.running():
        received = attributes("65002", None, link_local_next_hop=IPv6Address("fe80::2"))
        bench.announce(A, Path(received, peer))
        bench.announce(B, Path(received, source()))
        assert await bench.there() == {A: Way.of([Hop(ip_address("fe80::2"), bench.one)])}
        assert bench.missing() == {B: "next hop fe80::2 is unresolvable"}


async def test_several_ways() -> None:
    bench = Bench(replace(OPTIONS, max_paths=2))
    async with bench.running():
        first = bench.announce(A, path("10.0.0.2", 2, "1 7"))
        second = bench.announce(A, path("10.0.1.3", 3, "1 7"))
        bench.announce(A, path("10.0.1.4", 4, "2 7"))
        bench.announce(A, path("10.0.1.5", 5, "1 7"))
        assert await bench.there() == {A: bench.via("10.0.0.2", "10.0.1.3")}
        bench.withdraw(A, second)
        assert await bench.there() == {A: bench.via("10.0.0.2", "10.0.1.5")}
        bench.withdraw(A, first)
        assert await bench.there() == {A: bench.via("10.0.1.4")}  # the AS_PATH of the best one is another now


async def test_several_ways_over_other_ases() -> None:
    bench = Bench(replace(OPTIONS, max_paths=8, relax_as_path=True))
    async with bench.running():
        bench.announce(A, path("10.0.0.2", 2, "1 7"))
        bench.announce(A, path("10.0.1.4", 4, "2 7"))
        bench.announce(A, path("10.0.1.5", 5, "2 3 7"))
        assert await bench.there() == {A: bench.via("10.0.0.2", "10.0.1.4")}


async def test_a_next_hop_that_nothing_leads_to(bench: Bench) -> None:
    async with bench.running():
        good = bench.announce(A, path("10.0.0.2"))
        await bench.there()
        bench.announce(A, path("192.0.2.1"), good)
        assert await bench.there() == {}
        assert bench.missing() == {A: "next hop 192.0.2.1 is unresolvable"}
        assert bench.fib.statistics().missing == 1


async def test_a_route_of_another_program_is_left_alone(bench: Bench) -> None:
    theirs = bench.via("10.0.0.77")
    bench.kernel.put(A, theirs, STATIC, OPTIONS.metric)
    async with bench.running():
        bench.announce(A, path("10.0.0.2"))
        assert await bench.there() == {}
        assert bench.missing() == {A: "another program has a route of metric 20"}
        bench.kernel.take(A, OPTIONS.metric)
        await trio.testing.wait_all_tasks_blocked()
        assert await bench.there() == {A: bench.via("10.0.0.2")}
        assert bench.missing() == {}


async def test_a_route_that_another_program_took_over_is_theirs(bench: Bench, autojump_clock: MockClock) -> None:
    async with bench.running():
        first = bench.announce(A, path("10.0.0.2"))
        await bench.there()
        bench.kernel.put(A, bench.via("10.0.0.77"), STATIC, OPTIONS.metric)
        await trio.sleep(2 * SETTLE)
        assert await bench.there() == {}
        assert bench.missing() == {A: "another program has a route of metric 20"}
        bench.withdraw(A, first)
        await bench.there()
        assert bench.missing() == {}
        assert bench.kernel.look_up(ip_address("10.1.0.1")) is not None


async def test_a_route_that_somebody_took_away_comes_back(bench: Bench) -> None:
    async with bench.running():
        bench.announce(A, path("10.0.0.2"))
        await bench.there()
        bench.kernel.take(A, OPTIONS.metric)
        await trio.testing.wait_all_tasks_blocked()
        assert await bench.there() == {A: bench.via("10.0.0.2")}


async def test_late_news_of_a_route_that_is_ours_again_does_no_harm(bench: Bench, autojump_clock: MockClock) -> None:
    async with bench.running():
        bench.announce(A, path("10.0.0.2"))
        await bench.there()
        bench.kernel.take(A, OPTIONS.metric)
        bench.kernel.put(A, bench.via("10.0.0.2"), OPTIONS.protocol, OPTIONS.metric)
        bench.kernel._events = bench.kernel._events[:1]
        await trio.sleep(3 * SETTLE)
        assert await bench.there() == {A: bench.via("10.0.0.2")}
        assert bench.missing() == {}


async def test_a_withdrawn_prefix_after_one_with_several_ways(bench: Bench) -> None:
    async with bench.running():
        bench.announce(A, path("10.0.0.2", 2))
        bench.announce(A, path("10.0.1.3", 3))
        gone = bench.announce(B, path("10.0.0.2", 2))
        await bench.there()
        bench.withdraw(B, gone)
        bench.fib.due(IPV4_UNICAST, [nlri(A), nlri(B)])
        assert (await bench.there()).keys() == {A}


async def test_a_link_that_goes_and_comes(bench: Bench, autojump_clock: MockClock) -> None:
    async with bench.running():
        bench.announce(A, path("10.0.0.2"))
        bench.announce(B, path("10.0.1.2"))
        bench.announce(C, path("2001:db8::2"))
        await bench.there()
        bench.kernel.set_link("one", is_up=False)
        await trio.sleep(2 * SETTLE)
        assert await bench.there() == {B: bench.via("10.0.1.2")}
        assert set(bench.missing()) == {A, C}
        bench.kernel.set_link("one", is_up=True)
        await trio.sleep(2 * SETTLE)
        assert (await bench.there()).keys() == {A, B, C}
        assert bench.missing() == {}


async def test_a_next_hop_that_moves_to_another_gateway(bench: Bench, autojump_clock: MockClock) -> None:
    bench.kernel.put("192.0.2.0/24", bench.via("10.0.0.9"), STATIC)
    async with bench.running() as fib:
        assert fib.resolver.metric(ip_address("192.0.2.1")) == 0
        bench.announce(A, path("192.0.2.1"))
        assert await bench.there() == {A: bench.via("10.0.0.9")}
        bench.kernel.put("192.0.2.0/24", bench.via("10.0.1.9"), STATIC)
        await trio.sleep(2 * SETTLE)
        assert await bench.there() == {A: bench.via("10.0.1.9")}
        assert bench.moves == 0
        bench.kernel.take("192.0.2.0/24")
        await trio.sleep(2 * SETTLE)
        assert await bench.there() == {}
        assert bench.moves == 1


async def test_what_vanished_without_a_word_is_found_in_time(bench: Bench, autojump_clock: MockClock) -> None:
    async with bench.running():
        bench.announce(A, path("10.0.0.2"))
        bench.announce(B, path("10.0.0.2"))
        await bench.there()
        del bench.kernel._routes[1, nlri(A), OPTIONS.metric]
        extra = bench.kernel._routes[1, nlri(B), OPTIONS.metric]._replace(nlri=nlri("10.3.0.0/16"))
        bench.kernel._routes[1, extra.nlri, OPTIONS.metric] = extra
        await trio.sleep(OPTIONS.reconcile_interval + 1)
        assert (await bench.there()).keys() == {A, B}


async def test_another_program_with_our_protocol_is_put_right(bench: Bench, autojump_clock: MockClock) -> None:
    async with bench.running():
        bench.kernel.put(A, bench.via("10.0.0.2"), OPTIONS.protocol, OPTIONS.metric)
        await trio.sleep(2 * SETTLE)
        assert await bench.there() == {}


async def test_routes_of_a_former_run_are_adopted(bench: Bench) -> None:
    for prefix in (A, B, C):
        bench.kernel.put(prefix, BLACKHOLE if prefix == B else bench.via("10.0.0.2"), OPTIONS.protocol, OPTIONS.metric)
    async with bench.running() as fib:
        assert (await bench.there()).keys() == {A, B, C}
        assert fib.statistics() == (3, 3, 0, 0, 0)
        bench.announce(A, path("10.0.0.2"))
        first = bench.announce(B, path("10.0.0.2"))
        await bench.there()
        assert fib.statistics() == (3, 1, 0, 1, 0)
        bench.withdraw(B, first)
        assert (await bench.there()).keys() == {A, C}
        fib.sweep()
        assert await bench.there() == {A: bench.via("10.0.0.2")}
        assert fib.statistics() == (1, 0, 0, 1, 2)


async def test_stale_routes_that_go_are_forgotten(bench: Bench, autojump_clock: MockClock) -> None:
    for prefix in (A, B, C):
        bench.kernel.put(prefix, bench.via("10.0.0.2"), OPTIONS.protocol, OPTIONS.metric)
    async with bench.running() as fib:
        bench.kernel.take(A, OPTIONS.metric)
        bench.kernel.put(B, bench.via("10.0.0.7"), STATIC, OPTIONS.metric)
        del bench.kernel._routes[2, nlri(C), OPTIONS.metric]
        await trio.sleep(OPTIONS.reconcile_interval + 1)
        assert await bench.there() == {}
        assert not fib.stale


async def test_a_route_that_cannot_be_replaced_goes(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    async with bench.running() as fib:
        first = bench.announce(A, path("10.0.0.2"))
        await bench.there()
        nowhere = Hop(ip_address("203.0.113.1"), bench.one)
        monkeypatch.setattr(fib.resolver, "hops", lambda *_: (nowhere,))
        bench.announce(A, path("10.0.0.3"), first)
        assert await bench.there() == {}
        assert bench.missing() == {A: "the kernel refuses: Network is unreachable"}


async def test_the_routes_end_with_the_speaker(bench: Bench) -> None:
    async with bench.running():
        bench.announce(A, path("10.0.0.2"))
        await bench.there()
    assert await bench.kernel.routes(own=True) == []


async def test_the_routes_may_stay() -> None:
    bench = Bench(replace(OPTIONS, keep=True))
    async with bench.running():
        bench.announce(A, path("10.0.0.2"))
        await bench.there()
    assert len(await bench.kernel.routes(own=True)) == 1


async def test_many_routes_in_pieces(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fib_module, "BATCH", 16)
    monkeypatch.setattr(fib_module, "WAYS_KEPT", 4)
    keys = [nlri(f"10.{high}.{low}.0/24") for high in range(10, 12) for low in range(64)]
    async with bench.running():
        for number, key in enumerate(keys):
            bench.loc_rib.table(IPV4_UNICAST).insert([key], path(f"10.0.0.{2 + number % 8}"), None)
        assert len(await bench.there()) == len(keys)
