"""The finite-state machine of RFC 4271 8.2.2 as data, driven by a clock that is an argument.

What is asked for is loaded then (PEP 562).
"""

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from fsm.collision import Connection, Loser, Speaker, Verdict, resolve
    from fsm.machine import Machine
    from fsm.settings import Settings
    from fsm.words import (
        Action,
        Connect,
        Drop,
        Event,
        Fault,
        SendKeepalive,
        SendNotification,
        SendOpen,
        SessionDown,
        SessionUp,
        State,
        Timer,
        Transition,
    )

#: Where each public name is at home.
_HOMES: Final = {
    "Connection": "fsm.collision",
    "Loser": "fsm.collision",
    "Speaker": "fsm.collision",
    "Verdict": "fsm.collision",
    "resolve": "fsm.collision",
    "Machine": "fsm.machine",
    "Settings": "fsm.settings",
    "Action": "fsm.words",
    "Connect": "fsm.words",
    "Drop": "fsm.words",
    "Event": "fsm.words",
    "Fault": "fsm.words",
    "SendKeepalive": "fsm.words",
    "SendNotification": "fsm.words",
    "SendOpen": "fsm.words",
    "SessionDown": "fsm.words",
    "SessionUp": "fsm.words",
    "State": "fsm.words",
    "Timer": "fsm.words",
    "Transition": "fsm.words",
}

__all__ = [
    "Action",
    "Connect",
    "Connection",
    "Drop",
    "Event",
    "Fault",
    "Loser",
    "Machine",
    "SendKeepalive",
    "SendNotification",
    "SendOpen",
    "SessionDown",
    "SessionUp",
    "Settings",
    "Speaker",
    "State",
    "Timer",
    "Transition",
    "Verdict",
    "resolve",
]


if not TYPE_CHECKING:  # or any name would be right to a type checker

    def __getattr__(name: str) -> object:
        if name not in _HOMES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        found = globals()[name] = getattr(import_module(_HOMES[name]), name)
        return found

    def __dir__() -> list[str]:
        return sorted({*globals(), *__all__})
