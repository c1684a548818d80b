"""A random walk over events, times and settings: whatever comes, the machine answers, stays sane and gets up again."""

from __future__ import annotations

from math import inf
from typing import NamedTuple

from hypothesis import settings as effort
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fsm.machine import Machine
from fsm.settings import Settings
from fsm.words import (
    Action,
    Connect,
    Drop,
    Event,
    SendKeepalive,
    SendNotification,
    SendOpen,
    SessionDown,
    SessionUp,
    State,
    Timer,
)

MESSAGES = [event for event in Event if event >= Event.BGP_OPEN and event is not Event.SEND_HOLD_TIMER_EXPIRES]
UP = [State.OPEN_SENT, State.OPEN_CONFIRM, State.ESTABLISHED]
#: Timers that may run in a state. ConnectRetry in Idle is the RFC's own leftover of a failure in Active.
MAY_RUN = {
    State.IDLE: {Timer.IDLE_HOLD, Timer.CONNECT_RETRY},
    State.CONNECT: {Timer.CONNECT_RETRY, Timer.DELAY_OPEN},
    State.ACTIVE: {Timer.CONNECT_RETRY, Timer.DELAY_OPEN},
    State.OPEN_SENT: {Timer.HOLD},
    State.OPEN_CONFIRM: {Timer.HOLD, Timer.KEEPALIVE},
    State.ESTABLISHED: {Timer.HOLD, Timer.KEEPALIVE, Timer.SEND_HOLD},
}

all_settings = st.builds(
    Settings,
    hold_time=st.sampled_from([0, 3, 90, 65535]),
    connect_retry_time=st.sampled_from([0.5, 5.0, 120.0]),
    keepalive_time=st.none() | st.sampled_from([1.0, 1000.0]),
    send_hold_time=st.sampled_from([None, 0.0, 20.0]),
    passive=st.booleans(),
    delay_open=st.booleans(),
    allow_automatic_start=st.booleans(),
    allow_automatic_stop=st.booleans(),
    damp_peer_oscillations=st.booleans(),
    idle_hold_time=st.sampled_from([0.25, 1.0]),
    send_notification_without_open=st.booleans(),
    collision_detect_established_state=st.booleans(),
)


class Error(NamedTuple):
    code: int
    subcode: int
    data: bytes


class Walk(RuleBasedStateMachine):
    """The machine beside what little a session must be able to rely on."""

    @initialize(settings=all_settings, jitter=st.sampled_from([0.75, 0.9, 1.0]))
    def begin(self, settings: Settings, jitter: float) -> None:
        self.settings = settings
        self.machine = Machine(settings, jitter=jitter)
        self.now = 1000.0
        self.up = False
        self.stopped = True

    def take(self, actions: list[Action], before: State) -> None:
        """Actions are in an order that can be performed, and ups and downs alternate."""
        for index, action in enumerate(actions):
            match action:
                case SessionUp():
                    assert not self.up
                    self.up = True
                case SessionDown(reason):
                    assert self.up
                    assert reason
                    self.up = False
                case SendNotification():
                    assert before in UP or self.settings.send_notification_without_open
                    assert Drop() in actions[index:]
                case Connect():
                    assert not self.settings.passive
                case Drop() | SendOpen() | SendKeepalive():
                    pass
                case _:
                    raise AssertionError(action)

    def feed(self, event: Event, *, error: Error | None = None, hold_time: int | None = None) -> None:
        before, last = self.machine.state, self.machine.last_transition
        self.take(self.machine.receive(event, self.now, error=error, hold_time=hold_time), before)
        if self.machine.state is not before:
            transition = self.machine.last_transition
            assert transition is not None
            assert (transition.old, transition.new, transition.event) == (before, self.machine.state, event)
        else:
            assert self.machine.last_transition == last
        if event is Event.MANUAL_STOP:
            self.stopped = True
        elif before is State.IDLE is not self.machine.state:
            self.stopped = False

    @rule(event=st.sampled_from(Event))
    def anything_happens(self, event: Event) -> None:
        self.feed(event)

    @rule(event=st.sampled_from(MESSAGES), hold_time=st.sampled_from([0, 3, 9, 180]))
    def a_message_comes(self, event: Event, hold_time: int) -> None:
        self.feed(event, error=Error(3, 1, b"\0"), hold_time=hold_time)

    @rule()
    def the_session_makes_progress(self) -> None:
        """What a well-behaved peer and network would do next, so that walks come to Established often."""
        state, machine = self.machine.state, self.machine
        if state is State.OPEN_SENT or machine.is_running(Timer.DELAY_OPEN):
            self.feed(machine.open_event, hold_time=9)
        else:
            self.feed(
                {
                    State.IDLE: Event.MANUAL_START,
                    State.CONNECT: Event.TCP_CR_ACKED,
                    State.ACTIVE: Event.TCP_CONNECTION_CONFIRMED,
                    State.OPEN_CONFIRM: Event.KEEPALIVE_MSG,
                    State.ESTABLISHED: Event.UPDATE_MSG,
                }[state]
            )
        assert machine.state is not state or state is State.ESTABLISHED or machine.is_running(Timer.DELAY_OPEN)

    @rule(seconds=st.floats(0, 300))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.tick()

    @precondition(lambda self: self.machine.deadline is not None)
    @rule()
    def the_deadline_comes(self) -> None:
        assert self.machine.deadline is not None
        self.now = max(self.now, self.machine.deadline)
        self.tick()

    def tick(self) -> None:
        before = self.machine.state
        self.take(self.machine.tick(self.now), before)
        assert (self.machine.deadline or inf) > self.now
        assert self.machine.tick(self.now) == []

    @rule()
    def something_is_sent(self) -> None:
        before = self.machine.state
        self.machine.keepalive_sent(self.now)
        self.machine.octets_sent(self.now)
        assert self.machine.state is before

    @invariant()
    def established_is_what_was_said(self) -> None:
        assert self.up == (self.machine.state is State.ESTABLISHED)

    @invariant()
    def only_the_timers_of_a_state_run(self) -> None:
        running = {timer for timer in Timer if self.machine.is_running(timer)}
        assert running <= MAY_RUN[self.machine.state]

    @invariant()
    def nothing_is_stuck(self) -> None:
        """A timer runs unless the machine was stopped, rests for good, or hold time 0 forbids one."""
        state, machine = self.machine.state, self.machine
        if machine.deadline is None:
            at_rest = state is State.IDLE and (self.stopped or not self.settings.allow_automatic_start)
            timeless = state in (State.OPEN_CONFIRM, State.ESTABLISHED) and machine.hold_time == 0
            assert at_rest or timeless

    @invariant()
    def keepalives_are_at_least_a_second_apart_and_thrice_a_hold_time(self) -> None:
        if self.machine.hold_time:
            assert 1.0 <= self.machine.keepalive_time <= self.machine.hold_time / 3


TestWalk = Walk.TestCase
TestWalk.settings = effort(max_examples=150, stateful_step_count=40, deadline=None)
