"""The log of a running speaker: a line an occasion, for a terminal, a file or the system's journal."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, TextIO

from bgp.net import PeerChange
from bgp.options import PeerOptions
from fsm.words import State


class Log:
    """Writes lines with the time before them."""

    def __init__(self, out: TextIO, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._out = out
        self._now = now

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


def shown(options: PeerOptions) -> str:
    """A peer for a log: its address, and its name if it has one."""
    return f"{options.address} ({options.name})" if options.name else options.address


def _because(change: PeerChange) -> str:
    negotiated = change.peer.negotiated
    if negotiated is not None:
        families = ", ".join(map(str, negotiated.families))
        return f"AS {negotiated.peer_asn}, {families}, hold time {change.peer.session.machine.hold_time} s"
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
