"""Published attacks that are more than one message, and that each attack of the list has something to stand for it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio
from errors.attacks import COVERED
from errors.octets import (
    AS_PATH,
    MP4,
    NEXT_HOP,
    ORIGIN,
    OURS,
    P4,
    Q4,
    SPEAKER_ID,
    THEIRS,
    WATCHER_ID,
    as4,
    capability,
    fields,
    message,
    opening,
    path,
    u32,
)
from errors.runner import key
from errors.table import ALL

from bgp.error import Reaction
from bgp.net import MalformedUpdate, MemoryNetwork, Peer, Speaker, open_speaker
from bgp.options import PeerOptions
from bgp.testing import ScriptedPeer, Watcher
from bgp.wire.context import Context
from bgp.wire.spelling import attribute
from fsm.words import State
from rib.family import IPV4_UNICAST
from rib.policy import accept

SPEAKER, TESTER, WATCHING = "192.0.2.1", "192.0.2.2", "192.0.2.3"
BLOCK = ORIGIN + AS_PATH + NEXT_HOP
EXTENDED = capability(6)
LIST = Path(__file__).parents[2].parent / "shared" / "errors.md"


class Scene:
    """A speaker with an external and an internal peer."""

    def __init__(self, network: MemoryNetwork, speaker: Speaker, tester: Peer, watcher: Peer) -> None:
        self.network = network
        self.speaker = speaker
        self.tester = tester
        self.watcher = watcher

    @asynccontextmanager
    async def test(self, opened: bytes | None = None) -> AsyncIterator[ScriptedPeer]:
        async with ScriptedPeer.dial(self.network.transport(TESTER), SPEAKER, 179) as tester:
            await tester.establish(opened or opening(MP4 + as4()))
            yield tester

    @asynccontextmanager
    async def watch(self, more: bytes = b"", *, hold: int = 0) -> AsyncIterator[Watcher]:
        context = Context(extended=bool(more))
        async with Watcher.dial(self.network.transport(WATCHING), SPEAKER, 179, context=context) as watcher:
            await watcher.establish(opening(MP4 + as4(OURS) + more, asn=OURS, identifier=WATCHER_ID, hold=hold))
            yield watcher


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    network = MemoryNetwork()
    async with open_speaker(
        asn=OURS, router_id=str(SPEAKER_ID), listen=[f"{SPEAKER}:179"], transport=network.transport(SPEAKER)
    ) as speaker:
        peers = [
            await speaker.add_peer(
                PeerOptions(address, asn, passive=True, import_policy=accept, export_policy=accept, hold_time=90)
            )
            for address, asn in ((TESTER, THEIRS), (WATCHING, OURS))
        ]
        yield Scene(network, speaker, *peers)


@pytest.mark.parametrize("wide", [False, True])
async def test_a_very_long_path_is_taken_and_passed_on_where_it_fits(scene: Scene, wide: bool) -> None:
    long = path(THEIRS, *range(1000, 1254)) + path(*range(2000, 2255)) * 9
    update = fields(b"", ORIGIN + attribute(0x40, 2, long) + NEXT_HOP, P4)
    opened = opening(MP4 + as4() + EXTENDED)
    async with scene.watch(EXTENDED if wide else b"") as watcher, scene.test(opened) as tester:
        await tester.send(update, fields(b"", BLOCK, Q4))
        await watcher.watch(lambda watcher: key(1, Q4) in watcher.routes)
        assert (key(1, P4) in watcher.routes) is wide
        best = scene.speaker.loc_rib.best(IPV4_UNICAST, P4)
        assert best is not None
        assert best.attributes.as_path.length == 2550


async def test_a_path_that_outgrows_its_attribute_is_withdrawn(scene: Scene) -> None:
    long = path(THEIRS, size=2) + path(*range(1, 256), size=2) * 100
    async with scene.watch(EXTENDED) as watcher, scene.test(opening(MP4 + EXTENDED)) as tester:
        plain = ORIGIN + attribute(0x40, 2, path(THEIRS, size=2)) + NEXT_HOP
        await tester.send(fields(b"", plain, P4))
        await watcher.watch(lambda watcher: key(1, P4) in watcher.routes)
        await tester.send(fields(b"", ORIGIN + attribute(0x40, 2, long) + NEXT_HOP, P4))
        await watcher.watch(lambda watcher: key(1, P4) not in watcher.routes)
        assert scene.tester.state is State.ESTABLISHED
        assert scene.watcher.state is State.ESTABLISHED


async def test_a_removed_peer_is_refused(scene: Scene) -> None:
    async with scene.test() as tester:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(scene.speaker.remove_peer, TESTER)
            found = await tester.notification()
            assert found is not None
            assert (found.code, found.subcode) == (6, 3)
        await tester.connection.aclose()
    async with ScriptedPeer.dial(scene.network.transport(TESTER), SPEAKER, 179) as again:
        assert await again.receive() is None


async def test_a_stranger_is_refused(scene: Scene) -> None:
    async with ScriptedPeer.dial(scene.network.transport("192.0.2.77"), SPEAKER, 179) as stranger:
        assert await stranger.receive() is None
    assert scene.tester.state is State.ACTIVE


async def test_a_peer_that_does_not_read_is_let_go(scene: Scene, autojump_clock: trio.testing.MockClock) -> None:
    """RFC 9687: the send hold timer ends the session, and what waits for the peer goes with it."""
    updates = [
        fields(b"", BLOCK + attribute(0xC0, 8, u32(number)), b"\x20\x0a" + number.to_bytes(3, "big"))
        for number in range(20000)
    ]
    async with scene.test() as source, scene.watch(hold=30) as deaf, trio.open_nursery() as nursery:
        await scene.watcher.wait_established()
        nursery.start_soon(keep_alive, source, deaf)
        await source.send(*updates)
        await scene.watcher.wait_down()
        assert "send hold timer" in scene.watcher.why_down
        assert not scene.watcher.outbox.octets
        assert scene.tester.state is State.ESTABLISHED
        nursery.cancel_scope.cancel()


async def keep_alive(*peers: ScriptedPeer) -> None:
    while True:
        for peer in peers:
            await peer.send(message(4))
        await trio.sleep(20)


async def test_all_that_was_sent_before_a_silence_is_read(scene: Scene) -> None:
    prefixes = [b"\x20\x0a" + number.to_bytes(3, "big") for number in range(50000)]
    async with scene.test() as tester:
        await tester.send(
            *(fields(b"", BLOCK, b"".join(prefixes[at : at + 700])) for at in range(0, len(prefixes), 700))
        )
        await trio.testing.wait_all_tasks_blocked()
        assert scene.tester.adj_in is not None
        assert len(scene.tester.adj_in) == len(prefixes)


def test_every_attack_has_something_to_stand_for_it() -> None:
    names = {case.name for case in ALL}
    here = set(globals())
    for attack, covers in COVERED.items():
        for cover in covers:
            known = cover in names or cover.removeprefix("::") in here or " " in cover
            assert known, f"{attack}: {cover}"


@pytest.mark.skipif(not LIST.exists(), reason="../shared/errors.md is not there")
def test_the_tables_are_the_list() -> None:
    """The names of the cases, what is required, and the attacks are those of the list."""
    rows = [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in LIST.read_text().splitlines()]
    part2 = {row[0]: (row[1], row[2]) for row in rows if len(row) == 4 and row[3].strip("| ").isdigit()}
    ours = {case.name: (case.required, case.rfc) for case in ALL if case.name in part2}
    assert len(part2) == 208
    assert ours == part2
    attacks = {row[0].strip("| ") for row in rows if row[0].strip("| ")[:1] == "T" and row[0].strip("| ")[1:].isdigit()}
    assert attacks == COVERED.keys()


async def test_malformed_updates_are_told_whole(scene: Scene) -> None:
    """RFC 7606 6: whoever runs the speaker can see the UPDATE and its prefixes, also where the session ends."""
    heard: list[MalformedUpdate] = []
    scene.speaker.observe_malformed(heard.append)
    bad = fields(b"", ORIGIN + AS_PATH + attribute(0x40, 3, b"\0"), P4 + Q4)
    mixed = fields(b"", BLOCK, b"\x08\xe0" + P4)
    fatal = fields(b"", BLOCK, b"\x21" + P4)
    async with scene.test() as tester:
        await tester.send(bad, mixed, fields(b"", BLOCK, Q4), fatal)
        await tester.notification()
    assert [one.octets for one in heard] == [bad, mixed, fatal]
    assert [one.prefixes for one in heard] == [
        ("203.0.113.0/24", "198.51.100.0/24"),
        ("203.0.113.0/24", "224.0.0.0/8"),
        (),
    ]
    assert [one.reaction for one in heard] == [Reaction.TREAT_AS_WITHDRAW, None, Reaction.SESSION_RESET]
    assert heard[1].ignored == ("224.0.0.0/8",)
    assert scene.tester.counts.updates_malformed == 3


@pytest.mark.parametrize(("option", "longest"), [(0.5, 0.5), (4.0, 4.0), (None, 5.0)])
async def test_the_pause_after_failures_is_as_long_as_the_option_says(
    option: float | None, longest: float, autojump_clock: trio.testing.MockClock
) -> None:
    network = MemoryNetwork()
    async with open_speaker(
        asn=OURS, router_id=str(SPEAKER_ID), listen=[f"{SPEAKER}:179"], transport=network.transport(SPEAKER)
    ) as speaker:
        peer = await speaker.add_peer(PeerOptions(TESTER, THEIRS, passive=True, idle_hold_time=option))
        for _ in range(8):
            begun = trio.current_time()
            await peer._wait(lambda state: state is State.ACTIVE)
            waited = trio.current_time() - begun
            assert waited <= longest
            async with ScriptedPeer.dial(network.transport(TESTER), SPEAKER, 179) as tester:
                await tester.send(message(255))
                await tester.notification()
        assert waited > longest / 2
