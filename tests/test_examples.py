"""The examples run, end by themselves and print what they say they do."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parent.parent / "examples"

EXPECTED = {
    "first_speaker.py": ["10.1.0.0/26 via 127.0.0.1, path 65001"],
    "watch_changes.py": [
        "  10.0.0.1: Established (no export policy: nothing is announced (RFC 8212))",
        "+ 10.1.0.0/16 via 10.0.0.1 path 64500",
        "+ 2001:db8:1::/48 via 2001:db8::1 path 64500",
        "~ 10.1.0.0/16 via 10.0.0.1 path 64500 64999",
        "- 10.1.0.0/16",
    ],
    "node_blocks.py": [
        "the switch learns 10.244.0.0/26",
        "the switch learns fd00:244::/122",
        "the switch loses fd00:244::/122",
    ],
    "asyncio_program.py": ["both sides are up", *(f"learned 10.1.{number}.0/24" for number in range(3))],
}


def test_every_example_is_run() -> None:
    assert {path.name for path in EXAMPLES.glob("*.py")} == EXPECTED.keys()


@pytest.mark.parametrize("name", EXPECTED)
def test_example(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "error", EXAMPLES / name], capture_output=True, text=True, timeout=30, check=False
    )
    assert done.stderr == ""
    assert done.returncode == 0
    said = done.stdout.splitlines()
    assert [line for line in said if line in EXPECTED[name]] == EXPECTED[name], done.stdout
