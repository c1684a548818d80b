"""Everything that a path attribute can hold has one text, which reads back."""

from __future__ import annotations

import pickle
from ipaddress import IPv4Address
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nlri_strategies import destinations
from strategies import contexts, path_attributes
from wire.test_attributes import CASES

from bgp.attribute import Functions, Hop, PmsiTunnel, ServicePath, Tlv
from bgp.message import AttributeValue, MpReach, PathAttribute
from bgp.text import DEPTH, LONGEST, parse, show
from bgp.wire.nlri import FAMILIES
from rib.as_path import AsPath, Segment
from rib.attributes import Origin
from rib.community import Community, ExtendedCommunity, Ipv6ExtendedCommunity, LargeCommunity
from rib.family import Family
from rib.flowspec import FlowSpec
from rib.prefix import Prefix
from rib.route_distinguisher import RouteDistinguisher

RD = RouteDistinguisher.parse("65000:1")


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            PmsiTunnel(0, 6, 1600, IPv4Address("10.0.0.1").packed),
            "PmsiTunnel(flags=0, type=6, label=1600, identifier=octets('0a000001'))",
        ),
        (
            ServicePath((Hop(255, (Functions(41, (RD,)),)),)),
            "ServicePath(tlvs=(Hop(index=255, "
            "tlvs=(Functions(function=41, instances=(RouteDistinguisher('65000:1'),)),)),))",
        ),
        (
            (Community.parse("65001:100"), Community.parse("no-export")),
            "(Community('65001:100'), Community('no-export'))",
        ),
        (PathAttribute(0x40, 1, Origin.EGP), "PathAttribute(flags=64, code=1, value=Origin.EGP)"),
        (Tlv(1, b""), "Tlv(type=1, value=octets(''))"),
        (-1.5, "-1.5"),
        (float("-inf"), "-inf"),
    ],
)
def test_texts(value: object, text: str) -> None:
    assert show(value) == text
    assert parse(text) == value


@pytest.mark.parametrize("value", [case[2] for case in CASES])
def test_a_text_reads_back(value: AttributeValue) -> None:
    found = parse(show(value))
    assert found == value
    assert type(found) is type(value)
    assert show(found) == show(value)


@given(contexts().flatmap(path_attributes))
@settings(max_examples=100)
def test_any_attribute_reads_back_from_its_text(one: PathAttribute) -> None:
    assert parse(show(one)) == one


@given(st.sampled_from(sorted(FAMILIES)).flatmap(lambda family: st.tuples(st.just(family), destinations(family))))
@settings(max_examples=100)
def test_routes_of_any_family_read_back(both: tuple[Family, object]) -> None:
    family, route = both
    value = MpReach(family, (), (route,))  # type: ignore[arg-type]  # of that family
    assert parse(show(value)) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1 +",
        "1 + 1",
        "__import__('os')",
        "Tlv.__class__",
        "Tlv(1)",
        "Tlv(type=1, value=octets('0'))",
        "Tlv(**{'type': 1})",
        "open('/etc/passwd')",
        "Origin.NOTHING",
        "[1]",
        "Community('x')",
        "-Tlv(type=1, value=octets(''))",
        "1j",
        "(" * 300 + ")" * 300,
        f"{'(' * (DEPTH + 2)}{',)' * (DEPTH + 2)}",
        " " * (LONGEST + 1),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_no_text_of_a_value_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)


#: What a person writes, which is also what a value shows.
WRITTEN: Final = (
    (Prefix, "10.0.0.0/8"),
    (Prefix, "2001:db8::/32"),
    (AsPath, ""),
    (AsPath, "65001 {65002,65003} (64512 64513) [1 2]"),
    (Community, "65001:100"),
    (Community, "no-export"),
    (LargeCommunity, "65001:1:2"),
    (ExtendedCommunity, "target:65001:1"),
    (ExtendedCommunity, "ffffffffffffffff"),
    (Ipv6ExtendedCommunity, "target:[2001:db8::1]:100"),
    (RouteDistinguisher, "65000:1"),
    (RouteDistinguisher, "10.0.0.1:1"),
    (FlowSpec, "destination 10.0.0.0/8 protocol =6 destination-port >=80&<=90,=443"),
)


@pytest.mark.parametrize(("kind", "text"), WRITTEN)
def test_a_constructor_reads_what_a_value_shows(kind: type[Any], text: str) -> None:
    value = kind(text)
    assert type(value) is kind
    assert str(value) == text
    assert repr(value) == f"{kind.__name__}({text!r})"
    assert getattr(kind, "parse", kind)(text) == value
    assert pickle.loads(pickle.dumps(value)) == value


@pytest.mark.parametrize("kind", dict.fromkeys(kind for kind, _ in WRITTEN))
def test_a_constructor_refuses_what_is_no_text_of_its_kind(kind: type[Any]) -> None:
    with pytest.raises(ValueError, match="'no"):
        kind("no such thing")


def test_a_path_whose_text_is_not_all_of_it_shows_its_segments() -> None:
    side_by_side = AsPath((Segment(2, (1,)), Segment(2, (2,))))
    assert repr(side_by_side) == "AsPath((Segment(type=2, asns=(1,)), Segment(type=2, asns=(2,))))"
    assert repr(AsPath((Segment(9, (1,)),))) == "AsPath((Segment(type=9, asns=(1,)),))"
    assert str(AsPath((Segment(2, (1,)), Segment(9, (1, 2))))) == "1 <9: 1 2>"
    for path in (side_by_side, AsPath((Segment(9, (1,)),))):
        assert parse(show(path)) == path
