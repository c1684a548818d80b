"""IP prefixes. A prefix's identity is its NLRI octets: the length in bits, then the octets that it covers, no host bits.

Those octets are the keys of every table; `Prefix` is for people and interfaces.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import total_ordering
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network
from socket import AF_INET, AF_INET6, inet_ntop, inet_pton

from rib.family import Afi


def nlri_text(afi: int, nlri: bytes) -> str:
    """ "10.0.0.0/8" of NLRI octets without a path identifier (RFC 4271 4.3, RFC 4760 5)."""
    if afi == 1:
        a, b, c, d = (nlri + b"\0\0\0")[1:5] if len(nlri) > 1 else b"\0\0\0\0"
        return f"{a}.{b}.{c}.{d}/{nlri[0]}"
    return f"{inet_ntop(AF_INET6, nlri[1:].ljust(16, bytes(1)))}/{nlri[0]}"


def nlri_from_text(text: str) -> tuple[int, bytes]:
    """(AFI, NLRI octets) of "10.0.0.0/8"; an address alone is a host route. Raises ValueError, which says what is wrong."""
    address, slash, digits = text.partition("/")
    afi, family = (Afi.IPV6, AF_INET6) if ":" in address else (Afi.IPV4, AF_INET)
    try:
        octets = inet_pton(family, address)
        length = int(digits) if slash and digits.isascii() and digits.isdecimal() else None
    except (OSError, ValueError):
        length = None
    if length is None or length > 8 * len(octets):
        return _of_network(_network(text))
    if int.from_bytes(octets, "big") & ((1 << (8 * len(octets) - length)) - 1):
        raise ValueError(_why_not(text))
    return afi, bytes((length,)) + octets[: (length + 7) // 8]


def _network(text: str) -> IPv4Network | IPv6Network:
    """Of the forms that are not written every day: an address alone, a netmask. Raises ValueError."""
    try:
        if "%" in text:
            raise ValueError(text)
        return ip_network(text)
    except ValueError as error:
        raise ValueError(_why_not(text)) from error


def _of_network(network: IPv4Network | IPv6Network) -> tuple[int, bytes]:
    length = network.prefixlen
    afi = Afi.IPV4 if network.version == 4 else Afi.IPV6
    return afi, bytes((length,)) + network.network_address.packed[: (length + 7) // 8]


def _why_not(text: str) -> str:
    try:
        masked = ip_network(text, strict=False)
    except ValueError:
        return f"{text!r} is not an IP prefix"
    if "%" in text:
        return f"{text!r} is not an IP prefix: a prefix has no zone"
    return f"{text!r} has host bits set; the prefix is {masked}"


def covering_nlri(octets: bytes) -> Iterator[bytes]:
    """The NLRI of each prefix that covers an address in network order, longest first."""
    bits = 8 * len(octets)
    number = int.from_bytes(octets, "big")
    for length in range(bits, -1, -1):
        size = (length + 7) >> 3
        host_bits = 8 * size - length
        yield bytes((length,)) + (number >> (bits - length) << host_bits).to_bytes(size, "big")


@total_ordering
class Prefix:
    """An IPv4 or IPv6 prefix. Hashable; ordered by AFI, address, length.

    `Prefix("10.0.0.0/8")` raises ValueError for what is none, host bits that are set included.
    """

    __slots__ = ("afi", "nlri")

    afi: int
    nlri: bytes

    def __init__(self, text: str) -> None:
        self.afi, self.nlri = nlri_from_text(text)

    @classmethod
    def from_nlri(cls, afi: int, nlri: bytes) -> Prefix:
        """The prefix of NLRI octets, which must be canonical."""
        made = cls.__new__(cls)
        made.afi, made.nlri = afi, nlri
        return made

    @property
    def length(self) -> int:
        """The number of bits that count."""
        return self.nlri[0]

    @property
    def address(self) -> IPv4Address | IPv6Address:
        """The first address."""
        if self.afi == Afi.IPV4:
            return IPv4Address(self.nlri[1:].ljust(4, b"\0"))
        return IPv6Address(self.nlri[1:].ljust(16, b"\0"))

    @property
    def network(self) -> IPv4Network | IPv6Network:
        """The same as the standard library has it."""
        return ip_network((self.address, self.length))

    def __contains__(self, other: Prefix | IPv4Address | IPv6Address | str) -> bool:
        if not isinstance(other, Prefix):
            other = Prefix(str(other))
        if other.afi != self.afi or other.length < self.length:
            return False
        return other.address in self.network

    def __str__(self) -> str:
        return nlri_text(self.afi, self.nlri)

    def __repr__(self) -> str:
        return f"Prefix({str(self)!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Prefix) and self.nlri == other.nlri and self.afi == other.afi

    def __hash__(self) -> int:
        return hash(self.nlri)

    def __lt__(self, other: Prefix) -> bool:
        return (self.afi, self.nlri[1:], self.nlri[0]) < (other.afi, other.nlri[1:], other.nlri[0])
