"""Hypothesis strategies for NLRI of every family, by family: `destinations(family, withdrawn)`."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import IPv6Address

from hypothesis import strategies as st
from strategies import ipv4, ipv6, prefixes, u16, u32

from bgp.message import Destination, MalformedNlri
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
    BGP_LS,
    BGP_LS_VPN,
    IPV4_FLOWSPEC,
    IPV4_LABELLED,
    IPV4_MCAST_VPN,
    IPV4_MULTICAST,
    IPV4_MUP,
    IPV4_SR_POLICY,
    IPV4_UNICAST,
    IPV6_FLOWSPEC,
    IPV6_LABELLED,
    IPV6_MCAST_VPN,
    IPV6_MULTICAST,
    IPV6_MUP,
    IPV6_SR_POLICY,
    IPV6_UNICAST,
    L2VPN_EVPN,
    L2VPN_VPLS,
    ROUTE_TARGET,
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
from rib.link_state import NODE_DESCRIPTORS, LinkStateNlri, LinkStateType, Tlv
from rib.mup import DirectSegment, InterworkSegment, Type1Session, Type2Session, UnknownMupRoute
from rib.mvpn import McastVpnRoute
from rib.route_distinguisher import RouteDistinguisher
from rib.route_target import RouteTargetMembership
from rib.sr_policy import SrPolicy
from rib.vpls import VplsBlock, VplsMember

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


@st.composite
def memberships(draw: st.DrawFn) -> RouteTargetMembership:
    """All route targets, some of an origin AS, or one."""
    if draw(st.integers(0, 5)) == 0:
        return RouteTargetMembership()
    bits = draw(st.sampled_from([0, 1, 12, 16, 63, 64, 64, 64]))
    octets = draw(st.integers(0, (1 << bits) - 1)) << -bits % 8
    return RouteTargetMembership(draw(u32), octets.to_bytes((bits + 7) // 8, "big"), bits)


def _membership(family: Family, withdrawn: bool) -> Made:
    return memberships()


def _vpls(family: Family, withdrawn: bool) -> Made:
    return st.one_of(st.builds(VplsBlock, rds, u16, u16, u16, u24), st.builds(VplsMember, rds, ipv4))


plain_tlvs = st.builds(
    Tlv,
    st.one_of(st.sampled_from([258, 259, 260, 261, 262, 263, 264, 265, 512, 513, 514, 515, 516, 517, 518]), u16).filter(
        lambda kind: kind not in NODE_DESCRIPTORS
    ),
    st.one_of(st.binary(min_size=4, max_size=4), st.binary(min_size=16, max_size=16), st.binary(max_size=9)),
    st.just(()),
)
tlvs = st.one_of(
    plain_tlvs,
    st.builds(Tlv, st.sampled_from([256, 257]), st.just(b""), st.lists(plain_tlvs, max_size=4).map(tuple)),
)


def _link_state(family: Family, withdrawn: bool) -> Made:
    rd = rds if family == BGP_LS_VPN else st.none()
    return st.one_of(
        st.builds(
            LinkStateNlri,
            st.sampled_from(LinkStateType),
            st.integers(0, 255),
            st.integers(0, (1 << 64) - 1),
            st.lists(tlvs, max_size=4).map(tuple),
            st.just(b""),
            rd,
        ),
        st.builds(
            LinkStateNlri,
            st.integers(7, 65535),
            st.just(0),
            st.just(0),
            st.just(()),
            st.binary(max_size=20),
            rd,
        ),
    )


def _sr_policy(family: Family, withdrawn: bool) -> Made:
    return st.builds(SrPolicy, u32, u32, ipv4 if family.afi == 1 else ipv6)


def _mup(family: Family, withdrawn: bool) -> Made:
    address = ipv4 if family.afi == 1 else ipv6
    prefix = prefixes(family.afi)
    teids = st.integers(0, 32).flatmap(
        lambda bits: st.tuples(st.binary(min_size=(bits + 7) // 8, max_size=(bits + 7) // 8), st.just(bits))
    )
    return st.one_of(
        st.builds(InterworkSegment, rds, prefix),
        st.builds(DirectSegment, rds, address),
        st.builds(Type1Session, rds, prefix, u32, st.integers(0, 255), addresses, st.none() | addresses),
        st.builds(lambda rd, endpoint, teid: Type2Session(rd, endpoint, *teid), rds, address, teids),
        st.builds(UnknownMupRoute, st.just(1), st.integers(5, 65535), st.binary(max_size=20)),
        st.builds(UnknownMupRoute, st.integers(2, 255), u16, st.binary(max_size=20)),
    )


def _mcast_vpn(family: Family, withdrawn: bool) -> Made:
    return st.builds(McastVpnRoute, st.integers(1, 8), st.binary(max_size=30))


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
    ROUTE_TARGET: _membership,
    L2VPN_VPLS: _vpls,
    BGP_LS: _link_state,
    BGP_LS_VPN: _link_state,
    IPV4_SR_POLICY: _sr_policy,
    IPV6_SR_POLICY: _sr_policy,
    IPV4_MUP: _mup,
    IPV6_MUP: _mup,
    IPV4_MCAST_VPN: _mcast_vpn,
    IPV6_MCAST_VPN: _mcast_vpn,
    IPV4_FLOWSPEC: _flow_spec,
    IPV6_FLOWSPEC: _flow_spec,
    VPNV4_FLOWSPEC: _vpn_flow_spec,
    VPNV6_FLOWSPEC: _vpn_flow_spec,
}
assert _BY_FAMILY.keys() == FAMILIES.keys(), "each family has a strategy"


def destinations(family: Family, withdrawn: bool = False) -> Made:
    """What a family's NLRI field can hold."""
    return _BY_FAMILY[family](family, withdrawn)


def makes_no_route(value: Destination) -> bool:
    """RFC 7606 5.4: read as octets, but no routes in a session; and what is malformed within its length."""
    if isinstance(value, McastVpnRoute):
        return not 1 <= value.type <= 7
    return isinstance(value, UnknownEvpnRoute | UnknownMupRoute | MalformedNlri)
