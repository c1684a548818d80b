"""The command line: `bgp` and its commands."""

from __future__ import annotations

import os
import sys
from importlib.metadata import version
from typing import Annotated, Final

import typer
from typer.core import TyperGroup

from bgp.app import ask, lab
from bgp.app.ask import Control, JsonOutput
from bgp.app.check import run_check
from bgp.app.client import Refused
from bgp.app.config import ConfigError
from bgp.app.decode import run_decode
from bgp.app.filters import KINDS, Filter
from bgp.app.printer import Form
from bgp.app.run import run_config
from bgp.error import LocalError

#: The exit status of a program that SIGINT ended, as shells count.
INTERRUPTED: Final = 130


class Commands(TyperGroup):
    """The commands, and what becomes of errors that all of them may raise."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # click's own class, whose home varies
        """Run a command. Whoever closes our standard output has seen enough: that is no error."""
        try:
            result = super().invoke(ctx)
            sys.stdout.flush()
        except BrokenPipeError:
            # What is still buffered goes nowhere, so that the interpreter's own flush does not fail either.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except ConfigError as error:
            typer.echo(str(error), err=True)
            raise typer.Exit(2) from None
        except LocalError as error:
            typer.echo(f"bgp: {error}", err=True)
            raise typer.Exit(2) from None
        except Refused as error:
            typer.echo(f"bgp: {error}", err=True)
            raise typer.Exit(error.status) from None
        return result


app: Final = typer.Typer(
    cls=Commands,
    name="bgp",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
    help="BGP-4 in pure Python: run a speaker, ask it, watch whole topologies, read the Internet's tables.",
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bgp {version('trio-bgp')}")
        raise typer.Exit


@app.callback()
def options(
    _version_wanted: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options before the command."""


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


@app.command()
def decode(
    files: Annotated[list[str] | None, typer.Argument(metavar="[FILE|-]...", help="Default: standard input.")] = None,
    form: Annotated[Form, typer.Option("--format", help="What to print.")] = Form.TEXT,
    json_output: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit status 1 if any message is malformed.")] = False,
    filters: Annotated[
        list[str] | None,
        typer.Option("--filter", metavar="KIND=VALUE", help=f"Only what is so; all must hold. {', '.join(KINDS)}."),
    ] = None,
) -> None:
    """Decode MRT, BMP, packet captures (each plain, gzip or bzip2), or messages in hexadecimal or JSON lines.

    Example: bgp decode --format bgpdump updates.20160811.1600.gz | head

    Example: bgp decode --json --filter covered=10.0.0.0/8 --filter as=65001,65002 session.pcapng
    """
    status = run_decode(
        files or (),
        form=Form.JSON if json_output else form,
        strict=strict,
        out=sys.stdout,
        err=sys.stderr,
        keep=Filter.parse(filters or ()),
    )
    raise typer.Exit(status)


app.add_typer(ask.show, name="show")
for _command in ask.COMMANDS:
    app.command()(_command)
app.add_typer(lab.app, name="lab")


def main() -> None:
    """Run the command line; raises SystemExit."""
    app()
