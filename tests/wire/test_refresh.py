from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import route_refreshes

from bgp.error import PeerError
from bgp.message import RouteRefresh
from bgp.wire.fields import Malformed
from bgp.wire.refresh import decode_refresh, encode_refresh
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Family

CASES = [
    ("0001 00 01", RouteRefresh(IPV4_UNICAST)),
    ("0002 01 01", RouteRefresh(IPV6_UNICAST, 1)),
    ("0002 02 01", RouteRefresh(IPV6_UNICAST, 2)),
    ("1234 09 fe", RouteRefresh(Family(0x1234, 0xFE), 9)),
]
each = pytest.mark.parametrize(("octets", "value"), [(bytes.fromhex(text), value) for text, value in CASES])


@each
def test_octets_decode(octets: bytes, value: RouteRefresh) -> None:
    assert decode_refresh(octets) == decode_refresh(octets, enhanced=True) == value


@each
def test_values_encode(octets: bytes, value: RouteRefresh) -> None:
    assert encode_refresh(value) == octets


@each
def test_every_truncation_is_malformed(octets: bytes, value: RouteRefresh) -> None:
    for at in range(len(octets)):
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


def test_a_subtype_that_does_not_fit_is_refused() -> None:
    with pytest.raises(Malformed):
        encode_refresh(RouteRefresh(IPV4_UNICAST, 256))
