"""Every (state, event) pair against RFC 4271 8.2.2 read a second time, by hand, as text.

A cell says what the world sees: the actions in order; `=0` or `+1` for the ConnectRetryCounter; `>State` if it changes; then
in brackets the timers that run afterwards: Retry, Hold, Keepalive, Delay, Idle hold, Send hold. `-`: nothing whatever happens.
"""

from __future__ import annotations

import pytest

from fsm.machine import Machine
from fsm.settings import Settings
from fsm.table import RULES, Choice, Condition, Do, Rule, cell, outcomes
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

LETTERS = {
    Timer.CONNECT_RETRY: "R",
    Timer.HOLD: "H",
    Timer.KEEPALIVE: "K",
    Timer.DELAY_OPEN: "D",
    Timer.IDLE_HOLD: "I",
    Timer.SEND_HOLD: "S",
}

# fmt: off
DEFAULTS = {
    State.IDLE: """
         1 dial =0 >CONNECT [R]
         2 -
         3 dial =0 >CONNECT [R]
         4 =0 >ACTIVE [R]
         5 =0 >ACTIVE [R]
         6 dial >CONNECT [R]
         7 >ACTIVE [R]
         8 -
         9 -
        10 -
        11 -
        12 -
        13 dial >CONNECT [R]
        14 -
        15 -
        16 close []
        17 close []
        18 -
        19 -
        20 -
        21 -
        22 -
        23 -
        24 -
        25 -
        26 -
        27 -
        28 -
        29 -
    """,
    State.CONNECT: """
         1 -
         2 close =0 >IDLE []
         3 -
         4 -
         5 -
         6 -
         7 -
         8 close +1 >IDLE [I]
         9 close dial [R]
        10 close +1 >IDLE [I]
        11 close +1 >IDLE [I]
        12 open >OPEN_SENT [H]
        13 close +1 >IDLE [I]
        14 -
        15 -
        16 open >OPEN_SENT [H]
        17 open >OPEN_SENT [H]
        18 close >IDLE [I]
        19 close +1 >IDLE [I]
        20 open keepalive >OPEN_CONFIRM [HK]
        21 close +1 >IDLE [I]
        22 close +1 >IDLE [I]
        23 close +1 >IDLE [I]
        24 close +1 >IDLE [I]
        25 close +1 >IDLE [I]
        26 close +1 >IDLE [I]
        27 close +1 >IDLE [I]
        28 close +1 >IDLE [I]
        29 close +1 >IDLE [I]
    """,
    State.ACTIVE: """
         1 -
         2 close =0 >IDLE []
         3 -
         4 -
         5 -
         6 -
         7 -
         8 close +1 >IDLE [I]
         9 dial >CONNECT [R]
        10 close +1 >IDLE [I]
        11 close +1 >IDLE [I]
        12 open >OPEN_SENT [H]
        13 close +1 >IDLE [I]
        14 -
        15 -
        16 open >OPEN_SENT [H]
        17 open >OPEN_SENT [H]
        18 close +1 >IDLE [RI]
        19 close +1 >IDLE [I]
        20 open keepalive >OPEN_CONFIRM [HK]
        21 close +1 >IDLE [I]
        22 close +1 >IDLE [I]
        23 close +1 >IDLE [I]
        24 close +1 >IDLE [I]
        25 close +1 >IDLE [I]
        26 close +1 >IDLE [I]
        27 close +1 >IDLE [I]
        28 close +1 >IDLE [I]
        29 close +1 >IDLE [I]
    """,
    State.OPEN_SENT: """
         1 -
         2 6/2 close =0 >IDLE []
         3 -
         4 -
         5 -
         6 -
         7 -
         8 6/0 close +1 >IDLE [I]
         9 5/1 close +1 >IDLE [I]
        10 4/0 close +1 >IDLE [I]
        11 5/1 close +1 >IDLE [I]
        12 5/1 close +1 >IDLE [I]
        13 5/1 close +1 >IDLE [I]
        14 -
        15 -
        16 -
        17 -
        18 close >ACTIVE [R]
        19 keepalive >OPEN_CONFIRM [HK]
        20 5/1:01 close +1 >IDLE [I]
        21 1/0 close +1 >IDLE [I]
        22 2/0 close +1 >IDLE [I]
        23 6/7 close +1 >IDLE [I]
        24 close >IDLE [I]
        25 5/1:03 close +1 >IDLE [I]
        26 5/1:04 close +1 >IDLE [I]
        27 5/1:02 close +1 >IDLE [I]
        28 5/1:02 close +1 >IDLE [I]
        29 5/1 close +1 >IDLE [I]
    """,
    State.OPEN_CONFIRM: """
         1 -
         2 6/2 close =0 >IDLE []
         3 -
         4 -
         5 -
         6 -
         7 -
         8 6/0 close +1 >IDLE [I]
         9 5/2 close +1 >IDLE [I]
        10 4/0 close +1 >IDLE [I]
        11 keepalive [HK]
        12 5/2 close +1 >IDLE [I]
        13 5/2 close +1 >IDLE [I]
        14 -
        15 -
        16 -
        17 -
        18 close +1 >IDLE [I]
        19 5/2:01 close +1 >IDLE [I]
        20 5/2:01 close +1 >IDLE [I]
        21 1/0 close +1 >IDLE [I]
        22 2/0 close +1 >IDLE [I]
        23 6/7 close +1 >IDLE [I]
        24 close >IDLE [I]
        25 close +1 >IDLE [I]
        26 up >ESTABLISHED [HKS]
        27 5/2:02 close +1 >IDLE [I]
        28 5/2:02 close +1 >IDLE [I]
        29 5/2 close +1 >IDLE [I]
    """,
    State.ESTABLISHED: """
         1 -
         2 6/2 down close =0 >IDLE []
         3 -
         4 -
         5 -
         6 -
         7 -
         8 6/0 down close +1 >IDLE [I]
         9 5/3 down close +1 >IDLE [I]
        10 4/0 down close +1 >IDLE [I]
        11 keepalive [HKS]
        12 5/3 down close +1 >IDLE [I]
        13 5/3 down close +1 >IDLE [I]
        14 -
        15 -
        16 -
        17 -
        18 down close +1 >IDLE [I]
        19 5/3:01 down close +1 >IDLE [I]
        20 5/3:01 down close +1 >IDLE [I]
        21 1/0 down close +1 >IDLE [I]
        22 5/3:01 down close +1 >IDLE [I]
        23 -
        24 down close +1 >IDLE [I]
        25 down close +1 >IDLE [I]
        26 [HKS]
        27 [HKS]
        28 3/0 down close +1 >IDLE [I]
        29 down close +1 >IDLE [I]
    """,
}
# fmt: on

START = (Event.MANUAL_START, Event.TCP_CR_ACKED, Event.BGP_OPEN, Event.KEEPALIVE_MSG)
PATHS: dict[State, tuple[Event, ...]] = {
    State.IDLE: (),
    State.CONNECT: START[:1],
    State.ACTIVE: (Event.MANUAL_START_WITH_PASSIVE_TCP_ESTABLISHMENT,),
    State.OPEN_SENT: START[:2],
    State.OPEN_CONFIRM: START[:3],
    State.ESTABLISHED: START,
}


def parse(table: str) -> dict[Event, str]:
    rows = (line.strip().split(maxsplit=1) for line in table.strip().splitlines())
    return {Event(int(number)): answer for number, answer in rows}


EXPECTED = {state: parse(table) for state, table in DEFAULTS.items()}


def at(state: State, settings: Settings | None = None) -> Machine:
    """A machine in a state, with a counter that shows both resets and increments."""
    machine = Machine(settings or Settings())
    for event in PATHS[state]:
        machine.receive(event, 0.0)
    assert machine.state is state
    machine.connect_retry_counter = 7
    return machine


def render(action: Action) -> str:
    match action:
        case SendNotification(code, subcode, data):
            return f"{code}/{subcode}" + (f":{data.hex()}" if data else "")
        case SessionDown(reason):
            assert reason
            return "down"
    return {Connect(): "dial", SendOpen(): "open", SendKeepalive(): "keepalive", Drop(): "close", SessionUp(): "up"}[
        action
    ]


def snapshot(machine: Machine) -> list[float | None]:
    return [machine.expires_at(timer) for timer in Timer]


def observe(machine: Machine, event: Event) -> str:
    """One event's answer in the notation of the tables above."""
    state, timers = machine.state, snapshot(machine)
    words = [render(action) for action in machine.receive(event, 1.0)]
    if machine.connect_retry_counter != 7:
        words.append("=0" if machine.connect_retry_counter == 0 else "+1")
        assert machine.connect_retry_counter in (0, 8)
    if machine.state is not state:
        words.append(f">{machine.state.name}")
    if not words and snapshot(machine) == timers:
        return "-"
    running = "".join(letter for timer, letter in LETTERS.items() if machine.is_running(timer))
    return " ".join([*words, f"[{running}]"])


@pytest.mark.parametrize("event", Event, ids=lambda event: event.name)
@pytest.mark.parametrize("state", State, ids=lambda state: state.title)
def test_every_event_in_every_state_is_answered_as_the_rfc_says(state: State, event: Event) -> None:
    assert observe(at(state), event) == EXPECTED[state][event]


DELAYING = Settings(delay_open=True)
DELAYING_AND_FRANK = Settings(delay_open=True, send_notification_without_open=True)
FRANK = Settings(send_notification_without_open=True)
UNDAMPED = Settings(damp_peer_oscillations=False)
NO_START = Settings(allow_automatic_start=False)
NO_STOP = Settings(allow_automatic_stop=False)
PASSIVE = Settings(passive=True)
COLLIDING = Settings(collision_detect_established_state=True)

OPTIONS = [
    # DelayOpen: a connection that comes up does not see our OPEN yet.
    (DELAYING, State.CONNECT, 16, "[D]"),
    (DELAYING, State.CONNECT, 17, "[D]"),
    (DELAYING, State.ACTIVE, 16, "[D]"),
    (DELAYING, State.ACTIVE, 17, "[D]"),
    # SendNOTIFICATIONwithoutOPEN
    (FRANK, State.CONNECT, 21, "1/0 close +1 >IDLE [I]"),
    (FRANK, State.CONNECT, 22, "2/0 close +1 >IDLE [I]"),
    (FRANK, State.ACTIVE, 21, "1/0 close +1 >IDLE [I]"),
    (FRANK, State.ACTIVE, 22, "2/0 close +1 >IDLE [I]"),
    (FRANK, State.ACTIVE, 2, "close =0 >IDLE []"),
    # DampPeerOscillations: without it events 6 and 7 do not exist; the pause in Idle does, at constant length.
    (UNDAMPED, State.IDLE, 6, "-"),
    (UNDAMPED, State.IDLE, 7, "-"),
    (UNDAMPED, State.IDLE, 13, "dial >CONNECT [R]"),
    # AllowAutomaticStart: without it nothing starts by itself, and no pause is timed.
    (NO_START, State.IDLE, 1, "dial =0 >CONNECT [R]"),
    (NO_START, State.IDLE, 3, "-"),
    (NO_START, State.IDLE, 4, "=0 >ACTIVE [R]"),
    (NO_START, State.IDLE, 5, "-"),
    (NO_START, State.IDLE, 6, "-"),
    (NO_START, State.IDLE, 7, "-"),
    (NO_START, State.IDLE, 13, "-"),
    (NO_START, State.CONNECT, 18, "close >IDLE []"),
    (NO_START, State.OPEN_SENT, 10, "4/0 close +1 >IDLE []"),
    (NO_START, State.OPEN_SENT, 24, "close >IDLE []"),
    (NO_START, State.ACTIVE, 18, "close +1 >IDLE [R]"),
    # AllowAutomaticStop
    *((NO_STOP, state, 8, "-") for state in State),
    # PassiveTcpEstablishment: never dials.
    (PASSIVE, State.IDLE, 1, "=0 >ACTIVE [R]"),
    (PASSIVE, State.IDLE, 3, "=0 >ACTIVE [R]"),
    (PASSIVE, State.IDLE, 6, ">ACTIVE [R]"),
    (PASSIVE, State.IDLE, 13, ">ACTIVE [R]"),
    (PASSIVE, State.ACTIVE, 9, "[R]"),
    # CollisionDetectEstablishedState
    (COLLIDING, State.ESTABLISHED, 23, "6/7 down close +1 >IDLE [I]"),
]


@pytest.mark.parametrize(("settings", "state", "number", "expected"), OPTIONS)
def test_optional_attributes_change_the_answer(settings: Settings, state: State, number: int, expected: str) -> None:
    assert observe(at(state, settings), Event(number)) == expected


DELAY_OPEN_RUNNING = [
    (DELAYING, 2, "close =0 >IDLE []"),
    (DELAYING, 24, "close >IDLE [I]"),
    (DELAYING, 12, "open >OPEN_SENT [H]"),
    (DELAYING, 19, "close +1 >IDLE [I]"),
    (DELAYING, 20, "open keepalive >OPEN_CONFIRM [HK]"),
    (DELAYING, 21, "close +1 >IDLE [I]"),
    (DELAYING_AND_FRANK, 21, "1/0 close +1 >IDLE [I]"),
]


@pytest.mark.parametrize("state", [State.CONNECT, State.ACTIVE])
@pytest.mark.parametrize(("settings", "number", "expected"), DELAY_OPEN_RUNNING)
def test_events_while_the_open_is_delayed(state: State, settings: Settings, number: int, expected: str) -> None:
    machine = at(state, settings)
    assert observe(machine, Event.TCP_CONNECTION_CONFIRMED) == "[D]"
    assert observe(machine, Event(number)) == expected


@pytest.mark.parametrize(
    ("settings", "state", "number", "expected"),
    [
        (DELAYING, State.CONNECT, 18, "close >ACTIVE [R]"),
        (DELAYING, State.ACTIVE, 18, "close +1 >IDLE [RI]"),
        (DELAYING, State.CONNECT, 9, "close dial [R]"),
        (DELAYING_AND_FRANK, State.CONNECT, 2, "close =0 >IDLE []"),
        (DELAYING_AND_FRANK, State.ACTIVE, 2, "6/2 close =0 >IDLE []"),
    ],
)
def test_events_while_the_open_is_delayed_that_differ_by_state(
    settings: Settings, state: State, number: int, expected: str
) -> None:
    machine = at(state, settings)
    assert observe(machine, Event.TCP_CR_ACKED) == "[D]"
    assert observe(machine, Event(number)) == expected


@pytest.mark.parametrize(("number", "expected"), [(6, "-"), (7, "-"), (13, "dial >CONNECT [R]"), (2, "[]")])
def test_damped_starts_wait_for_the_idle_hold_timer(number: int, expected: str) -> None:
    machine = at(State.OPEN_SENT)
    machine.receive(Event.HOLD_TIMER_EXPIRES, 1.0)
    machine.connect_retry_counter = 7
    assert observe(machine, Event(number)) == expected


def test_every_step_and_condition_is_used_by_the_table() -> None:
    cells = [cell(state, event) for state in State for event in Event]
    assert {step for each in cells for rule in outcomes(each) for step in rule.steps} == set(Do)
    conditions: set[Condition] = set()
    while cells:
        match cells.pop():
            case Choice(condition, yes, no):
                conditions.add(condition)
                cells += [yes, no]
    assert conditions == set(Condition)


@pytest.mark.parametrize("state", State)
def test_every_state_has_an_answer_to_other_events(state: State) -> None:
    assert isinstance(RULES[state][None], Rule)


@pytest.mark.parametrize("state", State)
def test_whatever_ends_established_says_so_and_nothing_else_does(state: State) -> None:
    for event in Event:
        for rule in outcomes(cell(state, event)):
            leaves = state is State.ESTABLISHED and rule.to is not None
            assert (Do.DOWN in rule.steps) == leaves
            assert (Do.UP in rule.steps) == (rule.to is State.ESTABLISHED)
