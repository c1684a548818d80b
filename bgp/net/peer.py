"""One neighbour of a speaker: its session, its routes in and out, and why it is up or down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from ipaddress import IPv4Address
from random import Random
from typing import Final, Protocol

import trio

from bgp.capability import GracefulRestart, Negotiated
from bgp.error import LocalError
from bgp.iana import CeaseSubcode, NotificationCode, RouteRefreshSubtype
from bgp.message import Notification, Open, RouteRefresh
from bgp.net.bell import Bell
from bgp.net.counts import PeerCounts
from bgp.net.group import GroupKey, Groups
from bgp.net.intake import Intake
from bgp.net.link import Link
from bgp.net.links import Links
from bgp.net.malformed import MalformedUpdate, fatal, survived
from bgp.net.outbox import LITTLE, Outbox
from bgp.net.restart import Deferral, Saying, forwarded_families, harden, kept_families, offer
from bgp.net.rules import (
    effective_policy,
    export_rules,
    import_rules,
    kind_of,
    missing_policies,
    path_limit,
    session_options,
    source_of,
    without_policies,
    zoned_address,
)
from bgp.net.transport import Connection, Transport
from bgp.options import PeerOptions, SpeakerOptions
from bgp.session import Closed, Established, Malformed, RefreshReceived, Session, SessionEvent, SessionOptions
from bgp.wire.scan import UpdateScanner
from bgp.wire.sizes import MAX_EXTENDED_MESSAGE, MAX_MESSAGE
from fsm.words import State
from rib.adj_in import AdjRibIn, ImportRules
from rib.export import Drain
from rib.family import Family
from rib.loc_rib import LocRib
from rib.next_hop import Resolver
from rib.policy import Policy
from rib.route import SourceKind

#: The BGP identifier of a neighbour that has not said it.
UNKNOWN: Final = IPv4Address(0)


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


class Home(Protocol):
    """The speaker, as its peers see it."""

    options: SpeakerOptions
    transport: Transport
    groups: Groups
    resolver: Resolver
    random: Random
    deferral: Deferral | None
    draining: Drain

    @property
    def loc_rib(self) -> LocRib:
        """The routes that won."""

    def peer_changed(self, change: PeerChange) -> None:
        """Hear of a change of state."""

    def update_malformed(self, malformed: MalformedUpdate) -> None:
        """Hear of an UPDATE with errors."""


class Peer:
    """One neighbour of a speaker. Made by `Speaker.add_peer`."""

    def __init__(self, home: Home, options: PeerOptions) -> None:
        self.options = options
        self.address = zoned_address(options.address)
        self.why_down = "not started"
        self.last_sent: Notification | None = None
        self.last_received: Notification | None = None
        self.established_at: float | None = None
        self.changed_at = trio.current_time()
        self.outbox = Outbox()
        self._home = home
        self.source = source_of(home.options, options, UNKNOWN)
        self._established = self._dropped = self._malformed = 0
        self._state = State.IDLE
        self._offered: tuple[GracefulRestart | None, SessionOptions] | None = None
        self._changed = Bell()
        self.saying = Saying()
        self.intake = Intake(
            home.loc_rib,
            limit=options.max_prefixes,
            too_many=self._too_many,
            end_of_rib=self._end_of_rib,
            malformed=lambda update: self._complain(survived(self.options, update, trio.current_time())),
        )
        #: The hot path goes straight on.
        self.take, self.ingest = self.intake.take, self.intake.ingest
        self._links = Links(self, home.transport, home.random)
        if home.deferral is not None and self.restart_offer is not None:
            home.deferral.await_peer(self, options.families)

    # What a user asks.

    @property
    def state(self) -> State:
        """The state of the session (RFC 4271 8.2.2)."""
        return self.session.state

    @property
    def session(self) -> Session:
        """The session, on the connection that counts; for those who only look."""
        return self._links.primary.session

    @property
    def negotiated(self) -> Negotiated | None:
        """What both sides agreed on; None while the session is not established."""
        return self.session.negotiated if self.state is State.ESTABLISHED else None

    @property
    def peer_open(self) -> Open | None:
        """The OPEN of the last connection that got so far."""
        return self.session.peer_open

    @property
    def connection(self) -> Connection | None:
        """The connection, if there is one."""
        return self._links.primary.connection

    @property
    def connect_error(self) -> str | None:
        """Why the last attempt to connect failed, if it did."""
        return self._links.connect_error

    @property
    def adj_in(self) -> AdjRibIn | None:
        """The routes that the peer sent; None where there are none to speak of. After a drop, those kept for its return."""
        return self.intake.adj_in

    @property
    def kind(self) -> SourceKind:
        """Whether the peer is in our AS, in another member AS of our confederation, or outside."""
        return kind_of(self._home.options, self.options)

    @property
    def disabled(self) -> dict[Family, str]:
        """Families whose routes are ignored for the rest of the session, and the errors that did it (RFC 4760 7)."""
        return self.intake.disabled

    @property
    def missing_policies(self) -> tuple[str, ...]:
        """ "import" and "export" where an external session has no such policy, so that nothing passes (RFC 8212)."""
        return missing_policies(self._home.options, self.options)

    @property
    def counts(self) -> PeerCounts:
        """What has been sent and received so far."""
        session, updates = self.session, self.outbox.put_in
        return PeerCounts(
            session.messages_in,
            session.messages_out + updates,
            session.updates_in,
            updates,
            self._established,
            self._dropped,
            self._malformed,
        )

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

    # What a user wants.

    def protect(self) -> None:
        """Ask the system for what the session wants of it, before `run`. Raises OSError."""
        self._links.protect()

    async def wait_started(self) -> None:
        """Return when the session, for which somebody calls `run`, has begun. Raises what an observer raised at that."""
        await self._links.started.wait()
        if self._links.broken is not None:
            raise self._links.broken

    async def run(self) -> None:
        """Keep the session up until cancelled or stopped; after `protect`."""
        try:
            await self._links.run()
        finally:
            self.intake.flush()
            if self._home.deferral is not None:
                self._home.deferral.excuse(self)
            self._home.groups.wake()

    def stop(self, notification: Notification | None = None) -> None:
        """End the session with Cease and do not start again; `run` returns when the connection is closed."""
        if not self._links.stopped:
            shutdown = Notification(NotificationCode.CEASE, CeaseSubcode.ADMINISTRATIVE_SHUTDOWN, b"")
            self._links.stop(harden(notification or shutdown, self.negotiated, self.options))

    def reset(self, notification: Notification) -> None:
        """Close the session with `notification`; it comes up again by itself."""
        self.session.close(trio.current_time(), notification, str(notification))
        self._links.act(self._links.primary)

    def refresh(self, family: Family | None = None) -> None:
        """Ask the peer for all its routes of `family`, or of all families, again (RFC 2918).

        Raises LocalError if the session is not up or the peer does not know how.
        """
        agreed = self.negotiated
        if agreed is None or not agreed.route_refresh:
            what = "is not established" if agreed is None else "has no route refresh"
            raise LocalError(f"the session with {self.options.label} {what}")
        for one in [one for one in agreed.families if one not in self.disabled] if family is None else (family,):
            if one not in agreed.families:
                raise LocalError(f"{one} was not agreed on with {self.options.label}")
            if one in self.disabled:
                raise LocalError(f"{one} of {self.options.label} is disabled: {self.disabled[one]}")
            self.session.ask_refresh(RouteRefresh(one))
        self.wake()

    def change_policies(self, *, import_policy: Policy | None, export_policy: Policy | None) -> None:
        """Judge what came and what goes by other policies from now on; a session that is up stays up.

        None is no policy, as in `PeerOptions`.
        """
        self.options = replace(self.options, import_policy=import_policy, export_policy=export_policy)
        if self.adj_in is not None:
            policy = effective_policy(self._home.options, self.options, import_policy)
            self.intake.rejudge(replace(self.adj_in.rules, policy=policy))
        self.export_anew()

    def export_anew(self) -> None:
        """Tell the peer what it should know by the rules of now, where they have changed."""
        connection, agreed = self.connection, self.negotiated
        if connection is not None and agreed is not None:
            self._home.groups.change_rules(self, self._group_key(connection.local[0], agreed))
        self._home.groups.wake()

    async def wait_told(self) -> None:
        """Return when the peer has been sent all that it should know, or the session is down."""
        await trio.lowlevel.checkpoint()
        while self.established_at is not None and (group := self._home.groups.of(self)) is not None:
            self.wake()
            await self.outbox.wait_emptied()
            if group.idle and not self.outbox:
                return

    # What the connections ask and tell.

    async def accept(self, connection: Connection) -> None:
        """Serve a connection that the neighbour opened, as long as it lasts."""
        await self._links.accept(connection)

    @property
    def restart_offer(self) -> GracefulRestart | None:
        """What we say of graceful restart in the next OPEN (RFC 4724 3)."""
        # Who comes after the routes were selected finds that packets went on all the same, and keeps what it has of us.
        forwarding = self._home.options.restarting or self._established > 0
        return offer(self.options, restarting=self._home.deferral is not None, forwarding=forwarding)

    def session_options(self) -> SessionOptions:
        """What a session starts from, as of now."""
        offered = self.restart_offer
        if self._offered is None or self._offered[0] != offered:
            self._offered = offered, session_options(self._home.options, self.options, offered)
        return self._offered[1]

    @property
    def scanner(self) -> UpdateScanner | None:
        """What a new session may go on reading with."""
        return self.intake.scanner

    def takes_over(self) -> bool:
        """Whether a new connection from the peer ends the session that is up: it has restarted (RFC 4724 4.2)."""
        agreed = self.negotiated
        return agreed is not None and agreed.graceful_restart is not None and bool(agreed.graceful_restart.families)

    def deadline(self) -> float | None:
        """When routes in doubt have to go."""
        return self.intake.deadline

    def tick(self) -> None:
        """The deadline has come."""
        self.intake.expire()
        self._home.groups.wake()

    def acted(self, link: Link) -> None:
        """All that a session wanted was done."""
        self._home.groups.wake()
        session = link.session
        if link is self._links.primary and session.state is not self._state:
            self._state_changed(session)

    def handle(self, link: Link, event: SessionEvent) -> None:
        """Do what an event of a session asks for."""
        match event:
            case Established(negotiated=negotiated):
                self._links.prefer(link)
                self._up(link, negotiated)
            case Closed():
                self._down(link.session, event)
            case RefreshReceived(refresh=refresh):
                self._refreshed(refresh)
            case Malformed():
                self._complain(fatal(self.options, event, trio.current_time()))

    def _up(self, link: Link, agreed: Negotiated) -> None:
        connection, opened, scanner = link.connection, link.session.peer_open, link.session.scanner
        assert connection is not None  # Established has all three
        assert opened is not None
        assert scanner is not None
        if self.adj_in is None or self.source.bgp_id != opened.bgp_id:
            self.source = source_of(self._home.options, self.options, opened.bgp_id)
        now = trio.current_time()
        local = connection.local[0]
        self.intake.open(
            self.source,
            self._import_rules(local),
            agreed.families,
            scanner,
            kept=forwarded_families(agreed),
            until=now + self.options.stale_time,
        )
        self.established_at = now
        self._established += 1
        deferral, restart = self._home.deferral, agreed.graceful_restart
        self.saying.begin(() if restart is None else agreed.families)
        if deferral is not None:
            deferral.expect(self, agreed.families)
            if restart is None or restart.restarting:
                deferral.excuse(self)
        self._home.groups.join(self, self._group_key(local, agreed))
        self._links.arm(self.intake.deadline)

    def _import_rules(self, local: str) -> ImportRules:
        return import_rules(self._home.options, self.options, local, self._home.resolver)

    def _group_key(self, local: str, agreed: Negotiated) -> GroupKey:
        return GroupKey(
            export_rules(self._home.options, self.options, local, agreed, self._home.draining),
            agreed.families,
            agreed.as4,
            MAX_EXTENDED_MESSAGE if agreed.extended_message else MAX_MESSAGE,
            agreed.add_path_send,
            path_limit(self.options, agreed),
        )

    def _down(self, session: Session, closed: Closed) -> None:
        self.established_at = None
        self._dropped += 1
        self.saying.begin(())
        self._home.groups.leave(self)
        self.outbox.clear()
        agreed = session.negotiated
        kept = frozenset() if self._links.stopped else kept_families(agreed, closed)
        restart = None if agreed is None else agreed.graceful_restart
        self.intake.close(kept, trio.current_time() + (0 if restart is None else restart.time))
        if self.adj_in is None:
            session.scanner = None
        self._links.arm(self.intake.deadline)

    def _refreshed(self, refresh: RouteRefresh) -> None:
        family, agreed = refresh.family, self.negotiated
        if agreed is None or family not in agreed.families:
            return
        if refresh.subtype == 0:
            self._home.groups.refresh(self, family, marked=agreed.enhanced_route_refresh)
        elif agreed.enhanced_route_refresh:
            if refresh.subtype == RouteRefreshSubtype.BEGIN:
                self.intake.begin_refresh(family, trio.current_time() + self.options.stale_time)
            elif refresh.subtype == RouteRefreshSubtype.END:
                self.intake.end_refresh(family)
            self._links.arm(self.intake.deadline)

    def _end_of_rib(self, family: Family) -> None:
        self.saying.heard(family)
        if self._home.deferral is not None:
            self._home.deferral.heard(self, family)

    def _complain(self, malformed: MalformedUpdate) -> None:
        self._malformed += 1
        self._home.update_malformed(malformed)

    def _too_many(self, family: Family, limit: int) -> None:
        octets = family.afi.to_bytes(2, "big") + bytes((family.safi,)) + limit.to_bytes(4, "big")
        cease = Notification(NotificationCode.CEASE, CeaseSubcode.MAXIMUM_NUMBER_OF_PREFIXES_REACHED, octets)
        cease = harden(cease, self.negotiated, self.options)
        self.session.close(trio.current_time(), cease, f"more than {limit} prefixes of {family}")

    def _state_changed(self, session: Session) -> None:
        old, self._state = self._state, session.state
        if session.sent is not None:
            self.last_sent = session.sent
        if session.received is not None:
            self.last_received = session.received
        up = session.state is State.ESTABLISHED
        self.why_down = "" if up else session.reason
        self.changed_at = trio.current_time()
        self._changed.ring()
        reason = without_policies(self.missing_policies) if up else session.reason
        self._home.peer_changed(PeerChange(self, old, session.state, reason, self.changed_at))

    # What the update group asks.

    def wake(self) -> None:
        """There may be routes to send."""
        self._links.primary.wake()

    def more(self, link: Link) -> bytes:
        """UPDATEs to send on a link; empty for none."""
        if link is not self._links.primary or self.established_at is None:
            return b""
        outbox = self.outbox
        if not outbox:
            groups = self._home.groups
            while outbox.octets < LITTLE and groups.fill(self):
                pass
        return outbox.take()
