"""Communities: numbers, names and text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rib.community import WELL_KNOWN, Community, ExtendedCommunity, LargeCommunity

u32 = st.integers(0, (1 << 32) - 1)

#: IANA's registry, read off by hand: the halves, then the name.
NAMES = [
    ("65535:0", "graceful-shutdown"),
    ("65535:1", "accept-own"),
    ("65535:2", "route-filter-translated-v4"),
    ("65535:3", "route-filter-v4"),
    ("65535:4", "route-filter-translated-v6"),
    ("65535:5", "route-filter-v6"),
    ("65535:6", "llgr-stale"),
    ("65535:7", "no-llgr"),
    ("65535:8", "accept-own-nexthop"),
    ("65535:9", "standby-pe"),
    ("65535:666", "blackhole"),
    ("65535:65281", "no-export"),
    ("65535:65282", "no-advertise"),
    ("65535:65283", "no-export-subconfed"),
    ("65535:65284", "no-peer"),
]


@pytest.mark.parametrize(("numbers", "name"), NAMES)
def test_well_known_communities_have_names(numbers: str, name: str) -> None:
    community = Community.parse(numbers)
    assert community == Community.parse(name)
    assert str(community) == name
    assert community.numbers == numbers
    assert repr(community) == f"Community({name!r})"


def test_no_name_is_forgotten_above() -> None:
    assert {name for _, name in NAMES} == set(WELL_KNOWN.values())


@pytest.mark.parametrize("text", ["65000", "65536:1", "1:65536", "a:b", "", ":", "1:2:3", "-1:2", "no-exports"])
def test_what_is_no_community_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a community"):
        Community.parse(text)


@given(u32)
def test_a_community_is_read_back(number: int) -> None:
    community = Community(number)
    assert Community.parse(str(community)) == community
    assert Community.parse(community.numbers) == community


@pytest.mark.parametrize("text", ["1:2", "1:2:3:4", "1:2:4294967296", "a:1:2", ""])
def test_what_is_no_large_community_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a large community"):
        LargeCommunity.parse(text)


@given(st.builds(LargeCommunity, u32, u32, u32))
def test_a_large_community_is_read_back(community: LargeCommunity) -> None:
    assert LargeCommunity.parse(str(community)) == community


#: RFC 4360 3.1, 3.2, 4, 5; RFC 5668 2.
EXTENDED = [
    ("target:65000:100", "0002fde800000064"),
    ("origin:65000:100", "0003fde800000064"),
    ("target:10.0.0.1:100", "01020a0000010064"),
    ("target:70000:100", "0202000111700064"),
    ("target:65000L:100", "02020000fde80064"),
    ("encapsulation:vxlan", "030c000000000008"),
]


@pytest.mark.parametrize(("text", "octets"), EXTENDED)
def test_extended_communities(text: str, octets: str) -> None:
    community = ExtendedCommunity(bytes.fromhex(octets))
    assert ExtendedCommunity.parse(text) == community
    assert str(community) == text
    assert ExtendedCommunity.parse(f"0x{octets}") == community


def test_an_extended_community_that_stays_in_the_as() -> None:
    assert ExtendedCommunity(bytes.fromhex("0002fde800000064")).is_transitive
    assert not ExtendedCommunity(bytes.fromhex("4002fde800000064")).is_transitive


@pytest.mark.parametrize(
    "text", ["rt:1", "rt:10.0.0:1", "rt:65000:4294967296", "rt:70000:65536", "rt::1", "xyz", "00", ""]
)
def test_what_is_no_extended_community_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an extended community"):
        ExtendedCommunity.parse(text)


def test_an_extended_community_has_eight_octets() -> None:
    with pytest.raises(ValueError, match="8 octets, not 7"):
        ExtendedCommunity(bytes(7))


@given(st.binary(min_size=8, max_size=8))
def test_an_extended_community_is_read_back(octets: bytes) -> None:
    community = ExtendedCommunity(octets)
    assert ExtendedCommunity.parse(str(community)) == community
    assert str(community) in repr(community)
