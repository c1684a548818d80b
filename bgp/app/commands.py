"""What all commands share: how they are set up, and what becomes of errors that all of them may raise.

Nothing that takes long to load is loaded here: `bgp.__main__` starts some commands without the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from bgp.app.endings import ended
from bgp.app.failure import Failure
from bgp.app.later import later
from bgp.error import LocalError

if TYPE_CHECKING:
    from importlib import metadata
else:
    metadata = later("importlib.metadata")


class Commands(TyperGroup):
    """The commands, and what becomes of errors that all of them may raise."""

    def invoke(self, ctx: typer.Context) -> object:  # type: ignore[override]  # click's own class, whose home varies
        """Run a command."""
        try:
            with ended():
                return super().invoke(ctx)
        except Failure as error:
            typer.echo(error.shown, err=True)
            raise typer.Exit(error.status) from None
        except LocalError as error:
            typer.echo(f"bgp: {error}", err=True)
            raise typer.Exit(2) from None


def command_line() -> typer.Typer:
    """`bgp` without any command yet."""
    app = typer.Typer(
        cls=Commands,
        name="bgp",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": ["-h", "--help"]},
        help="BGP-4 in pure Python: run a speaker, ask it, watch whole topologies, read the Internet's tables.",
    )
    app.callback()(options)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bgp {metadata.version('trio-bgp')}")
        raise typer.Exit


def options(
    _version_wanted: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Options before the command."""


def main() -> None:
    """Run the command line of no command; raises SystemExit."""
    command_line()()
