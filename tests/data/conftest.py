"""The corpus decoded once for all tests of this folder: `zcat corpus.jsonl.gz | bgp decode --json -`."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from shared_data import shared

from bgp.app.decode import run_decode
from bgp.app.form import Form

Line = dict[str, Any]


@pytest.fixture(scope="session")
def decoded_corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of `bgp decode --json corpus.jsonl.gz`, a file."""
    path = tmp_path_factory.mktemp("corpus") / "decoded.jsonl"
    errors = io.StringIO()
    with path.open("w") as out:
        corpus = str(shared("data/corpus.jsonl.gz"))
        assert run_decode([corpus], form=Form.JSON, strict=False, out=out, err=errors) == 0
    assert not errors.getvalue()
    return path


@pytest.fixture
def ours(decoded_corpus: Path) -> Iterator[Line]:
    """Our lines, one at a time."""
    with decoded_corpus.open() as lines:
        yield map(json.loads, lines)
