"""One connection's worth of BGP without I/O."""

from bgp.session.session import Session
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

__all__ = [
    "Closed",
    "Dial",
    "Established",
    "HangUp",
    "Malformed",
    "OpenReceived",
    "RefreshReceived",
    "Session",
    "SessionEvent",
    "SessionOptions",
]
