"""Attributes of table dumps: MP_REACH_NLRI cut down or whole, and back."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv6Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import updates

from bgp.message import MpReach, MpUnreach, PathPrefix
from bgp.wire.context import Context
from bgp.wire.fields import Malformed
from bgp.wire.formats.mrt_reach import next_hop_of
from bgp.wire.formats.mrt_rib import RibDecoder, rib_attributes, update_body
from bgp.wire.formats.mrt_values import RIB_ADD_PATH_CONTEXT, RIB_CONTEXT
from rib.family import IPV4_UNICAST, IPV6_UNICAST, VPNV4
from rib.prefix import Prefix

PLAIN = bytes.fromhex("40010100 40020602010000fde9")
CUT = PLAIN + bytes.fromhex("800e11 10 20010db8000000000000000000000001")
WHOLE = PLAIN + bytes.fromhex("900e001a 0002 01 10 20010db8000000000000000000000001 00 2020010db8")
SIX = Prefix("2001:db8::/32")


@pytest.mark.parametrize("block", [CUT, WHOLE])
def test_the_next_hop_cut_down_or_whole(block: bytes) -> None:
    update = RibDecoder(RIB_CONTEXT).update(update_body(block, IPV6_UNICAST, SIX.nlri))
    reach = update.attributes[2].value
    assert reach == MpReach(IPV6_UNICAST, (IPv6Address("2001:db8::1"),), (SIX,))
    assert not update.errors
    longer = CUT.replace(b"\x80\x0e\x11", b"\x90\x0e\0\x11")  # the flag for a length of two octets stays as it was
    assert rib_attributes(update, RIB_CONTEXT) == (CUT if block is CUT else longer)


def test_ipv4_routes_are_plain_nlri() -> None:
    block = PLAIN + bytes.fromhex("400304c0000201")
    update = RibDecoder(RIB_ADD_PATH_CONTEXT).update(update_body(block, IPV4_UNICAST, b"\0\0\0\5\x08\x0a"))
    assert update.nlri == (PathPrefix(Prefix("10.0.0.0/8"), 5),)
    assert rib_attributes(update, RIB_CONTEXT) == block


def test_other_families_without_a_next_hop_have_nowhere_to_put_their_nlri() -> None:
    assert RibDecoder(RIB_CONTEXT).update(update_body(PLAIN, VPNV4, b"\0")).nlri == ()


def test_what_cannot_be_split_is_left_to_the_codec_to_judge() -> None:
    body = update_body(CUT + b"\x40\x05\x04", IPV6_UNICAST, SIX.nlri)
    update = RibDecoder(RIB_CONTEXT).update(body)
    assert [str(error.reaction) for error in update.errors] == ["treat-as-withdraw"]


def test_attributes_that_fit_no_message_are_refused() -> None:
    with pytest.raises(Malformed, match="path attributes of"):
        update_body(PLAIN + b"\xd0\x63\xff\xff" + bytes(65535), IPV4_UNICAST, b"\0")


@pytest.mark.parametrize(
    ("value", "found"),
    [("", ""), ("04c0000201", "c0000201"), ("04c000", "c000"), ("00", ""), ("0001010 4c0000201 00", "c0000201")],
)
def test_next_hops_as_far_as_they_are_there(value: str, found: str) -> None:
    assert next_hop_of(bytes.fromhex(value.replace(" ", ""))).hex() == found


@given(st.data())
@settings(max_examples=100)
def test_attributes_of_updates_go_through_a_table_dump(data: st.DataObject) -> None:
    update = data.draw(updates(Context()))
    kept = tuple(one for one in update.attributes if not isinstance(one.value, MpUnreach))
    reach = next((one.value for one in kept if isinstance(one.value, MpReach)), None)
    if reach is not None and (len(reach.nlri) != 1 or not isinstance(reach.nlri[0], Prefix)):
        return
    family = IPV4_UNICAST if reach is None else reach.family
    nlri = b"\x08\x0a" if reach is None else reach.nlri[0].nlri  # type: ignore[union-attr]
    block = rib_attributes(replace(update, attributes=kept), Context())
    found = RibDecoder(RIB_CONTEXT).update(update_body(block, family, nlri))
    assert found.attributes == kept
