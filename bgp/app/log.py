"""The log of a running speaker: a line an occasion, for a terminal, a file or the system's journal."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, TextIO

from bgp.net import MalformedUpdate, PeerChange
from bgp.options import PeerOptions
from fsm.words import State

#: Prefixes of a malformed UPDATE that are spelt out; its octets have them all.
PREFIXES: Final = 20


class Log:
    """Writes lines with the time before them."""

    def __init__(self, out: TextIO, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._out = out
        self._now = now
        self._limit = Limit()

    def say(self, text: str) -> None:
        """Write a line. A log that cannot be written is no reason to end sessions."""
        stamp = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with suppress(OSError):
            print(stamp, text, file=self._out, flush=True)

    def peer_changed(self, change: PeerChange) -> None:
        """A session changed its state."""
        because = _because(change)
        self.say(
            f"peer {shown(change.peer.options)} {change.old.title} → {change.new.title}{f': {because}' if because else ''}"
        )

    def update_malformed(self, malformed: MalformedUpdate) -> None:
        """An UPDATE had errors: what came of it, its prefixes and all of it (RFC 7606 6), unless there are too many."""
        held_back = self._limit.admit(malformed.peer.address, malformed.at)
        if held_back is None:
            return
        reasons = "; ".join(error.reason for error in malformed.errors) or "no unicast destinations"
        what = malformed.reaction or f"ignored {', '.join(malformed.ignored)}"
        more = f" ({held_back} more in the meantime)" if held_back else ""
        self.say(
            f"peer {shown(malformed.peer)} malformed UPDATE{more}: {what}: {reasons};"
            f" prefixes {_listed(malformed.prefixes)}; {malformed.octets.hex()}"
        )


class Limit:
    """So many occasions in so many seconds for each subject; the others are counted."""

    def __init__(self, most: int = 10, seconds: float = 60.0) -> None:
        self._most = most
        self._seconds = seconds
        self._said: dict[str, deque[float]] = {}
        self._held_back: dict[str, int] = {}

    def admit(self, subject: str, at: float) -> int | None:
        """How many were held back since the last that was admitted; None where this one is held back too."""
        said = self._said.setdefault(subject, deque())
        while said and said[0] <= at - self._seconds:
            said.popleft()
        if len(said) >= self._most:
            self._held_back[subject] = self._held_back.get(subject, 0) + 1
            return None
        said.append(at)
        return self._held_back.pop(subject, 0)


def _listed(prefixes: tuple[str, ...]) -> str:
    shown = ", ".join(prefixes[:PREFIXES]) or "none"
    return shown if len(prefixes) <= PREFIXES else f"{shown} and {len(prefixes) - PREFIXES} more"


def shown(options: PeerOptions) -> str:
    """A peer for a log: its address, and its name if it has one."""
    return f"{options.address} ({options.name})" if options.name else options.address


def _because(change: PeerChange) -> str:
    negotiated = change.peer.negotiated
    if negotiated is not None:
        families = ", ".join(map(str, negotiated.families))
        agreed = f"AS {negotiated.peer_asn}, {families}, hold time {change.peer.session.machine.hold_time} s"
        return f"{agreed}; {change.reason}" if change.reason else agreed
    last = change.peer.session.machine.last_transition
    # The session's own reason is why it went down: it says nothing about the way up again.
    return last.reason if last is not None and change.old in _UP.get(change.new, ()) else change.reason


#: Steps on the way up: the new state, and those that it is reached from.
_UP: Final = {
    State.CONNECT: (State.IDLE,),
    State.ACTIVE: (State.IDLE,),
    State.OPEN_SENT: (State.IDLE, State.CONNECT, State.ACTIVE),
    State.OPEN_CONFIRM: (State.IDLE, State.CONNECT, State.ACTIVE, State.OPEN_SENT),
}
