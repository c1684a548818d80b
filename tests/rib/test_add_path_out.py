"""The Adj-RIB-Out with several paths to a prefix: what the peer holds is what it should hold, whatever happened."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from routes import nlri, path, source

from rib.add_path_out import AddPathOut
from rib.adj_out import Batch
from rib.export import Exported, ExportRules
from rib.family import IPV4_MULTICAST, IPV4_UNICAST
from rib.loc_rib import LocRib
from rib.policy import Action, Match, Policy, Rule, Set, accept, reject
from rib.route import Path, SourceKind

A, B = nlri("10.1.0.0/16"), nlri("10.2.0.0/16")
RULES = ExportRules(65000, SourceKind.INTERNAL, 65000)
MEMBER = 4
#: All; none; those with a MED of 2, which are changed.
POLICIES = (
    accept,
    reject,
    Policy(rules=(Rule(Match(med=1), Action.REJECT), Rule(Match(med=2), set=Set(local_pref=7)))),
)
#: By number: peers that announce, the last of them the one that is told.
NEIGHBOURS = {number: source(number) for number in (2, 3, MEMBER)}


class Scene:
    """A Loc-RIB, the Adj-RIB-Out of peer 4, and what that peer has made of it."""

    def __init__(self, most: int | None = None) -> None:
        self.loc_rib = LocRib()
        self.most = most
        self.adj_out = self.another()
        self.loc_rib.listen(self.adj_out.note)
        self.table = self.loc_rib.table(IPV4_UNICAST)
        self.there: dict[tuple[bytes, int], Path] = {}
        self.peer: dict[bytes, Exported] = {}

    def another(self) -> AddPathOut:
        several = frozenset({IPV4_UNICAST})
        families = (IPV4_UNICAST, IPV4_MULTICAST)
        return AddPathOut(self.loc_rib, RULES, families, several=several, most=self.most, member=NEIGHBOURS[MEMBER])

    def announce(self, key: bytes, number: int, med: int = 0) -> None:
        made = Path(path(number, med=med).attributes, NEIGHBOURS[number])
        old = self.there.get((key, number))
        self.there[key, number] = made
        self.table.insert([key], made, None if old is None else {key: old})
        self.loc_rib.flush()

    def withdraw(self, key: bytes, number: int) -> None:
        if (old := self.there.pop((key, number), None)) is not None:
            self.table.remove([(key, old)])
            self.loc_rib.flush()

    def drain(self, limit: int = 100) -> None:
        batch = self.adj_out.drain(IPV4_UNICAST, limit)
        if batch is not None:
            self.hear(batch)

    def hear(self, batch: Batch) -> None:
        for named in batch.withdrawn.get(None, ()):
            del self.peer[named]
        for exported, _, prefixes in batch.announced:
            self.peer |= dict.fromkeys(prefixes, exported)

    def wanted(self, key: bytes) -> list[Exported]:
        """By the definition: the best paths that the peer did not announce itself, at most so many."""
        found = [
            self.adj_out.rules.verdict(IPV4_UNICAST, key, one)
            for one in self.table.candidates(key)
            if one.source is not NEIGHBOURS[MEMBER]
        ]
        return [one for one in found if one is not None][: self.most]

    def held(self, key: bytes) -> list[Exported]:
        return [exported for named, exported in self.peer.items() if named[4:] == key]


def test_the_paths_of_others_go_out_each_with_an_identifier() -> None:
    scene = Scene()
    for number in NEIGHBOURS:
        scene.announce(A, number)
    scene.drain()
    assert len(scene.peer) == 2
    assert len({named[:4] for named in scene.peer}) == 2
    assert dict(scene.adj_out.told(IPV4_UNICAST)).keys() == {A}


def test_what_a_source_says_next_replaces_what_it_said() -> None:
    scene = Scene()
    scene.announce(A, 2)
    scene.announce(A, 3)
    scene.drain()
    before = set(scene.peer)
    scene.announce(A, 3, med=9)
    scene.drain()
    assert set(scene.peer) == before
    assert [exported.attributes.med for exported in scene.held(A)].count(9) == 1


def test_no_more_paths_than_the_peer_should_have() -> None:
    scene = Scene(most=1)
    for number in NEIGHBOURS:
        scene.announce(A, number)
    scene.drain()
    assert len(scene.peer) == 1
    scene.withdraw(A, 2)
    scene.drain()
    assert scene.held(A) == scene.wanted(A)


def test_whoever_takes_over_knows_what_was_told() -> None:
    scene = Scene()
    scene.announce(A, 2)
    scene.drain()
    after = scene.another()
    after.take_after(scene.adj_out)
    scene.adj_out = after
    scene.loc_rib.listen(after.note)
    scene.withdraw(A, 2)
    scene.drain()
    assert scene.peer == {}


def test_all_is_told_again_on_request_and_nothing_twice_without() -> None:
    scene = Scene()
    scene.announce(A, 2)
    scene.drain()
    assert scene.adj_out.drain(IPV4_UNICAST) is None
    scene.adj_out.note_again(IPV4_UNICAST)
    batch = scene.adj_out.drain(IPV4_UNICAST)
    assert batch is not None
    assert [prefixes for _, _, prefixes in batch.announced] == [list(scene.peer)]


def test_a_family_without_path_identifiers_goes_out_as_ever() -> None:
    scene = Scene()
    scene.loc_rib.table(IPV4_MULTICAST).insert([B], path(2), None)
    scene.loc_rib.flush()
    batch = scene.adj_out.drain(IPV4_MULTICAST)
    assert batch is not None
    assert [prefixes for _, _, prefixes in batch.announced] == [[B]]
    assert [key for key, _ in scene.adj_out.told(IPV4_MULTICAST)] == [B]
    assert scene.adj_out.named(IPV4_MULTICAST, B) == B


STEPS = st.one_of(
    st.tuples(st.just("announce"), st.sampled_from([A, B]), st.sampled_from(sorted(NEIGHBOURS)), st.integers(0, 2)),
    st.tuples(st.just("withdraw"), st.sampled_from([A, B]), st.sampled_from(sorted(NEIGHBOURS)), st.just(0)),
    st.tuples(st.just("drain"), st.just(A), st.just(0), st.integers(1, 3)),
    st.tuples(st.just("rules"), st.just(A), st.just(0), st.integers(0, 2)),
)


@pytest.mark.parametrize("most", [None, 1, 2])
@settings(max_examples=100, deadline=None)
@given(steps=st.lists(STEPS, max_size=30))
def test_in_the_end_the_peer_holds_what_it_should(most: int | None, steps: list[tuple[str, bytes, int, int]]) -> None:
    scene = Scene(most)
    for what, key, number, extra in steps:
        match what:
            case "announce":
                scene.announce(key, number, extra)
            case "withdraw":
                scene.withdraw(key, number)
            case "drain":
                scene.drain(extra)
            case "rules":
                scene.adj_out.change_rules(replace(RULES, policy=POLICIES[extra]))
    scene.drain()
    for key in (A, B):
        assert sorted(map(repr, scene.held(key))) == sorted(map(repr, scene.wanted(key)))


def test_a_peer_that_comes_later_hears_what_is_behind_a_best_path_that_it_may_not_hear_of() -> None:
    scene = Scene()
    inner, outer = source(7, kind=SourceKind.INTERNAL), NEIGHBOURS[2]
    best = Path(path(7, local_pref=200).attributes, inner)
    other = Path(path(2).attributes, outer)
    scene.table.insert([A], best, None)
    scene.table.insert([A], other, None)
    scene.loc_rib.flush()
    later = scene.another()
    later.note_all(IPV4_UNICAST)
    batch = later.drain(IPV4_UNICAST, 100)
    assert batch is not None
    assert [told for _, told, _ in batch.announced] == [outer]
