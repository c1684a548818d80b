"""One BGP connection's state machine: it reads the table, keeps the timers and says what to do.

The state is assigned in this file and nowhere else. The machine has no clock, no socket and no randomness: time is the
argument `now`, any clock that never goes back; `deadline` says when to call `tick`; what it wants done it returns as
actions, in order. Jitter (RFC 4271 10) is a factor that the caller chooses: assign `jitter` anew when you like, it is
applied whenever a ConnectRetryTimer, KeepaliveTimer or IdleHoldTimer is set.

A driver is four lines: on each event `perform(machine.receive(event, now))`, at `machine.deadline`
`perform(machine.tick(now))`. It tells of octets that leave with `keepalive_sent` and `octets_sent`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final, NamedTuple

from fsm.settings import (
    MIN_KEEPALIVE_TIME,
    MIN_SEND_HOLD_TIME,
    Settings,
    check_hold_time,
)
from fsm.table import MESSAGE_TYPES, NOTIFICATIONS, UNEXPECTED, Choice, Condition, Do, Rule, cell
from fsm.timers import Backoff, Timers
from fsm.words import (
    REASONS,
    Action,
    Connect,
    Drop,
    Event,
    Fault,
    SendKeepalive,
    SendNotification,
    SendOpen,
    SessionDown,
    SessionUp,
    State,
    Timer,
    Transition,
)

DEFAULT_SETTINGS: Final = Settings()


class _Occasion(NamedTuple):
    """One event with all that came with it, and the actions it has led to so far."""

    event: Event
    now: float
    error: Fault | None
    hold_time: int | None
    data: bytes | None
    reason: str
    actions: list[Action]


class Machine:
    """RFC 4271 8.2.2 for one TCP connection, dialled or accepted; it starts in Idle.

    `connect_retry_counter` is the RFC's; `last_transition` says how the machine came to its state, None before the first.
    """

    def __init__(self, settings: Settings = DEFAULT_SETTINGS, *, jitter: float = 1.0) -> None:
        self.settings: Final = settings
        self.jitter = jitter
        self.connect_retry_counter = 0
        self.last_transition: Transition | None = None
        self._state = State.IDLE
        self._timers = Timers()
        self._hold_time = settings.hold_time
        self._established_at = 0.0
        longest = settings.max_idle_hold_time if settings.damp_peer_oscillations else settings.idle_hold_time
        self._oscillations = Backoff(settings.idle_hold_time, longest)
        # The pause after a failed dial: soon at first, then as rarely as the ConnectRetryTimer would.
        self._dials = Backoff(settings.idle_hold_time, settings.connect_retry_time)

    @property
    def state(self) -> State:
        """Where the connection stands."""
        return self._state

    @property
    def jitter(self) -> float:
        """The factor on the next timer set, greater than 0 and at most 1. Setting it raises ValueError for any other."""
        return self._jitter

    @jitter.setter
    def jitter(self, factor: float) -> None:
        if not 0 < factor <= 1:
            raise ValueError(f"jitter must be a factor greater than 0 and at most 1, not {factor}")
        self._jitter = factor

    @property
    def hold_time(self) -> int:
        """The negotiated hold time; before an OPEN, the one we offer."""
        return self._hold_time

    @property
    def keepalive_time(self) -> float:
        """Seconds between KEEPALIVEs: a third of the hold time or less, jittered, never below one (RFC 4271 4.4)."""
        longest = self._hold_time / 3
        wanted = longest if self.settings.keepalive_time is None else min(longest, self.settings.keepalive_time)
        return max(MIN_KEEPALIVE_TIME, wanted * self._jitter)

    @property
    def send_hold_time(self) -> float:
        """RFC 9687: how long the transport may take nothing from us; 0 is for ever."""
        if not self._hold_time:
            return 0
        if self.settings.send_hold_time is None:
            return max(MIN_SEND_HOLD_TIME, 2 * self._hold_time)
        return self.settings.send_hold_time

    @property
    def deadline(self) -> float | None:
        """When to call `tick`; None: no timer runs."""
        return self._timers.deadline

    @property
    def open_event(self) -> Event:
        """What a valid OPEN is at this moment: event 20 while the DelayOpenTimer runs, else event 19."""
        if self._timers.is_running(Timer.DELAY_OPEN):
            return Event.BGP_OPEN_WITH_DELAY_OPEN_TIMER_RUNNING
        return Event.BGP_OPEN

    @property
    def is_waiting_to_redial(self) -> bool:
        """Whether it rests in Idle only because a dial failed.

        Nothing is wrong between the two then, and a connection from the peer is as good as the next dial: give the
        machine a passive start, then TCP_CONNECTION_CONFIRMED. In any other Idle it "refuses all incoming connections".
        """
        last = self.last_transition
        if last is None or not self._timers.is_running(Timer.IDLE_HOLD):
            return False
        return last[:3] == (State.CONNECT, State.IDLE, Event.TCP_CONNECTION_FAILS)

    def is_running(self, timer: Timer) -> bool:
        """Whether a timer runs."""
        return self._timers.is_running(timer)

    def expires_at(self, timer: Timer) -> float | None:
        """When a timer expires; None if it does not run."""
        return self._timers.expires_at(timer)

    def receive(
        self,
        event: Event,
        now: float,
        *,
        error: Fault | None = None,
        hold_time: int | None = None,
        data: bytes | None = None,
        reason: str = "",
    ) -> list[Action]:
        """What to do about an event, in order; the state is the new one on return.

        `error` is what the NOTIFICATION says: ours to send with events 21, 22, 28 and, for another Cease subcode than
        6/2, 6/0 or 6/7, with 2, 8 and 23; the one received with 24 and 25.
        `hold_time` is the negotiated one, with events 19 and 20; None is the one we offer. ValueError, and nothing
        happens, for one that RFC 4271 4.2 forbids: answer the OPEN with 2/6.
        `data` is the type octet of an unexpected message (RFC 6608); None is that of the event's message. A
        ROUTE-REFRESH is UPDATE_MSG with data=b"\\x05": it may come just when an UPDATE may.
        `reason` is words for people instead of the event's own.
        """
        if hold_time is not None:
            check_hold_time(hold_time)
        rule = self._decide(event)
        occasion = _Occasion(event, now, error, hold_time, data, reason, [])
        for step in rule.steps:
            _STEPS[step](self, occasion)
        if rule.to is not None:
            self.last_transition = Transition(self._state, rule.to, event, _explain(occasion), now)
            self._state = rule.to
        return occasion.actions

    def tick(self, now: float) -> list[Action]:
        """Lets every timer that is due expire, in the order in which they came due; harmless if none is."""
        actions: list[Action] = []
        for timer in self._timers.due(now):
            # The expiry before may have stopped or restarted this one.
            if self._timers.is_due(timer, now):
                self._timers.stop(timer)
                actions += self.receive(timer.event, now)
        return actions

    def keepalive_sent(self, now: float) -> None:
        """Tells of an UPDATE, or a KEEPALIVE the machine did not ask for: restarts the KeepaliveTimer (RFC 4271 8.2.2)."""
        if self._timers.is_running(Timer.KEEPALIVE):
            self._timers.start(Timer.KEEPALIVE, now + self.keepalive_time)

    def octets_sent(self, now: float) -> None:
        """Tells that the transport took octets: restarts the SendHoldTimer (RFC 9687), which else ends the session."""
        if self._timers.is_running(Timer.SEND_HOLD):
            self._timers.start(Timer.SEND_HOLD, now + self.send_hold_time)

    def _decide(self, event: Event) -> Rule:
        answer = cell(self._state, event)
        while isinstance(answer, Choice):
            answer = answer.yes if _CONDITIONS[answer.condition](self) else answer.no
        return answer

    def _connect(self, occasion: _Occasion) -> None:
        occasion.actions.append(Connect())

    def _send_open(self, occasion: _Occasion) -> None:
        # An OPEN goes out on a connection that is up: whatever kept us from dialling is over.
        self._dials.reset()
        occasion.actions.append(SendOpen())

    def _send_keepalive(self, occasion: _Occasion) -> None:
        occasion.actions.append(SendKeepalive())
        if self._hold_time:
            self._timers.start(Timer.KEEPALIVE, occasion.now + self.keepalive_time)

    def _notify(self, occasion: _Occasion) -> None:
        error = occasion.error
        code, subcode = (error.code, error.subcode) if error else NOTIFICATIONS[occasion.event]
        occasion.actions.append(SendNotification(code, subcode, error.data if error else b""))

    def _notify_unexpected(self, occasion: _Occasion) -> None:
        data = MESSAGE_TYPES.get(occasion.event, b"") if occasion.data is None else occasion.data
        occasion.actions.append(SendNotification(FSM_ERROR, UNEXPECTED[self._state], data))

    def _up(self, occasion: _Occasion) -> None:
        occasion.actions.append(SessionUp())
        self._established_at = occasion.now
        if self.send_hold_time:
            self._timers.start(Timer.SEND_HOLD, occasion.now + self.send_hold_time)

    def _down(self, occasion: _Occasion) -> None:
        occasion.actions.append(SessionDown(_explain(occasion)))
        # A session that lasted longer than the pause before it was no oscillation. One that did not is: a peer whose
        # first UPDATE kills the session would otherwise return every second for ever.
        if occasion.now - self._established_at >= self._oscillations.peek():
            self._oscillations.reset()

    def _drop(self, occasion: _Occasion) -> None:
        occasion.actions.append(Drop())

    def _release(self, _occasion: _Occasion) -> None:
        self._timers.stop(*Timer)
        self._hold_time = self.settings.hold_time

    def _clear_counter(self, _occasion: _Occasion) -> None:
        self.connect_retry_counter = 0

    def _count(self, _occasion: _Occasion) -> None:
        self.connect_retry_counter += 1

    def _start_retry(self, occasion: _Occasion) -> None:
        self._timers.start(Timer.CONNECT_RETRY, occasion.now + self.settings.connect_retry_time * self._jitter)

    def _stop_retry(self, _occasion: _Occasion) -> None:
        self._timers.stop(Timer.CONNECT_RETRY)

    def _start_delay(self, occasion: _Occasion) -> None:
        self._timers.start(Timer.DELAY_OPEN, occasion.now + self.settings.delay_open_time)

    def _stop_delay(self, _occasion: _Occasion) -> None:
        self._timers.stop(Timer.DELAY_OPEN)

    def _hold_for_open(self, occasion: _Occasion) -> None:
        self._timers.start(Timer.HOLD, occasion.now + self.settings.open_hold_time)

    def _negotiate(self, occasion: _Occasion) -> None:
        self._hold_time = self.settings.hold_time if occasion.hold_time is None else occasion.hold_time
        self._timers.stop(Timer.HOLD)
        self._restart_hold(occasion)

    def _restart_hold(self, occasion: _Occasion) -> None:
        if self._hold_time:
            self._timers.start(Timer.HOLD, occasion.now + self._hold_time)

    def _stop_idle_hold(self, _occasion: _Occasion) -> None:
        self._timers.stop(Timer.IDLE_HOLD)

    def _rest(self, occasion: _Occasion) -> None:
        self._start_idle_hold(occasion.now, self._oscillations.peek())

    def _damp(self, occasion: _Occasion) -> None:
        self._start_idle_hold(occasion.now, self._oscillations.take())

    def _redial_later(self, occasion: _Occasion) -> None:
        self._start_idle_hold(occasion.now, self._dials.take())

    def _start_idle_hold(self, now: float, pause: float) -> None:
        if self.settings.allow_automatic_start:
            self._timers.start(Timer.IDLE_HOLD, now + pause * self._jitter)

    def _damped_start_is_due(self) -> bool:
        settings = self.settings
        allowed = settings.allow_automatic_start and settings.damp_peer_oscillations
        return allowed and not self._timers.is_running(Timer.IDLE_HOLD)


#: RFC 4271 4.5: the error code of Finite State Machine Error.
FSM_ERROR: Final = 5

_STEPS: Final[dict[Do, Callable[[Machine, _Occasion], None]]] = {
    Do.CONNECT: Machine._connect,
    Do.SEND_OPEN: Machine._send_open,
    Do.SEND_KEEPALIVE: Machine._send_keepalive,
    Do.NOTIFY: Machine._notify,
    Do.NOTIFY_UNEXPECTED: Machine._notify_unexpected,
    Do.UP: Machine._up,
    Do.DOWN: Machine._down,
    Do.DROP: Machine._drop,
    Do.RELEASE: Machine._release,
    Do.CLEAR_COUNTER: Machine._clear_counter,
    Do.COUNT: Machine._count,
    Do.START_RETRY: Machine._start_retry,
    Do.STOP_RETRY: Machine._stop_retry,
    Do.START_DELAY: Machine._start_delay,
    Do.STOP_DELAY: Machine._stop_delay,
    Do.HOLD_FOR_OPEN: Machine._hold_for_open,
    Do.NEGOTIATE: Machine._negotiate,
    Do.RESTART_HOLD: Machine._restart_hold,
    Do.STOP_IDLE_HOLD: Machine._stop_idle_hold,
    Do.REST: Machine._rest,
    Do.DAMP: Machine._damp,
    Do.REDIAL_LATER: Machine._redial_later,
}

_CONDITIONS: Final[dict[Condition, Callable[[Machine], bool]]] = {
    Condition.MAY_START: lambda machine: machine.settings.allow_automatic_start,
    Condition.DAMPED_START_IS_DUE: Machine._damped_start_is_due,
    Condition.MAY_STOP: lambda machine: machine.settings.allow_automatic_stop,
    Condition.PASSIVE: lambda machine: machine.settings.passive,
    Condition.DELAY_OPEN: lambda machine: machine.settings.delay_open,
    Condition.DELAY_OPEN_RUNS: lambda machine: machine.is_running(Timer.DELAY_OPEN),
    Condition.NOTIFY_WITHOUT_OPEN: lambda machine: machine.settings.send_notification_without_open,
    Condition.COLLISION_IN_ESTABLISHED: lambda machine: machine.settings.collision_detect_established_state,
}


def _explain(occasion: _Occasion) -> str:
    """Why, in words, with the NOTIFICATION that was sent or received."""
    words = occasion.reason or REASONS[occasion.event]
    for action in occasion.actions:
        if isinstance(action, SendNotification):
            return f"{words}; sent NOTIFICATION {action.code}/{action.subcode}"
    if occasion.error is not None:
        return f"{words}: {occasion.error.code}/{occasion.error.subcode}"
    return words
