"""One connection to a neighbour: the task that reads, the task that writes, and the session between them."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final

import trio

from bgp.net.bell import Bell
from bgp.net.transport import Connection
from bgp.session import Session

#: Octets that one read asks for; a full table comes in pieces of this size.
CHUNK: Final = 1 << 16
#: Seconds that a closing connection has to take the NOTIFICATION.
LINGER: Final = 2.0

#: What a broken connection raises, on TCP or in memory.
BROKEN: Final = (OSError, trio.BrokenResourceError, trio.ClosedResourceError)


class Link:
    """A session and, while there is one, its connection.

    `act` is called after everything that may have given the session events; `more` gives UPDATEs to send, empty for none.
    """

    def __init__(self, session: Session, act: Callable[[Link], None], more: Callable[[Link], bytes]) -> None:
        self.session = session
        self.connection: Connection | None = None
        self.dialled = False
        self.closing = False
        self.dialling: trio.CancelScope | None = None
        self._act = act
        self._more = more
        self._wake = Bell()
        self._scope: trio.CancelScope | None = None  #: of a connection that is served

    def wake(self) -> None:
        """There may be something to send."""
        self._wake.ring()

    def hang_up(self) -> None:
        """Send what is queued and close, or give up dialling."""
        if self.dialling is not None:
            self.dialling.cancel()
        if self._scope is not None:
            self.closing = True
            self._scope.deadline = trio.current_time() + LINGER
            self._wake.ring()

    async def run(self, connection: Connection, *, dialled: bool) -> None:
        """Serve `connection` until it is closed by either side."""
        self.connection, self.dialled, self.closing = connection, dialled, False
        try:
            async with trio.open_nursery() as nursery:
                self._scope = nursery.cancel_scope
                self.session.connected(trio.current_time(), dialled=dialled)
                self._act(self)
                nursery.start_soon(self._read, connection)
                await self._write(connection)
                nursery.cancel_scope.cancel()
        finally:
            self.connection = self._scope = None
            with trio.CancelScope(shield=True, deadline=trio.current_time() + LINGER):
                await connection.aclose()

    async def _read(self, connection: Connection) -> None:
        reason = "connection closed by the peer"
        try:
            while octets := await connection.receive_some(CHUNK):
                self.session.receive(octets, trio.current_time())
                self._act(self)
        except BROKEN as error:
            reason = describe(error)
        if not self.closing:
            self.session.lost(trio.current_time(), reason)
            self._act(self)

    async def _write(self, connection: Connection) -> None:
        session = self.session
        while True:
            octets = session.octets_to_send()
            updates = not octets and not self.closing
            if updates:
                octets = self._more(self)
            if octets:
                try:
                    await connection.send_all(octets)
                except BROKEN as error:
                    if not self.closing:
                        session.lost(trio.current_time(), describe(error))
                        self._act(self)
                    return
                session.octets_sent(trio.current_time(), updates=updates)
            elif self.closing:
                return
            else:
                await self._wake.wait()


def describe(error: BaseException) -> str:
    """What went wrong with a connection, in words."""
    cause = error if isinstance(error, OSError) else error.__cause__
    if isinstance(cause, OSError):
        return os.strerror(cause.errno) if cause.errno else str(cause)
    return str(error) or "connection broken"
