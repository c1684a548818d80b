"""How programs of ours end that somebody else has ended: whoever reads their output, or a person at the keyboard."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

#: The exit status of a program that SIGINT ended, as shells count.
INTERRUPTED: Final = 130


@contextmanager
def ended() -> Iterator[None]:
    """Run what is inside and write out what it has printed. Raises SystemExit if it was ended."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever closes our standard output has seen enough: that is no error. What is still buffered goes nowhere, so that
        # the interpreter's own flush does not fail either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
