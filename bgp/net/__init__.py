"""The speaker on trio: `open_speaker` and what it hands out.

What is asked for is loaded then (PEP 562): whoever wants a number of `bgp.net.sockets` does not wait for speakers.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from bgp.net.counts import PeerCounts
    from bgp.net.malformed import MalformedUpdate
    from bgp.net.memory import MemoryNetwork
    from bgp.net.peer import Peer, PeerChange
    from bgp.net.sockets import SocketOptions
    from bgp.net.speaker import Speaker, SpeakerCounts, open_speaker
    from bgp.net.transport import Connection, TcpTransport, Transport
    from bgp.net.watch import Changes, WatchedLocRib

#: Where each public name is at home.
_HOMES: Final = {
    "PeerCounts": "bgp.net.counts",
    "MalformedUpdate": "bgp.net.malformed",
    "MemoryNetwork": "bgp.net.memory",
    "Peer": "bgp.net.peer",
    "PeerChange": "bgp.net.peer",
    "SocketOptions": "bgp.net.sockets",
    "Speaker": "bgp.net.speaker",
    "SpeakerCounts": "bgp.net.speaker",
    "open_speaker": "bgp.net.speaker",
    "Connection": "bgp.net.transport",
    "TcpTransport": "bgp.net.transport",
    "Transport": "bgp.net.transport",
    "Changes": "bgp.net.watch",
    "WatchedLocRib": "bgp.net.watch",
}

__all__ = [
    "Changes",
    "Connection",
    "MalformedUpdate",
    "MemoryNetwork",
    "Peer",
    "PeerChange",
    "PeerCounts",
    "SocketOptions",
    "Speaker",
    "SpeakerCounts",
    "TcpTransport",
    "Transport",
    "WatchedLocRib",
    "open_speaker",
]


if not TYPE_CHECKING:  # or any name would be right to a type checker

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
