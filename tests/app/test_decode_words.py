"""Plain words are told as the whole command line tells them; all others are left to it."""

from __future__ import annotations

import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from bgp.app import decode_words, decoding
from bgp.app.decode_words import Words, plain_words, run_plain
from bgp.app.form import Form

#: What a small program may load: neither what reads command lines, nor codecs, nor trio.
SLOW = {"typer", "click", "rich", "pydantic", "construct", "trio", "json", "dataclasses", "inspect", "argparse"}
words = st.lists(
    st.sampled_from(
        ["--format", "--format=text", "--format=bgpdump", "bgpdump", "json", "--json", "--strict", "a", "-", ""]
    )
    | st.sampled_from(["--help", "-h", "--filter", "as=1", "--", "--formats", "--json=1", "-x", "--format="]),
    max_size=5,
)


@given(words)
@settings(max_examples=60, deadline=None)
def test_plain_words_mean_what_the_command_line_says(said: list[str]) -> None:
    found = plain_words(said)
    if found is None:
        return
    heard: list[Words] = []

    def run_decode(files: Any, *, form: Form, strict: bool, **_: Any) -> int:
        heard.append(Words(tuple(files), form, strict))
        return 0

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(decoding, "run_decode", run_decode)
        assert CliRunner().invoke(decoding.app, ["decode", *said]).exit_code == 0
    assert heard == [found]


@pytest.mark.parametrize("said", [["--help"], ["--filter", "as=1"], ["--format"], ["--format", "xml"], ["--", "-"]])
def test_other_words_are_left_to_the_command_line(said: list[str]) -> None:
    assert plain_words(said) is None
    run_plain(said)


@pytest.mark.parametrize(("octets", "status"), [(b"", 0), (b"\xfe\x09" * 35, 1)])
def test_the_exit_status_is_that_of_the_command(tmp_path: Path, octets: bytes, status: int, monkeypatch: Any) -> None:
    monkeypatch.setattr(decode_words.gc, "set_threshold", lambda *_: None)
    monkeypatch.setattr(sys, "stdout", io.StringIO())
    (tmp_path / "file").write_bytes(octets)
    with pytest.raises(SystemExit) as ended:
        run_plain([str(tmp_path / "file"), "--strict"])
    assert ended.value.code == status


def test_lines_are_made_without_what_takes_long_to_load(tmp_path: Path) -> None:
    keepalive = bytes.fromhex("00000063 0010 0001 00000023 fde9fdea00000001c0000201c0000202" + "ff" * 16 + "001304")
    (tmp_path / "file").write_bytes(keepalive)
    code = f"""
import sys
from bgp.__main__ import main
sys.argv = ["bgp", "decode", "--format", "bgpdump", {str(tmp_path / "file")!r}]
try:
    main()
except SystemExit as ended:
    assert not ended.code
print(*sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert SLOW.isdisjoint(done.stdout.split())
