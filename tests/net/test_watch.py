"""Watching a Loc-RIB: from when, how much, and who forgets to stop."""

from __future__ import annotations

import gc

from speakers import laboratory, settle
from trio.testing import MockClock

from rib.attributes import Attributes
from rib.family import IPV4_UNICAST
from rib.prefix import Prefix
from rib.route import Change


async def test_watching_begins_when_it_is_asked_for(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001)
        speaker.announce("10.1.0.0/16")
        changes = speaker.loc_rib.changes()
        speaker.announce("10.2.0.0/16")
        speaker.announce("10.3.0.0/16")
        seen = [await anext(changes), await anext(changes)]
        assert [str(change.prefix) for change in seen] == ["10.2.0.0/16", "10.3.0.0/16"]


async def test_what_is_there_may_come_first(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001)
        speaker.announce("10.1.0.0/16")
        changes = speaker.loc_rib.changes(existing=True)
        change = await anext(changes)
        assert (str(change.prefix), change.old) == ("10.1.0.0/16", None)


async def test_a_slow_reader_sees_the_last_change_of_a_prefix(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001)
        speaker.announce("10.1.0.0/16")
        changes = speaker.loc_rib.changes()
        for med in range(100):
            speaker.announce("10.1.0.0/16", med=med)
        change = await anext(changes)
        assert change.new is not None
        assert change.new.attributes.med == 99
        assert change.old is not None
        assert change.old.attributes.med is None


async def test_what_came_and_went_meanwhile_is_no_change(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001)
        changes = speaker.loc_rib.changes()
        speaker.announce("10.1.0.0/16")
        speaker.withdraw("10.1.0.0/16")
        speaker.announce("10.2.0.0/16")
        assert str((await anext(changes)).prefix) == "10.2.0.0/16"


async def test_two_readers_each_see_all(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001)
        readers = [speaker.loc_rib.changes(), speaker.loc_rib.changes()]
        speaker.announce("10.1.0.0/16")
        seen: list[Change] = [await anext(reader) for reader in readers]
        assert seen[0] == seen[1]


async def test_who_drops_it_is_told_no_more(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001)
        listeners = len(speaker.loc_rib._listeners)
        changes = speaker.loc_rib.changes()
        closed = speaker.loc_rib.changes()
        assert len(speaker.loc_rib._listeners) == listeners + 2
        closed.close()
        assert len(speaker.loc_rib._listeners) == listeners + 1
        del changes
        gc.collect()
        assert len(speaker.loc_rib._listeners) == listeners
        speaker.announce_all([Prefix("10.0.0.0/8")], Attributes())
        await settle()
        assert speaker.loc_rib.best(IPV4_UNICAST, Prefix("10.0.0.0/8").nlri) is not None
