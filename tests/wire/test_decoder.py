"""The fast decoder says what the declarations say, of any octets, the first time and when it remembers."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from refusals import outcome
from strategies import contexts, path_attributes, raw_updates, updates

from bgp.error import PeerError
from bgp.message import Update
from bgp.wire import Decoder
from bgp.wire.attributes import ATTRIBUTES, check, decode_value, encode_value
from bgp.wire.context import DEFAULT, Context
from bgp.wire.decoder import REMEMBERED, UpdateDecoder
from bgp.wire.readers import READERS
from bgp.wire.update import decode_update, encode_update
from rib.family import IPV4_UNICAST, L2VPN_EVPN, Family


def same(ours: Update | PeerError, theirs: Update | PeerError) -> bool:
    if isinstance(ours, PeerError) or isinstance(theirs, PeerError):
        return isinstance(ours, PeerError) and isinstance(theirs, PeerError) and vars(ours) == vars(theirs)
    return ours == theirs


@given(contexts().flatmap(lambda context: raw_updates(context).map(lambda body: (context, body))), st.booleans())
@settings(max_examples=400)
def test_any_octets_are_read_as_the_declaration_reads_them(both: tuple[Context, bytes], sessionless: bool) -> None:
    context, body = both
    if sessionless:
        context = replace(context, families=None, peering=None)
    decoder, expected = UpdateDecoder(context), outcome(decode_update, body, context)
    for _ in range(2):
        assert same(outcome(decoder.decode, body), expected)
    event("refused" if isinstance(expected, PeerError) else f"{bool(expected.errors)} errors")


@given(contexts().flatmap(lambda context: updates(context).map(lambda update: (context, update))))
@settings(max_examples=150)
def test_well_formed_ones_are_too_one_after_the_other(both: tuple[Context, Update]) -> None:
    context, update = both
    decoder = UpdateDecoder(context)
    for some in (update, replace(update, attributes=update.attributes[1:]), update):
        body = encode_update(some, context)
        assert same(outcome(decoder.decode, body), outcome(decode_update, body, context))


@given(contexts().flatmap(lambda context: path_attributes(context).map(lambda one: (context, one))))
@settings(max_examples=150)
def test_each_reader_reads_what_the_declaration_reads(both: tuple[Context, object]) -> None:
    context, one = both
    if one.code in READERS:  # type: ignore[attr-defined]
        octets = encode_value(one.code, one.value, context)  # type: ignore[attr-defined]
        if check(one.code, ATTRIBUTES[one.code].kind, octets, context) is None:  # type: ignore[attr-defined]
            found = READERS[one.code](octets, context)  # type: ignore[attr-defined]
            assert found == decode_value(one.code, octets, context)  # type: ignore[attr-defined]
            assert type(found) is type(one.value)  # type: ignore[attr-defined]


@given(st.binary(max_size=60))
def test_any_octets_are_a_message_or_the_one_error(body: bytes) -> None:
    decoder = Decoder()
    for octets in (body, b"\xff" * 16 + (19 + len(body)).to_bytes(2, "big") + b"\2" + body):
        assert isinstance(outcome(decoder.decode, octets), PeerError | Update) or octets[18] != 2


ALWAYS = "40 01 01 00 40 02 06 02 01 0000fde9"


@pytest.mark.parametrize(
    ("block", "families"),
    [
        (f"{ALWAYS} 80 0e 0c 0002 01 00 00 20 20010db8 0000"[:-5], None),  # a next hop of no octets
        (f"{ALWAYS} 80 0e 09 0001 01 04 0a000001 00", None),
        (f"{ALWAYS} 80 0e 08 0001 01 04 0a000001", None),  # a next hop that runs to the end
        (f"{ALWAYS} c0 0e 09 0001 01 04 0a000001 00", None),  # wrong flags
        (f"{ALWAYS} 80 0f 05 0002 01 81 20", None),  # a prefix of 129 bits
        (f"{ALWAYS} 80 0f 03 0019 46", [IPV4_UNICAST]),  # a family that was not negotiated
        (f"{ALWAYS} 80 0f 06 0019 46 02 01 00", [L2VPN_EVPN]),  # a route that is malformed within its length
        (f"{ALWAYS} 80 0e 02 0001", None),
        ("80 0e 0b 0001 01 04 0a000001 00 08 0a", None),  # neither ORIGIN nor AS_PATH
        (f"{ALWAYS} 40 01", None),
        (f"{ALWAYS} 50 63 00", None),
    ],
)
def test_what_is_not_regular_is_left_to_the_declarations(block: str, families: list[Family] | None) -> None:
    octets = bytes.fromhex(block)
    body = b"\0\0" + len(octets).to_bytes(2, "big") + octets
    for peering in (None, "internal"):
        context = Context(peering=peering, families=None if families is None else frozenset(families))
        found = outcome(UpdateDecoder(context).decode, body)
        assert same(found, outcome(decode_update, body, context))


def test_plain_routes_of_a_session_without_them_are_left_to_the_declarations() -> None:
    context = Context(peering="internal", families=frozenset({L2VPN_EVPN}))
    for body in (b"\0\2\x08\x0a\0\0", b"\0\0\0\0\x08\x0a"):
        assert same(outcome(UpdateDecoder(context).decode, body), outcome(decode_update, body, context))


@pytest.mark.parametrize("cut", range(4))
def test_a_body_that_is_too_short(cut: int) -> None:
    assert same(outcome(UpdateDecoder(DEFAULT).decode, bytes(cut)), outcome(decode_update, bytes(cut), DEFAULT))


@pytest.mark.parametrize("cut", range(23))
def test_less_than_an_update_is_refused(cut: int) -> None:
    whole = b"\xff" * 16 + b"\0\x17\2\0\0\0\0"
    assert Decoder().decode(whole) == UpdateDecoder(DEFAULT).decode(whole[19:]) == Update()
    found = outcome(Decoder().decode, whole[:cut])
    assert isinstance(found, PeerError)
    assert (found.code, found.subcode) == (1, 2)


def test_what_is_remembered_has_a_limit() -> None:
    decoder = UpdateDecoder(DEFAULT)
    block = "40 01 01 00 40 02 06 02 01 0000fde9 40 03 04 0a000001 80 04 04"
    for med in range(REMEMBERED + 10):
        body = b"\0\0\0\x1b" + bytes.fromhex(block) + med.to_bytes(4, "big") + b"\x20\n" + med.to_bytes(3, "big")
        assert decoder.decode(body).attributes[3].value == med
    assert max(len(decoder._blocks), len(decoder._attributes), len(decoder._prefixes)) <= REMEMBERED
