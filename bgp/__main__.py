"""`python -m bgp` and the `bgp` script."""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import Final

from bgp.app.endings import ended

#: What may stand alone, by module: a command loads what it needs and no lab, fuzzer or file format that it does not.
_ALONE: Final = {
    "bgp.app.commands": ("--version",),
    "bgp.app.decoding": ("decode",),
    "bgp.app.serving": ("run", "node", "check"),
    "bgp.app.ask": ("show", "announce", "withdraw", "reset", "refresh", "drain", "undrain", "reload", "shutdown"),
}
#: Commands that start at once where their words are plain.
_PLAIN: Final = {"decode": "bgp.app.decode_words"}
MODULES: Final = {command: module for module, commands in _ALONE.items() for command in commands}


def stand_in() -> None:
    """Put the null device where whoever started us has closed a standard stream: there is nothing to read, nobody reads."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115  # for as long as we run


def main() -> None:
    """Run the command line; raises SystemExit."""
    stand_in()
    first = sys.argv[1] if len(sys.argv) > 1 else ""
    with ended():
        if first in _PLAIN:
            import_module(_PLAIN[first]).run_plain(sys.argv[2:])
        import_module(MODULES.get(first, "bgp.app.cli")).main()


if __name__ == "__main__":
    main()
