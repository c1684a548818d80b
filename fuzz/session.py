"""Invariant: no octets make a session raise, answer with what is no message, or wait for ever; when it ends it says so once.

The first octet chooses the state that the octets come in, and whether an incorrect MP_REACH_NLRI costs its family only; the
second the size of the pieces that they come in.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from bgp.iana import MessageType
from bgp.message import Keepalive
from bgp.session import Closed, HangUp
from bgp.wire.codec import encode
from fsm.words import State
from fuzz.mutate import real_messages

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from helpers import Scripted, peer_open, session_options  # of the tests

#: Seconds in which an idle session must have ended by its hold timer.
LONG: Final = 1000.0
CONNECTED: Final = (State.OPEN_SENT, State.OPEN_CONFIRM, State.ESTABLISHED)


def one(octets: bytes) -> None:
    """Check one input."""
    head, rest = octets[:2].ljust(2, b"\0"), octets[2:]
    scripted = Scripted(session_options(disable_families=bool(head[0] & 4)))
    begin = (scripted.connect, scripted.confirm, scripted.establish, scripted.establish)[head[0] & 3]
    begin()
    step = head[1] or 256
    for at in range(0, len(rest), step):
        scripted.say(rest[at : at + step])
    check(scripted)
    scripted.wait(LONG)
    check(scripted)
    # A peer that said nothing more has lost its session, unless it said a hold time of 0 (RFC 4271 4.2).
    session = scripted.session
    assert session.state not in CONNECTED or not session.machine.hold_time, session.state


def check(scripted: Scripted) -> None:
    """Hold what the session has done so far against the invariant."""
    session = scripted.session
    closed = [event for event in scripted.events if isinstance(event, Closed)]
    assert len(closed) <= 1, closed
    if session.state is State.IDLE:
        assert any(isinstance(event, HangUp) for event in scripted.events)
        assert session.reason
    # RFC 4271 6.4: there is no answer to a NOTIFICATION.
    if session.received is not None and session.state is State.IDLE:
        assert session.sent is None or session.sent.code == 5, session.sent
    deadline = session.deadline()
    assert deadline is None or deadline >= scripted.now, "a timer that is due was not kept"


def seeds() -> Iterator[bytes]:
    """Inputs to begin with."""
    yield b"\0\0" + encode(peer_open()) + encode(Keepalive())
    yield b"\2\1" + encode(Keepalive()) * 3
    for kind in (MessageType.OPEN, MessageType.UPDATE, MessageType.NOTIFICATION, MessageType.ROUTE_REFRESH):
        for number, seed in enumerate(real_messages(kind.name.replace("_", "-"))):
            if number % 40 == 0:
                yield bytes((number // 40 & 7, number & 0xFF)) + seed.octets
