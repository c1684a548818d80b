"""The bar is there for a person at a terminal and for nobody else."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from bgp.app.progress import OFTEN, watched


class Screen(io.StringIO):
    def __init__(self, terminal: bool) -> None:
        super().__init__()
        self._terminal = terminal

    def isatty(self) -> bool:
        return self._terminal


@pytest.mark.parametrize(
    ("out", "err", "size", "shown"),
    [(False, True, 10, True), (True, True, 10, False), (False, False, 10, False), (False, True, 0, False)],
)
def test_when_there_is_a_bar(tmp_path: Path, out: bool, err: bool, size: int, shown: bool) -> None:
    path, screen = tmp_path / "updates.gz", Screen(err)
    path.write_bytes(bytes(size))
    with path.open("rb") as raw, watched("updates.gz", raw, Screen(out), screen) as tick:
        assert list(tick(range(2 * OFTEN))) == list(range(2 * OFTEN))
    assert ("updates.gz" in screen.getvalue()) is shown


def test_pipes_have_no_length(tmp_path: Path) -> None:
    screen = Screen(True)
    with open("/dev/null", "rb") as raw, watched("-", raw, Screen(False), screen) as tick:
        assert list(tick([1])) == [1]
    assert not screen.getvalue()
