"""Graceful restart (RFC 4724, RFC 8538) in virtual time: who keeps what, for how long, and who is not told."""

from __future__ import annotations

import pytest
import trio
from helpers import capabilities
from speakers import Laboratory, Neighbour, announcement, held, home, laboratory, settle
from trio.testing import MockClock

from bgp import RestartMode, accept
from bgp.capability import GracefulRestart
from bgp.message import Notification, Open, Update
from bgp.net import Peer, Speaker
from bgp.options import PeerOptions
from bgp.wire.codec import encode
from fsm.words import State
from rib.family import IPV4_UNICAST, IPV6_UNICAST

EOR = Update()
BOTH = ((IPV4_UNICAST, True), (IPV6_UNICAST, True))


def restartable(time: int = 60, *, families: tuple = BOTH, restarting: bool = False, n: bool = False) -> tuple:  # type: ignore[type-arg]
    """What a neighbour offers that wants its routes kept."""
    return (*capabilities(65066), GracefulRestart(restarting, n, time, families))


async def helper(lab: Laboratory, **options: object) -> tuple[Speaker, Peer]:
    """A speaker that waits for the neighbour at 10.0.0.66."""
    speaker = await lab.speaker(65001, "10.0.0.1")
    fields = {"import_policy": accept, "export_policy": accept, "passive": True} | options
    return speaker, await speaker.add_peer("10.0.0.66", asn=65066, **fields)


async def up(lab: Laboratory, speaker: Speaker, offers: tuple) -> Neighbour:  # type: ignore[type-arg]
    return await (await lab.neighbour(speaker, offers=offers)).open()


async def test_a_neighbour_that_goes_without_a_word_keeps_its_routes(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer = await helper(lab)
        neighbour = await up(lab, speaker, restartable())
        await neighbour.announce("10.1.0.0/16", "10.2.0.0/16")
        await neighbour.say(EOR)
        await neighbour.cut()
        assert peer.state is not State.ESTABLISHED
        assert held(speaker) == {"10.1.0.0/16", "10.2.0.0/16"}
        assert peer.adj_in is not None
        assert all(peer.adj_in.is_stale(IPV4_UNICAST, *route) for route in peer.adj_in.routes(IPV4_UNICAST))


async def test_what_is_not_said_again_goes_at_end_of_rib(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer = await helper(lab)
        neighbour = await up(lab, speaker, restartable())
        await neighbour.announce("10.1.0.0/16", "10.2.0.0/16")
        await neighbour.say(EOR)
        await neighbour.cut()
        await trio.sleep(5)
        again = await up(lab, speaker, restartable(restarting=True))
        assert held(speaker) == {"10.1.0.0/16", "10.2.0.0/16"}
        await again.announce("10.2.0.0/16", "10.3.0.0/16")
        assert held(speaker) == {"10.1.0.0/16", "10.2.0.0/16", "10.3.0.0/16"}
        await again.say(EOR)
        assert held(speaker) == {"10.2.0.0/16", "10.3.0.0/16"}
        assert peer.adj_in is not None
        assert not peer.adj_in.stale.get(IPV4_UNICAST)


async def test_nobody_behind_hears_of_a_restart_that_changes_nothing(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _ = await helper(lab)
        far = await lab.speaker(65003, "10.0.0.3")
        await lab.connect(speaker, far)
        neighbour = await up(lab, speaker, restartable())
        await neighbour.announce(*(f"10.{n}.0.0/16" for n in range(20)))
        await neighbour.say(EOR)
        before = far.peers["10.0.0.1"].counts.updates_received
        await neighbour.cut()
        await trio.sleep(5)
        again = await up(lab, speaker, restartable(restarting=True))
        await again.announce(*(f"10.{n}.0.0/16" for n in range(20)))
        await again.say(EOR)
        assert len(held(far)) == 20
        assert far.peers["10.0.0.1"].counts.updates_received == before


async def test_a_neighbour_that_does_not_come_back_in_time_loses_its_routes(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer = await helper(lab)
        neighbour = await up(lab, speaker, restartable(60))
        await neighbour.announce("10.1.0.0/16")
        await neighbour.cut()
        await trio.sleep(59)
        assert held(speaker) == {"10.1.0.0/16"}
        await trio.sleep(2)
        assert held(speaker) == set()
        assert peer.adj_in is None


async def test_a_neighbour_that_never_says_end_of_rib_is_given_up_waiting_for(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _ = await helper(lab, stale_time=30)
        neighbour = await up(lab, speaker, restartable())
        await neighbour.announce("10.1.0.0/16", "10.2.0.0/16")
        await neighbour.cut()
        await trio.sleep(5)
        again = await up(lab, speaker, restartable(restarting=True))
        await again.announce("10.2.0.0/16")
        await trio.sleep(29)
        assert held(speaker) == {"10.1.0.0/16", "10.2.0.0/16"}
        await trio.sleep(2)
        assert held(speaker) == {"10.2.0.0/16"}


@pytest.mark.parametrize(
    "families",
    [(), ((IPV6_UNICAST, True),), ((IPV4_UNICAST, False), (IPV6_UNICAST, True))],
    ids=["none", "not this family", "not forwarding"],
)
async def test_what_was_not_forwarded_meanwhile_goes_at_once(autojump_clock: MockClock, families: tuple) -> None:  # type: ignore[type-arg]
    async with laboratory() as lab:
        speaker, _ = await helper(lab)
        neighbour = await up(lab, speaker, restartable())
        await neighbour.announce("10.1.0.0/16")
        await neighbour.cut()
        await trio.sleep(5)
        assert held(speaker) == {"10.1.0.0/16"}
        await up(lab, speaker, restartable(restarting=True, families=families))
        assert held(speaker) == set()


async def test_without_the_capability_in_the_new_open_all_goes(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _ = await helper(lab)
        neighbour = await up(lab, speaker, restartable())
        await neighbour.announce("10.1.0.0/16")
        await neighbour.cut()
        await trio.sleep(5)
        await up(lab, speaker, capabilities(65066))
        assert held(speaker) == set()


async def test_only_families_that_were_offered_are_kept(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _ = await helper(lab)
        neighbour = await up(lab, speaker, restartable(families=((IPV4_UNICAST, True),)))
        await neighbour.announce("10.1.0.0/16")
        await neighbour.say(announcement("2001:db8::/32", next_hop="2001:db8::66"))
        assert held(speaker, IPV6_UNICAST) == {"2001:db8::/32"}
        await neighbour.cut()
        assert held(speaker) == {"10.1.0.0/16"}
        assert held(speaker, IPV6_UNICAST) == set()


async def test_a_second_restart_before_end_of_rib_takes_what_was_in_doubt(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _ = await helper(lab)
        neighbour = await up(lab, speaker, restartable())
        await neighbour.announce("10.1.0.0/16", "10.2.0.0/16")
        await neighbour.cut()
        await trio.sleep(5)
        again = await up(lab, speaker, restartable(restarting=True))
        await again.announce("10.2.0.0/16")
        await again.cut()
        assert held(speaker) == {"10.2.0.0/16"}


@pytest.mark.parametrize("n", [False, True])
async def test_a_notification_ends_it_unless_both_have_the_n_flag(autojump_clock: MockClock, n: bool) -> None:
    async with laboratory() as lab:
        speaker, peer = await helper(lab)
        neighbour = await up(lab, speaker, restartable(n=n))
        await neighbour.announce("10.1.0.0/16")
        await neighbour.say(Notification(6, 4))
        assert peer.state is not State.ESTABLISHED
        assert held(speaker) == ({"10.1.0.0/16"} if n else set())


async def test_a_hard_reset_ends_it_at_once(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _ = await helper(lab)
        neighbour = await up(lab, speaker, restartable(n=True))
        await neighbour.announce("10.1.0.0/16")
        await neighbour.say(Notification(6, 9, b"\x06\x02"))
        assert held(speaker) == set()


async def test_a_hold_timer_that_expires_is_survived_with_the_n_flag(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer = await helper(lab, hold_time=9)
        neighbour = await up(lab, speaker, restartable(n=True))
        await neighbour.announce("10.1.0.0/16")
        await trio.sleep(10)
        assert peer.last_sent == Notification(4, 0)
        assert held(speaker) == {"10.1.0.0/16"}
        await trio.sleep(60)
        assert held(speaker) == set()


async def test_off_is_off(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _ = await helper(lab, graceful_restart=RestartMode.OFF)
        neighbour = await up(lab, speaker, restartable(n=True))
        (opened,) = [message for message in neighbour.heard if isinstance(message, Open)]
        assert not any(isinstance(one, GracefulRestart) for one in opened.capabilities)
        await neighbour.announce("10.1.0.0/16")
        await neighbour.cut()
        assert held(speaker) == set()


async def test_a_new_connection_of_a_restarted_neighbour_ends_the_old_session(autojump_clock: MockClock) -> None:
    """RFC 4724 4.2: the speaker has not noticed yet that the old connection is dead."""
    async with laboratory() as lab:
        speaker, peer = await helper(lab)
        old = await up(lab, speaker, restartable())
        await old.announce("10.1.0.0/16", "10.2.0.0/16")
        new = await up(lab, speaker, restartable(restarting=True))
        assert peer.state is State.ESTABLISHED
        assert old.closed
        assert old.notification is None
        assert held(speaker) == {"10.1.0.0/16", "10.2.0.0/16"}
        await new.announce("10.2.0.0/16")
        await new.say(EOR)
        assert held(speaker) == {"10.2.0.0/16"}


async def test_a_new_connection_without_an_open_ends_nothing(autojump_clock: MockClock) -> None:
    """It may be a dial that crossed with the one that became the session."""
    async with laboratory() as lab:
        speaker, peer = await helper(lab)
        old = await up(lab, speaker, restartable())
        late = await lab.neighbour(speaker)
        await settle()
        assert peer.state is State.ESTABLISHED
        await late.cut()
        await old.announce("10.1.0.0/16")
        assert held(speaker) == {"10.1.0.0/16"}
        assert not old.closed


async def test_speakers_that_dial_at_once_come_up_once_with_graceful_restart_too(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speakers = [await lab.speaker(65000 + n, f"10.0.0.{n}") for n in range(1, 9)]
        for one in speakers:
            for other in speakers:
                if one is not other:
                    await one.add_peer(home(other), asn=other.options.asn, graceful_restart=RestartMode.ON)
        for one in speakers:
            await one.wait_established()
        await trio.sleep(60)
        assert all(peer.counts.established == 1 for one in speakers for peer in one.peers.values())


async def test_a_new_connection_of_any_other_neighbour_is_refused(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer = await helper(lab)
        old = await up(lab, speaker, capabilities(65066))
        new = await lab.neighbour(speaker)
        await settle()
        assert new.closed
        assert not old.closed
        assert peer.state is State.ESTABLISHED


async def test_removing_a_peer_takes_its_kept_routes_away(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _ = await helper(lab)
        neighbour = await up(lab, speaker, restartable())
        await neighbour.announce("10.1.0.0/16")
        await neighbour.cut()
        assert held(speaker) == {"10.1.0.0/16"}
        await speaker.remove_peer("10.0.0.66")
        assert held(speaker) == set()


async def test_our_capability_says_what_we_want(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _ = await helper(lab, graceful_restart=RestartMode.ON, restart_time=33)
        neighbour = await up(lab, speaker, restartable())
        await neighbour.cut()
        await trio.sleep(5)
        again = await up(lab, speaker, restartable())

        def said(one: Neighbour) -> GracefulRestart:
            (opened,) = [message for message in one.heard if isinstance(message, Open)]
            (found,) = [c for c in opened.capabilities if isinstance(c, GracefulRestart)]
            return found

        families = (IPV4_UNICAST, IPV6_UNICAST)
        assert said(neighbour) == GracefulRestart(False, True, 33, tuple((f, False) for f in families))
        assert said(again) == GracefulRestart(False, True, 33, tuple((f, True) for f in families))


async def test_a_speaker_that_ends_for_good_says_hard_reset(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65002, "10.0.0.2")
        near, _ = await lab.connect(one, two, graceful_restart=RestartMode.ON)
        two.announce("10.2.0.0/16")
        await settle()
        two.peers["10.0.0.1"].stop()
        await settle()
        assert near.last_received == Notification(6, 9, b"\x06\x02")
        assert held(one) == set()


async def test_a_killed_speaker_that_is_back_in_time_loses_nothing(autojump_clock: MockClock) -> None:
    """Both roles at once, with our own speaker on both sides."""
    async with laboratory() as lab:
        one = await lab.speaker(65001, "10.0.0.1")
        far = await lab.speaker(65003, "10.0.0.3")
        await lab.connect(one, far)
        options = {"import_policy": accept, "export_policy": accept, "graceful_restart": RestartMode.ON}
        peer = await one.add_peer("10.0.0.2", asn=65002, **options)
        lost: list[bool] = []
        far.loc_rib.listen(lambda family, changed: lost.extend(old is not None for old in changed.values()))
        async with laboratory() as inner:
            inner.network = lab.network
            two = await inner.speaker(65002, "10.0.0.2")
            await two.add_peer("10.0.0.1", asn=65001, **options)
            two.announce("10.2.0.0/16")
            await peer.wait_established()
            await settle()
            assert held(far) == {"10.2.0.0/16"}
            lab.network.cut("10.0.0.1", "10.0.0.2")
            await settle()
        lab.network.heal("10.0.0.1", "10.0.0.2")
        await trio.sleep(10)
        again = await lab.speaker(65002, "10.0.0.2", restarting=True)
        back = await again.add_peer("10.0.0.1", asn=65001, **options)
        again.announce("10.2.0.0/16")
        await back.wait_established()
        await settle()
        assert held(again) == {"10.2.0.0/16"}
        assert held(far) == {"10.2.0.0/16"}
        assert not any(lost)
        assert peer.adj_in is not None
        assert not any(peer.adj_in.stale.values())


async def test_a_restarting_speaker_listens_before_it_speaks(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1", restarting=True)
        options = {
            "import_policy": accept,
            "export_policy": accept,
            "passive": True,
            "graceful_restart": RestartMode.ON,
        }
        for address in ("10.0.0.66", "10.0.0.67"):
            await speaker.add_peer(address, asn=65066, **options)
        speaker.announce("10.9.0.0/16")
        first = await (await lab.neighbour(speaker, "10.0.0.66", offers=restartable())).open()
        assert offered(first).restarting
        assert all(kept for _, kept in offered(first).families)
        await first.say(EOR, encode_end_of_rib_v6())
        assert first.updates == [], "the other neighbour has not said all yet"
        second = await (await lab.neighbour(speaker, "10.0.0.67", offers=restartable())).open()
        await second.announce("10.1.0.0/16")
        await second.say(EOR)
        assert first.updates == []
        await second.say(encode_end_of_rib_v6())
        assert set(first.routes()) == {"10.9.0.0/16", "10.1.0.0/16"}
        assert EOR in first.updates
        assert first.updates.index(EOR) > first.updates.index(first.routes()["10.1.0.0/16"])
        assert speaker.deferral is None
        with trio.fail_after(1):
            await speaker.wait_selected()


def encode_end_of_rib_v6() -> bytes:
    return encode(Update())[:16] + b"\0\x1d\x02\0\0\0\x06\x80\x0f\x03\0\x02\x01"


def offered(neighbour: Neighbour) -> GracefulRestart:
    """What the last OPEN that came said of graceful restart."""
    opened = [message for message in neighbour.heard if isinstance(message, Open)][-1]
    (said,) = [c for c in opened.capabilities if isinstance(c, GracefulRestart)]
    return said


@pytest.mark.parametrize(("longest", "absent", "waited"), [(120.0, 30.0, 30), (20.0, 30.0, 20), (60.0, 60.0, 60)])
async def test_a_neighbour_that_does_not_come_is_not_waited_for_longer_than_allowed(
    longest: float, absent: float, waited: float, autojump_clock: MockClock
) -> None:
    async with laboratory() as lab:
        times = {"selection_deferral_time": longest, "absent_peer_time": absent}
        speaker = await lab.speaker(65001, "10.0.0.1", restarting=True, **times)
        options = {"import_policy": accept, "export_policy": accept, "passive": True}
        for address in ("10.0.0.66", "10.0.0.67"):
            await speaker.add_peer(address, asn=65066, **options)
        speaker.announce("10.9.0.0/16")
        started = trio.current_time()
        first = await (await lab.neighbour(speaker, "10.0.0.66", offers=restartable())).open()
        await first.say(EOR, encode_end_of_rib_v6())
        await speaker.wait_selected()
        assert trio.current_time() - started == pytest.approx(waited, abs=1)
        await settle()
        assert set(first.routes()) == {"10.9.0.0/16"}


async def test_a_neighbour_that_came_is_waited_for_to_the_end(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1", restarting=True)
        options = {"import_policy": accept, "export_policy": accept, "passive": True}
        for address in ("10.0.0.66", "10.0.0.67"):
            await speaker.add_peer(address, asn=65066, **options)
        started = trio.current_time()
        await (await lab.neighbour(speaker, "10.0.0.66", offers=restartable())).open(hold_time=0)
        await trio.sleep(20)
        late = await (await lab.neighbour(speaker, "10.0.0.67", offers=restartable())).open(hold_time=0)
        await late.say(EOR, encode_end_of_rib_v6())
        await speaker.wait_selected()
        assert trio.current_time() - started == pytest.approx(120, abs=1)


async def test_who_comes_after_the_selection_is_told_that_packets_went_on(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1", restarting=True)
        options = {"import_policy": accept, "export_policy": accept, "passive": True}
        await speaker.add_peer("10.0.0.66", asn=65066, graceful_restart=RestartMode.ON, **options)
        await speaker.wait_selected()
        late = await (await lab.neighbour(speaker, "10.0.0.66", offers=restartable())).open()
        assert not offered(late).restarting
        assert all(kept for _, kept in offered(late).families)
        assert EOR in late.updates


@pytest.mark.parametrize(
    "offers", [capabilities(65066), restartable(restarting=True)], ids=["no capability", "restarts too"]
)
async def test_a_neighbour_that_cannot_say_when_it_is_done_is_not_waited_for(
    autojump_clock: MockClock,
    offers: tuple,  # type: ignore[type-arg]
) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1", restarting=True)
        await speaker.add_peer("10.0.0.66", asn=65066, import_policy=accept, export_policy=accept, passive=True)
        speaker.announce("10.9.0.0/16")
        neighbour = await (await lab.neighbour(speaker, offers=offers)).open()
        assert set(neighbour.routes()) == {"10.9.0.0/16"}


async def test_a_neighbour_that_was_removed_is_not_waited_for(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1", restarting=True)
        await speaker.add_peer("10.0.0.66", asn=65066)
        assert speaker.deferral is not None
        await speaker.remove_peer("10.0.0.66")
        assert speaker.deferral is None


def test_the_default_is_to_keep_the_routes_of_others_and_promise_nothing() -> None:
    assert PeerOptions("10.0.0.1", 1).graceful_restart is RestartMode.AWARE
