"""What a session starts from and what it says: its options and its events."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import NamedTuple

from bgp.capability import Capability, Negotiated
from bgp.error import PeerError
from bgp.message import Notification, Open, RouteRefresh
from bgp.wire.scan import Reach, RouteUpdate
from fsm.settings import Settings


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """What both ends of a session are, as far as the protocol cares. Times are in seconds.

    `peer_asn` None takes any. `hold_time` is what we propose.
    """

    asn: int
    bgp_id: IPv4Address
    peer_asn: int | None
    capabilities: tuple[Capability, ...]
    hold_time: int = 90
    enforce_first_as: bool = True
    in_confederation: bool = False  #: the peer is in another member AS of our confederation (RFC 5065)
    disable_families: bool = False  #: an incorrect MP_REACH_NLRI costs its family, not the session (RFC 4760 7)
    strict_role: bool = False  #: RFC 9234 4.2: a peer that says no role is refused, where we say ours
    machine: Settings = Settings()


class Dial(NamedTuple):
    """The driver should connect, and say `connected` or `failed`."""


class HangUp(NamedTuple):
    """The driver should send what there is to send and then close the connection."""


class OpenReceived(NamedTuple):
    """The peer's OPEN is valid; whoever knows of a second connection decides now which one stays (RFC 4271 6.8)."""

    open: Open


class Established(NamedTuple):
    """The session is up."""

    negotiated: Negotiated


class Closed(NamedTuple):
    """The session is over."""

    reason: str
    sent: Notification | None
    received: Notification | None


class RefreshReceived(NamedTuple):
    """The peer asks for all routes of a family (RFC 2918), or marks where they begin and end (RFC 7313)."""

    refresh: RouteRefresh


class Malformed(NamedTuple):
    """An UPDATE, header and all, that ends the session: to be logged (RFC 7606 6)."""

    octets: bytes
    error: PeerError


SessionEvent = Dial | HangUp | OpenReceived | Established | Closed | RefreshReceived | Malformed | RouteUpdate | Reach
