"""What the lab's results are made of where they become JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

#: JSON values that a result consists of.
Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]
