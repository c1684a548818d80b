"""RFC 9234: what goes up comes down only; a chain of speakers with roles, hop by hop."""

from __future__ import annotations

from ipaddress import IPv4Address, ip_address

import pytest
from routes import attributes, nlri, source

from rib.adj_in import AdjRibIn, ImportRules
from rib.attributes import Attributes
from rib.eligibility import Why
from rib.export import ExportRules
from rib.family import IPV4_MULTICAST, IPV4_UNICAST
from rib.policy import Action, Match, Policy, PrefixRange, Rule
from rib.roles import Role
from rib.route import Path, SourceKind

PREFIX = nlri("10.1.0.0/16")
OUR_ID = IPv4Address("10.0.0.1")
#: Of a prefix-dependent policy, routes are judged one by one.
BY_PREFIX = Policy(rules=(Rule(Match(prefixes=(PrefixRange.parse("10.0.0.0/8 le 32"),)), Action.ACCEPT),))


def received(role: Role | None, marked: int | None, policy: Policy | None = None, family=IPV4_UNICAST) -> Path:  # type: ignore[no-untyped-def]
    """What becomes of a route from AS 65002 to whom we are `role`."""
    rules = ImportRules(65000, OUR_ID, role=role) if policy is None else ImportRules(65000, OUR_ID, policy, role=role)
    table = AdjRibIn(source(2), rules, (IPV4_UNICAST, IPV4_MULTICAST))
    (stored,) = table.announce(family, [PREFIX], attributes("65002 65003", only_to_customer=marked))
    return stored.path


def sent(role: Role | None, marked: int | None) -> Attributes | None:
    """What goes out, from AS 65000, of a route of another peer's, to a peer to whom we are `role`."""
    rules = ExportRules(65000, SourceKind.EXTERNAL, 65009, next_hops=((1, ip_address("10.0.0.1")),), role=role)
    route = Path(attributes("65002", only_to_customer=marked), source(2))
    for _ in range(2):  # the second time by the short way, if there is one
        exported = rules.verdict(IPV4_UNICAST, PREFIX, route)
    return None if exported is None else exported.rewrite.apply(exported.attributes)


#: Our role, the mark on a route of AS 65002, whether it may be used, and the mark that it is kept with.
INGRESS = [
    (None, None, True, None),
    (None, 65003, True, 65003),
    (Role.PROVIDER, None, True, None),
    (Role.PROVIDER, 65002, False, None),
    (Role.RS, None, True, None),
    (Role.RS, 65003, False, None),
    (Role.PEER, None, True, 65002),
    (Role.PEER, 65002, True, 65002),
    (Role.PEER, 65003, False, None),
    (Role.CUSTOMER, None, True, 65002),
    (Role.CUSTOMER, 65003, True, 65003),
    (Role.RS_CLIENT, None, True, 65002),
    (Role.RS_CLIENT, 65003, True, 65003),
]


@pytest.mark.parametrize("policy", [None, BY_PREFIX], ids=["any", "by prefix"])
@pytest.mark.parametrize(("role", "marked", "usable", "kept"), INGRESS)
def test_what_comes_in(role: Role | None, marked: int | None, usable: bool, kept: int | None, policy: Policy) -> None:
    path = received(role, marked, policy)
    if usable:
        assert path.ineligible is None
        assert path.attributes.only_to_customer == kept
    else:
        assert path.ineligible is not None
        assert path.ineligible.why is Why.ROUTE_LEAK
        assert str(marked) in path.ineligible.detail


#: Our role, the mark on the route, whether it goes out, and the mark it goes with.
EGRESS = [
    (None, None, True, None),
    (None, 65002, True, 65002),
    (Role.PROVIDER, None, True, 65000),
    (Role.PROVIDER, 65002, True, 65002),
    (Role.RS, None, True, 65000),
    (Role.PEER, None, True, 65000),
    (Role.PEER, 65002, False, None),
    (Role.CUSTOMER, None, True, None),
    (Role.CUSTOMER, 65002, False, None),
    (Role.RS_CLIENT, None, True, None),
    (Role.RS_CLIENT, 65002, False, None),
]


@pytest.mark.parametrize(("role", "marked", "goes", "mark"), EGRESS)
def test_what_goes_out(role: Role | None, marked: int | None, goes: bool, mark: int | None) -> None:
    found = sent(role, marked)
    assert (found is not None) is goes
    assert found is None or found.only_to_customer == mark


def test_roles_are_about_unicast_only() -> None:
    """RFC 9234 5."""
    path = received(Role.PROVIDER, 65002, family=IPV4_MULTICAST)
    assert path.ineligible is None
    assert received(Role.CUSTOMER, None, family=IPV4_MULTICAST).attributes.only_to_customer is None


def test_every_role_has_its_opposite() -> None:
    assert {role.opposite.opposite for role in Role} == set(Role)
    assert Role.PEER.opposite is Role.PEER
