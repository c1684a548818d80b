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
    rfc: str  #: where it is defined


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
    IPV4_UNICAST: Row(PREFIX4, ANY, "4760 5, 8950"),
    IPV4_MULTICAST: Row(PREFIX4, ANY, "4760 5"),
    IPV6_UNICAST: Row(PREFIX6, V6, "4760 5, 2545"),
    IPV6_MULTICAST: Row(PREFIX6, V6, "4760 5"),
    IPV4_LABELLED: Row(LABELLED4, ANY, "8277"),
    IPV6_LABELLED: Row(LABELLED6, V6, "8277"),
    VPNV4: Row(VPN4, RD_ANY, "4364 4.3.4, 8277"),
    VPNV6: Row(VPN6, RD_V6, "4659 3.2, 8277"),
    VPNV4_MULTICAST: Row(VPN4, RD_ANY, "6513 5, 8277"),
    VPNV6_MULTICAST: Row(VPN6, RD_V6, "6513 5, 8277"),
    L2VPN_EVPN: Row(EVPN, ANY, "7432 7, 9136 3.1"),
    ROUTE_TARGET: Row(ROUTE_TARGETS, ANY, "4684 4"),
    L2VPN_VPLS: Row(VPLS, ANY, "4761 3.2.2, 6074 3.2.2.1"),
    BGP_LS: Row(LINK_STATE, ANY, "9552 5.2"),
    BGP_LS_VPN: Row(VPN_LINK_STATE, RD_ANY, "9552 5.2"),
    IPV4_SR_POLICY: Row(SR_POLICY4, ANY, "9830 2.1"),
    IPV6_SR_POLICY: Row(SR_POLICY6, ANY, "9830 2.1"),
    IPV4_MUP: Row(MUP4, ANY, "draft-ietf-bess-mup-safi"),
    IPV6_MUP: Row(MUP6, ANY, "draft-ietf-bess-mup-safi"),
    IPV4_MCAST_VPN: Row(MCAST_VPN, ANY, "6514 4"),
    IPV6_MCAST_VPN: Row(MCAST_VPN, ANY, "6514 4"),
    IPV4_FLOWSPEC: Row(FLOWSPEC4, NONE, "8955 4"),
    IPV6_FLOWSPEC: Row(FLOWSPEC6, NONE, "8956 3"),
    VPNV4_FLOWSPEC: Row(VPN_FLOWSPEC4, RD_NONE, "8955 8"),
    VPNV6_FLOWSPEC: Row(VPN_FLOWSPEC6, RD_NONE, "8956 3, 8955 8"),
}
# fmt: on
