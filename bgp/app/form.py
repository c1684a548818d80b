"""The forms in which `bgp decode` prints what it has read."""

from __future__ import annotations

from enum import StrEnum


class Form(StrEnum):
    """What `bgp decode` prints."""

    TEXT = "text"
    JSON = "json"
    BGPDUMP = "bgpdump"
