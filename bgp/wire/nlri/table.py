"""THE table of address families: for each one what its NLRI are and which next hops it has (RFC 4760 3)."""

from __future__ import annotations

from typing import Final, NamedTuple

from bgp.wire.nlri.evpn import EVPN
from bgp.wire.nlri.flowspec import FLOWSPEC4, FLOWSPEC6, VPN_FLOWSPEC4, VPN_FLOWSPEC6
from bgp.wire.nlri.kind import Kind
from bgp.wire.nlri.labelled import LABELLED4, LABELLED6, VPN4, VPN6
from bgp.wire.nlri.link_state import LINK_STATE, VPN_LINK_STATE
from bgp.wire.nlri.mup import MUP4, MUP6
from bgp.wire.nlri.mvpn import MCAST_VPN
from bgp.wire.nlri.prefix import PREFIX4, PREFIX6
from bgp.wire.nlri.route_target import ROUTE_TARGETS
from bgp.wire.nlri.sr_policy import SR_POLICY4, SR_POLICY6
from bgp.wire.nlri.vpls import VPLS
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


class Row(NamedTuple):
    """All that there is to know of a family on the wire."""

    kind: Kind
    next_hops: tuple[int, ...]  #: the octets that a next hop can have


#: A global address, or a global and a link-local one (RFC 2545 3).
V6: Final = (16, 32)
#: An IPv4 route may have an IPv6 next hop (RFC 8950 3).
ANY: Final = (4, *V6)
#: Route distinguisher 0 before each address (RFC 4364 4.3.2, RFC 4659 3.2.1, RFC 8950 3).
RD_V6: Final = (24, 48)
RD_ANY: Final = (12, *RD_V6)
#: None (RFC 8955 4); what is there all the same is not looked at.
NONE: Final = (0, *ANY)
RD_NONE: Final = (0, *ANY, *RD_ANY)

# fmt: off
FAMILIES: Final[dict[Family, Row]] = {
    IPV4_UNICAST: Row(PREFIX4, ANY),
    IPV4_MULTICAST: Row(PREFIX4, ANY),
    IPV6_UNICAST: Row(PREFIX6, V6),
    IPV6_MULTICAST: Row(PREFIX6, V6),
    IPV4_LABELLED: Row(LABELLED4, ANY),
    IPV6_LABELLED: Row(LABELLED6, V6),
    VPNV4: Row(VPN4, RD_ANY),
    VPNV6: Row(VPN6, RD_V6),
    VPNV4_MULTICAST: Row(VPN4, RD_ANY),
    VPNV6_MULTICAST: Row(VPN6, RD_V6),
    L2VPN_EVPN: Row(EVPN, ANY),
    ROUTE_TARGET: Row(ROUTE_TARGETS, ANY),
    L2VPN_VPLS: Row(VPLS, ANY),
    BGP_LS: Row(LINK_STATE, ANY),
    BGP_LS_VPN: Row(VPN_LINK_STATE, RD_ANY),
    IPV4_SR_POLICY: Row(SR_POLICY4, ANY),
    IPV6_SR_POLICY: Row(SR_POLICY6, ANY),
    IPV4_MUP: Row(MUP4, ANY),
    IPV6_MUP: Row(MUP6, ANY),
    IPV4_MCAST_VPN: Row(MCAST_VPN, ANY),
    IPV6_MCAST_VPN: Row(MCAST_VPN, ANY),
    IPV4_FLOWSPEC: Row(FLOWSPEC4, NONE),
    IPV6_FLOWSPEC: Row(FLOWSPEC6, NONE),
    VPNV4_FLOWSPEC: Row(VPN_FLOWSPEC4, RD_NONE),
    VPNV6_FLOWSPEC: Row(VPN_FLOWSPEC6, RD_NONE),
}
# fmt: on
