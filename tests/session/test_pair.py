"""Two sessions over a fake wire (RFC 4271 8): up, in pieces, with time going by, and down again."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest
from helpers import Scripted, SessionPair, capabilities, peer_open, session_options

from bgp.capability import EnhancedRouteRefresh
from bgp.message import Keepalive, Notification, PathAttribute, RouteRefresh, Update
from bgp.session import Closed, Dial, Established
from bgp.wire.codec import encode
from bgp.wire.scan import Reach
from fsm.words import State
from rib.as_path import AsPath
from rib.attributes import Origin
from rib.family import IPV4_UNICAST
from rib.prefix import Prefix


def announcement(number: int, *, asn: int = 65001) -> bytes:
    """An UPDATE with one prefix."""
    return encode(
        Update(
            attributes=(
                PathAttribute(0x40, 1, Origin.IGP),
                PathAttribute(0x40, 2, AsPath.parse(str(asn))),
                PathAttribute(0x40, 3, IPv4Address("10.0.0.1")),
            ),
            nlri=(Prefix(f"10.{number >> 8}.{number & 255}.0/24"),),
        )
    )


def announced(pair: SessionPair) -> list[bytes]:
    """What `far` was told."""
    return [one for event in pair.events[pair.far] if isinstance(event, Reach) for one in event.nlri]


def test_both_sides_come_up_and_agree() -> None:
    pair = SessionPair(session_options(hold_time=30), session_options(65002, "10.0.0.2", 65001, hold_time=60))
    pair.connect()
    pair.carry()
    assert pair.near.state is pair.far.state is State.ESTABLISHED
    assert pair.kinds(pair.near) == ["Dial", "OpenReceived", "Established"]
    assert pair.kinds(pair.far) == ["OpenReceived", "Established"]
    assert pair.near.machine.hold_time == pair.far.machine.hold_time == 30
    assert pair.near.negotiated is not None
    assert pair.far.negotiated is not None
    assert pair.near.negotiated.families == pair.far.negotiated.families
    assert (pair.near.negotiated.peer_asn, pair.far.negotiated.peer_asn) == (65002, 65001)


@pytest.mark.parametrize("step", [1, 2, 7, 18, 19, 20, 100])
def test_octets_in_pieces_with_pauses_lose_nothing(step: int) -> None:
    pair = SessionPair()
    pair.connect()
    pair.carry(step, pause=0.05)
    assert pair.near.state is pair.far.state is State.ESTABLISHED
    routes = b"".join(announcement(number) + encode(Keepalive()) * (number % 3 == 0) for number in range(20))
    pair.carry(step, pause=0.05, extra={pair.near: routes})
    assert announced(pair) == [Prefix(f"10.0.{number}.0/24").nlri for number in range(20)]
    assert pair.far.state is State.ESTABLISHED


def test_whole_messages_in_our_own_buffer_do_not_wait_for_the_socket() -> None:
    pair = SessionPair()
    pair.connect()
    pair.carry()
    whole = [announcement(number) for number in range(50)]
    pair.far.receive(b"".join(whole[:30]) + whole[30][:25], pair.now)
    pair.take(pair.far)
    assert len(announced(pair)) == 30
    pair.far.receive(whole[30][25:] + b"".join(whole[31:]), pair.now)
    pair.take(pair.far)
    assert len(announced(pair)) == 50


def test_messages_of_other_kinds_between_updates_hold_up_nothing() -> None:
    pair = SessionPair()
    pair.connect()
    pair.carry()
    octets = b"".join(announcement(n) + encode(Keepalive()) for n in range(10))
    pair.far.receive(octets, pair.now)
    pair.take(pair.far)
    assert len(announced(pair)) == 10
    assert pair.far.updates_in == 10


def test_messages_are_counted() -> None:
    pair = SessionPair()
    pair.connect()
    pair.carry(extra={pair.near: b""})
    pair.carry(extra={pair.near: announcement(1)})
    assert (pair.far.messages_in, pair.far.updates_in) == (3, 1)
    assert pair.near.messages_out == 2


def test_keepalives_keep_the_session_up() -> None:
    pair = SessionPair(session_options(hold_time=9), None)
    pair.connect()
    pair.carry()
    for _ in range(40):
        pair.wait(1.0)
        pair.carry()
    assert pair.near.state is pair.far.state is State.ESTABLISHED
    assert 13 <= pair.near.messages_out - 2 <= 20


def test_silence_ends_the_session_after_the_hold_time() -> None:
    script = Scripted(session_options(hold_time=9)).establish()
    script.wait(8.9)
    assert script.session.state is State.ESTABLISHED
    script.wait(0.2)
    assert script.notification == Notification(4, 0)
    (closed,) = [event for event in script.events if isinstance(event, Closed)]
    assert closed.reason == "hold timer expired; sent NOTIFICATION 4/0"


@pytest.mark.parametrize("octets", [encode(Keepalive()), announcement(1, asn=65002)])
def test_a_keepalive_and_an_update_restart_the_hold_timer(octets: bytes) -> None:
    script = Scripted(session_options(hold_time=9)).establish()
    for _ in range(5):
        script.wait(8.0)
        script.say(octets)
    assert script.session.state is State.ESTABLISHED


def test_half_a_message_does_not_restart_the_hold_timer() -> None:
    script = Scripted(session_options(hold_time=9)).establish()
    script.wait(8.0)
    script.say(encode(Keepalive())[:10])
    script.wait(1.5)
    assert script.notification == Notification(4, 0)


def test_a_peer_that_never_says_open_is_given_up() -> None:
    script = Scripted().connect()
    script.wait(241)
    assert Notification(4, 0) in script.heard


def test_stop_says_cease_and_stays_down() -> None:
    pair = SessionPair()
    pair.connect()
    pair.carry()
    pair.near.stop(pair.now, Notification(6, 2, b"\x04bye!"))
    pair.take(pair.near)
    (closed,) = [event for event in pair.events[pair.far] if isinstance(event, Closed)]
    assert closed.received == Notification(6, 2, b"\x04bye!")
    assert "bye!" in closed.reason
    pair.wait(500)
    assert pair.near.state is State.IDLE
    assert pair.near.reason.startswith("stopped by us")


def test_close_says_why_and_starts_again() -> None:
    script = Scripted().establish()
    script.session.close(script.now, Notification(6, 1, b"\0\1\1\0\0\0\x0a"), "more than 10 prefixes")
    script.settle()
    assert script.notification == Notification(6, 1, b"\0\1\1\0\0\0\x0a")
    assert "more than 10 prefixes" in script.session.reason
    script.wait(61)
    assert Dial() in script.events


def test_a_lost_connection_starts_again() -> None:
    script = Scripted().establish()
    script.session.lost(script.now, "connection reset by peer")
    script.settle()
    assert script.session.state is State.IDLE
    assert script.session.reason == "connection reset by peer"
    script.wait(5)
    assert Dial() in script.events
    assert script.session.state is State.CONNECT


def test_a_session_that_comes_up_again_begins_afresh() -> None:
    script = Scripted().establish()
    script.say(encode(Keepalive())[:7])
    script.session.lost(script.now, "cut")
    script.settle()
    script.wait(5)
    script.session.connected(script.now, dialled=True)
    script.settle()
    script.say(peer_open(), Keepalive())
    assert script.session.state is State.ESTABLISHED
    assert [type(e) for e in script.events].count(Established) == 1
    assert (script.session.sent, script.session.received) == (None, None)
    assert script.session.reason == "KEEPALIVE received"


def test_a_connection_that_takes_nothing_ends_the_session() -> None:
    """RFC 9687: the SendHoldTimer, at least eight minutes."""
    script = Scripted(session_options(hold_time=9)).establish()
    for _ in range(120):
        script.wait(4.0)
        script.say(Keepalive())
        if script.session.state is not State.ESTABLISHED:
            break
    assert script.session.reason == "send hold timer expired"
    assert script.now == pytest.approx(480, abs=8)


def test_a_connection_that_takes_octets_does_not() -> None:
    script = Scripted(session_options(hold_time=9)).establish()
    for _ in range(200):
        script.wait(4.0)
        script.session.octets_sent(script.now, updates=False)
        script.say(Keepalive())
    assert script.session.state is State.ESTABLISHED


def test_updates_sent_put_the_next_keepalive_off() -> None:
    script = Scripted(session_options(hold_time=9)).establish()
    for _ in range(20):
        script.wait(1.0)
        script.session.octets_sent(script.now, updates=True)
        script.say(Keepalive())
    assert Keepalive() not in script.heard


def test_a_lost_collision_says_so_and_nothing_more() -> None:
    script = Scripted().confirm()
    script.session.dump(script.now, "the other one stays")
    script.settle()
    assert script.notification == Notification(6, 7)
    assert script.session.reason.startswith("connection collision: the other one stays")


def test_events_that_nobody_wants_are_forgotten() -> None:
    script = Scripted().establish()
    script.session.receive(announcement(1, asn=65002), script.now)
    script.session.discard_events()
    assert list(script.session.events()) == []
    script.session.lost(script.now, "gone")
    script.session.discard_events()
    assert list(script.session.events()) == []


def test_asking_for_a_refresh_is_a_message() -> None:
    script = Scripted().establish()
    script.session.ask_refresh(RouteRefresh(IPV4_UNICAST))
    script.settle()
    assert script.heard == [RouteRefresh(IPV4_UNICAST)]


def test_a_refresh_of_the_wrong_length_is_an_error_of_its_own_where_it_is_enhanced() -> None:
    """RFC 7313 5."""
    theirs = peer_open(capabilities=(*capabilities(65002), EnhancedRouteRefresh()))
    script = Scripted(session_options(capabilities=(*capabilities(65001), EnhancedRouteRefresh()))).establish(theirs)
    octets = encode(RouteRefresh(IPV4_UNICAST, 1, b"?"))
    script.say(octets)
    assert script.notification == Notification(7, 1, octets)


def test_a_session_that_comes_back_with_the_same_words_reads_on_with_what_it_knows() -> None:
    script = Scripted().establish()
    before = script.session.scanner
    script.session.lost(script.now, "cut")
    script.settle()
    script.wait(5)
    script.session.connected(script.now, dialled=True)
    script.settle()
    script.say(peer_open(), Keepalive())
    assert script.session.scanner is before
    script.session.lost(script.now, "cut")
    script.settle()
    script.wait(5)
    script.session.connected(script.now, dialled=True)
    script.settle()
    script.say(peer_open(capabilities=()), Keepalive())
    assert script.session.scanner is not before, "AS numbers have two octets now"
