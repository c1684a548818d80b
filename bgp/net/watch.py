"""The Loc-RIB of a speaker, which programs may watch: changes of best paths as they happen."""

from __future__ import annotations

from collections.abc import Mapping
from weakref import WeakMethod, finalize

import trio

from bgp.net.bell import Bell
from rib.family import Family
from rib.loc_rib import LocRib
from rib.route import Change, Path


class Changes:
    """Changes of best paths, to be read with `async for`, from the moment it was made.

    A slow reader sees the latest change of a prefix only, and loses none: what waits is bounded by the table's size.
    """

    def __init__(self, loc_rib: LocRib, *, existing: bool) -> None:
        self._loc_rib = loc_rib
        self._pending: dict[tuple[Family, bytes], Path | None] = {}
        self._news = Bell()
        # The Loc-RIB holds no strong reference: who stops reading just drops this object.
        note = WeakMethod(self._note)

        def listener(family: Family, changed: Mapping[bytes, Path | None]) -> None:
            if (alive := note()) is not None:
                alive(family, changed)

        loc_rib.flush()
        loc_rib.listen(listener)
        self.close = finalize(self, loc_rib.unlisten, listener)  #: hear of nothing more
        if existing:
            for family in loc_rib.tables:
                self._note(family, dict.fromkeys(nlri for nlri, _ in loc_rib.routes(family)))

    def _note(self, family: Family, changed: Mapping[bytes, Path | None]) -> None:
        for nlri, old in changed.items():
            self._pending.setdefault((family, nlri), old)
        self._news.ring()

    def __aiter__(self) -> Changes:
        return self

    async def __anext__(self) -> Change:
        await trio.lowlevel.checkpoint()
        while True:
            while self._pending:
                family, nlri = next(iter(self._pending))
                old = self._pending.pop((family, nlri))
                new = self._loc_rib.best(family, nlri)
                if new is not old:
                    return Change(family, nlri, old, new)
            await self._news.wait()


class WatchedLocRib(LocRib):
    """A Loc-RIB with `changes`."""

    def changes(self, *, existing: bool = False) -> Changes:
        """Changes of best paths from now on; with `existing`, those that are there come first, as new."""
        return Changes(self, existing=existing)
