"""The pages that are made from tables are current."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
PAGES = runpy.run_path(str(DOCS / "tables.py"))["PAGES"]


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_tables_say(name: str) -> None:
    assert (DOCS / name).read_text() == PAGES[name](), "run: python docs/tables.py"
