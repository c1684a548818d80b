"""Address families: what a route leads to, as (AFI, SAFI) (RFC 4760 3)."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntEnum
from functools import partial
from typing import Final, NamedTuple, Self, overload


class Afi(IntEnum):
    """IANA's address family numbers, those that BGP carries."""

    IPV4 = 1
    IPV6 = 2
    L2VPN = 25
    BGP_LS = 16388


class Safi(IntEnum):
    """IANA's subsequent address family identifiers."""

    UNICAST = 1
    MULTICAST = 2
    LABELLED = 4  #: RFC 8277
    MCAST_VPN = 5  #: RFC 6514
    VPLS = 65  #: RFC 4761
    EVPN = 70  #: RFC 7432
    BGP_LS = 71  #: RFC 9552
    BGP_LS_VPN = 72  #: RFC 9552
    SR_POLICY = 73  #: RFC 9830
    MUP = 85  #: draft-ietf-bess-mup-safi
    VPN = 128  #: RFC 4364
    VPN_MULTICAST = 129  #: RFC 6513
    ROUTE_TARGET = 132  #: RFC 4684
    FLOWSPEC = 133  #: RFC 8955
    FLOWSPEC_VPN = 134  #: RFC 8955


class _Numbers(NamedTuple):
    afi: int
    safi: int


class Family(_Numbers):
    """An AFI and a SAFI; the numbers need not be known ones. Text: "ipv4-unicast", "afi-9999/safi-99"."""

    __slots__ = ()

    @overload
    def __new__(cls, afi: str) -> Self: ...
    @overload
    def __new__(cls, afi: int, safi: int) -> Self: ...
    def __new__(cls, afi: int | str, safi: int | None = None) -> Self:
        """Of its numbers or its text. Raises ValueError."""
        if isinstance(afi, str):
            return tuple.__new__(cls, _numbers_of(afi))
        if safi is None:
            raise TypeError("a family has an AFI and a SAFI")
        return tuple.__new__(cls, (afi, safi))

    def __repr__(self) -> str:
        return f"Family({str(self)!r})"

    def __str__(self) -> str:
        return _NAMES.get(self) or f"afi-{self.afi}/safi-{self.safi}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """The family of a name such as "ipv4-unicast" or "afi-1/safi-1". Raises ValueError."""
        return cls(text)


#: The family of two numbers, past the constructor: for the scanner.
family_of: Final[Callable[[tuple[int, int]], Family]] = partial(tuple.__new__, Family)


def _numbers_of(text: str) -> tuple[int, int]:
    found = FAMILY_NAMES.get(text)
    if found is not None:
        return found
    first, _, second = text.partition("/")
    try:
        afi, safi = int(first.removeprefix("afi-")), int(second.removeprefix("safi-"))
    except ValueError:
        raise ValueError(f"{text!r} is not an address family; known are {', '.join(FAMILY_NAMES)}") from None
    if not (0 <= afi < 1 << 16 and 0 <= safi < 1 << 8):
        raise ValueError(f"{text!r} is out of range: an AFI has 16 bits, a SAFI 8")
    return afi, safi


IPV4_UNICAST: Final = Family(Afi.IPV4, Safi.UNICAST)
IPV6_UNICAST: Final = Family(Afi.IPV6, Safi.UNICAST)
IPV4_MULTICAST: Final = Family(Afi.IPV4, Safi.MULTICAST)
IPV6_MULTICAST: Final = Family(Afi.IPV6, Safi.MULTICAST)
IPV4_LABELLED: Final = Family(Afi.IPV4, Safi.LABELLED)
IPV6_LABELLED: Final = Family(Afi.IPV6, Safi.LABELLED)
VPNV4: Final = Family(Afi.IPV4, Safi.VPN)
VPNV6: Final = Family(Afi.IPV6, Safi.VPN)
VPNV4_MULTICAST: Final = Family(Afi.IPV4, Safi.VPN_MULTICAST)
VPNV6_MULTICAST: Final = Family(Afi.IPV6, Safi.VPN_MULTICAST)
L2VPN_EVPN: Final = Family(Afi.L2VPN, Safi.EVPN)
IPV4_FLOWSPEC: Final = Family(Afi.IPV4, Safi.FLOWSPEC)
IPV6_FLOWSPEC: Final = Family(Afi.IPV6, Safi.FLOWSPEC)
VPNV4_FLOWSPEC: Final = Family(Afi.IPV4, Safi.FLOWSPEC_VPN)
VPNV6_FLOWSPEC: Final = Family(Afi.IPV6, Safi.FLOWSPEC_VPN)
L2VPN_VPLS: Final = Family(Afi.L2VPN, Safi.VPLS)
ROUTE_TARGET: Final = Family(Afi.IPV4, Safi.ROUTE_TARGET)
BGP_LS: Final = Family(Afi.BGP_LS, Safi.BGP_LS)
BGP_LS_VPN: Final = Family(Afi.BGP_LS, Safi.BGP_LS_VPN)
IPV4_MCAST_VPN: Final = Family(Afi.IPV4, Safi.MCAST_VPN)
IPV6_MCAST_VPN: Final = Family(Afi.IPV6, Safi.MCAST_VPN)
IPV4_SR_POLICY: Final = Family(Afi.IPV4, Safi.SR_POLICY)
IPV6_SR_POLICY: Final = Family(Afi.IPV6, Safi.SR_POLICY)
IPV4_MUP: Final = Family(Afi.IPV4, Safi.MUP)
IPV6_MUP: Final = Family(Afi.IPV6, Safi.MUP)

#: Names in configuration files and on screen.
FAMILY_NAMES: Final[dict[str, Family]] = {
    "ipv4-unicast": IPV4_UNICAST,
    "ipv6-unicast": IPV6_UNICAST,
    "ipv4-multicast": IPV4_MULTICAST,
    "ipv6-multicast": IPV6_MULTICAST,
    "ipv4-labelled": IPV4_LABELLED,
    "ipv6-labelled": IPV6_LABELLED,
    "vpnv4": VPNV4,
    "vpnv6": VPNV6,
    "vpnv4-multicast": VPNV4_MULTICAST,
    "vpnv6-multicast": VPNV6_MULTICAST,
    "l2vpn-evpn": L2VPN_EVPN,
    "l2vpn-vpls": L2VPN_VPLS,
    "ipv4-flowspec": IPV4_FLOWSPEC,
    "ipv6-flowspec": IPV6_FLOWSPEC,
    "vpnv4-flowspec": VPNV4_FLOWSPEC,
    "vpnv6-flowspec": VPNV6_FLOWSPEC,
    "route-target": ROUTE_TARGET,
    "bgp-ls": BGP_LS,
    "bgp-ls-vpn": BGP_LS_VPN,
    "ipv4-mcast-vpn": IPV4_MCAST_VPN,
    "ipv6-mcast-vpn": IPV6_MCAST_VPN,
    "ipv4-sr-policy": IPV4_SR_POLICY,
    "ipv6-sr-policy": IPV6_SR_POLICY,
    "ipv4-mup": IPV4_MUP,
    "ipv6-mup": IPV6_MUP,
}
_NAMES: Final = {family: name for name, family in FAMILY_NAMES.items()}
