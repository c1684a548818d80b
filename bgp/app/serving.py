"""The commands `bgp run` and `bgp check`, with a command line of their own: a speaker need not carry a lab around."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Annotated, Final

import typer

from bgp.app.ask import Control, JsonOutput
from bgp.app.check import run_check
from bgp.app.commands import command_line
from bgp.app.run import run_config
from bgp.error import MissingPackage

ConfigFile = Annotated[str, typer.Argument(metavar="CONFIG.toml", help="The configuration file.")]


def run(config: ConfigFile, control: Control = None) -> None:
    """Run a speaker in the foreground.

    One line on standard error for each change of a session's state, with the reason.
    SIGTERM or Ctrl-C: every session ends with Cease, exit status 0. SIGHUP: read the file again.

    Example: bgp run speaker.toml
    """
    raise typer.Exit(run_config(config, sys.stderr, control))


def node(config: ConfigFile, control: Control = None) -> None:
    """Run the agent of a cluster's node in the foreground.

    As `bgp run`, and beside it: announces the blocks of pod addresses that the [node] table names or points to, and
    addresses that pods borrowed from other nodes' blocks; says over HTTP whether the node is ready, and why not.
    Needs pip install 'trio-bgp[node]'.

    Example: bgp node node.toml
    """
    try:
        agent = import_module("bgp.app.node.agent")
    except ModuleNotFoundError as error:
        raise MissingPackage("the node agent", error.name, "node") from error
    raise typer.Exit(agent.run_node(config, sys.stderr, control))


def check(config: ConfigFile, json_output: JsonOutput = False) -> None:
    """Validate a configuration and explain it. Exit status 2, with file, line and key, for all that is wrong.

    Example: bgp check speaker.toml
    """
    raise typer.Exit(run_check(config, json_output=json_output, out=sys.stdout))


#: Commands of `bgp` itself.
COMMANDS: Final = (run, node, check)
app: Final = command_line()
for _command in COMMANDS:
    app.command()(_command)


def main() -> None:
    """Run it; raises SystemExit."""
    app()
