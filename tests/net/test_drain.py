"""Leaving in good order (RFC 8326): others find other ways before ours go."""

from __future__ import annotations

import pytest
import trio
from speakers import best, held, laboratory, settle
from trio.testing import MockClock

from bgp import Policy, accept
from fsm.words import State
from rib.community import GRACEFUL_SHUTDOWN, Community
from rib.export import Drain
from rib.policy import Action, Rule, Set


async def test_a_drained_speaker_is_the_last_choice_and_then_none(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        user, short, long = [await lab.speaker(65000 + n, f"10.0.0.{n}") for n in (1, 2, 3)]
        near, _ = await lab.connect(user, short)
        await lab.connect(user, long)
        short.announce("10.1.0.0/16", communities=["65002:7"])
        long.announce("10.1.0.0/16", as_path="64512 64513")
        short.announce("10.2.0.0/16")
        await settle()

        def via(prefix: str) -> str:
            path = best(user, prefix)
            return "nobody" if path is None else path.source.name

        lost: list[bytes] = []
        user.loc_rib.listen(lambda _, changed: lost.extend(n for n in changed if n not in user.loc_rib.tables[_].best))
        assert via("10.1.0.0/16") == "10.0.0.2"
        async with trio.open_nursery() as nursery:
            nursery.start_soon(short.drain, 30.0)
            await settle()
            assert short.draining is Drain.LEAVING
            assert via("10.1.0.0/16") == "10.0.0.3"
            assert lost == []
            assert via("10.2.0.0/16") == "10.0.0.2", "a last choice is better than none"
            path = best(user, "10.2.0.0/16")
            assert path is not None
            assert path.attributes.local_pref == 0
            assert GRACEFUL_SHUTDOWN in path.attributes.communities
            started = trio.current_time()
        assert trio.current_time() - started == pytest.approx(30)
        await settle()
        assert short.draining is Drain.GONE
        assert held(user) == {"10.1.0.0/16"}
        assert near.state is State.ESTABLISHED
        short.undrain()
        await settle()
        assert via("10.1.0.0/16") == "10.0.0.2"
        path = best(user, "10.1.0.0/16")
        assert path is not None
        assert path.attributes.communities == (Community.parse("65002:7"),)


async def test_internal_peers_are_told_by_local_pref(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65001, "10.0.0.2")
        await lab.connect(one, two)
        one.announce("10.1.0.0/16", local_pref=300)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(one.drain)
            await settle()
            path = best(two, "10.1.0.0/16")
            assert path is not None
            assert path.attributes.local_pref == 0
        await settle()
        assert held(two) == set()


async def test_the_community_counts_whatever_the_import_policy_says(autojump_clock: MockClock) -> None:
    favour = Policy("favour", (Rule(action=Action.ACCEPT, set=Set(local_pref=200)),))
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65002, "10.0.0.2")
        await lab.connect(one, two, {"import_policy": favour})
        two.announce("10.1.0.0/16", communities=["graceful-shutdown"])
        two.announce("10.2.0.0/16")
        await settle()
        assert [path.attributes.local_pref for p in ("10.1.0.0/16", "10.2.0.0/16") if (path := best(one, p))] == [
            0,
            200,
        ]


async def test_who_does_not_honour_it_sees_a_community_like_any_other(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65002, "10.0.0.2")
        await lab.connect(one, two, graceful_shutdown=False)
        two.announce("10.1.0.0/16", communities=["graceful-shutdown"])
        await settle()
        path = best(one, "10.1.0.0/16")
        assert path is not None
        assert path.attributes.local_pref is None


async def test_a_default_route_of_our_own_is_drained_too(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65002, "10.0.0.2")
        await lab.connect(one, two, {"default_originate": True})
        assert held(two) == {"0.0.0.0/0"}
        async with trio.open_nursery() as nursery:
            nursery.start_soon(one.drain)
            await settle()
            path = best(two, "0.0.0.0/0")
            assert path is not None
            assert path.attributes.local_pref == 0
        await settle()
        assert held(two) == set()
        one.undrain()
        await settle()
        assert held(two) == {"0.0.0.0/0"}


async def test_a_session_that_comes_up_meanwhile_is_told_as_the_others(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65002, "10.0.0.2")
        one.announce("10.1.0.0/16")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(one.drain)
            await settle()
            await lab.connect(one, two)
            path = best(two, "10.1.0.0/16")
            assert path is not None
            assert path.attributes.local_pref == 0
        await settle()
        assert held(two) == set()
        again = await two.add_peer("10.0.0.9", asn=65009, import_policy=accept, export_policy=accept)
        with trio.fail_after(1):
            await again.wait_told()
