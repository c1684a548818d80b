"""A BGP speaker: its peers, its RIBs, and what it originates."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from ipaddress import IPv4Address, ip_address
from random import Random
from typing import Final

import trio

from bgp.error import LocalError
from bgp.iana import CeaseSubcode, NotificationCode
from bgp.message import Destination, Notification
from bgp.net.failure import as_it_was_raised
from bgp.net.group import Groups
from bgp.net.malformed import MalformedUpdate
from bgp.net.peer import Peer, PeerChange
from bgp.net.restart import Deferral
from bgp.net.rules import canonical
from bgp.net.transport import Connection, TcpTransport, Transport
from bgp.net.watch import WatchedLocRib
from bgp.options import BGP_PORT, PeerOptions, SpeakerOptions
from bgp.wire.nlri.keys import key_of, parse_destination
from fsm.words import State
from rib.as_path import AsPath
from rib.attributes import Attributes, Origin
from rib.community import Community, LargeCommunity
from rib.export import Drain
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Afi, Family
from rib.next_hop import AnyNextHop, ConnectedNetworks, Resolver
from rib.prefix import Prefix
from rib.route import Path, Source, SourceKind

#: Seconds that sessions have to say goodbye when a speaker ends.
FAREWELL: Final = 3.0

#: RFC 4486: Cease, peer de-configured.
DECONFIGURED: Final = Notification(NotificationCode.CEASE, CeaseSubcode.PEER_DE_CONFIGURED, b"")

Observer = Callable[[PeerChange], None]


@dataclass(frozen=True, slots=True)
class SpeakerCounts:
    """How much a speaker holds."""

    peers: int
    established: int
    routes: int
    paths: int
    update_groups: int


class Speaker:
    """A BGP speaker. Made by `open_speaker`; its methods may be called while that context is open."""

    def __init__(self, options: SpeakerOptions, transport: Transport, observer: Observer | None = None) -> None:
        self.options = options
        self.transport = transport
        self.loc_rib: WatchedLocRib = WatchedLocRib(options.decision)
        self.groups = Groups(self.loc_rib)
        self.resolver: Resolver = AnyNextHop() if options.networks is None else ConnectedNetworks(options.networks)
        self.random = Random()
        self.peers: dict[str, Peer] = {}
        self.listening: list[tuple[str, int]] = []
        self._admits = trio.Event()
        self.source = Source(SourceKind.LOCAL, "local", options.asn, IPv4Address(options.router_id))
        self.announced: dict[Family, dict[bytes, Path]] = {}
        self.deferral: Deferral | None = None
        self.draining = Drain.NO
        self._observers: list[Observer] = [] if observer is None else [observer]
        self._critics: list[Callable[[MalformedUpdate], None]] = []
        self._nursery: trio.Nursery | None = None
        self._scope = trio.CancelScope(shield=True)
        self._tasks: dict[str, trio.Event] = {}

    # Peers.

    async def add_peer(self, peer: PeerOptions | str, **options: object) -> Peer:
        """Add a neighbour and start its session.

        `peer` is its options, or its address with the fields of `PeerOptions` as keywords.
        Raises LocalError for an address that is a peer's already or is none, and for what the system cannot do.
        """
        try:
            made = peer if isinstance(peer, PeerOptions) else PeerOptions(address=peer, **options)  # type: ignore[arg-type]
        except TypeError as error:
            raise LocalError(f"peer {peer}: {error}") from error
        if self._nursery is None:
            raise LocalError("the speaker is not open")
        try:
            key = canonical(made.address)
        except ValueError as error:
            raise LocalError(f"peer address {made.address!r} is not an IP address") from error
        if key in self.peers:
            raise LocalError(f"{key} is a peer already")
        added = Peer(self, made)
        try:
            added.protect()
        except OSError as error:
            raise LocalError(f"peer {key}: {error.strerror or error}") from error
        self.peers[key], self._tasks[key] = added, trio.Event()
        self._nursery.start_soon(self._run_peer, added, self._tasks[key])
        try:
            await added.wait_started()
        except BaseException as error:
            del self.peers[key], self._tasks[key]
            if isinstance(error, trio.Cancelled):
                added.stop(DECONFIGURED)
            raise
        return added

    async def _run_peer(self, peer: Peer, done: trio.Event) -> None:
        try:
            await peer.run()
        finally:
            done.set()

    async def remove_peer(self, address: str, farewell: Notification = DECONFIGURED) -> None:
        """End the session, with Cease 6/3 by default, and forget the neighbour. Raises LocalError if there is none."""
        try:
            key = canonical(address)
        except ValueError as error:
            raise LocalError(f"{address!r} is not a peer's address") from error
        peer = self.peers.pop(key, None)
        if peer is None:
            raise LocalError(f"{key} is not a peer")
        peer.stop(farewell)
        await self._tasks.pop(key).wait()

    def peer_changed(self, change: PeerChange) -> None:
        """Tell the observers."""
        for observer in self._observers:
            observer(change)

    def update_malformed(self, malformed: MalformedUpdate) -> None:
        """Tell those who listen."""
        for listener in self._critics:
            listener(malformed)

    def observe_malformed(self, listener: Callable[[MalformedUpdate], None]) -> None:
        """Call `listener` with every UPDATE that has errors (RFC 7606 6); whoever writes them down limits how many."""
        self._critics.append(listener)

    def observe(self, observer: Observer) -> None:
        """Call `observer` at every change of a session's state."""
        self._observers.append(observer)

    async def wait_established(self) -> None:
        """Return when every session is up."""
        for peer in list(self.peers.values()):
            await peer.wait_established()

    # Routes of our own.

    def announce(
        self,
        prefix: Prefix | str,
        *,
        communities: Iterable[str] = (),
        large_communities: Iterable[str] = (),
        next_hop: str | None = None,
        med: int | None = None,
        local_pref: int | None = None,
        as_path: AsPath | str | None = None,
        origin: Origin = Origin.IGP,
        attributes: Attributes | None = None,
    ) -> None:
        """Originate a route, or change one. `attributes` replaces all the other keywords. Raises ValueError."""
        if attributes is None:
            path = AsPath.parse(as_path) if isinstance(as_path, str) else as_path
            attributes = Attributes(
                origin=origin,
                as_path=AsPath() if path is None else path,
                next_hop=None if next_hop is None else ip_address(next_hop),
                med=med,
                local_pref=local_pref,
                communities=tuple(map(Community.parse, communities)),
                large_communities=tuple(map(LargeCommunity.parse, large_communities)),
            )
        self.announce_all([prefix], attributes)

    def announce_all(self, prefixes: Sequence[Prefix | str], attributes: Attributes) -> None:
        """Originate many routes with the same attributes. Raises ValueError, and then announces none."""
        made = [prefix if isinstance(prefix, Prefix) else Prefix(prefix) for prefix in prefixes]
        path = Path(attributes, self.source)
        for family in (IPV4_UNICAST, IPV6_UNICAST):
            keys = [prefix.nlri for prefix in made if prefix.afi == family.afi]
            if keys:
                self._originate(family, keys, path)
        self.groups.wake()

    def _originate(self, family: Family, keys: Sequence[bytes], path: Path) -> None:
        own = self.announced.setdefault(family, {})
        before = {key: own[key] for key in keys if key in own}
        own.update(dict.fromkeys(keys, path))
        self.loc_rib.table(family).insert(keys, path, before or None)

    def withdraw(self, prefix: Prefix | str) -> None:
        """Originate a route no more. Raises LocalError if it was not announced, ValueError for no prefix."""
        made = prefix if isinstance(prefix, Prefix) else Prefix(prefix)
        family = IPV6_UNICAST if made.afi == Afi.IPV6 else IPV4_UNICAST
        path = self.announced.get(family, {}).pop(made.nlri, None)
        if path is None:
            raise LocalError(f"{made} is not announced by this speaker")
        self.loc_rib.table(family).remove([(made.nlri, path)])
        self.groups.wake()

    def announce_in(self, family: Family, routes: Sequence[Destination | str], attributes: Attributes) -> None:
        """Originate routes of any family that we know. Raises ValueError for what is none, and then announces none."""
        by_binding: dict[bytes, list[bytes]] = {}
        for route in routes:
            key, binding = key_of(family, parse_destination(family, route) if isinstance(route, str) else route)
            by_binding.setdefault(binding, []).append(key)
        for binding, keys in by_binding.items():
            self._originate(family, keys, Path(attributes.replace(binding=binding), self.source))
        self.groups.wake()

    def withdraw_in(self, family: Family, route: Destination | str) -> None:
        """Originate a route of any family no more, whatever its labels. Raises LocalError if it was not announced."""
        value = parse_destination(family, route) if isinstance(route, str) else route
        key, _ = key_of(family, value, withdrawn=True)
        path = self.announced.get(family, {}).pop(key, None)
        if path is None:
            raise LocalError(f"{value} is not announced by this speaker")
        self.loc_rib.table(family).remove([(key, path)])
        self.groups.wake()

    def next_hops_changed(self) -> None:
        """Judge all that was received anew: the resolver gives other answers than before (RFC 4271 9.1.2.1)."""
        for peer in self.peers.values():
            if (adj_in := peer.adj_in) is not None:
                peer.intake.rejudge(adj_in.rules)
        self.groups.wake()

    # Leaving.

    async def drain(self, wait: float = 30.0) -> None:
        """Leave in good order: ask the peers to choose other ways (RFC 8326), `wait`, then take all routes back.

        The sessions stay up, and what peers announce is still heard, until the speaker ends or `undrain` is called.
        """
        self._drain(Drain.LEAVING)
        await trio.sleep(wait)
        self._drain(Drain.GONE)
        for peer in list(self.peers.values()):
            await peer.wait_told()

    def undrain(self) -> None:
        """Announce again what was taken back."""
        self._drain(Drain.NO)

    def _drain(self, state: Drain) -> None:
        self.draining = state
        for peer in self.peers.values():
            peer.export_anew()

    # What it holds.

    def statistics(self) -> SpeakerCounts:
        """How much there is."""
        return SpeakerCounts(
            peers=len(self.peers),
            established=sum(peer.state is State.ESTABLISHED for peer in self.peers.values()),
            routes=len(self.loc_rib),
            paths=sum(len(peer.adj_in) for peer in self.peers.values() if peer.adj_in is not None),
            update_groups=len(self.groups),
        )

    # Its life.

    def admit(self) -> None:
        """Hear those who connect; see `open_speaker`."""
        self._admits.set()

    async def _live(self, *, task_status: trio.TaskStatus[None]) -> None:
        """Hold the sessions' tasks. Who cancels the program does not cancel these: they have to say Cease first."""
        with self._scope:
            async with trio.open_nursery() as self._nursery:
                if self.options.restarting:
                    self._defer_selection(self._nursery)
                task_status.started()
                await trio.sleep_forever()
        self._nursery = None

    def _defer_selection(self, nursery: trio.Nursery) -> None:
        deferral = Deferral(self._select)
        self.deferral, self.loc_rib.held = deferral, True
        nursery.start_soon(deferral.run, self.options.selection_deferral_time, self.options.absent_peer_time)

    def _select(self) -> None:
        self.deferral, self.loc_rib.held = None, False
        self.groups.release()

    async def wait_selected(self) -> None:
        """Return when routes are chosen and told: at once, except after a restart (RFC 4724 4.1)."""
        await trio.lowlevel.checkpoint()
        if self.deferral is not None:
            await self.deferral.over.wait()

    async def _accept(self, connection: Connection) -> None:
        await self._admits.wait()
        # A link-local neighbour may be known with its zone or, where there is but one link, without.
        remote = connection.remote[0]
        zoned = self.peers.get(canonical(remote)) if "%" in remote else None
        peer = zoned or self.peers.get(canonical(remote.partition("%")[0]))
        if peer is None:
            await connection.aclose()
        else:
            await peer.accept(connection)

    async def _listen(self) -> None:
        assert self._nursery is not None  # called from open_speaker only
        addresses = [parse_endpoint(text) for text in self.options.listen]
        if addresses:
            self.listening = await self._nursery.start(self._serve, addresses)

    async def _serve(
        self, addresses: list[tuple[str, int]], *, task_status: trio.TaskStatus[list[tuple[str, int]]]
    ) -> None:
        await self.transport.listen(addresses, self._accept, task_status=task_status)

    async def _farewell(self) -> None:
        for peer in self.peers.values():
            peer.stop()
        with trio.move_on_after(FAREWELL) as scope:
            scope.shield = True
            for done in list(self._tasks.values()):
                await done.wait()


def parse_endpoint(text: str) -> tuple[str, int]:
    """("10.0.0.1", 179) of "10.0.0.1:179" or "10.0.0.1", ("::1", 179) of "[::1]:179". Raises ValueError."""
    if text.startswith("["):
        address, _, rest = text[1:].partition("]")
        port = rest.removeprefix(":")
    elif text.count(":") > 1:
        address, port = text, ""
    else:
        address, _, port = text.partition(":")
    ip_address(address.partition("%")[0])
    number = int(port) if port else BGP_PORT
    if not 0 <= number <= 65535:
        raise ValueError(f"port {number} is out of range")
    return address, number


@asynccontextmanager
async def open_speaker(
    options: SpeakerOptions | None = None,
    *,
    asn: int | None = None,
    router_id: str | None = None,
    listen: Iterable[str] = (),
    transport: Transport | None = None,
    observer: Observer | None = None,
    admits: bool = True,
    **more: object,
) -> AsyncIterator[Speaker]:
    """A speaker that lives as long as the context; leaving it ends every session with Cease 6/2.

    Give `options`, or `asn` and `router_id` with further fields of `SpeakerOptions`. Who connects is sent away where no such
    peer was added yet; without `admits`, it waits until `Speaker.admit` says that all are there.
    Raises LocalError for options that cannot be, OSError where it cannot listen.
    """
    if options is None:
        if asn is None or router_id is None:
            raise LocalError("a speaker needs an AS number and a BGP identifier")
        options = SpeakerOptions(asn=asn, router_id=router_id, listen=tuple(listen), **more)  # type: ignore[arg-type]
    elif listen:
        options = replace(options, listen=tuple(listen))
    speaker = Speaker(options, transport or TcpTransport(), observer)
    with as_it_was_raised():
        async with trio.open_nursery() as nursery:
            try:
                await nursery.start(speaker._live)
                if admits:
                    speaker.admit()
                await speaker._listen()
                yield speaker
            finally:
                try:
                    await speaker._farewell()
                finally:
                    speaker._scope.cancel()
