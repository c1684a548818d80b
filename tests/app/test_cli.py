from __future__ import annotations

import os
import pty
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from app.program import PATIENCE, bgp
from typer.testing import CliRunner

from bgp.app.cli import app
from bgp.lab import MODELS

#: Every command, with the words that its help must have.
COMMANDS = {
    (): "run a speaker",
    ("run",): "SIGTERM",
    ("node",): "whether the node is ready",
    ("check",): "Example: bgp check",
    ("decode",): "Example: bgp decode",
    ("show",): "Ask a running speaker",
    ("show", "summary"): "Example: bgp show summary",
    ("show", "kernel"): "Example: bgp show kernel",
    ("show", "neighbors"): "Example: bgp show neighbors",
    ("show", "routes"): "Example: bgp show routes",
    ("show", "received"): "Example: bgp show received",
    ("show", "sent"): "Example: bgp show sent",
    ("show", "rejected"): "Example: bgp show rejected",
    ("show", "route"): "Example: bgp show route",
    ("show", "lookup"): "Example: bgp show lookup",
    ("announce",): "Example: bgp announce",
    ("withdraw",): "Example: bgp withdraw",
    ("reset",): "Example: bgp reset",
    ("refresh",): "Example: bgp refresh",
    ("drain",): "Example: bgp drain",
    ("undrain",): "Example: bgp undrain",
    ("reload",): "Example: bgp reload",
    ("shutdown",): "Example: bgp shutdown",
    ("fuzz",): "Example: bgp fuzz",
    ("lab",): "whole topology",
} | {("lab", model): "--json" for model in MODELS}


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("BGP_CONTROL", "/nowhere/control.sock")
    return CliRunner()


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_has_help(command: tuple[str, ...], runner: CliRunner) -> None:
    done = runner.invoke(app, [*command, "--help"])
    assert done.exit_code == 0
    assert COMMANDS[command] in " ".join(done.output.split())


def test_every_command_is_in_this_list(runner: CliRunner) -> None:
    for command in ((), ("show",), ("lab",)):
        shown = runner.invoke(app, [*command, "--help"]).output
        names = re.findall(r"^│ ([a-z][a-z-]+) ", shown.partition("Commands")[2], re.MULTILINE)
        assert {(*command, name) for name in names} == {
            known for known in COMMANDS if len(known) == len(command) + 1 and known[: len(command)] == command
        }


@pytest.mark.parametrize("parameter", MODELS["as-per-rack"].parameters, ids=lambda parameter: parameter.name)
def test_parameters_of_a_model_are_options(parameter: object, runner: CliRunner) -> None:
    shown = runner.invoke(app, ["lab", "as-per-rack", "--help"]).output
    assert f"--{parameter.name.replace('_', '-')} " in shown  # type: ignore[attr-defined]


def test_version(runner: CliRunner) -> None:
    done = runner.invoke(app, ["--version"])
    assert done.exit_code == 0
    assert re.fullmatch(r"bgp \d+\.\d+\.\d+\S*\n", done.output)


ASKING = [
    ["show", "summary"],
    ["show", "neighbors"],
    ["show", "routes"],
    ["show", "received", "10.0.0.2"],
    ["show", "sent", "10.0.0.2"],
    ["show", "rejected"],
    ["show", "route", "10.0.0.0/8"],
    ["show", "lookup", "10.0.0.1"],
    ["announce", "10.0.0.0/8"],
    ["withdraw", "10.0.0.0/8"],
    ["reset", "10.0.0.2"],
    ["refresh", "10.0.0.2"],
    ["drain"],
    ["undrain"],
    ["reload"],
    ["shutdown"],
]


@pytest.mark.parametrize("command", ASKING, ids=" ".join)
def test_without_a_speaker_there_is_one_clear_line(command: list[str], runner: CliRunner) -> None:
    done = runner.invoke(app, command)
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr == (
        "bgp: no speaker is running at /nowhere/control.sock (say which with --control or $BGP_CONTROL)\n"
    )
    given = runner.invoke(app, [*command, "--control", "/else/where"])
    assert given.stderr.startswith("bgp: no speaker is running at /else/where ")


WRONG_USAGE = [
    ["shw"],
    ["show"],
    ["run"],
    ["show", "route"],
    ["lab"],
    ["lab", "torus"],
    ["lab", "mesh", "--nodes", "many"],
    ["lab", "mesh", "--asn", "three"],
    ["lab", "mesh", "--fabric", "cotton"],
    ["lab", "mesh", "--hold-time", "1"],
    ["lab", "mesh", "--against", "tor"],
    ["lab", "mesh", "--scale", "2", "--fabric", "netns"],
    ["lab", "mesh", "--scale", "2", "--trace", "n1", "n2"],
    ["lab", "mesh", "--scale", "2", "--svg", "/there/is/none.svg"],
    ["decode", "--format", "xml"],
    ["decode", "/nowhere/file"],
    ["check", "/nowhere/file"],
]


@pytest.mark.parametrize("command", WRONG_USAGE, ids=" ".join)
def test_wrong_usage_is_status_2_without_a_traceback(command: list[str], runner: CliRunner) -> None:
    done = runner.invoke(app, command)
    assert done.exit_code == 2
    assert "Traceback" not in done.output


def test_decode_takes_standard_input() -> None:
    done = bgp("decode", "--json", "-", stdin="ff" * 16 + "001304\n")
    assert (done.returncode, done.stdout) == (0, '{"type":"KEEPALIVE","message":{"length":19}}\n')
    malformed = bgp("decode", "--strict", stdin="ff" * 16 + "001305\n")
    assert malformed.returncode == 1


def test_lab_as_json_and_in_words() -> None:
    done = bgp("lab", "mesh", "--nodes", "3", "--json")
    assert done.returncode == 0
    assert done.stdout.startswith('{"model": "mesh", "parameters": {"nodes": 3,')
    broken = bgp("lab", "as-per-rack", "--racks", "2", "--servers", "1", "--without", "next-hop-self")
    assert broken.returncode in (0, 1)


def start(*arguments: str, **more: object) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-m", "bgp", *arguments], stderr=subprocess.PIPE, **more)  # type: ignore[call-overload,no-any-return]


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with start("lab", "mesh", stdout=writing) as process:
        os.close(writing)
        _, said = process.communicate(timeout=PATIENCE)
    assert (process.returncode, said) == (0, b"")


def test_a_reader_that_goes_away_in_the_middle_is_no_error(tmp_path: Path) -> None:
    file = tmp_path / "many.hex"
    file.write_text(("ff" * 16 + "001304\n") * 20_000)
    with start("decode", str(file), stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"KEEPALIVE  length 19\n"
        process.stdout.close()
        assert process.stderr is not None
        said = process.stderr.read()
        assert process.wait(PATIENCE) == 0
    assert said == b""


def test_ctrl_c_prints_no_traceback() -> None:
    with start("decode", "-", stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        # So many that it has to write before it has read all, so few that they fit into the pipes.
        process.stdin.write((b"ff" * 16 + b"001304\n") * 1500)
        process.stdin.flush()
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.stdout.read()
        assert process.wait(PATIENCE) == 130
        assert process.stderr is not None
        assert process.stderr.read() == b""


def on_a_terminal(*arguments: str) -> str:
    """What a command writes to a terminal."""
    ours, theirs = pty.openpty()
    with start(*arguments, stdout=theirs, env=os.environ | {"TERM": "xterm", "COLUMNS": "100"}) as process:
        os.close(theirs)
        written = b""
        while True:
            try:
                octets = os.read(ours, 1 << 16)
            except OSError:  # the terminal is gone
                break
            if not octets:
                break
            written += octets
        process.wait(PATIENCE)
    os.close(ours)
    return written.decode()


def test_colour_on_a_terminal_only() -> None:
    assert "\x1b[" in on_a_terminal("lab", "mesh", "--nodes", "3")
    assert "\x1b[" not in bgp("lab", "mesh", "--nodes", "3").stdout
    assert "\x1b[" not in bgp("--help").stdout
