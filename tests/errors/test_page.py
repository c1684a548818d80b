"""docs/errors.md says what the tables of cases say."""

from __future__ import annotations

from pathlib import Path

from errors.page import page


def test_the_page_is_current() -> None:
    found = (Path(__file__).parents[2] / "docs" / "errors.md").read_text()
    assert found == "\n".join(page()) + "\n", "python tests/errors/page.py > docs/errors.md"
