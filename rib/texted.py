"""Values whose constructor reads their text too: `Kind("text")` is `Kind.parse("text")`, as `repr` shows it."""

from __future__ import annotations

from typing import Any


class Texted(type):
    """The type of values with a text form, whose constructor takes that too: a single argument that is a string."""

    def __call__(cls, *fields: Any, **named: Any) -> Any:
        """The value of its fields or of its text. Raises ValueError."""
        if len(fields) == 1 and not named and type(fields[0]) is str:
            return cls.parse(fields[0])  # type: ignore[attr-defined]  # which every class of this type has
        return super().__call__(*fields, **named)
