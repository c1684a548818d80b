"""How long messages are, and how they begin (RFC 4271 4.1): what whoever looks for messages has to know."""

from __future__ import annotations

from typing import Final

MARKER: Final = b"\xff" * 16
HEADER_LENGTH: Final = 19
#: RFC 4271 4.3: the shortest UPDATE.
LEAST_UPDATE: Final = 23
#: RFC 4271 4.1: the longest message; RFC 8654 3 raises it where both sides can, for all but OPEN and KEEPALIVE.
MAX_MESSAGE: Final = 4096
MAX_EXTENDED_MESSAGE: Final = 65535
