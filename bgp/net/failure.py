"""What comes out of a context that has a nursery inside: that is our own affair, and who uses us need not know of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def as_it_was_raised() -> Iterator[None]:
    """Let one failure out of nested nurseries as it was raised there; several stay a group."""
    try:
        yield
    except BaseExceptionGroup as group:
        found: BaseException = group
        while isinstance(found, BaseExceptionGroup) and len(found.exceptions) == 1:
            found = found.exceptions[0]
        if found is group:
            raise
    else:
        return
    raise found
