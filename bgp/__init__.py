"""BGP-4 in pure Python: the half without I/O. Speakers are in `bgp.net`.

What is asked for is loaded then (PEP 562): a command that decodes a file does not wait for what speakers need.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
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

#: Where each public name is at home.
_HOMES: Final = {
    "LocalError": "bgp.error",
    "PeerError": "bgp.error",
    "Reaction": "bgp.error",
    "UpdateError": "bgp.error",
    "Keepalive": "bgp.message",
    "Message": "bgp.message",
    "MpReach": "bgp.message",
    "MpUnreach": "bgp.message",
    "Notification": "bgp.message",
    "Open": "bgp.message",
    "PathAttribute": "bgp.message",
    "PathPrefix": "bgp.message",
    "RouteRefresh": "bgp.message",
    "Update": "bgp.message",
    "AddPathMode": "bgp.options",
    "MalformedFamily": "bgp.options",
    "NextHopSelf": "bgp.options",
    "PeerOptions": "bgp.options",
    "RestartMode": "bgp.options",
    "SpeakerOptions": "bgp.options",
    "Context": "bgp.wire",
    "Decoder": "bgp.wire",
    "decode": "bgp.wire",
    "encode": "bgp.wire",
    "Policy": "rib.policy",
    "accept": "rib.policy",
    "reject": "rib.policy",
    "Role": "rib.roles",
}

#: Packages that need no import of their own: `bgp.net` is loaded, and trio with it, when somebody says so.
_PACKAGES: Final = frozenset({"aio", "lab", "net", "topology"})

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


if not TYPE_CHECKING:  # or any name would be right to a type checker

    def __getattr__(name: str) -> object:
        if name in _PACKAGES:
            return import_module(f"{__name__}.{name}")
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
