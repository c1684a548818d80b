"""Speakers to which things happen at random, by a seed; in the end, each holds exactly what the others should have told it.

The model is the export rules themselves: what a speaker's best paths come to towards a peer, one prefix after the other,
without update groups, pending maps, refreshes, restarts or whatever happened before.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
import trio
from speakers import Laboratory, home, laboratory, settle
from trio.testing import MockClock

from bgp import AddPathMode, Policy, RestartMode, accept, reject
from bgp.message import Notification
from bgp.net import Peer, Speaker, group
from fsm.words import State
from rib.community import Community
from rib.decision import best as decide
from rib.export import Drain
from rib.family import IPV4_UNICAST
from rib.policy import Action, Match, PrefixRange, Rule, Set
from rib.route import Path

PREFIXES = [f"10.{number}.0.0/16" for number in range(12)]
HALF = Match(prefixes=(PrefixRange.parse("10.0.0.0/13 le 16"),))
POLICIES = [
    accept,
    accept,
    reject,
    None,
    Policy("half", (Rule(HALF, Action.ACCEPT),)),
    Policy("tag", (Rule(set=Set(add_communities=(Community(1 << 16 | 9),), med=7)),)),
    Policy("tag half", (Rule(HALF, Action.NEXT, Set(add_communities=(Community(2 << 16),))),), Action.ACCEPT),
]


class World:
    """Four speakers, all of which may be each other's peers, and the dice."""

    def __init__(self, lab: Laboratory, seed: int) -> None:
        self.lab = lab
        self.dice = Random(seed)
        self.speakers: list[Speaker] = []
        self.asns = self.dice.choice([(65001, 65002, 65003, 65004), (65001, 65001, 65001, 65002)])

    async def begin(self) -> None:
        for number, asn in enumerate(self.asns, 1):
            speaker = await self.lab.speaker(asn, f"10.0.0.{number}")
            speaker.random = Random(self.dice.random())
            self.speakers.append(speaker)
        for one in self.speakers:
            for other in self.speakers:
                if one is not other:
                    await self.add(one, other)

    async def add(self, one: Speaker, other: Speaker) -> None:
        await one.add_peer(
            home(other),
            asn=other.options.asn,
            import_policy=accept,
            export_policy=accept,
            hold_time=30,
            graceful_restart=self.dice.choice(list(RestartMode)),
            add_path=self.dice.choice([AddPathMode.OFF, AddPathMode.BOTH]),
            add_path_limit=self.dice.choice([None, 2]),
            route_reflector_client=self.dice.random() < 0.3,
            restart_time=40,
        )

    def two(self) -> tuple[Speaker, Speaker]:
        one, other = self.dice.sample(self.speakers, 2)
        return one, other

    def peer(self) -> Peer | None:
        one, other = self.two()
        return one.peers.get(home(other))

    # What may happen.

    async def announce(self) -> None:
        speaker = self.dice.choice(self.speakers)
        speaker.announce(self.dice.choice(PREFIXES), med=self.dice.choice([None, 1, 2]))

    async def withdraw(self) -> None:
        speaker = self.dice.choice(self.speakers)
        if own := sorted(speaker.announced.get(IPV4_UNICAST, {})):
            keys = [prefix for prefix in PREFIXES if bytes((16, 10, int(prefix.split(".")[1]))) in own]
            speaker.withdraw(self.dice.choice(keys))

    async def cut(self) -> None:
        one, other = self.two()
        self.lab.network.cut(home(one), home(other))

    async def heal(self) -> None:
        one, other = self.two()
        self.lab.network.heal(home(one), home(other))

    async def stall(self) -> None:
        one, other = self.two()
        self.lab.network.stall(home(one), home(other))

    async def reset(self) -> None:
        if (peer := self.peer()) is not None and peer.state is State.ESTABLISHED:
            peer.reset(Notification(6, 4))

    async def refresh(self) -> None:
        if (peer := self.peer()) is not None and peer.state is State.ESTABLISHED:
            peer.refresh()

    async def change_policies(self) -> None:
        if (peer := self.peer()) is not None:
            peer.change_policies(import_policy=self.dice.choice(POLICIES), export_policy=self.dice.choice(POLICIES))

    async def remove(self) -> None:
        one, other = self.two()
        if home(other) in one.peers:
            await one.remove_peer(home(other))
            if self.dice.random() < 0.5:
                await self.add(one, other)

    async def drain(self) -> None:
        speaker = self.dice.choice(self.speakers)
        speaker._drain(self.dice.choice(list(Drain)))

    async def wait(self) -> None:
        await trio.sleep(self.dice.choice([0.1, 1, 5, 50]))

    async def quiet(self) -> None:
        await settle()

    async def happen(self) -> None:
        """One thing, the everyday ones more often."""
        rare = (self.cut, self.heal, self.stall, self.reset, self.change_policies, self.remove, self.drain)
        often = (self.announce, self.withdraw, self.announce, self.refresh, self.wait, self.quiet)
        await self.dice.choice((*rare, *often, *often))()

    async def end(self) -> None:
        """Repair all links, add who is missing, and wait until all is told."""
        for one in self.speakers:
            for other in self.speakers:
                if one is not other:
                    self.lab.network.heal(home(one), home(other))
                    if home(other) not in one.peers:
                        await self.add(one, other)
        with trio.fail_after(600):
            for one in self.speakers:
                await one.wait_established()
        await trio.sleep(500)
        await settle()

    # What is held, and what should be.

    def check(self) -> None:
        for one in self.speakers:
            self.check_candidates(one)
            for other in self.speakers:
                if one is not other:
                    self.check_session(one, other)

    def check_candidates(self, speaker: Speaker) -> None:
        """The Loc-RIB has what the peers sent and may be used, and what the speaker announces; the best is the best."""
        wanted: dict[bytes, set[Path]] = {
            nlri: {path} for nlri, path in speaker.announced.get(IPV4_UNICAST, {}).items()
        }
        for peer in speaker.peers.values():
            assert peer.adj_in is not None
            for nlri, path in peer.adj_in.routes(IPV4_UNICAST):
                if path.ineligible is None:
                    wanted.setdefault(nlri, set()).add(path)
        table = speaker.loc_rib.table(IPV4_UNICAST)
        assert {nlri: set(table.candidates(nlri)) for nlri in table.best} == wanted
        assert all(path is decide([*wanted[nlri]])[0] for nlri, path in table.best.items())

    def check_session(self, teller: Speaker, hearer: Speaker) -> None:
        there, here = teller.peers[home(hearer)], hearer.peers[home(teller)]
        assert here.adj_in is not None
        held = Counter(
            (nlri, tuple(path.received.as_mapping().items())) for nlri, path in here.adj_in.routes(IPV4_UNICAST)
        )
        assert held == self.wanted(teller, there), f"{home(teller)} to {home(hearer)}"
        assert not any(here.adj_in.stale.values())

    def wanted(self, teller: Speaker, peer: Peer) -> Counter[tuple[bytes, tuple[tuple[str, object], ...]]]:
        found = teller.groups.of(peer)
        assert found is not None
        rules, table = found.adj_out.rules, teller.loc_rib.table(IPV4_UNICAST)
        wanted: Counter[tuple[bytes, tuple[tuple[str, object], ...]]] = Counter()
        for nlri, best in teller.loc_rib.routes(IPV4_UNICAST):
            several = IPV4_UNICAST in found.key.several
            paths: list[Path] = table.candidates(nlri) if several else [best]
            told = [
                exported
                for path in paths
                if path.source is not peer.source and (exported := rules.verdict(IPV4_UNICAST, nlri, path)) is not None
            ]
            for attributes, rewrite in told[: found.key.most if several else 1]:
                wanted[nlri, tuple(rewrite.apply(attributes).as_mapping().items())] += 1
        return wanted


@pytest.mark.parametrize("seed", [*range(7), 148])
async def test_in_the_end_all_hold_what_the_others_should_have_told(
    seed: int, autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "QUEUE_LIMIT", 200)
    # The order in which tasks run is thrown with the same dice.
    monkeypatch.setattr(trio._core._run, "_ALLOW_DETERMINISTIC_SCHEDULING", True)
    trio._core._run._r.seed(seed)
    async with laboratory() as lab:
        world = World(lab, seed)
        await world.begin()
        for _ in range(3):
            for _ in range(60):
                await world.happen()
            await world.end()
            world.check()
