from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bgp.app.endings import INTERRUPTED, ended


def test_an_interrupted_program_ends_as_shells_count() -> None:
    with pytest.raises(SystemExit) as end, ended():
        raise KeyboardInterrupt
    assert end.value.code == INTERRUPTED


def test_a_reader_who_has_seen_enough_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        with pytest.raises(SystemExit) as end, ended():
            out.write("more")
        assert end.value.code == 0


def test_what_went_well_goes_on() -> None:
    with ended():
        done = True
    assert done


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="no /dev/full")
@pytest.mark.parametrize("words", [["--version"], ["decode", "--help"], ["decode", "--json", "-"], ["decode", "-"]])
@pytest.mark.parametrize("buffered", ["", "1"])
def test_no_room_for_the_output_is_said_in_a_line(words: list[str], buffered: str) -> None:
    with FULL.open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "bgp", *words],
            input=b"ff\n",
            stdout=full,
            stderr=subprocess.PIPE,
            env=os.environ | {"PYTHONUNBUFFERED": buffered},
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"bgp: standard output: No space left on device\n")


def test_other_errors_of_files_are_raised() -> None:
    with pytest.raises(FileNotFoundError), ended():
        open("/no/such/file")  # noqa: SIM115
