from __future__ import annotations

from math import inf, nan

import pytest

from fsm.settings import Settings, check_hold_time


@pytest.mark.parametrize("hold_time", [1, 2, -1, 65536])
def test_hold_times_the_rfc_forbids_are_refused(hold_time: int) -> None:
    with pytest.raises(ValueError, match="hold time must be 0 or 3 to 65535"):
        check_hold_time(hold_time)
    with pytest.raises(ValueError, match="hold time"):
        Settings(hold_time=hold_time)


@pytest.mark.parametrize("hold_time", [0, 3, 65535])
def test_hold_times_the_rfc_allows_are_taken(hold_time: int) -> None:
    assert check_hold_time(hold_time) == Settings(hold_time=hold_time).hold_time == hold_time


@pytest.mark.parametrize("seconds", [0.0, -1.0, inf, nan])
@pytest.mark.parametrize(
    "name", ["connect_retry_time", "open_hold_time", "delay_open_time", "idle_hold_time", "max_idle_hold_time"]
)
def test_no_timer_may_be_set_to_zero(name: str, seconds: float) -> None:
    with pytest.raises(ValueError, match=f"{name} must be a positive number"):
        Settings(**{name: seconds})  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [0.0, 0.9, -3.0, nan])
def test_keepalives_more_often_than_one_a_second_are_refused(seconds: float) -> None:
    with pytest.raises(ValueError, match="keepalive_time must be at least"):
        Settings(keepalive_time=seconds)


def test_send_hold_time_zero_is_off_and_negative_is_refused() -> None:
    assert Settings(send_hold_time=0).send_hold_time == 0
    with pytest.raises(ValueError, match="send_hold_time"):
        Settings(send_hold_time=-1)


def test_settings_are_values() -> None:
    assert Settings() == Settings()
    assert hash(Settings(passive=True)) != hash(Settings())
