"""NLRI as octets and as values: printed in RFCs, or put together by hand from their field lists."""

from __future__ import annotations

from typing import NamedTuple

from bgp.message import Destination
from rib.family import IPV4_LABELLED, IPV6_LABELLED, VPNV4, VPNV6, Family
from rib.labelled import LabelledPrefix, VpnPrefix
from rib.prefix import Prefix
from rib.route_distinguisher import RouteDistinguisher


class Vector(NamedTuple):
    """One NLRI; `canonical` is how it goes out again."""

    family: Family
    octets: bytes
    value: Destination
    canonical: bytes
    withdrawn: bool = False


def of(family: Family, octets: str, value: Destination, *, canonical: str = "", withdrawn: bool = False) -> Vector:
    """A vector of hexadecimal octets; `canonical` where the octets are not."""
    return Vector(family, bytes.fromhex(octets), value, bytes.fromhex(canonical or octets), withdrawn)


RD = RouteDistinguisher.parse("65000:1")
TEN = Prefix("10.0.0.0/8")
DOCUMENTATION = Prefix("2001:db8::/32")

# fmt: off
VECTORS = [
    # RFC 8277 2.2, 2.3: one label, three labels, bits that mean nothing, host bits.
    of(IPV4_LABELLED, "20 000101 0a", LabelledPrefix(TEN, (16,))),
    of(IPV4_LABELLED, "50 000100 000110 fffff1 0a", LabelledPrefix(TEN, (16, 17, 0xFFFFF))),
    of(IPV4_LABELLED, "20 00010f 0a", LabelledPrefix(TEN, (16,)), canonical="20 000101 0a"),
    of(IPV4_LABELLED, "21 000031 0aff", LabelledPrefix(Prefix("10.128.0.0/9"), (3,)), canonical="21 000031 0a80"),
    of(IPV4_LABELLED, "18 000001", LabelledPrefix(Prefix("0.0.0.0/0"), (0,))),
    of(IPV6_LABELLED, "38 000201 20010db8", LabelledPrefix(DOCUMENTATION, (32,))),
    # RFC 8277 2.4: withdrawn; the older convention; the label itself.
    of(IPV4_LABELLED, "20 800000 0a", LabelledPrefix(TEN), withdrawn=True),
    of(IPV4_LABELLED, "20 000000 0a", LabelledPrefix(TEN), canonical="20 800000 0a", withdrawn=True),
    of(IPV4_LABELLED, "20 000101 0a", LabelledPrefix(TEN, (16,)), withdrawn=True),
    of(IPV6_LABELLED, "38 800000 20010db8", LabelledPrefix(DOCUMENTATION), withdrawn=True),
    # RFC 4364 4.2: the three types of route distinguisher, and one that nobody knows.
    of(VPNV4, "60 000101 0000fde800000001 0a", VpnPrefix(RD, TEN, (16,))),
    of(VPNV4, "60 000101 00010a0000010002 0a", VpnPrefix(RouteDistinguisher.parse("10.0.0.1:2"), TEN, (16,))),
    of(VPNV4, "60 000101 0002fa56ea000002 0a", VpnPrefix(RouteDistinguisher.parse("4200000000:2"), TEN, (16,))),
    of(VPNV4, "60 000101 00020000fde80002 0a", VpnPrefix(RouteDistinguisher.parse("2:65000:2"), TEN, (16,))),
    of(VPNV4, "60 000101 0003000000000002 0a", VpnPrefix(RouteDistinguisher.parse("0003000000000002"), TEN, (16,))),
    of(VPNV4, "60 800000 0000fde800000001 0a", VpnPrefix(RD, TEN), withdrawn=True),
    # RFC 4659 3.2: VPN-IPv6.
    of(VPNV6, "78 000101 0000fde800000001 20010db8", VpnPrefix(RD, DOCUMENTATION, (16,))),
    of(VPNV6, "90 000100 000111 0000fde800000001 20010db8", VpnPrefix(RD, DOCUMENTATION, (16, 17))),
]
# fmt: on
