"""The lines of the control protocol as they are on the wire: what who asks needs of it (`bgp.app.protocol`)."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

#: How a row of an answer begins.
ROW: Final = '{"row":'


def question_line(name: str, arguments: Mapping[str, object]) -> bytes:
    """A question on the wire; arguments that are None are left out."""
    given = {key: value for key, value in arguments.items() if value is not None}
    return json.dumps({"ask": name, **given}).encode() + b"\n"


def row(value: str) -> str:
    """A row of an answer, from JSON text."""
    return f"{ROW}{value}}}\n"


def end(value: object) -> str:
    """The end of an answer."""
    return json.dumps({"end": value}, ensure_ascii=False) + "\n"


def refusal(text: str, status: int) -> str:
    """Why there is no answer."""
    return json.dumps({"error": text, "status": status}, ensure_ascii=False) + "\n"
