"""Which routes travel over which session: IPv4 over IPv6 (RFC 8950), several families, long messages (RFC 8654)."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from helpers import capabilities
from speakers import announcement, best, held, laboratory, settle
from trio.testing import MockClock

from bgp import NextHopSelf, accept
from bgp.capability import ExtendedMessage, ExtendedNextHop, FourOctetAs, Multiprotocol
from bgp.message import MpReach, Open
from fsm.words import State
from rib.as_path import AsPath
from rib.attributes import Attributes
from rib.community import Community
from rib.family import IPV4_UNICAST, IPV6_UNICAST
from rib.prefix import Prefix


async def test_an_ipv6_session_carries_ipv4_routes_with_an_ipv6_next_hop(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one = await lab.speaker(65001, "2001:db8::1", router_id="10.0.0.1")
        two = await lab.speaker(65002, "2001:db8::2", router_id="10.0.0.2")
        near, _ = await lab.connect(one, two)
        assert near.negotiated is not None
        assert near.negotiated.extended_next_hop == {IPV4_UNICAST}
        one.announce("10.1.0.0/16")
        one.announce("2001:db8:1::/48")
        await settle()
        for prefix in ("10.1.0.0/16", "2001:db8:1::/48"):
            path = best(two, prefix)
            assert path is not None
            assert path.attributes.next_hop == IPv6Address("2001:db8::1")


async def test_without_the_capability_ipv4_routes_need_an_ipv4_next_hop(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one = await lab.speaker(65001, "2001:db8::1", router_id="10.0.0.1")
        two = await lab.speaker(65002, "2001:db8::2", router_id="10.0.0.2")
        three = await lab.speaker(65003, "2001:db8::3", router_id="10.0.0.3")
        await lab.connect(one, two, extended_next_hop=False)
        await lab.connect(one, three, {"next_hop_ipv4": "192.0.2.1"}, extended_next_hop=False)
        one.announce("10.1.0.0/16")
        await settle()
        assert held(two) == set()
        path = best(three, "10.1.0.0/16")
        assert path is not None
        assert path.attributes.next_hop == IPv4Address("192.0.2.1")


async def test_an_ipv6_next_hop_does_not_reach_an_internal_peer_that_cannot_read_it(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1")
        inside = await lab.speaker(65001, "10.0.0.2")
        await speaker.add_peer("2001:db8::66", asn=65066, import_policy=accept, export_policy=accept, passive=True)
        await lab.connect(speaker, inside, {"next_hop_self": NextHopSelf.NEVER})
        lab.listen("2001:db8::1", speaker._accept)
        offers = (*capabilities(65066), ExtendedNextHop(((IPV4_UNICAST, 2),)))
        neighbour = await lab.neighbour(speaker, "2001:db8::66", to="2001:db8::1", offers=offers)
        await neighbour.open()
        await neighbour.say(announcement("10.1.0.0/16", next_hop="2001:db8::66"))
        path = best(speaker, "10.1.0.0/16")
        assert path is not None
        assert path.attributes.next_hop == IPv6Address("2001:db8::66")
        path = best(inside, "10.1.0.0/16")
        assert path is not None
        assert path.attributes.next_hop == IPv4Address("10.0.0.1")


async def test_a_family_that_only_one_side_has_is_not_exchanged(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65002, "10.0.0.2")
        await lab.connect(one, two, {"families": (IPV4_UNICAST,)})
        one.announce("2001:db8:1::/48", next_hop="2001:db8::1")
        one.announce("10.1.0.0/16")
        await settle()
        assert held(two) == {"10.1.0.0/16"}
        assert held(two, IPV6_UNICAST) == set()


async def test_ipv6_routes_over_ipv4_need_a_next_hop_of_their_own(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65002, "10.0.0.2")
        await lab.connect(one, two, {"next_hop_ipv6": "2001:db8::1"})
        one.announce("2001:db8:1::/48")
        two.announce("2001:db8:2::/48")
        await settle()
        path = best(two, "2001:db8:1::/48")
        assert path is not None
        assert path.attributes.next_hop == IPv6Address("2001:db8::1")
        assert held(one, IPV6_UNICAST) == {"2001:db8:1::/48"}, "the other side has no IPv6 next hop to give"


async def test_long_messages_are_used_where_both_can(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1")
        for address in ("10.0.0.66", "10.0.0.67"):
            await speaker.add_peer(address, asn=65066, import_policy=accept, export_policy=accept, passive=True)
        short = (Multiprotocol(IPV4_UNICAST), FourOctetAs(65066))
        long = (*short, ExtendedMessage())
        old = await (await lab.neighbour(speaker, "10.0.0.66", offers=short)).open()
        new = await (await lab.neighbour(speaker, "10.0.0.67", offers=long)).open()
        prefixes = [Prefix.from_nlri(1, bytes((24, 10, n >> 8, n & 255))) for n in range(3000)]
        speaker.announce_all(prefixes, Attributes())
        await settle()
        assert len(old.routes()) == len(new.routes()) == 3000
        assert len(old.updates) == 4  # 3 with routes and End-of-RIB
        assert len(new.updates) == 2
        await new.say(announcement(*(f"20.{n >> 8}.{n & 255}.0/24" for n in range(2000))))
        assert len(held(speaker)) == 5000


async def test_attributes_too_long_for_a_peer_withdraw_the_route_there(autojump_clock: MockClock) -> None:
    """RFC 8654 4: what does not fit the other session is not advertised there, and nothing breaks."""
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1")
        peers = [
            await speaker.add_peer(address, asn=65066, import_policy=accept, export_policy=accept, passive=True)
            for address in ("10.0.0.66", "10.0.0.67")
        ]
        short = (Multiprotocol(IPV4_UNICAST), FourOctetAs(65066))
        old = await (await lab.neighbour(speaker, "10.0.0.66", offers=short)).open()
        new = await (await lab.neighbour(speaker, "10.0.0.67", offers=(*short, ExtendedMessage()))).open()
        speaker.announce("10.1.0.0/16")
        await settle()
        assert set(old.routes()) == {"10.1.0.0/16"}
        many = tuple(Community(65001 << 16 | n) for n in range(2000))
        speaker.announce_all(["10.1.0.0/16", "10.2.0.0/16"], Attributes(communities=many, as_path=AsPath()))
        speaker.announce("10.3.0.0/16")
        await settle()
        assert set(old.routes()) == {"10.3.0.0/16"}
        assert set(new.routes()) == {"10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"}
        assert all(peer.state is State.ESTABLISHED for peer in peers)


async def test_a_peer_with_two_octet_as_numbers_is_spoken_to_in_its_words(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(4_200_000_001, "10.0.0.1")
        await speaker.add_peer("10.0.0.66", asn=65066, import_policy=accept, export_policy=accept, passive=True)
        neighbour = await lab.neighbour(speaker, offers=(Multiprotocol(IPV4_UNICAST),))
        neighbour.context = neighbour.narrow
        await neighbour.open()
        speaker.announce("10.1.0.0/16")
        await settle()
        update = neighbour.routes()["10.1.0.0/16"]
        path, wide = update.attribute(2), update.attribute(17)
        assert path is not None
        assert wide is not None
        assert str(path.value) == "23456"
        assert str(wide.value) == "4200000001"
        (opened,) = [m for m in neighbour.heard if isinstance(m, Open)]
        assert opened.my_as == 23456


async def test_ipv6_routes_go_in_mp_reach(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1")
        await speaker.add_peer(
            "10.0.0.66",
            asn=65066,
            import_policy=accept,
            export_policy=accept,
            passive=True,
            next_hop_ipv6="2001:db8::1",
        )
        neighbour = await (await lab.neighbour(speaker)).open()
        speaker.announce("2001:db8:1::/48")
        await settle()
        reach = neighbour.routes()["2001:db8:1::/48"].attribute(14)
        assert reach is not None
        assert isinstance(reach.value, MpReach)
        assert reach.value.next_hops == (IPv6Address("2001:db8::1"),)
        speaker.withdraw("2001:db8:1::/48")
        await settle()
        assert neighbour.routes() == {}
