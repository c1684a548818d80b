from __future__ import annotations

import os
import sys

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
