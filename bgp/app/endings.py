"""How programs of ours end that somebody else has ended: whoever reads their output, or a person at the keyboard."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: The exit status of a program that SIGINT ended, as shells count.
INTERRUPTED: Final = 130
#: What only writing fails with: there is no room.
NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


@contextmanager
def ended() -> Iterator[None]:
    """Run what is inside and write out what it has printed. Raises SystemExit if it was ended, or there is no room."""
    try:
        try:
            yield
        finally:
            sys.stdout.flush()
    except BrokenPipeError:
        # Whoever closes our standard output has seen enough: that is no error.
        _print_no_more()
        raise SystemExit(0) from None
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
    except OSError as error:
        if error.errno not in NO_ROOM:
            raise
        _print_no_more()
        print(f"bgp: {error.filename or 'standard output'}: {error.strerror}", file=sys.stderr)
        raise SystemExit(1) from None


def _print_no_more() -> None:
    """What is still buffered goes nowhere, so that the interpreter's own flush does not fail either."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
