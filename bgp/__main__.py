"""`python -m bgp` and the `bgp` script."""

from __future__ import annotations

import sys
from importlib import import_module
from typing import Final

#: Commands that start without the others: what speakers need takes longer to load than most files take to be read.
ALONE: Final = {"decode": "bgp.app.decoding"}


def main() -> None:
    """Run the command line; raises SystemExit."""
    first = sys.argv[1] if len(sys.argv) > 1 else ""
    import_module(ALONE.get(first, "bgp.app.cli")).main()


if __name__ == "__main__":
    main()
