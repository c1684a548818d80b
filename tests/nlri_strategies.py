"""Hypothesis strategies for NLRI of every family, by family: `destinations(family, withdrawn)`."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address

from hypothesis import strategies as st
from strategies import ipv4, ipv6, prefixes, u16, u32

from bgp.message import Destination
from bgp.wire.nlri import FAMILIES
from rib.ethernet import SINGLE_HOMED, Esi, MacAddress
from rib.evpn import (
    EthernetAutoDiscovery,
    EthernetSegment,
    InclusiveMulticast,
    IpPrefix,
    MacIpAdvertisement,
    UnknownEvpnRoute,
)
from rib.family import (
    IPV4_FLOWSPEC,
    IPV4_LABELLED,
    IPV4_MULTICAST,
    IPV4_UNICAST,
    IPV6_FLOWSPEC,
    IPV6_LABELLED,
    IPV6_MULTICAST,
    IPV6_UNICAST,
    L2VPN_EVPN,
    VPNV4,
    VPNV4_FLOWSPEC,
    VPNV4_MULTICAST,
    VPNV6,
    VPNV6_FLOWSPEC,
    VPNV6_MULTICAST,
    Family,
)
from rib.flowspec import (
    ANY_SIZE,
    BITS,
    SIZES,
    FlowMatch,
    FlowPrefix,
    FlowSpec,
    FlowType,
    PartialPrefix,
    Term,
    VpnFlowSpec,
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
        st.builds(IpPrefix, rds, st.just(SINGLE_HOMED), u32, prefixes(1), ipv4, u24),
        st.builds(IpPrefix, rds, esis, u32, prefixes(2), st.just(IPv6Address(0)), u24),
        st.builds(UnknownEvpnRoute, st.integers(6, 255), st.binary(max_size=40)),
    )


@st.composite
def flow_matches(draw: st.DrawFn, kind: FlowType, afi: int) -> FlowMatch:
    """A component of comparisons."""
    most = 4 if kind in BITS else 8
    terms = []
    for index in range(draw(st.integers(1, 3))):
        size = draw(st.sampled_from(SIZES.get(kind, ANY_SIZE)))
        operand = draw(st.integers(0, (1 << 8 * size) - 1))
        if kind is FlowType.FRAGMENT:
            operand &= 0x0F if afi == 1 else 0x0E
        terms.append(Term(draw(st.integers(0, most - 1)), operand, size, index > 0 and draw(st.booleans())))
    return FlowMatch(kind, tuple(terms))


@st.composite
def partial_prefixes(draw: st.DrawFn) -> PartialPrefix:
    """Bits from the middle of an IPv6 address."""
    offset = draw(st.integers(1, 127))
    length = draw(st.integers(offset + 1, 128))
    bits = draw(st.integers(0, (1 << length - offset) - 1))
    return PartialPrefix(IPv6Address(bits << 128 - length), offset, length)


@st.composite
def flow_components(draw: st.DrawFn, afi: int) -> tuple[FlowPrefix | FlowMatch, ...]:
    """The components of a flow specification."""
    kinds = sorted(draw(st.sets(st.sampled_from([*FlowType][: 12 if afi == 1 else 13]), min_size=1, max_size=5)))
    found: list[FlowPrefix | FlowMatch] = []
    for kind in kinds:
        if kind > FlowType.SOURCE:
            found.append(draw(flow_matches(kind, afi)))
        elif afi == 1:
            found.append(FlowPrefix(kind, draw(prefixes(1))))
        else:
            found.append(FlowPrefix(kind, draw(st.one_of(prefixes(2), partial_prefixes()))))
    return tuple(found)


def _flow_spec(family: Family, withdrawn: bool) -> Made:
    return st.builds(FlowSpec, flow_components(family.afi))


def _vpn_flow_spec(family: Family, withdrawn: bool) -> Made:
    return st.builds(VpnFlowSpec, rds, flow_components(family.afi))


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
    IPV4_FLOWSPEC: _flow_spec,
    IPV6_FLOWSPEC: _flow_spec,
    VPNV4_FLOWSPEC: _vpn_flow_spec,
    VPNV6_FLOWSPEC: _vpn_flow_spec,
}
assert _BY_FAMILY.keys() == FAMILIES.keys(), "each family has a strategy"


def destinations(family: Family, withdrawn: bool = False) -> Made:
    """What a family's NLRI field can hold."""
    return _BY_FAMILY[family](family, withdrawn)
