"""The Adj-RIB-Out (RFC 4271 3.2) of an update group: peers to which the same routes go out in the same words.

What was announced is not stored a second time. It *is* the Loc-RIB seen through the export rules, except for the prefixes
in the pending map: NLRI to the path that was best when the peers last heard of the prefix. So a prefix that flaps a
hundred times while a peer reads slowly is one entry here, memory is bounded by the table's size, and a prefix that
returned to what the peers know costs nothing.

A path is never sent back to the peer that it came from. Members of one group therefore differ in what they hold, but only
by their own routes: `Batch.announced` names the source to leave out, and `Batch.taken_back` holds withdrawals for one
member only, whose own route has just become the best.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from itertools import chain
from typing import Final

from rib.attributes import Attributes
from rib.export import Exported, ExportRules
from rib.family import Family
from rib.loc_rib import Arrivals, LocRib
from rib.route import Path, Source, SourceKind

#: Prefixes that one `drain` takes at most, so that a full table goes out in pieces and timers get their turn.
DRAIN_LIMIT: Final = 20_000

#: Stands in the pending map for "the peers may have heard something of this prefix": after a refresh or a new policy.
UNCERTAIN: Final = Path(Attributes(), Source(SourceKind.LOCAL, "uncertain", 0, IPv4Address(0)))


@dataclass(slots=True)
class Batch:
    """What to tell the peers of a group about one family."""

    family: Family
    #: For each distinct path: how it goes out, the source that must not hear it, the prefixes.
    announced: list[tuple[Exported, Source, list[bytes]]] = field(default_factory=list)
    #: By the source that never had them (None: all members did), the prefixes to withdraw.
    withdrawn: dict[Source | None, list[bytes]] = field(default_factory=dict)
    #: Prefixes to withdraw from one member only.
    taken_back: dict[Source, list[bytes]] = field(default_factory=dict)


class AdjRibOut:
    """Pending changes for one update group, all families; fed by the Loc-RIB, drained by whoever encodes."""

    def __init__(self, loc_rib: LocRib, rules: ExportRules, families: tuple[Family, ...]) -> None:
        self.loc_rib = loc_rib
        self.rules = rules
        self._picks_sources = rules.picks_sources
        self.pending: dict[Family, dict[bytes, Path | None]] = {family: {} for family in families}
        # Prefixes of which the peers have heard nothing, in the runs in which they came; while there are any of a
        # family, its pending map is empty, and their paths are still the best.
        self._arrived: dict[Family, list[tuple[Sequence[bytes], Path]]] = {family: [] for family in families}
        self._per_prefix = rules.per_prefix
        self._verdicts: dict[Path, Exported | None] = {}

    def __bool__(self) -> bool:
        return any(self.pending.values()) or any(self._arrived.values())

    def note(self, family: Family, changed: Mapping[bytes, Path | None]) -> bool:
        """Remember that the best paths of these prefixes changed from the given ones. Gives whether it concerns us."""
        pending = self.pending.get(family)
        if pending is None or self.rules.policy is None:
            return False
        if isinstance(changed, Arrivals):
            if not pending and not self._per_prefix:
                return self._note_arrivals(family, changed)
            changed = dict.fromkeys(changed)
        if self._picks_sources and not (changed := self._concerning(family, changed)):
            return False
        pending = self._settled(family)
        if not pending:
            self.pending[family] = dict(changed)
        elif pending.keys().isdisjoint(changed):
            pending |= changed
        else:
            for nlri, old in changed.items():
                pending.setdefault(nlri, old)
        return True

    def _note_arrivals(self, family: Family, arrivals: Arrivals) -> bool:
        runs = arrivals.runs
        if self._picks_sources:
            never = self.rules.why_never
            runs = [(prefixes, path) for prefixes, path in runs if not never(path.source)]
        self._arrived[family] += runs
        return bool(runs)

    def _concerning(self, family: Family, changed: Mapping[bytes, Path | None]) -> Mapping[bytes, Path | None]:
        """The changes that the peers can hear of: in a full mesh, none of those that another peer told us of."""
        best, never = self.loc_rib.table(family).best.get, self.rules.why_never
        kept: dict[bytes, Path | None] = {}
        for nlri, old in changed.items():
            new = best(nlri)
            if (old is not None and not never(old.source)) or (new is not None and not never(new.source)):
                kept[nlri] = old
        return kept

    def _settled(self, family: Family) -> dict[bytes, Path | None]:
        """The pending map of a family, with all that is pending."""
        if arrived := self._arrived[family]:
            self._arrived[family] = []
            self.pending[family] = dict.fromkeys(chain.from_iterable(keys for keys, _ in arrived))
        return self.pending[family]

    def note_all(self, family: Family) -> None:
        """Remember the whole Loc-RIB as new, for a peer that has heard nothing yet."""
        self.note(family, dict.fromkeys(self._may_hear(family)))

    def _may_hear(self, family: Family) -> Iterable[bytes]:
        """The prefixes of the Loc-RIB, without those that the peers cannot hear of."""
        best, never = self.loc_rib.table(family).best, self.rules.why_never
        if not self._picks_sources:
            return best
        # Sources are few beside routes, and every session that comes up looks through all of these.
        heard = {source for source in {path.source for path in best.values()} if not never(source)}
        return [nlri for nlri, path in best.items() if path.source in heard]

    def note_again(self, family: Family) -> None:
        """Remember the whole Loc-RIB as to be told again: a route refresh (RFC 2918) or other rules."""
        if family in self.pending:
            pending = self._settled(family)
            for nlri in self.loc_rib.table(family).best:
                pending[nlri] = UNCERTAIN

    def change_rules(self, rules: ExportRules) -> None:
        """Export by `rules` from now on; what the peers have that no longer goes out is withdrawn."""
        self.loc_rib.flush()
        self.rules = rules
        self._picks_sources = rules.picks_sources
        self._per_prefix = rules.per_prefix
        self._verdicts.clear()
        for family in self.pending:
            pending = self._settled(family)
            # What they heard of these went out by other rules, which are no longer known.
            pending.update(dict.fromkeys(pending, UNCERTAIN))
            self.note_again(family)

    def verdict(self, family: Family, nlri: bytes, path: Path) -> Exported | None:
        """How `path` goes out; None if it does not."""
        if self._per_prefix:
            return self.rules.verdict(family, nlri, path)
        try:
            return self._verdicts[path]
        except KeyError:
            found = self._verdicts[path] = self.rules.verdict(family, nlri, path)
            return found

    def take_after(self, other: AdjRibOut) -> None:
        """Go on where `other` is, which was told the same and told its peers the same."""
        self.pending = {family: dict(other._settled(family)) for family in other.pending}

    def named(self, family: Family, nlri: bytes) -> bytes:
        """The NLRI as it goes out."""
        return nlri

    def _take(self, family: Family, limit: int) -> dict[bytes, Path | None]:
        """Up to `limit` prefixes, out of the pending map."""
        pending = self._settled(family)
        if len(pending) <= limit:
            self.pending[family] = {}
            return pending
        first = list(pending)[:limit]
        return {nlri: pending.pop(nlri) for nlri in first}

    def _take_arrived(self, family: Family, limit: int) -> dict[Path, list[bytes]]:
        """Prefixes by path, up to `limit`, of those that the peers have not heard of; empty if there are none."""
        arrived = self._arrived[family]
        groups: dict[Path, list[bytes]] = {}
        taken = 0
        for prefixes, path in arrived:
            if len(prefixes) > limit:
                arrived[taken], prefixes = (prefixes[limit:], path), prefixes[:limit]
            else:
                taken += 1
            found = groups.get(path)
            if found is None:
                groups[path] = list(prefixes)
            else:
                found += prefixes
            limit -= len(prefixes)
            if not limit:
                break
        self._arrived[family] = arrived[taken:]
        return groups

    def drain(self, family: Family, limit: int = DRAIN_LIMIT) -> Batch | None:
        """Take up to `limit` prefixes out of the pending map and say what the peers must hear; None if nothing is pending."""
        batch = Batch(family)
        if groups := self._take_arrived(family, limit):
            self._announce(batch, groups)
            return batch
        taken = self._take(family, limit)
        if not taken:
            return None
        best = self.loc_rib.table(family).best.get
        last: Path | None = None
        group: list[bytes] = []
        replaced: list[tuple[bytes, Path, Path]] = []
        for (nlri, old), new in zip(taken.items(), map(best, taken), strict=True):
            if new is None:
                if old is not None:
                    self._withdraw(batch, nlri, old)
            elif new is not old:
                if new is not last:  # most prefixes come in runs with one path
                    last = new
                    group = groups.setdefault(new, [])
                group.append(nlri)
                if old is not None:
                    replaced.append((nlri, old, new))
        self._announce(batch, groups)
        for nlri, old, new in replaced:
            self._replace(batch, nlri, old, new)
        if not self:
            self._verdicts.clear()
        return batch

    def _announce(self, batch: Batch, groups: dict[Path, list[bytes]]) -> None:
        if self._per_prefix:
            for path, prefixes in groups.items():
                self._announce_each(batch, path, prefixes)
            return
        verdict, announced, family = self.rules.verdict, batch.announced, batch.family
        for path, prefixes in groups.items():
            if (exported := verdict(family, prefixes[0], path)) is not None:
                announced.append((exported, path.source, prefixes))

    def _announce_each(self, batch: Batch, path: Path, prefixes: list[bytes]) -> None:
        by_result: dict[Exported, list[bytes]] = {}
        for nlri in prefixes:
            if (exported := self.verdict(batch.family, nlri, path)) is not None:
                by_result.setdefault(exported, []).append(nlri)
        batch.announced += [(exported, path.source, chosen) for exported, chosen in by_result.items()]

    def _withdraw(self, batch: Batch, nlri: bytes, old: Path) -> None:
        if old is UNCERTAIN or self.verdict(batch.family, nlri, old) is not None:
            batch.withdrawn.setdefault(self._unaware(old), []).append(nlri)

    @staticmethod
    def _unaware(old: Path) -> Source | None:
        """The source that has not heard of `old`, because it came from there."""
        return None if old is UNCERTAIN else old.source

    def _replace(self, batch: Batch, nlri: bytes, old: Path, new: Path) -> None:
        if old is not UNCERTAIN and self.verdict(batch.family, nlri, old) is None:
            return
        if self.verdict(batch.family, nlri, new) is None:
            batch.withdrawn.setdefault(self._unaware(old), []).append(nlri)
        elif old.source is not new.source:
            batch.taken_back.setdefault(new.source, []).append(nlri)

    def told(self, family: Family, member: Source | None = None) -> Iterator[tuple[bytes, Path]]:
        """The paths that the member `member` has heard of, as (NLRI, path), and those that the rules kept from it."""
        pending = self._settled(family) if family in self.pending else {}
        for nlri, path in self.loc_rib.table(family).best.items():
            if nlri not in pending and path.source is not member:
                yield nlri, path
        for nlri, old in pending.items():
            if old is not None and old is not UNCERTAIN and old.source is not member:
                yield nlri, old

    def routes(self, family: Family, member: Source | None = None) -> Iterator[tuple[bytes, Exported]]:
        """What the member `member` has heard of `family`, as (NLRI, how it went out)."""
        for nlri, path in self.told(family, member):
            if (exported := self.rules.verdict(family, nlri, path)) is not None:
                yield nlri, exported
