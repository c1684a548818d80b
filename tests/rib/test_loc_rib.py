"""The Loc-RIB held equal to a dict of candidates of which a sort picks the best."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from routes import nlri, path

from rib.family import IPV4_MULTICAST, IPV4_UNICAST, IPV6_UNICAST
from rib.loc_rib import LocRib
from rib.prefix import Prefix


@pytest.fixture
def filled() -> LocRib:
    loc_rib = LocRib()
    for family, texts in (
        (IPV4_UNICAST, ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/23", "10.0.0.0/32", "10.1.2.3/32"]),
        (IPV6_UNICAST, ["2001:db8::/32", "2001:db8::1/128"]),
    ):
        loc_rib.table(family).insert([nlri(text) for text in reversed(texts)], path(), None)
    return loc_rib


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.1.2.3", "10.1.2.3/32"),
        ("10.1.3.3", "10.1.2.0/23"),
        ("10.1.4.0", "10.1.0.0/16"),
        ("10.2.0.0", "10.0.0.0/8"),
        ("192.0.2.1", "0.0.0.0/0"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("2001:db8::2", "2001:db8::/32"),
        ("fe80::1", None),
    ],
)
def test_longest_match(filled: LocRib, address: str, expected: str | None) -> None:
    found = filled.longest_match(ip_address(address))
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert Prefix.from_nlri(found.family.afi, found.nlri) == Prefix(expected)
        assert found.path is filled.best(found.family, found.nlri)


def test_longest_match_of_a_family_that_is_not_there(filled: LocRib) -> None:
    assert filled.longest_match(ip_address("10.1.2.3"), IPV4_MULTICAST) is None
    assert filled.covered(IPV4_MULTICAST, Prefix("10.0.0.0/8")) == []


def test_covered_is_in_order(filled: LocRib) -> None:
    found = [str(Prefix.from_nlri(1, route.nlri)) for route in filled.covered(IPV4_UNICAST, Prefix("10.0.0.0/7"))]
    assert found == ["10.0.0.0/8", "10.0.0.0/32", "10.1.0.0/16", "10.1.2.0/23", "10.1.2.3/32"]
    assert len(filled.covered(IPV4_UNICAST, Prefix("10.1.2.0/24"))) == 1
    assert len(filled.covered(IPV6_UNICAST, Prefix("2001:db8::/32"))) == 2
