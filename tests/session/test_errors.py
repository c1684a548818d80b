"""Messages that must not be: headers (RFC 4271 6.1), messages out of turn (RFC 6608), UPDATEs that end the session."""

from __future__ import annotations

import pytest
from helpers import Scripted, capabilities, peer_open, session_options

from bgp.capability import Multiprotocol
from bgp.message import Keepalive, Message, Notification, Open, RouteRefresh, Update
from bgp.session import Closed, HangUp
from bgp.wire.codec import encode
from bgp.wire.scan import Reach, RouteUpdate
from fsm.words import State
from rib.family import IPV4_UNICAST

MARKER = b"\xff" * 16


def header(length: int, kind: int, marker: bytes = MARKER) -> bytes:
    return marker + length.to_bytes(2, "big") + bytes((kind,))


BAD_HEADERS = {
    "marker of zeros": (header(19, 4, b"\0" * 16), Notification(1, 1)),
    "one bit of the marker": (header(19, 4, MARKER[:15] + b"\xfe"), Notification(1, 1)),
    "not BGP at all": (b"GET / HTTP/1.1\r\nHost: example.net\r\n\r\n", Notification(1, 1)),
    "length 0": (header(0, 4), Notification(1, 2, b"\0\0")),
    "length 18": (header(18, 4), Notification(1, 2, b"\0\x12")),
    "length 4097": (header(4097, 2), Notification(1, 2, b"\x10\x01")),
    "length 65535": (header(65535, 2), Notification(1, 2, b"\xff\xff")),
    "OPEN of 28": (header(28, 1) + bytes(9), Notification(1, 2, b"\0\x1c")),
    "UPDATE of 22": (header(22, 2) + bytes(3), Notification(1, 2, b"\0\x16")),
    "NOTIFICATION of 20": (header(20, 3) + b"\6", Notification(1, 2, b"\0\x14")),
    "KEEPALIVE of 20": (header(20, 4) + b"\0", Notification(1, 2, b"\0\x14")),
    "ROUTE-REFRESH of 22": (header(22, 5) + bytes(3), Notification(1, 2, b"\0\x16")),
    "type 0": (header(19, 0), Notification(1, 3, b"\0")),
    "type 6": (header(19, 6), Notification(1, 3, b"\6")),
    "type 255": (header(19, 255), Notification(1, 3, b"\xff")),
}
SHORT = (Multiprotocol(IPV4_UNICAST),)


def in_open_sent() -> Scripted:
    return Scripted().connect()


def in_open_confirm() -> Scripted:
    return Scripted().confirm(peer_open(capabilities=SHORT))


def in_established() -> Scripted:
    return Scripted().establish(peer_open(capabilities=SHORT))


@pytest.mark.parametrize("begin", [in_open_sent, in_open_confirm, in_established])
@pytest.mark.parametrize(("octets", "answer"), BAD_HEADERS.values(), ids=BAD_HEADERS)
def test_a_bad_header_ends_the_session(begin, octets: bytes, answer: Notification) -> None:  # type: ignore[no-untyped-def]
    script = begin()
    script.say(octets)
    assert script.notification == answer
    assert script.session.state is State.IDLE


def test_a_header_is_judged_before_its_body_is_there() -> None:
    script = in_established()
    script.say(header(4097, 2))
    assert script.notification == Notification(1, 2, b"\x10\x01")


def test_with_extended_messages_a_long_update_is_no_error() -> None:
    script = Scripted().establish()
    script.say(header(65535, 2))
    assert script.session.state is State.ESTABLISHED
    assert script.notification is None


def test_an_open_is_never_an_extended_message() -> None:
    script = Scripted().establish()
    script.say(header(5000, 1))
    assert script.notification == Notification(1, 2, b"\x13\x88")


OUT_OF_TURN: list[tuple[Message, object, Notification]] = [
    (Keepalive(), in_open_sent, Notification(5, 1, b"\4")),
    (Update(), in_open_sent, Notification(5, 1, b"\2")),
    (RouteRefresh(IPV4_UNICAST), in_open_sent, Notification(5, 1, b"\5")),
    (peer_open(), in_open_confirm, Notification(5, 2, b"\1")),
    (Update(), in_open_confirm, Notification(5, 2, b"\2")),
    (RouteRefresh(IPV4_UNICAST), in_open_confirm, Notification(5, 2, b"\5")),
    (peer_open(), in_established, Notification(5, 3, b"\1")),
]


@pytest.mark.parametrize(
    ("message", "begin", "answer"), OUT_OF_TURN, ids=[f"{type(m).__name__} {n}" for m, _, n in OUT_OF_TURN]
)
def test_a_message_out_of_turn_is_an_fsm_error(message: Message, begin, answer: Notification) -> None:  # type: ignore[no-untyped-def]
    script = begin()
    script.say(message)
    assert script.notification == answer
    assert script.session.state is State.IDLE


def test_a_second_open_is_not_read_a_second_time() -> None:
    script = in_established()
    script.say(header(29, 1) + bytes(10))
    assert script.notification == Notification(5, 3, b"\1")


def test_a_notification_ends_the_session_without_an_answer() -> None:
    script = in_established()
    script.say(Notification(6, 2, b"\x05later"))
    assert script.heard == []
    (closed,) = [event for event in script.events if isinstance(event, Closed)]
    assert closed.received == Notification(6, 2, b"\x05later")
    assert closed.sent is None
    assert "later" in closed.reason
    assert "later" in script.session.reason


def test_a_notification_nobody_knows_ends_the_session_too() -> None:
    script = in_established()
    script.say(Notification(99, 3, b"?"))
    assert script.session.state is State.IDLE
    assert "99/3" in script.session.reason


def test_a_notification_in_open_confirm_ends_the_attempt() -> None:
    script = in_open_confirm()
    script.heard.clear()
    script.say(Notification(6, 5))
    assert script.heard == []
    assert script.session.state is State.IDLE


def test_what_follows_a_notification_is_not_read() -> None:
    script = in_established()
    script.say(Notification(6, 2), Update(), header(19, 9))
    assert script.heard == []
    assert [type(event) for event in script.events].count(HangUp) == 1


def test_an_update_that_cannot_be_read_ends_the_session() -> None:
    script = in_established()
    script.say(header(23, 2) + b"\0\xff\0\0")
    assert script.notification == Notification(3, 1)
    (closed,) = [event for event in script.events if isinstance(event, Closed)]
    assert "Withdrawn Routes Length" in closed.reason


def test_what_came_before_the_error_counts() -> None:
    route = header(23 + 20 + 4, 2) + bytes.fromhex("0000 0014 40010100 40020602010000fdea 400304 0a000002 180a0100")
    script = Scripted().establish()
    script.say(route[:16] + len(route).to_bytes(2, "big") + route[18:], header(23, 2) + b"\0\xff\0\0")
    kinds = [type(event) for event in script.events]
    assert kinds.index(Reach) < kinds.index(Closed)


def test_closing_in_the_middle_of_a_read_stops_the_reading() -> None:
    script = Scripted().establish()
    end_of_rib = encode(Update())
    script.session.receive(end_of_rib * 5, 1.0)
    seen = []
    for event in script.session.events():
        seen.append(type(event))
        if len(seen) == 1:
            script.session.close(1.0, Notification(6, 1), "enough")
    assert seen == [RouteUpdate, Closed, HangUp]


def test_route_refresh_needs_its_length_where_it_is_enhanced() -> None:
    script = Scripted().establish()
    script.say(RouteRefresh(IPV4_UNICAST, 1, b"?"))
    assert script.session.state is State.ESTABLISHED, "RFC 7313 was not negotiated"


def test_an_open_of_ours_is_not_needed_to_hear_a_keepalive_twice() -> None:
    script = Scripted(session_options(capabilities=capabilities(65001))).establish()
    script.say(Keepalive(), Keepalive())
    assert script.session.state is State.ESTABLISHED
    assert script.heard == []


def test_the_open_of_a_connection_is_kept() -> None:
    script = in_established()
    assert isinstance(script.session.peer_open, Open)
