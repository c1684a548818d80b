"""Whatever happens to a kernel, in whatever order: in the end it holds what the Loc-RIB says, and nobody else lost a route."""

from __future__ import annotations

from ipaddress import ip_address

import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from routes import attributes, nlri, source
from trio.testing import MockClock, wait_all_tasks_blocked

from bgp.net.kernel.fib import Fib
from bgp.net.kernel.memory import MemoryKernel
from bgp.net.kernel.model import BLACKHOLE, Hop, KernelOptions, Way
from rib.family import IPV4_UNICAST
from rib.loc_rib import LocRib
from rib.prefix import Prefix
from rib.route import Path

OPTIONS = KernelOptions()
PREFIXES = ["10.1.0.0/16", "10.2.0.0/16", "10.1.2.0/24"]
#: One on each link, one behind a static route, one nowhere.
NEXT_HOPS = ["10.0.0.2", "10.0.1.2", "192.0.2.1", "203.0.113.1"]
STATIC = 4

prefixes = st.sampled_from(PREFIXES)
links = st.sampled_from(["one", "two"])
steps = st.one_of(
    st.tuples(st.just("announce"), prefixes, st.sampled_from(NEXT_HOPS)),
    st.tuples(st.just("withdraw"), prefixes),
    st.tuples(st.just("take ours"), prefixes),
    st.tuples(st.just("theirs"), prefixes),
    st.tuples(st.just("theirs beside"), prefixes),
    st.tuples(st.just("take theirs"), prefixes),
    st.tuples(st.just("down"), links),
    st.tuples(st.just("up"), links),
    st.tuples(st.just("forget"), prefixes),
)
#: Seconds between two steps: in the same breath, before and after all has settled, after a look at the kernel.
pauses = st.sampled_from([0.0, 0.01, 0.2, 70.0])


class Walk:
    """A kernel, a Loc-RIB, what programs the one from the other, and what others do."""

    def __init__(self) -> None:
        self.kernel = MemoryKernel(OPTIONS)
        self.kernel.add_link("one", "10.0.0.1/24")
        self.kernel.add_link("two", "10.0.1.1/24")
        self.kernel.put("192.0.2.0/24", Way.of([Hop(ip_address("10.0.1.9"), 2)]), STATIC)
        self.loc_rib = LocRib()
        self.fib = Fib(self.loc_rib, self.kernel, OPTIONS)
        self.there: dict[str, Path] = {}
        self.theirs: set[str] = set()

    def step(self, what: str, on: str, next_hop: str = "") -> None:
        table, ours = self.loc_rib.table(IPV4_UNICAST), (1, nlri(on) if "/" in on else b"", OPTIONS.metric)
        match what:
            case "announce":
                old = self.there.get(on)
                new = self.there[on] = Path(attributes("65002", next_hop), source())
                table.insert([nlri(on)], new, None if old is None else {nlri(on): old})
                self.loc_rib.flush()
            case "withdraw" if (gone := self.there.pop(on, None)) is not None:
                table.remove([(nlri(on), gone)])
                self.loc_rib.flush()
            case "take ours" if on not in self.theirs and ours in self.kernel._routes:
                self.kernel.take(on, OPTIONS.metric)
            case "forget" if on not in self.theirs:
                self.kernel._routes.pop(ours, None)
            case "theirs":
                self.kernel.put(on, BLACKHOLE, STATIC, OPTIONS.metric)
                self.theirs.add(on)
            case "theirs beside":
                self.kernel.put(on, BLACKHOLE, STATIC, 5)
            case "take theirs" if on in self.theirs:
                self.kernel.take(on, OPTIONS.metric)
                self.theirs.discard(on)
            case "down" | "up":
                self.kernel.set_link(on, is_up=what == "up")

    def expected(self) -> dict[str, Way]:
        """What should be there in the end, by the kernel's own view of each next hop."""
        found = {}
        for prefix, path in self.there.items():
            gateway = path.attributes.next_hop
            assert gateway is not None
            if str(gateway) == "192.0.2.1":
                static = self.kernel._routes.get((1, nlri("192.0.2.0/24"), 0))
                gateway = None if static is None else static.way.hops[0].gateway
            for index, network in ((1, "10.0.0.0/24"), (2, "10.0.1.0/24")):
                up = self.kernel._is_up(index) and gateway is not None and gateway in Prefix(network)
                if up and prefix not in self.theirs:
                    found[prefix] = Way.of([Hop(gateway, index)])
        return found


async def walk(taken: list[tuple[tuple[str, ...], float]]) -> None:
    made = Walk()
    async with trio.open_nursery() as nursery:
        await nursery.start(made.fib.run)
        for (what, *rest), pause in taken:
            # The kernel has a replacement on its way take over what came in the same breath, and neither side is told.
            if what == "theirs":
                await wait_all_tasks_blocked()
            made.step(what, *rest)
            if what == "theirs":
                await wait_all_tasks_blocked()
            await trio.sleep(pause)
        await trio.sleep(2 * OPTIONS.reconcile_interval)
        await made.fib.wait_idle()
        routes = await made.kernel.routes(own=True)
        assert {str(Prefix.from_nlri(1, route.nlri)): route.way for route in routes} == made.expected()
        others = {route.nlri for route in await made.kernel.routes(own=False) if route.metric == OPTIONS.metric}
        assert others == {nlri(prefix) for prefix in made.theirs}
        missing = {str(Prefix.from_nlri(1, one.nlri)) for one in made.fib.why_missing()}
        assert missing == made.there.keys() - made.expected().keys()
        assert made.fib.statistics().installed == len(routes)
        nursery.cancel_scope.cancel()
    assert await made.kernel.routes(own=True) == []


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(steps, pauses), min_size=5, max_size=25))
def test_in_the_end_the_kernel_is_as_the_loc_rib(taken: list[tuple[tuple[str, ...], float]]) -> None:
    trio.run(walk, taken, clock=MockClock(autojump_threshold=0))
