"""The connections with one neighbour: those dialled and those accepted, their timers, and which of them is the session.

Usually there is one. While both sides dial at once there are two, the `primary` and a challenger, until the OPENs tell
which one stays (RFC 4271 6.8); the loser says Cease and goes. Connections that are over but not closed yet are retired:
nobody listens to them any more.
"""

from __future__ import annotations

from math import inf
from random import Random
from typing import Protocol

import trio

from bgp.message import Notification, Open
from bgp.net.bell import Bell
from bgp.net.failure import as_it_was_raised
from bgp.net.link import Link, describe
from bgp.net.sockets import PLAIN, SocketOptions
from bgp.net.transport import Connection, Transport
from bgp.options import PeerOptions
from bgp.session import Dial, HangUp, OpenReceived, Session, SessionEvent, SessionOptions
from bgp.wire.scan import Reach, RouteUpdate, UpdateScanner
from fsm import collision
from fsm.collision import Loser, resolve
from fsm.words import State


class Owner(Protocol):
    """The peer, as its connections see it."""

    options: PeerOptions

    def session_options(self) -> SessionOptions:
        """What a session starts from, as of now."""

    def take(self, reach: Reach) -> None:
        """Take in routes."""

    def ingest(self, update: RouteUpdate) -> None:
        """Take in an UPDATE that does not only announce."""

    def handle(self, link: Link, event: SessionEvent) -> None:
        """Do what an event asks for, except for those about connections."""

    def acted(self, link: Link) -> None:
        """All events of a link were handled."""

    def more(self, link: Link) -> bytes:
        """UPDATEs to send; empty for none."""

    @property
    def scanner(self) -> UpdateScanner | None:
        """What a new session may go on reading with."""

    def takes_over(self) -> bool:
        """Whether a new connection from the neighbour ends the session that is up."""

    def deadline(self) -> float | None:
        """When `tick` wants to be called."""

    def tick(self) -> None:
        """The deadline has come."""


class Links:
    """The connections of `owner`: `primary` is the session, `connect_error` why the last dial failed, None if it did not.

    `stopped` once `stop` was called: nothing is dialled or accepted any more.
    """

    def __init__(self, owner: Owner, transport: Transport, random: Random) -> None:
        self.connect_error: str | None = None
        self.stopped = False
        self.started = Bell()  #: rings when the session has begun, or could not
        self.broken: Exception | None = None  #: why it could not
        self._owner = owner
        self._transport = transport
        self._random = random
        self._nursery: trio.Nursery | None = None
        self.primary = self._new_link()
        self._challenger: Link | None = None
        self._retired: set[Link] = set()
        self._poke = Bell()
        self._armed = -inf  #: when the timer goes off; nothing is earlier while there is none
        self._timer: trio.CancelScope | None = None
        self._gone = Bell()

    # Their life.

    def protect(self) -> None:
        """Let nobody else in by the neighbour's address, from now until `run` returns. Raises OSError."""
        self._transport.protect(self._owner.options.address, socket_options(self._owner.options))

    async def run(self) -> None:
        """Keep the session up until cancelled or stopped."""
        try:
            with as_it_was_raised():
                async with trio.open_nursery() as self._nursery:
                    try:
                        if not self.stopped:
                            self._start(self.primary)
                    except Exception as error:  # an observer's: for whoever waits for the beginning
                        self.broken = error
                        return
                    finally:
                        self.started.ring()
                    await self._keep_time()
                    while self.primary.connection is not None or self._challenger is not None or self._retired:
                        await self._gone.wait()
                    self._nursery.cancel_scope.cancel()
        finally:
            self._transport.protect(self._owner.options.address, PLAIN)

    def stop(self, notification: Notification) -> None:
        """Say Cease and do not start again; `run` returns when the connections are closed."""
        self.stopped = True
        for link in self._all():
            link.session.stop(trio.current_time(), notification)
            self.act(link)
        self._poke.ring()

    def arm(self, deadline: float | None) -> None:
        """There is a deadline. A timer that goes off too early looks again; one that would be too late is set anew."""
        if deadline is not None and deadline < self._armed and self._timer is not None:
            self._armed = self._timer.deadline = deadline

    def _all(self) -> list[Link]:
        return [self.primary] if self._challenger is None else [self.primary, self._challenger]

    def _new_link(self) -> Link:
        session = Session(self._owner.session_options())
        session.scanner = self._owner.scanner
        # RFC 4271 10: timers are jittered so that a rack that boots does not dial in step.
        session.machine.jitter = self._random.uniform(0.75, 1.0)
        return Link(session, self.act, self._owner.more)

    def _start(self, link: Link, *, passive: bool = False) -> None:
        link.session.start(trio.current_time(), passive=passive or self._owner.options.passive)
        self.act(link)

    async def _keep_time(self) -> None:
        while not self.stopped:
            asked = [self._owner.deadline(), *(link.session.deadline() for link in self._all())]
            self._armed = min((at for at in asked if at is not None), default=inf)
            with trio.move_on_at(self._armed) as self._timer:
                await self._poke.wait()
            # Octets that wait in the socket are life: they are read before a timer may end the session.
            await trio.lowlevel.checkpoint()
            now = trio.current_time()
            for link in self._all():
                at = link.session.deadline()
                if at is not None and at <= now and not self.stopped:
                    link.session.tick(now)
                    self.act(link)
            if (at := self._owner.deadline()) is not None and at <= now:
                self._owner.tick()

    # Connections.

    async def _dial(self, link: Link, scope: trio.CancelScope) -> None:
        options = self._owner.options
        connection: Connection | None = None
        with scope:
            try:
                connection = await self._transport.dial(
                    options.address, options.port, local_address=options.local_address, options=socket_options(options)
                )
            except OSError as error:
                if link.dialling is not scope:
                    return
                link.dialling = None
                self.connect_error = f"cannot connect to {options.address} port {options.port}: {describe(error)}"
                link.session.lost(trio.current_time(), self.connect_error)
                self.act(link)
                return
        if link.dialling is scope:
            link.dialling = None
        if connection is None:
            return
        if scope.cancel_called or link.connection is not None or link.session.state is not State.CONNECT:
            await connection.aclose()
            return
        await self._serve(link, connection, dialled=True)

    async def accept(self, connection: Connection) -> None:
        """Serve a connection that the neighbour opened, as long as it lasts (RFC 4271 6.8, 8.2.1)."""
        link = None if self.stopped else self._link_for_accepted()
        if link is None:
            await connection.aclose()
        else:
            await self._serve(link, connection, dialled=False)

    def _link_for_accepted(self) -> Link | None:
        """The link that a connection of the neighbour's is for; None where it is refused."""
        link = self.primary
        state = link.session.state
        if link.connection is None and link.dialling is None:
            if state is State.IDLE and link.session.machine.is_waiting_to_redial:
                self._start(link, passive=True)
            if link.session.state in (State.CONNECT, State.ACTIVE):
                return link
        refuses = state is State.IDLE or (state is State.ESTABLISHED and not self._owner.takes_over())
        if refuses or self._challenger is not None:
            return None
        # What there is goes on beside it: the OPENs will tell which of the two stays.
        self._challenger = self._new_link()
        self._start(self._challenger, passive=True)
        return self._challenger

    async def _serve(self, link: Link, connection: Connection, *, dialled: bool) -> None:
        self.connect_error = None
        link.session.options = self._owner.session_options()
        try:
            await link.run(connection, dialled=dialled)
        finally:
            if link is self._challenger:
                self._challenger = None
            self._retired.discard(link)
            self._gone.ring()

    # What sessions say.

    def act(self, link: Link) -> None:
        """Do all that the link's session wants done."""
        session, owner = link.session, self._owner
        if link in self._retired:
            session.discard_events()
            return
        take = owner.take
        for event in session.events():
            if event.__class__ is Reach:
                take(event)
            elif event.__class__ is RouteUpdate:
                owner.ingest(event)
            else:
                self._handle(link, event)
        owner.acted(link)
        if session.has_octets:
            link.wake()
        self.arm(session.deadline())

    def _handle(self, link: Link, event: SessionEvent) -> None:
        match event:
            case Dial():
                if self._nursery is not None:
                    link.dialling = trio.CancelScope()
                    self._nursery.start_soon(self._dial, link, link.dialling)
            case HangUp():
                link.hang_up()
            case OpenReceived(open=message):
                self._collide(link, message)
            case _:
                self._owner.handle(link, event)

    def _collide(self, link: Link, message: Open) -> None:
        """RFC 4271 6.8: two connections to one neighbour, and the OPEN that tells them apart."""
        other = self._challenger if link is self.primary else self.primary
        if other is None:
            return
        if other.session.state is State.ESTABLISHED and self._owner.takes_over():
            self._take_over(link, other)
            return
        ours = link.session.options
        verdict = resolve(
            new=collision.Connection(link.session.state, link.dialled),
            existing=collision.Connection(other.session.state, other.dialled),
            local=collision.Speaker(ours.bgp_id, ours.asn),
            remote=collision.Speaker(message.bgp_id, message.asn),
        )
        if verdict.loser is not Loser.NEITHER:
            loser, winner = (link, other) if verdict.loser is Loser.NEW else (other, link)
            self._retire(loser, winner, verdict.reason)
            self._owner.acted(winner)

    def _take_over(self, link: Link, dead: Link) -> None:
        """The neighbour has restarted before we noticed: its new OPEN ends the old session, without a word on it.

        RFC 4724 4.2 lets the connection alone do so. A dial of the neighbour's that crossed with the one that became the
        session arrives late and says no OPEN: it must not end what has just begun.
        """
        dead.session.lost(trio.current_time(), "the peer has restarted: it opened another session")
        self.act(dead)
        self.primary, self._challenger = link, None
        self._hand_over(dead, link)
        if dead.connection is not None:
            self._retired.add(dead)

    def prefer(self, link: Link) -> None:
        """Make an established connection the session, if it is not: the other one never got so far."""
        if link is not self.primary:
            self._retire(self.primary, link, "the other connection is established")

    def _retire(self, loser: Link, winner: Link, reason: str) -> None:
        """Close one of two connections for good; the other is the session now."""
        self.primary, self._challenger = winner, None
        self._hand_over(loser, winner)
        loser.session.dump(trio.current_time(), reason)
        if loser.connection is not None:
            self._retired.add(loser)
        for event in loser.session.events():
            if isinstance(event, HangUp):
                loser.hang_up()
        loser.wake()

    @staticmethod
    def _hand_over(old: Link, new: Link) -> None:
        """What was counted so far goes on being counted."""
        before, after = old.session, new.session
        after.messages_in += before.messages_in
        after.messages_out += before.messages_out
        after.updates_in += before.updates_in


def socket_options(options: PeerOptions) -> SocketOptions:
    """What the session with a peer asks of its socket."""
    if options.ttl_security:
        return SocketOptions(options.password, ttl=255, min_ttl=256 - (options.multihop or 1))
    return SocketOptions(options.password, ttl=options.multihop)
