"""Every value is read by its constructor from the text that `repr` shows, and copied as it is."""

from __future__ import annotations

import copy
import ipaddress
import pickle

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nlri_strategies import destinations

import bgp.message
import rib.ethernet
import rib.evpn
import rib.flowspec
import rib.link_state
import rib.mup
import rib.mvpn
import rib.route_target
import rib.sr_policy
import rib.vpls
from bgp.attribute import DomainPath
from bgp.wire.nlri import FAMILIES
from rib.as_path import AsPath, Segment, SegmentType

#: The names that `repr` uses.
NAMES = {
    name: found
    for module in (
        rib,
        rib.as_path,
        rib.ethernet,
        rib.evpn,
        rib.flowspec,
        rib.link_state,
        rib.mup,
        rib.mvpn,
        rib.route_target,
        rib.sr_policy,
        rib.vpls,
        ipaddress,
        bgp.message,
    )
    for name in dir(module)
    if isinstance(found := getattr(module, name), type)
} | {"DomainPath": DomainPath}


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (rib.Prefix, "10.0.0.0/8"),
        (AsPath, ""),
        (AsPath, "65001 {65002,65003} (64512) [64513 64514] 4200000000"),
        (rib.Community, "65001:100"),
        (rib.Community, "no-export"),
        (rib.LargeCommunity, "65000:1:2"),
        (rib.ExtendedCommunity, "target:65000:1"),
        (rib.ExtendedCommunity, "43aabbccddeeff00"),
        (rib.Ipv6ExtendedCommunity, "target:[2001:db8::1]:100"),
        (rib.RouteDistinguisher, "65000:1"),
        (rib.ethernet.MacAddress, "02:00:00:00:00:01"),
        (rib.FlowSpec, "destination 10.0.0.0/8 protocol =6,=17 destination-port >=1024&<=2047"),
        (rib.VpnFlowSpec, "rd 65000:1 destination 10.0.0.0/8"),
        (rib.flowspec.PartialPrefix, "::1234:5678:9a00:0/64-104"),
        (rib.Family, "ipv4-unicast"),
        (rib.Family, "afi-9999/safi-99"),
        (rib.LabelledPrefix, "10.0.0.0/8 label 16/17"),
        (rib.VpnPrefix, "rd 65000:1 10.0.0.0/8 label 16"),
        (rib.route_target.RouteTargetMembership, "origin 65000 target:65000:1"),
        (DomainPath, "65000:1:70 65000:2:128"),
    ],
)
def test_a_constructor_reads_the_one_text_form(kind: type, text: str) -> None:
    value = kind(text)
    assert type(value) is kind
    assert str(value) == text
    assert kind(str(value)) == value
    assert pickle.loads(pickle.dumps(value)) == copy.deepcopy(value) == value
    if kind is not DomainPath:
        assert repr(value) == f"{kind.__name__}({text!r})"


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (AsPath, "1 x"),
        (rib.Community, "100"),
        (rib.Family, "ipv5-unicast"),
        (rib.Family, "afi-65536/safi-1"),
        (rib.Community, "65536:1"),
        (rib.LargeCommunity, "1:2"),
        (rib.ExtendedCommunity, "12345678"),
        (rib.RouteDistinguisher, "12345678"),
        (rib.ethernet.Esi, "0123456789"),
        (rib.FlowSpec, ""),
        (rib.VpnPrefix, "10.0.0.0/8"),
    ],
)
def test_what_is_no_text_of_it_is_refused(kind: type, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        kind(text)


def test_a_path_whose_text_does_not_say_all_shows_its_segments() -> None:
    one = Segment(SegmentType.SEQUENCE, (1,))
    path = AsPath((one, one))
    assert "Segment" in repr(path)
    assert repr(AsPath.of(1, 1)) == "AsPath('1 1')"
    assert copy.deepcopy(path) == pickle.loads(pickle.dumps(path)) == path


def test_large_communities_of_their_numbers() -> None:
    assert rib.LargeCommunity(65000, 1, 2) == rib.LargeCommunity("65000:1:2") == (65000, 1, 2)


@given(st.sampled_from(sorted(FAMILIES)).flatmap(destinations))
@settings(max_examples=200)
def test_what_repr_shows_of_a_route_makes_it_again(route: object) -> None:
    assert eval(repr(route), dict(NAMES)) == route
