"""The Loc-RIB in the kernel: the best routes programmed in batches, kept there, and taken away when they go.

What the kernel should have is worked out prefix by prefix from the Loc-RIB, when the prefix is *due*: it changed, its next
hop moved, the kernel lost it or refused it before. `installed` is what the kernel has of ours, as far as we were told. So a
flap costs nothing, and whatever goes wrong is put right by making prefixes due again.

A route of ours that was there at the start is *stale* until the Loc-RIB has a word on it; `sweep` takes away those that
still are, once the peers have said all they know (RFC 4724 4.1).
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from itertools import islice
from typing import Final, NamedTuple

import trio

from bgp.net.kernel.model import (
    BLACKHOLE,
    Edit,
    EventsLost,
    Hop,
    Kernel,
    KernelOptions,
    KernelRoute,
    LinksChanged,
    Refusal,
    RouteCame,
    RouteWent,
    Verb,
    Way,
)
from bgp.net.kernel.resolver import KernelResolver
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Afi, Family
from rib.loc_rib import Arrivals, LocRib
from rib.route import Path

FAMILIES: Final = {IPV4_UNICAST: Afi.IPV4, IPV6_UNICAST: Afi.IPV6}
#: Prefixes that are worked out and written at a time; in between, the sessions get their turn.
BATCH: Final = 1024
#: Prefixes with their best path.
Run = tuple[Sequence[bytes], Path]
#: Ways of paths that are remembered.
WAYS_KEPT: Final = 1 << 14
#: Seconds that links and addresses are given to settle before the kernel is asked what is left.
SETTLE: Final = 0.05


class Missing(NamedTuple):
    """A route of the Loc-RIB that is not in the kernel, and why."""

    afi: int
    nlri: bytes
    reason: str


class FibCounts(NamedTuple):
    """How much is in the kernel, and what was done since the start."""

    installed: int
    stale: int
    missing: int
    written: int
    removed: int


class Fib:
    """Programs one kernel from one Loc-RIB. `next_hops_changed` is called when a next hop came or went."""

    def __init__(
        self,
        loc_rib: LocRib,
        kernel: Kernel,
        options: KernelOptions,
        *,
        next_hops_changed: Callable[[], None] = lambda: None,
    ) -> None:
        self.loc_rib = loc_rib
        self.kernel = kernel
        self.options = options
        self.resolver = KernelResolver(via_default=options.resolve_via_default)
        self.installed: dict[Family, dict[bytes, Way]] = {family: {} for family in FAMILIES}
        self.missing: dict[tuple[Family, bytes], str] = {}
        self.stale: set[tuple[Family, bytes]] = set()
        self._blocked: set[tuple[Family, bytes]] = set()  #: where the kernel said that there is a route already
        self._next_hops_changed = next_hops_changed
        # One of the two is empty: runs of prefixes that are all new, with their path, or prefixes of any kind.
        self._arrived: dict[Family, list[Run]] = {family: [] for family in FAMILIES}
        self._due: dict[Family, dict[bytes, None]] = {family: {} for family in FAMILIES}
        self._ways: dict[Family, dict[Path | tuple[Path, ...], Way | str]] = {family: {} for family in FAMILIES}
        self._sources = {
            Afi.IPV4: None if options.source_ipv4 is None else IPv4Address(options.source_ipv4),
            Afi.IPV6: None if options.source_ipv6 is None else IPv6Address(options.source_ipv6),
        }
        self._written = self._removed = 0
        self._news = trio.Event()
        self._lock = trio.Lock()  #: while it is held, `installed` may be ahead of the kernel
        self._settling = trio.Event()
        self._is_unsure = False
        self._idle = trio.Event()

    # What is due.

    def _note(self, family: Family, changed: Mapping[bytes, Path | None]) -> None:
        """Hear of changes in the Loc-RIB."""
        if family in FAMILIES:
            if isinstance(changed, Arrivals) and not self._due[family]:
                self._arrived[family] += changed.runs
                self._wake()
            else:
                self.due(family, changed)

    def due(self, family: Family, keys: Iterable[bytes]) -> None:
        """Work these prefixes out again."""
        due = self._due[family]
        for arrived, _ in self._arrived[family]:
            due.update(dict.fromkeys(arrived))
        self._arrived[family] = []
        due.update(dict.fromkeys(keys))
        self._wake()

    def _wake(self) -> None:
        if self._idle.is_set():
            self._idle = trio.Event()
        self._news.set()

    def sweep(self) -> None:
        """The Loc-RIB has heard all there is: take away what is still stale."""
        stale, self.stale = self.stale, set()
        for family, nlri in stale:
            self.due(family, (nlri,))

    async def wait_idle(self) -> None:
        """Return when the kernel has been told everything."""
        self.loc_rib.flush()
        await trio.lowlevel.checkpoint()
        while not self._idle.is_set():
            await self._idle.wait()

    def statistics(self) -> FibCounts:
        """How much there is."""
        installed = sum(map(len, self.installed.values()))
        return FibCounts(installed, len(self.stale), len(self.missing), self._written, self._removed)

    def why_missing(self) -> list[Missing]:
        """The routes that should be in the kernel and are not."""
        return [Missing(family.afi, nlri, reason) for (family, nlri), reason in self.missing.items()]

    # Which way.

    def _wanted(self, family: Family, nlri: bytes, best: Path) -> Way | str | None:
        """Which way a prefix should go in the kernel; the reason why it cannot, in words; None if it need not be there."""
        most = self.options.max_paths
        index: Path | tuple[Path, ...] = best
        if most > 1:
            paths = self.loc_rib.table(family).multipath(nlri, most, relax_as_path=self.options.relax_as_path)
            index = tuple(paths) if len(paths) > 1 else best
        ways = self._ways[family]
        found = ways.get(index)
        if found is None:
            if len(ways) >= WAYS_KEPT:
                ways.clear()
            found = ways[index] = self._way(FAMILIES[family], index if isinstance(index, tuple) else (index,))
        return None if found == "" else found

    def _way(self, afi: int, paths: tuple[Path, ...]) -> Way | str:
        """The way of these paths, the reason why there is none, or "" if there need not be one."""
        first = paths[0]
        if first.source.is_local and first.attributes.next_hop is None:
            return BLACKHOLE if self.options.blackhole else ""
        hops: list[Hop] = []
        for path in paths:
            next_hop = path.attributes.next_hop or path.attributes.link_local_next_hop
            if next_hop is not None:
                hops += self.resolver.hops(next_hop, self._interface(path))
        if not hops:
            return f"next hop {first.attributes.next_hop or first.attributes.link_local_next_hop} is unresolvable"
        return Way.of(hops[: max(self.options.max_paths, 1)], self._sources[Afi(afi)])

    def _interface(self, path: Path) -> int:
        """The link on which a link-local next hop of a path is: that of the session which it came over."""
        scope = getattr(path.source.address, "scope_id", None)
        return self.resolver.interface(scope) if scope else 0

    # Its tasks.

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Adopt what is there, then keep the kernel like the Loc-RIB until cancelled."""
        await self._adopt()
        self.loc_rib.flush()
        self.loc_rib.listen(self._note)
        if self.options.max_paths > 1:
            for family in FAMILIES:
                self.loc_rib.table(family).tells_all = True
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write)
                nursery.start_soon(self._listen)
                nursery.start_soon(self._settle)
                task_status.started()
        finally:
            self.loc_rib.unlisten(self._note)
            if not self.options.keep:
                with trio.CancelScope(shield=True):
                    await self.withdraw()

    async def _adopt(self) -> None:
        await self._load()
        for route in await self.kernel.routes(own=True):
            family = _family(route.afi)
            self.installed[family][route.nlri] = route.way
            self.stale.add((family, route.nlri))
        for family in FAMILIES:
            self.due(family, (nlri for nlri, _ in self.loc_rib.routes(family)))

    async def _load(self) -> None:
        links = await self.kernel.links()
        others = await self.kernel.routes(own=False)
        self.resolver.load(links, (route for route in others if route.protocol != self.options.protocol))

    async def withdraw(self) -> None:
        """Take all of our routes out of the kernel."""
        edits = [Edit(Verb.REMOVE, family.afi, list(there)) for family, there in self.installed.items()]
        await self.kernel.edit(edits)
        for there in self.installed.values():
            there.clear()

    async def _write(self) -> None:
        while True:
            if not any(self._due.values()) and not any(self._arrived.values()):
                self._idle.set()
                self._news = trio.Event()
                await self._news.wait()
            for family in FAMILIES:
                arrived, due = self._arrived[family], self._due[family]
                self._arrived[family], self._due[family] = [], {}
                if arrived or due:
                    async with self._lock:
                        if refusals := await self.kernel.edit(self._edits(family, arrived, due)):
                            await self.kernel.edit(self._refused(refusals))

    def _edits(self, family: Family, arrived: Iterable[Run], due: Iterable[bytes]) -> Iterator[Edit]:
        """What has to be done for prefixes, worked out when it is asked for; `installed` is then as if it were done."""
        for run, path in arrived:
            for at in range(0, len(run), BATCH):
                keys = list(run[at : at + BATCH])
                yield from self._arrival(family, keys, path) or self._edits_for(family, keys)
        rest = iter(due)
        while keys := list(islice(rest, BATCH)):
            yield from self._edits_for(family, keys)

    def _arrival(self, family: Family, keys: list[bytes], path: Path) -> list[Edit]:
        """The short way for what a table that comes in is made of: new prefixes, all with one path. Else empty.

        If something has happened to one of them since, it is due next.
        """
        installed, table = self.installed[family], self.loc_rib.table(family)
        if self.missing or self.stale or not installed.keys().isdisjoint(keys):
            return []
        if table.others and not table.others.keys().isdisjoint(keys):
            return []
        if table.best.get(keys[0]) is not path or not isinstance(wanted := self._wanted(family, keys[0], path), Way):
            return []
        installed.update(dict.fromkeys(keys, wanted))
        self._written += len(keys)
        return [Edit(Verb.ADD, family.afi, keys, wanted)]

    def _edits_for(self, family: Family, keys: Sequence[bytes]) -> list[Edit]:
        installed, stale, missing = self.installed[family], self.stale, self.missing
        table = self.loc_rib.table(family)
        best, others = table.best.get, table.others
        last: Path | None = None
        wanted: Way | str | None = None
        adding: dict[int, Edit] = {}
        replacing: dict[int, Edit] = {}
        removing: list[bytes] = []
        for nlri in keys:
            path = best(nlri)
            if path is None:
                last = wanted = None
            elif path is not last or nlri in others:  # most prefixes come in runs with one path
                last = None if nlri in others else path
                wanted = self._wanted(family, nlri, path)
            there = installed.get(nlri)
            if missing:
                missing.pop((family, nlri), None)
            if isinstance(wanted, Way):
                if stale:
                    stale.discard((family, nlri))
                if there is wanted or there == wanted:
                    continue
                installed[nlri] = wanted
                verb, groups = (Verb.ADD, adding) if there is None else (Verb.REPLACE, replacing)
                group = groups.get(id(wanted))
                if group is None:
                    group = groups[id(wanted)] = Edit(verb, family.afi, [], wanted)
                group.keys.append(nlri)
            else:
                if wanted is not None:
                    missing[family, nlri] = wanted
                if there is not None and not (stale and (family, nlri) in stale):
                    del installed[nlri]
                    removing.append(nlri)
        writing = [*adding.values(), *replacing.values()]
        self._written += sum(len(edit.keys) for edit in writing)
        self._removed += len(removing)
        return [*writing, Edit(Verb.REMOVE, family.afi, removing)] if removing else writing

    def _refused(self, refusals: Iterable[Refusal]) -> list[Edit]:
        """Note what the kernel did not do; gives what is left to do: a route that could not be replaced has to go."""
        left_over: list[Edit] = []
        for verb, afi, nlri, error in refusals:
            if verb is Verb.REMOVE:
                continue  # ESRCH: it is gone, or another's
            family = _family(afi)
            self.installed[family].pop(nlri, None)
            if error == errno.EEXIST:
                reason = f"another program has a route of metric {self.options.metric}"
                if (family, nlri) not in self._blocked:
                    # Or it is ours after all, and what we heard of it came late.
                    self._blocked.add((family, nlri))
                    self._ask_again()
            else:
                reason = f"the kernel refuses: {os.strerror(error)}"
            self.missing[family, nlri] = reason
            if verb is Verb.REPLACE:
                left_over.append(Edit(Verb.REMOVE, afi, [nlri]))
        return left_over

    # What others do.

    async def _listen(self) -> None:
        while True:
            for event in await self.kernel.events():
                match event:
                    case RouteCame(route):
                        self._came(route)
                    case RouteWent(route):
                        self._went(route)
                    case LinksChanged() | EventsLost():
                        self._ask_again()

    def _ask_again(self) -> None:
        self._is_unsure = True
        self._settling.set()

    def _is_own(self, route: KernelRoute) -> bool:
        return route.protocol == self.options.protocol

    def _came(self, route: KernelRoute) -> None:
        family = _family(route.afi)
        if self._is_own(route):
            self._ask_again()  # somebody else uses our protocol number
            return
        if route.metric == self.options.metric and self.installed[family].pop(route.nlri, None) is not None:
            # Another program took it over: theirs is not to be replaced. If it is ours again, asking tells.
            self.stale.discard((family, route.nlri))
            self.due(family, (route.nlri,))
            self._ask_again()
        self.resolver.add(route)
        self._settling.set()

    def _went(self, route: KernelRoute) -> None:
        family = _family(route.afi)
        if self._is_own(route):
            if route.metric == self.options.metric and self.installed[family].pop(route.nlri, None) is not None:
                self.stale.discard((family, route.nlri))
                self.due(family, (route.nlri,))
            return
        self.resolver.remove(route)
        self._settling.set()
        self._blocked.discard((family, route.nlri))
        if (family, route.nlri) in self.missing:
            self.due(family, (route.nlri,))

    def _move(self) -> None:
        """Routes of others changed: so may have the ways of ours, and what is eligible."""
        moved = self.resolver.recheck()
        if moved.ways:
            for family, ways in self._ways.items():
                ways.clear()
                self.due(family, (nlri for nlri, _ in self.loc_rib.routes(family)))
        if moved.metrics:
            self._next_hops_changed()

    async def _settle(self) -> None:
        """After others changed something, and now and then, hold what the kernel has against what it should have."""
        pause = SETTLE
        while True:
            with trio.move_on_after(self.options.reconcile_interval) as scope:
                await self._settling.wait()
                await trio.sleep(pause)
            self._settling = trio.Event()
            began = trio.current_time()
            if self._is_unsure or scope.cancelled_caught:
                await self.reconcile()
            else:
                self._move()
            # Where there is much to ask for and others do much, half of the time is for something else.
            pause = max(SETTLE, trio.current_time() - began)

    async def reconcile(self) -> None:
        """Ask the kernel what there is; what is missing or too much becomes due."""
        self._is_unsure = False
        await self._load()
        self._move()
        async with self._lock:
            there: dict[Family, dict[bytes, Way]] = {family: {} for family in FAMILIES}
            for route in await self.kernel.routes(own=True):
                there[_family(route.afi)][route.nlri] = route.way
            for family, found in there.items():
                self._compare(family, found)
        for family, nlri in list(self.missing):
            self.due(family, (nlri,))

    def _compare(self, family: Family, found: Mapping[bytes, Way]) -> None:
        """Take what was found for what is installed; where we thought otherwise, look again."""
        installed = self.installed[family]
        wrong = {nlri for nlri in installed.keys() | found.keys() if installed.get(nlri) != found.get(nlri)}
        for nlri in wrong:
            if nlri in found:
                installed[nlri] = found[nlri]
                self._blocked.discard((family, nlri))
            else:
                del installed[nlri]
                self.stale.discard((family, nlri))
        self.due(family, wrong)


def _family(afi: int) -> Family:
    return IPV4_UNICAST if afi == Afi.IPV4 else IPV6_UNICAST
