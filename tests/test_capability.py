"""What two speakers make of each other's capabilities, as a table."""

from __future__ import annotations

from dataclasses import fields

import pytest

from bgp.capability import (
    AddPath,
    BgpRole,
    Capability,
    DynamicCapability,
    EnhancedRouteRefresh,
    ExtendedMessage,
    ExtendedNextHop,
    FourOctetAs,
    GracefulRestart,
    LinkLocalNextHop,
    LongLivedGracefulRestart,
    MultipleLabels,
    Multiprotocol,
    Multisession,
    OutboundRouteFiltering,
    PathsLimit,
    RouteRefresh,
    SoftwareVersion,
    UnknownCapability,
    families_of,
    negotiate,
)
from rib.family import IPV4_LABELLED, IPV4_UNICAST, IPV6_UNICAST, L2VPN_EVPN, VPNV4

V4, V6, EVPN = Multiprotocol(IPV4_UNICAST), Multiprotocol(IPV6_UNICAST), Multiprotocol(L2VPN_EVPN)
LABELLED = Multiprotocol(IPV4_LABELLED)
RESTART = GracefulRestart(False, True, 120, ((IPV4_UNICAST, True),))
OTHER_RESTART = GracefulRestart(True, False, 5)

#: Ours, theirs, and what is agreed on beyond what a speaker without capabilities gets.
CASES: dict[str, tuple[tuple[Capability, ...], tuple[Capability, ...], dict[str, object]]] = {
    "nobody says anything": ((), (), {}),
    "we alone": ((V4, V6, RouteRefresh(), FourOctetAs(65001), ExtendedMessage(), RESTART), (), {}),
    "they alone": ((), (V4, V6, RouteRefresh(), FourOctetAs(99999), ExtendedMessage(), RESTART), {}),
    "common families, in our order": ((V6, V4, EVPN), (V4, V6), {"families": (IPV6_UNICAST, IPV4_UNICAST)}),
    "a family twice": ((V4, V4), (V4, V4), {"families": (IPV4_UNICAST,)}),
    "no family in common": ((V6,), (V4,), {"families": ()}),
    "IPv4 unicast goes without saying only where nothing is said": ((V6,), (), {"families": ()}),
    "AS number": ((FourOctetAs(1),), (FourOctetAs(99999),), {"as4": True, "peer_asn": 99999}),
    "the first of two AS numbers": (
        (FourOctetAs(1),),
        (FourOctetAs(99999), FourOctetAs(5)),
        {"as4": True, "peer_asn": 99999},
    ),
    "flags": (
        (RouteRefresh(), EnhancedRouteRefresh(), ExtendedMessage()),
        (ExtendedMessage(), EnhancedRouteRefresh(), RouteRefresh()),
        {"route_refresh": True, "enhanced_route_refresh": True, "extended_message": True},
    ),
    "we send paths": (
        (AddPath(((IPV4_UNICAST, 2),)),),
        (AddPath(((IPV4_UNICAST, 1),)),),
        {"add_path_send": frozenset({IPV4_UNICAST})},
    ),
    "we receive paths": (
        (AddPath(((IPV4_UNICAST, 1),)),),
        (AddPath(((IPV4_UNICAST, 3),)),),
        {"add_path_receive": frozenset({IPV4_UNICAST})},
    ),
    "paths both ways": (
        (AddPath(((IPV4_UNICAST, 3),)),),
        (AddPath(((IPV4_UNICAST, 3),)),),
        {"add_path_receive": frozenset({IPV4_UNICAST}), "add_path_send": frozenset({IPV4_UNICAST})},
    ),
    "both would receive": ((AddPath(((IPV4_UNICAST, 1),)),), (AddPath(((IPV4_UNICAST, 1),)),), {}),
    "a mode that is none": ((AddPath(((IPV4_UNICAST, 3),)),), (AddPath(((IPV4_UNICAST, 9),)),), {}),
    "paths of a family that is not carried": (
        (V4, AddPath(((IPV6_UNICAST, 3),))),
        (V4, AddPath(((IPV6_UNICAST, 3),))),
        {},
    ),
    "next hops": (
        (V4, Multiprotocol(VPNV4), ExtendedNextHop(((IPV4_UNICAST, 2), (VPNV4, 2)))),
        (V4, ExtendedNextHop(((IPV4_UNICAST, 2),))),
        {"extended_next_hop": frozenset({IPV4_UNICAST})},
    ),
    "next hops of another kind": (
        (ExtendedNextHop(((IPV4_UNICAST, 2),)),),
        (ExtendedNextHop(((IPV4_UNICAST, 1),)),),
        {},
    ),
    "graceful restart is as they say": ((RESTART,), (OTHER_RESTART,), {"graceful_restart": OTHER_RESTART}),
    "their role": ((BgpRole(0),), (BgpRole(3), BgpRole(3)), {"peer_role": 3}),
    "filters": (
        (OutboundRouteFiltering(((IPV4_UNICAST, ((64, 3), (65, 1), (66, 2))), (IPV6_UNICAST, ((64, 3),)))),),
        (OutboundRouteFiltering(((IPV4_UNICAST, ((64, 3), (65, 2), (66, 2), (67, 3))),)),),
        {
            "orf_receive": frozenset({(IPV4_UNICAST, 64), (IPV4_UNICAST, 65)}),
            "orf_send": frozenset({(IPV4_UNICAST, 64)}),
        },
    ),
    "a filter of a mode that is none": (
        (OutboundRouteFiltering(((IPV4_UNICAST, ((64, 3),)),)),),
        (OutboundRouteFiltering(((IPV4_UNICAST, ((64, 7),)),)),),
        {},
    ),
    "long-lived graceful restart": (
        (RESTART, LongLivedGracefulRestart()),
        (OTHER_RESTART, LongLivedGracefulRestart(((IPV4_UNICAST, True, 60),))),
        {"graceful_restart": OTHER_RESTART, "long_lived": LongLivedGracefulRestart(((IPV4_UNICAST, True, 60),))},
    ),
    "long-lived graceful restart without the short one": (
        (LongLivedGracefulRestart(),),
        (LongLivedGracefulRestart(),),
        {},
    ),
    "limits of paths": (
        (AddPath(((IPV4_UNICAST, 2),)), PathsLimit(((IPV4_UNICAST, 3),))),
        (AddPath(((IPV4_UNICAST, 1),)), PathsLimit(((IPV4_UNICAST, 5), (IPV6_UNICAST, 5)))),
        {"add_path_send": frozenset({IPV4_UNICAST}), "paths_limits": ((IPV4_UNICAST, 5),)},
    ),
    "a limit of no paths is none": (
        (AddPath(((IPV4_UNICAST, 2),)),),
        (AddPath(((IPV4_UNICAST, 1),)), PathsLimit(((IPV4_UNICAST, 0),))),
        {"add_path_send": frozenset({IPV4_UNICAST})},
    ),
    "labels": (
        (V4, LABELLED, MultipleLabels(((IPV4_LABELLED, 5), (IPV4_UNICAST, 4)))),
        (V4, LABELLED, MultipleLabels(((IPV4_LABELLED, 3), (IPV4_UNICAST, 1)))),
        {"families": (IPV4_UNICAST, IPV4_LABELLED), "labels": ((IPV4_LABELLED, 3),)},
    ),
    "link-local next hops": ((LinkLocalNextHop(),), (LinkLocalNextHop(),), {"link_local_next_hop": True}),
    "what is kept and not used": (
        (DynamicCapability((1,)), Multisession(0, (1,)), SoftwareVersion("a")),
        (DynamicCapability((1,)), Multisession(0, (1,)), SoftwareVersion("b")),
        {},
    ),
    "unknown ones": ((UnknownCapability(200, b""),), (UnknownCapability(200, b""),), {}),
}
NOTHING = negotiate((), (), peer_as_field=65002)


@pytest.mark.parametrize(("ours", "theirs", "agreed"), CASES.values(), ids=CASES.keys())
def test_what_both_say_holds(
    ours: tuple[Capability, ...], theirs: tuple[Capability, ...], agreed: dict[str, object]
) -> None:
    found = negotiate(ours, theirs, peer_as_field=65002)
    expected = {field.name: agreed.get(field.name, getattr(NOTHING, field.name)) for field in fields(found)}
    assert {name: getattr(found, name) for name in expected} == expected


def test_nothing_is_agreed_on_in_silence() -> None:
    assert NOTHING.families == (IPV4_UNICAST,)
    assert NOTHING.peer_asn == 65002
    assert not any(
        (NOTHING.as4, NOTHING.extended_message, NOTHING.route_refresh, NOTHING.add_path_send, NOTHING.add_path_receive)
    )


def test_families_are_those_named_once_each() -> None:
    assert families_of((V6, RouteRefresh(), V6, V4)) == (IPV6_UNICAST, IPV4_UNICAST)
