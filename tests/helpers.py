"""Two ends of a session over a fake wire, and one end against octets that the test writes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from ipaddress import IPv4Address

from bgp.capability import Capability, ExtendedMessage, FourOctetAs, Multiprotocol, RouteRefresh
from bgp.message import Keepalive, Message, Notification, Open
from bgp.session import Established, HangUp, Session, SessionEvent, SessionOptions
from bgp.wire.codec import encode, read
from bgp.wire.context import Context
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Family

#: What a session that speaks in tests may use: long messages, and any family.
ANY = Context(extended=True)


def capabilities(asn: int, *families: Family) -> tuple[Capability, ...]:
    """What a speaker of today offers, for both unicast families or those given."""
    offered = families or (IPV4_UNICAST, IPV6_UNICAST)
    return (*map(Multiprotocol, offered), RouteRefresh(), FourOctetAs(asn), ExtendedMessage())


def session_options(
    asn: int = 65001, bgp_id: str = "10.0.0.1", peer_asn: int | None = 65002, **more: object
) -> SessionOptions:
    """Options with the fields that a test does not care about filled in."""
    fields: dict[str, object] = {"capabilities": capabilities(asn)} | more
    return SessionOptions(asn=asn, bgp_id=IPv4Address(bgp_id), peer_asn=peer_asn, **fields)


def peer_open(asn: int = 65002, bgp_id: str = "10.0.0.2", **changes: object) -> Open:
    """The OPEN of the neighbour that `session_options` expects, with some fields changed."""
    made = Open(4, min(asn, 23456) if asn > 65535 else asn, 90, IPv4Address(bgp_id), capabilities(asn))
    return replace(made, **changes)


def messages_in(octets: bytes, context: Context = ANY) -> list[Message]:
    """The messages that `octets` are; they must be whole."""
    found = []
    at = 0
    while at < len(octets):
        end = at + int.from_bytes(octets[at + 16 : at + 18], "big")
        found.append(read(octets[at:end], context))
        at = end
    return found


class Scripted:
    """A session whose neighbour is the test: messages or octets in, messages out."""

    def __init__(self, options: SessionOptions | None = None, *, now: float = 0.0) -> None:
        self.session = Session(options or session_options())
        self.now = now
        self.events: list[SessionEvent] = []
        self.heard: list[Message] = []

    def connect(self, *, dialled: bool = True) -> Scripted:
        """Bring the session to OpenSent."""
        self.session.start(self.now, passive=not dialled)
        self.settle()
        self.session.connected(self.now, dialled=dialled)
        self.settle()
        return self

    def confirm(self, message: Open | None = None) -> Scripted:
        """Bring the session to OpenConfirm."""
        self.connect()
        self.say(message or peer_open())
        return self

    def establish(self, message: Open | None = None) -> Scripted:
        """Bring the session to Established."""
        self.confirm(message)
        self.say(Keepalive())
        assert any(isinstance(event, Established) for event in self.events), self.session.reason
        self.heard.clear()
        self.events.clear()
        return self

    def say(self, *messages: Message | bytes) -> None:
        """Let messages, or any octets, arrive together."""
        self.session.receive(b"".join(m if isinstance(m, bytes) else encode(m, ANY) for m in messages), self.now)
        self.settle()

    def wait(self, seconds: float) -> None:
        """Let time go by, with every deadline on the way kept."""
        end = self.now + seconds
        while (at := self.session.deadline()) is not None and at <= end:
            self.now = at
            self.session.tick(at)
            self.settle()
        self.now = end

    @property
    def notification(self) -> Notification | None:
        """The NOTIFICATION that the session sent last, if the connection was closed after it."""
        last = self.heard[-1] if self.heard else None
        closed = any(isinstance(event, HangUp) for event in self.events)
        return last if isinstance(last, Notification) and closed else None

    def settle(self) -> None:
        """Take what the session has to say and to send."""
        self.events += self.session.events()
        self.heard += messages_in(self.session.octets_to_send())


class SessionPair:
    """Two sessions with a wire between them. Octets lie on it until `carry` takes them over, in pieces of `step`."""

    def __init__(self, near: SessionOptions | None = None, far: SessionOptions | None = None) -> None:
        self.near = Session(near or session_options())
        self.far = Session(far or session_options(65002, "10.0.0.2", 65001))
        self.now = 0.0
        self.events: dict[Session, list[SessionEvent]] = {self.near: [], self.far: []}
        self.connected = False

    def connect(self) -> None:
        """`near` dials `far`."""
        self.near.start(self.now)
        self.far.start(self.now, passive=True)
        self.take()
        self.connected = True
        self.near.connected(self.now, dialled=True)
        self.far.connected(self.now, dialled=False)
        self.take()

    def carry(self, step: int = 1 << 16, *, pause: float = 0.0, extra: dict[Session, bytes] | None = None) -> None:
        """Bring octets across until nobody says any more; between pieces, `pause` seconds go by."""
        waiting = dict(extra or {})
        while self.connected:
            for session in (self.near, self.far):
                waiting[session] = waiting.get(session, b"") + session.octets_to_send()
            if not any(waiting.values()):
                return
            for session, other in ((self.near, self.far), (self.far, self.near)):
                piece, waiting[session] = waiting[session][:step], waiting[session][step:]
                if piece:
                    other.receive(piece, self.now)
                    self.take(other)
            self.wait(pause)

    def wait(self, seconds: float) -> None:
        """Let time go by for both."""
        end = self.now + seconds
        while due := [s for s in (self.near, self.far) if (at := s.deadline()) is not None and at <= end]:
            session = min(due, key=lambda s: s.deadline() or 0.0)
            self.now = session.deadline() or 0.0
            session.tick(self.now)
            self.take(session)
        self.now = end

    def take(self, *sessions: Session) -> None:
        """Take the events of these sessions, or of both."""
        for session in sessions or (self.near, self.far):
            found = list(session.events())
            self.events[session] += found
            if self.connected and any(isinstance(event, HangUp) for event in found):
                self._hang_up(session)

    def _hang_up(self, session: Session) -> None:
        other = self.far if session is self.near else self.near
        self.connected = False
        other.receive(session.octets_to_send(), self.now)
        self.take(other)
        other.lost(self.now, "connection closed by the peer")
        self.take(other)

    def kinds(self, session: Session) -> Sequence[str]:
        """The names of the events of one side, in order."""
        return [type(event).__name__ for event in self.events[session]]
