"""The Adj-RIB-Out held equal to what each member was told, message by message."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import ip_address

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from routes import LOCAL, attributes, nlri, path, source

from rib.adj_out import AdjRibOut, Batch
from rib.attributes import Attributes
from rib.community import Community
from rib.export import DEFAULT_ROUTE, Exported, ExportRules
from rib.family import IPV4_UNICAST, IPV6_UNICAST
from rib.loc_rib import LocRib
from rib.policy import Action, Match, Policy, PrefixRange, Rule, Set
from rib.route import Path, Source, SourceKind

OURS = ((1, ip_address("10.0.0.1")),)
RULES = ExportRules(65000, SourceKind.EXTERNAL, 0, next_hops=OURS)
A, B = nlri("10.1.0.0/16"), nlri("10.2.0.0/16")
NO_EXPORT = (Community.parse("no-export"),)


class Fabric:
    """A Loc-RIB and one group with its members."""

    def __init__(self, rules: ExportRules = RULES) -> None:
        self.loc_rib = LocRib()
        self.adj_out = AdjRibOut(self.loc_rib, rules, (IPV4_UNICAST,))
        self.loc_rib.listen(self.adj_out.note)
        self.table = self.loc_rib.table(IPV4_UNICAST)

    def announce(self, key: bytes, new: Path, old: Path | None = None) -> None:
        self.table.insert([key], new, None if old is None else {key: old})
        self.loc_rib.flush()

    def withdraw(self, key: bytes, old: Path) -> None:
        self.table.remove([(key, old)])
        self.loc_rib.flush()

    def drain(self, limit: int = 100) -> Batch:
        found = self.adj_out.drain(IPV4_UNICAST, limit)
        assert found is not None
        return found


def told(batch: Batch) -> tuple[list[tuple[str, list[bytes]]], dict[str | None, list[bytes]], dict[str, list[bytes]]]:
    """A batch with names in place of sources."""
    return (
        [(source.name, keys) for _, source, keys in batch.announced],
        {None if source is None else source.name: keys for source, keys in batch.withdrawn.items()},
        {source.name: keys for source, keys in batch.taken_back.items()},
    )


def test_a_new_route_goes_to_all_but_its_source() -> None:
    fabric = Fabric()
    first = path(2)
    fabric.announce(A, first)
    fabric.announce(B, first)
    assert told(fabric.drain()) == ([("peer2", [A, B])], {}, {})
    assert not fabric.adj_out
    assert fabric.adj_out.drain(IPV4_UNICAST) is None


def test_a_flap_in_between_costs_nothing() -> None:
    fabric = Fabric()
    first, second = path(2), path(3)
    fabric.announce(A, first)
    fabric.drain()
    fabric.withdraw(A, first)
    fabric.announce(A, second)
    fabric.withdraw(A, second)
    fabric.announce(A, first)
    assert fabric.adj_out
    assert told(fabric.drain()) == ([], {}, {})


def test_a_withdrawal_goes_to_those_who_heard_the_route() -> None:
    fabric = Fabric()
    first = path(2)
    fabric.announce(A, first)
    fabric.drain()
    fabric.withdraw(A, first)
    assert told(fabric.drain()) == ([], {"peer2": [A]}, {})


def test_a_member_whose_own_route_became_the_best_loses_the_other() -> None:
    fabric = Fabric()
    first, better = path(2), path(3, local_pref=200)
    fabric.announce(A, first)
    fabric.drain()
    fabric.announce(A, better)
    assert told(fabric.drain()) == ([("peer3", [A])], {}, {"peer3": [A]})


def test_a_route_that_may_not_leave_takes_the_former_back() -> None:
    fabric = Fabric()
    first, kept = path(2), path(3, local_pref=200, communities=NO_EXPORT)
    fabric.announce(A, first)
    fabric.drain()
    fabric.announce(A, kept)
    assert told(fabric.drain()) == ([], {"peer2": [A]}, {})
    fabric.withdraw(A, kept)
    assert told(fabric.drain()) == ([("peer2", [A])], {}, {})


def test_without_a_policy_there_is_nothing_to_remember() -> None:
    fabric = Fabric(replace(RULES, policy=None))
    fabric.announce(A, path(2))
    assert not fabric.adj_out


def test_a_family_that_the_session_has_not() -> None:
    fabric = Fabric()
    assert not fabric.adj_out.note(IPV6_UNICAST, {A: None})
    fabric.adj_out.note_again(IPV6_UNICAST)
    assert list(fabric.adj_out.routes(IPV6_UNICAST)) == []


def test_our_own_default_route_goes_before_any_other() -> None:
    fabric = Fabric(replace(RULES, default_originate=True))
    fabric.announce(DEFAULT_ROUTE, path(2))
    fabric.announce(A, path(2))
    assert told(fabric.drain()) == ([("peer2", [A])], {}, {})


def test_a_policy_by_prefix_splits_a_batch() -> None:
    policy = Policy(
        rules=(
            Rule(Match(prefixes=(PrefixRange.parse("10.1.0.0/16"),)), set=Set(med=1)),
            Rule(Match(prefixes=(PrefixRange.parse("10.2.0.0/16"),)), set=Set(med=2)),
        )
    )
    fabric = Fabric(replace(RULES, policy=policy))
    fabric.table.insert([A, B, nlri("10.3.0.0/16")], path(2), None)
    fabric.loc_rib.flush()
    batch = fabric.drain()
    assert [(exported.attributes.med, keys) for exported, _, keys in batch.announced] == [(1, [A]), (2, [B])]


def test_a_drain_takes_no_more_than_asked() -> None:
    fabric = Fabric()
    fabric.table.insert([A, B], path(2), None)
    fabric.loc_rib.flush()
    assert told(fabric.drain(1)) == ([("peer2", [A])], {}, {})
    assert told(fabric.drain(1)) == ([("peer2", [B])], {}, {})


@pytest.mark.parametrize("flushed", [True, False])
def test_other_rules_take_back_what_went_out_by_the_former(flushed: bool) -> None:
    fabric = Fabric()
    first, second = path(2), path(3)
    fabric.announce(A, first)
    fabric.announce(B, second)
    fabric.drain()
    fabric.table.remove([(A, first)])
    if flushed:
        fabric.loc_rib.flush()
    fabric.adj_out.change_rules(replace(RULES, policy=None))
    _, withdrawn, _ = told(fabric.drain())
    assert sorted(key for keys in withdrawn.values() for key in keys) == [A, B]


MEMBERS = (source(2), source(3))
OTHER = source(4)
KEYS = [nlri(f"10.{number}.0.0/16") for number in range(1, 4)]
BLOCKS: list[Attributes] = [
    attributes("1"),
    attributes("1", local_pref=200),
    attributes("1", local_pref=300, communities=NO_EXPORT),
    attributes("1 2"),
]
BY_PREFIX = Policy(
    rules=(
        Rule(Match(prefixes=(PrefixRange.parse("10.1.0.0/16"),)), Action.REJECT),
        Rule(Match(prefixes=(PrefixRange.parse("10.2.0.0/16"),)), set=Set(med=1)),
        Rule(),
    )
)
ALL_RULES = [
    RULES,
    replace(RULES, policy=None),
    replace(RULES, own_prefixes_only=True),
    replace(RULES, policy=BY_PREFIX),
    replace(RULES, next_hops=()),
]


class AdjRibOutIsWhatWasTold(RuleBasedStateMachine):
    """Two members of a group hold the Loc-RIB as the rules let it out, without their own routes."""

    @initialize(rules=st.sampled_from(ALL_RULES))
    def begin(self, rules: ExportRules) -> None:
        self.rules = rules
        self.loc_rib = LocRib()
        self.table = self.loc_rib.table(IPV4_UNICAST)
        self.adj_out = AdjRibOut(self.loc_rib, rules, (IPV4_UNICAST,))
        self.loc_rib.listen(self.adj_out.note)
        self.adj_out.note_all(IPV4_UNICAST)
        self.paths = {
            (peer, number): Path(block, peer)
            for peer in (*MEMBERS, OTHER, LOCAL)
            for number, block in enumerate(BLOCKS)
        }
        self.there: dict[tuple[bytes, Source], Path] = {}
        self.held: dict[Source, dict[bytes, Exported]] = {member: {} for member in MEMBERS}

    @rule(
        keys=st.lists(st.sampled_from(KEYS), min_size=1, unique=True),
        peer=st.sampled_from([*MEMBERS, OTHER, LOCAL]),
        number=st.integers(0, 3),
    )
    def announce(self, keys: list[bytes], peer: Source, number: int) -> None:
        new = self.paths[peer, number]
        before = {key: self.there[key, peer] for key in keys if (key, peer) in self.there}
        self.table.insert(keys, new, before or None)
        self.there |= {(key, peer): new for key in keys}

    @rule(key=st.sampled_from(KEYS), peer=st.sampled_from([*MEMBERS, OTHER, LOCAL]))
    def withdraw(self, key: bytes, peer: Source) -> None:
        if (old := self.there.pop((key, peer), None)) is not None:
            self.table.remove([(key, old)])

    @rule()
    def flush(self) -> None:
        self.loc_rib.flush()

    @rule()
    def refresh(self) -> None:
        self.loc_rib.flush()
        self.adj_out.note_again(IPV4_UNICAST)

    @rule(rules=st.sampled_from(ALL_RULES))
    def change_rules(self, rules: ExportRules) -> None:
        self.rules = rules
        self.adj_out.change_rules(rules)

    @rule(limit=st.integers(1, 4))
    def drain(self, limit: int) -> None:
        self.loc_rib.flush()
        batch = self.adj_out.drain(IPV4_UNICAST, limit)
        if batch is not None:
            self.hear(batch)

    def hear(self, batch: Batch) -> None:
        for unaware, keys in batch.withdrawn.items():
            for member in MEMBERS:
                if member is not unaware:
                    for key in keys:
                        self.held[member].pop(key, None)
        for exported, peer, keys in batch.announced:
            for member in MEMBERS:
                if member is not peer:
                    self.held[member] |= dict.fromkeys(keys, exported)
        for member, keys in batch.taken_back.items():
            for key in keys if member in self.held else ():
                self.held[member].pop(key, None)

    @rule()
    def drain_all(self) -> None:
        self.loc_rib.flush()
        while (batch := self.adj_out.drain(IPV4_UNICAST, 2)) is not None:
            self.hear(batch)
        for member in MEMBERS:
            expected = {}
            for key, best in self.table.best.items():
                exported = self.rules.verdict(IPV4_UNICAST, key, best)
                if exported is not None and best.source is not member:
                    expected[key] = exported
            assert self.held[member] == expected
            assert dict(self.adj_out.routes(IPV4_UNICAST, member)) == expected

    @invariant()
    def members_hold_what_it_says(self) -> None:
        if hasattr(self, "adj_out") and not self.table.has_news:
            for member in MEMBERS:
                shown = dict(self.adj_out.routes(IPV4_UNICAST, member))
                assert shown.items() <= self.held[member].items()


TestAdjRibOutIsWhatWasTold = AdjRibOutIsWhatWasTold.TestCase
TestAdjRibOutIsWhatWasTold.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


def test_a_group_that_goes_on_where_another_is() -> None:
    fabric = Fabric()
    fabric.announce(A, path(2))
    fabric.drain()
    fabric.announce(B, path(3))
    other = AdjRibOut(fabric.loc_rib, RULES, (IPV4_UNICAST,))
    other.take_after(fabric.adj_out)
    batch = other.drain(IPV4_UNICAST)
    assert batch is not None
    assert told(batch) == told(fabric.drain()) == ([("peer3", [B])], {}, {})


def test_one_member_may_ask_for_all_it_holds() -> None:
    fabric = Fabric()
    first, second = path(2), path(3)
    fabric.announce(A, first)
    fabric.drain()
    fabric.announce(B, second)
    shown = {key: exported.attributes for key, exported in fabric.adj_out.routes(IPV4_UNICAST)}
    assert shown == {A: first.attributes}
    assert list(fabric.adj_out.routes(IPV4_UNICAST, first.source)) == []


@pytest.mark.parametrize("rules", ALL_RULES)
def test_a_refresh_tells_all_again(rules: ExportRules) -> None:
    fabric = Fabric(rules)
    fabric.announce(A, path(2))
    fabric.adj_out.drain(IPV4_UNICAST)
    fabric.adj_out.note_again(IPV4_UNICAST)
    announced, withdrawn, _ = told(fabric.drain())
    goes = rules.verdict(IPV4_UNICAST, A, path(2)) is not None
    assert announced == ([("peer2", [A])] if goes else [])
    assert withdrawn == ({} if goes else {None: [A]})
