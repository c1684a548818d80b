"""The lines made from octets are those made from decoded messages, wherever there are any."""

from __future__ import annotations

from hypothesis import event, given, settings
from hypothesis import strategies as st
from strategies import contexts, raw_updates, updates

from bgp.app import dump
from bgp.app.dump_block import RibTexts
from bgp.app.dump_scan import LineScanner
from bgp.app.printer import decoded
from bgp.error import PeerError
from bgp.iana import AttributeCode
from bgp.message import Update
from bgp.wire.codec import Decoder
from bgp.wire.context import Context
from bgp.wire.fields import Malformed
from bgp.wire.formats.mrt_rib import RibDecoder, rib_attributes, update_body
from bgp.wire.formats.mrt_values import RIB_CONTEXT, TABLE_DUMP_CONTEXT
from bgp.wire.header import with_header
from bgp.wire.sizes import HEADER_LENGTH
from bgp.wire.update import encode_update
from rib.family import IPV4_UNICAST, IPV6_UNICAST

HEAD, PEER = "BGP4MP|1", "192.0.2.1|65001"
#: As files are read: no session, so nobody's rules apply.
file_contexts = contexts().map(lambda one: Context(as4=one.as4, add_path=one.add_path, extended=True))


def scanner(context: Context) -> LineScanner:
    return LineScanner(as4=context.as4, add_path=context.add_path)


def compare(body: bytes, context: Context) -> None:
    octets = with_header(2, body, 65535)
    fast = scanner(context).message(octets, 0, len(octets), HEAD, PEER)
    event("left to the codec" if fast is None else "from octets")
    if fast is None:
        return
    message, parts = decoded(octets, Decoder(context))
    assert "error" not in parts, "what is from octets has nothing wrong with it"
    assert isinstance(message, Update)
    assert sorted(fast.splitlines()) == sorted(dump.update_lines(HEAD, PEER, message, as4=context.as4))
    assert scanner(context).update(octets, HEADER_LENGTH, len(octets), HEAD, PEER) == fast


@given(file_contexts.flatmap(lambda context: st.tuples(raw_updates(context), st.just(context))))
@settings(max_examples=150)
def test_lines_of_raw_updates(case: tuple[bytes, Context]) -> None:
    compare(*case)


@given(file_contexts.flatmap(lambda context: st.tuples(updates(context), st.just(context))))
@settings(max_examples=150)
def test_lines_of_valid_updates(case: tuple[Update, Context]) -> None:
    update, context = case
    compare(encode_update(update, context), context)


@given(
    st.sampled_from([RIB_CONTEXT, TABLE_DUMP_CONTEXT]).flatmap(
        lambda context: st.tuples(updates(context), st.just(context))
    )
)
@settings(max_examples=100)
def test_text_of_table_dumps(case: tuple[Update, Context]) -> None:
    update, context = case
    block = rib_attributes(update, context)
    fast = RibTexts(as4=context.as4).read(block)
    if fast is None:
        return
    for family, nlri in ((IPV4_UNICAST, b"\x08\x0a"), (IPV6_UNICAST, b"\x10\x20\x01")):
        try:
            slow = RibDecoder(context).update(update_body(block, family, nlri))
        except (Malformed, PeerError):
            continue  # a next hop that this family cannot have
        if any(error.attribute == AttributeCode.MP_REACH_NLRI for error in slow.errors):
            continue  # likewise
        assert not slow.errors
        assert fast == dump.attributes_text(slow.attributes, context.as4)


def test_common_updates_are_made_from_octets() -> None:
    """Else the property above would hold of nothing."""
    attributes = bytes.fromhex("40010100 4002060201 0000fde9 400304 c0000201 c00804 fde90001")
    body = b"\0\0" + len(attributes).to_bytes(2, "big") + attributes + b"\x18\xc6\x33\x64"
    octets = with_header(2, body)
    assert scanner(Context()).message(octets, 0, len(octets), HEAD, PEER) == (
        "BGP4MP|1|A|192.0.2.1|65001|198.51.100.0/24|65001|IGP|192.0.2.1|0|0|65001:1|NAG||\n"
    )
