"""What a speaker does with routes (RFC 4271 5, 9; RFC 4456; RFC 8212), seen from the speakers beside it."""

from __future__ import annotations

from contextlib import suppress
from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
import trio
from speakers import Laboratory, best, held, home, laboratory, settle
from trio.testing import MockClock

from bgp import LocalError, NextHopSelf, PeerOptions, SpeakerOptions, accept
from bgp.capability import negotiate
from bgp.message import Notification
from bgp.net import PeerChange, Speaker, open_speaker
from bgp.net.rules import export_rules
from fsm.words import State
from rib.as_path import AsPath
from rib.eligibility import Why
from rib.family import IPV4_UNICAST, IPV6_UNICAST
from rib.route import SourceKind


async def three(lab: Laboratory, *asns: int) -> list[Speaker]:
    """Speakers of these ASes at 10.0.0.1, 10.0.0.2 and 10.0.0.3."""
    return [await lab.speaker(asn, f"10.0.0.{number}") for number, asn in enumerate(asns, 1)]


async def test_a_route_reaches_an_external_peer_with_our_as_and_our_next_hop(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65002, "10.0.0.2")
        await lab.connect(one, two)
        one.announce("10.1.0.0/16", communities=["65001:7"], med=5, local_pref=300)
        await settle()
        path = best(two, "10.1.0.0/16")
        assert path is not None
        got = path.attributes
        assert got.as_path == AsPath.parse("65001")
        assert got.next_hop == IPv4Address("10.0.0.1")
        assert [str(c) for c in got.communities] == ["65001:7"]
        assert got.med == 5, "a MED that we set goes out"
        assert got.local_pref is None, "LOCAL_PREF stays within the AS (RFC 4271 5.1.5)"


async def test_a_route_reaches_an_internal_peer_with_local_pref_and_nothing_prepended(
    autojump_clock: MockClock,
) -> None:
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65001, "10.0.0.2")
        await lab.connect(one, two)
        one.announce("10.1.0.0/16")
        one.announce("10.2.0.0/16", local_pref=250)
        await settle()
        first, second = best(two, "10.1.0.0/16"), best(two, "10.2.0.0/16")
        assert first is not None
        assert second is not None
        assert first.attributes.as_path == AsPath()
        assert first.attributes.local_pref == 100
        assert second.attributes.local_pref == 250


async def test_a_learned_med_does_not_leave_the_next_as(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        a, b, c = await three(lab, 65001, 65002, 65003)
        await lab.connect(a, b)
        await lab.connect(b, c)
        a.announce("10.1.0.0/16", med=5)
        await settle()
        path = best(c, "10.1.0.0/16")
        assert path is not None
        assert path.attributes.med is None
        assert path.attributes.as_path == AsPath.parse("65002 65001")
        assert path.attributes.next_hop == IPv4Address("10.0.0.2")


async def test_an_internal_peer_keeps_the_next_hop_of_an_external_route(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        a, b, c = (
            await lab.speaker(65001, "10.0.0.1"),
            await lab.speaker(65002, "10.0.0.2"),
            await lab.speaker(65002, "10.0.0.3"),
        )
        await lab.connect(a, b)
        await lab.connect(b, c)
        a.announce("10.1.0.0/16")
        await settle()
        path = best(c, "10.1.0.0/16")
        assert path is not None
        assert path.attributes.next_hop == IPv4Address("10.0.0.1")
        assert path.attributes.as_path == AsPath.parse("65001")
        assert path.source.kind is SourceKind.INTERNAL


@pytest.mark.parametrize("mode", [NextHopSelf.EXTERNAL, NextHopSelf.ALWAYS])
async def test_next_hop_self_towards_an_internal_peer(autojump_clock: MockClock, mode: NextHopSelf) -> None:
    async with laboratory() as lab:
        a, b, c = (
            await lab.speaker(65001, "10.0.0.1"),
            await lab.speaker(65002, "10.0.0.2"),
            await lab.speaker(65002, "10.0.0.3"),
        )
        await lab.connect(a, b)
        await lab.connect(b, c, {"next_hop_self": mode})
        a.announce("10.1.0.0/16")
        await settle()
        path = best(c, "10.1.0.0/16")
        assert path is not None
        assert path.attributes.next_hop == IPv4Address("10.0.0.2")


async def test_split_horizon_an_internal_route_goes_to_no_other_internal_peer(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        a, b, c, d = [await lab.speaker(65001, f"10.0.0.{n}") for n in (1, 2, 3, 4)]
        await lab.connect(a, b)
        await lab.connect(b, c)
        await lab.connect(b, d, {"route_reflector_client": True})
        a.announce("10.1.0.0/16")
        await settle()
        assert held(b) == {"10.1.0.0/16"}
        assert held(c) == set()
        path = best(d, "10.1.0.0/16")
        assert path is not None, "a client is told (RFC 4456 6)"
        assert path.attributes.originator_id == IPv4Address("10.0.0.1")
        assert path.attributes.cluster_list == (IPv4Address("10.0.0.2"),)


async def test_a_route_is_not_sent_back_to_where_it_came_from(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65002, "10.0.0.2")
        near, far = await lab.connect(one, two)
        one.announce("10.1.0.0/16")
        await settle()
        assert near.adj_in is not None
        assert len(near.adj_in) == 0
        assert far.adj_in is not None
        assert len(far.adj_in) == 1


async def test_our_own_as_in_the_path_is_a_loop(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        a, b, c = (
            await lab.speaker(65001, "10.0.0.1"),
            await lab.speaker(65002, "10.0.0.2"),
            await lab.speaker(65001, "10.0.0.3"),
        )
        await lab.connect(a, b)
        _, peer = await lab.connect(b, c)
        a.announce("10.1.0.0/16")
        await settle()
        assert held(c) == set()
        assert peer.adj_in is not None
        ((_, path),) = peer.adj_in.routes(IPV4_UNICAST)
        assert path.ineligible is not None
        assert path.ineligible.why is Why.AS_LOOP


async def test_the_best_path_moves_when_a_better_one_comes_and_goes(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        a, b, c = await three(lab, 65001, 65002, 65003)
        await lab.connect(a, c)
        await lab.connect(b, c)
        a.announce("10.1.0.0/16", as_path="64512 64513")
        b.announce("10.1.0.0/16")
        await settle()

        def via() -> str:
            path = best(c, "10.1.0.0/16")
            return "nobody" if path is None else path.source.name

        assert via() == "10.0.0.2"
        b.withdraw("10.1.0.0/16")
        await settle()
        assert via() == "10.0.0.1"
        a.withdraw("10.1.0.0/16")
        await settle()
        assert via() == "nobody"


async def test_all_that_is_there_is_told_to_a_peer_that_comes_later(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65002, "10.0.0.2")
        for number in range(300):
            one.announce(f"10.{number >> 8}.{number & 255}.0/24", med=number % 7)
        one.announce("2001:db8::/32", next_hop="2001:db8::1")
        await lab.connect(one, two)
        assert len(held(two)) == 300
        assert held(two, IPV6_UNICAST) == {"2001:db8::/32"}


async def test_an_external_session_without_policies_moves_nothing_and_says_so(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65002, "10.0.0.2")
        one.announce("10.1.0.0/16")
        two.announce("10.2.0.0/16")
        near, far = await lab.connect(one, two, {"import_policy": None, "export_policy": None})
        assert held(one) == {"10.1.0.0/16"}
        assert held(two) == {"10.2.0.0/16"}
        assert near.adj_in is not None
        ((_, path),) = near.adj_in.routes(IPV4_UNICAST)
        assert path.ineligible is not None
        assert str(path.ineligible) == "no import policy (RFC 8212)"
        assert near.missing_policies == ("import", "export")
        assert far.missing_policies == ()
        (up,) = [change for change in lab.changes if change.peer is near and change.new is State.ESTABLISHED]
        assert up.reason == "no import policy and no export policy: nothing is accepted or announced (RFC 8212)"


async def test_an_internal_session_needs_no_policy(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65001, "10.0.0.2")
        one.announce("10.1.0.0/16")
        near, _ = await lab.connect(one, two, import_policy=None, export_policy=None)
        assert held(two) == {"10.1.0.0/16"}
        assert near.missing_policies == ()


async def test_peers_come_and_go_while_the_speaker_runs(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, two, last = await three(lab, 65001, 65002, 65003)
        await lab.connect(one, two)
        one.announce("10.1.0.0/16")
        _, far = await lab.connect(one, last)
        assert held(last) == {"10.1.0.0/16"}
        await one.remove_peer("10.0.0.3")
        await settle()
        assert held(last) == set()
        assert far.last_received == Notification(6, 3)
        assert far.state is not State.ESTABLISHED
        assert list(one.peers) == ["10.0.0.2"]
        assert held(two) == {"10.1.0.0/16"}
        again = await one.add_peer("10.0.0.3", asn=65003, import_policy=accept, export_policy=accept)
        await again.wait_established()
        await settle()
        assert held(last) == {"10.1.0.0/16"}


async def test_a_peer_that_cannot_be_added_says_why(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one = await lab.speaker(65001, "10.0.0.1")
        await one.add_peer("10.0.0.2", asn=65002)
        with pytest.raises(LocalError, match=r"10\.0\.0\.2 is a peer already"):
            await one.add_peer("10.0.0.2", asn=65003)
        with pytest.raises(LocalError, match="'example' is not an IP address"):
            await one.add_peer("example", asn=65003)
        with pytest.raises(LocalError, match=r"10\.0\.0\.9 is not a peer"):
            await one.remove_peer("10.0.0.9")
        with pytest.raises(LocalError, match="'nonsense' is not a peer's address"):
            await one.remove_peer("nonsense")
        with pytest.raises(LocalError, match="nonsense"):
            await one.add_peer("10.0.0.3", asn=65003, nonsense=1)


async def test_a_speaker_that_ends_says_cease(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        two = await lab.speaker(65002, "10.0.0.2")
        peer = await two.add_peer("10.0.0.1", asn=65001, import_policy=accept, export_policy=accept)
        async with laboratory() as inner:
            inner.network = lab.network
            one = await inner.speaker(65001, "10.0.0.1")
            await one.add_peer("10.0.0.2", asn=65002, import_policy=accept, export_policy=accept)
            one.announce("10.1.0.0/16")
            await peer.wait_established()
            await settle()
            assert held(two) == {"10.1.0.0/16"}
        await settle()
        assert held(two) == set()
        assert peer.last_received == Notification(6, 2)
        assert peer.why_down == "received NOTIFICATION 6/2 (Cease, Administrative shutdown)"


async def test_peers_that_come_while_a_speaker_says_farewell_do_not_disturb_it(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        there = await lab.speaker(65002, "10.0.0.2")
        await there.add_peer("10.0.0.1", asn=65001, import_policy=accept, export_policy=accept)

        async def keep_coming(speaker: Speaker) -> None:
            with suppress(RuntimeError):  # it has ended
                for number in range(3, 30):
                    await speaker.add_peer(f"10.0.0.{number}", asn=65002, passive=True)
                    await trio.lowlevel.checkpoint()

        async with trio.open_nursery() as nursery:
            transport = lab.network.transport("10.0.0.1")
            async with open_speaker(asn=65001, router_id="10.0.0.1", transport=transport) as here:
                peer = await here.add_peer("10.0.0.2", asn=65002, import_policy=accept, export_policy=accept)
                await peer.wait_established()
                nursery.start_soon(keep_coming, here)
        await settle()
        (told,) = there.peers.values()
        assert str(told.last_received).startswith("NOTIFICATION 6/2")


async def test_a_speaker_that_is_cancelled_says_cease(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        two = await lab.speaker(65002, "10.0.0.2")
        peer = await two.add_peer("10.0.0.1", asn=65001)
        with trio.CancelScope() as scope:
            async with laboratory() as inner:
                inner.network = lab.network
                one = await inner.speaker(65001, "10.0.0.1")
                await one.add_peer("10.0.0.2", asn=65002)
                await peer.wait_established()
                scope.cancel()
                await trio.sleep_forever()
        await settle()
        assert peer.last_received == Notification(6, 2)


async def test_too_many_prefixes_end_the_session(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65002, "10.0.0.2")
        near, far = await lab.connect(one, two, {"max_prefixes": 3})
        for number in range(3):
            two.announce(f"10.{number}.0.0/16")
        await settle()
        assert near.state is State.ESTABLISHED
        two.announce("10.3.0.0/16")
        await settle()
        assert near.state is not State.ESTABLISHED
        assert held(one) == set()
        assert far.last_received == Notification(6, 1, bytes.fromhex("0001 01 00000003"))
        assert near.why_down.startswith("more than 3 prefixes of ipv4-unicast")


async def test_a_cut_connection_takes_the_routes_away_and_comes_back(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65002, "10.0.0.2")
        near, _ = await lab.connect(one, two)
        two.announce("10.2.0.0/16")
        await settle()
        lab.network.cut(home(one), home(two))
        await settle()
        assert held(one) == set()
        assert near.state is not State.ESTABLISHED
        lab.network.heal(home(one), home(two))
        await near.wait_established()
        await settle()
        assert held(one) == {"10.2.0.0/16"}


async def test_two_speakers_that_dial_at_once_agree_on_one_connection(autojump_clock: MockClock) -> None:
    for ids in (("10.0.0.1", "10.0.0.2"), ("10.0.0.2", "10.0.0.1"), ("10.0.0.9", "10.0.0.9")):
        async with laboratory() as lab:
            one = await lab.speaker(65001, "10.0.0.1", router_id=ids[0])
            two = await lab.speaker(65002, "10.0.0.2", router_id=ids[1])
            async with trio.open_nursery() as nursery:
                for near, far in ((one, two), (two, one)):
                    nursery.start_soon(lambda near=near, far=far: near.add_peer(home(far), asn=far.options.asn))
            near, far = one.peers["10.0.0.2"], two.peers["10.0.0.1"]
            with trio.fail_after(20):
                await near.wait_established()
                await far.wait_established()
            await settle()
            assert near.connection is not None
            assert far.connection is not None
            assert near.connection.local == far.connection.remote
            winner = one if ids[0] > ids[1] else two
            assert near.connection.local[1] == (179 if winner is two else near.connection.local[1])
            dialler = home(two) if near.connection.local[1] == 179 else home(one)
            assert dialler == home(winner)


async def test_changes_are_told_one_by_one(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65002, "10.0.0.2")
        await lab.connect(one, two)
        seen: list[tuple[str, bool, bool]] = []

        async def watch(task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
            changes = two.loc_rib.changes()
            task_status.started()
            async for change in changes:
                seen.append((str(change.prefix), change.old is None, change.new is None))

        async with trio.open_nursery() as nursery:
            await nursery.start(watch)
            await settle()
            one.announce("10.1.0.0/16")
            await settle()
            one.announce("10.1.0.0/16", med=7)
            await settle()
            one.withdraw("10.1.0.0/16")
            await settle()
            nursery.cancel_scope.cancel()
        assert seen == [("10.1.0.0/16", True, False), ("10.1.0.0/16", False, False), ("10.1.0.0/16", False, True)]


async def test_ipv6_sessions_carry_both_families(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one = await lab.speaker(65001, "2001:db8::1", router_id="10.0.0.1")
        two = await lab.speaker(65002, "2001:db8::2", router_id="10.0.0.2")
        await lab.connect(one, two)
        one.announce("2001:db8:1::/48")
        await settle()
        path = best(two, "2001:db8:1::/48")
        assert path is not None
        assert path.attributes.next_hop == IPv6Address("2001:db8::1")


async def test_who_connects_before_the_peers_are_there_waits_for_them() -> None:
    sent = trio.Event()

    def see(change: PeerChange) -> None:
        if change.new is State.OPEN_SENT:
            sent.set()

    async with (
        open_speaker(asn=65001, router_id="10.0.0.1", listen=["127.0.0.1:0"], admits=False) as one,
        open_speaker(asn=65002, router_id="10.0.0.2", observer=see) as two,
    ):
        peer = await two.add_peer("127.0.0.1", asn=65001, port=one.listening[0][1])
        with trio.fail_after(30):
            await sent.wait()
            await one.add_peer("127.0.0.1", asn=65002, passive=True)
            one.admit()
            await peer.wait_established()


@pytest.mark.parametrize(("local", "families"), [("127.0.0.1", {1, 2}), ("::1", {1, 2}), ("192.0.2.1", {1})])
def test_a_session_within_one_machine_has_a_next_hop_of_either_family(local: str, families: set[int]) -> None:
    options, peer = SpeakerOptions(asn=65001, router_id="10.0.0.1"), PeerOptions(address="192.0.2.2", asn=65002)
    rules = export_rules(options, peer, local, negotiate((), (), peer_as_field=65002))
    assert {afi for afi, _ in rules.next_hops} == families
    assert ip_address(local) in dict(rules.next_hops).values()
