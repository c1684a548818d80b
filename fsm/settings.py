"""The session attributes of RFC 4271 8 as one frozen value."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Final

#: RFC 4271 4.2: the two-octet field's largest value.
MAX_HOLD_TIME: Final = 65535
#: RFC 4271 4.2: "either zero or at least three seconds".
MIN_HOLD_TIME: Final = 3
#: RFC 4271 4.4: KEEPALIVEs "MUST NOT be sent more frequently than one per second".
MIN_KEEPALIVE_TIME: Final = 1.0
#: RFC 9687: SendHoldTime is the greater of eight minutes and twice the negotiated hold time.
MIN_SEND_HOLD_TIME: Final = 480.0


def check_hold_time(hold_time: int) -> int:
    """The hold time itself; ValueError if RFC 4271 4.2 does not allow it."""
    if hold_time != 0 and not MIN_HOLD_TIME <= hold_time <= MAX_HOLD_TIME:
        raise ValueError(f"hold time must be 0 or {MIN_HOLD_TIME} to {MAX_HOLD_TIME} seconds, not {hold_time}")
    return hold_time


@dataclass(frozen=True, slots=True)
class Settings:
    """The session attributes of RFC 4271 8; times in seconds. ValueError for a time that cannot be.

    An operator's choice of `passive` keeps the machine from ever dialling (RFC 4271 8.1.1 option PassiveTcpEstablishment).
    """

    hold_time: int = 90  #: what we offer; 0 turns the hold and keepalive timers off
    connect_retry_time: float = 120.0
    keepalive_time: float | None = None  #: None: a third of the negotiated hold time, which is also the most it can be
    open_hold_time: float = 240.0  #: the "large value" of the HoldTimer until the peer's OPEN
    send_hold_time: float | None = None  #: RFC 9687; None: its default; 0 turns it off
    passive: bool = False  #: PassiveTcpEstablishment
    delay_open: bool = False
    delay_open_time: float = 5.0
    allow_automatic_start: bool = True  #: also: start again by itself after a failure
    allow_automatic_stop: bool = True
    damp_peer_oscillations: bool = True
    idle_hold_time: float = 1.0  #: the pause in Idle before starting again; damped, it doubles ...
    max_idle_hold_time: float = 60.0  #: ... up to this
    send_notification_without_open: bool = False
    collision_detect_established_state: bool = False

    def __post_init__(self) -> None:
        check_hold_time(self.hold_time)
        _check_positive("connect_retry_time", self.connect_retry_time)
        _check_positive("open_hold_time", self.open_hold_time)
        _check_positive("delay_open_time", self.delay_open_time)
        _check_positive("idle_hold_time", self.idle_hold_time)
        _check_positive("max_idle_hold_time", self.max_idle_hold_time)
        if self.keepalive_time is not None and not self.keepalive_time >= MIN_KEEPALIVE_TIME:
            raise ValueError(f"keepalive_time must be at least {MIN_KEEPALIVE_TIME} s, not {self.keepalive_time}")
        if self.send_hold_time:
            _check_positive("send_hold_time", self.send_hold_time)


def _check_positive(name: str, seconds: float) -> None:
    """ValueError unless a timer may be set to this: one derived to zero would fire for ever."""
    if not (isfinite(seconds) and seconds > 0):
        raise ValueError(f"{name} must be a positive number of seconds, not {seconds}")
