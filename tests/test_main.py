from __future__ import annotations

import shlex
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bgp.__main__ import MODULES
from bgp.app import ask, cli, serving

COMMANDS = [command for command in MODULES if command != "--version"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_that_stands_alone_is_the_same_as_among_all(command: str) -> None:
    alone = CliRunner().invoke(import_module(MODULES[command]).app, [command, "--help"])
    assert alone.exit_code == 0
    assert alone.output == CliRunner().invoke(cli.app, [command, "--help"]).output


def test_every_command_for_a_speaker_stands_alone() -> None:
    names = {command.__name__ for command in (*serving.COMMANDS, *ask.COMMANDS)} | {"show", "decode"}
    assert set(COMMANDS) == names


def test_a_speaker_carries_no_lab_around() -> None:
    code = "import sys, bgp.app.serving; print(*(name for name in sys.modules if name.startswith('bgp.lab')))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""


def test_a_standard_stream_that_is_closed_is_not_there(tmp_path: Path) -> None:
    path = tmp_path / "keepalive"
    path.write_text("ff" * 16 + "001304")
    bgp = [sys.executable, "-m", "bgp", "decode", "--json"]
    for closed, words in (("<&-", []), (">&-", [str(path)]), ("2>&-", [str(path)]), (">&- 2>&-", ["--help"])):
        command = f"exec {shlex.join([*bgp, *words])} {closed}"
        done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, ""), closed
