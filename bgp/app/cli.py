"""The command line: `bgp` and its commands."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from bgp.app import ask, fuzz, lab
from bgp.app.ask import Control, JsonOutput
from bgp.app.check import run_check
from bgp.app.commands import command_line
from bgp.app.decoding import decode
from bgp.app.run import run_config

app: Final = command_line()

ConfigFile = Annotated[str, typer.Argument(metavar="CONFIG.toml", help="The configuration file.")]


@app.command()
def run(config: ConfigFile, control: Control = None) -> None:
    """Run a speaker in the foreground.

    One line on standard error for each change of a session's state, with the reason.
    SIGTERM or Ctrl-C: every session ends with Cease, exit status 0. SIGHUP: read the file again.

    Example: bgp run speaker.toml
    """
    raise typer.Exit(run_config(config, sys.stderr, control))


@app.command()
def check(config: ConfigFile, json_output: JsonOutput = False) -> None:
    """Validate a configuration and explain it. Exit status 2, with file, line and key, for all that is wrong.

    Example: bgp check speaker.toml
    """
    raise typer.Exit(run_check(config, json_output=json_output, out=sys.stdout))


app.command()(decode)
app.add_typer(ask.show, name="show")
for _command in ask.COMMANDS:
    app.command()(_command)
app.add_typer(lab.app, name="lab")
app.command()(fuzz.fuzz)


def main() -> None:
    """Run the command line; raises SystemExit."""
    app()
