from __future__ import annotations

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

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
    Transition,
)


class Error(NamedTuple):
    code: int
    subcode: int
    data: bytes = b""


def open_sent(settings: Settings | None = None, now: float = 0.0) -> Machine:
    machine = Machine(settings or Settings())
    machine.receive(Event.AUTOMATIC_START, now)
    machine.receive(Event.TCP_CR_ACKED, now)
    return machine


def open_confirm(settings: Settings | None = None, now: float = 0.0, hold_time: int | None = None) -> Machine:
    machine = open_sent(settings, now)
    machine.receive(Event.BGP_OPEN, now, hold_time=hold_time)
    return machine


def established(settings: Settings | None = None, now: float = 0.0, hold_time: int | None = None) -> Machine:
    machine = open_confirm(settings, now, hold_time)
    machine.receive(Event.KEEPALIVE_MSG, now)
    assert machine.state is State.ESTABLISHED
    return machine


def started(settings: Settings) -> Machine:
    machine = Machine(settings)
    machine.receive(Event.AUTOMATIC_START, 0.0)
    return machine


# The way up and down.


def test_a_dialled_session_comes_up() -> None:
    machine = Machine()
    assert (machine.state, machine.deadline, machine.last_transition) == (State.IDLE, None, None)
    assert machine.receive(Event.MANUAL_START, 0.0) == [Connect()]
    assert machine.receive(Event.TCP_CR_ACKED, 1.0) == [SendOpen()]
    assert machine.receive(Event.BGP_OPEN, 2.0, hold_time=30) == [SendKeepalive()]
    assert machine.receive(Event.KEEPALIVE_MSG, 3.0) == [SessionUp()]
    assert machine.state is State.ESTABLISHED
    assert machine.hold_time == 30
    assert machine.expires_at(Timer.HOLD) == 33.0
    assert machine.expires_at(Timer.KEEPALIVE) == 12.0


def test_an_accepted_session_comes_up_in_a_machine_of_its_own() -> None:
    machine = Machine(Settings(passive=True, allow_automatic_start=False))
    assert machine.receive(Event.MANUAL_START_WITH_PASSIVE_TCP_ESTABLISHMENT, 0.0) == []
    assert machine.receive(Event.TCP_CONNECTION_CONFIRMED, 0.0) == [SendOpen()]
    assert machine.receive(Event.BGP_OPEN, 0.0) == [SendKeepalive()]
    assert machine.receive(Event.KEEPALIVE_MSG, 0.0) == [SessionUp()]


def test_a_notification_comes_before_the_session_goes_down_and_the_connection_closes() -> None:
    actions = established().receive(Event.MANUAL_STOP, 5.0)
    assert [type(action) for action in actions] == [SendNotification, SessionDown, Drop]


def test_transitions_say_from_where_to_where_why_and_when() -> None:
    machine = established()
    assert machine.last_transition == Transition(
        State.OPEN_CONFIRM, State.ESTABLISHED, Event.KEEPALIVE_MSG, "KEEPALIVE received", 0.0
    )
    machine.receive(Event.UPDATE_MSG, 5.0)
    assert machine.last_transition.at == 0.0
    machine.receive(Event.TCP_CONNECTION_FAILS, 7.0, reason="connection reset by peer")
    assert machine.last_transition == Transition(
        State.ESTABLISHED, State.IDLE, Event.TCP_CONNECTION_FAILS, "connection reset by peer", 7.0
    )


def test_reasons_name_the_notification_received() -> None:
    machine = established()
    actions = machine.receive(Event.NOTIF_MSG, 1.0, error=Error(6, 4))
    assert actions == [SessionDown("NOTIFICATION received: 6/4"), Drop()]
    assert machine.last_transition is not None
    assert machine.last_transition.reason == "NOTIFICATION received: 6/4"


def test_reasons_name_the_notification_sent() -> None:
    actions = established().receive(Event.UPDATE_MSG_ERR, 1.0, error=Error(3, 1), reason="attribute list too long")
    assert actions[1] == SessionDown("attribute list too long; sent NOTIFICATION 3/1")


# NOTIFICATIONs.


@pytest.mark.parametrize("event", [Event.BGP_HEADER_ERR, Event.BGP_OPEN_MSG_ERR, Event.OPEN_COLLISION_DUMP])
def test_the_error_says_what_the_notification_says(event: Event) -> None:
    assert open_sent().receive(event, 1.0, error=Error(2, 6, b"\x01"))[0] == SendNotification(2, 6, b"\x01")


def test_a_header_error_in_established_keeps_its_own_code() -> None:
    actions = established().receive(Event.BGP_HEADER_ERR, 1.0, error=Error(1, 2, b"\x00\x12"))
    assert actions[0] == SendNotification(1, 2, b"\x00\x12")


def test_a_stop_may_choose_its_cease_and_its_words() -> None:
    actions = established().receive(Event.MANUAL_STOP, 1.0, error=Error(6, 3, b"\x03bye"))
    assert actions[0] == SendNotification(6, 3, b"\x03bye")


@pytest.mark.parametrize(
    ("machine", "subcode"), [(open_sent(), 1), (open_confirm(), 2)], ids=["in OpenSent", "in OpenConfirm"]
)
def test_a_route_refresh_out_of_turn_is_an_fsm_error_with_its_type(machine: Machine, subcode: int) -> None:
    actions = machine.receive(Event.UPDATE_MSG, 1.0, data=b"\x05")
    assert actions[0] == SendNotification(5, subcode, b"\x05")


def test_a_route_refresh_in_established_is_life() -> None:
    machine = established()
    assert machine.receive(Event.UPDATE_MSG, 10.0, data=b"\x05") == []
    assert machine.expires_at(Timer.HOLD) == 100.0


def test_a_malformed_update_out_of_turn_is_an_fsm_error_not_an_update_error() -> None:
    actions = open_confirm().receive(Event.UPDATE_MSG_ERR, 1.0, error=Error(3, 5, b"\x40\x01"))
    assert actions[0] == SendNotification(5, 2, b"\x02")


def test_open_in_established_is_an_fsm_error() -> None:
    machine = established()
    assert machine.receive(machine.open_event, 1.0)[0] == SendNotification(5, 3, b"\x01")


# Hold and keepalive timers; the traps.


@pytest.mark.parametrize("hold_time", [1, 2, -1, 65536])
def test_a_forbidden_hold_time_raises_and_changes_nothing(hold_time: int) -> None:
    machine = open_sent()
    before = (machine.state, machine.deadline, machine.last_transition, machine.hold_time)
    with pytest.raises(ValueError, match="hold time"):
        machine.receive(Event.BGP_OPEN, 1.0, hold_time=hold_time)
    assert (machine.state, machine.deadline, machine.last_transition, machine.hold_time) == before


@given(
    hold_time=st.integers(3, 65535),
    jitter=st.floats(0, 1, exclude_min=True),
    wanted=st.none() | st.floats(1, 1e6),
)
def test_no_timer_is_ever_derived_to_zero(hold_time: int, jitter: float, wanted: float | None) -> None:
    machine = Machine(Settings(keepalive_time=wanted), jitter=jitter)
    for event in (Event.MANUAL_START, Event.TCP_CR_ACKED):
        machine.receive(event, 0.0)
    machine.receive(Event.BGP_OPEN, 0.0, hold_time=hold_time)
    keepalive = machine.expires_at(Timer.KEEPALIVE)
    assert keepalive is not None
    assert 1.0 <= keepalive <= hold_time / 3


def test_a_peer_that_negotiates_three_seconds_gets_one_keepalive_a_second() -> None:
    machine = established(hold_time=3)
    sent = 0
    for tenth in range(1, 101):
        now = tenth / 10
        machine.receive(Event.UPDATE_MSG, now)
        sent += machine.tick(now).count(SendKeepalive())
    assert sent == 10


def test_hold_time_zero_runs_no_timer_at_all() -> None:
    machine = established(hold_time=0)
    assert machine.deadline is None
    assert machine.receive(Event.KEEPALIVE_MSG, 1.0) == machine.receive(Event.UPDATE_MSG, 2.0) == []
    assert machine.receive(Event.KEEPALIVE_TIMER_EXPIRES, 3.0) == [SendKeepalive()]
    machine.keepalive_sent(4.0)
    machine.octets_sent(4.0)
    assert machine.deadline is None


def test_hold_time_zero_stops_the_hold_timer_that_waited_for_the_open() -> None:
    assert open_confirm(hold_time=0).deadline is None


def test_the_hold_timer_waits_four_minutes_for_the_open() -> None:
    machine = open_sent()
    assert machine.deadline == 240.0
    assert machine.tick(239.0) == []
    assert machine.tick(240.0) == [SendNotification(4, 0), Drop()]


def test_silence_ends_the_session_at_the_hold_time() -> None:
    machine = established(hold_time=9)
    assert machine.tick(3.0) == [SendKeepalive()]
    assert machine.tick(6.0) == [SendKeepalive()]
    actions = machine.tick(9.0)
    assert actions == [SendNotification(4, 0), SessionDown("hold timer expired; sent NOTIFICATION 4/0"), Drop()]


@pytest.mark.parametrize("event", [Event.KEEPALIVE_MSG, Event.UPDATE_MSG])
def test_keepalives_and_updates_restart_the_hold_timer(event: Event) -> None:
    machine = established(hold_time=9)
    machine.receive(event, 8.0)
    assert machine.expires_at(Timer.HOLD) == 17.0


def test_updates_sent_restart_the_keepalive_timer() -> None:
    machine = established(hold_time=9)
    machine.keepalive_sent(2.0)
    assert machine.expires_at(Timer.KEEPALIVE) == 5.0


def test_a_configured_keepalive_time_is_kept_below_a_third_of_the_hold_time() -> None:
    assert established(Settings(keepalive_time=5)).expires_at(Timer.KEEPALIVE) == 5.0
    assert established(Settings(keepalive_time=50)).expires_at(Timer.KEEPALIVE) == 30.0


def test_the_negotiated_hold_time_is_forgotten_with_the_session() -> None:
    machine = established(hold_time=9)
    machine.receive(Event.TCP_CONNECTION_FAILS, 1.0)
    assert machine.hold_time == 90


def test_timers_due_together_expire_in_order_until_one_ends_the_session() -> None:
    machine = established(hold_time=9)
    actions = machine.tick(1000.0)
    assert [type(action) for action in actions] == [SendKeepalive, SendNotification, SessionDown, Drop]
    assert machine.deadline == 1001.0


# RFC 9687.


def test_a_transport_that_takes_nothing_ends_the_session_without_a_notification() -> None:
    machine = established(Settings(send_hold_time=100))
    machine.receive(Event.KEEPALIVE_MSG, 60.0)
    actions = machine.tick(100.0)
    assert actions == [SendKeepalive(), SessionDown("send hold timer expired"), Drop()]


def test_octets_sent_restart_the_send_hold_timer() -> None:
    machine = established()
    assert machine.expires_at(Timer.SEND_HOLD) == 480.0
    machine.octets_sent(10.0)
    assert machine.expires_at(Timer.SEND_HOLD) == 490.0


def test_the_send_hold_time_is_twice_a_long_hold_time() -> None:
    assert established(Settings(hold_time=300)).expires_at(Timer.SEND_HOLD) == 600.0


def test_the_send_hold_timer_can_be_off() -> None:
    machine = established(Settings(send_hold_time=0))
    machine.octets_sent(1.0)
    assert not machine.is_running(Timer.SEND_HOLD)


# Starting again.


def fail_at(machine: Machine, now: float) -> float:
    """Brings a machine from Idle to OpenSent, lets it fail there, and gives the pause that follows."""
    if machine.state is State.IDLE:
        machine.tick(now)
    machine.receive(Event.TCP_CR_ACKED, now)
    machine.receive(Event.BGP_OPEN_MSG_ERR, now, error=Error(2, 2))
    assert machine.state is State.IDLE
    assert machine.deadline is not None
    return machine.deadline - now


def test_a_machine_starts_again_after_a_pause_that_doubles_up_to_a_minute() -> None:
    machine = started(Settings())
    now, pauses = 0.0, []
    for _ in range(8):
        pauses.append(fail_at(machine, now))
        now += pauses[-1]
    assert pauses == [1, 2, 4, 8, 16, 32, 60, 60]
    assert machine.connect_retry_counter == 8
    assert machine.tick(now) == [Connect()]


def test_without_damping_the_pause_stays_the_same() -> None:
    machine = started(Settings(damp_peer_oscillations=False, idle_hold_time=3.0))
    now, pauses = 0.0, []
    for _ in range(3):
        pauses.append(fail_at(machine, now))
        now += pauses[-1]
    assert pauses == [3, 3, 3]


def test_a_session_that_lasted_ends_the_damping() -> None:
    machine = started(Settings())
    now = fail_at(machine, 0.0)
    now += fail_at(machine, now)
    machine.tick(now)
    for event in (Event.TCP_CR_ACKED, Event.BGP_OPEN, Event.KEEPALIVE_MSG):
        machine.receive(event, now)
    machine.receive(Event.TCP_CONNECTION_FAILS, now + 10)
    assert machine.deadline == now + 11


def test_sessions_that_die_as_soon_as_they_come_up_are_damped() -> None:
    machine = Machine()
    now, pauses = 0.0, []
    machine.receive(Event.AUTOMATIC_START, now)
    for _ in range(4):
        for event in (Event.TCP_CR_ACKED, Event.BGP_OPEN, Event.KEEPALIVE_MSG, Event.UPDATE_MSG_ERR):
            machine.receive(event, now)
        assert machine.deadline is not None
        pauses.append(machine.deadline - now)
        now = machine.deadline
        machine.tick(now)
    assert pauses == [1, 2, 4, 8]


def test_a_version_error_is_followed_by_a_pause_that_does_not_grow() -> None:
    machine = started(Settings())
    now, pauses = 0.0, []
    for _ in range(3):
        machine.receive(Event.TCP_CR_ACKED, now)
        machine.receive(Event.NOTIF_MSG_VER_ERR, now, error=Error(2, 1, b"\x00\x04"))
        assert machine.deadline is not None
        pauses.append(machine.deadline - now)
        now = machine.deadline
        machine.tick(now)
    assert pauses == [1, 1, 1]


def refuse(machine: Machine, now: float) -> float:
    machine.receive(Event.TCP_CONNECTION_FAILS, now)
    assert machine.is_waiting_to_redial
    assert machine.deadline is not None
    return machine.deadline - now


def test_failed_dials_are_repeated_soon_at_first_then_at_the_pace_of_connect_retry() -> None:
    machine = started(Settings(connect_retry_time=5))
    now, pauses = 0.0, []
    for _ in range(5):
        pauses.append(refuse(machine, now))
        now += pauses[-1]
        assert machine.tick(now) == [Connect()]
        assert not machine.is_waiting_to_redial
    assert pauses == [1, 2, 4, 5, 5]
    assert machine.connect_retry_counter == 0


def test_a_connection_ends_the_slowing_of_dials() -> None:
    machine = started(Settings(connect_retry_time=60))
    now = refuse(machine, 0.0)
    machine.tick(now)
    now += refuse(machine, now)
    machine.tick(now)
    machine.receive(Event.TCP_CR_ACKED, now)
    assert fail_at(machine, now) == 1
    machine.tick(now + 1)
    assert refuse(machine, now + 1) == 1


def test_a_machine_that_waits_to_redial_can_take_the_peers_connection() -> None:
    machine = started(Settings())
    refuse(machine, 0.0)
    machine.receive(Event.AUTOMATIC_START_WITH_PASSIVE_TCP_ESTABLISHMENT, 0.5)
    assert machine.receive(Event.TCP_CONNECTION_CONFIRMED, 0.5) == [SendOpen()]
    assert machine.deadline == 240.5


def test_only_a_failed_dial_waits_to_redial() -> None:
    assert not Machine().is_waiting_to_redial
    machine = open_sent()
    machine.receive(Event.HOLD_TIMER_EXPIRES, 1.0)
    assert machine.is_running(Timer.IDLE_HOLD)
    assert not machine.is_waiting_to_redial


def test_manual_stop_in_idle_cancels_the_next_start() -> None:
    machine = started(Settings())
    refuse(machine, 0.0)
    assert machine.receive(Event.MANUAL_STOP, 0.5) == []
    assert machine.deadline is None
    assert not machine.is_waiting_to_redial


def test_a_start_by_hand_does_not_wait_for_the_pause() -> None:
    machine = started(Settings())
    fail_at(machine, 0.0)
    assert machine.receive(Event.MANUAL_START, 0.1) == [Connect()]
    assert machine.deadline == 120.1
    assert machine.connect_retry_counter == 0


def test_a_stopped_machine_stays_stopped() -> None:
    machine = established()
    machine.receive(Event.MANUAL_STOP, 1.0)
    assert machine.deadline is None
    assert machine.tick(1e6) == []


def test_a_passive_machine_never_dials() -> None:
    machine = started(Settings(passive=True))
    assert machine.state is State.ACTIVE
    for now in (120.0, 240.0, 360.0):
        assert machine.deadline == now
        assert machine.tick(now) == []
    assert machine.receive(Event.TCP_CONNECTION_CONFIRMED, 361.0) == [SendOpen()]


def test_an_unanswered_dial_is_repeated() -> None:
    machine = started(Settings(connect_retry_time=5))
    assert machine.tick(5.0) == [Drop(), Connect()]
    assert machine.deadline == 10.0


def test_a_connection_lost_in_open_sent_is_waited_for_and_then_dialled() -> None:
    machine = open_sent()
    machine.receive(Event.TCP_CONNECTION_FAILS, 1.0)
    assert machine.state is State.ACTIVE
    assert machine.tick(121.0) == [Connect()]


def test_the_retry_timer_that_a_failure_in_active_leaves_to_idle_expires_once() -> None:
    machine = Machine(Settings(allow_automatic_start=False))
    machine.receive(Event.MANUAL_START_WITH_PASSIVE_TCP_ESTABLISHMENT, 0.0)
    machine.receive(Event.TCP_CONNECTION_FAILS, 0.0)
    assert machine.deadline == 120.0
    assert machine.tick(120.0) == []
    assert machine.deadline is None


# DelayOpen.


def test_delay_open_lets_the_peer_speak_first() -> None:
    machine = started(Settings(delay_open=True, delay_open_time=5))
    assert machine.receive(Event.TCP_CR_ACKED, 0.0) == []
    assert machine.open_event is Event.BGP_OPEN_WITH_DELAY_OPEN_TIMER_RUNNING
    assert machine.receive(machine.open_event, 1.0, hold_time=9) == [SendOpen(), SendKeepalive()]
    assert machine.expires_at(Timer.HOLD) == 10.0
    assert machine.open_event.name == "BGP_OPEN"


def test_delay_open_ends_with_our_open() -> None:
    machine = started(Settings(delay_open=True, delay_open_time=5))
    machine.receive(Event.TCP_CR_ACKED, 0.0)
    assert machine.deadline == 5.0
    assert machine.tick(5.0) == [SendOpen()]
    assert machine.state is State.OPEN_SENT


# Jitter.


def test_jitter_shortens_retry_keepalive_and_idle_hold_but_never_hold() -> None:
    machine = Machine(jitter=0.75)
    machine.receive(Event.MANUAL_START, 0.0)
    assert machine.deadline == 90.0
    machine.receive(Event.TCP_CR_ACKED, 0.0)
    assert machine.deadline == 240.0
    machine.receive(Event.BGP_OPEN, 0.0)
    assert machine.deadline == 22.5
    machine.jitter = 0.5
    assert machine.jitter == 0.5
    machine.tick(22.5)
    assert machine.deadline == 37.5
    assert machine.expires_at(Timer.HOLD) == 90.0
    machine.receive(Event.TCP_CONNECTION_FAILS, 30.0)
    assert machine.deadline == 30.5


@pytest.mark.parametrize("jitter", [0.0, -0.5, 1.01, float("nan")])
def test_jitter_is_a_factor(jitter: float) -> None:
    with pytest.raises(ValueError, match="jitter must be a factor"):
        Machine(jitter=jitter)


# Two connections, RFC 4271 6.8.


def test_the_loser_of_a_collision_says_cease_and_the_winner_goes_on() -> None:
    dialled, accepted = open_sent(), open_confirm()
    actions: list[Action] = dialled.receive(Event.OPEN_COLLISION_DUMP, 1.0)
    assert actions == [SendNotification(6, 7), Drop()]
    assert dialled.receive(Event.MANUAL_STOP, 1.0) == []
    assert dialled.deadline is None
    assert accepted.receive(Event.KEEPALIVE_MSG, 1.0) == [SessionUp()]
