"""The finite-state machine of RFC 4271 8.2.2 as data, driven by a clock that is an argument."""

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
