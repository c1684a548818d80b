"""One connection's worth of BGP without I/O (RFC 4271 4, 6, 8): octets in, events out; octets out, deadlines out.

Whoever drives a `Session` gives it what happened (`start`, `connected`, `receive`, `lost`, `tick`), takes the events from
`events`, sends `octets_to_send`, and comes back at `deadline`. The finite-state machine (`fsm`) decides what may happen;
two tables translate between its words and ours. Time is an argument, in seconds of any monotonic clock.

UPDATEs take a short way: in Established, whole messages are handed to the scanner one after the other, and the state
machine hears of them once for each lot of octets, which restarts the hold timer just the same.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Final

from bgp.capability import Capability, Multiprotocol, Negotiated, negotiate
from bgp.error import PeerError
from bgp.iana import AS_TRANS, MessageType
from bgp.message import Keepalive, Notification, Open, RouteRefresh
from bgp.session.words import (
    Closed,
    Dial,
    Established,
    HangUp,
    Malformed,
    OpenReceived,
    RefreshReceived,
    SessionEvent,
    SessionOptions,
)
from bgp.wire.codec import encode
from bgp.wire.context import Context, Peering
from bgp.wire.header import check_header
from bgp.wire.notification import decode_notification
from bgp.wire.open import decode_open, validate_open, validate_roles
from bgp.wire.refresh import decode_refresh
from bgp.wire.scan import Reach, RouteUpdate, UpdateScanner
from bgp.wire.sizes import HEADER_LENGTH, MARKER, MAX_EXTENDED_MESSAGE, MAX_MESSAGE
from fsm import words
from fsm.machine import Machine
from fsm.words import Action, Event, Fault, State

#: What was agreed on is remembered for so many pairs of OPENs: most neighbours of a speaker say the same.
REMEMBERED: Final = 256


class Session:
    """BGP on one connection after the other, each begun by `start`; `state` and `reason` say where it stands and why.

    `negotiated` and `peer_open` are of the last connection that got so far, None before; `sent` and `received` are its
    NOTIFICATIONs. `scanner` reads the UPDATEs: a session that goes on with another's finds known attributes again.
    `messages_in`, `messages_out` and `updates_in` count over all connections. No method raises for what the peer sends.
    """

    def __init__(self, options: SessionOptions) -> None:
        self.options = options
        self.machine = Machine(options.machine)
        self.negotiated: Negotiated | None = None
        self.peer_open: Open | None = None
        self.sent: Notification | None = None
        self.received: Notification | None = None
        self.scanner: UpdateScanner | None = None
        self.messages_in = self.messages_out = 0
        self.updates_in = 0
        self._buffer = b""
        self._out: list[bytes] = []
        self._events: deque[SessionEvent] = deque()
        self._now = 0.0
        self._closed_because = ""

    @property
    def state(self) -> State:
        """Where the state machine is."""
        return self.machine.state

    @property
    def reason(self) -> str:
        """Why the state is what it is, in words."""
        if self._closed_because:
            return self._closed_because
        last = self.machine.last_transition
        return last.reason if last is not None else ""

    def deadline(self) -> float | None:
        """When `tick` wants to be called; None for never."""
        return self.machine.deadline

    @property
    def has_octets(self) -> bool:
        """Whether there is something to send."""
        return bool(self._out)

    def octets_to_send(self) -> bytes:
        """What to send, taken out of the session."""
        if not self._out:
            return b""
        octets = b"".join(self._out)
        self._out.clear()
        return octets

    def ask_refresh(self, refresh: RouteRefresh) -> None:
        """Ask the peer for all routes of a family, or mark where ours begin and end (RFC 2918, RFC 7313)."""
        self._send(encode(refresh))

    # What the driver tells.

    def start(self, now: float, *, passive: bool = False) -> None:
        """Begin (RFC 4271 8.1.2). A passive session waits to be connected to."""
        event = Event.AUTOMATIC_START_WITH_PASSIVE_TCP_ESTABLISHMENT if passive else Event.AUTOMATIC_START
        self._feed(event, now)

    def stop(self, now: float, notification: Notification | None = None) -> None:
        """End for good, with Cease (RFC 4486: 6/2 and no text unless another `notification` is given)."""
        self._closed_because = "stopped by us"
        self._buffer = b""
        self._feed(Event.MANUAL_STOP, now, error=notification or Notification(6, 2, b""))

    def close(self, now: float, notification: Notification, reason: str) -> None:
        """End because of something of our own, such as too many prefixes; the machine may start again later."""
        self._closed_because = reason
        self._buffer = b""
        self._feed(Event.AUTOMATIC_STOP, now, error=notification)

    def dump(self, now: float, reason: str) -> None:
        """Lose a connection collision (RFC 4271 6.8)."""
        self._closed_because = f"connection collision: {reason}"
        self._feed(Event.OPEN_COLLISION_DUMP, now)

    def connected(self, now: float, *, dialled: bool) -> None:
        """The TCP connection is there. Why the one before it ended is history."""
        self._closed_because = ""
        self._buffer = b""
        self._feed(Event.TCP_CR_ACKED if dialled else Event.TCP_CONNECTION_CONFIRMED, now)

    def lost(self, now: float, reason: str) -> None:
        """The TCP connection failed, could not be made, or was closed by the peer."""
        self._closed_because = self._closed_because or reason
        self._feed(Event.TCP_CONNECTION_FAILS, now)

    def tick(self, now: float) -> None:
        """A deadline has come."""
        self._now = now
        self._perform(self.machine.tick(now))

    def octets_sent(self, now: float, *, updates: bool) -> None:
        """The connection took what was given to it (RFC 9687); UPDATEs count as life (RFC 4271 4.4)."""
        self.machine.octets_sent(now)
        if updates:
            self.machine.keepalive_sent(now)

    def receive(self, octets: bytes, now: float) -> None:
        """Octets came; `events` reads them."""
        self._buffer = self._buffer + octets if self._buffer else octets
        self._now = now

    # What the driver takes.

    def events(self) -> Iterator[SessionEvent]:
        """What there is to act on, in order; reads the octets that came. Take all of them."""
        queue = self._events
        while queue:
            yield queue.popleft()
        while len(self._buffer) >= HEADER_LENGTH and self.state in _CONNECTED:
            before = len(self._buffer)
            if self.state is State.ESTABLISHED:
                yield from self._updates()
            if len(self._buffer) >= HEADER_LENGTH and self.state in _CONNECTED:
                yield from self._one_message()
            while queue:
                yield queue.popleft()
            if len(self._buffer) == before:
                break
        if self.state not in _CONNECTED:
            self._buffer = b""

    def discard_events(self) -> None:
        """Forget what there is to act on: nobody listens any more."""
        self._events.clear()
        self._buffer = b""

    def _updates(self) -> Iterator[RouteUpdate | Reach]:
        """The run of whole UPDATEs at the head of the buffer."""
        octets = self._buffer
        scanner = self.scanner
        assert scanner is not None  # Established has negotiated
        scan, starts, longest = scanner.scan, octets.startswith, self._longest()
        at, size, count = 0, len(octets), 0
        try:
            while size - at >= HEADER_LENGTH and octets[at + 18] == UPDATE and starts(MARKER, at):
                length = octets[at + 16] << 8 | octets[at + 17]
                end = at + length
                if end > size or not 23 <= length <= longest:
                    break
                found = scan(octets, at + 19, end)
                at = end
                count += 1
                yield found
                if self._buffer is not octets:
                    break  # whoever took the event ended the session
        except PeerError as error:
            self._count(count + 1)
            self._buffer = b""
            self._events.append(Malformed(octets[at:end], error))
            self._fail(Event.UPDATE_MSG_ERR, error)
            return
        if count:
            self._count(count)
        if self._buffer is not octets:
            return
        self._buffer = octets[at:]
        if count:
            self._feed(Event.UPDATE_MSG, self._now)

    def _count(self, updates: int) -> None:
        self.updates_in += updates
        self.messages_in += updates

    def _longest(self) -> int:
        ours = self.negotiated is not None and self.negotiated.extended_message
        return MAX_EXTENDED_MESSAGE if ours else MAX_MESSAGE

    def _one_message(self) -> Iterator[SessionEvent]:
        """The message at the head of the buffer, if it is whole."""
        octets = self._buffer
        try:
            length, kind = check_header(octets[:HEADER_LENGTH], self._longest())
        except PeerError as error:
            self._buffer = b""
            self._fail(Event.BGP_HEADER_ERR, error)
            return
        if length > len(octets):
            return
        body = octets[HEADER_LENGTH:length]
        if kind == UPDATE and self.state is State.ESTABLISHED:
            return  # a run of UPDATEs begins here
        self._buffer = octets[length:]
        self.messages_in += 1
        yield from _READERS[kind](self, body)

    def _read_open(self, body: bytes) -> Iterator[SessionEvent]:
        if self.state is not State.OPEN_SENT:
            self._feed(Event.BGP_OPEN, self._now)
            return
        options = self.options
        try:
            message = decode_open(body)
            internal = message.asn == options.asn
            validate_open(message, expected_asn=options.peer_asn, local_bgp_id=options.bgp_id, internal=internal)
            if not internal:
                validate_roles(options.capabilities, message.capabilities, strict=options.strict_role)
            negotiated = _negotiate(options.capabilities, message.capabilities, message.my_as)
            self._require_a_family(negotiated)
        except PeerError as error:
            self._fail(Event.BGP_OPEN_MSG_ERR, error)
            return
        self.peer_open = message
        yield OpenReceived(message)
        if self.state is not State.OPEN_SENT:
            return
        self._agree(negotiated)
        self._feed(self.machine.open_event, self._now, hold_time=min(options.hold_time, message.hold_time))

    def _require_a_family(self, negotiated: Negotiated) -> None:
        if not negotiated.families:
            wanted = b"".join(
                bytes((1, 4)) + capability.family.afi.to_bytes(2, "big") + bytes((0, capability.family.safi))
                for capability in self.options.capabilities
                if isinstance(capability, Multiprotocol)
            )
            raise PeerError(2, 7, wanted, "no address family in common")

    def _agree(self, negotiated: Negotiated) -> None:
        options = self.options
        self.negotiated = negotiated
        context = Context(
            as4=negotiated.as4,
            add_path=negotiated.add_path_receive,
            extended=negotiated.extended_message,
            peering=self._peering(negotiated),
            peer_asn=negotiated.peer_asn,
            enforce_first_as=options.enforce_first_as,
            families=frozenset(negotiated.families),
            disables=options.disable_families,
        )
        # After a graceful restart the peer says the same again: blocks that are known are then the very same values.
        if self.scanner is None or self.scanner.context != context:
            self.scanner = UpdateScanner(context)
        self.scanner.begin()

    def _peering(self, negotiated: Negotiated) -> Peering:
        if self.options.in_confederation:
            return "confederation"
        return "internal" if negotiated.peer_asn == self.options.asn else "external"

    def _read_update(self, body: bytes) -> Iterator[SessionEvent]:
        self._feed(Event.UPDATE_MSG, self._now)
        yield from ()

    def _read_keepalive(self, body: bytes) -> Iterator[SessionEvent]:
        self._feed(Event.KEEPALIVE_MSG, self._now)
        yield from ()

    def _read_notification(self, body: bytes) -> Iterator[SessionEvent]:
        message = decode_notification(body)
        self.received = message
        self._closed_because = f"received {message}"
        version = (message.code, message.subcode) == (2, 1)
        self._feed(Event.NOTIF_MSG_VER_ERR if version else Event.NOTIF_MSG, self._now)
        yield from ()

    def _read_refresh(self, body: bytes) -> Iterator[SessionEvent]:
        if self.state is not State.ESTABLISHED:
            # RFC 4271 knows no ROUTE-REFRESH; RFC 6608 answers it like any message out of turn.
            self._feed(Event.UPDATE_MSG, self._now, data=b"\x05")
            return
        enhanced = self.negotiated is not None and self.negotiated.enhanced_route_refresh
        try:
            message = decode_refresh(body, enhanced=enhanced)
        except PeerError as error:
            self._fail(Event.UPDATE_MSG_ERR, error)
            return
        self._feed(Event.KEEPALIVE_MSG, self._now)
        yield RefreshReceived(message)

    # What the machine says.

    def _fail(self, event: Event, error: PeerError) -> None:
        self._closed_because = error.reason
        self._feed(event, self._now, error=error)

    def _feed(
        self,
        event: Event,
        now: float,
        *,
        error: Fault | None = None,
        hold_time: int | None = None,
        data: bytes | None = None,
    ) -> None:
        self._now = now
        reason = self._closed_because
        self._perform(self.machine.receive(event, now, error=error, hold_time=hold_time, data=data, reason=reason))

    def _perform(self, actions: list[Action]) -> None:
        for action in actions:
            match action:
                case words.SendKeepalive():
                    self._send(KEEPALIVE)
                case words.SendOpen():
                    self._send_open()
                case words.SendNotification(code, subcode, data):
                    self.sent = Notification(code, subcode, data[:NOTIFICATION_DATA])
                    self._send(encode(self.sent))
                case words.Connect():
                    self._events.append(Dial())
                case words.Drop():
                    self._events.append(HangUp())
                case words.SessionUp():
                    assert self.negotiated is not None  # OPEN came before
                    self._events.append(Established(self.negotiated))
                case words.SessionDown(reason):
                    self._events.append(Closed(self._closed_because or reason, self.sent, self.received))

    def _send_open(self) -> None:
        options = self.options
        self.sent = self.received = None
        self._closed_because = ""
        message = Open(
            version=4,
            my_as=options.asn if options.asn < 65536 else AS_TRANS,
            hold_time=options.hold_time,
            bgp_id=options.bgp_id,
            capabilities=options.capabilities,
        )
        self._send(encode(message))

    def _send(self, octets: bytes) -> None:
        self.messages_out += 1
        self._out.append(octets)


@lru_cache(maxsize=REMEMBERED)
def _negotiate(ours: tuple[Capability, ...], theirs: tuple[Capability, ...], peer_as_field: int) -> Negotiated:
    return negotiate(ours, theirs, peer_as_field=peer_as_field)


UPDATE: Final = MessageType.UPDATE
#: The most data that a NOTIFICATION can carry to a neighbour that reads no longer messages (RFC 8654 5).
NOTIFICATION_DATA: Final = MAX_MESSAGE - 21
KEEPALIVE: Final = encode(Keepalive())
#: The states in which there is a connection with messages on it.
_CONNECTED: Final = frozenset({State.OPEN_SENT, State.OPEN_CONFIRM, State.ESTABLISHED})
#: Message types to the methods that read them; everything the header check lets through is here.
_READERS: Final[dict[int, Callable[[Session, bytes], Iterator[SessionEvent]]]] = {
    MessageType.OPEN: Session._read_open,
    MessageType.UPDATE: Session._read_update,
    MessageType.NOTIFICATION: Session._read_notification,
    MessageType.KEEPALIVE: Session._read_keepalive,
    MessageType.ROUTE_REFRESH: Session._read_refresh,
}
