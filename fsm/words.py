"""The vocabulary of the state machine: states, events, timers, and the actions it answers with.

Numbers are those of RFC 4271 8.1 and RFC 9687. Nothing here decides anything.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final, NamedTuple, Protocol


class State(IntEnum):
    """RFC 4271 8.2.2, numbered as the BGP MIB does (RFC 4273)."""

    IDLE = 1
    CONNECT = 2
    ACTIVE = 3
    OPEN_SENT = 4
    OPEN_CONFIRM = 5
    ESTABLISHED = 6

    @property
    def title(self) -> str:
        """The RFC's spelling: "OpenSent"."""
        return self.name.title().replace("_", "")


class Event(IntEnum):
    """RFC 4271 8.1: everything that can happen to a connection; 29 is of RFC 9687."""

    MANUAL_START = 1
    MANUAL_STOP = 2
    AUTOMATIC_START = 3
    MANUAL_START_WITH_PASSIVE_TCP_ESTABLISHMENT = 4
    AUTOMATIC_START_WITH_PASSIVE_TCP_ESTABLISHMENT = 5
    AUTOMATIC_START_WITH_DAMP_PEER_OSCILLATIONS = 6
    AUTOMATIC_START_WITH_DAMP_PEER_OSCILLATIONS_AND_PASSIVE_TCP_ESTABLISHMENT = 7
    AUTOMATIC_STOP = 8
    CONNECT_RETRY_TIMER_EXPIRES = 9
    HOLD_TIMER_EXPIRES = 10
    KEEPALIVE_TIMER_EXPIRES = 11
    DELAY_OPEN_TIMER_EXPIRES = 12
    IDLE_HOLD_TIMER_EXPIRES = 13
    TCP_CONNECTION_VALID = 14  #: a SYN from an acceptable source came in
    TCP_CR_INVALID = 15  #: a SYN from an unacceptable one
    TCP_CR_ACKED = 16  #: the connection we dialled is up
    TCP_CONNECTION_CONFIRMED = 17  #: a connection we accepted is up
    TCP_CONNECTION_FAILS = 18  #: the attempt failed, or the connection was closed or broke
    BGP_OPEN = 19
    BGP_OPEN_WITH_DELAY_OPEN_TIMER_RUNNING = 20
    BGP_HEADER_ERR = 21
    BGP_OPEN_MSG_ERR = 22
    OPEN_COLLISION_DUMP = 23  #: this connection lost (RFC 4271 6.8)
    NOTIF_MSG_VER_ERR = 24
    NOTIF_MSG = 25
    KEEPALIVE_MSG = 26
    UPDATE_MSG = 27
    UPDATE_MSG_ERR = 28
    SEND_HOLD_TIMER_EXPIRES = 29


class Timer(IntEnum):
    """The timers of one connection; the numbers are places in `Timers`."""

    HOLD = 0  #: first: of two timers due at one instant the hold timer speaks first
    SEND_HOLD = 1
    KEEPALIVE = 2
    CONNECT_RETRY = 3
    DELAY_OPEN = 4
    IDLE_HOLD = 5

    @property
    def event(self) -> Event:
        """What happens when it expires."""
        return EXPIRY[self]


EXPIRY: Final[dict[Timer, Event]] = {
    Timer.HOLD: Event.HOLD_TIMER_EXPIRES,
    Timer.SEND_HOLD: Event.SEND_HOLD_TIMER_EXPIRES,
    Timer.KEEPALIVE: Event.KEEPALIVE_TIMER_EXPIRES,
    Timer.CONNECT_RETRY: Event.CONNECT_RETRY_TIMER_EXPIRES,
    Timer.DELAY_OPEN: Event.DELAY_OPEN_TIMER_EXPIRES,
    Timer.IDLE_HOLD: Event.IDLE_HOLD_TIMER_EXPIRES,
}


class Fault(Protocol):
    """What a NOTIFICATION says: a message received, or an error of the peer's that we found."""

    @property
    def code(self) -> int:
        """RFC 4271 4.5: the error code."""

    @property
    def subcode(self) -> int:
        """RFC 4271 4.5: the error subcode."""

    @property
    def data(self) -> bytes:
        """RFC 4271 4.5: the data field."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something the machine wants done; it does nothing itself."""


@dataclass(frozen=True, slots=True)
class Connect(Action):
    """Dial the peer; answer with TCP_CR_ACKED or TCP_CONNECTION_FAILS."""


@dataclass(frozen=True, slots=True)
class SendOpen(Action):
    """Send our OPEN."""


@dataclass(frozen=True, slots=True)
class SendKeepalive(Action):
    """Send a KEEPALIVE; the machine has restarted its KeepaliveTimer already."""


@dataclass(frozen=True, slots=True)
class SendNotification(Action):
    """Send a NOTIFICATION; a `Drop` follows it."""

    code: int
    subcode: int
    data: bytes = b""


@dataclass(frozen=True, slots=True)
class Drop(Action):
    """Close the TCP connection, or abandon the attempt at one; harmless where there is neither."""


@dataclass(frozen=True, slots=True)
class SessionUp(Action):
    """Established: routes may flow."""


@dataclass(frozen=True, slots=True)
class SessionDown(Action):
    """No longer Established: forget the peer's routes."""

    reason: str


class Transition(NamedTuple):
    """A change of state and why it happened: the answer to "why is this session down?"."""

    old: State
    new: State
    event: Event
    reason: str
    at: float


#: What to tell people about an event when nobody knows more.
REASONS: Final[dict[Event, str]] = {
    Event.MANUAL_START: "started by the operator",
    Event.MANUAL_STOP: "stopped by the operator",
    Event.AUTOMATIC_START: "started",
    Event.MANUAL_START_WITH_PASSIVE_TCP_ESTABLISHMENT: "started by the operator, passive",
    Event.AUTOMATIC_START_WITH_PASSIVE_TCP_ESTABLISHMENT: "started, passive",
    Event.AUTOMATIC_START_WITH_DAMP_PEER_OSCILLATIONS: "started, damped",
    Event.AUTOMATIC_START_WITH_DAMP_PEER_OSCILLATIONS_AND_PASSIVE_TCP_ESTABLISHMENT: "started, damped and passive",
    Event.AUTOMATIC_STOP: "stopped by the speaker",
    Event.CONNECT_RETRY_TIMER_EXPIRES: "connect retry timer expired",
    Event.HOLD_TIMER_EXPIRES: "hold timer expired",
    Event.KEEPALIVE_TIMER_EXPIRES: "keepalive timer expired",
    Event.DELAY_OPEN_TIMER_EXPIRES: "delay open timer expired",
    Event.IDLE_HOLD_TIMER_EXPIRES: "idle hold timer expired",
    Event.TCP_CONNECTION_VALID: "connection attempt by the peer",
    Event.TCP_CR_INVALID: "connection attempt from a wrong address",
    Event.TCP_CR_ACKED: "connected to the peer",
    Event.TCP_CONNECTION_CONFIRMED: "connected by the peer",
    Event.TCP_CONNECTION_FAILS: "TCP connection failed or closed",
    Event.BGP_OPEN: "OPEN received",
    Event.BGP_OPEN_WITH_DELAY_OPEN_TIMER_RUNNING: "OPEN received while delaying ours",
    Event.BGP_HEADER_ERR: "message header error",
    Event.BGP_OPEN_MSG_ERR: "OPEN message error",
    Event.OPEN_COLLISION_DUMP: "connection collision lost",
    Event.NOTIF_MSG_VER_ERR: "NOTIFICATION received: version error",
    Event.NOTIF_MSG: "NOTIFICATION received",
    Event.KEEPALIVE_MSG: "KEEPALIVE received",
    Event.UPDATE_MSG: "UPDATE received",
    Event.UPDATE_MSG_ERR: "UPDATE message error",
    Event.SEND_HOLD_TIMER_EXPIRES: "send hold timer expired",
}
