"""How fast do routes go into the kernel, and who sets the pace: we, or netlink?

    python bench/kernel.py [--n 100000] [--rounds 5] [--json FILE]        as root, on Linux with iproute2

In a network namespace of its own, in one run, IPv4 and IPv6, routes a second:

- fib: the Loc-RIB has n routes of 16 next hops; `Fib` works out each, and writes; then all move to other next hops, then go
- edit: `NetlinkKernel.edit` alone, messages and all
- spelt: the same messages, spelt beforehand, so that all that is left is the kernel's work: netlink's limit
- ip -batch: iproute2 with the same routes in a file, the usual way by hand

`of limit` is the share of netlink's own rate that a way of doing it reaches. Each figure is the best of its rounds: whatever
else runs on the machine can only take away, and takes more from two threads than from one.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path as File
from tempfile import NamedTemporaryFile
from time import perf_counter

import trio

from bgp.net.kernel.fib import Fib
from bgp.net.kernel.model import Edit, Hop, KernelOptions, Verb, Way
from bgp.net.kernel.netlink import NetlinkKernel
from rib.attributes import Attributes
from rib.family import IPV4_UNICAST, IPV6_UNICAST
from rib.loc_rib import LocRib
from rib.prefix import nlri_text
from rib.route import Path, Source, SourceKind

sys.path.insert(0, str(File(__file__).resolve().parent.parent / "tests"))
from kernels import RealWorld, real_world

OPTIONS = KernelOptions()
NEXT_HOPS = 16
NETWORKS = {1: "10.255.0.{}", 2: "2001:db8:ffff::{:x}"}


def keys(afi: int, count: int) -> list[bytes]:
    """That many prefixes, /24 or /48, one after the other."""
    if afi == 1:
        return [b"\x18" + (0x0B0000 + number).to_bytes(3, "big") for number in range(count)]
    return [b"\x30" + (0x20020000_0000 + number).to_bytes(6, "big") for number in range(count)]


def next_hops(afi: int, first: int) -> list[IPv4Address | IPv6Address]:
    return [ip_address(NETWORKS[afi].format(first + number)) for number in range(NEXT_HOPS)]


def runs(
    found: list[bytes], hops: list[IPv4Address | IPv6Address]
) -> list[tuple[IPv4Address | IPv6Address, list[bytes]]]:
    size = -(-len(found) // len(hops))
    return [(hop, found[at : at + size]) for hop, at in zip(hops, range(0, len(found), size), strict=False)]


async def timed(work: Callable[[], Awaitable[object]]) -> float:
    began = perf_counter()
    await work()
    return perf_counter() - began


@contextmanager
def opened(world: RealWorld) -> Iterator[NetlinkKernel]:
    """The kernel, with nobody else who listens to what is done: telling them is work too."""
    kernel = world.within(lambda: NetlinkKernel(OPTIONS))
    try:
        yield kernel
    finally:
        kernel.close()


async def with_fib(kernel: NetlinkKernel, afi: int, found: list[bytes]) -> dict[str, float]:
    family = IPV4_UNICAST if afi == 1 else IPV6_UNICAST
    loc_rib = LocRib()
    table = loc_rib.table(family)
    fib = Fib(loc_rib, kernel, OPTIONS)
    source = Source(SourceKind.EXTERNAL, "peer", 65002, IPv4Address("10.255.0.2"))
    figures = {}
    before: dict[bytes, Path] = {}
    paths: list[tuple[Path, list[bytes]]] = []

    async def announce(first: int) -> None:
        for hop, some in runs(found, next_hops(afi, first)):
            path = Path(Attributes(next_hop=hop), source)
            table.insert(some, path, before or None)
            paths.append((path, some))
            await told()
        await fib.wait_idle()

    def keep() -> None:
        """What the Adj-RIB-In of a peer does."""
        for path, some in paths:
            before.update(dict.fromkeys(some, path))

    async def withdraw() -> None:
        for _, some in runs(found, next_hops(afi, 2)):
            table.remove([(nlri, before.pop(nlri)) for nlri in some])
            await told()
        await fib.wait_idle()

    async def told() -> None:
        """What a peer does after each read from its socket."""
        loc_rib.flush()
        await trio.lowlevel.checkpoint()

    async with trio.open_nursery() as nursery:
        await nursery.start(fib.run)
        figures["fib add"] = await timed(lambda: announce(2))
        assert fib.statistics().installed == len(found), fib.statistics()
        keep()
        figures["fib replace"] = await timed(lambda: announce(100))
        keep()
        figures["fib remove"] = await timed(withdraw)
        assert fib.statistics()[:3] == (0, 0, 0), fib.statistics()
        nursery.cancel_scope.cancel()
    assert await kernel.routes(own=True) == []
    return figures


async def with_edit(kernel: NetlinkKernel, afi: int, found: list[bytes], link: int) -> dict[str, float]:
    ways = [(Way.of([Hop(hop, link)]), some) for hop, some in runs(found, next_hops(afi, 2))]
    adding = [Edit(Verb.ADD, afi, some, way) for way, some in ways]
    removing = [Edit(Verb.REMOVE, afi, found)]
    return {
        "edit add": await timed(lambda: kernel.edit(adding)),
        "list": await timed(lambda: kernel.routes(own=True)),
        "edit remove": await timed(lambda: kernel.edit(removing)),
    }


async def spelt(kernel: NetlinkKernel, afi: int, found: list[bytes], link: int) -> dict[str, float]:
    figures = {}
    for verb, first in ((Verb.ADD, 2), (Verb.REPLACE, 100), (Verb.REMOVE, 100)):
        ways = runs(found, next_hops(afi, first))
        lots = [*kernel.lots(Edit(verb, afi, some, Way.of([Hop(hop, link)])) for hop, some in ways)]
        began = perf_counter()
        assert not kernel.work_off(lots)
        figures[f"spelt {verb.value}"] = perf_counter() - began
    return figures


def by_hand(world: RealWorld, afi: int, found: list[bytes]) -> dict[str, float]:
    figures = {}
    for verb in ("add", "del"):
        with NamedTemporaryFile("w", suffix=".batch") as batch:
            for hop, some in runs(found, next_hops(afi, 2)):
                batch.writelines(f"route {verb} {nlri_text(afi, one)} via {hop} proto 99 metric 20\n" for one in some)
            batch.flush()
            began = perf_counter()
            world.run("ip", "-4" if afi == 1 else "-6", "-batch", batch.name)
            figures[f"ip -batch {verb}"] = perf_counter() - began
    return figures


async def measure(count: int, rounds: int) -> dict[str, dict[str, float]]:
    results: dict[str, dict[str, list[float]]] = {"IPv4": {}, "IPv6": {}}
    with real_world(OPTIONS) as world:
        link = world.add_link("one", "10.255.0.1/24", "2001:db8:ffff::1/64")
        world.within(lambda: File("/proc/sys/net/ipv6/route/max_size").write_text("2147483647"))
        world.kernel.close()
        for _ in range(rounds):
            for afi, name in ((1, "IPv4"), (2, "IPv6")):
                found = keys(afi, count)
                with opened(world) as kernel:
                    figures = await with_fib(kernel, afi, found)
                with opened(world) as kernel:
                    figures |= await with_edit(kernel, afi, found, link)
                    figures |= await spelt(kernel, afi, found, link)
                figures |= by_hand(world, afi, found)
                for what, seconds in figures.items():
                    results[name].setdefault(what, []).append(count / seconds)
    return {name: {what: max(rates) for what, rates in rows.items()} for name, rows in results.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=100_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", type=File)
    options = parser.parse_args()
    results = trio.run(measure, options.n, options.rounds)
    print(
        f"{options.n} routes, {NEXT_HOPS} next hops, best of {options.rounds}; routes a second, share of netlink's limit"
    )
    for name, rates in results.items():
        limits = {verb.value: rates[f"spelt {verb.value}"] for verb in Verb}
        limits["del"] = limits["remove"]
        for what, rate in rates.items():
            limit = limits.get(what.rpartition(" ")[2])
            print(f"{name}  {what:14} {rate:>10,.0f}" + (f"   {rate / limit:>5.0%} of limit" if limit else ""))
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
