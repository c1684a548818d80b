"""RFC 4271 8.2.2 as data: what each of six states does about each of 29 events.

A cell is a `Rule` (what to do, then where to go) or a `Choice` between two cells on a `Condition`. `OTHERS` answers the
events a state does not name, as the RFC's "in response to any other event" does, so that no pair is without an answer.

Each machine is one TCP connection (RFC 4271 8.2.1). A second connection to the same peer has a machine of its own, and
`fsm.collision` decides between them; hence events 14 to 17 change nothing from OpenSent on.

Where this is not the letter of 8.2.2:

- A second OPEN on one connection is an FSM error in OpenConfirm and Established (RFC 6608 4), never a collision.
- A message header error in Established is answered with its own code, 1/x (RFC 4271 6.1), as every daemon does.
- Where the operator wants a passive peer, ConnectRetryTimer_Expires does not dial, nor does a start event.
- After a failure the IdleHoldTimer starts, damped or not, if AllowAutomaticStart is set; ManualStop stops it.
- The end of an Established session counts as an oscillation whoever caused it.
- A connection that comes up in Idle is closed: Idle "refuses all incoming BGP connections".
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Final, NamedTuple, TypeAlias

from fsm.words import Event, State


class Do(Enum):
    """One step of a rule; the text is what the documentation shows."""

    __hash__ = object.__hash__  # members are compared by identity; Enum's own looks up the name

    CONNECT = "dial"
    SEND_OPEN = "OPEN"
    SEND_KEEPALIVE = "KEEPALIVE, restart KeepaliveTimer"
    NOTIFY = "NOTIFICATION"  #: the error's own code, or the one `NOTIFICATIONS` has for the event
    NOTIFY_UNEXPECTED = "NOTIFICATION 5/x"  #: RFC 6608
    UP = "session up"
    DOWN = "session down"
    DROP = "close"
    RELEASE = "stop all timers"  #: RFC 4271: "releases all BGP resources"
    CLEAR_COUNTER = "counter = 0"
    COUNT = "counter + 1"
    START_RETRY = "start ConnectRetryTimer"
    STOP_RETRY = "stop ConnectRetryTimer"
    START_DELAY = "start DelayOpenTimer"
    STOP_DELAY = "stop DelayOpenTimer"
    HOLD_FOR_OPEN = "HoldTimer = large value"
    NEGOTIATE = "HoldTimer = negotiated"
    RESTART_HOLD = "restart HoldTimer"
    STOP_IDLE_HOLD = "stop IdleHoldTimer"
    REST = "start IdleHoldTimer"
    DAMP = "start IdleHoldTimer, damped"  #: RFC 4271: "performs peer oscillation damping"
    REDIAL_LATER = "start IdleHoldTimer until the next dial"


class Condition(Enum):
    """What a choice depends on; the text is what the documentation shows."""

    __hash__ = object.__hash__  # members are compared by identity; Enum's own looks up the name

    MAY_START = "AllowAutomaticStart"
    DAMPED_START_IS_DUE = "AllowAutomaticStart, DampPeerOscillations, IdleHoldTimer not running"
    MAY_STOP = "AllowAutomaticStop"
    PASSIVE = "PassiveTcpEstablishment"
    DELAY_OPEN = "DelayOpen"
    DELAY_OPEN_RUNS = "DelayOpenTimer running"
    NOTIFY_WITHOUT_OPEN = "SendNOTIFICATIONwithoutOPEN"
    COLLISION_IN_ESTABLISHED = "CollisionDetectEstablishedState"


class Rule(NamedTuple):
    """Steps to take in order, then the state to go to; None stays."""

    steps: tuple[Do, ...] = ()
    to: State | None = None


class Choice(NamedTuple):
    """One cell if the condition holds, else another."""

    condition: Condition
    yes: Rule | Choice
    no: Rule | Choice


Cell: TypeAlias = Rule | Choice

#: The NOTIFICATION that `Do.NOTIFY` sends where the caller has not said more. Cease 6/2 and 6/7 are of RFC 4486.
NOTIFICATIONS: Final[dict[Event, tuple[int, int]]] = {
    Event.MANUAL_STOP: (6, 2),
    Event.AUTOMATIC_STOP: (6, 0),
    Event.HOLD_TIMER_EXPIRES: (4, 0),
    Event.BGP_HEADER_ERR: (1, 0),
    Event.BGP_OPEN_MSG_ERR: (2, 0),
    Event.OPEN_COLLISION_DUMP: (6, 7),
    Event.UPDATE_MSG_ERR: (3, 0),
}

#: RFC 6608 3: the subcode of an unexpected message, by state.
UNEXPECTED: Final[dict[State, int]] = {State.OPEN_SENT: 1, State.OPEN_CONFIRM: 2, State.ESTABLISHED: 3}

#: RFC 6608 4: the data of an unexpected message is its type.
MESSAGE_TYPES: Final[dict[Event, bytes]] = {
    Event.BGP_OPEN: b"\1",
    Event.BGP_OPEN_WITH_DELAY_OPEN_TIMER_RUNNING: b"\1",
    Event.BGP_OPEN_MSG_ERR: b"\1",
    Event.UPDATE_MSG: b"\2",
    Event.UPDATE_MSG_ERR: b"\2",
    Event.NOTIF_MSG_VER_ERR: b"\3",
    Event.NOTIF_MSG: b"\3",
    Event.KEEPALIVE_MSG: b"\4",
}

OTHERS: Final = None

STAY: Final = Rule()

# Every way to end: all timers stop and the connection closes; they differ in what the counter and the next start learn.
_CLOSE: Final = (Do.RELEASE, Do.DROP)
_FAIL: Final = (*_CLOSE, Do.COUNT, Do.DAMP)
_STOP: Final = (*_CLOSE, Do.CLEAR_COUNTER)
_OPEN: Final = (Do.STOP_RETRY, Do.STOP_DELAY, Do.SEND_OPEN)

_FAILED: Final = Rule(_FAIL, State.IDLE)
_STOPPED: Final = Rule(_STOP, State.IDLE)
_VERSION_REFUSED: Final = Rule((*_CLOSE, Do.REST), State.IDLE)
_OPENED: Final = Rule((*_OPEN, Do.HOLD_FOR_OPEN), State.OPEN_SENT)
_OPENED_AND_CONFIRMED: Final = Rule((*_OPEN, Do.NEGOTIATE, Do.SEND_KEEPALIVE), State.OPEN_CONFIRM)
_CONNECTED: Final = Choice(Condition.DELAY_OPEN, Rule((Do.STOP_RETRY, Do.START_DELAY)), _OPENED)
_FAILED_BEFORE_OPEN: Final = Choice(Condition.NOTIFY_WITHOUT_OPEN, Rule((Do.NOTIFY, *_FAIL), State.IDLE), _FAILED)
_FAILED_UNLESS_DELAYED: Final = Choice(Condition.DELAY_OPEN_RUNS, _VERSION_REFUSED, _FAILED)
_MAY_FAIL: Final = Choice(Condition.MAY_STOP, _FAILED, STAY)

_WAKE: Final = (Do.STOP_IDLE_HOLD, Do.START_RETRY)
_LISTEN: Final = Rule(_WAKE, State.ACTIVE)
_DIAL: Final = Choice(Condition.PASSIVE, _LISTEN, Rule((*_WAKE, Do.CONNECT), State.CONNECT))
_FRESH: Final = (Do.CLEAR_COUNTER, *_WAKE)
_LISTEN_AFRESH: Final = Rule(_FRESH, State.ACTIVE)
_DIAL_AFRESH: Final = Choice(Condition.PASSIVE, _LISTEN_AFRESH, Rule((*_FRESH, Do.CONNECT), State.CONNECT))

_STARTS_IGNORED: Final[dict[Event | None, Cell]] = {
    Event.MANUAL_START: STAY,
    Event.AUTOMATIC_START: STAY,
    Event.MANUAL_START_WITH_PASSIVE_TCP_ESTABLISHMENT: STAY,
    Event.AUTOMATIC_START_WITH_PASSIVE_TCP_ESTABLISHMENT: STAY,
    Event.AUTOMATIC_START_WITH_DAMP_PEER_OSCILLATIONS: STAY,
    Event.AUTOMATIC_START_WITH_DAMP_PEER_OSCILLATIONS_AND_PASSIVE_TCP_ESTABLISHMENT: STAY,
}

_SECOND_CONNECTION: Final[dict[Event | None, Cell]] = {
    Event.TCP_CONNECTION_VALID: STAY,
    Event.TCP_CR_INVALID: STAY,
    Event.TCP_CR_ACKED: STAY,
    Event.TCP_CONNECTION_CONFIRMED: STAY,
}

RULES: Final[dict[State, dict[Event | None, Cell]]] = {
    State.IDLE: {
        Event.MANUAL_START: _DIAL_AFRESH,
        Event.MANUAL_STOP: Rule((Do.STOP_IDLE_HOLD,)),
        Event.AUTOMATIC_START: Choice(Condition.MAY_START, _DIAL_AFRESH, STAY),
        Event.MANUAL_START_WITH_PASSIVE_TCP_ESTABLISHMENT: _LISTEN_AFRESH,
        Event.AUTOMATIC_START_WITH_PASSIVE_TCP_ESTABLISHMENT: Choice(Condition.MAY_START, _LISTEN_AFRESH, STAY),
        Event.AUTOMATIC_START_WITH_DAMP_PEER_OSCILLATIONS: Choice(Condition.DAMPED_START_IS_DUE, _DIAL, STAY),
        Event.AUTOMATIC_START_WITH_DAMP_PEER_OSCILLATIONS_AND_PASSIVE_TCP_ESTABLISHMENT: Choice(
            Condition.DAMPED_START_IS_DUE, _LISTEN, STAY
        ),
        Event.IDLE_HOLD_TIMER_EXPIRES: Choice(Condition.MAY_START, _DIAL, STAY),
        Event.TCP_CR_ACKED: Rule((Do.DROP,)),
        Event.TCP_CONNECTION_CONFIRMED: Rule((Do.DROP,)),
        OTHERS: STAY,
    },
    State.CONNECT: {
        **_STARTS_IGNORED,
        Event.MANUAL_STOP: _STOPPED,
        Event.AUTOMATIC_STOP: _MAY_FAIL,
        Event.CONNECT_RETRY_TIMER_EXPIRES: Rule((Do.DROP, Do.START_RETRY, Do.STOP_DELAY, Do.CONNECT)),
        Event.DELAY_OPEN_TIMER_EXPIRES: _OPENED,
        Event.TCP_CONNECTION_VALID: STAY,
        Event.TCP_CR_INVALID: STAY,
        Event.TCP_CR_ACKED: _CONNECTED,
        Event.TCP_CONNECTION_CONFIRMED: _CONNECTED,
        Event.TCP_CONNECTION_FAILS: Choice(
            Condition.DELAY_OPEN_RUNS,
            Rule((Do.DROP, Do.START_RETRY, Do.STOP_DELAY), State.ACTIVE),
            Rule((*_CLOSE, Do.REDIAL_LATER), State.IDLE),
        ),
        Event.BGP_OPEN_WITH_DELAY_OPEN_TIMER_RUNNING: _OPENED_AND_CONFIRMED,
        Event.BGP_HEADER_ERR: _FAILED_BEFORE_OPEN,
        Event.BGP_OPEN_MSG_ERR: _FAILED_BEFORE_OPEN,
        Event.NOTIF_MSG_VER_ERR: _FAILED_UNLESS_DELAYED,
        OTHERS: _FAILED,
    },
    State.ACTIVE: {
        **_STARTS_IGNORED,
        Event.MANUAL_STOP: Choice(
            Condition.DELAY_OPEN_RUNS,
            Choice(Condition.NOTIFY_WITHOUT_OPEN, Rule((Do.NOTIFY, *_STOP), State.IDLE), _STOPPED),
            _STOPPED,
        ),
        Event.AUTOMATIC_STOP: _MAY_FAIL,
        Event.CONNECT_RETRY_TIMER_EXPIRES: Choice(
            Condition.PASSIVE, Rule((Do.START_RETRY,)), Rule((Do.START_RETRY, Do.CONNECT), State.CONNECT)
        ),
        Event.DELAY_OPEN_TIMER_EXPIRES: _OPENED,
        Event.TCP_CONNECTION_VALID: STAY,
        Event.TCP_CR_INVALID: STAY,
        Event.TCP_CR_ACKED: _CONNECTED,
        Event.TCP_CONNECTION_CONFIRMED: _CONNECTED,
        # The RFC leaves the ConnectRetryTimer running in Idle, where its expiry is ignored.
        Event.TCP_CONNECTION_FAILS: Rule((*_CLOSE, Do.START_RETRY, Do.COUNT, Do.DAMP), State.IDLE),
        Event.BGP_OPEN_WITH_DELAY_OPEN_TIMER_RUNNING: _OPENED_AND_CONFIRMED,
        Event.BGP_HEADER_ERR: _FAILED_BEFORE_OPEN,
        Event.BGP_OPEN_MSG_ERR: _FAILED_BEFORE_OPEN,
        Event.NOTIF_MSG_VER_ERR: _FAILED_UNLESS_DELAYED,
        OTHERS: _FAILED,
    },
    State.OPEN_SENT: {
        **_STARTS_IGNORED,
        **_SECOND_CONNECTION,
        Event.MANUAL_STOP: Rule((Do.NOTIFY, *_STOP), State.IDLE),
        Event.AUTOMATIC_STOP: Choice(Condition.MAY_STOP, Rule((Do.NOTIFY, *_FAIL), State.IDLE), STAY),
        Event.HOLD_TIMER_EXPIRES: Rule((Do.NOTIFY, *_FAIL), State.IDLE),
        Event.TCP_CONNECTION_FAILS: Rule((*_CLOSE, Do.START_RETRY), State.ACTIVE),
        Event.BGP_OPEN: Rule((Do.STOP_RETRY, Do.STOP_DELAY, Do.NEGOTIATE, Do.SEND_KEEPALIVE), State.OPEN_CONFIRM),
        Event.BGP_HEADER_ERR: Rule((Do.NOTIFY, *_FAIL), State.IDLE),
        Event.BGP_OPEN_MSG_ERR: Rule((Do.NOTIFY, *_FAIL), State.IDLE),
        Event.OPEN_COLLISION_DUMP: Rule((Do.NOTIFY, *_FAIL), State.IDLE),
        Event.NOTIF_MSG_VER_ERR: _VERSION_REFUSED,
        OTHERS: Rule((Do.NOTIFY_UNEXPECTED, *_FAIL), State.IDLE),
    },
    State.OPEN_CONFIRM: {
        **_STARTS_IGNORED,
        **_SECOND_CONNECTION,
        Event.MANUAL_STOP: Rule((Do.NOTIFY, *_STOP), State.IDLE),
        Event.AUTOMATIC_STOP: Choice(Condition.MAY_STOP, Rule((Do.NOTIFY, *_FAIL), State.IDLE), STAY),
        Event.HOLD_TIMER_EXPIRES: Rule((Do.NOTIFY, *_FAIL), State.IDLE),
        Event.KEEPALIVE_TIMER_EXPIRES: Rule((Do.SEND_KEEPALIVE,)),
        Event.TCP_CONNECTION_FAILS: _FAILED,
        Event.BGP_HEADER_ERR: Rule((Do.NOTIFY, *_FAIL), State.IDLE),
        Event.BGP_OPEN_MSG_ERR: Rule((Do.NOTIFY, *_FAIL), State.IDLE),
        Event.OPEN_COLLISION_DUMP: Rule((Do.NOTIFY, *_FAIL), State.IDLE),
        Event.NOTIF_MSG_VER_ERR: _VERSION_REFUSED,
        Event.NOTIF_MSG: _FAILED,
        Event.KEEPALIVE_MSG: Rule((Do.RESTART_HOLD, Do.UP), State.ESTABLISHED),
        OTHERS: Rule((Do.NOTIFY_UNEXPECTED, *_FAIL), State.IDLE),
    },
    State.ESTABLISHED: {
        **_STARTS_IGNORED,
        **_SECOND_CONNECTION,
        Event.MANUAL_STOP: Rule((Do.NOTIFY, Do.DOWN, *_STOP), State.IDLE),
        Event.AUTOMATIC_STOP: Choice(Condition.MAY_STOP, Rule((Do.NOTIFY, Do.DOWN, *_FAIL), State.IDLE), STAY),
        Event.HOLD_TIMER_EXPIRES: Rule((Do.NOTIFY, Do.DOWN, *_FAIL), State.IDLE),
        Event.KEEPALIVE_TIMER_EXPIRES: Rule((Do.SEND_KEEPALIVE,)),
        Event.TCP_CONNECTION_FAILS: Rule((Do.DOWN, *_FAIL), State.IDLE),
        Event.BGP_HEADER_ERR: Rule((Do.NOTIFY, Do.DOWN, *_FAIL), State.IDLE),
        Event.OPEN_COLLISION_DUMP: Choice(
            Condition.COLLISION_IN_ESTABLISHED, Rule((Do.NOTIFY, Do.DOWN, *_FAIL), State.IDLE), STAY
        ),
        Event.NOTIF_MSG_VER_ERR: Rule((Do.DOWN, *_FAIL), State.IDLE),
        Event.NOTIF_MSG: Rule((Do.DOWN, *_FAIL), State.IDLE),
        Event.KEEPALIVE_MSG: Rule((Do.RESTART_HOLD,)),
        Event.UPDATE_MSG: Rule((Do.RESTART_HOLD,)),
        Event.UPDATE_MSG_ERR: Rule((Do.NOTIFY, Do.DOWN, *_FAIL), State.IDLE),
        # RFC 9687: nothing can be sent, so no NOTIFICATION.
        Event.SEND_HOLD_TIMER_EXPIRES: Rule((Do.DOWN, *_FAIL), State.IDLE),
        OTHERS: Rule((Do.NOTIFY_UNEXPECTED, Do.DOWN, *_FAIL), State.IDLE),
    },
}


def cell(state: State, event: Event) -> Cell:
    """The answer to an event in a state: the state's own cell for it or its `OTHERS`."""
    cells = RULES[state]
    return cells.get(event) or cells[OTHERS]


def outcomes(of: Cell) -> Iterator[Rule]:
    """Every rule a cell can come to."""
    if isinstance(of, Rule):
        yield of
    else:
        yield from outcomes(of.yes)
        yield from outcomes(of.no)
