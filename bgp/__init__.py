"""BGP-4 in pure Python: the half without I/O. Speakers are in `bgp.net`."""

from bgp.error import LocalError, PeerError, Reaction, UpdateError
from bgp.message import (
    Keepalive,
    Message,
    MpReach,
    MpUnreach,
    Notification,
    Open,
    PathAttribute,
    PathPrefix,
    RouteRefresh,
    Update,
)
from bgp.options import AddPathMode, NextHopSelf, PeerOptions, RestartMode, SpeakerOptions
from bgp.wire import Context, decode, encode
from rib.policy import Policy, accept, reject

__all__ = [
    "AddPathMode",
    "Context",
    "Keepalive",
    "LocalError",
    "Message",
    "MpReach",
    "MpUnreach",
    "NextHopSelf",
    "Notification",
    "Open",
    "PathAttribute",
    "PathPrefix",
    "PeerError",
    "PeerOptions",
    "Policy",
    "Reaction",
    "RestartMode",
    "RouteRefresh",
    "SpeakerOptions",
    "Update",
    "UpdateError",
    "accept",
    "decode",
    "encode",
    "reject",
]
