"""Which next hops are host addresses, and which can be reached."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from rib.next_hop import AnyNextHop, ConnectedNetworks, why_not_a_host


@pytest.mark.parametrize(
    ("address", "why"),
    [
        ("10.0.0.1", None),
        ("2001:db8::1", None),
        ("fe80::1", None),
        ("::ffff:10.0.0.1", None),
        ("127.0.0.1", "a loopback address"),
        ("::1", "a loopback address"),
        ("::ffff:127.0.0.1", "a loopback address"),
        ("224.0.0.1", "a multicast address"),
        ("ff02::1", "a multicast address"),
        ("0.0.0.0", "the unspecified network"),
        ("0.1.2.3", "the unspecified network"),
        ("::", "the unspecified network"),
        ("240.0.0.1", "a class E address"),
        ("255.255.255.255", "a class E address"),
    ],
)
def test_usable_host_addresses(address: str, why: str | None) -> None:
    # RFC 4271 6.3, RFC 1122 3.2.1.3.
    assert why_not_a_host(ip_address(address)) == why


def test_loopback_between_two_speakers_of_one_machine() -> None:
    assert why_not_a_host(ip_address("127.0.0.2"), over_loopback=True) is None
    assert why_not_a_host(ip_address("224.0.0.1"), over_loopback=True) is not None


def test_any_next_hop_will_do() -> None:
    assert AnyNextHop().metric(ip_address("192.0.2.1")) == 0


def test_connected_networks() -> None:
    resolver = ConnectedNetworks(["10.0.0.7/24", "2001:db8::/64"])
    assert resolver.metric(ip_address("10.0.0.255")) == 0
    assert resolver.metric(ip_address("2001:db8::1")) == 0
    assert resolver.metric(ip_address("fe80::1")) == 0
    assert resolver.metric(ip_address("10.0.1.0")) is None
    assert resolver.metric(ip_address("2001:db8:0:1::")) is None
