"""Several paths to a prefix (RFC 7911): received, chosen from, and sent on with identifiers of our own."""

from __future__ import annotations

import pytest
from helpers import capabilities
from speakers import Laboratory, Neighbour, best, held, laboratory, settle
from trio.testing import MockClock

from bgp import AddPathMode, Policy, accept
from bgp.capability import AddPath, Capability, PathsLimit
from bgp.message import RouteRefresh, Update
from bgp.net import Peer, Speaker
from fsm.words import State
from rib.family import IPV4_UNICAST, IPV6_UNICAST
from rib.policy import Action, Match, Rule

BOTH = (*capabilities(65066), AddPath(((IPV4_UNICAST, 3), (IPV6_UNICAST, 3))))


async def collector(
    lab: Laboratory, offers: tuple[Capability, ...] = BOTH, **options: object
) -> tuple[Speaker, Peer, Neighbour]:
    """A speaker and a neighbour that takes all paths from it."""
    speaker = await lab.speaker(65001, "10.0.0.1")
    fields = {"import_policy": accept, "export_policy": accept, "passive": True, "add_path": AddPathMode.BOTH} | options
    peer = await speaker.add_peer("10.0.0.66", asn=65066, **fields)
    neighbour = await lab.neighbour(speaker, offers=offers)
    neighbour.context = neighbour.several
    await neighbour.open()
    return speaker, peer, neighbour


def paths(neighbour: Neighbour, prefix: str) -> dict[str, str]:
    """The paths to `prefix` that a neighbour has: AS_PATH by identifier."""
    found = {}
    for name, update in neighbour.routes().items():
        if name.startswith(f"{prefix} "):
            path = update.attribute(2)
            assert path is not None
            found[name.removeprefix(f"{prefix} ")] = str(path.value)
    return found


async def three_sources(lab: Laboratory, speaker: Speaker) -> list[Speaker]:
    made = [await lab.speaker(65010 + n, f"10.0.0.1{n}") for n in range(3)]
    for number, one in enumerate(made):
        await lab.connect(speaker, one)
        one.announce("10.1.0.0/16", as_path=" ".join(["64999"] * number) or None)
    await settle()
    return made


async def test_all_candidates_go_out_each_with_its_identifier(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _, neighbour = await collector(lab)
        await three_sources(lab, speaker)
        assert sorted(paths(neighbour, "10.1.0.0/16").values()) == [
            "65001 65010",
            "65001 65011 64999",
            "65001 65012 64999 64999",
        ]


async def test_a_candidate_that_loses_is_withdrawn_by_its_identifier(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _, neighbour = await collector(lab)
        sources = await three_sources(lab, speaker)
        before = paths(neighbour, "10.1.0.0/16")
        sources[2].withdraw("10.1.0.0/16")
        await settle()
        after = paths(neighbour, "10.1.0.0/16")
        assert sorted(after.values()) == ["65001 65010", "65001 65011 64999"]
        assert after.items() <= before.items(), "the identifiers of the others stay"
        sources[0].withdraw("10.1.0.0/16")
        await settle()
        assert list(paths(neighbour, "10.1.0.0/16").values()) == ["65001 65011 64999"]
        sources[1].withdraw("10.1.0.0/16")
        await settle()
        assert paths(neighbour, "10.1.0.0/16") == {}


async def test_a_changed_path_replaces_its_own_identifier(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _, neighbour = await collector(lab)
        sources = await three_sources(lab, speaker)
        before = paths(neighbour, "10.1.0.0/16")
        neighbour.heard.clear()
        sources[1].announce("10.1.0.0/16", as_path="64998 64997")
        await settle()
        ((identifier, path),) = paths(neighbour, "10.1.0.0/16").items()
        assert path == "65001 65011 64998 64997"
        assert before[identifier] == "65001 65011 64999"
        assert len(neighbour.updates) == 1


async def test_a_limit_keeps_the_best(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _, neighbour = await collector(lab, add_path_limit=2)
        sources = await three_sources(lab, speaker)
        assert sorted(paths(neighbour, "10.1.0.0/16").values()) == ["65001 65010", "65001 65011 64999"]
        sources[0].withdraw("10.1.0.0/16")
        await settle()
        assert sorted(paths(neighbour, "10.1.0.0/16").values()) == ["65001 65011 64999", "65001 65012 64999 64999"]


@pytest.mark.parametrize(("ours", "theirs", "told"), [(None, 2, 2), (1, 2, 1), (2, 1, 1), (None, 0, 3)])
async def test_a_limit_of_the_neighbours_is_kept_too(
    autojump_clock: MockClock, ours: int | None, theirs: int, told: int
) -> None:
    """draft-abraitis-idr-addpath-paths-limit; 0 is no limit."""
    async with laboratory() as lab:
        offers = (*BOTH, PathsLimit(((IPV4_UNICAST, theirs),)))
        speaker, _, neighbour = await collector(lab, offers, add_path_limit=ours)
        await three_sources(lab, speaker)
        assert len(paths(neighbour, "10.1.0.0/16")) == told


async def test_paths_that_were_there_before_are_told_too(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1")
        await three_sources(lab, speaker)
        peer = await speaker.add_peer(
            "10.0.0.66", asn=65066, import_policy=accept, export_policy=accept, passive=True, add_path=AddPathMode.SEND
        )
        neighbour = await lab.neighbour(speaker, offers=BOTH)
        neighbour.context = neighbour.several
        await neighbour.open()
        assert peer.negotiated is not None
        assert peer.negotiated.add_path_send == {IPV4_UNICAST, IPV6_UNICAST}
        assert len(paths(neighbour, "10.1.0.0/16")) == 3
        assert Update() in neighbour.updates


async def test_a_neighbour_does_not_get_its_own_paths_back(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, _, neighbour = await collector(lab)
        await neighbour.announce("10.1.0.0/16", path_id=7)
        await neighbour.announce("10.1.0.0/16", path_id=9, path="65066 64512")
        speaker.announce("10.1.0.0/16")
        await settle()
        assert list(paths(neighbour, "10.1.0.0/16").values()) == ["65001"]


async def test_received_paths_are_candidates_of_their_own(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer, neighbour = await collector(lab)
        await neighbour.announce("10.1.0.0/16", path_id=7, path="65066 64512 64513")
        await neighbour.announce("10.1.0.0/16", path_id=9, path="65066 64512")
        path = best(speaker, "10.1.0.0/16")
        assert path is not None
        assert path.path_id == 9
        assert peer.adj_in is not None
        assert len(peer.adj_in) == 2
        await neighbour.announce("10.1.0.0/16", path_id=7, path="65066")
        path = best(speaker, "10.1.0.0/16")
        assert path is not None
        assert path.path_id == 7
        assert len(peer.adj_in) == 2
        await neighbour.cut()
        assert held(speaker) == set()


async def test_speakers_exchange_several_paths_with_each_other(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, far = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65001, "10.0.0.2")
        await three_sources(lab, speaker)
        _, peer = await lab.connect(speaker, far, add_path=AddPathMode.BOTH)
        assert peer.adj_in is not None
        assert len(peer.adj_in) == 3
        assert len(far.loc_rib.table(IPV4_UNICAST).candidates(b"\x10\x0a\x01")) == 3


async def test_another_export_policy_and_a_refresh_know_all_paths(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer, neighbour = await collector(lab)
        await three_sources(lab, speaker)
        neighbour.heard.clear()
        await neighbour.say(RouteRefresh(IPV4_UNICAST))
        assert len(paths(neighbour, "10.1.0.0/16")) == 3
        short = Policy("short", (Rule(Match(max_path_length=2), Action.ACCEPT),))
        peer.change_policies(import_policy=accept, export_policy=short)
        await settle()
        assert len(paths(neighbour, "10.1.0.0/16")) == 2
        group = speaker.groups.of(peer)
        assert group is not None
        assert len(list(group.adj_out.routes(IPV4_UNICAST, peer.source))) == 2
        peer.change_policies(import_policy=accept, export_policy=accept)
        await settle()
        assert len(paths(neighbour, "10.1.0.0/16")) == 3
        assert peer.state is State.ESTABLISHED


async def test_a_default_route_of_our_own_has_an_identifier_too(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        _, _, neighbour = await collector(lab, default_originate=True, next_hop_ipv6="2001:db8::1")
        assert set(neighbour.routes()) == {"0.0.0.0/0 0", "::/0 0"}


async def test_paths_behind_a_best_one_that_may_not_go_are_told_of(autojump_clock: MockClock) -> None:
    """The best path is internal and stays; the external one behind it may go to an internal peer."""
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1")
        inside, outside, peer = [
            await lab.speaker(asn, f"10.0.0.{number}") for number, asn in ((2, 65001), (3, 65003), (4, 65001))
        ]
        await lab.connect(speaker, inside)
        await lab.connect(speaker, peer, add_path=AddPathMode.BOTH)
        await lab.connect(speaker, outside)
        inside.announce("10.1.0.0/16", local_pref=300)
        await settle()
        outside.announce("10.1.0.0/16")
        await settle()
        path = best(peer, "10.1.0.0/16")
        assert path is not None
        assert str(path.attributes.as_path) == "65003"
        outside.withdraw("10.1.0.0/16")
        await settle()
        assert held(peer) == set()
