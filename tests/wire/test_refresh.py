from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import route_refreshes

from bgp.error import PeerError
from bgp.message import FilterAction, FilterGroup, OutboundFilters, PrefixFilter, RouteRefresh
from bgp.wire.fields import Malformed
from bgp.wire.refresh import decode_refresh, encode_refresh
from rib.family import IPV4_UNICAST, IPV6_UNICAST, L2VPN_EVPN, Family
from rib.prefix import Prefix

GONE = PrefixFilter(FilterAction.REMOVE_ALL)
CASES = [
    ("0001 00 01", RouteRefresh(IPV4_UNICAST)),
    ("0002 01 01", RouteRefresh(IPV6_UNICAST, 1)),
    ("0002 02 01", RouteRefresh(IPV6_UNICAST, 2)),
    # As tcpdump's capture of FRR has it: two prefixes, permitted.
    (
        "0001 00 01 01 40 0018 00 00000005 00 00 20 64646464 00 0000000a 00 20 20 64646465",
        RouteRefresh(
            IPV4_UNICAST,
            0,
            OutboundFilters(
                1,
                (
                    FilterGroup(
                        64,
                        (
                            PrefixFilter(FilterAction.ADD, False, 5, 0, 0, Prefix("100.100.100.100/32")),
                            PrefixFilter(FilterAction.ADD, False, 10, 0, 32, Prefix("100.100.100.101/32")),
                        ),
                    ),
                ),
            ),
        ),
    ),
    ("0001 00 01 01 40 0001 80", RouteRefresh(IPV4_UNICAST, 0, OutboundFilters(1, (FilterGroup(64, (GONE,)),)))),
    (
        "0002 00 01 02 40 000c 60 00000001 00 40 20 20010db8 41 0002 abcd",
        RouteRefresh(
            IPV6_UNICAST,
            0,
            OutboundFilters(
                2,
                (
                    FilterGroup(64, (PrefixFilter(FilterAction.REMOVE, True, 1, 0, 64, Prefix("2001:db8::/32")),)),
                    FilterGroup(65, b"\xab\xcd"),
                ),
            ),
        ),
    ),
    ("0019 00 46 01 40 0001 80", RouteRefresh(L2VPN_EVPN, 0, OutboundFilters(1, (FilterGroup(64, b"\x80"),)))),
    # What cannot be read stays octets: flags without a meaning, a group that runs past the message.
    ("0001 00 01 01 40 0001 c0", RouteRefresh(IPV4_UNICAST, 0, b"\1\x40\0\1\xc0")),
    ("0001 00 01 01 40 0001 81", RouteRefresh(IPV4_UNICAST, 0, b"\1\x40\0\1\x81")),
    ("0001 00 01 01 40 0002 80", RouteRefresh(IPV4_UNICAST, 0, b"\1\x40\0\2\x80")),
    ("1234 09 fe", RouteRefresh(Family(0x1234, 0xFE), 9)),
]
each = pytest.mark.parametrize(("octets", "value"), [(bytes.fromhex(text), value) for text, value in CASES])


@each
def test_octets_decode(octets: bytes, value: RouteRefresh) -> None:
    assert decode_refresh(octets) == decode_refresh(octets, enhanced=True) == value
    assert hash(value) == hash(decode_refresh(octets))


@each
def test_values_encode(octets: bytes, value: RouteRefresh) -> None:
    assert encode_refresh(value) == octets


@each
def test_less_than_the_fields_is_malformed(octets: bytes, value: RouteRefresh) -> None:
    for at in range(4):
        with pytest.raises(Malformed):
            decode_refresh(octets[:at])


@pytest.mark.parametrize("subtype", [1, 2])
def test_a_marker_with_octets_after_it_is_7_1_with_the_whole_message(subtype: int) -> None:
    """RFC 7313 5; without enhanced route refresh the subtype is reserved (RFC 2918 3) and is ignored."""
    body = bytes((0, 1, subtype, 1, 0))
    with pytest.raises(PeerError) as caught:
        decode_refresh(body, enhanced=True)
    assert (caught.value.code, caught.value.subcode) == (7, 1)
    assert caught.value.data == b"\xff" * 16 + b"\0\x18\5" + body
    assert decode_refresh(body).subtype == subtype


@given(route_refreshes)
def test_every_route_refresh_encodes_and_decodes_to_itself(value: RouteRefresh) -> None:
    assert decode_refresh(encode_refresh(value)) == value


@given(st.binary(min_size=4, max_size=60))
def test_any_octets_decode_and_are_kept(octets: bytes) -> None:
    assert encode_refresh(decode_refresh(octets)) == octets


@pytest.mark.parametrize(
    "value",
    [
        RouteRefresh(IPV4_UNICAST, 256),
        RouteRefresh(IPV4_UNICAST, 0, OutboundFilters(256, ())),
        RouteRefresh(IPV4_UNICAST, 0, OutboundFilters(1, (FilterGroup(64, (PrefixFilter(FilterAction.ADD),)),))),
        RouteRefresh(
            IPV4_UNICAST,
            0,
            OutboundFilters(1, (FilterGroup(64, (PrefixFilter(FilterAction.ADD, prefix=Prefix("::/0")),)),)),
        ),
        RouteRefresh(L2VPN_EVPN, 0, OutboundFilters(1, (FilterGroup(64, (GONE,)),))),
    ],
)
def test_what_does_not_fit_is_refused(value: RouteRefresh) -> None:
    with pytest.raises(Malformed):
        encode_refresh(value)
