"""The pages that are made from tables are current."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from pathlib import Path

import pytest

DOCS = Path(__file__).parent.parent / "docs"
WRITERS = ("tables.py", "models.py")
PAGES = [(writer, *page) for writer in WRITERS for page in runpy.run_path(str(DOCS / writer))["PAGES"].items()]


@pytest.mark.parametrize(("writer", "name", "page"), PAGES, ids=[name for _, name, _ in PAGES])
def test_the_page_is_what_the_tables_say(writer: str, name: str, page: Callable[[], str]) -> None:
    assert (DOCS / name).read_text() == page(), f"run: python docs/{writer}"
