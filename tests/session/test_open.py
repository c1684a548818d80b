"""The way up: OPENs that are accepted, and what each one that is not gets (RFC 4271 6.2, RFC 5492, RFC 6286, RFC 6793)."""

from __future__ import annotations

import pytest
from helpers import Scripted, capabilities, messages_in, peer_open, session_options

from bgp.capability import AddPath, FourOctetAs, GracefulRestart, Multiprotocol, UnknownCapability
from bgp.message import Keepalive, Notification, Open
from bgp.session import Dial, Established, HangUp, OpenReceived, Session
from bgp.wire.codec import encode
from fsm.words import State
from rib.family import IPV4_UNICAST, IPV6_UNICAST, L2VPN_EVPN


def test_an_active_session_dials_says_open_and_comes_up() -> None:
    session = Session(session_options())
    session.start(0.0)
    assert list(session.events()) == [Dial()]
    assert session.octets_to_send() == b""
    session.connected(0.0, dialled=True)
    assert [type(m) for m in messages_in(session.octets_to_send())] == [Open]
    session.receive(encode(peer_open()), 1.0)
    assert list(session.events()) == [OpenReceived(peer_open())]
    assert messages_in(session.octets_to_send()) == [Keepalive()]
    session.receive(encode(Keepalive()), 2.0)
    assert [type(e) for e in session.events()] == [Established]
    assert session.state is State.ESTABLISHED


def test_our_open_says_what_we_are() -> None:
    script = Scripted(session_options(4_200_000_000, "10.9.8.7", hold_time=30)).connect()
    (said,) = script.heard
    assert isinstance(said, Open)
    assert (said.my_as, said.asn, str(said.bgp_id), said.hold_time) == (23456, 4_200_000_000, "10.9.8.7", 30)


@pytest.mark.parametrize(
    ("ours", "theirs", "agreed"), [(90, 30, 30), (9, 240, 9), (90, 0, 0), (0, 90, 0), (3, 3, 3), (90, 65535, 90)]
)
def test_the_smaller_hold_time_holds(ours: int, theirs: int, agreed: int) -> None:
    script = Scripted(session_options(hold_time=ours)).establish(peer_open(hold_time=theirs))
    assert script.session.machine.hold_time == agreed


def test_without_a_hold_time_no_timer_runs() -> None:
    script = Scripted().establish(peer_open(hold_time=0))
    assert script.session.deadline() is None


@pytest.mark.parametrize("peer_asn", [65002, 4_200_000_000, None])
def test_the_peers_as_number_is_known(peer_asn: int | None) -> None:
    script = Scripted(session_options(peer_asn=peer_asn)).establish(peer_open(peer_asn or 65077))
    assert script.session.negotiated is not None
    assert script.session.negotiated.peer_asn == (peer_asn or 65077)


def test_a_peer_without_four_octet_as_numbers_is_taken_at_its_field() -> None:
    script = Scripted().establish(peer_open(capabilities=(Multiprotocol(IPV4_UNICAST),)))
    assert script.session.negotiated is not None
    assert not script.session.negotiated.as4
    assert script.session.negotiated.families == (IPV4_UNICAST,)


def test_a_peer_without_capabilities_speaks_ipv4_unicast() -> None:
    script = Scripted().establish(peer_open(capabilities=()))
    assert script.session.negotiated is not None
    assert script.session.negotiated.families == (IPV4_UNICAST,)


def test_an_external_peer_may_have_our_identifier() -> None:
    assert Scripted().establish(peer_open(bgp_id="10.0.0.1")).session.state is State.ESTABLISHED


def test_capabilities_that_nobody_knows_do_no_harm() -> None:
    odd = (*capabilities(65002), UnknownCapability(238, b"what"), AddPath(((IPV4_UNICAST, 7),)))
    assert Scripted().establish(peer_open(capabilities=odd)).session.state is State.ESTABLISHED


NO_EVPN = b"\x01\x04" + bytes.fromhex("00190046")
REFUSED = {
    "version 3": (peer_open(version=3), Notification(2, 1, b"\0\4")),
    "version 5": (peer_open(version=5), Notification(2, 1, b"\0\4")),
    "another AS": (peer_open(65003), Notification(2, 2)),
    "AS 0": (peer_open(my_as=0, capabilities=()), Notification(2, 2)),
    "AS 0 in the capability": (
        peer_open(capabilities=(Multiprotocol(IPV4_UNICAST), FourOctetAs(0))),
        Notification(2, 2),
    ),
    "another AS in the capability": (
        peer_open(capabilities=(Multiprotocol(IPV4_UNICAST), FourOctetAs(65003))),
        Notification(2, 2),
    ),
    "two ASes in capabilities": (
        peer_open(capabilities=(FourOctetAs(65002), FourOctetAs(65003))),
        Notification(2, 2),
    ),
    "hold time 1": (peer_open(hold_time=1), Notification(2, 6)),
    "hold time 2": (peer_open(hold_time=2), Notification(2, 6)),
    "BGP identifier 0": (peer_open(bgp_id="0.0.0.0"), Notification(2, 3)),
    "no family in common": (
        peer_open(capabilities=(Multiprotocol(L2VPN_EVPN), FourOctetAs(65002))),
        Notification(2, 7, bytes.fromhex("0104000100010104000200 01".replace(" ", ""))),
    ),
}


@pytest.mark.parametrize(("message", "answer"), REFUSED.values(), ids=REFUSED)
def test_an_open_that_cannot_be_is_refused(message: Open, answer: Notification) -> None:
    script = Scripted().connect()
    script.say(message)
    assert script.notification == answer
    assert script.session.state is State.IDLE
    assert script.session.sent == answer
    assert script.session.reason.endswith(f"sent NOTIFICATION {answer.code}/{answer.subcode}") or script.session.reason


def test_an_internal_peer_must_not_have_our_identifier() -> None:
    script = Scripted(session_options(65001, "10.0.0.1", 65001)).connect()
    script.say(peer_open(65001, "10.0.0.1"))
    assert script.notification == Notification(2, 3)


def test_a_peer_of_any_as_that_turns_out_to_be_internal_must_not_have_our_identifier() -> None:
    script = Scripted(session_options(65001, "10.0.0.1", None)).connect()
    script.say(peer_open(65001, "10.0.0.1"))
    assert script.notification == Notification(2, 3)


def test_an_open_of_another_version_is_refused_for_that_and_nothing_else() -> None:
    script = Scripted().connect()
    octets = bytearray(encode(peer_open(65003, hold_time=1)))
    octets[19] = 3
    octets[-1] ^= 0xFF
    script.say(bytes(octets))
    assert script.notification == Notification(2, 1, b"\0\4")


def open_octets(parameters: bytes) -> bytes:
    fixed = b"\x04" + (65002).to_bytes(2, "big") + (90).to_bytes(2, "big") + bytes((10, 0, 0, 2))
    body = fixed + parameters
    return b"\xff" * 16 + (19 + len(body)).to_bytes(2, "big") + b"\x01" + body


MALFORMED = {
    "parameters shorter than they say": (open_octets(b"\x04\x02\x06\x01\x04"), Notification(2, 0)),
    "parameters longer than they say": (open_octets(b"\x00\x02\x00"), Notification(2, 0)),
    "half a parameter": (open_octets(b"\x01\x02"), Notification(2, 0)),
    "a parameter nobody knows": (open_octets(b"\x03\x01\x01\x00"), Notification(2, 4)),
    "half a capability": (open_octets(b"\x03\x02\x01\x01"), Notification(2, 0)),
    "a capability of the wrong length": (open_octets(b"\x06\x02\x04\x41\x02\x00\x00"), Notification(2, 0)),
    "extended parameters cut short": (open_octets(b"\xff\xff\x00\x09\x02\x00\x01"), Notification(2, 0)),
}


@pytest.mark.parametrize(("octets", "answer"), MALFORMED.values(), ids=MALFORMED)
def test_an_open_that_cannot_be_read_is_refused(octets: bytes, answer: Notification) -> None:
    script = Scripted().connect()
    script.say(octets)
    assert script.notification == answer


def test_extended_optional_parameters_are_read() -> None:
    capability = b"\x01\x04\x00\x01\x00\x01"
    parameter = b"\x02" + len(capability).to_bytes(2, "big") + capability
    script = Scripted().connect()
    script.say(open_octets(b"\xff\xff" + len(parameter).to_bytes(2, "big") + parameter), Keepalive())
    assert script.session.state is State.ESTABLISHED


def test_open_and_keepalive_may_come_together() -> None:
    script = Scripted().connect()
    script.say(peer_open(), Keepalive())
    assert script.session.state is State.ESTABLISHED


def test_a_refused_open_does_not_leave_its_agreements_behind() -> None:
    script = Scripted().connect()
    script.say(peer_open(hold_time=1))
    assert script.session.negotiated is None
    assert script.session.peer_open is None


def test_graceful_restart_is_agreed_only_where_both_have_it() -> None:
    theirs = (*capabilities(65002), GracefulRestart(False, True, 120, ((IPV6_UNICAST, True),)))
    script = Scripted().establish(peer_open(capabilities=theirs))
    assert script.session.negotiated is not None
    assert script.session.negotiated.graceful_restart is None
    ours = (*capabilities(65001), GracefulRestart(False, True, 60))
    script = Scripted(session_options(capabilities=ours)).establish(peer_open(capabilities=theirs))
    assert script.session.negotiated is not None
    assert script.session.negotiated.graceful_restart == theirs[-1]


def test_nothing_is_sent_after_the_notification() -> None:
    script = Scripted().connect()
    script.say(peer_open(hold_time=1), Keepalive())
    assert isinstance(script.heard[-1], Notification)
    script.say(Keepalive())
    script.wait(0.5)
    assert isinstance(script.heard[-1], Notification)
    assert sum(isinstance(event, HangUp) for event in script.events) == 1
