"""Attribute blocks read one after the other, as a session reads them."""

from __future__ import annotations

from ipaddress import IPv4Address

from hypothesis import event, given, settings
from hypothesis import strategies as st
from strategies import raw_attribute

from bgp.error import Reaction
from bgp.message import PathAttribute
from bgp.wire.attributes import encode_attribute
from bgp.wire.block import Block, BlockReader
from bgp.wire.context import Context
from bgp.wire.spelling import SpelledAttributes, parts
from rib.as_path import AsPath
from rib.attributes import Aggregator, Origin
from rib.community import ExtendedCommunity

OLD = Context(as4=False, peering="external")
NEW = Context(peering="external")
ORIGIN = PathAttribute(0x40, 1, Origin.IGP)
NEXT_HOP = PathAttribute(0x40, 3, IPv4Address("10.0.0.1"))


def block(context: Context, *attributes: PathAttribute) -> bytes:
    return b"".join(encode_attribute(one, context) for one in (ORIGIN, NEXT_HOP, *attributes))


def read(reader: BlockReader, *attributes: PathAttribute) -> SpelledAttributes:
    found = reader.read(block(reader.context, *attributes))
    assert isinstance(found, SpelledAttributes)
    return found


PATH = PathAttribute(0x40, 2, AsPath.of(65001, 23456))
AS4_PATH = PathAttribute(0xC0, 17, AsPath.of(70000))


def test_the_as4_path_of_one_block_is_not_the_next_ones() -> None:
    reader = BlockReader(OLD, {})
    assert str(read(reader, PATH, AS4_PATH).as_path) == "65001 70000"
    assert str(read(reader, PATH).as_path) == "65001 23456"


def test_as4_path_is_merged_whichever_comes_first() -> None:
    """CVE-2026-41643 of another speaker."""
    assert str(read(BlockReader(OLD, {}), AS4_PATH, PATH).as_path) == "65001 70000"


def test_an_aggregator_alone_does_not_spoil_as4_path() -> None:
    """RFC 6793 4.2.3: AS4_PATH is ignored "when both of the attributes are received" and AGGREGATOR knows better."""
    plain = PathAttribute(0xC0, 7, Aggregator(65001, IPv4Address("10.0.0.9")))
    trans = PathAttribute(0xC0, 7, Aggregator(23456, IPv4Address("10.0.0.9")))
    wide = PathAttribute(0xC0, 18, Aggregator(70000, IPv4Address("10.0.0.9")))
    reader = BlockReader(OLD, {})
    found = read(reader, PATH, AS4_PATH, plain)
    assert (str(found.as_path), found.aggregator) == ("65001 70000", plain.value)
    found = read(reader, PATH, AS4_PATH, plain, wide)
    assert (str(found.as_path), found.aggregator) == ("65001 23456", plain.value)
    found = read(reader, PATH, AS4_PATH, trans, wide)
    assert (str(found.as_path), found.aggregator) == ("65001 70000", wide.value)
    found = read(reader, PATH, AS4_PATH, trans)
    assert (str(found.as_path), found.aggregator) == ("65001 70000", trans.value)


def test_confederation_segments_of_as4_path_are_dropped() -> None:
    """RFC 6793 6."""
    confused = PathAttribute(0xC0, 17, AsPath.parse("(64512) 70000"))
    found = BlockReader(OLD, {}).read(block(OLD, PATH, confused))
    assert isinstance(found, SpelledAttributes)
    assert str(found.as_path) == "65001 70000"


def test_what_is_known_goes_on_as_it_is_and_what_is_not_as_partial() -> None:
    path = PathAttribute(0x40, 2, AsPath.of(65001))
    raw = block(NEW, path) + bytes.fromhex("c0 23 04 0000fde9 d0 63 0001 ff 80 64 01 ff c0 16 05 0000000000")
    found = BlockReader(NEW, {}).read(raw)
    assert isinstance(found, SpelledAttributes)
    assert parts(found.tail) == [(0xC0, 35, b"\0\0\xfd\xe9"), (0xE0, 99, b"\xff"), (0xC0, 22, bytes(5))]
    assert found.only_to_customer == 65001
    assert found.outer is found.tail


def test_what_stays_in_the_as_is_not_in_what_leaves_it() -> None:
    inside = Context(peering="internal")
    both = (ExtendedCommunity.parse("target:1:1"), ExtendedCommunity.parse("link-bandwidth:1:1"))
    raw = block(inside, PathAttribute(0x40, 2, AsPath()), PathAttribute(0xC0, 16, both))
    found = BlockReader(inside, {}).read(raw + bytes.fromhex("80 1a 0b 01000b0000000000000064"))
    assert isinstance(found, SpelledAttributes)
    assert found.ext_communities == both
    assert [code for _, code, _ in parts(found.tail)] == [16, 26]
    assert parts(found.outer) == [(0xC0, 16, bytes(both[0]))]


def test_what_is_malformed_is_not_passed_on() -> None:
    path = PathAttribute(0x40, 2, AsPath.of(65001))
    for text in ("c0 28 03 000000", "c0 26 02 0100", "c0 07 02 0001"):
        found = BlockReader(NEW, {}).read(block(NEW, path) + bytes.fromhex(text))
        assert isinstance(found, Block)
        assert [error.reaction for error in found.errors] == [Reaction.ATTRIBUTE_DISCARD]
        assert found.attributes is not None
        assert found.attributes.tail == b""


@st.composite
def usual_blocks(draw: st.DrawFn) -> bytes:
    """ORIGIN, AS_PATH, NEXT_HOP and some of what may follow, an octet changed or cut off in one of two."""
    some = [code for code in (4, 6, 7, 8, 32) if draw(st.booleans())]
    raw = b"".join(draw(raw_attribute(code, 4)) for code in (1, 2, 3, *some))
    match draw(st.integers(0, 3)):
        case 0:
            return raw[: draw(st.integers(0, len(raw)))]
        case 1 if raw:
            at = draw(st.integers(0, len(raw) - 1))
            return raw[:at] + bytes((draw(st.integers(0, 255)),)) + raw[at + 1 :]
    return raw


@given(usual_blocks(), st.sampled_from([None, 65001]))
@settings(max_examples=400)
def test_the_short_way_reads_what_the_long_one_reads(raw: bytes, first_as: int | None) -> None:
    context = Context(peering="external", peer_asn=first_as, enforce_first_as=first_as is not None)
    short = BlockReader(context, {}).read_usual(raw)
    event(f"usual: {short is not None}")
    if short is not None:
        long = BlockReader(context, {}).read_any(raw)
        assert isinstance(long, SpelledAttributes)
        names = ("origin", "med", "local_pref", *SpelledAttributes.__slots__)
        assert {name: getattr(short, name) for name in names} == {name: getattr(long, name) for name in names}
