"""A family that an error takes from a session (RFC 7606 2, RFC 4760 7), and routes of families that it never carried."""

from __future__ import annotations

import pytest
import trio
from helpers import capabilities
from speakers import Laboratory, Neighbour, announcement, held, laboratory, settle
from trio.testing import MockClock

from bgp import LocalError, MalformedFamily, accept
from bgp.app.view import view_peer, view_summary
from bgp.capability import FourOctetAs, GracefulRestart, Multiprotocol
from bgp.iana import MessageType
from bgp.message import RouteRefresh, Update
from bgp.net import Peer, Speaker
from bgp.wire.header import with_header
from bgp.wire.spelling import attribute
from fsm.words import State
from rib.family import IPV4_UNICAST, IPV6_UNICAST

BOTH = (IPV4_UNICAST, IPV6_UNICAST)
ONLY_V6 = (Multiprotocol(IPV6_UNICAST), FourOctetAs(65066))
RESTARTABLE = (*capabilities(65066), GracefulRestart(False, False, 60, tuple((family, True) for family in BOTH)))
#: MP_UNREACH_NLRI for IPv6 unicast whose only prefix is cut off.
TORN = attribute(0x80, 15, b"\0\2\1\x40\x20\1")


def update(block: bytes) -> bytes:
    body = b"\0\0" + len(block).to_bytes(2, "big") + block
    return with_header(MessageType.UPDATE, body, 4096)


def prefixes(speaker: Speaker) -> set[str]:
    return held(speaker) | held(speaker, IPV6_UNICAST)


async def announce6(neighbour: Neighbour, prefix: str) -> None:
    await neighbour.say(announcement(prefix, next_hop="2001:db8::66"))


async def with_neighbour(
    lab: Laboratory, offers: tuple = RESTARTABLE, **options: object
) -> tuple[Speaker, Peer, Neighbour]:  # type: ignore[type-arg]
    speaker = await lab.speaker(65001, "10.0.0.1")
    fields = {"import_policy": accept, "export_policy": accept, "passive": True} | options
    peer = await speaker.add_peer("10.0.0.66", asn=65066, **fields)
    return speaker, peer, await (await lab.neighbour(speaker, offers=offers)).open()


async def disabled(lab: Laboratory) -> tuple[Speaker, Peer, Neighbour]:
    speaker, peer, neighbour = await with_neighbour(lab, malformed_family=MalformedFamily.DISABLE)
    await neighbour.announce("10.1.0.0/16")
    await announce6(neighbour, "2001:db8:1::/48")
    assert prefixes(speaker) == {"10.1.0.0/16", "2001:db8:1::/48"}
    await neighbour.say(update(TORN))
    return speaker, peer, neighbour


async def test_its_routes_go_and_later_ones_are_ignored(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer, neighbour = await disabled(lab)
        assert peer.state is State.ESTABLISHED
        assert prefixes(speaker) == {"10.1.0.0/16"}
        await announce6(neighbour, "2001:db8:2::/48")
        await neighbour.announce("10.2.0.0/16")
        assert prefixes(speaker) == {"10.1.0.0/16", "10.2.0.0/16"}
        assert peer.disabled == {IPV6_UNICAST: "MP_UNREACH_NLRI has a malformed prefix"}
        view = await view_peer(speaker, peer)
        assert view.disabled == {"ipv6-unicast": "MP_UNREACH_NLRI has a malformed prefix"}
        assert view.state == "Established"
        (line,) = (await view_summary(speaker, 0.0)).peers
        assert (line.state, line.why, line.received) == ("Established", "ipv6-unicast is disabled", 2)


async def test_others_hear_that_the_routes_are_gone(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _, neighbour = await with_neighbour(lab, malformed_family=MalformedFamily.DISABLE)
        far = await lab.speaker(65003, "10.0.0.3")
        await lab.connect(speaker, far, {"next_hop_ipv6": "2001:db8::1"})
        await announce6(neighbour, "2001:db8:1::/48")
        assert prefixes(far) == {"2001:db8:1::/48"}
        await neighbour.say(update(TORN))
        assert prefixes(far) == set()


async def test_what_we_have_of_the_family_still_goes_out(autojump_clock: MockClock) -> None:
    """RFC 4760 7 is about what is received."""
    async with laboratory() as lab:
        speaker, _, neighbour = await with_neighbour(
            lab, malformed_family=MalformedFamily.DISABLE, next_hop_ipv6="2001:db8::1"
        )
        await neighbour.say(update(TORN))
        speaker.announce("2001:db8:9::/48")
        await settle()
        assert "2001:db8:9::/48" in neighbour.routes()


async def test_another_session_begins_with_all_its_families(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer, neighbour = await disabled(lab)
        await neighbour.cut()
        assert peer.disabled == {}
        assert prefixes(speaker) == {"10.1.0.0/16"}, "kept for its restart, which the disabled family is not"
        await trio.sleep(5)
        again = await (await lab.neighbour(speaker, offers=RESTARTABLE)).open()
        await announce6(again, "2001:db8:2::/48")
        assert prefixes(speaker) == {"10.1.0.0/16", "2001:db8:2::/48"}


async def test_the_family_is_not_asked_for_and_its_marks_mean_nothing(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        _, peer, neighbour = await disabled(lab)
        neighbour.heard.clear()
        peer.refresh()
        await settle()
        assert [one.family for one in neighbour.heard if isinstance(one, RouteRefresh)] == [IPV4_UNICAST]
        with pytest.raises(LocalError, match=r"ipv6-unicast of 10\.0\.0\.66 is disabled: MP_UNREACH_NLRI"):
            peer.refresh(IPV6_UNICAST)
        await neighbour.say(RouteRefresh(IPV6_UNICAST, 1), RouteRefresh(IPV6_UNICAST, 2))
        assert peer.state is State.ESTABLISHED


async def test_a_session_resets_where_that_was_not_asked_for(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        _, peer, neighbour = await with_neighbour(lab)
        await neighbour.say(update(TORN))
        assert peer.state is not State.ESTABLISHED
        assert neighbour.notification is not None
        assert (neighbour.notification.code, neighbour.notification.subcode) == (3, 9)
        assert neighbour.notification.data == TORN


async def test_plain_routes_on_a_session_without_ipv4_are_ignored(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer, neighbour = await with_neighbour(lab, ONLY_V6)
        await neighbour.announce("10.1.0.0/16")
        await neighbour.say(Update())  # the form of End-of-RIB
        await announce6(neighbour, "2001:db8:1::/48")
        assert peer.state is State.ESTABLISHED
        assert prefixes(speaker) == {"2001:db8:1::/48"}
