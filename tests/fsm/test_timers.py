from __future__ import annotations

from fsm.timers import Backoff, Timers
from fsm.words import Event, Timer


def test_nothing_runs_at_first() -> None:
    timers = Timers()
    assert timers.deadline is None
    assert timers.due(1e9) == []
    assert not any(timers.is_running(timer) for timer in Timer)
    assert timers.expires_at(Timer.HOLD) is None


def test_deadline_is_the_earliest_expiry() -> None:
    timers = Timers()
    timers.start(Timer.HOLD, 90.0)
    timers.start(Timer.KEEPALIVE, 30.0)
    assert timers.deadline == 30.0
    assert timers.expires_at(Timer.HOLD) == 90.0
    timers.stop(Timer.KEEPALIVE, Timer.DELAY_OPEN)
    assert timers.deadline == 90.0


def test_starting_again_moves_the_expiry() -> None:
    timers = Timers()
    timers.start(Timer.HOLD, 90.0)
    timers.start(Timer.HOLD, 100.0)
    assert timers.deadline == 100.0


def test_due_timers_come_in_the_order_of_their_expiry_and_hold_first_among_equals() -> None:
    timers = Timers()
    timers.start(Timer.IDLE_HOLD, 1.0)
    timers.start(Timer.KEEPALIVE, 3.0)
    timers.start(Timer.HOLD, 3.0)
    timers.start(Timer.CONNECT_RETRY, 2.0)
    timers.start(Timer.SEND_HOLD, 4.0)
    assert timers.due(3.0) == [Timer.IDLE_HOLD, Timer.CONNECT_RETRY, Timer.HOLD, Timer.KEEPALIVE]
    assert timers.is_due(Timer.HOLD, 3.0)
    assert not timers.is_due(Timer.SEND_HOLD, 3.0)


def test_every_timer_has_an_event_of_its_own() -> None:
    assert {timer.event for timer in Timer} == {event for event in Event if event.name.endswith("_TIMER_EXPIRES")}


def test_backoff_doubles_up_to_its_cap_until_reset() -> None:
    backoff = Backoff(1.0, 5.0)
    assert [backoff.take() for _ in range(5)] == [1.0, 2.0, 4.0, 5.0, 5.0]
    assert backoff.peek() == 5.0
    backoff.reset()
    assert [backoff.peek(), backoff.take(), backoff.peek()] == [1.0, 1.0, 2.0]


def test_backoff_never_exceeds_its_cap() -> None:
    assert Backoff(9.0, 5.0).take() == 5.0
