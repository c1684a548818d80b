"""The way out: what is encoded is what `Rewrite.apply` makes of the record, in messages that fit, with nothing left out."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import as_paths, ipv4, u32

from bgp.error import LocalError
from bgp.wire.context import Context
from bgp.wire.outgoing import Encoder
from bgp.wire.scan import Reach, RouteUpdate, UpdateScanner
from bgp.wire.sizes import LEAST_UPDATE
from bgp.wire.spelling import attribute, parts, split
from rib.as_path import AsPath
from rib.attributes import Aggregator, Attributes, Origin, UnknownAttribute
from rib.community import Community, ExtendedCommunity, LargeCommunity
from rib.export import Rewrite
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Family

TRANSITIVE_COMMUNITY, OTHER_COMMUNITY = (
    ExtendedCommunity(bytes((0, 2)) + bytes(6)),
    ExtendedCommunity(b"\x40\4" + bytes(6)),
)
unknown = st.lists(
    st.sampled_from(
        [
            UnknownAttribute(0x80, 26, b"\1\0\x0b" + bytes(8)),  # AIGP
            UnknownAttribute(0xC0, 25, bytes((0, 2)) + bytes(18)),
            UnknownAttribute(0xC0, 25, bytes((0x40, 2)) + bytes(18)),
            UnknownAttribute(0xE0, 99, b"x" * 300),
            UnknownAttribute(0xC0, 22, bytes(5)),
        ]
    ),
    max_size=3,
    unique_by=lambda one: one.code,
).map(lambda found: tuple(sorted(found, key=lambda one: one.code)))
records = st.builds(
    Attributes,
    origin=st.sampled_from(Origin),
    as_path=as_paths(),
    next_hop=ipv4,
    med=st.one_of(st.none(), u32),
    local_pref=st.one_of(st.none(), u32),
    atomic_aggregate=st.booleans(),
    aggregator=st.one_of(st.none(), st.builds(Aggregator, st.integers(1, (1 << 32) - 1), ipv4)),
    communities=st.lists(u32.map(Community), max_size=70).map(tuple),
    ext_communities=st.lists(st.sampled_from([TRANSITIVE_COMMUNITY, OTHER_COMMUNITY]), max_size=3).map(tuple),
    large_communities=st.lists(st.builds(LargeCommunity, u32, u32, u32), max_size=2, unique=True).map(tuple),
    originator_id=st.one_of(st.none(), ipv4),
    cluster_list=st.lists(ipv4, max_size=2).map(tuple),
    only_to_customer=st.one_of(st.none(), u32),
    unknown=unknown,
)
externals = st.builds(
    Rewrite,
    prepend=st.sampled_from([0, 65001, 70000]),
    next_hop=st.one_of(st.none(), ipv4),
    confederation=st.just(False),
    external=st.just(True),
    keep_med=st.booleans(),
    override=st.one_of(st.none(), st.just((65002, 65001))),
    local_pref=st.just(100),
    link_local_next_hop=st.none(),
    originator_id=st.none(),
    cluster_id=st.none(),
    only_to_customer=st.one_of(st.none(), st.just(65001)),
)
internals = st.builds(
    Rewrite,
    next_hop=st.one_of(st.none(), ipv4),
    originator_id=st.just(IPv4Address("10.0.0.9")),
    cluster_id=st.one_of(st.none(), st.just(IPv4Address("10.0.0.8"))),
    prepend=st.just(0),
    confederation=st.just(False),
    link_local_next_hop=st.none(),
    external=st.just(False),
    keep_med=st.just(False),
    local_pref=st.just(100),
    override=st.none(),
    only_to_customer=st.none(),
)
members = st.builds(
    Rewrite,
    prepend=st.just(64513),
    confederation=st.just(True),
    next_hop=st.one_of(st.none(), ipv4),
    link_local_next_hop=st.none(),
    external=st.just(False),
    keep_med=st.just(False),
    local_pref=st.just(100),
    originator_id=st.none(),
    cluster_id=st.none(),
    override=st.none(),
    only_to_customer=st.none(),
)


#: Nothing changes, not even what an internal peer must have.
KEEP = Rewrite(external=True, keep_med=True)


def sent(record: Attributes, rewrite: Rewrite, as4: bool) -> Attributes | None:
    """The record as the other side reads it; None where it was refused."""
    (message,) = Encoder(as4=as4).announce(IPV4_UNICAST, record, rewrite, [b"\x08\n"])
    found = UpdateScanner(Context(as4=as4, peering="internal")).scan(message, 19, len(message))
    if isinstance(found, RouteUpdate):
        assert not found.errors
        (found,) = found.announced
    assert isinstance(found, Reach)
    return Attributes(**found.attributes.as_mapping())  # type: ignore[arg-type]


def without_order(record: Attributes | None) -> Attributes:
    assert record is not None
    return record.replace(unknown=tuple(sorted(record.unknown, key=lambda one: one.code)))


@given(records, st.one_of(externals, internals, members))
@settings(max_examples=300)
def test_what_goes_out_is_the_record_rewritten(record: Attributes, rewrite: Rewrite) -> None:
    assert without_order(sent(record, rewrite, as4=True)) == rewrite.apply(record)  # type: ignore[arg-type]


def test_a_large_community_goes_out_once() -> None:
    """RFC 8092 3: whoever made the record."""
    one, two = LargeCommunity("65001:1:2"), LargeCommunity("65001:1:1")
    record = Attributes(as_path=AsPath.of(65001), next_hop=IPv4Address("10.0.0.1"), large_communities=(one, two, one))
    found = sent(record, KEEP, as4=True)
    assert found is not None
    assert found.large_communities == (one, two)


@given(records, st.one_of(externals, internals, members), st.booleans())
@settings(max_examples=200)
def test_what_was_received_goes_out_as_what_was_made(record: Attributes, rewrite: Rewrite, usual: bool) -> None:
    """The short ways of blocks that were read from the wire, the usual ones among them."""
    if usual:
        path = AsPath.of(*(list(record.as_path) or [65002]))
        record = Attributes(as_path=path, next_hop=record.next_hop, med=record.med, communities=record.communities)
        rewrite = Rewrite(prepend=65001, next_hop=rewrite.next_hop, external=True)
    (message,) = Encoder().announce(IPV4_UNICAST, record, KEEP, [b"\x08\n"])
    found = UpdateScanner(Context(peering="internal")).scan(message, 19, len(message))
    received = found.attributes if isinstance(found, Reach) else found.announced[0].attributes
    assert without_order(sent(received, rewrite, as4=True)) == rewrite.apply(received)  # type: ignore[arg-type]


@pytest.mark.parametrize("length", [0, 1, 62, 63, 64, 254, 255, 256, 600])
@pytest.mark.parametrize("override", [None, (65002, 65001)])
def test_a_path_of_any_length_is_prepended_to(length: int, override: tuple[int, int] | None) -> None:
    rewrite = Rewrite(prepend=65001, next_hop=IPv4Address("10.0.0.1"), external=True, override=override)
    record = Attributes(as_path=AsPath.of(*[65003] * length), next_hop=IPv4Address("10.0.0.2"))
    found = sent(record, rewrite, as4=True)
    assert found is not None
    assert list(found.as_path) == [65001] + [65003] * length


@given(records, st.one_of(externals, internals, members))
@settings(max_examples=150)
def test_an_old_speaker_that_passes_it_on_loses_no_as_number(record: Attributes, rewrite: Rewrite) -> None:
    """RFC 6793 4.2.2: AS4_PATH and AS4_AGGREGATOR hold what two octets do not."""
    found, expected = sent(record, rewrite, as4=False), rewrite.apply(record)
    assert found is not None
    plain = [s for s in expected.as_path.segments if s.type <= 2]
    if len(plain) == len(expected.as_path.segments):
        assert found.as_path.length == expected.as_path.length
        assert list(found.as_path) == list(expected.as_path)
    assert (found.aggregator, found.communities) == (expected.aggregator, expected.communities)


@given(st.lists(st.binary(min_size=3, max_size=3).map(lambda octets: b"\x20\n" + octets), max_size=3000), st.booleans())
@settings(max_examples=15)
def test_prefixes_go_in_as_many_messages_as_they_need(nlri: list[bytes], mp: bool) -> None:
    family = Family(1, 2) if mp else IPV4_UNICAST
    encoder, record = Encoder(), Attributes(next_hop=IPv4Address("10.0.0.1"), as_path=AsPath.of(65001))
    scanner = UpdateScanner(Context(families=frozenset({IPV4_UNICAST, family}), peering="internal"))
    for messages, of in (
        (encoder.announce(family, record, Rewrite(), nlri), lambda found: found.announced),
        (encoder.withdraw(family, nlri), lambda found: found.withdrawn),
    ):
        got: list[bytes] = []
        for message in messages:
            assert len(message) <= 4096
            found = scanner.scan(message, 19, len(message))
            for routes in of(RouteUpdate([found]) if isinstance(found, Reach) else found):
                assert routes.family == family
                got += routes.nlri
        assert got == nlri
        assert len(messages) <= 1 + 5 * len(nlri) // 3900


def test_attributes_that_leave_no_room_are_refused_not_cut() -> None:
    record = Attributes(next_hop=IPv4Address("10.0.0.1"), unknown=(UnknownAttribute(0xC0, 99, bytes(4050)),))
    with pytest.raises(LocalError, match="a prefix needs 5"):
        Encoder().announce(IPV4_UNICAST, record, Rewrite(), [b"\x20\1\2\3\4"])
    (message,) = Encoder(max_message=65535).announce(IPV4_UNICAST, record, Rewrite(), [b"\x20\1\2\3\4"])
    assert len(message) > 4096


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_prefix_that_does_not_fit_is_refused_wherever_it_stands(place: int) -> None:
    record = Attributes(next_hop=IPv4Address("10.0.0.1"), unknown=(UnknownAttribute(0xC0, 99, bytes(4045)),))
    nlri = [b"\x08\x0a", b"\x08\x0b"]
    fitting = Encoder().announce(IPV4_UNICAST, record, Rewrite(), nlri)
    assert {len(message) for message in fitting} <= set(range(4092, 4097))
    nlri.insert(place, b"\x20\1\2\3\4")
    with pytest.raises(LocalError, match="a prefix needs 5"):
        Encoder().announce(IPV4_UNICAST, record, Rewrite(), nlri)


@pytest.mark.parametrize("size", [0, 1, 255, 256, 4000])
def test_a_header_is_made_for_the_value(size: int) -> None:
    """The flag and the length agree whatever flags the attribute came with (errors T21)."""
    made = attribute(0xFF, 99, bytes(size))
    assert made[0] == (0xF0 if size > 255 else 0xE0)
    assert parts(made) == [(made[0], 99, bytes(size))]
    assert split(made + b"\xc0\x63\5x") == (parts(made), b"\xc0\x63\5x")


@given(st.binary(max_size=40))
def test_a_block_is_split_into_attributes_and_what_is_left(block: bytes) -> None:
    found, left = split(block)
    whole = block[: len(block) - len(left)]
    assert parts(whole) == found
    assert split(left) == ([], left)


def test_end_of_rib() -> None:
    encoder = Encoder()
    assert len(encoder.end_of_rib(IPV4_UNICAST)) == LEAST_UPDATE
    message = encoder.end_of_rib(IPV6_UNICAST)
    found = UpdateScanner(Context()).scan(message, 19, len(message))
    assert isinstance(found, RouteUpdate)
    assert found.end_of_rib == IPV6_UNICAST
