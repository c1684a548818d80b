"""The short way from a record's octets to its lines says what decoding it says: of valid records, damaged ones, any octets."""

from __future__ import annotations

import io
from ipaddress import IPv4Address, IPv6Address
from struct import pack
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import prefixes, raw_updates, updates
from wire.formats.mrt_strategies import damaged, records
from wire.formats.test_mrt_scan import Dripping

from bgp.app.dump_block import RibTexts
from bgp.app.form import Form
from bgp.app.mrt_lines import MrtLines
from bgp.app.mrt_printer import MrtPrinter
from bgp.app.mrt_takers import Ribs, takers
from bgp.app.printer import Printer
from bgp.wire.context import Context
from bgp.wire.formats.mrt import RIBS, encode
from bgp.wire.formats.mrt_frames import Window
from bgp.wire.formats.mrt_rib import rib_attributes
from bgp.wire.formats.mrt_scan import read_mrt
from bgp.wire.formats.mrt_values import (
    MESSAGE_CONTEXTS,
    TABLE_DUMP_CONTEXT,
    Bgp4mp,
    IndexedPeer,
    Legacy,
    LegacyMessage,
    MessageRecord,
    Peer,
    PeerIndexTable,
    Record,
    Rib,
    RibEntry,
    StateChange,
    TableDump,
    Type,
    rib_context,
)
from bgp.wire.header import with_header
from bgp.wire.update import encode_update
from rib.prefix import Prefix

ONE, SIX = IPv4Address("192.0.2.1"), IPv6Address("2001:db8::1")
ENDS: Final = (Peer(ONE, 65001), Peer(SIX, 65003))
PEERS: Final = PeerIndexTable(ONE, b"view", (IndexedPeer(0, ONE, ONE, 65001), IndexedPeer(3, ONE, SIX, 65003)))
MESSAGES: Final = sorted(set(Bgp4mp) - {Bgp4mp.STATE_CHANGE, Bgp4mp.STATE_CHANGE_AS4})
U32: Final = st.integers(0, (1 << 32) - 1)


class Never:
    """Makes lines of nothing, so that everything is decoded."""

    def message(self, *_: object) -> None: ...
    def read(self, *_: object) -> None: ...


def decoded(octets: bytes) -> tuple[list[str], str]:
    """The lines and complaints of a file of which everything is decoded."""
    out, err = io.StringIO(), io.StringIO()
    printer = Printer(Form.BGPDUMP, out, err)
    printer._scanner = lambda _: Never()  # type: ignore[method-assign,assignment,return-value]
    careful = MrtPrinter(printer)
    careful._texts = {True: Never(), False: Never()}  # type: ignore[dict-item]
    for record in read_mrt(io.BytesIO(octets)):
        careful.record(record)
    return sorted(out.getvalue().splitlines()), err.getvalue()


def short(octets: bytes, size: int = 1 << 20) -> tuple[list[str], str]:
    """The same by the short way, `size` octets at a time."""
    out, err = io.StringIO(), io.StringIO()
    made: list[MrtPrinter] = []

    def careful() -> MrtPrinter:
        made.append(MrtPrinter(Printer(Form.BGPDUMP, out, err)))
        return made[0]

    lines, window = MrtLines(out, careful), Window(Dripping(octets, size))
    while window.more():
        lines.take(window)
    assert len(made) <= 1
    return sorted(out.getvalue().splitlines()), err.getvalue()


def _update(context: Context) -> st.SearchStrategy[bytes]:
    return st.one_of(updates(context).map(lambda update: encode_update(update, context)), raw_updates(context))


@st.composite
def messages(draw: st.DrawFn) -> Record:
    subtype = draw(st.sampled_from(MESSAGES))
    body = draw(_update(MESSAGE_CONTEXTS[subtype]))
    peer = draw(st.sampled_from(ENDS))
    exact = draw(st.sampled_from([None, 0, 17, 999_999]))
    return Record(0, 100, exact, MessageRecord(subtype, peer, peer, 0, with_header(2, body, 65535)))


@st.composite
def dumped(draw: st.DrawFn) -> Record:
    """Routes with the attributes of real UPDATEs, MP_REACH_NLRI cut down or whole."""
    context = draw(st.sampled_from([TABLE_DUMP_CONTEXT, rib_context(False), rib_context(True)]))
    update = draw(updates(context))
    if draw(st.booleans()):
        block = rib_attributes(update, context)
    else:
        body = encode_update(update, context)
        at = 2 + int.from_bytes(body[:2], "big")
        block = body[at + 2 : at + 2 + int.from_bytes(body[at : at + 2], "big")]
    if context is TABLE_DUMP_CONTEXT:
        return Record(0, 100, None, TableDump(0, 0, draw(prefixes(1)), 1, 5, ENDS[0], block))
    with_path_id = context is rib_context(True)
    subtype = draw(st.sampled_from([one for one, (_, marked) in sorted(RIBS.items()) if marked is with_path_id]))
    path_id = 7 if with_path_id else None
    entries = tuple(RibEntry(peer, 5, path_id, block) for peer in draw(st.lists(st.integers(0, 2), max_size=3)))
    return Record(0, 100, None, Rib(subtype, 0, draw(prefixes(RIBS[subtype][0].afi)), entries))


legacy = _update(TABLE_DUMP_CONTEXT).map(
    lambda body: Record(0, 100, None, LegacyMessage(Legacy.UPDATE, ENDS[0], ENDS[0], with_header(2, body, 65535)))
)
files = st.lists(st.one_of(messages(), dumped(), legacy, records()), max_size=4).map(
    lambda found: [encode(Record(0, 100, None, PEERS)), *map(encode, found)]
)


@given(files, st.integers(10, 300))
@settings(max_examples=80)
def test_records_have_the_lines_that_decoding_them_gives(found: list[bytes], size: int) -> None:
    octets = b"".join(found)
    assert short(octets, size) == decoded(octets)


@given(st.data(), files)
@settings(max_examples=80)
def test_damaged_records_too(data: st.DataObject, found: list[bytes]) -> None:
    bodies = [(one[:8], data.draw(damaged(one[12:]))) for one in found]
    octets = b"".join(head + len(body).to_bytes(4, "big") + body for head, body in bodies)
    assert short(octets) == decoded(octets)


@given(st.sampled_from([*Type]), st.integers(0, 13), st.binary(max_size=60))
@settings(max_examples=100)
def test_any_octets_too(kind: int, subtype: int, body: bytes) -> None:
    octets = pack(">IHHI", 100, kind, subtype, len(body)) + body
    assert short(octets) == decoded(octets)


def opens() -> st.SearchStrategy[bytes]:
    capability = st.tuples(st.sampled_from([1, 2, 3, 64, 65, 69, 70, 71, 128]), st.binary(max_size=6)).map(
        lambda one: bytes((one[0], len(one[1]))) + one[1]
    )
    parameter = st.tuples(st.sampled_from([2, 2, 2, 1]), st.lists(capability, max_size=3).map(b"".join)).map(
        lambda one: bytes((one[0], len(one[1]))) + one[1]
    )
    fixed = st.sampled_from(["04fde900b4c0000201", "03fde900b4c0000201", "04000000b4c0000201", "04fde90001c0000201"])
    return st.tuples(fixed.map(bytes.fromhex), st.lists(parameter, max_size=3).map(b"".join)).map(
        lambda one: one[0] + bytes((len(one[1]),)) + one[1]
    )


@given(
    st.one_of(
        st.tuples(st.just(1), st.one_of(opens(), st.binary(max_size=20))),
        st.tuples(st.sampled_from([3, 4, 5, 6]), st.binary(max_size=6)),
    ),
    st.data(),
)
@settings(max_examples=120)
def test_other_messages_have_no_lines_and_complaints_are_the_same(
    message: tuple[int, bytes], data: st.DataObject
) -> None:
    whole = with_header(*message)
    if data.draw(st.booleans()):
        whole = data.draw(damaged(whole))
    octets = encode(Record(0, 100, None, MessageRecord(Bgp4mp.MESSAGE_AS4, *ENDS[:1] * 2, 0, whole)))
    assert short(octets) == decoded(octets)
    subtype = {1: Legacy.OPEN, 3: Legacy.NOTIFY, 4: Legacy.KEEPALIVE}.get(message[0])
    if subtype is not None:
        body = pack(">H4sH4s", 65001, ONE.packed, 65002, ONE.packed) + message[1]
        octets = pack(">IHHI", 100, Type.BGP, subtype, len(body)) + body
        assert short(octets) == decoded(octets)


#: ORIGIN, AS_PATH 65001, and MP_REACH_NLRI as some collectors write it: with the prefix in it, 2001:db8::/32.
WHOLE: Final = bytes.fromhex(
    "40010100 40020602010000fde9 800e1a 000201 10 20010db8000000000000000000000009 00 2020010db8"
)
#: The same cut down to the next hop, whose last octets are those of the prefix.
ENDS_ALIKE: Final = bytes.fromhex("40010100 40020602010000fde9 800e11 10 20010db8000000000000002020010db8")


def test_what_is_written_whole_is_found_again_for_other_prefixes() -> None:
    texts = RibTexts(as4=True)
    text = texts.read_whole(WHOLE, 5)
    assert text == "65001|IGP|2001:db8::9|0|0||NAG||" == texts.read(WHOLE)
    assert texts.whole[5] == {WHOLE[:-5]: text}
    assert texts.read_whole(WHOLE.replace(b"\0\0\xfd\xe9", b"\0\0\xfd\xea"), 5) == str(text).replace("65001", "65002")


def test_a_next_hop_that_ends_as_the_prefix_does_is_no_prefix() -> None:
    texts = RibTexts(as4=True)
    assert texts.read_whole(ENDS_ALIKE, 5) == "65001|IGP|2001:db8::20:2001:db8|0|0||NAG||"
    assert not texts.whole[5]
    entries = (RibEntry(0, 5, None, ENDS_ALIKE), RibEntry(1, 5, None, WHOLE))
    octets = encode(Record(0, 1, None, PEERS)) + encode(Record(0, 1, None, Rib(4, 0, Prefix("2001:db8::/32"), entries)))
    assert short(octets) == decoded(octets)


def test_all_kinds_of_records_that_have_lines_are_known() -> None:
    found = takers(Ribs())
    expected = {Type.BGP4MP << 16 | one for one in Bgp4mp} | {Type.BGP4MP_ET << 16 | one for one in Bgp4mp}
    expected |= {Type.TABLE_DUMP_V2 << 16 | one for one in (1, *RIBS)}
    expected |= {Type.BGP << 16 | one for one in Legacy} | {Type.TABLE_DUMP << 16 | 1}
    assert set(found) == expected


@pytest.mark.parametrize("table", [b"", b"\0" * 8, encode(Record(0, 1, None, PEERS))[12:-1]])
def test_routes_after_a_table_that_cannot_be_read_here_are_decoded(table: bytes) -> None:
    rib = encode(Record(0, 1, None, Rib(4, 0, Prefix("2001:db8::/32"), (RibEntry(0, 5, None, WHOLE),))))
    octets = encode(Record(0, 1, None, PEERS)) + pack(">IHHI", 1, 13, 1, len(table)) + table + rib
    assert short(octets) == decoded(octets)


def test_a_change_of_state_is_told_without_decoding() -> None:
    record = Record(0, 1, 5, StateChange(Bgp4mp.STATE_CHANGE_AS4, ENDS[1], ENDS[1], 0, 3, 6))
    assert short(encode(record)) == (["BGP4MP_ET|1.000005|STATE|2001:db8::1|65003|3|6"], "")
