"""Filters of `bgp decode`: what passes, what is told before decoding, and what is wrong usage."""

from __future__ import annotations

from ipaddress import ip_address

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from strategies import contexts, prefixes, updates

from bgp.app.filters import EVERYTHING, KINDS, Filter, routes
from bgp.error import LocalError
from bgp.message import MpReach, MpUnreach, PathAttribute, PathPrefix, Update
from bgp.wire.context import Context
from bgp.wire.formats.mrt_values import Peer
from bgp.wire.update import encode_update
from rib.as_path import AsPath
from rib.community import ExtendedCommunity, LargeCommunity
from rib.family import IPV6_UNICAST, VPNV4, Family
from rib.labelled import LabelledPrefix, VpnPrefix
from rib.prefix import Prefix
from rib.route_distinguisher import RouteDistinguisher

TEN, SIX = Prefix("10.0.0.0/8"), Prefix("2001:db8::/32")
PEER = Peer(ip_address("192.0.2.1"), 65001)


def passed(text: str, update: Update) -> Update | None:
    return Filter.parse([text]).narrowed(update)


def test_no_filter_lets_everything_through() -> None:
    assert EVERYTHING.is_open
    assert EVERYTHING.peer(None)
    assert EVERYTHING.prefix(TEN)
    assert EVERYTHING.may_pass(b"")
    assert not EVERYTHING.on_routes
    assert EVERYTHING.narrowed(Update()) == Update()


def test_prefixes_in_every_field_are_narrowed() -> None:
    update = Update(
        withdrawn=(TEN, Prefix("11.0.0.0/8")),
        attributes=(
            PathAttribute(0x80, 14, MpReach(IPV6_UNICAST, (), (SIX, Prefix("2001:db9::/32")))),
            PathAttribute(0x80, 15, MpUnreach(IPV6_UNICAST, (PathPrefix(SIX, 7),))),
        ),
        nlri=(PathPrefix(TEN, 1), PathPrefix(Prefix("10.1.0.0/16"), 2)),
    )
    assert list(routes(passed("prefix=10.0.0.0/8", update) or Update())) == [TEN, PathPrefix(TEN, 1)]
    assert list(routes(passed("covered=2001:db8::/32", update) or Update())) == [SIX, PathPrefix(SIX, 7)]
    assert len(list(routes(passed("covering=10.1.2.3", update) or Update()))) == 3
    assert passed("prefix=12.0.0.0/8,13.0.0.0/8", update) is None


def test_prefixes_of_other_families_count_too() -> None:
    inside = (VpnPrefix(RouteDistinguisher.parse("65000:1"), TEN, (16,)), LabelledPrefix(TEN, (17,)))
    update = Update(attributes=(PathAttribute(0x80, 14, MpReach(VPNV4, (), inside)),))
    assert passed("prefix=10.0.0.0/8", update) == update
    assert passed("prefix=11.0.0.0/8", update) is None


def test_what_is_withdrawn_has_no_attributes() -> None:
    path = PathAttribute(0x40, 2, AsPath.of(65001))
    gone = PathAttribute(0x80, 15, MpUnreach(IPV6_UNICAST, (SIX,)))
    both = Update(withdrawn=(Prefix("11.0.0.0/8"),), attributes=(path, gone), nlri=(TEN,))
    assert list(routes(passed("as=65001", both) or Update())) == [TEN]
    assert passed("as=65001", Update(withdrawn=(TEN,), attributes=(path, gone))) is None
    unread = PathAttribute(0x80, 14, MpReach(Family(99, 1), octets=b"\0\0\1"))
    assert passed("as=65001", Update(attributes=(path, unread))) is not None


def test_attributes() -> None:
    def having(code: int, value: object) -> Update:
        return Update(attributes=(PathAttribute(0x40, code, value),), nlri=(TEN,))  # type: ignore[arg-type]

    path = having(2, AsPath.parse("65001 {65002,65003}"))
    assert passed("as=1,65003", path)
    assert not passed("as=65004", path)
    assert not passed("origin=65001", path)
    assert passed("origin=65001", having(2, AsPath.of(7, 65001)))
    assert passed("origin=4200000000", having(17, AsPath.of(7, 4200000000)))
    assert passed("community=1:2:3", having(32, (LargeCommunity(1, 2, 3),)))
    assert passed("community=rt:65001:5", having(16, (ExtendedCommunity.parse("rt:65001:5"),)))
    assert not passed("community=no-export", having(8, b"malformed"))


def test_peers() -> None:
    assert Filter.parse(["peer=192.0.2.1,192.0.2.9"]).peer(PEER)
    assert Filter.parse(["peer=192.0.2.0/24"]).peer(PEER)
    assert not Filter.parse(["peer=2001:db8::/32"]).peer(PEER)
    assert not Filter.parse(["peer=192.0.2.1", "peer-as=65002"]).peer(PEER)
    assert not Filter.parse(["peer-as=65001"]).peer(None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("10.0.0.0/8", "write KIND=VALUE"),
        ("colour=red", "prefix, covered, covering"),
        ("prefix=10.0.0.1/8", "host bits"),
        ("covered=ten", "not an IP prefix"),
        ("as=65536000000", "not an AS number"),
        ("peer-as=-1", "not an AS number"),
        ("community=red", "community"),
    ],
)
def test_wrong_filters_say_what_is_right(text: str, words: str) -> None:
    with pytest.raises(LocalError, match=words):
        Filter.parse([text])


@given(st.data(), contexts())
@settings(max_examples=150)
def test_what_is_told_before_decoding_is_never_wrong(data: st.DataObject, context: Context) -> None:
    """A message that passes must not be ruled out by its octets."""
    update = data.draw(updates(context))
    known = [one for one in routes(update) if isinstance(one, Prefix | PathPrefix)]
    assume(known)
    wanted = data.draw(st.sampled_from(known))
    prefix = wanted.prefix if isinstance(wanted, PathPrefix) else wanted
    octets = encode_update(update, context)
    for kind in ("prefix", "covered"):
        found = Filter.parse([f"{kind}={prefix}"])
        assert found.narrowed(update) is not None
        assert found.may_pass(octets)


@given(st.data())
@settings(max_examples=100)
def test_covered_and_covering_are_two_sides_of_one_thing(data: st.DataObject) -> None:
    afi = data.draw(st.sampled_from([1, 2]))
    one, two = data.draw(prefixes(afi)), data.draw(prefixes(afi))
    assert Filter.parse([f"covered={one}"]).prefix(two) is Filter.parse([f"covering={two}"]).prefix(one)


def test_every_kind_has_its_example_here() -> None:
    assert set(KINDS) == {"prefix", "covered", "covering", "as", "origin", "community", "peer", "peer-as"}
