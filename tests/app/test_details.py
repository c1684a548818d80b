from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from bgp.app.details import details
from bgp.app.jsonform import Json
from bgp.attribute import (
    Functions,
    Hop,
    LabelIndex,
    LinkState,
    LinkStateTlv,
    PmsiTunnel,
    PrefixSid,
    ServicePath,
    StackedLabels,
    Tlv,
)
from bgp.capability import (
    BgpRole,
    FourOctetAs,
    LongLivedGracefulRestart,
    Multiprotocol,
    RouteRefresh,
    UnknownCapability,
)
from bgp.iana import AttributeCode as Code
from bgp.iana import LinkStateTlvType
from bgp.message import (
    FilterAction,
    FilterGroup,
    Keepalive,
    Message,
    Notification,
    Open,
    OutboundFilters,
    PathAttribute,
    PrefixFilter,
    Update,
)
from bgp.message import RouteRefresh as RouteRefreshMessage
from rib.attributes import Origin
from rib.community import ExtendedCommunity
from rib.family import IPV4_UNICAST
from rib.prefix import Prefix
from rib.route_distinguisher import RouteDistinguisher

CASES: list[tuple[Message, dict[str, Json]]] = [
    (Keepalive(), {}),
    (Update(attributes=(PathAttribute(0x40, Code.ORIGIN, Origin.IGP), PathAttribute(0xC0, 99, b"x"))), {}),
    (
        Update(
            attributes=(PathAttribute(0xC0, 16, (ExtendedCommunity.parse("target:1:2"),)), PathAttribute(0xC0, 35, 5))
        ),
        {"extended_communities": ["target:1:2"], "only_to_customer": 5},
    ),
    (
        Update(attributes=(PathAttribute(0xC0, 22, PmsiTunnel(0, 6, 100, b"\n\0\0\1")),)),
        {"pmsi_tunnel": {"flags": 0, "type": 6, "label": 100, "identifier": "0a000001"}},
    ),
    (
        Update(attributes=(PathAttribute(0xC0, 40, PrefixSid((LabelIndex(0, 7), Tlv(9, b"\1")))),)),
        {"prefix_sid": {"tlvs": [{"type": 1, "flags": 0, "index": 7}, {"type": 9, "value": "01"}]}},
    ),
    (
        Update(
            attributes=(
                PathAttribute(
                    0xC0,
                    37,
                    ServicePath((Hop(255, (Functions(41, (RouteDistinguisher.parse("65000:1"),)),)), StackedLabels())),
                ),
            )
        ),
        {
            "sfp": {
                "tlvs": [
                    {"type": 2, "index": 255, "tlvs": [{"type": 3, "function": 41, "instances": ["65000:1"]}]},
                    {"type": 5},
                ]
            }
        },
    ),
    (
        Update(
            attributes=(
                PathAttribute(
                    0x80,
                    29,
                    LinkState(
                        (
                            LinkStateTlv(LinkStateTlvType.NODE_NAME, "r1"),
                            LinkStateTlv(LinkStateTlvType.LOCAL_IPV6_ROUTER_ID, IPv6Address("::1")),
                        )
                    ),
                ),
            )
        ),
        {"bgp_ls": {"tlvs": [{"type": "node-name", "value": "r1"}, {"type": "local-ipv6-router-id", "value": "::1"}]}},
    ),
    (
        Open(
            4,
            1,
            90,
            IPv4Address("10.0.0.1"),
            (
                Multiprotocol(IPV4_UNICAST),
                FourOctetAs(1),
                RouteRefresh(),
                BgpRole(3),
                LongLivedGracefulRestart(((IPV4_UNICAST, True, 60),)),
                UnknownCapability(200, b"\1"),
            ),
        ),
        {
            "route_refresh": True,
            "bgp_role": {"role": 3},
            "long_lived_graceful_restart": {"families": [["ipv4-unicast", True, 60]]},
            "capability_200": {"code": 200, "value": "01"},
        },
    ),
    (Notification(4, 0), {"text": "NOTIFICATION 4/0 (Hold timer expired)"}),
    (RouteRefreshMessage(IPV4_UNICAST), {}),
    (
        RouteRefreshMessage(
            IPV4_UNICAST,
            0,
            OutboundFilters(
                1, (FilterGroup(64, (PrefixFilter(FilterAction.ADD, True, 5, 0, 32, Prefix("10.0.0.0/8")),)),)
            ),
        ),
        {
            "orf": {
                "when": 1,
                "groups": [
                    {
                        "type": 64,
                        "entries": [
                            {
                                "action": "add",
                                "deny": True,
                                "sequence": 5,
                                "minimum": 0,
                                "maximum": 32,
                                "prefix": "10.0.0.0/8",
                            }
                        ],
                    }
                ],
            }
        },
    ),
]


@pytest.mark.parametrize(("message", "expected"), CASES)
def test_what_the_normal_form_leaves_out_is_said(message: Message, expected: dict[str, Json]) -> None:
    assert details(message) == expected
