"""The command `bgp decode`, with a command line of its own, so that it starts without what speakers need."""

from __future__ import annotations

import sys
from typing import Annotated, Final

import typer

from bgp.app.commands import command_line
from bgp.app.decode import run_decode
from bgp.app.filters import KINDS, Filter
from bgp.app.form import Form


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
        keep=Filter.parse(filters) if filters else None,
    )
    raise typer.Exit(status)


app: Final = command_line()
app.command()(decode)


def main() -> None:
    """Run it; raises SystemExit."""
    app()
