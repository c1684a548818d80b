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
from bgp.options import AddPathMode, MalformedFamily, NextHopSelf, PeerOptions, RestartMode, SpeakerOptions
from bgp.wire import Context, Decoder, decode, encode
from rib.policy import Policy, accept, reject
from rib.roles import Role

__all__ = [
    "AddPathMode",
    "Context",
    "Decoder",
    "Keepalive",
    "LocalError",
    "MalformedFamily",
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
    "Role",
    "RouteRefresh",
    "SpeakerOptions",
    "Update",
    "UpdateError",
    "accept",
    "decode",
    "encode",
    "reject",
]
