"""Speakers on a network in memory, and neighbours that the test plays by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from ipaddress import IPv4Address, ip_address
from typing import Any

import trio
from helpers import ANY, capabilities, messages_in
from trio.testing import wait_all_tasks_blocked

from bgp import accept
from bgp.capability import Capability
from bgp.message import Keepalive, Message, MpReach, MpUnreach, Notification, Open, PathAttribute, PathPrefix, Update
from bgp.net import MemoryNetwork, Peer, PeerChange, Speaker, open_speaker
from bgp.net.transport import Connection, Handler
from bgp.wire.codec import encode
from bgp.wire.context import Context
from rib.as_path import AsPath
from rib.attributes import Origin
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Family
from rib.prefix import Prefix
from rib.route import Path


class Laboratory:
    """Makes speakers; made by `laboratory`. Everything ends with that context."""

    def __init__(self, stack: AsyncExitStack, nursery: trio.Nursery) -> None:
        self.network = MemoryNetwork()
        self.changes: list[PeerChange] = []
        self._stack = stack
        self._nursery = nursery

    async def speaker(self, asn: int, address: str = "10.0.0.1", **options: object) -> Speaker:
        """A speaker that listens on `address`, which is its BGP identifier where it can be."""
        fields = {"router_id": address if ":" not in address else "10.99.0.1"} | options
        listen = [f"[{address}]:179" if ":" in address else f"{address}:179"]
        context = open_speaker(
            asn=asn,
            listen=listen,
            transport=self.network.transport(address),
            observer=self.changes.append,
            **fields,  # type: ignore[arg-type]  # of SpeakerOptions
        )
        return await self._stack.enter_async_context(context)

    async def connect(
        self, near: Speaker, far: Speaker, near_options: dict[str, object] | None = None, **options: object
    ) -> tuple[Peer, Peer]:
        """Make two speakers each other's peers, with all policies "accept", and wait until the session is up.

        `options` are for both sides, `near_options` for the peer that `near` gets.
        """
        fields = {"import_policy": accept, "export_policy": accept} | options
        there = await near.add_peer(home(far), asn=far.options.asn, **fields | (near_options or {}))
        here = await far.add_peer(home(near), asn=near.options.asn, **fields)
        await there.wait_established()
        await here.wait_established()
        await settle()
        return there, here

    async def start(self, task: Callable[..., Awaitable[object]], *args: object) -> Any:
        """Run a task until the laboratory ends; gives what it says when it has started."""
        return await self._nursery.start(task, *args)

    def listen(self, address: str, handler: Handler) -> None:
        """Hand connections to `address` to `handler`."""
        self.network.bind((address, 179), handler, self._nursery)

    async def neighbour(
        self, speaker: Speaker, address: str = "10.0.0.66", *, to: str | None = None, **options: object
    ) -> Neighbour:
        """A neighbour at `address` that has connected to `speaker`; see `Neighbour.open`."""
        connection = self.network.connect(address, to or home(speaker), 179)
        found = Neighbour(connection, address, **options)
        self._nursery.start_soon(found.read)
        return found


@asynccontextmanager
async def laboratory() -> AsyncIterator[Laboratory]:
    """A network in memory with no speaker on it yet."""
    async with trio.open_nursery() as nursery:
        async with AsyncExitStack() as stack:
            yield Laboratory(stack, nursery)
        nursery.cancel_scope.cancel()


class Neighbour:
    """The other end of a session, octet by octet."""

    #: For a neighbour whose AS numbers have two octets.
    narrow = Context(as4=False)
    #: For a neighbour that exchanges several paths to a prefix.
    several = Context(add_path=frozenset({IPV4_UNICAST, IPV6_UNICAST}), extended=True)

    def __init__(
        self, connection: Connection, address: str, *, asn: int = 65066, offers: Iterable[Capability] | None = None
    ) -> None:
        self.connection = connection
        self.address = address
        self.asn = asn
        self.offers = capabilities(asn) if offers is None else tuple(offers)
        self.heard: list[Message] = []
        self.closed = False
        self.context = ANY
        self._reading = trio.Event()
        self._reading.set()
        self._waiting = b""

    async def open(self, **changes: object) -> Neighbour:
        """Come up, and wait until all is quiet."""
        fields = {"version": 4, "my_as": self.asn, "hold_time": 90, "capabilities": self.offers} | changes
        bgp_id = IPv4Address(self.address) if ":" not in self.address else IPv4Address("10.66.66.66")
        await self.say(Open(bgp_id=bgp_id, **fields), Keepalive())  # type: ignore[arg-type]
        return self

    async def say(self, *messages: Message | bytes) -> None:
        """Send messages, or any octets, and wait until all is quiet."""
        octets = b"".join(m if isinstance(m, bytes) else encode(m, self.context) for m in messages)
        await self.connection.send_all(octets)
        await settle()

    async def announce(self, *prefixes: str, path_id: int | None = None, **more: object) -> None:
        """Announce prefixes; see `announcement`."""
        await self.say(announcement(*prefixes, asn=self.asn, next_hop=self.address, path_id=path_id, **more))

    async def read(self) -> None:
        """Keep reading until the connection ends."""
        try:
            while octets := await self._receive():
                octets = self._waiting + octets
                end = _whole(octets)
                self._waiting = octets[end:]
                self.heard += messages_in(octets[:end], self.context)
        finally:
            self.closed = True

    async def _receive(self) -> bytes:
        await self._reading.wait()
        return await self.connection.receive_some(1 << 20)

    def pause(self) -> None:
        """Stop reading, after at most one more piece."""
        self._reading = trio.Event()

    def resume(self) -> None:
        """Go on reading."""
        self._reading.set()

    async def cut(self) -> None:
        """Go away without a word."""
        await self.connection.aclose()
        await settle()

    @property
    def notification(self) -> Notification | None:
        """The NOTIFICATION that was heard."""
        return next((message for message in self.heard if isinstance(message, Notification)), None)

    @property
    def updates(self) -> list[Update]:
        """The UPDATEs that were heard."""
        return [message for message in self.heard if isinstance(message, Update)]

    def routes(self) -> dict[str, Update]:
        """What the UPDATEs come to: the last one that announced each prefix; "PREFIX ID" under add-path."""
        held: dict[str, Update] = {}
        for update in self.updates:
            reach, unreach = update.attribute(14), update.attribute(15)
            gone = [
                *update.withdrawn,
                *(unreach.value.nlri if unreach and isinstance(unreach.value, MpUnreach) else ()),
            ]
            new = [*update.nlri, *(reach.value.nlri if reach and isinstance(reach.value, MpReach) else ())]
            for one in gone:
                held.pop(_shown(one), None)
            held |= {_shown(one): update for one in new}
        return held


def _shown(nlri: object) -> str:
    return f"{nlri.prefix} {nlri.path_id}" if isinstance(nlri, PathPrefix) else str(nlri)


def _whole(octets: bytes) -> int:
    at = 0
    while len(octets) - at >= 19 and at + (length := int.from_bytes(octets[at + 16 : at + 18], "big")) <= len(octets):
        at += length
    return at


def announcement(
    *prefixes: str,
    asn: int = 65066,
    next_hop: str = "10.0.0.66",
    path: str | None = None,
    path_id: int | None = None,
    extra: Iterable[PathAttribute] = (),
) -> Update:
    """An UPDATE as an external peer would send it."""
    made = [Prefix(prefix) for prefix in prefixes]
    nlri = tuple(made if path_id is None else [PathPrefix(prefix, path_id) for prefix in made])
    hop = ip_address(next_hop)
    attributes = [
        PathAttribute(0x40, 1, Origin.IGP),
        PathAttribute(0x40, 2, AsPath.parse(str(asn) if path is None else path)),
    ]
    if made[0].afi == 2 or hop.version == 6:
        family = IPV6_UNICAST if made[0].afi == 2 else IPV4_UNICAST
        attributes.append(PathAttribute(0x80, 14, MpReach(family, (hop,), nlri)))
        nlri = ()
    else:
        assert isinstance(hop, IPv4Address)
        attributes.append(PathAttribute(0x40, 3, hop))
    return Update(attributes=(*attributes, *extra), nlri=nlri)


def home(speaker: Speaker) -> str:
    """The address that a laboratory's speaker listens on."""
    return speaker.listening[0][0]


async def settle() -> None:
    """Wait until nobody has anything to do before time goes on."""
    await wait_all_tasks_blocked()


def best(speaker: Speaker, prefix: str) -> Path | None:
    """The best path to `prefix`; None if there is none."""
    made = Prefix(prefix)
    return speaker.loc_rib.best(IPV6_UNICAST if made.afi == 2 else IPV4_UNICAST, made.nlri)


def held(speaker: Speaker, family: Family = IPV4_UNICAST) -> set[str]:
    """The prefixes that a speaker has a best path to."""
    return {str(Prefix.from_nlri(family.afi, nlri)) for nlri, _ in speaker.loc_rib.routes(family)}
