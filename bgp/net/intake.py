"""What one neighbour sent: its Adj-RIB-In on the way into the Loc-RIB, kept over a graceful restart (RFC 4724 4.2).

When a session ends, routes of families that the neighbour promised to forward for are kept, but in doubt ("stale"): they
count until the neighbour is back and has said its End-of-RIB, or until `deadline`. Routes that it says again meanwhile
are the very same values as before, so that nobody behind us hears of the restart. A route refresh between the markers of
RFC 7313 works the same way.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from bgp.error import Reaction
from bgp.wire.scan import Reach, RouteUpdate, UpdateScanner
from rib.adj_in import AdjRibIn, ImportRules
from rib.eligibility import Ineligible, Why
from rib.family import Family
from rib.loc_rib import LocRib
from rib.route import Source


class Intake:
    """The routes of one neighbour. `adj_in` is None while there are none and no session."""

    def __init__(
        self,
        loc_rib: LocRib,
        *,
        limit: int | None,
        too_many: Callable[[Family, int], None],
        end_of_rib: Callable[[Family], None],
        malformed: Callable[[RouteUpdate], None],
    ) -> None:
        self.adj_in: AdjRibIn | None = None
        self.deadline: float | None = None
        self.scanner: UpdateScanner | None = None
        self._loc_rib = loc_rib
        self._limit = limit
        self._too_many = too_many
        self._end_of_rib = end_of_rib
        self._malformed = malformed
        self.disabled: dict[Family, str] = {}  #: families that an error took from the session, and which (RFC 4760 7)
        self._is_open = False
        self._refreshing: set[Family] = set()

    # Sessions.

    def open(
        self,
        source: Source,
        rules: ImportRules,
        families: tuple[Family, ...],
        scanner: UpdateScanner,
        *,
        kept: Iterable[Family],
        until: float,
    ) -> None:
        """A session is up. What is in doubt may stay `until` then, for those families that were `kept` by the neighbour."""
        self._is_open = True
        self.disabled = {}
        known, self.scanner = scanner is self.scanner, scanner
        adj_in = self.adj_in
        if adj_in is None or adj_in.source is not source or not known:
            self.flush()
            self.adj_in = AdjRibIn(source, rules, families)
            return
        for family in set(adj_in.stale) - set(kept):
            self._sweep(adj_in, family)
        adj_in.resume(rules, families)
        self.deadline = until if adj_in.stale else None

    def close(self, kept: Iterable[Family], until: float) -> None:
        """The session is over. Routes of the families `kept` stay in doubt `until` then; the others go."""
        self._is_open = False
        self.disabled = {}
        adj_in = self.adj_in
        if adj_in is None:
            return
        keep = set(kept)
        for family in adj_in.tables:
            if family in keep:
                # RFC 4724 4.2: what was in doubt already and was not said again before the next restart goes.
                self._sweep(adj_in, family)
                adj_in.mark_stale(family)
            else:
                self._loc_rib.table(family).remove(adj_in.clear(family))
        self._refreshing.clear()
        if any(adj_in.stale.values()):
            self.deadline = until
        else:
            self.flush()

    def flush(self) -> None:
        """Take all routes out."""
        self.deadline = None
        self._refreshing.clear()
        adj_in, self.adj_in = self.adj_in, None
        if adj_in is not None:
            for family in adj_in.tables:
                self._loc_rib.table(family).remove(adj_in.clear(family))
        if not self._is_open:
            self.scanner = None

    # Doubt.

    def begin_refresh(self, family: Family, until: float) -> None:
        """The neighbour begins to say all routes of `family` again, which it has `until` then to do (RFC 7313 4.2)."""
        adj_in = self.adj_in
        if (
            adj_in is None
            or family not in adj_in.tables
            or family in self.disabled
            or (family in adj_in.stale and family not in self._refreshing)
        ):
            return  # RFC 7313 4.1: not before End-of-RIB
        self._refreshing.add(family)
        adj_in.mark_stale(family)
        self.deadline = until if self.deadline is None else min(until, self.deadline)

    def end_refresh(self, family: Family) -> None:
        """The neighbour has said all routes of `family` again: those still in doubt go."""
        if self.adj_in is not None and family in self._refreshing:
            self._end_doubt(self.adj_in, family)

    def _end_doubt(self, adj_in: AdjRibIn, family: Family) -> None:
        self._refreshing.discard(family)
        self._sweep(adj_in, family)
        if not adj_in.stale:
            self.deadline = None

    def _sweep(self, adj_in: AdjRibIn, family: Family) -> None:
        self._loc_rib.table(family).remove(adj_in.sweep(family))

    def expire(self) -> None:
        """The deadline has come: what is in doubt goes."""
        self.deadline = None
        if not self._is_open:
            self.flush()
        elif self.adj_in is not None:
            for family in list(self.adj_in.stale):
                self._end_doubt(self.adj_in, family)

    # Routes.

    def ingest(self, update: RouteUpdate) -> None:
        """Take in an UPDATE that withdraws, or of which RFC 7606 had something to say, or an End-of-RIB."""
        adj_in = self.adj_in
        if adj_in is None:
            return
        for family, nlri, ids in update.withdrawn:
            gone = adj_in.withdraw(family, nlri, ids)
            if gone:
                self._loc_rib.table(family).remove(gone)
        for reach in update.announced:
            self.take(reach)
        if update.octets:
            for family, attributes, nlri, ids in update.refused:
                adj_in.refuse(family, nlri, attributes, Ineligible(Why.NOT_UNICAST), ids)
            self._malformed(update)
            for error in update.errors:
                if error.reaction is Reaction.AFI_SAFI_DISABLE and error.family in adj_in.tables:
                    self._disable(adj_in, error.family, error.reason)
        if update.end_of_rib is not None:
            if update.end_of_rib not in self._refreshing:
                self._end_doubt(adj_in, update.end_of_rib)
            self._end_of_rib(update.end_of_rib)

    def _disable(self, adj_in: AdjRibIn, family: Family, reason: str) -> None:
        """An error has cost the session a family: its routes go (RFC 4760 7), and nothing more of it is waited for."""
        self.disabled[family] = reason
        self._loc_rib.table(family).remove(adj_in.clear(family))
        self._end_doubt(adj_in, family)
        self._end_of_rib(family)

    def take(self, reach: Reach) -> None:
        """Take in routes."""
        adj_in = self.adj_in
        if adj_in is None:
            return
        family, attributes, nlri, ids = reach
        table = self._loc_rib.table(family)
        if ids is None and adj_in.uniform:
            adj_in.take(table, family, nlri, attributes)
        else:
            for path, keys, before in adj_in.announce(family, nlri, attributes, ids):
                table.insert(keys, path, before)
        if (limit := self._limit) is not None and len(adj_in.tables[family]) > limit:
            self._too_many(family, limit)
        elif adj_in.is_due_for_sweep() and (scanner := self.scanner) is not None:
            live = adj_in.live_blocks()
            adj_in.forget(live)
            scanner.forget(live)

    def rejudge(self, rules: ImportRules) -> None:
        """Judge all routes anew by other rules."""
        if self.adj_in is not None:
            for family, (path, keys, before) in self.adj_in.rejudge(rules):
                self._loc_rib.table(family).insert(keys, path, before)
