"""What one run of a growing model came to, and which of it is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Final, NamedTuple

from bgp.error import LocalError
from bgp.lab.values import Json

#: What is drawn: the field of a point, and its words.
MEASURES: Final = (
    ("sessions", "sessions"),
    ("messages", "messages sent"),
    ("seconds", "seconds until all is at rest (dashed: of the processor)"),
    ("megabytes", "memory at its peak, MB"),
)


class Point(NamedTuple):
    """One run. `size` is the number of nodes that have pods."""

    model: str
    size: int
    sessions: int
    messages: int
    seconds: float
    cpu: float
    megabytes: float
    right: bool

    def as_json(self) -> dict[str, Json]:
        """The point as an object."""
        return dict(self._asdict())


def pictures(base: Path) -> list[Path]:
    """The files that `base` stands for. Raises LocalError for a base that names no file."""
    if not base.name:
        raise LocalError(f"cannot write {base}: it names no file")
    return [base.with_name(f"{base.name}.{kind}") for kind in ("svg", "png")]
