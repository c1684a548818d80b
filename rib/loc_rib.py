"""The Loc-RIB (RFC 4271 3.2): for each prefix the candidates and the one that won.

A family's table has two dicts: `best`, NLRI to the winning `Path`, and `others`, NLRI to the candidates that lost. Most
prefixes have one candidate, so `others` stays small, and taking in an UPDATE whose prefixes are all new is one bulk update.
A candidate is told from another by identity: whoever replaces or withdraws a path names the old `Path` object.

What changed is gathered until `LocRib.flush`, so that the UPDATEs of one read from a socket, however many, reach each
listener as one mapping: NLRI to the path that was best when it was last told. A lot of routes that are all new, which is
what a table that comes in is made of, is not even put into a dict: it is handed on in the runs in which it came.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv6Address
from itertools import chain

from rib.decision import DEFAULT_DECISION, DecisionOptions, best_of, rank, sharing
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Family
from rib.policy import PrefixRange
from rib.prefix import Prefix, covering_nlri
from rib.route import Change, Path, Route


class Arrivals(Mapping[bytes, None]):
    """Prefixes that had no path when listeners were last told, each to None.

    `runs` has them with their best paths, as they came: lists of NLRI, no prefix twice.
    """

    __slots__ = ("_as_dict", "runs")

    def __init__(self, runs: list[tuple[Sequence[bytes], Path]]) -> None:
        self.runs = runs
        self._as_dict: dict[bytes, None] | None = None

    def _dict(self) -> dict[bytes, None]:
        if self._as_dict is None:
            self._as_dict = dict.fromkeys(chain.from_iterable(keys for keys, _ in self.runs))
        return self._as_dict

    def __getitem__(self, nlri: bytes) -> None:
        return self._dict()[nlri]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._dict())

    def __len__(self) -> int:
        return sum(len(keys) for keys, _ in self.runs)


#: What a listener gets: the family, and for each changed NLRI the path that was best before (None: there was none).
Listener = Callable[[Family, "Mapping[bytes, Path | None]"], None]


class Table:
    """The candidates of one family, and what changed since it was last asked."""

    __slots__ = ("_arrived", "_changed", "best", "options", "others", "tells_all")

    def __init__(self, options: DecisionOptions = DEFAULT_DECISION) -> None:
        self.best: dict[bytes, Path] = {}
        self.others: dict[bytes, list[Path]] = {}
        self.options = options
        #: Also of prefixes where only a losing candidate changed: somebody is told of all (RFC 7911).
        self.tells_all = False
        # One of the two is empty: runs of prefixes that are all new, or NLRI to what was best before.
        self._arrived: list[tuple[Sequence[bytes], Path]] = []
        self._changed: dict[bytes, Path | None] = {}

    @property
    def has_news(self) -> bool:
        """Whether `news` has something to tell."""
        return bool(self._arrived or self._changed)

    def news(self) -> Mapping[bytes, Path | None]:
        """What changed since it was last asked: NLRI to the path that was best then, None for none."""
        if self._arrived:
            arrived, self._arrived = self._arrived, []
            return Arrivals(arrived)
        changed, self._changed = self._changed, {}
        return changed

    def _changes(self) -> dict[bytes, Path | None]:
        """The dict of changes, to write to."""
        if self._arrived:
            arrived, self._arrived = self._arrived, []
            self._changed = dict.fromkeys(chain.from_iterable(keys for keys, _ in arrived))
        return self._changed

    def candidates(self, nlri: bytes) -> list[Path]:
        """All eligible paths to `nlri`, best first."""
        best = self.best.get(nlri)
        if best is None:
            return []
        return [best, *rank(self.others.get(nlri, ()), self.options)]

    def multipath(self, nlri: bytes, most: int, *, relax_as_path: bool = False) -> list[Path]:
        """The best path and up to `most` - 1 that are as good but for tie-breakers; see `rib.decision.sharing`."""
        best = self.best.get(nlri)
        if best is None:
            return []
        others = self.others.get(nlri)
        return sharing(best, others, self.options, relax_as_path=relax_as_path)[:most] if others else [best]

    def insert(self, keys: Sequence[bytes], path: Path, before: Mapping[bytes, Path] | None) -> None:
        """Make `path` a candidate for `keys`, in place of what its source had there before.

        An ineligible `path` only removes.
        """
        if path.ineligible is not None:
            if before:
                self.remove(before.items())
            return
        if before is None and self.arrive(keys, path):
            return
        best = self.best
        changed = self._changes()
        others = self.others
        before = before or {}
        for key in keys:
            current = best.get(key)
            if current is path:
                continue
            if current is None:
                best[key] = path
                changed.setdefault(key, None)
                continue
            old = before.get(key)
            if current is old and key not in others:
                best[key] = path
                changed.setdefault(key, current)
            else:
                self._choose(key, current, old, path)

    def arrive(self, keys: Sequence[bytes], path: Path) -> bool:
        """Make `path`, which is eligible, the only candidate for `keys` if none of them has any; gives whether it did."""
        best = self.best
        if self._changed or not best.keys().isdisjoint(keys):
            return False
        size = len(best)
        for key in keys:
            best[key] = path
        once = len(best) - size == len(keys)
        self._arrived.append((keys if once else [*dict.fromkeys(keys)], path))
        return True

    def _choose(self, key: bytes, current: Path, old: Path | None, path: Path) -> None:
        """Decide anew between `current`, the others and `path`, of which `old` is replaced."""
        others = self.others
        losers = others.get(key)
        if losers is not None and path in losers:
            return  # told again, or twice in one UPDATE
        candidates = [current, path] if losers is None else [current, *losers, path]
        if old is not None and old.ineligible is None:
            candidates.remove(old)
        winner = best_of(candidates, self.options)
        if winner is not current:
            self.best[key] = winner
        if winner is not current or self.tells_all:
            self._changed.setdefault(key, current)
        candidates.remove(winner)
        if candidates:
            others[key] = candidates
        else:
            others.pop(key, None)

    def remove(self, gone: Iterable[tuple[bytes, Path]]) -> None:
        """Take candidates away."""
        best, others, changed = self.best, self.others, self._changes()
        for key, old in gone:
            if best.get(key) is old:
                losers = others.pop(key, None) if others else None
                if losers is None:
                    del best[key]
                else:
                    winner = best_of(losers, self.options)
                    losers.remove(winner)
                    best[key] = winner
                    if losers:
                        others[key] = losers
                changed.setdefault(key, old)
            elif old.ineligible is None:
                losers = others[key]
                losers.remove(old)
                if not losers:
                    del others[key]
                if self.tells_all:
                    changed.setdefault(key, best[key])


class LocRib:
    """The Loc-RIB of a speaker, all families. Listeners hear of changes at every `flush`, and must not keep the mapping."""

    def __init__(self, options: DecisionOptions = DEFAULT_DECISION) -> None:
        self.options = options
        self.tables: dict[Family, Table] = {}
        self.held = False  #: RFC 4724 4.1: route selection is deferred; changes are gathered and nobody is told
        self._listeners: list[Listener] = []

    def __len__(self) -> int:
        return sum(len(table.best) for table in self.tables.values())

    def table(self, family: Family) -> Table:
        """The table of `family`, made when first asked for."""
        found = self.tables.get(family)
        if found is None:
            found = self.tables[family] = Table(self.options)
        return found

    def listen(self, listener: Listener) -> None:
        """Tell `listener` of every change from now on."""
        self._listeners.append(listener)

    def unlisten(self, listener: Listener) -> None:
        """Stop telling `listener`. Raises ValueError if it does not listen."""
        self._listeners.remove(listener)

    def flush(self) -> None:
        """Tell the listeners what changed since the last time."""
        if self.held:
            return
        for family, table in self.tables.items():
            if table.has_news:
                changed = table.news()
                for listener in tuple(self._listeners):
                    listener(family, changed)

    def best(self, family: Family, nlri: bytes) -> Path | None:
        """The best path to exactly `nlri`; None if there is none."""
        table = self.tables.get(family)
        return table.best.get(nlri) if table else None

    def longest_match(self, address: IPv4Address | IPv6Address, family: Family | None = None) -> Route | None:
        """The best route of the longest prefix that covers `address`; None where none does.

        `family` is by default the unicast one of the address. Asks the table once a length and so keeps nothing up to date:
        microseconds for a person's question. For many questions about one table make a `PrefixTrie`.
        """
        if family is None:
            family = IPV4_UNICAST if address.version == 4 else IPV6_UNICAST
        table = self.tables.get(family)
        if table is None:
            return None
        best = table.best
        return next((Route(family, nlri, best[nlri]) for nlri in covering_nlri(address.packed) if nlri in best), None)

    def covered(self, family: Family, prefix: Prefix) -> list[Route]:
        """The best routes of all prefixes within `prefix`, in order. Looks at every prefix of the table."""
        table = self.tables.get(family)
        if table is None:
            return []
        within = PrefixRange(prefix, ge=prefix.length)
        start = prefix.nlri[1 : 1 + prefix.length // 8]
        likely = (nlri for nlri in table.best if nlri.startswith(start, 1))
        found = [nlri for nlri in likely if within.matches(family.afi, nlri)]
        return [Route(family, nlri, table.best[nlri]) for nlri in sorted(found, key=lambda one: (one[1:], one[0]))]

    def routes(self, family: Family) -> Iterator[tuple[bytes, Path]]:
        """All best routes of `family` as (NLRI, path), in no order."""
        table = self.tables.get(family)
        return iter(table.best.items()) if table else iter(())

    def describe(self, family: Family, changed: Mapping[bytes, Path | None]) -> Iterator[Change]:
        """The changes a listener was told of, one by one, with the best path of now."""
        best = self.table(family).best
        for nlri, old in changed.items():
            if (new := best.get(nlri)) is not old:
                yield Change(family, nlri, old, new)
