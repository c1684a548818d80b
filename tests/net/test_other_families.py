"""Routes that are more than prefixes, over sessions: labelled, VPN, EVPN, flow specifications, families nobody knows."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

import pytest
from helpers import capabilities
from speakers import Laboratory, laboratory, settle
from trio.testing import MockClock

from bgp import AddPathMode, LocalError, accept
from bgp.capability import AddPath, FourOctetAs, MultipleLabels, Multiprotocol
from bgp.message import MpReach, PathPrefix, Update
from bgp.net import Speaker
from bgp.wire.context import Context
from bgp.wire.nlri.keys import key_of, key_text, parse_destination
from fsm.words import State
from rib.attributes import Attributes
from rib.family import (
    IPV4_FLOWSPEC,
    IPV4_LABELLED,
    IPV4_UNICAST,
    L2VPN_EVPN,
    ROUTE_TARGET,
    VPNV4,
    VPNV4_FLOWSPEC,
    VPNV6,
    Family,
)

UNKNOWN = Family(7, 9)
FAMILIES = (IPV4_UNICAST, IPV4_LABELLED, VPNV4, VPNV6, L2VPN_EVPN, IPV4_FLOWSPEC, VPNV4_FLOWSPEC, ROUTE_TARGET, UNKNOWN)
#: A route of each family, and the same with other labels where it has any.
ROUTES = {
    IPV4_LABELLED: ("10.1.0.0/16 label 16", "10.1.0.0/16 label 17/18"),
    VPNV4: ("rd 65001:1 10.1.0.0/16 label 16", "rd 65001:1 10.1.0.0/16 label 17"),
    VPNV6: ("rd 65001:1 2001:db8::/32 label 16", "rd 65001:1 2001:db8::/32 label 17"),
    L2VPN_EVPN: (
        f"mac-ip rd 65001:1 esi {':'.join(['00'] * 10)} tag 0 mac 02:00:00:00:00:01 ip 10.1.0.1 label 100",
        f"mac-ip rd 65001:1 esi {':'.join(['01'] * 10)} tag 0 mac 02:00:00:00:00:01 ip 10.1.0.1 label 101 label2 7",
    ),
    IPV4_FLOWSPEC: ("destination 10.1.0.0/16 protocol =6", ""),
    VPNV4_FLOWSPEC: ("rd 65001:1 destination 10.1.0.0/16 protocol =6", ""),
    ROUTE_TARGET: ("origin 65001 target:65001:1", ""),
}


def held(speaker: Speaker, family: Family) -> dict[str, IPv4Address | IPv6Address | None]:
    """What a speaker's Loc-RIB has of a family, in words, with the next hops."""
    return {
        key_text(family, key, path.attributes.binding): path.attributes.next_hop
        for key, path in speaker.loc_rib.routes(family)
    }


async def line(lab: Laboratory, **options: object) -> tuple[Speaker, Speaker, Speaker]:
    """Three speakers of three ASes in a row, which exchange all families."""
    speakers = [await lab.speaker(65000 + n, f"10.0.0.{n}") for n in (1, 2, 3)]
    one, two, three = speakers
    await lab.connect(one, two, families=FAMILIES, **options)
    await lab.connect(two, three, families=FAMILIES, **options)
    return one, two, three


@pytest.mark.parametrize("family", ROUTES, ids=str)
async def test_a_route_goes_two_hops_and_keeps_its_next_hop(family: Family, autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, _, three = await line(lab)
        route, other = ROUTES[family]
        one.announce_in(family, [route], Attributes())
        await settle()
        hop = {VPNV6: IPv6Address("::ffff:10.0.0.1"), IPV4_FLOWSPEC: None, VPNV4_FLOWSPEC: None}.get(
            family, IPv4Address("10.0.0.1")
        )
        assert held(three, family) == {route: hop}
        if other:
            one.announce_in(family, [other], Attributes())
            await settle()
            assert held(three, family) == {other: hop}
        one.withdraw_in(family, route)
        await settle()
        assert held(three, family) == {}
        with pytest.raises(LocalError, match="not announced"):
            one.withdraw_in(family, route)


async def test_several_paths_with_labels_of_their_own(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        two = await lab.speaker(65002, "10.0.0.2")
        for number in (1, 3):
            one = await lab.speaker(65000 + number, f"10.0.0.{number}")
            await lab.connect(one, two, families=FAMILIES)
            one.announce_in(VPNV4, [f"rd 65001:1 10.1.0.0/16 label {number}"], Attributes())
        await settle()
        await two.add_peer(
            "10.0.0.66",
            asn=65066,
            families=FAMILIES,
            import_policy=accept,
            export_policy=accept,
            passive=True,
            add_path=AddPathMode.SEND,
        )
        listener = await lab.neighbour(two, offers=(Multiprotocol(VPNV4), FourOctetAs(65066), AddPath(((VPNV4, 1),))))
        listener.context = Context(add_path=frozenset({VPNV4}), extended=True)
        await listener.open()
        routes = [
            one
            for message in listener.heard
            if isinstance(message, Update)
            for attribute in message.attributes
            if isinstance(attribute.value, MpReach)
            for one in attribute.value.nlri
        ]
        assert sorted(str(one.prefix) for one in routes if isinstance(one, PathPrefix)) == [
            "rd 65001:1 10.1.0.0/16 label 1",
            "rd 65001:1 10.1.0.0/16 label 3",
        ]


async def test_a_family_nobody_knows_passes_through_and_is_withdrawn(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        two = await lab.speaker(65002, "10.0.0.2")
        three = await lab.speaker(65003, "10.0.0.3")
        await lab.connect(two, three, families=FAMILIES)
        options = {"families": FAMILIES, "import_policy": accept, "export_policy": accept, "passive": True}
        await two.add_peer("10.0.0.66", asn=65066, **options)  # type: ignore[arg-type]
        neighbour = await lab.neighbour(two, offers=(*capabilities(65066), Multiprotocol(UNKNOWN)))
        await neighbour.open()
        path = b"\x02\x01" + (65066).to_bytes(4, "big")
        value = bytes.fromhex("000709 05 0102030405 00 a0b0c0")
        block = b"\x40\1\1\0\x40\2\6" + path + b"\x80\x0e" + bytes((len(value),)) + value
        await neighbour.say(update(block))
        assert held(three, UNKNOWN) == {"a0b0c0": None}
        (_, found), *_ = three.loc_rib.routes(UNKNOWN)
        assert found.attributes.next_hop_octets == bytes.fromhex("0102030405")
        await neighbour.say(update(b"\x80\x0f\6" + bytes.fromhex("000709 a0b0c0")))
        assert held(three, UNKNOWN) == {}


def update(block: bytes) -> bytes:
    body = b"\0\0" + len(block).to_bytes(2, "big") + block
    return b"\xff" * 16 + (19 + len(body)).to_bytes(2, "big") + b"\2" + body


async def test_what_is_malformed_within_its_length_does_not_end_the_session(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        two = await lab.speaker(65002, "10.0.0.2")
        options = {"families": FAMILIES, "import_policy": accept, "export_policy": accept, "passive": True}
        peer = await two.add_peer("10.0.0.66", asn=65066, **options)  # type: ignore[arg-type]
        neighbour = await lab.neighbour(two, offers=(*capabilities(65066), Multiprotocol(IPV4_FLOWSPEC)))
        await neighbour.open()
        path = b"\x02\x01" + (65066).to_bytes(4, "big")
        for nlri, left in (("03 038106", {"protocol =6": None}), ("03 038106 00", {})):
            value = bytes.fromhex(f"000185 00 00 {nlri}")
            await neighbour.say(update(b"\x40\1\1\0\x40\2\6" + path + b"\x80\x0e" + bytes((len(value),)) + value))
            assert held(two, IPV4_FLOWSPEC) == left
            assert peer.state is State.ESTABLISHED


async def test_a_vpn_route_with_an_ipv6_next_hop_needs_the_capability(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one = await lab.speaker(65001, "2001:db8::1", router_id="10.0.0.1")
        two = await lab.speaker(65002, "2001:db8::2", router_id="10.0.0.2")
        three = await lab.speaker(65003, "2001:db8::3", router_id="10.0.0.3")
        await lab.connect(one, two, families=(VPNV4, VPNV6))
        await lab.connect(one, three, families=(VPNV4, VPNV6), extended_next_hop=False)
        attributes = Attributes(next_hop=IPv6Address("2001:db8::9"))
        one.announce_in(VPNV4, ["rd 65001:1 10.1.0.0/16 label 16"], attributes)
        one.announce_in(VPNV6, ["rd 65001:1 2001:db8:1::/48 label 16"], attributes)
        await settle()
        assert len(held(two, VPNV4)) == len(held(two, VPNV6)) == len(held(three, VPNV6)) == 1
        assert held(three, VPNV4) == {}


@pytest.mark.parametrize("most", [0, 2, 3])
async def test_a_peer_gets_as_many_labels_as_it_reads(most: int, autojump_clock: MockClock) -> None:
    routes = [f"10.{count}.0.0/16 label {'/'.join(map(str, range(16, 16 + count)))}" for count in (1, 2, 3)]
    async with laboratory() as lab:
        two = await lab.speaker(65002, "10.0.0.2")
        options = {"families": FAMILIES, "import_policy": accept, "export_policy": accept, "passive": True}
        peer = await two.add_peer("10.0.0.66", asn=65066, **options)  # type: ignore[arg-type]
        two.announce_in(IPV4_LABELLED, routes, Attributes())
        offers = [Multiprotocol(IPV4_LABELLED), FourOctetAs(65066)]
        neighbour = await lab.neighbour(
            two, offers=(*offers, MultipleLabels(((IPV4_LABELLED, most),))) if most else tuple(offers)
        )
        await neighbour.open()
        assert peer.negotiated is not None
        assert dict(peer.negotiated.labels) == ({IPV4_LABELLED: most} if most else {})
        heard = [
            str(one)
            for message in neighbour.heard
            if isinstance(message, Update)
            for attribute in message.attributes
            if isinstance(attribute.value, MpReach)
            for one in attribute.value.nlri
        ]
        assert heard == routes[: max(most, 1)]


def test_texts_of_no_family_are_refused() -> None:
    for family in (*ROUTES, IPV4_UNICAST):
        for text in ("", "nothing of the kind", "rd", "10.0.0.0/8 label x", "destination"):
            with pytest.raises(ValueError):  # noqa: PT011  # the words differ
                parse_destination(family, text)
    with pytest.raises(LocalError, match="nobody here can read"):
        parse_destination(UNKNOWN, "a0")
    with pytest.raises(LocalError, match="nobody here can write"):
        key_of(UNKNOWN, parse_destination(IPV4_UNICAST, "10.0.0.0/8"))
