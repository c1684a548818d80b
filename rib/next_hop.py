"""Next hops: which are usable host addresses, and which can be reached (RFC 4271 5.1.3, 6.3, 9.1.2.1)."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from typing import Protocol


class Resolver(Protocol):
    """Answers whether a next hop can be reached, and at what interior cost."""

    def metric(self, address: IPv4Address | IPv6Address) -> int | None:
        """The interior cost of the way to `address`; None where there is no way (RFC 4271 9.1.2.1)."""


class AnyNextHop:
    """Takes every next hop for reachable: for a speaker that does not forward, such as a route server or a collector."""

    def metric(self, address: IPv4Address | IPv6Address) -> int | None:
        """Always 0."""
        return 0


class ConnectedNetworks:
    """Reaches what lies on the networks of its own interfaces and nothing else."""

    def __init__(self, networks: Iterable[str | IPv4Network | IPv6Network]) -> None:
        self.networks = tuple(ip_network(network, strict=False) for network in networks)

    def metric(self, address: IPv4Address | IPv6Address) -> int | None:
        """0 for an address on one of the networks, None for any other. A link-local address is always on one."""
        if address.is_link_local or any(address in network for network in self.networks):
            return 0
        return None


def why_not_a_host(address: IPv4Address | IPv6Address, *, over_loopback: bool = False) -> str | None:
    """Why `address` cannot be a next hop, in words; None if it can (RFC 4271 6.3, RFC 7606 3 e).

    A loopback next hop means something only between two speakers of one machine: `over_loopback`.
    """
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback:
        return None if over_loopback else "a loopback address"
    if address.is_multicast:
        return "a multicast address"
    if address.is_unspecified or (address.version == 4 and int(address) >> 24 == 0):
        return "the unspecified network"
    if address.version == 4 and int(address) >> 28 == 15:
        return "a class E address"
    return None
