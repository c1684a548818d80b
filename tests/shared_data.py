"""Real data that lies beside the checkout, for the tests that hold us to it; they skip, saying so, where it is absent."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

SHARED: Final = Path(__file__).resolve().parents[1].parent / "shared"


def shared(name: str) -> Path:
    """The file or folder of that name under ../shared; skips the test where there is none."""
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"{path} is not there")
    return path


def json_lines(name: str) -> Iterator[dict[str, Any]]:
    """The objects of a `.jsonl.gz` file under ../shared, one at a time."""
    with gzip.open(shared(name), "rt") as lines:
        yield from map(json.loads, lines)
