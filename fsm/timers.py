"""Deadlines without a clock: when each timer of a connection will expire, and how long to wait before trying again."""

from __future__ import annotations

from math import inf

from fsm.words import Timer


class Timers:
    """The timers of one connection, each an instant on the caller's clock or not running."""

    __slots__ = ("_at",)

    def __init__(self) -> None:
        self._at = [inf] * len(Timer)

    def start(self, timer: Timer, at: float) -> None:
        """Lets the timer expire at an instant, whatever it was set to."""
        self._at[timer] = at

    def stop(self, *timers: Timer) -> None:
        """Stops these timers; those that do not run stay so."""
        for timer in timers:
            self._at[timer] = inf

    def is_running(self, timer: Timer) -> bool:
        """Whether the timer will expire."""
        return self._at[timer] != inf

    def expires_at(self, timer: Timer) -> float | None:
        """The instant at which the timer expires; None if it does not run."""
        at = self._at[timer]
        return None if at == inf else at

    @property
    def deadline(self) -> float | None:
        """The earliest expiry of all; None if nothing runs."""
        at = min(self._at)
        return None if at == inf else at

    def is_due(self, timer: Timer, now: float) -> bool:
        """Whether the timer has expired."""
        return self._at[timer] <= now

    def due(self, now: float) -> list[Timer]:
        """The timers that have expired, in the order in which they did."""
        return sorted((timer for timer in Timer if self._at[timer] <= now), key=self._at.__getitem__)


class Backoff:
    """A pause that doubles with each use, from `first` to `cap` seconds, until reset."""

    __slots__ = ("_cap", "_first", "_next")

    def __init__(self, first: float, cap: float) -> None:
        self._first = self._next = min(first, cap)
        self._cap = cap

    def peek(self) -> float:
        """The pause that is next."""
        return self._next

    def take(self) -> float:
        """The pause that is next; the one after it is twice as long."""
        pause = self._next
        self._next = min(2 * pause, self._cap)
        return pause

    def reset(self) -> None:
        """Starts over with the shortest pause."""
        self._next = self._first
