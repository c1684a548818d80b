"""Two sessions with a speaker under test: one that misbehaves, and perhaps one that watches what the speaker announces.

When there is a watcher nothing waits for time to pass: a good route marks the end of each probe, and when the watcher has
it the probe has had its effect. Markers go in two rounds, since routes of one round may come in any order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Final

import trio

from bgp.error import PeerError
from bgp.iana import MessageType
from bgp.message import Notification, Open, Update
from bgp.net.sockets import SocketOptions
from bgp.net.transport import Transport
from bgp.testing.opens import usual
from bgp.testing.peer import KEEPALIVE, Watcher
from bgp.testing.probes import MARK, PREFIX, Between, Outcome, Probe, plain
from bgp.testing.report import FuzzOptions
from bgp.wire.codec import decode
from rib.community import Community
from rib.family import IPV4_UNICAST
from rib.prefix import Prefix

#: Seconds between attempts to connect, and between our KEEPALIVEs.
RETRY: Final = 0.2
KEEPALIVE_TIME: Final = 20.0
#: Why nothing can be told of a speaker whose configuration lets our routes not through.
RIGHT_ROUTE: Final = "a right route did not reach the watcher: are our routes, with that next hop, taken and announced?"
#: An optional attribute code: COMMUNITIES, by which our own routes are told.
COMMUNITIES: Final = 8


class Lost(Exception):
    """The speaker does not answer, or no session comes up any more."""


class Line:
    """A session whose messages are read as they come."""

    def __init__(self, watcher: Watcher, opened: Open) -> None:
        self.watcher = watcher
        self.opened = opened
        self.answer: Notification | None = None
        self.is_over = False
        self.fault = ""  #: what the speaker itself sent wrong
        self._news = trio.Event()

    async def read(self) -> None:
        """Take in all that comes until the other side closes."""
        try:
            while (message := await self.watcher.receive()) is not None:
                self.watcher.messages.clear()
                try:
                    self._take(message)
                except (PeerError, AssertionError) as error:
                    self.fault = f"{error}: {message.hex()}"
                self._tell()
        finally:
            self.is_over = True
            self._tell()
            with trio.CancelScope(shield=True):
                await self.watcher.connection.aclose()

    def _take(self, message: bytes) -> None:
        if message[18] == MessageType.KEEPALIVE:
            return
        found = decode(message, self.watcher.context)
        if isinstance(found, Update):
            # What is malformed in it the speaker has passed on: the probe that it is from tells whether that is wrong.
            self.watcher.take(replace(found, errors=()))
        elif isinstance(found, Notification):
            self.answer = found

    def _tell(self) -> None:
        self._news.set()
        self._news = trio.Event()

    async def keep_alive(self) -> None:
        """Send KEEPALIVE now and then."""
        while not self.is_over:
            await trio.sleep(KEEPALIVE_TIME)
            await self.say(KEEPALIVE)

    async def say(self, octets: bytes) -> None:
        """Send octets; a connection that is gone is seen by `read`."""
        try:
            await self.watcher.send(octets)
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            await trio.lowlevel.checkpoint()

    async def until(self, done: Callable[[], bool], seconds: float) -> bool:
        """Whether `done` came to hold within the time."""
        with trio.move_on_after(seconds):
            while not done():
                await self._news.wait()
        return done()

    def community(self, nlri: bytes) -> int | None:
        """The community of a route of ours that the speaker announces; 0 for a route without, None for no route."""
        attributes = self.watcher.routes.get((IPV4_UNICAST, Prefix.from_nlri(1, nlri)))
        if attributes is None:
            return None
        values = next((one.value for one in attributes if one.code == COMMUNITIES), ())
        assert isinstance(values, tuple)  # by the table of attributes
        return next((int(one) for one in values if isinstance(one, Community)), 0)


class Conversation:
    """The sessions with one speaker."""

    def __init__(
        self,
        options: FuzzOptions,
        transport: Transport,
        nursery: trio.Nursery,
        tester_id: IPv4Address,
        watcher_id: IPv4Address,
    ) -> None:
        self.options = options
        self.last = b""  #: the last probe
        self.between = Between(options.asn, options.peer_asn or 0, IPv4Address("192.0.2.1"))
        self._transport = transport
        self._nursery = nursery
        self._tester_id = tester_id
        self._watcher_id = watcher_id
        self._tester: Line | None = None
        self._watcher: Line | None = None
        self._serial = 0

    @property
    def is_watched(self) -> bool:
        """Whether a second session watches."""
        return self.options.watch_address is not None

    async def begin(self) -> None:
        """Bring the sessions up. Raises Lost."""
        options = self.options
        tester = await self._tester_line()
        local = ip_of(tester) if options.next_hop is None else IPv4Address(options.next_hop)
        self.between = Between(options.asn, options.peer_asn or tester.opened.asn, local)
        if options.watch_address is not None:
            asn = options.watch_asn or self.between.peer_asn
            self._watcher = await self._session(options.watch_address, asn, self._watcher_id)

    async def end(self) -> None:
        """Close the tester's session."""
        if self._tester is not None:
            await self._tester.watcher.connection.aclose()
            await self._tester.until(lambda: self._tester is None or self._tester.is_over, 1.0)
            self._tester = None

    async def _connect(self, local: str | None) -> Watcher:
        options = self.options
        connection = await self._transport.dial(
            options.address, options.port, local_address=local, options=SocketOptions()
        )
        return Watcher(connection, patience=float("inf"))

    async def _tester_line(self) -> Line:
        if self._tester is None or self._tester.is_over:
            self._tester = await self._session(self.options.local_address, self.options.asn, self._tester_id)
        return self._tester

    async def _session(self, local: str | None, asn: int, bgp_id: IPv4Address) -> Line:
        """A session that is up, as soon as the speaker takes one."""
        why = "no answer"
        with trio.move_on_after(self.options.patience):
            while True:
                try:
                    peer = await self._connect(local)
                    try:
                        opened = await peer.establish(usual(asn, bgp_id).octets())
                    except BaseException:
                        with trio.CancelScope(shield=True):
                            await peer.connection.aclose()
                        raise
                except (OSError, trio.BrokenResourceError, AssertionError, PeerError) as error:
                    why = str(error)
                    await trio.sleep(RETRY)
                else:
                    line = Line(peer, opened)
                    self._nursery.start_soon(line.read)
                    self._nursery.start_soon(line.keep_alive)
                    return line
        raise Lost(f"no session with {self.options.address} within {self.options.patience:g} s: {why}")

    # Probes.

    async def say_update(self, probe: Probe) -> tuple[Outcome, Notification | None]:
        """Send an UPDATE and see what becomes of it. Raises Lost."""
        tester = await self._tester_line()
        if self._watcher is None:
            self.last = probe.octets
            await tester.say(probe.octets)
            await tester.until(lambda: tester.is_over, self.options.quiet)
            return (Outcome.ENDED if tester.is_over else Outcome.TAKEN), tester.answer
        return await self._watched(tester, self._watcher, probe)

    async def _watched(self, tester: Line, watcher: Line, probe: Probe) -> tuple[Outcome, Notification | None]:
        mark = await self._mark(tester, watcher, PREFIX)
        self.last = probe.octets
        await tester.say(probe.octets)
        for _ in range(2):
            if tester.is_over:
                break
            await self._mark(tester, watcher, MARK)
        if watcher.fault:
            raise Lost(f"the speaker sent what is malformed: {watcher.fault}")
        if tester.is_over:
            return Outcome.ENDED, tester.answer
        found = watcher.community(PREFIX)
        if found is None:
            return Outcome.WITHDRAWN, None
        return (Outcome.UNCHANGED if found == mark else Outcome.TAKEN), None

    async def _mark(self, tester: Line, watcher: Line, nlri: bytes) -> int:
        """Announce a right route and wait until the watcher has it, or the session is over; gives its community."""
        self._serial = self._serial % 65000 + 1
        community = 0xFC00 << 16 | self._serial
        await tester.say(replace(plain(self.between, community), nlri=nlri).octets())
        arrived = await watcher.until(
            lambda: watcher.community(nlri) == community or tester.is_over or watcher.is_over, self.options.patience
        )
        if watcher.is_over or not arrived:
            raise Lost("the watcher's session ended" if watcher.is_over else RIGHT_ROUTE)
        return community

    async def say_open(self, probe: Probe) -> tuple[Outcome, Notification | None]:
        """Send an OPEN on a new connection. Raises Lost."""
        self.last = probe.octets
        with trio.move_on_after(self.options.patience):
            while True:
                try:
                    found = await self._try_open(probe)
                except (OSError, trio.BrokenResourceError):
                    found = None
                if found is not None:
                    return found
                await trio.sleep(RETRY)
        raise Lost(f"{self.options.address} takes no connection any more")

    async def _try_open(self, probe: Probe) -> tuple[Outcome, Notification | None] | None:
        """None where the speaker closes before it says anything: it is not ready for us again."""
        peer = await self._connect(self.options.local_address)
        try:
            first = await peer.receive()
            if first is None or first[18] != MessageType.OPEN:
                return None
            await peer.send(probe.octets)
            while (message := await peer.receive()) is not None:
                if message[18] == MessageType.KEEPALIVE:
                    return Outcome.TAKEN, None
                if message[18] == MessageType.NOTIFICATION:
                    answer = decode(message)
                    assert isinstance(answer, Notification)  # by its type
                    return Outcome.ENDED, answer
            return Outcome.ENDED, None
        finally:
            with trio.CancelScope(shield=True):
                await peer.connection.aclose()


def ip_of(line: Line) -> IPv4Address:
    """Our own address on a session, as the next hop of what we announce; any where it is no IPv4 address."""
    local = line.watcher.connection.local[0].partition("%")[0]
    return IPv4Address("192.0.2.1") if ":" in local else IPv4Address(local)
