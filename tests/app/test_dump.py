"""The spelling of `bgpdump -m`, as the program itself prints it."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from bgp.app import dump, dump_text
from bgp.message import PathAttribute
from bgp.wire.formats.mrt_values import Bgp4mp, LegacyStateChange, Peer, Record, StateChange
from rib.as_path import AsPath, Segment
from rib.attributes import Aggregator

PEER = Peer(IPv4Address("192.0.2.1"), 65001)


@pytest.mark.parametrize(
    ("address", "text"),
    [
        ("2001:668:0:3:ffff:0:adcd:39ea", "2001:668::3:ffff:0:adcd:39ea"),
        ("1:2:3:4:5:6:7:0", "1:2:3:4:5:6:7::"),
        ("0:2:3:4:5:6:7:8", "::2:3:4:5:6:7:8"),
        ("1:0:0:4:0:0:7:8", "1::4:0:0:7:8"),
        ("1:0:3:0:5:0:7:8", "1::3:0:5:0:7:8"),
        ("::ffff:1.2.3.4", "::ffff:1.2.3.4"),
        ("::1.2.3.4", "::1.2.3.4"),
        ("::1", "::1"),
        ("::", "::"),
        ("::2", "::0.0.0.2"),
        ("::320", "::0.0.3.32"),
        ("::1:0", "::0.1.0.0"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("1:2:3:4:5:6:7:80", "1:2:3:4:5:6:7:80"),
        ("10:2:3:4:5:6:7:8", "10:2:3:4:5:6:7:8"),
        ("0:2:0:0:5:6:7:8", "0:2::5:6:7:8"),
    ],
)
def test_ipv6_addresses(address: str, text: str) -> None:
    assert dump_text.ipv6_text(IPv6Address(address).packed) == text


def test_paths_have_commas_in_every_set() -> None:
    assert dump.path_text(AsPath.parse("1 2 {3,4} (5 6) [7 8]")) == "1 2 {3,4} (5 6) [7,8]"


@pytest.mark.parametrize("value", [AsPath((Segment(2, (65001,)), Segment(255, (65002,)))), b"\2\1"])
def test_a_path_that_cannot_be_read_is_an_error(value: AsPath | bytes) -> None:
    assert dump.attributes_text((PathAttribute(0x40, 2, value),), True).startswith("! Error !|")


def test_as4_path_counts_only_beside_as_numbers_of_two_octets() -> None:
    both = (PathAttribute(0x40, 2, AsPath.of(23456)), PathAttribute(0xC0, 17, AsPath.of(4_200_000_001)))
    assert dump.attributes_text(both, False).startswith("4200000001|")
    assert dump.attributes_text(both, True).startswith("23456|")


def test_an_aggregator_of_all_ones_is_none() -> None:
    def text(address: str) -> str:
        aggregator = Aggregator(65001, IPv4Address(address))
        return dump.attributes_text((PathAttribute(0xC0, 7, aggregator),), True)

    assert text("192.0.2.9") == "|INCOMPLETE|255.255.255.255|0|0||NAG|65001 192.0.2.9|"
    assert text("255.255.255.255") == "|INCOMPLETE|255.255.255.255|0|0||NAG||"


def test_changes_of_state() -> None:
    change = StateChange(Bgp4mp.STATE_CHANGE, PEER, PEER, 0, 3, 6)
    assert dump.state_line(Record(0, 9, None, change), change) == "BGP4MP|9|STATE|192.0.2.1|65001|3|6"
    assert dump.state_line(Record(0, 9, 12, change), change) == "BGP4MP_ET|9.000012|STATE|192.0.2.1|65001|3|6"
    old = LegacyStateChange(PEER, 3, 6)
    assert dump.state_line(Record(0, 9, None, old), old) == "BGP|9|STATE|192.0.2.1|65001|3|6"


def test_the_deprecated_type_has_communities_behind_the_med() -> None:
    line = "BGP|1|A|192.0.2.1|1|10.0.0.0/8|1|IGP|192.0.2.1|0|5|1:2|NAG||"
    assert dump_text.legacy(line) == "BGP|1|A|192.0.2.1|1|10.0.0.0/8|1|IGP|192.0.2.1|0|51:2|NAG||"
    assert dump_text.legacy("BGP|1|W|192.0.2.1|1|10.0.0.0/8") == "BGP|1|W|192.0.2.1|1|10.0.0.0/8"
