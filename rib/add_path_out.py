"""The Adj-RIB-Out of one session that takes several paths to a prefix (RFC 7911).

Unlike `AdjRibOut` this one remembers what was announced: which of the candidates a peer has cannot be told from which of
them was best. A path's identifier stands for where it came from, so that whatever that source says next replaces it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from rib.adj_out import DRAIN_LIMIT, UNCERTAIN, AdjRibOut, Batch
from rib.export import Exported, ExportRules
from rib.family import Family
from rib.loc_rib import LocRib
from rib.route import Path, Source


class AddPathOut(AdjRibOut):
    """As `AdjRibOut`; for the families `several`, up to `most` paths (None: all) go to the peer `member`, best first."""

    def __init__(
        self,
        loc_rib: LocRib,
        rules: ExportRules,
        families: tuple[Family, ...],
        *,
        several: frozenset[Family],
        most: int | None,
        member: Source,
    ) -> None:
        super().__init__(loc_rib, rules, families)
        self._several = several
        self._most = most
        self._member = member
        self._sent: dict[Family, dict[bytes, dict[int, Path]]] = {family: {} for family in several}
        self._ids: dict[tuple[Source, int | None], int] = {}
        for family in several:
            loc_rib.table(family).tells_all = True

    def take_after(self, other: AdjRibOut) -> None:
        """Go on where `other` is."""
        super().take_after(other)
        if isinstance(other, AddPathOut):
            self._sent, self._ids = other._sent, other._ids

    def _concerning(self, family: Family, changed: Mapping[bytes, Path | None]) -> Mapping[bytes, Path | None]:
        """All changes: behind a best path that the peer may not hear of, there may be others that it may."""
        return changed if family in self._several else super()._concerning(family, changed)

    def _may_hear(self, family: Family) -> Iterable[bytes]:
        """See `AdjRibOut`; as with changes, all of them."""
        return self.loc_rib.table(family).best if family in self._several else super()._may_hear(family)

    def named(self, family: Family, nlri: bytes, path_id: int = 0) -> bytes:
        """The NLRI as it goes out, its path identifier before it where the family has them."""
        return path_id.to_bytes(4, "big") + nlri if family in self._several else nlri

    def drain(self, family: Family, limit: int = DRAIN_LIMIT) -> Batch | None:
        """See `AdjRibOut.drain`; the prefixes have their path identifiers before them."""
        if family not in self._several:
            return super().drain(family, limit)
        taken = self._take(family, limit)
        if not taken:
            return None
        batch = Batch(family)
        sent = self._sent[family]
        groups: dict[Exported, tuple[Source, list[bytes]]] = {}
        gone: list[bytes] = []
        for nlri, old in taken.items():
            before = sent.get(nlri, {})
            wanted = self._wanted(family, nlri)
            gone += [self.named(family, nlri, path_id) for path_id in before if path_id not in wanted]
            for path_id, (path, exported) in wanted.items():
                if old is UNCERTAIN or before.get(path_id) is not path:
                    groups.setdefault(exported, (path.source, []))[1].append(self.named(family, nlri, path_id))
            if wanted:
                sent[nlri] = {path_id: path for path_id, (path, _) in wanted.items()}
            else:
                sent.pop(nlri, None)
        if gone:
            batch.withdrawn[None] = gone
        batch.announced = [(exported, source, prefixes) for exported, (source, prefixes) in groups.items()]
        if not self:
            self._verdicts.clear()
        return batch

    def _wanted(self, family: Family, nlri: bytes) -> dict[int, tuple[Path, Exported]]:
        """The paths that the peer should have, by identifier."""
        found: dict[int, tuple[Path, Exported]] = {}
        for path in self.loc_rib.table(family).candidates(nlri):
            if len(found) == self._most:
                break
            if path.source is not self._member and (exported := self.verdict(family, nlri, path)) is not None:
                found[self._id(path)] = path, exported
        return found

    def _id(self, path: Path) -> int:
        return self._ids.setdefault((path.source, path.path_id), len(self._ids) + 1)

    def told(self, family: Family, member: Source | None = None) -> Iterator[tuple[bytes, Path]]:
        """See `AdjRibOut.told`; a prefix comes once for each path."""
        if family not in self._several:
            yield from super().told(family, member)
            return
        for nlri, paths in self._sent[family].items():
            for path in paths.values():
                yield nlri, path
