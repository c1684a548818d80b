"""EVPN prefixes that lead nowhere (RFC 9136 3.1, 3.2): what an NLRI and the router's MAC address say together."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from bgp.message import MpReach, PathAttribute, Update
from bgp.wire.context import DEFAULT
from bgp.wire.nlri import FAMILIES
from bgp.wire.nlri.keys import key_of, parse_destination
from bgp.wire.update import decode_update, encode_update
from rib.as_path import AsPath
from rib.attributes import Origin
from rib.community import ExtendedCommunity
from rib.family import L2VPN_EVPN

NO_ESI = ":".join(["00"] * 10)
NOWHERE = f"ip-prefix rd 65000:1 esi {NO_ESI} tag 0 prefix 10.0.0.0/24 gateway 0.0.0.0 label 0"
NOWHERE6 = f"ip-prefix rd 65000:1 esi {NO_ESI} tag 0 prefix 2001:db8::/32 gateway :: label 0"
MAC, NO_MAC, GROUP = (
    f"router-mac:{octets}" for octets in ("02:00:00:00:00:01", "00:00:00:00:00:00", "01:00:00:00:00:05")
)
NEITHER = "a prefix with neither a label nor an overlay index"
OF_GROUP = "the router's MAC address 01:00:00:00:00:05 is that of a group"


@pytest.mark.parametrize(
    ("text", "communities", "reason"),
    [
        (NOWHERE, (), NEITHER),
        (NOWHERE6, (), NEITHER),
        (NOWHERE, (NO_MAC, "target:65000:1"), NEITHER),
        (NOWHERE, (MAC,), None),
        (NOWHERE, (MAC, GROUP), OF_GROUP),
        (NOWHERE.replace("label 0", "label 7"), (), None),
        (NOWHERE.replace("label 0", "label 7"), (GROUP,), OF_GROUP),
        (NOWHERE.replace("gateway 0.0.0.0", "gateway 10.0.0.1"), (GROUP,), None),
        (NOWHERE.replace(NO_ESI, ":".join(["01"] * 10)), (), None),
        (f"mac-ip rd 65000:1 esi {NO_ESI} tag 0 mac 02:00:00:00:00:01 label 0", (GROUP,), None),
    ],
)
def test_a_prefix_leads_somewhere(text: str, communities: tuple[str, ...], reason: str | None) -> None:
    route = parse_destination(L2VPN_EVPN, text)
    judge = FAMILIES[L2VPN_EVPN].kind.judge
    assert judge is not None
    found = tuple(map(ExtendedCommunity.parse, communities))
    assert judge(key_of(L2VPN_EVPN, route)[1], found) == reason
    update = Update(
        attributes=(
            PathAttribute(0x80, 14, MpReach(L2VPN_EVPN, (IPv4Address("10.0.0.1"),), (route,))),
            PathAttribute(0x40, 1, Origin.IGP),
            PathAttribute(0x40, 2, AsPath()),
            *((PathAttribute(0xC0, 16, found),) if found else ()),
        )
    )
    errors = decode_update(encode_update(update, DEFAULT), DEFAULT).errors
    assert [(str(one.reaction), one.reason) for one in errors] == (
        [] if reason is None else [("treat-as-withdraw", reason)]
    )
    assert all((one.code, one.subcode, one.data[:2]) == (3, 9, b"\x80\x0e") for one in errors)
