"""Hypothesis strategies for NLRI of every family, by family: `destinations(family, withdrawn)`."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import strategies as st
from strategies import ipv4, ipv6, prefixes, u16, u32

from bgp.message import Destination
from bgp.wire.nlri import FAMILIES
from rib.ethernet import Esi, MacAddress
from rib.evpn import (
    EthernetAutoDiscovery,
    EthernetSegment,
    InclusiveMulticast,
    IpPrefix,
    MacIpAdvertisement,
    UnknownEvpnRoute,
)
from rib.family import (
    IPV4_LABELLED,
    IPV4_MULTICAST,
    IPV4_UNICAST,
    IPV6_LABELLED,
    IPV6_MULTICAST,
    IPV6_UNICAST,
    L2VPN_EVPN,
    VPNV4,
    VPNV4_MULTICAST,
    VPNV6,
    VPNV6_MULTICAST,
    Family,
)
from rib.labelled import MAX_LABEL, LabelledPrefix, VpnPrefix
from rib.route_distinguisher import RouteDistinguisher

Made = st.SearchStrategy[Destination]

rds = st.one_of(
    st.builds(lambda a, n: RouteDistinguisher.parse(f"{a}:{n}"), u16, u32),
    st.builds(lambda a, n: RouteDistinguisher.parse(f"2:{a}:{n}"), u32, u16),
    st.binary(min_size=8, max_size=8).map(RouteDistinguisher),
)
labels = st.integers(0, MAX_LABEL)


def stacks(withdrawn: bool, most: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Label stacks: of a withdrawn route there is one label at most."""
    return st.lists(labels, min_size=0 if withdrawn else 1, max_size=1 if withdrawn else most).map(tuple)


def _labelled(family: Family, withdrawn: bool) -> Made:
    return st.builds(LabelledPrefix, prefixes(family.afi), stacks(withdrawn, 5))


def _vpn(family: Family, withdrawn: bool) -> Made:
    return st.builds(VpnPrefix, rds, prefixes(family.afi), stacks(withdrawn, 2))


def _prefix(family: Family, withdrawn: bool) -> Made:
    return prefixes(family.afi)


esis = st.binary(min_size=10, max_size=10).map(Esi)
macs = st.binary(min_size=6, max_size=6).map(MacAddress)
u24 = st.integers(0, (1 << 24) - 1)
addresses = st.one_of(ipv4, ipv6)


def _evpn(family: Family, withdrawn: bool) -> Made:
    return st.one_of(
        st.builds(EthernetAutoDiscovery, rds, esis, u32, u24),
        st.builds(MacIpAdvertisement, rds, esis, u32, macs, u24, st.none() | addresses, st.none() | u24),
        st.builds(InclusiveMulticast, rds, u32, addresses),
        st.builds(EthernetSegment, rds, esis, addresses),
        st.builds(IpPrefix, rds, esis, u32, prefixes(1), ipv4, u24),
        st.builds(IpPrefix, rds, esis, u32, prefixes(2), ipv6, u24),
        st.builds(UnknownEvpnRoute, st.integers(6, 255), st.binary(max_size=40)),
    )


_BY_FAMILY: dict[Family, Callable[[Family, bool], Made]] = {
    IPV4_UNICAST: _prefix,
    IPV4_MULTICAST: _prefix,
    IPV6_UNICAST: _prefix,
    IPV6_MULTICAST: _prefix,
    IPV4_LABELLED: _labelled,
    IPV6_LABELLED: _labelled,
    VPNV4: _vpn,
    VPNV6: _vpn,
    VPNV4_MULTICAST: _vpn,
    VPNV6_MULTICAST: _vpn,
    L2VPN_EVPN: _evpn,
}
assert _BY_FAMILY.keys() == FAMILIES.keys(), "each family has a strategy"


def destinations(family: Family, withdrawn: bool = False) -> Made:
    """What a family's NLRI field can hold."""
    return _BY_FAMILY[family](family, withdrawn)
