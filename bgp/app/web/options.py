"""What the `[web]` table of a configuration holds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WebOptions:
    """Where to serve the page, JSON and metrics of a speaker. Whoever reaches the address may read all of it."""

    listen: str  #: "ADDRESS:PORT" or "[IPV6]:PORT"
