"""What leaves, and in which words: a test for each rule of RFC 4271, 4456, 1997, 3765, 7947 and for each knob."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from routes import LOCAL, attributes, nlri, path, source

from rib.as_path import AsPath
from rib.attributes import DEFAULT_LOCAL_PREF, Attributes
from rib.community import Community
from rib.export import DEFAULT_ROUTE, Drain, ExportRules, Rewrite, without_confederation
from rib.family import IPV4_UNICAST, IPV6_UNICAST
from rib.policy import Action, Match, Policy, PrefixRange, Rule, Set, accept
from rib.route import Path, SourceKind

INTERNAL, EXTERNAL, CONFEDERATION = SourceKind.INTERNAL, SourceKind.EXTERNAL, SourceKind.CONFEDERATION
OURS, OURS6 = ip_address("10.0.0.1"), ip_address("2001:db8::1")
PREFIX = nlri("10.1.0.0/16")
TO_EXTERNAL = ExportRules(65000, EXTERNAL, 65009, next_hops=((1, OURS), (2, OURS6)))
TO_INTERNAL = ExportRules(65000, INTERNAL, 65000, next_hops=((1, OURS), (2, OURS6)), cluster_id=IPv4Address("10.9.9.9"))


def sent(rules: ExportRules, route: Path, prefix: bytes = PREFIX) -> Attributes | None:
    """The attributes that the peers get; None if they get none."""
    exported = rules.verdict(IPV4_UNICAST, prefix, route)
    return None if exported is None else exported.rewrite.apply(exported.attributes)


def own(**fields: object) -> Path:
    return Path(Attributes().replace(**fields), LOCAL)


def test_a_learned_route_to_an_external_peer() -> None:
    # RFC 4271 5.1.2 b, 5.1.3, 5.1.4, 5.1.5.
    route = path(2, med=5, local_pref=200)
    assert sent(TO_EXTERNAL, route) == attributes("65000 65002", "10.0.0.1")


def test_a_learned_route_to_an_internal_peer() -> None:
    # RFC 4271 5.1.2 a, 5.1.3, 5.1.5: nothing changes but that there is a LOCAL_PREF.
    assert sent(TO_INTERNAL, path(2, med=5)) == attributes("65002", "10.0.0.2", med=5, local_pref=DEFAULT_LOCAL_PREF)
    assert sent(TO_INTERNAL, path(2, local_pref=7)) == attributes("65002", "10.0.0.2", local_pref=7)


def test_an_own_route_to_an_external_peer() -> None:
    assert sent(TO_EXTERNAL, own()) == attributes("65000", "10.0.0.1")
    assert sent(TO_EXTERNAL, own(med=7)) == attributes("65000", "10.0.0.1", med=7)
    assert sent(TO_EXTERNAL, own(next_hop=ip_address("10.0.0.77"))) == attributes("65000", "10.0.0.77")


def test_an_own_route_to_an_internal_peer() -> None:
    assert sent(TO_INTERNAL, own()) == attributes("", "10.0.0.1", local_pref=DEFAULT_LOCAL_PREF)
    kept = own(next_hop=ip_address("10.0.0.77"), med=3)
    assert sent(TO_INTERNAL, kept) == attributes("", "10.0.0.77", med=3, local_pref=DEFAULT_LOCAL_PREF)


def test_a_med_that_we_set_leaves() -> None:
    # RFC 4271 5.1.4: only one received from another AS stays.
    by_import = Path(attributes(med=9), source(), received=attributes(med=5))
    by_export = replace(TO_EXTERNAL, policy=Policy(rules=(Rule(set=Set(med=8)),)))
    for rules, route, med in ((TO_EXTERNAL, by_import, 9), (by_export, path(2, med=5), 8)):
        result = sent(rules, route)
        assert result is not None
        assert result.med == med


def test_without_a_policy_nothing_leaves() -> None:
    closed = replace(TO_EXTERNAL, policy=None)
    assert sent(closed, own()) is None
    assert closed.why_not(own()) == "no export policy (RFC 8212)"


def test_a_policy_decides_and_changes() -> None:
    policy = Policy(
        rules=(
            Rule(Match(prefixes=(PrefixRange.parse("10.1.0.0/16"),)), Action.ACCEPT, Set(prepend=(65000, 65000))),
            Rule(Match(as_in_path=(66,)), Action.REJECT),
            Rule(Match(as_in_path=(67,)), Action.ACCEPT, Set(next_hop=ip_address("10.0.0.66"))),
        )
    )
    rules = replace(TO_EXTERNAL, policy=policy)
    assert sent(rules, path(2)) == attributes("65000 65000 65000 65002", "10.0.0.1")
    other = nlri("10.2.0.0/16")
    assert sent(rules, path(2, as_path="65002 66"), other) is None
    assert sent(rules, path(2), other) is None
    assert sent(rules, path(2, as_path="65002 67"), other) == attributes("65000 65002 67", "10.0.0.66")


def test_a_next_hop_that_a_policy_set_goes_to_internal_peers_too() -> None:
    policy = Policy(rules=(Rule(set=Set(next_hop=ip_address("10.0.0.66"))),))
    for rules in (replace(TO_INTERNAL, policy=policy), replace(TO_INTERNAL, policy=policy, next_hop_self_always=True)):
        for route in (path(2), own()):
            result = sent(rules, route)
            assert result is not None
            assert result.next_hop == ip_address("10.0.0.66")


#: Kinds of the source and of the peer, who is a client, whether the route goes.
SPLIT_HORIZON = [
    (INTERNAL, False, INTERNAL, False, False),  # RFC 4271 9.2
    (INTERNAL, True, INTERNAL, False, True),  # RFC 4456 6 2
    (INTERNAL, False, INTERNAL, True, True),  # RFC 4456 6 1
    (INTERNAL, True, INTERNAL, True, True),
    (INTERNAL, False, EXTERNAL, False, True),
    (EXTERNAL, False, INTERNAL, False, True),
    (CONFEDERATION, False, INTERNAL, False, True),
    (INTERNAL, False, CONFEDERATION, False, True),
]


@pytest.mark.parametrize(("from_kind", "from_client", "to_kind", "to_client", "goes"), SPLIT_HORIZON)
def test_split_horizon(
    from_kind: SourceKind, from_client: bool, to_kind: SourceKind, to_client: bool, goes: bool
) -> None:
    rules = replace(TO_INTERNAL, peer_kind=to_kind, peer_is_client=to_client)
    route = Path(attributes(""), source(2, from_kind, is_client=from_client))
    assert (rules.why_not(route) is None) is goes
    assert (sent(rules, route) is not None) is goes
    if not goes:
        assert rules.why_not(route) == "learned from an internal peer (RFC 4271 9.2)"


def test_reflection_marks_the_route() -> None:
    # RFC 4456 8.
    to_client = replace(TO_INTERNAL, peer_is_client=True)
    cluster = IPv4Address("10.9.9.9")
    first = sent(to_client, path(2, INTERNAL, local_pref=100, med=4))
    expected = attributes("", "10.0.0.2", local_pref=100, med=4)
    assert first == expected.replace(originator_id=IPv4Address("10.0.0.2"), cluster_list=(cluster,))
    older = {"originator_id": IPv4Address("10.0.0.77"), "cluster_list": (IPv4Address("10.8.8.8"),)}
    again = sent(to_client, path(2, INTERNAL, local_pref=100, **older))
    assert again is not None
    assert again.originator_id == IPv4Address("10.0.0.77")
    assert again.cluster_list == (cluster, IPv4Address("10.8.8.8"))


def test_reflection_marks_do_not_leave_the_as() -> None:
    older = {"originator_id": IPv4Address("10.0.0.77"), "cluster_list": (IPv4Address("10.8.8.8"),)}
    assert sent(TO_EXTERNAL, path(2, INTERNAL, **older)) == attributes("65000", "10.0.0.1")


def test_next_hop_self_for_externally_learned_routes() -> None:
    rules = replace(TO_INTERNAL, next_hop_self_external=True, peer_is_client=True)
    for route, expected in ((path(2), OURS), (path(2, INTERNAL), ip_address("10.0.0.2"))):
        result = sent(rules, route)
        assert result is not None
        assert result.next_hop == expected


def test_next_hop_self_always() -> None:
    rules = replace(TO_INTERNAL, next_hop_self_always=True, peer_is_client=True)
    for route in (path(2), path(2, INTERNAL), own(next_hop=ip_address("10.0.0.77"))):
        result = sent(rules, route)
        assert result is not None
        assert result.next_hop == OURS


def test_a_route_for_which_we_have_no_next_hop_stays() -> None:
    for rules in (replace(TO_EXTERNAL, next_hops=((2, OURS6),)), replace(TO_INTERNAL, next_hops=())):
        assert sent(rules, own()) is None
    assert sent(replace(TO_EXTERNAL, next_hops=()), path(2)) is None
    assert sent(replace(TO_INTERNAL, next_hops=()), path(2)) is not None


def test_ipv6_routes_get_our_ipv6_next_hop() -> None:
    link_local = IPv6Address("fe80::1")
    rules = replace(TO_EXTERNAL, link_local_next_hop=link_local)
    exported = rules.verdict(IPV6_UNICAST, nlri("2001:db8:1::/48"), path(2, next_hop=ip_address("2001:db8::2")))
    assert exported is not None
    result = exported.rewrite.apply(exported.attributes)
    assert (result.next_hop, result.link_local_next_hop) == (OURS6, link_local)


def test_third_party_next_hop() -> None:
    # RFC 4271 5.1.3 2: on the network shared with the peer it stays, unless it is the peer's own.
    lan = ip_network("10.0.0.0/24")
    rules = replace(TO_EXTERNAL, shared_networks=(lan,), peer_address=ip_address("10.0.0.9"))
    for next_hop, expected in (("10.0.0.2", "10.0.0.2"), ("10.0.0.9", "10.0.0.1"), ("10.0.1.2", "10.0.0.1")):
        assert sent(rules, path(2, next_hop=ip_address(next_hop))) == attributes("65000 65002", expected)


def test_a_route_server_is_transparent() -> None:
    # RFC 7947 2.2: neither AS_PATH nor NEXT_HOP nor MED change.
    rules = replace(TO_EXTERNAL, transparent=True)
    route = path(2, med=5, local_pref=200, communities=(Community.parse("1:1"),))
    assert sent(rules, route) == route.attributes.replace(local_pref=None)
    assert sent(rules, own()) == attributes("", "10.0.0.1")


def test_as_override() -> None:
    rules = replace(TO_EXTERNAL, as_override=True)
    assert sent(rules, path(2, as_path="65009 65002 {65009,1}")) == attributes(
        "65000 65000 65002 {65000,1}", "10.0.0.1"
    )


def test_own_prefixes_only() -> None:
    rules = replace(TO_EXTERNAL, own_prefixes_only=True)
    assert sent(rules, path(2)) is None
    assert rules.why_not(path(2)) == "only own prefixes are announced to this peer"
    assert sent(rules, own()) is not None


def test_a_default_route_of_our_own() -> None:
    rules = replace(TO_EXTERNAL, default_originate=True)
    assert sent(rules, path(2), DEFAULT_ROUTE) is None
    assert sent(rules, path(2)) is not None
    made = rules.originated_default(IPV4_UNICAST, LOCAL)
    assert made is not None
    assert made.rewrite.apply(made.attributes) == attributes("65000", "10.0.0.1")
    assert replace(rules, next_hops=()).originated_default(IPV4_UNICAST, LOCAL) is None


#: Community, towards whom it forbids: external, confederation, internal, bilateral peer.
WELL_KNOWN = [
    ("no-export", True, False, False, True),
    ("no-advertise", True, True, True, True),
    ("no-export-subconfed", True, True, False, True),
    ("no-peer", False, False, False, True),
    ("graceful-shutdown", False, False, False, False),
    ("65002:65281", False, False, False, False),
]


@pytest.mark.parametrize(("name", "external", "confederation", "internal", "bilateral"), WELL_KNOWN)
def test_well_known_communities(
    name: str, external: bool, confederation: bool, internal: bool, bilateral: bool
) -> None:
    route = path(2, communities=(Community.parse("1:1"), Community.parse(name)))
    for rules, forbidden in (
        (TO_EXTERNAL, external),
        (replace(TO_EXTERNAL, peer_kind=CONFEDERATION), confederation),
        (TO_INTERNAL, internal),
        (replace(TO_EXTERNAL, bilateral=True), bilateral),
    ):
        assert (sent(rules, route) is None) is forbidden
        if forbidden:
            assert str(rules.why_not(route)).startswith(f"community {name} (RFC ")


def test_communities_leave_unless_a_policy_takes_them() -> None:
    route = path(2, communities=(Community.parse("1:1"),))
    result = sent(TO_EXTERNAL, route)
    assert result is not None
    assert result.communities == (Community.parse("1:1"),)


def test_confederation_segments_do_not_leave() -> None:
    # RFC 5065 4.1 c.
    assert sent(TO_EXTERNAL, path(2, as_path="(64512 64513) 65002 [1 2]")) == attributes("65000 65002", "10.0.0.1")
    plain = AsPath.of(1, 2)
    assert without_confederation(plain) is plain


def test_another_member_of_the_confederation_learns_all_but_the_marks_of_reflection() -> None:
    # RFC 5065 4: its AS number goes into an AS_CONFED_SEQUENCE; 5.2: NEXT_HOP, MED and LOCAL_PREF may stay.
    rules = replace(TO_EXTERNAL, own_asn=64512, peer_kind=CONFEDERATION)
    route = path(2, as_path="65002", med=5, local_pref=200, originator_id=OURS, cluster_list=(OURS,))
    assert sent(rules, route) == attributes("(64512) 65002", "10.0.0.2", med=5, local_pref=200)
    assert sent(rules, path(2, as_path="(64513) 65002")) == attributes(
        "(64512 64513) 65002", "10.0.0.2", local_pref=100
    )
    own_next_hop = replace(rules, next_hop_self_always=True)
    assert sent(own_next_hop, path(2)) == attributes("(64512) 65002", "10.0.0.1", local_pref=100)


SHUTDOWN = Community.parse("graceful-shutdown")


def test_a_speaker_that_will_leave_says_so() -> None:
    # RFC 8326 4.
    leaving = Drain.LEAVING
    route = path(2, communities=(Community.parse("1:1"),))
    outside = sent(replace(TO_EXTERNAL, drain=leaving), route)
    assert outside is not None
    assert outside.communities == (Community.parse("1:1"), SHUTDOWN)
    inside = sent(replace(TO_INTERNAL, drain=leaving), path(2, local_pref=200, communities=(SHUTDOWN,)))
    assert inside is not None
    assert (inside.communities, inside.local_pref) == ((SHUTDOWN,), 0)
    default = replace(TO_EXTERNAL, drain=leaving, default_originate=True).originated_default(IPV4_UNICAST, LOCAL)
    assert default is not None
    assert default.attributes.communities == (SHUTDOWN,)


def test_a_speaker_that_has_left_announces_nothing() -> None:
    gone = replace(TO_EXTERNAL, drain=Drain.GONE, default_originate=True)
    assert sent(gone, own()) is None
    assert gone.why_not(own()) == "this speaker was drained (RFC 8326)"
    assert gone.picks_sources
    assert gone.originated_default(IPV4_UNICAST, LOCAL) is None


def test_whether_the_source_alone_may_forbid_a_route() -> None:
    assert not TO_EXTERNAL.picks_sources
    assert TO_INTERNAL.picks_sources
    assert not replace(TO_INTERNAL, peer_is_client=True).picks_sources
    assert replace(TO_EXTERNAL, own_prefixes_only=True).picks_sources


def test_what_is_usual_is_worked_out_once() -> None:
    first = TO_EXTERNAL.verdict(IPV4_UNICAST, PREFIX, path(2))
    second = TO_EXTERNAL.verdict(IPV4_UNICAST, PREFIX, path(3))
    assert first is not None
    assert second is not None
    assert first.rewrite is second.rewrite
    changed = Path(attributes(), source(), received=attributes("1"))
    third = TO_EXTERNAL.verdict(IPV4_UNICAST, PREFIX, changed)
    assert third is not None
    assert third.rewrite == first.rewrite
    assert third.rewrite is not first.rewrite


def test_equal_rules_are_equal() -> None:
    assert replace(TO_EXTERNAL) == TO_EXTERNAL
    assert hash(replace(TO_EXTERNAL)) == hash(TO_EXTERNAL)
    assert replace(TO_EXTERNAL, policy=accept) == TO_EXTERNAL


def test_a_rewrite_of_nothing_changes_nothing() -> None:
    same = attributes(local_pref=1)
    assert Rewrite().apply(same) == same
