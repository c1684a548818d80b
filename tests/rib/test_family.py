"""Address families and their names."""

from __future__ import annotations

import pytest

from rib.family import FAMILY_NAMES, IPV4_UNICAST, L2VPN_EVPN, Afi, Family, Safi


@pytest.mark.parametrize("name", FAMILY_NAMES)
def test_a_name_is_read_back(name: str) -> None:
    family = Family.parse(name)
    assert str(family) == name
    assert Family.parse(f"afi-{family.afi}/safi-{family.safi}") == family


def test_no_family_has_two_names() -> None:
    assert len(set(FAMILY_NAMES.values())) == len(FAMILY_NAMES)


def test_numbers_need_not_be_known() -> None:
    assert str(Family(7, 9)) == "afi-7/safi-9"
    assert Family.parse("afi-7/safi-9") == Family(7, 9)


def test_known_numbers_are_plain_numbers() -> None:
    assert Family(1, 1) == IPV4_UNICAST == Family(Afi.IPV4, Safi.UNICAST)
    assert L2VPN_EVPN == (25, 70)


@pytest.mark.parametrize("text", ["ipv5-unicast", "", "1/1/1", "afi-x/safi-1", "afi-1"])
def test_other_names_are_refused_with_those_that_are_known(text: str) -> None:
    with pytest.raises(ValueError, match="is not an address family; known are ipv4-unicast"):
        Family.parse(text)


@pytest.mark.parametrize("text", ["afi-65536/safi-1", "afi-1/safi-256", "afi--1/safi-1"])
def test_numbers_out_of_range_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="out of range"):
        Family.parse(text)
