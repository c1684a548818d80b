"""The record of path attributes."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from rib.as_path import AsPath
from rib.attributes import Aggregator, Attributes, Origin, UnknownAttribute
from rib.community import Community, ExtendedCommunity, LargeCommunity

#: Every field with a value that is not its default.
FULL: dict[str, object] = {
    "origin": Origin.EGP,
    "as_path": AsPath.parse("65001 {1,2}"),
    "next_hop": IPv4Address("10.0.0.1"),
    "link_local_next_hop": IPv6Address("fe80::1"),
    "med": 0,
    "local_pref": 0,
    "atomic_aggregate": True,
    "aggregator": Aggregator(65001, IPv4Address("10.0.0.1")),
    "communities": (Community.parse("65001:1"), Community.parse("no-export")),
    "ext_communities": (ExtendedCommunity.parse("rt:1:1"),),
    "large_communities": (LargeCommunity(1, 2, 3),),
    "originator_id": IPv4Address("10.0.0.9"),
    "cluster_list": (IPv4Address("10.0.0.8"),),
    "only_to_customer": 65001,
    "unknown": (UnknownAttribute(0xC0, 99, b"x"),),
    "binding": b"\0\1\1",
}


def test_the_table_above_has_every_field() -> None:
    assert tuple(FULL) == Attributes.FIELDS


@pytest.mark.parametrize("name", Attributes.FIELDS)
def test_each_field_counts(name: str) -> None:
    changed = Attributes().replace(**{name: FULL[name]})
    assert getattr(changed, name) == FULL[name]
    assert changed != Attributes()
    assert changed == Attributes(**{name: FULL[name]})  # type: ignore[arg-type]
    assert hash(changed) == hash(Attributes(**{name: FULL[name]}))  # type: ignore[arg-type]
    assert changed.as_mapping() == Attributes().as_mapping() | {name: FULL[name]}
    assert repr(changed) == f"Attributes({name}={FULL[name]})"


def test_an_unknown_field_is_refused() -> None:
    with pytest.raises(TypeError, match="colour"):
        Attributes().replace(colour="red")


def test_equal_is_by_content() -> None:
    full = Attributes(**FULL)  # type: ignore[arg-type]
    assert full == full.replace()
    assert full is not full.replace()
    assert full != "full"


def test_what_follows_from_the_fields() -> None:
    full = Attributes(**FULL)  # type: ignore[arg-type]
    assert full.path_length == 2
    assert full.neighbour_as == 65001
    assert full.next_hop_octets == IPv4Address("10.0.0.1").packed + IPv6Address("fe80::1").packed
    assert full.count_as(1) == 1
    assert full.well_known == (Community.parse("no-export"),)
    assert Attributes().neighbour_as == 0
    assert Attributes().next_hop_octets == b""


@pytest.mark.parametrize("field", ["originator_id", "cluster_list"])
def test_reflected_is_what_has_either_mark(field: str) -> None:
    assert not Attributes().is_reflected
    assert Attributes().replace(**{field: FULL[field]}).is_reflected


def test_origins_are_preferred_in_the_order_of_rfc_4271() -> None:
    assert Origin.IGP < Origin.EGP < Origin.INCOMPLETE


def test_what_of_an_attribute_leaves_the_as() -> None:
    """RFC 7311 3.2: AIGP stays; RFC 5701 2 with RFC 4360 6: so do communities that are not transitive."""
    here, there = bytes((0x40, 2)) + bytes(18), bytes((0, 2)) + bytes(18)
    assert UnknownAttribute(0x80, 26, bytes(11)).outside() is None
    assert UnknownAttribute(0xC0, 25, here).outside() is None
    assert UnknownAttribute(0xC0, 25, here + there + here).outside() == UnknownAttribute(0xC0, 25, there)
    assert UnknownAttribute(0xE0, 99, b"x").outside() == UnknownAttribute(0xE0, 99, b"x")
