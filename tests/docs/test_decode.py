"""docs/decode.md: its commands print what stands under them, its program runs, its filters are all there are."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest
from shared_data import shared

from bgp.app.filters import KINDS

ROOT: Final = Path(__file__).parents[2]
TEXT: Final = (ROOT / "docs" / "decode.md").read_text()
BLOCKS: Final = re.findall(r"```(\w+)\n(.*?)```", TEXT, re.DOTALL)
#: (command, what it prints) of the console blocks.
COMMANDS: Final = [
    (found[0], found[1])
    for kind, block in BLOCKS
    if kind == "console"
    for found in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
]


def run(command: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    ours = f"{shlex.quote(sys.executable)} -m bgp "
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    shell = re.sub(r"(^|\| )bgp ", lambda found: found[1] + ours, command)
    return subprocess.run(["sh", "-c", shell], cwd=cwd, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("command", "output"), [one for one in COMMANDS if "updates.gz" not in one[0]])
def test_commands_print_what_stands_under_them(command: str, output: str, tmp_path: Path) -> None:
    assert run(command, tmp_path).stdout == output


def test_the_command_with_filters_runs_on_a_real_file(tmp_path: Path) -> None:
    (command,) = (one for one, _ in COMMANDS if "updates.gz" in one)
    (tmp_path / "updates.gz").symlink_to(shared("data/mrt/bgpdump__updates.20160811.1600.gz"))
    found = run(command, tmp_path)
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout
    for line in found.stdout.splitlines():
        assert "|193." in line
        assert " 31133" in line


def test_programs_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    programs = [block for kind, block in BLOCKS if kind == "python"]
    assert programs
    for program in programs:
        exec(compile(program, "docs/decode.md", "exec"), {})


def test_all_filters_are_explained_and_no_others() -> None:
    assert re.findall(r"^\| `([\w-]+)=", TEXT, re.MULTILINE) == list(KINDS)
