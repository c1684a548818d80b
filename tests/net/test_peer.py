"""One neighbour's life: malformed UPDATEs, silence, full tables, collisions, and words for all that goes wrong."""

from __future__ import annotations

from ipaddress import IPv4Address
from itertools import pairwise

import pytest
import trio
from helpers import capabilities
from speakers import Laboratory, Neighbour, announcement, held, home, laboratory, settle
from trio.testing import MockClock

from bgp import accept
from bgp.capability import FourOctetAs, Multiprotocol
from bgp.message import Keepalive, Notification, Open
from bgp.net import Connection, Peer, Speaker, group
from bgp.wire.codec import encode
from fsm.words import State
from rib.attributes import Attributes
from rib.family import IPV4_UNICAST
from rib.prefix import Prefix


async def with_neighbour(lab: Laboratory, **options: object) -> tuple[Speaker, Peer, Neighbour]:
    speaker = await lab.speaker(65001, "10.0.0.1")
    fields = {"import_policy": accept, "export_policy": accept, "passive": True} | options
    peer = await speaker.add_peer("10.0.0.66", asn=65066, **fields)
    return speaker, peer, await (await lab.neighbour(speaker)).open()


async def test_treat_as_withdraw_really_withdraws(autojump_clock: MockClock) -> None:
    """RFC 7606 2: also what an earlier UPDATE announced, and also from those who were told of it."""
    async with laboratory() as lab:
        speaker, peer, neighbour = await with_neighbour(lab)
        far = await lab.speaker(65003, "10.0.0.3")
        await lab.connect(speaker, far)
        await neighbour.announce("10.1.0.0/16", "10.2.0.0/16")
        assert held(far) == {"10.1.0.0/16", "10.2.0.0/16"}
        good = encode(announcement("10.1.0.0/16"))
        assert good.count(b"\x40\x01\x01\x00") == 1
        await neighbour.say(good.replace(b"\x40\x01\x01\x00", b"\x40\x01\x01\x09"))
        assert peer.state is State.ESTABLISHED
        assert held(speaker) == held(far) == {"10.2.0.0/16"}
        assert neighbour.notification is None


async def test_a_malformed_update_ends_the_session_and_takes_its_routes(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer, neighbour = await with_neighbour(lab)
        other = await lab.speaker(65003, "10.0.0.3")
        _, unharmed = await lab.connect(speaker, other)
        await neighbour.announce("10.1.0.0/16")
        await neighbour.say(b"\xff" * 16 + b"\0\x17\x02\0\xff\0\0")
        assert neighbour.notification == Notification(3, 1)
        assert neighbour.closed
        assert held(speaker) == held(other) == set()
        assert "Withdrawn Routes Length" in peer.why_down
        assert unharmed.state is State.ESTABLISHED


async def test_silence_is_noticed_by_the_hold_timer(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer, neighbour = await with_neighbour(lab, hold_time=9)
        await neighbour.announce("10.1.0.0/16")
        await trio.sleep(8.5)
        assert peer.state is State.ESTABLISHED
        assert Keepalive() in neighbour.heard
        await trio.sleep(1)
        assert neighbour.notification == Notification(4, 0)
        assert held(speaker) == set()
        assert peer.why_down.startswith("hold timer expired")


async def test_two_quiet_speakers_stay_up_for_a_day(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65002, "10.0.0.2")
        near, far = await lab.connect(one, two, hold_time=9000)
        await trio.sleep(86400)
        assert near.state is far.state is State.ESTABLISHED
        assert near.counts.established == 1
        assert 28 <= near.counts.messages_received <= 45


async def test_keepalives_do_not_starve_behind_a_full_table(autojump_clock: MockClock) -> None:
    """A neighbour that reads a little now and then keeps hearing from us, and we keep believing it is alive."""
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1")
        peer = await speaker.add_peer(
            "10.0.0.66", asn=65066, import_policy=accept, export_policy=accept, passive=True, hold_time=9
        )
        for block in range(40):
            prefixes = [Prefix.from_nlri(1, bytes((24, 10 + block, n >> 8, n & 255))) for n in range(5000)]
            speaker.announce_all(prefixes, Attributes(med=block))
        connection = lab.network.connect("10.0.0.66", home(speaker), 179)
        offers = (Multiprotocol(IPV4_UNICAST), FourOctetAs(65066))
        opening = Open(4, 65066, 9, IPv4Address("10.0.0.66"), offers)
        await connection.send_all(encode(opening) + encode(Keepalive()))
        heard = b""
        for _ in range(100):
            heard += await connection.receive_some(20_000)
            await connection.send_all(encode(Keepalive()))
            await trio.sleep(2.0)
        assert peer.state is State.ESTABLISHED
        await connection.aclose()


async def test_a_slow_reader_leaves_its_group_and_holds_nobody_up(
    autojump_clock: MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(group, "QUEUE_LIMIT", 1 << 16)
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1")
        quick, slow = await lab.speaker(65002, "10.0.0.2"), await lab.speaker(65003, "10.0.0.3")
        await lab.connect(speaker, quick)
        behind, _ = await lab.connect(speaker, slow)
        assert len(speaker.groups) == 1
        lab.network.stall(home(speaker), home(slow))
        prefixes = [Prefix.from_nlri(1, bytes((24, 10, n >> 8, n & 255))) for n in range(20_000)]

        async def tell(med: int) -> None:
            speaker.announce_all(prefixes, Attributes(med=med))
            await settle()

        med = 0
        while len(speaker.groups) == 1:
            med += 1
            assert med < 50, "the slow reader never left"
            await tell(med)
        waiting = behind.outbox.octets
        for _ in range(5):
            med += 1
            await tell(med)
        assert behind.outbox.octets == waiting, "what it has not heard of is one entry a prefix, not one an UPDATE"
        assert {path.attributes.med for _, path in quick.loc_rib.routes(IPV4_UNICAST)} == {med}
        lab.network.heal(home(speaker), home(slow))
        await settle()
        assert {path.attributes.med for _, path in slow.loc_rib.routes(IPV4_UNICAST)} == {med}
        assert len(speaker.groups) == 1, "it has caught up and is one of the group again"


async def test_an_open_of_the_wrong_as_is_refused_and_nothing_else_is_touched(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer, neighbour = await with_neighbour(lab)
        await neighbour.announce("10.1.0.0/16")
        await speaker.add_peer("10.0.0.67", asn=65067, passive=True)
        stranger = await (await lab.neighbour(speaker, "10.0.0.67", asn=65099)).open()
        assert stranger.notification == Notification(2, 2)
        assert speaker.peers["10.0.0.67"].last_sent == Notification(2, 2)
        assert "AS 65099 where AS 65067 is configured" in speaker.peers["10.0.0.67"].why_down
        assert peer.state is State.ESTABLISHED
        assert held(speaker) == {"10.1.0.0/16"}


async def test_who_was_refused_is_tried_again_ever_less_often(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        dialled_at: list[float] = []

        async def wrong_as(connection: Connection) -> None:
            dialled_at.append(trio.current_time())
            await connection.send_all(encode(Open(4, 65099, 90, IPv4Address("10.0.0.66"), capabilities(65099))))
            while await connection.receive_some(1000):
                pass
            await connection.aclose()

        lab.listen("10.0.0.66", wrong_as)
        speaker = await lab.speaker(65001, "10.0.0.1")
        peer = await speaker.add_peer("10.0.0.66", asn=65066)
        await trio.sleep(600)
        assert peer.last_sent == Notification(2, 2)
        gaps = [after - before for before, after in pairwise(dialled_at)]
        assert gaps[0] < 2
        assert all(45 <= gap <= 60 for gap in gaps[-5:])


async def test_stopping_says_what_the_operator_said(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        _, peer, neighbour = await with_neighbour(lab)
        peer.stop(Notification(6, 2, b"\x05lunch"))
        peer.stop()
        await settle()
        assert neighbour.notification == Notification(6, 2, b"\x05lunch")
        assert neighbour.closed
        again = await lab.neighbour(peer._home)  # type: ignore[arg-type]  # the speaker
        await settle()
        assert again.closed, "a stopped peer takes no connection"


async def test_a_reset_session_comes_back(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        one, two = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65002, "10.0.0.2")
        near, far = await lab.connect(one, two)
        near.reset(Notification(6, 4))
        await settle()
        assert far.last_received == Notification(6, 4)
        with trio.fail_after(10):
            await near.wait_down()
            await near.wait_established()
        assert near.counts.established == 2
        assert near.counts.dropped == 1


async def test_counts_go_on_over_connections(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker, peer, neighbour = await with_neighbour(lab)
        await neighbour.announce("10.1.0.0/16")
        speaker.announce("10.9.0.0/16")
        await settle()
        counts = peer.counts
        assert counts.updates_received == 1
        assert counts.messages_received == 3
        assert counts.updates_sent == len(neighbour.updates) == 3  # a route and two End-of-RIB
        assert counts.messages_sent == len(neighbour.heard)
        await neighbour.cut()
        await trio.sleep(5)
        await (await lab.neighbour(speaker)).open()
        assert peer.counts.messages_received == 5
        assert peer.counts.established == 2


async def test_a_connection_while_we_wait_to_dial_again_is_as_good_as_a_dial(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1")
        peer = await speaker.add_peer("10.0.0.66", asn=65066)
        await trio.sleep(100)
        assert peer.connect_error is not None
        await (await lab.neighbour(speaker)).open()
        assert peer.state is State.ESTABLISHED
        assert peer.connect_error is None


async def test_a_second_connection_while_the_first_is_in_open_sent_supersedes_it(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1")
        peer = await speaker.add_peer("10.0.0.66", asn=65066, passive=True)
        first = await lab.neighbour(speaker)
        await settle()
        second = await (await lab.neighbour(speaker)).open()
        assert peer.state is State.ESTABLISHED
        assert first.notification == Notification(6, 7)
        assert not second.closed


async def test_a_third_connection_is_refused(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1")
        await speaker.add_peer("10.0.0.66", asn=65066, passive=True)
        waiting = [await lab.neighbour(speaker) for _ in range(3)]
        await settle()
        assert sorted(one.closed for one in waiting) == [False, False, True]


async def test_nothing_is_known_of_a_session_that_is_down(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1")
        peer = await speaker.add_peer("10.0.0.66", asn=65066, passive=True, name="toby")
        assert peer.negotiated is None
        assert peer.peer_open is None
        assert peer.connection is None
        assert peer.adj_in is None
        assert peer.options.label == "toby"
        neighbour = await (await lab.neighbour(speaker, offers=capabilities(65066))).open()
        assert peer.negotiated is not None
        assert peer.peer_open is not None
        assert peer.peer_open.asn == 65066
        await neighbour.cut()
        assert peer.negotiated is None
        assert peer.why_down == "connection closed by the peer"
