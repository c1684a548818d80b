"""Whole messages through the two doors: what is sent is read as it was meant, whatever is read is a message or one error."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from refusals import outcome
from strategies import contexts, notifications, opens, raw_updates, route_refreshes, updates

from bgp.error import LocalError, PeerError, Reaction
from bgp.message import (
    Keepalive,
    Message,
    MpReach,
    MpUnreach,
    Notification,
    Open,
    PathAttribute,
    PathPrefix,
    RouteRefresh,
    Update,
)
from bgp.wire import Context, decode, encode
from bgp.wire.codec import read
from bgp.wire.header import MARKER
from bgp.wire.nlri.keys import key_of
from rib.as_path import AsPath
from rib.attributes import Origin
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Family
from rib.labelled import LabelledPrefix, VpnPrefix
from rib.prefix import Prefix

HEAD = "ff" * 16
CASES: list[tuple[str, Message]] = [
    (f"{HEAD} 001d 01 04 fde9 005a 0a000001 00", Open(4, 65001, 90, IPv4Address("10.0.0.1"))),
    (f"{HEAD} 0013 04", Keepalive()),
    (f"{HEAD} 0015 03 0602", Notification(6, 2)),
    (f"{HEAD} 0017 05 0001 00 01", RouteRefresh(IPV4_UNICAST)),
    (f"{HEAD} 0017 02 0000 0000", Update()),
    (f"{HEAD} 0019 02 0002 080a 0000", Update(withdrawn=(Prefix("10.0.0.0/8"),))),
    (
        f"{HEAD} 002d 02 0000 0014 40 01 01 00 40 02 06 02 01 0000fde9 40 03 04 0a000001 08 0b",
        Update(
            (),
            (
                PathAttribute(0x40, 1, Origin.IGP),
                PathAttribute(0x40, 2, AsPath.of(65001)),
                PathAttribute(0x40, 3, IPv4Address("10.0.0.1")),
            ),
            (Prefix("11.0.0.0/8"),),
        ),
    ),
]
each = pytest.mark.parametrize(("octets", "value"), [(bytes.fromhex(text), value) for text, value in CASES])


@each
def test_octets_decode(octets: bytes, value: Message) -> None:
    assert decode(octets) == value


@each
def test_values_encode(octets: bytes, value: Message) -> None:
    assert encode(value) == octets
    assert value.encode() == octets


@each
def test_every_truncation_and_every_trailing_octet_is_1_2(octets: bytes, value: Message) -> None:
    for wrong in [*(octets[:at] for at in range(len(octets))), octets + b"\0"]:
        with pytest.raises(PeerError) as caught:
            decode(wrong)
        assert (caught.value.code, caught.value.subcode) == (1, 2)


@given(st.one_of(opens, notifications, route_refreshes, st.just(Keepalive())))
def test_every_message_encodes_and_decodes_to_itself(value: Message) -> None:
    assert decode(encode(value)) == value


@given(contexts().flatmap(lambda context: updates(context).map(lambda update: (context, update))))
@settings(max_examples=200)
def test_every_update_encodes_and_decodes_to_itself(both: tuple[Context, Update]) -> None:
    context, update = replace(both[0], families=None), both[1]
    found = read(encode(update, context), context)
    assert isinstance(found, Update)
    assert (found.withdrawn, found.attributes, found.nlri) == (update.withdrawn, update.attributes, update.nlri)


@given(st.integers(0, 6), st.binary(max_size=60))
@settings(max_examples=200)
def test_any_octets_are_a_message_or_the_one_error(kind: int, body: bytes) -> None:
    for octets in (body, MARKER + (19 + len(body)).to_bytes(2, "big") + bytes((kind,)) + body):
        found = outcome(decode, octets)
        assert not isinstance(found, PeerError) or 1 <= found.code <= 7


@given(contexts().flatmap(lambda context: raw_updates(context).map(lambda body: (context, body))))
@settings(max_examples=300)
def test_what_decodes_encodes_to_octets_that_decode_the_same(both: tuple[Context, bytes]) -> None:
    context, body = both
    octets = MARKER + (19 + len(body)).to_bytes(2, "big") + b"\2" + body
    value = outcome(decode, octets, context)
    if isinstance(value, PeerError):
        return
    assert isinstance(value, Update)
    assert all(error.reaction < Reaction.SESSION_RESET for error in value.errors)
    again = decode(encode(value, context), context)
    assert isinstance(again, Update)
    assert (again.withdrawn, again.attributes, again.nlri) == (value.withdrawn, value.attributes, value.nlri)


def test_a_message_spells_itself_in_a_context_too() -> None:
    update = Update(attributes=(PathAttribute(0x40, 2, AsPath.of(65001)),), withdrawn=(Prefix("10.0.0.0/8"),))
    old = Context(as4=False)
    assert update.encode(old) == encode(update, old) != update.encode()
    with pytest.raises(LocalError):
        Notification(6, 2, bytes(5000)).encode()


def test_what_is_too_long_is_refused_unless_it_was_negotiated() -> None:
    long = Update(attributes=(PathAttribute(0xC0, 200, bytes(5000)),))
    with pytest.raises(LocalError, match="4096 are allowed"):
        encode(long)
    extended = Context(extended=True)
    assert decode(encode(long, extended), extended) == Update(attributes=(PathAttribute(0xD0, 200, bytes(5000)),))
    with pytest.raises(LocalError):
        encode(Update(attributes=(PathAttribute(0xC0, 200, bytes(70000)),)), extended)
    with pytest.raises(LocalError):
        encode(Update(attributes=(PathAttribute(0x40, 1, AsPath()),)))


def test_routes_are_not_dropped_for_a_family_that_the_context_does_not_have() -> None:
    update = Update(attributes=(PathAttribute(0x80, 15, MpUnreach(IPV6_UNICAST, (Prefix("2001:db8::/32"),))),))
    assert decode(encode(update, Context(families=frozenset()))) == update
    for value in (MpUnreach(Family(7, 9), (Prefix("10.0.0.0/8"),)), MpReach(Family(7, 9), (), (Prefix("::/0"),))):
        with pytest.raises(LocalError, match="takes octets"):
            encode(Update(attributes=(PathAttribute(0x80, 14 if isinstance(value, MpReach) else 15, value),)))


def test_the_worst_error_ends_the_session_where_it_must() -> None:
    with pytest.raises(PeerError) as caught:
        decode(bytes.fromhex(f"{HEAD} 001b 02 0000 0004 40 ff 01 00"))
    assert (caught.value.code, caught.value.subcode, caught.value.data.hex()) == (3, 2, "40ff0100")


def test_what_a_context_cannot_say_is_refused_not_dropped() -> None:
    with_id = Update(nlri=(PathPrefix(Prefix("10.0.0.0/8"), 7),))
    with pytest.raises(LocalError, match="has no path identifiers here"):
        encode(with_id)
    with pytest.raises(LocalError, match="has path identifiers here"):
        encode(Update(nlri=(Prefix("10.0.0.0/8"),)), Context(add_path=frozenset({IPV4_UNICAST})))


@pytest.mark.parametrize("kind", [bytearray, memoryview])
def test_octets_may_be_in_any_buffer(kind: type) -> None:
    octets = encode(Keepalive())
    assert decode(kind(octets)) == decode(memoryview(bytearray(octets))) == Keepalive()


@pytest.mark.parametrize(
    ("family", "route"),
    [
        ("ipv6-unicast", Prefix("10.0.0.0/8")),
        ("ipv4-unicast", Prefix("2001:db8::/32")),
        ("ipv6-labelled", LabelledPrefix("10.0.0.0/8 label 3")),
        ("vpnv6", VpnPrefix("rd 1:1 10.0.0.0/8 label 3")),
    ],
)
def test_a_prefix_of_another_address_family_is_not_encoded_as_if_it_were_of_this_one(
    family: str, route: Prefix | LabelledPrefix | VpnPrefix
) -> None:
    unreach = PathAttribute(0x80, 15, MpUnreach(Family(family), (route,)))
    with pytest.raises(LocalError, match="is no prefix of"):
        encode(Update(attributes=(unreach,)))
    with pytest.raises(LocalError, match="is no NLRI of"):
        key_of(Family(family), route)
    with pytest.raises(LocalError, match="is no prefix of ipv4-unicast"):
        encode(Update(nlri=(Prefix("2001:db8::/32"),)))


def test_what_is_no_message_is_refused() -> None:
    with pytest.raises(LocalError, match="5 is no BGP message"):
        encode(5)  # type: ignore[arg-type]
