"""The Adj-RIB-In: every reason not to use a route, what replaces what, and new rules for what is there."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from routes import attributes, nlri, source

from rib import adj_in as adj_in_module
from rib.adj_in import AdjRibIn, ImportRules
from rib.attributes import Attributes
from rib.community import GRACEFUL_SHUTDOWN, Community
from rib.decision import best
from rib.eligibility import Ineligible, Why
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Family
from rib.loc_rib import LocRib
from rib.next_hop import ConnectedNetworks
from rib.policy import Action, Match, Policy, PrefixRange, Rule, Set, accept, reject
from rib.route import Path, SourceKind

INTERNAL = SourceKind.INTERNAL
OURS = IPv4Address("10.0.0.1")
RULES = ImportRules(65000, OURS)
A, B, C = nlri("10.1.0.0/16"), nlri("10.2.0.0/16"), nlri("10.3.0.0/16")
BY_PREFIX = Policy(
    "by prefix",
    (
        Rule(Match(prefixes=(PrefixRange.parse("10.1.0.0/16"),)), Action.ACCEPT, Set(local_pref=200)),
        Rule(Match(prefixes=(PrefixRange.parse("10.2.0.0/16"),)), Action.ACCEPT),
    ),
)


def verdict(rules: ImportRules, received: Attributes, kind: SourceKind = SourceKind.EXTERNAL) -> str:
    """Why the route is out, in words; empty if it is in."""
    adj_in = AdjRibIn(source(2, kind), rules, [IPV4_UNICAST])
    (stored,) = adj_in.announce(IPV4_UNICAST, [A], received)
    return "" if stored.path.ineligible is None else str(stored.path.ineligible)


#: Rules, what is received from what kind of peer, the reason.
VERDICTS = [
    (RULES, attributes("65002"), SourceKind.EXTERNAL, ""),
    (RULES, attributes("65002 65000"), SourceKind.EXTERNAL, "own AS 65000 in AS_PATH"),
    (RULES, attributes("65002 {65000} 65000"), SourceKind.EXTERNAL, "own AS 65000 (2 times) in AS_PATH"),
    (replace(RULES, allowas_in=1), attributes("65002 65000"), SourceKind.EXTERNAL, ""),
    (
        replace(RULES, allowas_in=1),
        attributes("65002 65000 65000"),
        SourceKind.EXTERNAL,
        "own AS 65000 (2 times) in AS_PATH",
    ),
    (RULES, attributes("", originator_id=OURS), INTERNAL, "own BGP identifier is ORIGINATOR_ID: 10.0.0.1"),
    (RULES, attributes("65002", originator_id=OURS), SourceKind.EXTERNAL, ""),
    (replace(RULES, confederation=65100), attributes("65002 65100"), SourceKind.EXTERNAL, "own AS 65100 in AS_PATH"),
    (replace(RULES, confederation=65100), attributes("65002 65000"), SourceKind.EXTERNAL, "own AS 65000 in AS_PATH"),
    (replace(RULES, confederation=65100), attributes("65002"), SourceKind.EXTERNAL, ""),
    (RULES, attributes("", originator_id=IPv4Address("10.0.0.3")), INTERNAL, ""),
    (RULES, attributes("", cluster_list=(OURS,)), INTERNAL, "own cluster id in CLUSTER_LIST: 10.0.0.1"),
    (replace(RULES, cluster_id=IPv4Address("1.1.1.1")), attributes("", cluster_list=(OURS,)), INTERNAL, ""),
    (
        replace(RULES, cluster_id=IPv4Address("1.1.1.1")),
        attributes("", cluster_list=(OURS, IPv4Address("1.1.1.1"))),
        INTERNAL,
        "own cluster id in CLUSTER_LIST: 1.1.1.1",
    ),
    (
        RULES,
        attributes("65002", "224.0.0.1"),
        SourceKind.EXTERNAL,
        "next hop is not a host address: 224.0.0.1 is a multicast address",
    ),
    (
        RULES,
        attributes("65002", "127.0.0.1"),
        SourceKind.EXTERNAL,
        "next hop is not a host address: 127.0.0.1 is a loopback address",
    ),
    (replace(RULES, over_loopback=True), attributes("65002", "127.0.0.1"), SourceKind.EXTERNAL, ""),
    (RULES, attributes("65002 {1,2}"), SourceKind.EXTERNAL, ""),
    (
        replace(RULES, reject_as_sets=True),
        attributes("65002 {1,2}"),
        SourceKind.EXTERNAL,
        "AS_SET in AS_PATH (RFC 9774): 65002 {1,2}",
    ),
    (replace(RULES, reject_as_sets=True), attributes("65002 1 2"), SourceKind.EXTERNAL, ""),
    (
        replace(RULES, own_addresses=frozenset({ip_address("10.0.0.2")})),
        attributes("65002"),
        SourceKind.EXTERNAL,
        "next hop is an address of this speaker: 10.0.0.2",
    ),
    (
        replace(RULES, resolver=ConnectedNetworks(["192.0.2.0/24"])),
        attributes("65002"),
        SourceKind.EXTERNAL,
        "next hop is unresolvable: 10.0.0.2",
    ),
    (replace(RULES, resolver=ConnectedNetworks(["10.0.0.0/24"])), attributes("65002"), SourceKind.EXTERNAL, ""),
    (RULES, attributes("65002", None, link_local_next_hop=IPv6Address("fe80::1")), SourceKind.EXTERNAL, ""),
    (RULES, attributes("65002", None), SourceKind.EXTERNAL, ""),
    (replace(RULES, policy=reject), attributes("65002"), SourceKind.EXTERNAL, "rejected by import policy"),
    (replace(RULES, policy=None), attributes("65002"), SourceKind.EXTERNAL, "no import policy (RFC 8212)"),
    (replace(RULES, policy=BY_PREFIX), attributes("65002"), SourceKind.EXTERNAL, ""),
]


@pytest.mark.parametrize(("rules", "received", "kind", "why"), VERDICTS)
def test_each_reason(rules: ImportRules, received: Attributes, kind: SourceKind, why: str) -> None:
    assert verdict(rules, received, kind) == why


def test_a_loop_is_the_reason_before_the_next_hop_and_the_policy() -> None:
    rules = replace(RULES, policy=None, resolver=ConnectedNetworks([]))
    assert verdict(rules, attributes("65000")).startswith("own AS")
    assert verdict(rules, attributes("1")).startswith("next hop")


def test_the_interior_cost_is_the_resolvers() -> None:
    class Far:
        def metric(self, address: IPv4Address | IPv6Address) -> int | None:
            return int(address) & 0xFF

    adj_in = AdjRibIn(source(2, INTERNAL), replace(RULES, resolver=Far()), [IPV4_UNICAST])
    assert adj_in.path(attributes("", "10.0.0.7")).interior_cost == 7


def test_a_default_local_preference() -> None:
    adj_in = AdjRibIn(source(), replace(RULES, default_local_pref=50), [IPV4_UNICAST])
    unnamed, named = attributes(), attributes(local_pref=100)
    assert adj_in.path(unnamed).attributes.local_pref == 50
    assert adj_in.path(unnamed).received is unnamed
    assert adj_in.path(named).attributes is named


def test_one_path_for_one_block() -> None:
    adj_in = AdjRibIn(source(), RULES, [IPV4_UNICAST, IPV6_UNICAST])
    block = attributes()
    (first,) = adj_in.announce(IPV4_UNICAST, [A, B], block)
    (second,) = adj_in.announce(IPV4_UNICAST, [B, C], block)
    assert first.path is second.path is adj_in.path(block)
    assert first.before is None
    assert second.before == {B: first.path}
    assert len(adj_in) == 3
    assert dict(adj_in.routes(IPV4_UNICAST)) == dict.fromkeys((A, B, C), first.path)
    assert list(adj_in.routes(IPV6_UNICAST)) == []
    assert list(adj_in.routes(Family(9, 9))) == []


def test_a_policy_that_looks_at_prefixes_makes_a_path_for_each_result() -> None:
    adj_in = AdjRibIn(source(), replace(RULES, policy=BY_PREFIX), [IPV4_UNICAST])
    assert not adj_in.uniform
    block = attributes()
    stored = adj_in.announce(IPV4_UNICAST, [A, B, C], block)
    assert [(one.nlri, one.path.attributes.local_pref) for one in stored] == [([A], 200), ([B], None), ([C], None)]
    assert [one.path.ineligible for one in stored] == [None, None, Ineligible(Why.POLICY)]
    again = adj_in.announce(IPV4_UNICAST, [A, B, C], block)
    assert [one.path for one in again] == [one.path for one in stored]
    assert [one.before for one in again] == [{one.nlri[0]: one.path} for one in stored]


def test_withdrawing_gives_what_was_there() -> None:
    adj_in = AdjRibIn(source(), RULES, [IPV4_UNICAST])
    (stored,) = adj_in.announce(IPV4_UNICAST, [A, B], attributes())
    assert adj_in.withdraw(IPV4_UNICAST, [A, C, A]) == [(A, stored.path)]
    assert adj_in.withdraw(IPV6_UNICAST, [A]) == []
    assert adj_in.clear(IPV4_UNICAST) == [(B, stored.path)]
    assert len(adj_in) == 0


def test_path_identifiers_keep_paths_apart() -> None:
    # RFC 7911 3.
    adj_in = AdjRibIn(source(), RULES, [IPV4_UNICAST])
    block = attributes()
    one, two = adj_in.announce(IPV4_UNICAST, [A, A], block, [1, 2])
    assert (one.path.path_id, two.path.path_id) == (1, 2)
    (again,) = adj_in.announce(IPV4_UNICAST, [A], attributes("65002 7"), [2])
    assert again.before == {A: two.path}
    assert sorted(p.path_id or 0 for _, p in adj_in.routes(IPV4_UNICAST)) == [1, 2]
    assert adj_in.withdraw(IPV4_UNICAST, [A, A, B], [1, 3, 1]) == [(A, one.path)]
    assert adj_in.clear(IPV4_UNICAST) == [(A, again.path)]


def test_path_identifiers_and_a_policy_that_looks_at_prefixes() -> None:
    adj_in = AdjRibIn(source(), replace(RULES, policy=BY_PREFIX), [IPV4_UNICAST])
    stored = adj_in.announce(IPV4_UNICAST, [A, C, B], attributes(), [7, 7, 7])
    assert [one.path.attributes.local_pref for one in stored] == [200, None, None]
    assert [one.path.ineligible is None for one in stored] == [True, False, True]
    assert {one.path.path_id for one in stored} == {7}
    looped = adj_in.announce(IPV4_UNICAST, [A], attributes("65000"), [7])
    assert looped[0].path.ineligible == Ineligible(Why.AS_LOOP, "65000")


@pytest.mark.parametrize("ids", [None, [1, 2]])
def test_routes_refused_for_a_reason_of_their_own_stay_refused(ids: list[int] | None) -> None:
    adj_in = AdjRibIn(source(), RULES, [IPV4_UNICAST])
    adj_in.refuse(IPV4_UNICAST, [A, B], attributes(), Ineligible(Why.NOT_UNICAST), ids)
    assert adj_in.rejudge(RULES) == []
    found = dict(adj_in.routes(IPV4_UNICAST))
    assert found.keys() == {A, B}
    assert all(path.ineligible == Ineligible(Why.NOT_UNICAST) for path in found.values())
    assert len(adj_in.withdraw(IPV4_UNICAST, [A, B], ids)) == 2


@pytest.mark.parametrize("ids", [None, [1, 1]])
def test_routes_that_are_not_said_again_go(ids: list[int] | None) -> None:
    # RFC 4724 4.2, RFC 7313 4.2.
    adj_in = AdjRibIn(source(), RULES, [IPV4_UNICAST, IPV6_UNICAST])
    block = attributes()
    adj_in.announce(IPV4_UNICAST, [A, B], block, ids)
    adj_in.mark_stale(IPV4_UNICAST)
    adj_in.rejudge(RULES)
    found = dict(adj_in.routes(IPV4_UNICAST))
    assert all(adj_in.is_stale(IPV4_UNICAST, key, path) for key, path in found.items())
    adj_in.announce(IPV4_UNICAST, [A], block, ids and ids[:1])
    assert not adj_in.is_stale(IPV4_UNICAST, A, found[A])
    assert adj_in.sweep(IPV4_UNICAST) == [(B, found[B])]
    assert adj_in.sweep(IPV4_UNICAST) == []
    adj_in.resume(RULES, [IPV4_UNICAST])
    assert adj_in.path(block, ids and ids[0]) is found[A]
    adj_in.resume(replace(RULES, allowas_in=1), [IPV6_UNICAST])
    assert list(adj_in.routes(IPV4_UNICAST)) == []


def test_new_rules_tell_of_what_they_change_only() -> None:
    adj_in = AdjRibIn(source(), RULES, [IPV4_UNICAST, IPV6_UNICAST])
    plain, marked = attributes(), attributes(communities=(Community.parse("1:1"),))
    (first,) = adj_in.announce(IPV4_UNICAST, [A, B], plain)
    (second,) = adj_in.announce(IPV4_UNICAST, [C], marked)
    policy = Policy(rules=(Rule(Match(communities=(Community.parse("1:1"),)), Action.REJECT), Rule()))
    ((family, stored),) = adj_in.rejudge(replace(RULES, policy=policy))
    assert (family, stored.nlri, stored.before) == (IPV4_UNICAST, [C], {C: second.path})
    assert stored.path.ineligible == Ineligible(Why.POLICY)
    assert adj_in.path(plain) is first.path
    ((_, back),) = adj_in.rejudge(RULES)
    assert (back.nlri, back.path.ineligible) == ([C], None)
    assert adj_in.rejudge() == []


def test_next_hops_that_come_and_go() -> None:
    networks: list[str] = []

    class Changing:
        def metric(self, address: IPv4Address | IPv6Address) -> int | None:
            return ConnectedNetworks(networks).metric(address)

    adj_in = AdjRibIn(source(), replace(RULES, resolver=Changing()), [IPV4_UNICAST])
    adj_in.announce(IPV4_UNICAST, [A, B], attributes(), [1, 2])
    adj_in.announce(IPV4_UNICAST, [C], attributes("65002", "192.0.2.1"), [1])
    networks.append("10.0.0.0/24")
    told = adj_in.rejudge()
    assert sorted(key for _, stored in told for key in stored.nlri) == [A, B]
    assert all(stored.path.ineligible is None for _, stored in told)
    networks.clear()
    assert {str(stored.path.ineligible) for _, stored in adj_in.rejudge()} == {"next hop is unresolvable: 10.0.0.2"}


def test_new_rules_by_prefix() -> None:
    adj_in = AdjRibIn(source(), RULES, [IPV4_UNICAST])
    adj_in.announce(IPV4_UNICAST, [A, B, C], attributes())
    changed = {
        key: stored.path for _, stored in adj_in.rejudge(replace(RULES, policy=BY_PREFIX)) for key in stored.nlri
    }
    assert changed.keys() == {A, C}  # B is accepted as it was
    assert changed[A].attributes.local_pref == 200
    assert changed[C].ineligible == Ineligible(Why.POLICY)


def test_blocks_that_no_route_has_any_more_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adj_in_module, "SWEEP_FLOOR", 4)
    adj_in = AdjRibIn(source(), RULES, [IPV4_UNICAST])
    adj_in._sweep_at = 4
    kept = [attributes(med=number) for number in range(8)]
    for block in kept[:3]:
        adj_in.announce(IPV4_UNICAST, [A], block)
        assert not adj_in.is_due_for_sweep()
    for block in kept[3:]:
        adj_in.announce(IPV4_UNICAST, [A], block)
    assert adj_in.is_due_for_sweep()
    live = adj_in.live_blocks()
    assert live == {id(kept[-1])}
    adj_in.forget(live)
    assert not adj_in.is_due_for_sweep()
    assert adj_in.path(kept[-1]) is dict(adj_in.routes(IPV4_UNICAST))[A]


def test_verdicts_on_next_hops_are_kept_within_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(adj_in_module, "SWEEP_FLOOR", 4)
    adj_in = AdjRibIn(source(), RULES, [IPV4_UNICAST])
    for number in range(10):
        adj_in.path(attributes("65002", f"10.0.1.{number}"))
    assert len(adj_in._next_hops) <= 4


BLOCKS = [
    attributes(path, communities=communities)
    for path in ("65002", "65002 65000", "65002 7")
    for communities in ((), (Community.parse("1:1"),))
]
POLICIES = [
    RULES,
    replace(RULES, policy=None),
    replace(RULES, policy=reject),
    replace(RULES, policy=BY_PREFIX),
    replace(RULES, policy=Policy(rules=(Rule(Match(communities=(Community.parse("1:1"),)), set=Set(med=5)),))),
    replace(RULES, allowas_in=1, default_local_pref=70),
]


def naive(rules: ImportRules, received: Attributes, key: bytes) -> Attributes | None:
    """What is left of a received route; None if it is out."""
    if received.count_as(65000) > rules.allowas_in or rules.policy is None:
        return None
    start = received.replace(local_pref=rules.default_local_pref) if rules.default_local_pref != 100 else received
    return rules.policy.apply(IPV4_UNICAST, key, start, source())


class ImportIsADict(RuleBasedStateMachine):
    """The table is a dict of what was received, seen through the rules; the Loc-RIB follows."""

    @initialize(with_ids=st.booleans())
    def begin(self, with_ids: bool) -> None:
        self.rules, self.with_ids = RULES, with_ids
        self.adj_in = AdjRibIn(source(), RULES, [IPV4_UNICAST])
        self.loc_rib = LocRib()
        self.model: dict[tuple[bytes, int | None], Attributes] = {}

    def insert(self, path: Path, keys: object, before: object) -> None:
        self.loc_rib.table(IPV4_UNICAST).insert(keys, path, before)  # type: ignore[arg-type]

    @rule(
        keys=st.lists(st.sampled_from([A, B, C]), min_size=1), block=st.sampled_from(BLOCKS), path_id=st.integers(1, 2)
    )
    def announce(self, keys: list[bytes], block: Attributes, path_id: int) -> None:
        ids = [path_id] * len(keys) if self.with_ids else None
        if ids is None and self.adj_in.uniform:
            self.adj_in.take(self.loc_rib.table(IPV4_UNICAST), IPV4_UNICAST, keys, block)
        else:
            for path, some, before in self.adj_in.announce(IPV4_UNICAST, keys, block, ids):
                self.insert(path, some, before)
        for key in keys:
            self.model[key, path_id if self.with_ids else None] = block

    @rule(keys=st.lists(st.sampled_from([A, B, C])), path_id=st.integers(1, 2))
    def withdraw(self, keys: list[bytes], path_id: int) -> None:
        ids = [path_id] * len(keys) if self.with_ids else None
        gone = self.adj_in.withdraw(IPV4_UNICAST, keys, ids)
        self.loc_rib.table(IPV4_UNICAST).remove(gone)
        for key in keys:
            self.model.pop((key, path_id if self.with_ids else None), None)

    @rule(rules=st.sampled_from(POLICIES))
    def change_rules(self, rules: ImportRules) -> None:
        self.rules = rules
        for family, (path, keys, before) in self.adj_in.rejudge(rules):
            assert family == IPV4_UNICAST
            self.insert(path, keys, before)

    @rule()
    def sweep(self) -> None:
        self.adj_in.forget(self.adj_in.live_blocks())

    @rule()
    def look(self) -> None:
        """Not after every step: what arrived may wait to be put in its place."""
        table = {(key, path.path_id): path for key, path in self.adj_in.routes(IPV4_UNICAST)}
        assert {index: path.received for index, path in table.items()} == self.model
        expected = {index: naive(self.rules, received, index[0]) for index, received in self.model.items()}
        assert {i: None if p.ineligible else p.attributes for i, p in table.items()} == expected
        for key in (A, B, C):
            eligible = [path for (own, _), path in table.items() if own == key and path.ineligible is None]
            assert set(self.loc_rib.table(IPV4_UNICAST).candidates(key)) == set(eligible)
            assert self.loc_rib.best(IPV4_UNICAST, key) is (best(eligible)[0] if eligible else None)

    def teardown(self) -> None:
        if hasattr(self, "model"):
            self.look()


TestImportIsADict = ImportIsADict.TestCase
TestImportIsADict.settings = settings(max_examples=60, stateful_step_count=30, deadline=None)


@pytest.mark.parametrize("policy", [accept, Policy(rules=(Rule(Match(), set=Set(local_pref=300)),))])
def test_what_is_about_to_go_is_the_last_choice_whatever_the_policy_says(policy: Policy) -> None:
    adj_in = AdjRibIn(source(2), replace(RULES, policy=policy, honours_shutdown=True), [IPV4_UNICAST])
    leaving = attributes("65002", communities=(GRACEFUL_SHUTDOWN,), local_pref=200)
    assert adj_in.path(leaving).attributes.local_pref == 0
    assert adj_in.path(attributes("65002", local_pref=200)).attributes.local_pref != 0
