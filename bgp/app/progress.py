"""How far reading a file has come, for a person who waits: on standard error, and only while nothing else is on the screen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, BinaryIO, Final, Protocol, TextIO, TypeVar

from bgp.app.inputs import size_of
from bgp.app.later import later

if TYPE_CHECKING:
    from rich import console as rich_console
    from rich import progress as rich_progress
else:
    rich_console, rich_progress = later("rich.console"), later("rich.progress")

#: Items between two looks at how far we are.
OFTEN: Final = 256
T = TypeVar("T")


class Tick(Protocol):
    """Passes items on, moving the bar now and then."""

    def __call__(self, items: Iterable[T], /, *, every: int = OFTEN) -> Iterable[T]:
        """The same items, of which one in `every` moves the bar."""


@contextmanager
def watched(name: str, raw: BinaryIO, out: TextIO, err: TextIO) -> Iterator[Tick]:
    """A bar while `raw` is read: where standard error is a terminal, standard output is none, and there is a length."""
    total = size_of(raw) if err.isatty() and not out.isatty() else None
    if not total:
        yield _unwatched
        return
    with rich_progress.Progress(console=rich_console.Console(file=err), transient=True) as progress:
        task = progress.add_task(name, total=total)
        yield _moving(lambda: progress.update(task, completed=raw.tell()))


def _unwatched(items: Iterable[T], /, *, every: int = OFTEN) -> Iterable[T]:
    return items


def _moving(move: Callable[[], None]) -> Tick:
    def tick(items: Iterable[T], /, *, every: int = OFTEN) -> Iterable[T]:
        for number, one in enumerate(items):
            if number % every == 0:
                move()
            yield one

    return tick
