"""Policies: each condition and each change by itself, then rules in order."""

from __future__ import annotations

from dataclasses import fields
from ipaddress import IPv4Address, IPv6Address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from routes import attributes, nlri, source
from strategies import prefixes

from rib.as_path import AsPath
from rib.attributes import Attributes, Origin
from rib.community import Community, ExtendedCommunity, LargeCommunity
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Family
from rib.policy import (
    Action,
    Match,
    Policy,
    PrefixRange,
    Rule,
    Set,
    accept,
    reject,
)
from rib.prefix import Prefix
from rib.route import SourceKind

A, B = Community.parse("1:1"), Community.parse("1:2")
LARGE, OTHER_LARGE = LargeCommunity(1, 1, 1), LargeCommunity(1, 1, 2)
RT, OTHER_RT = ExtendedCommunity.parse("rt:1:1"), ExtendedCommunity.parse("rt:1:2")
ROUTE = attributes(
    "65002 1 {5,6} 7",
    med=0,
    origin=Origin.EGP,
    communities=(A, B),
    large_communities=(LARGE,),
    ext_communities=(RT,),
)

#: Each field: a value that holds for the route above from peer2, one that does not, how the first reads.
CONDITIONS: list[tuple[str, object, object, str]] = [
    ("prefixes", (PrefixRange.parse("10.0.0.0/8 le 24"),), (PrefixRange.parse("11.0.0.0/8"),), "10.0.0.0/8 le 24"),
    ("families", (IPV6_UNICAST, IPV4_UNICAST), (IPV6_UNICAST,), "ipv6-unicast, ipv4-unicast"),
    ("communities", (Community.parse("9:9"), A), (Community.parse("9:9"),), "9:9, 1:1"),
    ("all_communities", (A, B), (A, Community.parse("9:9")), "1:1, 1:2"),
    ("large_communities", (LARGE,), (OTHER_LARGE,), "1:1:1"),
    ("ext_communities", (RT,), (OTHER_RT,), str(RT)),
    ("as_in_path", (9, 6), (9,), "9, 6"),
    ("origin_as", (7,), (1,), "7"),
    ("neighbour_as", (65002,), (1,), "65002"),
    ("max_path_length", 4, 3, "4"),
    ("min_path_length", 4, 5, "4"),
    ("origin", Origin.EGP, Origin.IGP, "egp"),
    ("med", 0, 1, "0"),
    ("sources", ("peer1", "peer2"), ("peer1",), "peer1, peer2"),
    ("source_kinds", (SourceKind.EXTERNAL,), (SourceKind.LOCAL, SourceKind.INTERNAL), "external"),
]


@pytest.mark.parametrize(("field", "holds", "fails", "words"), CONDITIONS)
def test_each_condition(field: str, holds: object, fails: object, words: str) -> None:
    match = Match(**{field: holds})  # type: ignore[arg-type]
    assert match.holds(IPV4_UNICAST, nlri("10.1.0.0/16"), ROUTE, source())
    assert not Match(**{field: fails}).holds(IPV4_UNICAST, nlri("10.1.0.0/16"), ROUTE, source())  # type: ignore[arg-type]
    assert str(match) == f"{field.replace('_', ' ')} {words}"


def test_every_condition_is_above() -> None:
    assert [name for name, *_ in CONDITIONS] == [field.name for field in fields(Match)]


def test_no_condition_holds_for_all() -> None:
    assert Match().holds(IPV6_UNICAST, b"\0", Attributes(), source())
    assert str(Match()) == "any route"


def test_all_conditions_must_hold() -> None:
    held = {name: holds for name, holds, *_ in CONDITIONS}
    assert Match(**held).holds(IPV4_UNICAST, nlri("10.1.0.0/16"), ROUTE, source())  # type: ignore[arg-type]


#: A change, the fields that it changes and to what, its words.
CHANGES: list[tuple[Set, dict[str, object], str]] = [
    (Set(local_pref=0), {"local_pref": 0}, "local pref 0"),
    (Set(add_local_pref=-150), {"local_pref": 0}, "add local pref -150"),
    (Set(add_local_pref=5), {"local_pref": 105}, "add local pref 5"),
    (Set(add_local_pref=1 << 32), {"local_pref": (1 << 32) - 1}, "add local pref 4294967296"),
    (Set(med=0), {"med": 0}, "med 0"),
    (Set(remove_med=True), {"med": None}, "remove med"),
    (Set(origin=Origin.IGP), {"origin": Origin.IGP}, "origin igp"),
    (
        Set(next_hop=IPv4Address("192.0.2.1")),
        {"next_hop": IPv4Address("192.0.2.1"), "link_local_next_hop": None},
        "next hop 192.0.2.1",
    ),
    (
        Set(add_communities=(B, Community.parse("3:3"))),
        {"communities": (A, B, Community.parse("3:3"))},
        "add communities 1:2, 3:3",
    ),
    (Set(remove_communities=(A,)), {"communities": (B,)}, "remove communities 1:1"),
    (Set(replace_communities=()), {"communities": ()}, "replace communities none"),
    (
        Set(replace_communities=(A,), add_communities=(B,), remove_communities=(A,)),
        {"communities": (B,)},
        "add communities 1:2, remove communities 1:1, replace communities 1:1",
    ),
    (
        Set(add_large_communities=(LARGE, OTHER_LARGE)),
        {"large_communities": (LARGE, OTHER_LARGE)},
        "add large communities 1:1:1, 1:1:2",
    ),
    (Set(remove_large_communities=(LARGE,)), {"large_communities": ()}, "remove large communities 1:1:1"),
    (
        Set(add_ext_communities=(RT, OTHER_RT)),
        {"ext_communities": (RT, OTHER_RT)},
        f"add ext communities {RT}, {OTHER_RT}",
    ),
    (Set(prepend=(9, 8)), {"as_path": AsPath.parse("9 8 65002 1 {5,6} 7")}, "prepend 9, 8"),
]


@pytest.mark.parametrize(("change", "expected", "words"), CHANGES)
def test_each_change(change: Set, expected: dict[str, object], words: str) -> None:
    before = ROUTE.replace(med=4, link_local_next_hop=IPv6Address("fe80::1"))
    assert change.apply(before) == before.replace(**expected)
    assert str(change) == words


def test_every_change_is_above() -> None:
    default = Set()
    changed = {f.name for s, _, _ in CHANGES for f in fields(Set) if getattr(s, f.name) != getattr(default, f.name)}
    assert changed == {field.name for field in fields(Set)}


def test_no_change_gives_the_same_object() -> None:
    assert Set().apply(ROUTE) is ROUTE
    assert str(Set()) == "nothing"


def test_a_set_local_preference_goes_before_an_added_one() -> None:
    assert Set(local_pref=7, add_local_pref=1).apply(ROUTE).local_pref == 7
    assert Set(add_local_pref=1).apply(ROUTE.replace(local_pref=7)).local_pref == 8


#: Range, prefixes in it, prefixes not in it.
RANGES = [
    ("10.0.0.0/8", ["10.0.0.0/8"], ["10.0.0.0/9", "0.0.0.0/0", "11.0.0.0/8", "a00::/8"]),
    ("10.0.0.0/8 le 24", ["10.0.0.0/8", "10.1.2.0/24"], ["10.1.2.0/25", "11.0.0.0/24"]),
    ("10.0.0.0/8 ge 16", ["10.1.0.0/16", "10.1.2.3/32"], ["10.0.0.0/15"]),
    ("10.128.0.0/9 ge 16 le 17", ["10.128.0.0/16", "10.255.128.0/17"], ["10.0.0.0/16", "10.128.0.0/18"]),
    ("0.0.0.0/0 le 32", ["0.0.0.0/0", "192.0.2.1/32"], ["::/0"]),
    ("2001:db8::/33 ge 33", ["2001:db8:7fff::/48"], ["2001:db8:8000::/48"]),
]


@pytest.mark.parametrize(("text", "inside", "outside"), RANGES)
def test_prefix_ranges(text: str, inside: list[str], outside: list[str]) -> None:
    found = PrefixRange.parse(text)
    assert str(found) == text
    for prefix in map(Prefix, inside):
        assert found.matches(prefix.afi, prefix.nlri), prefix
    for prefix in map(Prefix, outside):
        assert not found.matches(prefix.afi, prefix.nlri), prefix


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is not a prefix range"),
        ("10.0.0.0/8 le", "is not a prefix range"),
        ("10.0.0.0/8 eq 9", "is not a prefix range"),
        ("10.0.0.0/8 le 9 le 10", "is not a prefix range"),
        ("10.0.0.1/8", "host bits"),
        ("10.0.0.0/8 le x", "must be numbers from 8 to 32"),
        ("10.0.0.0/8 le 33", "must be numbers from 8 to 32"),
        ("2001:db8::/32 ge 31", "must be numbers from 32 to 128"),
        ("10.0.0.0/8 ge 24 le 16", "ge must not be more than le"),
    ],
)
def test_what_is_no_range_is_refused(text: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        PrefixRange.parse(text)


@given(prefixes(1), prefixes(1), st.integers(0, 32), st.integers(0, 32))
def test_a_range_is_what_the_standard_library_says(within: Prefix, prefix: Prefix, low: int, high: int) -> None:
    expected = low <= prefix.length <= high and ip_network(str(prefix)).subnet_of(ip_network(str(within)))  # type: ignore[arg-type]
    assert PrefixRange(within, low, high).matches(1, prefix.nlri) == expected


def apply(policy: Policy, attributes: Attributes = ROUTE, prefix: str = "10.1.0.0/16") -> Attributes | None:
    return policy.apply(Family(1, 1), nlri(prefix), attributes, source())


def test_the_first_rule_that_decides_decides() -> None:
    policy = Policy(
        "ordered",
        (
            Rule(Match(communities=(A,)), Action.NEXT, Set(med=1)),
            Rule(Match(med=1), Action.NEXT, Set(local_pref=7)),
            Rule(Match(origin_as=(8,)), Action.REJECT),
            Rule(Match(origin_as=(7,)), Action.ACCEPT, Set(origin=Origin.IGP)),
            Rule(action=Action.REJECT),
        ),
    )
    assert apply(policy) == ROUTE.replace(med=1, local_pref=7, origin=Origin.IGP)
    assert apply(policy, ROUTE.replace(as_path=AsPath.of(8))) is None
    assert apply(policy, ROUTE.replace(as_path=AsPath.of(9))) is None


def test_what_no_rule_decides_the_default_does() -> None:
    nothing = Rule(Match(med=99), Action.ACCEPT)
    assert apply(Policy(rules=(nothing,))) is None
    assert apply(Policy(rules=(nothing,), default=Action.ACCEPT)) is ROUTE


def test_accept_and_reject_by_name() -> None:
    assert Policy.named("accept") is accept
    assert Policy.named("reject") is reject
    with pytest.raises(ValueError, match="'perhaps' is not a policy"):
        Policy.named("perhaps")
    assert apply(accept) is ROUTE
    assert apply(reject) is None


def test_whether_the_prefix_or_anything_counts() -> None:
    assert accept.trivial
    assert not reject.trivial
    assert not Policy(rules=(Rule(),), default=Action.ACCEPT).trivial
    assert not Policy(rules=(Rule(Match(communities=(A,))),)).per_prefix
    assert Policy(rules=(Rule(Match(prefixes=(PrefixRange.parse("::/0"),))),)).per_prefix
    assert Policy(rules=(Rule(Match(families=(IPV4_UNICAST,))),)).per_prefix


def test_a_policy_reads_as_a_sentence() -> None:
    assert str(accept) == "accept"
    policy = Policy(rules=(Rule(Match(med=0), Action.NEXT, Set(local_pref=0)), Rule(action=Action.REJECT)))
    assert str(policy) == "med 0: next, set local pref 0; any route: reject; else reject"
