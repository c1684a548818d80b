"""Attributes that remember their octets: values are made when somebody asks, and are those of the plain record."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from bgp.error import LocalError
from bgp.wire.spelling import SpelledAttributes, attribute, measure_path, path_octets, reflection_octets, spell
from rib.as_path import AsPath
from rib.attributes import Attributes
from rib.community import Community

V4, GLOBAL, LINK_LOCAL = IPv4Address("10.0.0.1"), IPv6Address("2001:db8::1"), IPv6Address("fe80::1")


def spelled(**parts: object) -> SpelledAttributes:
    made = SpelledAttributes()
    defaults = {"path_octets": b"", "next_hop_octets": b"", "tail": b"", "reflection": b""}
    for name, value in (defaults | parts).items():
        setattr(made, name, value)
    return made


@pytest.mark.parametrize(
    ("octets", "next_hop", "link_local"),
    [
        (b"", None, None),
        (V4.packed, V4, None),
        (GLOBAL.packed, GLOBAL, None),
        (GLOBAL.packed + LINK_LOCAL.packed, GLOBAL, LINK_LOCAL),
        (bytes(16) + LINK_LOCAL.packed, LINK_LOCAL, LINK_LOCAL),  # RFC 2545 3, an unnumbered link: no global address
        (b"\1\2\3", None, None),  # of a family that nobody knows
    ],
)
def test_next_hops(octets: bytes, next_hop: object, link_local: object) -> None:
    one = spelled(next_hop_octets=octets)
    assert (one.next_hop, one.link_local_next_hop) == (next_hop, link_local)


def test_what_is_asked_of_octets_is_what_the_values_say() -> None:
    path = AsPath.parse("65001 {65002,65003}")
    one = spelled(path_octets=path_octets(path), reflection=reflection_octets(V4, (V4,)))
    assert one.as_path == path
    assert (one.count_as(65002), one.count_as(1)) == (1, 0)
    assert one.is_reflected
    assert (one.originator_id, one.cluster_list) == (V4, (V4,))
    assert not spelled().is_reflected
    assert measure_path(one.path_octets) == (path.length, path.neighbour_as)
    assert measure_path(b"") == (0, 0)


def test_well_known_communities_are_found() -> None:
    communities = (Community.parse("65001:1"), Community.parse("no-export"))
    assert spell(Attributes(communities=communities)).well_known == communities[1:]
    assert spell(Attributes(communities=communities[:1])).well_known == ()


def test_there_are_no_other_fields() -> None:
    with pytest.raises(AttributeError, match="colour"):
        spelled().colour  # noqa: B018


def test_a_value_that_no_header_has_room_for_is_refused() -> None:
    assert len(attribute(0xC0, 99, bytes(65535))) == 65539
    with pytest.raises(LocalError, match="65535 are possible"):
        attribute(0xC0, 99, bytes(65536))
