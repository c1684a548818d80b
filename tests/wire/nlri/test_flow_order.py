"""The order of flow specifications (RFC 8955 5.1, RFC 8956 4)."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given, settings
from hypothesis import strategies as st
from nlri_strategies import flow_components

from bgp.wire.nlri.flow_order import compare, in_order
from rib.flowspec import FlowSpec

#: Each before all that follow.
ORDERED = [
    "destination 192.0.2.128/25",  # more specific than the next
    "destination 192.0.2.0/24 source 198.51.100.0/24",  # has a component that the next has not
    "destination 192.0.2.0/24 protocol =6 port =25",
    "destination 192.0.2.0/24 protocol =6",
    "destination 192.0.2.0/24 port =25",
    "destination 192.0.2.0/24",
    "destination 203.0.113.0/25",  # the lower address, of two that do not overlap
    "source 10.0.0.0/8",
    "protocol =6,=17",  # octets 01 06 81 11
    "protocol =6",  # octets 81 06
    "port =25",
]
ORDERED_IPV6 = [
    "destination 2001:db8::/32",  # the lower offset
    "destination ::1234:0:0:0/64-96",
    "destination ::1234:0:0:0/64-80",
    "destination ::1235:0:0:0/64-96",
    "destination ::1:0:0:0/65-96",
]


def test_the_first_one_is_tried_first() -> None:
    for table in (ORDERED, ORDERED_IPV6):
        specs = [FlowSpec.parse(text) for text in table]
        for one, other in combinations(specs, 2):
            assert compare(one, other) < 0 < compare(other, one), (one, other)
        assert in_order(reversed(specs)) == specs


def test_of_two_that_begin_alike_the_longer_one_is_first() -> None:
    short, long = FlowSpec.parse("port =1,=2"), FlowSpec.parse("port =1,=2@2")
    assert compare(short, long) != 0
    assert compare(short, short) == 0


@given(one=st.builds(FlowSpec, flow_components(1)), other=st.builds(FlowSpec, flow_components(1)))
@settings(max_examples=60)
def test_the_order_has_two_sides(one: FlowSpec, other: FlowSpec) -> None:
    assert (compare(one, other) < 0) == (compare(other, one) > 0)
    assert compare(one, one) == 0
