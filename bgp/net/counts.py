"""What has passed between a speaker and a neighbour, in numbers."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class PeerCounts:
    """What a peer has sent and been sent since it was added."""

    messages_received: int
    messages_sent: int
    updates_received: int
    updates_sent: int  #: UPDATEs that were handed to the session to send
    established: int
    dropped: int
    updates_malformed: int  #: of those received
