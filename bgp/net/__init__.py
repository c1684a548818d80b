"""The speaker on trio: `open_speaker` and what it hands out."""

from bgp.net.counts import PeerCounts
from bgp.net.malformed import MalformedUpdate
from bgp.net.memory import MemoryNetwork
from bgp.net.peer import Peer, PeerChange
from bgp.net.sockets import SocketOptions
from bgp.net.speaker import Speaker, SpeakerCounts, open_speaker
from bgp.net.transport import Connection, TcpTransport, Transport
from bgp.net.watch import Changes, WatchedLocRib

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
