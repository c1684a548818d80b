"""A BGP peer that does what a test tells it: it sends any octets and collects the messages that come.

`ScriptedPeer` has no state machine, no timers and no opinion: what it sends may be as wrong as the test likes, and when.
`Watcher` adds a table of what it has been told, so that a test can see what a speaker made of somebody else's octets.

    async with ScriptedPeer.dial(TcpTransport(), "127.0.0.1", 1790, local_address="127.0.0.2") as peer:
        await peer.establish(Open(4, 65001, 0, IPv4Address("10.0.0.2"), capabilities))
        await peer.send(malformed)
        print(await peer.notification())

Nothing here waits for ever: what does not come within `patience` seconds is an `Unexpected`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final, Self

import trio

from bgp.error import PeerError
from bgp.iana import AttributeCode, MessageType
from bgp.message import Keepalive, MpReach, MpUnreach, Nlri, Notification, Open, PathAttribute, Update
from bgp.net.sockets import SocketOptions
from bgp.net.transport import Connection, Transport
from bgp.wire.codec import decode, encode
from bgp.wire.context import DEFAULT, Context
from bgp.wire.sizes import HEADER_LENGTH
from rib.family import IPV4_UNICAST, Family

#: Seconds that a test waits for what must come: much more than it takes, so that only a fault runs into it.
PATIENCE: Final = 20.0
#: Octets that one read asks for.
CHUNK: Final = 1 << 16
KEEPALIVE: Final = encode(Keepalive())


class Unexpected(AssertionError):
    """Something else came than the script says, or nothing; the text says what."""


class ScriptedPeer:
    """One end of a connection to a speaker. Every method may raise Unexpected, and OSError where the connection breaks."""

    def __init__(self, connection: Connection, context: Context = DEFAULT, *, patience: float = PATIENCE) -> None:
        self.connection = connection
        self.context = context  #: how to read what comes
        self.patience = patience
        self.messages: list[bytes] = []  #: all that came, header and all
        self._buffer = b""

    @classmethod
    @asynccontextmanager
    async def dial(
        cls,
        transport: Transport,
        address: str,
        port: int,
        *,
        local_address: str | None = None,
        context: Context = DEFAULT,
        patience: float = PATIENCE,
    ) -> AsyncIterator[Self]:
        """A peer connected to `address`, closed on leaving. Raises OSError if nobody listens there."""
        connection = await transport.dial(address, port, local_address=local_address, options=SocketOptions())
        try:
            yield cls(connection, context, patience=patience)
        finally:
            with trio.CancelScope(shield=True):
                await connection.aclose()

    async def send(self, *octets: bytes) -> None:
        """Send octets as they are."""
        await self.connection.send_all(b"".join(octets))

    async def receive(self) -> bytes | None:
        """The next whole message, header and all; None when the other side has closed."""
        with trio.move_on_after(self.patience):
            while True:
                message = self._whole_message()
                if message is not None:
                    self.messages.append(message)
                    return message
                try:
                    octets = await self.connection.receive_some(CHUNK)
                except (trio.BrokenResourceError, trio.ClosedResourceError, ConnectionError):
                    return None  # reset, as by who closes with octets unread, or closed by ourselves
                if not octets:
                    return None
                self._buffer += octets
        raise Unexpected(f"nothing came for {self.patience:g} s")

    def _whole_message(self) -> bytes | None:
        if len(self._buffer) < HEADER_LENGTH:
            return None
        length = int.from_bytes(self._buffer[16:18], "big")
        if length < HEADER_LENGTH:
            raise Unexpected(f"no BGP message: {self._buffer[:HEADER_LENGTH].hex()}")
        if len(self._buffer) < length:
            return None
        message, self._buffer = self._buffer[:length], self._buffer[length:]
        return message

    async def expect(self, kind: MessageType) -> bytes:
        """The next message, which must be of `kind`."""
        message = await self.receive()
        if message is None:
            raise Unexpected(f"{kind.name} was to come; the connection was closed")
        if message[18] != kind:
            raise Unexpected(f"{kind.name} was to come; this came: {describe(message, self.context)}")
        return message

    async def establish(self, ours: Open | bytes) -> Open:
        """Exchange OPEN and KEEPALIVE, and give the other side's OPEN. `ours` may be octets, header and all."""
        await self.send(ours if isinstance(ours, bytes) else encode(ours))
        theirs = decode(await self.expect(MessageType.OPEN))
        assert isinstance(theirs, Open)  # that is what was expected
        await self.expect(MessageType.KEEPALIVE)
        await self.send(KEEPALIVE)
        return theirs

    async def notification(self) -> Notification | None:
        """The NOTIFICATION with which the other side closes, whatever comes before it; None if it closes without."""
        found: Notification | None = None
        while (message := await self.receive()) is not None:
            if message[18] == MessageType.NOTIFICATION:
                read = decode(message)
                assert isinstance(read, Notification)
                found = found or read
        return found


class Watcher(ScriptedPeer):
    """A peer that keeps what it is told: `routes`, by family and NLRI, each with the attributes of its last announcement."""

    def __init__(self, connection: Connection, context: Context = DEFAULT, *, patience: float = PATIENCE) -> None:
        super().__init__(connection, context, patience=patience)
        self.routes: dict[tuple[Family, Nlri], tuple[PathAttribute, ...]] = {}
        self.ended: set[Family] = set()  #: families whose End-of-RIB came (RFC 4724 2)

    async def watch(self, done: Callable[[Self], bool]) -> None:
        """Take in UPDATEs until `done` holds."""
        while not done(self):
            message = await self.receive()
            if message is None:
                raise Unexpected("the connection was closed before what was watched for came")
            if message[18] == MessageType.NOTIFICATION:
                raise Unexpected(f"the session ended: {describe(message, self.context)}")
            if message[18] == MessageType.UPDATE:
                update = decode(message, self.context)
                assert isinstance(update, Update)  # by its type
                self.take(update)

    def take(self, update: Update) -> None:
        """Apply an UPDATE to the table. Raises Unexpected for one with errors: nobody may send us that."""
        if update.errors:
            raise Unexpected(f"a malformed UPDATE came: {update.errors[0]}")
        reach, unreach = (
            update.attribute(code) for code in (AttributeCode.MP_REACH_NLRI, AttributeCode.MP_UNREACH_NLRI)
        )
        gone = [(IPV4_UNICAST, one) for one in update.withdrawn]
        new = [(IPV4_UNICAST, one) for one in update.nlri]
        if unreach is not None and isinstance(unreach.value, MpUnreach):
            gone += [(unreach.value.family, one) for one in unreach.value.nlri]
            if not unreach.value.nlri:
                self.ended.add(unreach.value.family)
        if reach is not None and isinstance(reach.value, MpReach):
            new += [(reach.value.family, one) for one in reach.value.nlri]
        if not update.attributes and not gone and not new:
            self.ended.add(IPV4_UNICAST)
        for key in gone:
            self.routes.pop(key, None)
        for key in new:
            self.routes[key] = update.attributes


def describe(message: bytes, context: Context = DEFAULT) -> str:
    """A message in words where it can be read, else in hex."""
    try:
        return str(decode(message, context))
    except PeerError:
        return message.hex()
