"""One BGP connection's state machine. The state is assigned in this file and nowhere else."""

from __future__ import annotations

from fsm.settings import Settings
from fsm.timers import Timers
from fsm.words import Action, Event, Fault, State, Timer, Transition


class Machine:
    """RFC 4271 8.2.2 for one connection; hands back actions, performs none; the caller's clock is `now`."""

    def __init__(self, settings: Settings = Settings(), *, jitter: float = 1.0) -> None:  # noqa: B008 - frozen
        self.settings = settings
        self.jitter = jitter
        self.connect_retry_counter = 0
        self.last_transition: Transition | None = None
        self._state = State.IDLE
        self._timers = Timers()

    @property
    def state(self) -> State:
        """Where the connection stands."""
        return self._state

    @property
    def hold_time(self) -> int:
        """The negotiated hold time; before an OPEN, the one we offer."""
        raise NotImplementedError

    @property
    def deadline(self) -> float | None:
        """When to call `tick`; None: no timer runs."""
        return self._timers.deadline

    @property
    def open_event(self) -> Event:
        """What a valid OPEN is at this moment: BGP_OPEN, or event 20 while the DelayOpenTimer runs."""
        raise NotImplementedError

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
        """What to do about an event, in order.

        error:     what the NOTIFICATION says, of events 21, 22, 28 (ours to send), 2, 8 (the Cease subcode to send), 24, 25 (received)
        hold_time: the negotiated one, with events 19 and 20; ValueError for 1 and 2 (RFC 4271 6.2: refuse them with 2/6)
        data:      the type octet of an unexpected message (RFC 6608); None: that of the event's own message.
                   A ROUTE-REFRESH is Event.UPDATE_MSG with data=b"\\x05": it may come when an UPDATE may.
        reason:    words for people, in place of the event's own
        """
        raise NotImplementedError

    def tick(self, now: float) -> list[Action]:
        """Lets every timer that is due expire, in order."""
        raise NotImplementedError

    def keepalive_sent(self, now: float) -> None:
        """A KEEPALIVE or UPDATE was sent of the caller's own accord: restarts the KeepaliveTimer (RFC 4271 8.2.2)."""
        raise NotImplementedError

    def octets_sent(self, now: float) -> None:
        """The transport took octets of ours: restarts the SendHoldTimer (RFC 9687). Not calling it ends the session!"""
        raise NotImplementedError
