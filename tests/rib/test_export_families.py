"""Next hops of families that we do not forward: kept, and ours only where a route has none."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest

from rib.attributes import Attributes
from rib.export import ExportRules, Rewrite
from rib.family import FAMILY_NAMES, IPV4_UNICAST, L2VPN_EVPN, VPNV4, VPNV6, Family
from rib.route import Path, Source, SourceKind

OURS, THEIRS = IPv4Address("192.0.2.1"), IPv4Address("192.0.2.9")
OURS_V6 = IPv6Address("2001:db8::1")
FLOWSPEC = FAMILY_NAMES["ipv4-flowspec"]


def exported(family: Family, kind: SourceKind, to: SourceKind, next_hop: IPv4Address | None = THEIRS) -> Rewrite | None:
    rules = ExportRules(65001, to, 65002, next_hops=((1, OURS),), next_hop_self_external=True)
    source = Source(kind, "one", 65009, IPv4Address("10.0.0.9"))
    verdict = rules.verdict(family, b"\x60" + bytes(12), Path(Attributes(next_hop=next_hop), source))
    return None if verdict is None else verdict.rewrite


@pytest.mark.parametrize("family", [VPNV4, L2VPN_EVPN, Family(7, 9)], ids=str)
def test_a_label_keeps_the_next_hop_that_gave_it_out(family: Family) -> None:
    for to in (SourceKind.EXTERNAL, SourceKind.INTERNAL):
        rewrite = exported(family, SourceKind.EXTERNAL, to)
        assert rewrite is not None
        assert rewrite.next_hop is None
    outwards = exported(family, SourceKind.EXTERNAL, SourceKind.EXTERNAL)
    assert outwards is not None
    assert (outwards.prepend, outwards.external) == (65001, True)


def test_a_unicast_route_gets_ours() -> None:
    rewrite = exported(IPV4_UNICAST, SourceKind.EXTERNAL, SourceKind.EXTERNAL)
    assert rewrite is not None
    assert rewrite.next_hop == OURS


def test_a_route_of_our_own_gets_ours() -> None:
    for to in (SourceKind.EXTERNAL, SourceKind.INTERNAL):
        rewrite = exported(VPNV4, SourceKind.LOCAL, to, None)
        assert rewrite is not None
        assert rewrite.next_hop == OURS


def test_an_ipv6_route_of_our_own_gets_ours_mapped() -> None:
    rewrite = exported(VPNV6, SourceKind.LOCAL, SourceKind.EXTERNAL, None)
    assert rewrite is not None
    assert rewrite.next_hop == IPv6Address("::ffff:192.0.2.1")


def test_a_route_of_our_own_stays_where_we_have_no_address() -> None:
    rules = ExportRules(65001, SourceKind.EXTERNAL, 65002)
    source = Source(SourceKind.LOCAL, "local", 65001, IPv4Address("10.0.0.1"))
    assert rules.verdict(VPNV4, b"\x40" + bytes(8), Path(Attributes(), source)) is None
    assert rules.verdict(FLOWSPEC, b"\0", Path(Attributes(), source)) is not None


def test_a_reflected_route_says_so() -> None:
    rules = ExportRules(65001, SourceKind.INTERNAL, 65001, peer_is_client=True, cluster_id=IPv4Address("10.0.0.1"))
    source = Source(SourceKind.INTERNAL, "one", 65001, IPv4Address("10.0.0.9"))
    verdict = rules.verdict(VPNV4, b"\x40" + bytes(8), Path(Attributes(next_hop=THEIRS), source))
    assert verdict is not None
    assert verdict.rewrite == Rewrite(originator_id=IPv4Address("10.0.0.9"), cluster_id=IPv4Address("10.0.0.1"))


def test_a_route_server_adds_nothing() -> None:
    rules = ExportRules(65001, SourceKind.EXTERNAL, 65002, transparent=True)
    source = Source(SourceKind.EXTERNAL, "one", 65009, IPv4Address("10.0.0.9"))
    verdict = rules.verdict(VPNV4, b"\x40" + bytes(8), Path(Attributes(next_hop=THEIRS), source))
    assert verdict is not None
    assert verdict.rewrite == Rewrite(external=True, keep_med=True)
