"""The command line: `bgp` and all its commands."""

from __future__ import annotations

from typing import Final

from bgp.app import ask, decoding, fuzz, lab, serving
from bgp.app.commands import command_line

app: Final = command_line()
for _command in (*serving.COMMANDS, decoding.decode, *ask.COMMANDS):
    app.command()(_command)
app.add_typer(ask.show, name="show")
app.add_typer(lab.app, name="lab")
app.command()(fuzz.fuzz)


def main() -> None:
    """Run the command line; raises SystemExit."""
    app()
