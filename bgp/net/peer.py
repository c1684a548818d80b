"""One neighbour: its connections, its Adj-RIB-In, its place in an update group, and why it is up or down."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from random import Random
from typing import Final, Protocol

import trio

from bgp.capability import Negotiated
from bgp.iana import CeaseSubcode, NotificationCode
from bgp.message import Notification, Open
from bgp.net.group import GroupKey, Groups
from bgp.net.link import Link, describe
from bgp.net.rules import export_rules, import_rules, session_options
from bgp.net.transport import Connection, SocketOptions, Transport
from bgp.options import PeerOptions, SpeakerOptions
from bgp.session import Closed, Dial, Established, HangUp, OpenReceived, RefreshReceived, Session, SessionEvent
from bgp.wire.outgoing import MAX_EXTENDED_MESSAGE, MAX_MESSAGE
from bgp.wire.scan import Reach, RouteUpdate
from fsm import collision
from fsm.collision import Loser, resolve
from fsm.words import State
from rib.adj_in import AdjRibIn
from rib.loc_rib import LocRib
from rib.next_hop import Resolver
from rib.route import Source, SourceKind

#: Octets of UPDATEs that one write takes from the queue.
PIECE: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class PeerChange:
    """A session changed its state.

    `reason` says why it went down; where it came up, what it will not do (RFC 8212); else it is empty.
    """

    peer: Peer
    old: State
    new: State
    reason: str
    at: float


@dataclass(slots=True)
class PeerCounts:
    """What a peer has sent and been sent since it was added."""

    messages_received: int = 0
    messages_sent: int = 0
    updates_received: int = 0
    established: int = 0
    dropped: int = 0


class Home(Protocol):
    """The speaker, as its peers see it."""

    options: SpeakerOptions
    transport: Transport

    @property
    def loc_rib(self) -> LocRib:
        """The routes that won."""

    groups: Groups
    resolver: Resolver
    random: Random

    def peer_changed(self, change: PeerChange) -> None:
        """Hear of a change of state."""


class Peer:
    """One neighbour of a speaker. Made by `Speaker.add_peer`."""

    def __init__(self, home: Home, options: PeerOptions) -> None:
        self.options = options
        self.address = ip_address(options.address)
        self.counts = PeerCounts()
        self.why_down = "not started"
        self.last_sent: Notification | None = None
        self.last_received: Notification | None = None
        self.connect_error: str | None = None
        self.established_at: float | None = None
        self.changed_at = trio.current_time()
        self.adj_in: AdjRibIn | None = None
        self.queue: deque[bytes] = deque()
        self.queued = 0
        self._home = home
        self._nursery: trio.Nursery | None = None
        self._primary = self._new_link()
        self._challenger: Link | None = None
        self._retired: set[Link] = set()
        self._state = State.IDLE
        self._changed = trio.Event()
        self._poke = trio.Event()
        self._armed = float("inf")
        self._stopped = False
        self.source = self._source(IPv4Address(0))

    # What a user asks.

    @property
    def state(self) -> State:
        """The state of the session (RFC 4271 8.2.2)."""
        return self._primary.session.state

    @property
    def negotiated(self) -> Negotiated | None:
        """What both sides agreed on; None while the session is not established."""
        return self._primary.session.negotiated if self.state is State.ESTABLISHED else None

    @property
    def peer_open(self) -> Open | None:
        """The OPEN of the last connection that got so far."""
        return self._primary.session.peer_open

    @property
    def connection(self) -> Connection | None:
        """The connection, if there is one."""
        return self._primary.connection

    @property
    def internal(self) -> bool:
        """Whether the peer is in our AS."""
        return (self.options.local_asn or self._home.options.asn) == self.options.asn

    @property
    def missing_policies(self) -> tuple[str, ...]:
        """ "import" and "export" where an external session has no such policy, so that nothing passes (RFC 8212)."""
        if self.internal:
            return ()
        policies = {"import": self.options.import_policy, "export": self.options.export_policy}
        return tuple(name for name, policy in policies.items() if policy is None)

    async def wait_established(self) -> None:
        """Return when the session is up."""
        await self._wait(lambda state: state is State.ESTABLISHED)

    async def wait_down(self) -> None:
        """Return when the session is not up."""
        await self._wait(lambda state: state is not State.ESTABLISHED)

    async def _wait(self, done: Callable[[State], bool]) -> None:
        await trio.lowlevel.checkpoint()
        while not done(self.state):
            await self._changed.wait()

    # Its life.

    async def run(self, *, task_status: trio.TaskStatus[None] = trio.TASK_STATUS_IGNORED) -> None:
        """Keep the session up until cancelled or stopped."""
        async with trio.open_nursery() as nursery:
            self._nursery = nursery
            self._home.transport.protect(self.options.address, self._socket_options())
            self._start(self._primary)
            task_status.started()
            await self._keep_time()
            while self._primary.connection is not None or self._challenger is not None or self._retired:
                await self._changed.wait()
            nursery.cancel_scope.cancel()

    def stop(self, notification: Notification | None = None) -> None:
        """End the session with Cease and do not start again; `run` returns when the connection is closed."""
        if self._stopped:
            return
        self._stopped = True
        message = notification or Notification(NotificationCode.CEASE, CeaseSubcode.ADMINISTRATIVE_SHUTDOWN, b"")
        for link in self._links():
            link.session.stop(trio.current_time(), message)
            self._act(link)
        self._poke.set()

    def reset(self, notification: Notification) -> None:
        """Close the session with `notification`; it comes up again by itself."""
        self._primary.session.close(trio.current_time(), notification, str(notification))
        self._act(self._primary)

    def _links(self) -> list[Link]:
        return [self._primary] if self._challenger is None else [self._primary, self._challenger]

    def _new_link(self) -> Link:
        session = Session(session_options(self._home.options, self.options))
        # RFC 4271 10: timers are jittered so that a rack that boots does not dial in step.
        session.machine.jitter = self._home.random.uniform(0.75, 1.0)
        return Link(session, self._act, self._more)

    def _start(self, link: Link, *, passive: bool = False) -> None:
        link.session.start(trio.current_time(), passive=passive or self.options.passive)
        self._act(link)

    async def _keep_time(self) -> None:
        while not self._stopped:
            deadlines = [at for link in self._links() if (at := link.session.deadline()) is not None]
            self._armed = min(deadlines, default=float("inf"))
            self._poke = trio.Event()
            with trio.move_on_at(self._armed):
                await self._poke.wait()
            # Octets that wait in the socket are life: they are read before a timer may end the session.
            await trio.lowlevel.checkpoint()
            now = trio.current_time()
            for link in self._links():
                at = link.session.deadline()
                if at is not None and at <= now and not self._stopped:
                    link.session.tick(now)
                    self._act(link)

    def _socket_options(self) -> SocketOptions:
        options = self.options
        if options.ttl_security:
            return SocketOptions(options.password, ttl=255, min_ttl=256 - (options.multihop or 1))
        return SocketOptions(options.password, ttl=options.multihop)

    async def _dial(self, link: Link, scope: trio.CancelScope) -> None:
        options = self.options
        connection: Connection | None = None
        with scope:
            try:
                connection = await self._home.transport.dial(
                    options.address, options.port, local_address=options.local_address, options=self._socket_options()
                )
            except OSError as error:
                if link.dialling is not scope:
                    return
                link.dialling = None
                self.connect_error = f"cannot connect to {options.address} port {options.port}: {describe(error)}"
                link.session.lost(trio.current_time(), self.connect_error)
                self._act(link)
                return
        if link.dialling is scope:
            link.dialling = None
        if connection is None:
            return
        if scope.cancel_called or link.connection is not None or link.session.state is not State.CONNECT:
            await connection.aclose()
            return
        self.connect_error = None
        await self._serve(link, connection, dialled=True)

    async def accept(self, connection: Connection) -> None:
        """Serve a connection that the neighbour opened, as long as it lasts (RFC 4271 6.8, 8.2.1)."""
        if self._stopped:
            await connection.aclose()
            return
        link = self._primary
        if link.connection is None and link.dialling is None and link.session.state in (State.CONNECT, State.ACTIVE):
            pass
        elif link.session.state not in (State.IDLE, State.ESTABLISHED) and self._challenger is None:
            # Our own attempt goes on beside it: the OPENs will tell which of the two stays.
            link = self._challenger = self._new_link()
            self._start(link, passive=True)
        else:
            await connection.aclose()
            return
        await self._serve(link, connection, dialled=False)

    async def _serve(self, link: Link, connection: Connection, *, dialled: bool) -> None:
        try:
            await link.run(connection, dialled=dialled)
        finally:
            if link is self._challenger:
                self._challenger = None
            self._retired.discard(link)
            self._signal()

    # What sessions say.

    def _act(self, link: Link) -> None:
        session = link.session
        if link in self._retired:
            session.discard_events()
            return
        for event in session.events():
            if event.__class__ is Reach:
                self._take(event)
            elif event.__class__ is RouteUpdate:
                self._ingest(event)
            else:
                self._handle(link, event)
        self._home.groups.wake()
        link.wake()
        deadline = session.deadline()
        if deadline is not None and deadline < self._armed:
            self._poke.set()
        if link is self._primary and session.state is not self._state:
            self._state_changed(session)

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
            case Established(negotiated=negotiated):
                self._up(link, negotiated)
            case Closed():
                self._down(event)
            case RefreshReceived(refresh=refresh):
                if self.adj_in is not None and refresh.family in self.adj_in.tables and refresh.subtype == 0:
                    self._home.groups.refresh(self, refresh.family)

    def _collide(self, link: Link, message: Open) -> None:
        """RFC 4271 6.8: two connections to one neighbour, and the OPEN that tells them apart."""
        other = self._challenger if link is self._primary else self._primary
        if other is None:
            return
        ours = link.session.options
        verdict = resolve(
            new=collision.Connection(link.session.state, link.dialled),
            existing=collision.Connection(other.session.state, other.dialled),
            local=collision.Speaker(ours.bgp_id, ours.asn),
            remote=collision.Speaker(message.bgp_id, message.asn),
        )
        if verdict.loser is Loser.NEITHER:
            return
        loser, winner = (link, other) if verdict.loser is Loser.NEW else (other, link)
        self._retire(loser, winner, verdict.reason)

    def _retire(self, loser: Link, winner: Link, reason: str) -> None:
        """Close one of two connections for good; the other is the session now."""
        self._primary, self._challenger = winner, None
        loser.session.dump(trio.current_time(), reason)
        if loser.connection is not None:
            self._retired.add(loser)
        for event in loser.session.events():
            if isinstance(event, HangUp):
                loser.hang_up()
        loser.wake()

    def _up(self, link: Link, negotiated: Negotiated) -> None:
        if link is not self._primary:
            # The other connection never got so far: this one is the session now.
            self._retire(self._primary, link, "the other connection is established")
        home, options = self._home, self.options
        connection = link.connection
        opened = link.session.peer_open
        assert connection is not None  # Established has both
        assert opened is not None
        self.source = self._source(opened.bgp_id)
        rules = import_rules(home.options, options, connection.local[0], home.resolver)
        self.adj_in = AdjRibIn(self.source, rules, negotiated.families)
        self.established_at = trio.current_time()
        self.counts.established += 1
        key = GroupKey(
            export_rules(home.options, options, connection.local[0]),
            negotiated.families,
            negotiated.as4,
            MAX_EXTENDED_MESSAGE if negotiated.extended_message else MAX_MESSAGE,
        )
        home.groups.join(self, key)

    def _source(self, bgp_id: IPv4Address) -> Source:
        options = self.options
        kind = SourceKind.INTERNAL if self.internal else SourceKind.EXTERNAL
        address: IPv4Address | IPv6Address = self.address
        return Source(kind, options.label, options.asn, bgp_id, address, options.route_reflector_client)

    def _down(self, closed: Closed) -> None:
        self.established_at = None
        self.counts.dropped += 1
        self._home.groups.leave(self)
        self.queue.clear()
        self.queued = 0
        adj_in, self.adj_in = self.adj_in, None
        if adj_in is not None:
            for family in adj_in.tables:
                self._home.loc_rib.table(family).remove(adj_in.clear(family))

    def _state_changed(self, session: Session) -> None:
        old, self._state = self._state, session.state
        if session.sent is not None:
            self.last_sent = session.sent
        if session.received is not None:
            self.last_received = session.received
        up = session.state is State.ESTABLISHED
        self.why_down = "" if up else session.reason
        self.changed_at = trio.current_time()
        self._signal()
        reason = _without_policies(self.missing_policies) if up else session.reason
        self._home.peer_changed(PeerChange(self, old, session.state, reason, self.changed_at))

    def _signal(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    # Routes.

    def _ingest(self, update: RouteUpdate) -> None:
        """Take in an UPDATE that withdraws, or of which RFC 7606 had something to say."""
        adj_in = self.adj_in
        if adj_in is None:
            return
        for family, nlri, ids in update.withdrawn:
            gone = adj_in.withdraw(family, nlri, ids)
            if gone:
                self._home.loc_rib.table(family).remove(gone)
        for reach in update.announced:
            self._take(reach)

    def _take(self, reach: Reach) -> None:
        """Take in routes."""
        adj_in = self.adj_in
        if adj_in is None:
            return
        family, attributes, nlri, ids = reach
        table = self._home.loc_rib.table(family)
        if ids is None and adj_in.uniform:
            path = adj_in.path(attributes)
            table.insert(nlri, path, adj_in.store(family, nlri, path))
        else:
            for path, keys, before in adj_in.announce(family, nlri, attributes, ids):
                table.insert(keys, path, before)
        limit = self.options.max_prefixes
        if limit is not None and len(adj_in.tables[family]) > limit:
            octets = family.afi.to_bytes(2, "big") + bytes((family.safi,)) + limit.to_bytes(4, "big")
            cease = Notification(NotificationCode.CEASE, CeaseSubcode.MAXIMUM_NUMBER_OF_PREFIXES_REACHED, octets)
            self._primary.session.close(trio.current_time(), cease, f"more than {limit} prefixes of {family}")
        elif adj_in.wants_sweep and (scanner := self._primary.session.scanner) is not None:
            live = adj_in.live_blocks()
            adj_in.forget(live)
            scanner.forget(live)

    def wake(self) -> None:
        """There may be routes to send."""
        self._primary.wake()

    def _more(self, link: Link) -> bytes:
        if link is not self._primary or self.adj_in is None:
            return b""
        queue = self.queue
        if not queue:
            groups = self._home.groups
            while groups.fill(self) and not queue:
                pass
        if not queue:
            return b""
        piece = [queue.popleft()]
        size = len(piece[0])
        while queue and size < PIECE:
            piece.append(queue.popleft())
            size += len(piece[-1])
        self.queued -= size
        return b"".join(piece) if len(piece) > 1 else piece[0]


def _without_policies(missing: tuple[str, ...]) -> str:
    """RFC 8212, in words for whoever wonders where the routes are; empty where no policy is missing."""
    if not missing:
        return ""
    verbs = " or ".join({"import": "accepted", "export": "announced"}[name] for name in missing)
    return f"{' and '.join(f'no {name} policy' for name in missing)}: nothing is {verbs} (RFC 8212)"
