"""What `bgp decode` prints of messages and records: JSON, words, or the lines of `bgpdump -m`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from ipaddress import IPv4Address
from typing import Final, NamedTuple, TextIO

from bgp.app import dump, dump_text
from bgp.app.bmp_form import other_json, peer_json, peer_up_json
from bgp.app.details import details
from bgp.app.dump_scan import LineScanner
from bgp.app.filters import EVERYTHING, Filter
from bgp.app.form import Form
from bgp.app.jsonform import Json, error_json, kind_name, message_json, type_name
from bgp.error import PeerError, Reaction, UpdateError
from bgp.iana import MessageType
from bgp.message import Message, Open, Update
from bgp.wire.codec import Decoder
from bgp.wire.context import Context
from bgp.wire.formats.bmp import (
    Bmp,
    Initiation,
    MirrorType,
    PeerDown,
    PeerHeader,
    PeerUp,
    RouteMirroring,
    RouteMonitoring,
    StatisticsReport,
    Termination,
    UnknownBmp,
)
from bgp.wire.formats.conversation import Heard, Lost
from bgp.wire.formats.mrt_values import (
    Peer,
    Record,
    Unread,
)
from bgp.wire.open import fixed_fields, validate_open
from bgp.wire.sizes import HEADER_LENGTH
from bgp.wire.update import worst

_in_json: Final = json.JSONEncoder(separators=(",", ":")).encode


class Moment(NamedTuple):
    """A time since 1970."""

    seconds: int
    microseconds: int


#: Contexts whose block texts are kept: a capture may have many sessions.
CONTEXTS: Final = 16
#: The BGP identifier of a session that there is not.
NOBODY: Final = IPv4Address(0)
#: What stands in bgpdump's lines for the time and the peer of a message that comes without.
NO_RECORD: Final = Record(0, 0, None, Unread(0, 0, b""))
NO_PEER: Final = Peer(NOBODY, 0)


class Printer:
    """Prints what was decoded and passes `keep`; counts what was `malformed` and what was left `unread`."""

    def __init__(self, form: Form, out: TextIO, err: TextIO, keep: Filter = EVERYTHING) -> None:
        self.form = form
        self.keep = keep
        self.out = out
        self.err = err
        self.malformed = 0
        self.unread = 0
        self._scanners: dict[Context, LineScanner] = {}
        self._decoders: dict[Context, Decoder] = {}

    def _scanner(self, context: Context) -> LineScanner:
        found = self._scanners.get(context)
        if found is None:
            if len(self._scanners) >= CONTEXTS:
                self._scanners.clear()
            found = self._scanners[context] = LineScanner(as4=context.as4, add_path=context.add_path)
        return found

    def _decoder(self, context: Context) -> Decoder:
        found = self._decoders.get(context)
        if found is None:
            if len(self._decoders) >= CONTEXTS:
                self._decoders.clear()
            found = self._decoders[context] = Decoder(context)
        return found

    def refused(self, about: Mapping[str, Json], reason: str) -> None:
        """What is no message."""
        self.show({**about, "error": {"reason": reason}})

    def message(self, about: Mapping[str, Json], octets: bytes, context: Context, peer: Peer | None = None) -> None:
        """A message; `about` is what is known of where it is from."""
        if not self.keep.peer(peer) or not self.keep.may_pass(octets):
            return
        if self.form is Form.BGPDUMP:
            head = dump.message_head(NO_RECORD, add_path=bool(context.add_path))
            place = (
                f"message {about['id']}"
                if "id" in about
                else f"message at {about['at']}"
                if "at" in about
                else "message"
            )
            self.lines(octets, context, head, dump.peer_text(peer or NO_PEER), place)
            return
        found, parts = decoded(octets, self._decoder(context))
        if not self.keep.on_routes or (isinstance(found, Update) and self.keep.narrowed(found) is not None):
            self.show({**about, **parts})

    def wants(self, peer: Peer | None) -> bool:
        """Whether the filter lets through what is about a peer and no route."""
        return not self.keep.on_routes and self.keep.peer(peer)

    def heard(self, found: Heard | Lost) -> None:
        """What a packet capture holds of a session."""
        about: dict[str, Json] = {
            "time": found.time / 1_000_000_000,
            "packet": found.number,
            "peer": str(found.source.address),
            "from": str(found.source),
            "to": str(found.destination),
        }
        if isinstance(found, Lost):
            self.refused(about, found.reason)
            return
        if found.asn is not None:
            about["peer_asn"] = found.asn
        peer = Peer(found.source.address, found.asn or 0)
        seconds, nanoseconds = divmod(found.time, 1_000_000_000)
        self._exact(about, found.octets, found.context, Moment(seconds, nanoseconds // 1000), peer)

    def bmp(self, at: int, message: Bmp, context: Context) -> None:
        """One BMP message; `context`: how to read the BGP messages in it."""
        about: dict[str, Json] = {"at": at}
        match message:
            case RouteMonitoring(peer=peer, octets=octets):
                self._bmp_message(about, peer, octets, context)
            case RouteMirroring(peer=peer, items=items):
                for one in items:
                    if one.type == MirrorType.MESSAGE:
                        self._bmp_message(about | {"mirrored": True}, peer, one.value, context)
                    elif self.wants(Peer(peer.address, peer.asn)):
                        self.show({**about, **peer_json(peer), **other_json(message._replace(items=(one,)))})
            case PeerUp(peer=peer) if self.wants(Peer(peer.address, peer.asn)):
                self.show({**about, **peer_json(peer), **peer_up_json(message)})
            case PeerDown(peer=peer) | StatisticsReport(peer=peer) if self.wants(Peer(peer.address, peer.asn)):
                self.show({**about, **peer_json(peer), **other_json(message)})
            case Initiation() | Termination() | UnknownBmp() if self.wants(None):
                self.show({**about, **other_json(message)})
            case _:
                pass

    def _bmp_message(self, about: dict[str, Json], peer: PeerHeader, octets: bytes, context: Context) -> None:
        moment = Moment(peer.seconds, peer.microseconds)
        self._exact({**about, **peer_json(peer)}, octets, context, moment, Peer(peer.address, peer.asn))

    def _exact(self, about: Mapping[str, Json], octets: bytes, context: Context, moment: Moment, peer: Peer) -> None:
        """A message of which peer and time are known to the microsecond."""
        if self.form is not Form.BGPDUMP:
            self.message(about, octets, context, peer)
            return
        if not self.keep.peer(peer):
            return
        head = dump.message_head(Record(0, *moment, Unread(0, 0, b"")), add_path=bool(context.add_path))
        self.lines(octets, context, head, dump.peer_text(peer), f"message at {moment.seconds}.{moment.microseconds:06}")

    def lines(self, octets: bytes, context: Context, head: str, peer: str, place: str, *, legacy: bool = False) -> None:
        """The lines of a message; `place` is where it is, should anything be wrong with it."""
        if not self.keep.may_pass(octets):
            return
        if not self.keep.on_routes and not legacy:
            text = self._scanner(context).message(octets, 0, len(octets), head, peer)
            if text is not None:
                self.out.write(text)
                return
        found, parts = decoded(octets, self._decoder(context))
        if "error" in parts:
            self.complain(place, parts["error"])
        update = self.keep.narrowed(found) if isinstance(found, Update) else None
        for line in () if update is None else dump.update_lines(head, peer, update, as4=context.as4):
            self.out.write(f"{dump_text.legacy(line) if legacy else line}\n")

    def complain(self, place: str, error: Json) -> None:
        """Say on standard error what is wrong with a message whose lines are printed, or would be."""
        self.malformed += 1
        reason = error["reason"] if isinstance(error, dict) else error
        print(f"{place}: {reason}", file=self.err)

    def show(self, found: Mapping[str, Json]) -> None:
        """Print one object in the form that was asked for; of the forms, bgpdump's has errors only."""
        self.malformed += "error" in found
        if self.form is Form.JSON:
            self.out.write(_in_json(found) + "\n")
        elif self.form is Form.TEXT:
            self.out.write(in_words(found) + "\n")
        elif "error" in found:
            error = found["error"]
            print(error["reason"] if isinstance(error, dict) else error, file=self.err)


def decoded(octets: bytes, decoder: Decoder) -> tuple[Message | None, dict[str, Json]]:
    """The message and its JSON object: `type`, `message`, and `error` if there is something wrong with it."""
    context = decoder.context
    kind = kind_name(octets[HEADER_LENGTH - 1]) if len(octets) >= HEADER_LENGTH else "UNKNOWN"
    try:
        message = decoder.read(octets)
    except PeerError as error:
        found: dict[str, Json] = {"type": kind, "error": error_json(error)}
        if kind == MessageType.OPEN.name and len(octets) > HEADER_LENGTH:
            # Who sent it can be told even where what they can do cannot.
            found["message"] = message_json(fixed_fields(octets[HEADER_LENGTH:].ljust(9, b"\0")), context)
        return None, found
    found = {"type": type_name(message), "message": message_json(message, context, octets)}
    if more := details(message):
        found["details"] = more
    wrong = _refusal(message)
    if wrong is not None:
        found["error"] = error_json(wrong)
        if isinstance(wrong, PeerError) or wrong.reaction is Reaction.SESSION_RESET:
            return None, found
    return message, found


def _refusal(message: Message) -> PeerError | UpdateError | None:
    """What any session would have to say of a message that could be read."""
    match message:
        case Update(errors=errors):
            return worst(errors)
        case Open():
            try:
                validate_open(message, expected_asn=None, local_bgp_id=NOBODY, internal=False)
            except PeerError as error:
                return error
        case _:
            pass
    return None


#: What is said in words beside the message, in this order.
_SAID: Final = ("id", "time", "peer", "to", "table", "prefix", "state", "reason", "information", "statistics")


def in_words(found: Mapping[str, Json]) -> str:
    """One line for a person: what `bgp decode` prints without --json."""
    parts = [str(found.get("type", "?"))]
    parts += [f"{name} {_plain(found[name])}" for name in _SAID if name in found]
    message, error = found.get("message"), found.get("error")
    if isinstance(message, dict):
        parts += [f"{name} {_plain(value)}" for name, value in message.items() if name != "attributes" and value != []]
    more = found.get("details")
    if isinstance(more, dict):
        parts += [f"{name} {_plain(value)}" for name, value in more.items()]
    if isinstance(error, dict):
        parts.append(f"ERROR {error.get('reaction', 'unreadable')}: {error['reason']}")
    return printable("  ".join(parts))


def printable(text: str) -> str:
    """`text` with what could do things to a terminal written as an escape: strangers choose some of these words."""
    if text.isprintable():
        return text
    return "".join(one if one.isprintable() else f"\\u{ord(one):04x}" for one in text)


def _plain(value: Json) -> str:
    """A value as short as it can be said."""
    if isinstance(value, list):
        return " ".join(f"({_plain(one)})" if isinstance(one, list) else _plain(one) for one in value) or "empty"
    if isinstance(value, dict):
        return " ".join(f"{name} {_plain(one)}" for name, one in value.items())
    return str(value)
