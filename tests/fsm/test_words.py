from __future__ import annotations

import pytest

from fsm.words import REASONS, Drop, Event, SendNotification, State


def test_states_are_spelled_as_in_the_rfc() -> None:
    assert [state.title for state in State] == ["Idle", "Connect", "Active", "OpenSent", "OpenConfirm", "Established"]


def test_events_are_numbered_as_in_the_rfc() -> None:
    assert [int(event) for event in Event] == list(range(1, 30))
    assert Event(19).name == "BGP_OPEN"
    assert Event(28).name == "UPDATE_MSG_ERR"
    assert Event(29).name == "SEND_HOLD_TIMER_EXPIRES"


def test_every_event_has_words_for_people() -> None:
    assert set(REASONS) == set(Event)
    assert len(set(REASONS.values())) == len(Event)


def test_actions_are_values() -> None:
    assert Drop() == Drop()
    assert SendNotification(6, 2) == SendNotification(6, 2, b"")
    assert len({SendNotification(6, 2), SendNotification(6, 2), SendNotification(6, 7)}) == 2
    with pytest.raises(AttributeError):
        SendNotification(6, 2).code = 1  # type: ignore[misc]
