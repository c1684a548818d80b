"""The finite-state machine of RFC 4271 8.2.2 as data, driven by a clock that is an argument."""

from fsm.machine import Machine, Settings
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
    "Drop",
    "Event",
    "Fault",
    "Machine",
    "SendKeepalive",
    "SendNotification",
    "SendOpen",
    "SessionDown",
    "SessionUp",
    "Settings",
    "State",
    "Timer",
    "Transition",
]
