"""Route refresh both ways (RFC 2918, RFC 7313), and policies that change under a session that is up."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
import trio
from helpers import capabilities
from speakers import Laboratory, Neighbour, announcement, best, held, laboratory, settle
from trio.testing import MockClock

from bgp import LocalError, Policy, accept, reject
from bgp.capability import EnhancedRouteRefresh, FourOctetAs, Multiprotocol
from bgp.message import Message, RouteRefresh, Update
from bgp.net import Peer, Speaker
from fsm.words import State
from rib.community import Community
from rib.eligibility import Why
from rib.family import IPV4_UNICAST, IPV6_UNICAST, L2VPN_EVPN
from rib.policy import Action, Match, PrefixRange, Rule, Set

BEGIN, END = RouteRefresh(IPV4_UNICAST, 1), RouteRefresh(IPV4_UNICAST, 2)
ENHANCED = (*capabilities(65066), EnhancedRouteRefresh())


async def with_neighbour(
    lab: Laboratory, offers: tuple = ENHANCED, **options: object
) -> tuple[Speaker, Peer, Neighbour]:  # type: ignore[type-arg]
    speaker = await lab.speaker(65001, "10.0.0.1")
    fields = {"import_policy": accept, "export_policy": accept, "passive": True} | options
    peer = await speaker.add_peer("10.0.0.66", asn=65066, **fields)
    return speaker, peer, await (await lab.neighbour(speaker, offers=offers)).open()


def kinds(messages: list[Message]) -> list[str]:
    """The messages as words: R for routes, E for End-of-RIB, < and > for the marks of a refresh, ? for the asking."""
    words = {0: "?", 1: "<", 2: ">"}
    return [
        words[m.subtype] if isinstance(m, RouteRefresh) else ("R" if m.nlri else "E")
        for m in messages
        if isinstance(m, RouteRefresh) or (isinstance(m, Update) and not m.attribute(15) and not m.attribute(14))
    ]


async def test_we_tell_everything_again_between_marks(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _, neighbour = await with_neighbour(lab)
        speaker.announce("10.1.0.0/16")
        speaker.announce("10.2.0.0/16", med=7)
        await settle()
        neighbour.heard.clear()
        await neighbour.say(RouteRefresh(IPV4_UNICAST))
        assert kinds(neighbour.heard) == ["<", "R", "R", ">"]
        assert set(neighbour.routes()) == {"10.1.0.0/16", "10.2.0.0/16"}


async def test_without_marks_we_just_tell_everything_again(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _, neighbour = await with_neighbour(lab, capabilities(65066))
        speaker.announce("10.1.0.0/16")
        await settle()
        neighbour.heard.clear()
        await neighbour.say(RouteRefresh(IPV4_UNICAST))
        assert kinds(neighbour.heard) == ["R"]


async def test_two_refreshes_at_once_are_told_one_after_the_other(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _, neighbour = await with_neighbour(lab)
        speaker.announce("10.1.0.0/16")
        await settle()
        neighbour.heard.clear()
        await neighbour.say(RouteRefresh(IPV4_UNICAST), RouteRefresh(IPV4_UNICAST))
        assert kinds(neighbour.heard) == ["<", "R", ">", "<", "R", ">"]


async def test_a_refresh_of_a_family_that_was_not_agreed_on_is_ignored(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        _, peer, neighbour = await with_neighbour(lab)
        neighbour.heard.clear()
        await neighbour.say(RouteRefresh(L2VPN_EVPN))
        assert neighbour.heard == []
        assert peer.state is State.ESTABLISHED


async def test_a_refresh_of_one_peer_is_not_heard_by_another(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _, neighbour = await with_neighbour(lab)
        await speaker.add_peer("10.0.0.67", asn=65066, import_policy=accept, export_policy=accept, passive=True)
        other = await (await lab.neighbour(speaker, "10.0.0.67", offers=ENHANCED)).open()
        speaker.announce("10.1.0.0/16")
        await settle()
        assert len(speaker.groups) == 1
        other.heard.clear()
        neighbour.heard.clear()
        await neighbour.say(RouteRefresh(IPV4_UNICAST))
        assert kinds(neighbour.heard) == ["<", "R", ">"]
        assert other.heard == []
        assert len(speaker.groups) == 1, "and then they are of one group again"


async def test_we_ask_and_sweep_what_is_not_said_again(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer, neighbour = await with_neighbour(lab)
        await neighbour.announce("10.1.0.0/16", "10.2.0.0/16")
        neighbour.heard.clear()
        peer.refresh(IPV4_UNICAST)
        await settle()
        assert neighbour.heard == [RouteRefresh(IPV4_UNICAST)]
        changes = 0

        def count(family: object, changed: dict) -> None:  # type: ignore[type-arg]
            nonlocal changes
            changes += len(changed)

        speaker.loc_rib.listen(count)
        await neighbour.say(BEGIN)
        await neighbour.announce("10.1.0.0/16")
        assert held(speaker) == {"10.1.0.0/16", "10.2.0.0/16"}
        assert changes == 0, "what is said again as it was is no news"
        await neighbour.say(END)
        assert held(speaker) == {"10.1.0.0/16"}


async def test_a_refresh_that_never_ends_ends_by_itself(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _, neighbour = await with_neighbour(lab, stale_time=30.0)
        await neighbour.announce("10.1.0.0/16", "10.2.0.0/16")
        await neighbour.say(BEGIN)
        await neighbour.announce("10.1.0.0/16")
        await trio.sleep(31)
        assert held(speaker) == {"10.1.0.0/16"}


async def test_a_second_begin_begins_anew(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _, neighbour = await with_neighbour(lab)
        await neighbour.announce("10.1.0.0/16", "10.2.0.0/16")
        await neighbour.say(BEGIN)
        await neighbour.announce("10.1.0.0/16")
        await neighbour.say(BEGIN)
        await neighbour.announce("10.2.0.0/16")
        await neighbour.say(END)
        assert held(speaker) == {"10.2.0.0/16"}


async def test_marks_that_were_not_agreed_on_mean_nothing(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _, neighbour = await with_neighbour(lab, capabilities(65066))
        await neighbour.announce("10.1.0.0/16")
        await neighbour.say(BEGIN, END)
        assert held(speaker) == {"10.1.0.0/16"}


async def test_an_end_without_a_begin_means_nothing(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _, neighbour = await with_neighbour(lab)
        await neighbour.announce("10.1.0.0/16")
        await neighbour.say(END)
        assert held(speaker) == {"10.1.0.0/16"}


async def test_refresh_says_why_it_cannot(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        _, peer, neighbour = await with_neighbour(lab, (Multiprotocol(IPV4_UNICAST), FourOctetAs(65066)))
        with pytest.raises(LocalError, match="has no route refresh"):
            peer.refresh()
        await neighbour.cut()
        with pytest.raises(LocalError, match="is not established"):
            peer.refresh()
    async with laboratory() as lab:
        _, peer, neighbour = await with_neighbour(lab)
        with pytest.raises(LocalError, match="was not agreed on"):
            peer.refresh(L2VPN_EVPN)
        neighbour.heard.clear()
        peer.refresh()
        await settle()
        assert neighbour.heard == [RouteRefresh(IPV4_UNICAST), RouteRefresh(IPV6_UNICAST)]


def only(prefix: str, **changes: object) -> Policy:
    return Policy("only", (Rule(Match(prefixes=(PrefixRange.parse(prefix),)), Action.ACCEPT, Set(**changes)),))  # type: ignore[arg-type]


async def test_another_import_policy_judges_what_is_there(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer, neighbour = await with_neighbour(lab)
        await neighbour.announce("10.1.0.0/16", "10.2.0.0/16")
        neighbour.heard.clear()
        peer.change_policies(import_policy=only("10.2.0.0/16", local_pref=7), export_policy=accept)
        await settle()
        assert held(speaker) == {"10.2.0.0/16"}
        path = best(speaker, "10.2.0.0/16")
        assert path is not None
        assert path.attributes.local_pref == 7
        assert peer.adj_in is not None
        reasons = {path.ineligible.why for _, path in peer.adj_in.routes(IPV4_UNICAST) if path.ineligible}
        assert reasons == {Why.POLICY}
        peer.change_policies(import_policy=accept, export_policy=accept)
        await settle()
        assert held(speaker) == {"10.1.0.0/16", "10.2.0.0/16"}
        assert peer.state is State.ESTABLISHED
        assert not any(isinstance(m, RouteRefresh) for m in neighbour.heard), "we have all that is needed"


async def test_another_import_policy_is_heard_by_the_others(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer, neighbour = await with_neighbour(lab)
        far = await lab.speaker(65003, "10.0.0.3")
        await lab.connect(speaker, far)
        await neighbour.announce("10.1.0.0/16")
        assert held(far) == {"10.1.0.0/16"}
        peer.change_policies(import_policy=reject, export_policy=accept)
        await settle()
        assert held(far) == set()


async def test_another_export_policy_withdraws_and_announces(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65002, "10.0.0.2")
        near, _ = await lab.connect(one, two)
        for number in (1, 2):
            one.announce(f"10.{number}.0.0/16")
        await settle()
        assert held(two) == {"10.1.0.0/16", "10.2.0.0/16"}
        tagged = only("10.2.0.0/16", add_communities=(Community.parse("65001:9"),))
        near.change_policies(import_policy=accept, export_policy=tagged)
        await settle()
        assert held(two) == {"10.2.0.0/16"}
        path = best(two, "10.2.0.0/16")
        assert path is not None
        assert path.attributes.communities == (Community.parse("65001:9"),)
        near.change_policies(import_policy=accept, export_policy=accept)
        await settle()
        assert held(two) == {"10.1.0.0/16", "10.2.0.0/16"}
        one.withdraw("10.1.0.0/16")
        await settle()
        assert held(two) == {"10.2.0.0/16"}


async def test_taking_the_policies_away_takes_the_routes_away(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer, neighbour = await with_neighbour(lab)
        speaker.announce("10.9.0.0/16")
        await neighbour.announce("10.1.0.0/16")
        peer.change_policies(import_policy=None, export_policy=None)
        await settle()
        assert held(speaker) == {"10.9.0.0/16"}
        assert neighbour.routes() == {}
        assert peer.missing_policies == ("import", "export")


async def test_policies_may_change_while_the_session_is_down(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer, neighbour = await with_neighbour(lab)
        await neighbour.cut()
        peer.change_policies(import_policy=only("10.2.0.0/16"), export_policy=accept)
        await trio.sleep(5)
        again = await (await lab.neighbour(speaker)).open()
        await again.announce("10.1.0.0/16", "10.2.0.0/16")
        assert held(speaker) == {"10.2.0.0/16"}


async def test_a_changed_policy_knows_the_routes_that_come_later(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer, neighbour = await with_neighbour(lab)
        update = announcement("10.1.0.0/16", "10.2.0.0/16")
        await neighbour.say(update)
        peer.change_policies(import_policy=only("10.2.0.0/16"), export_policy=accept)
        await neighbour.say(update)
        assert held(speaker) == {"10.2.0.0/16"}
        path = best(speaker, "10.2.0.0/16")
        assert path is not None
        assert path.attributes.next_hop == IPv4Address("10.0.0.66")
