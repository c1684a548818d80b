"""Waits until one of some files or folders changes, without looking at them over and over (inotify)."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Final

import trio
from inotify_simple import INotify, flags

#: A file is written in steps: what follows closely belongs to the same change.
SETTLE: Final = 0.05
_CHANGES: Final = flags.CLOSE_WRITE | flags.CREATE | flags.DELETE | flags.MOVED_TO | flags.MOVED_FROM


async def changes(folders: Sequence[Path]) -> AsyncIterator[None]:
    """Yields whenever something in one of these folders was written, came or went; once at the start.

    Raises OSError for a folder that is not there.
    """
    with INotify() as watcher:
        for folder in folders:
            watcher.add_watch(str(folder), _CHANGES)
        yield
        while True:
            await trio.lowlevel.wait_readable(watcher.fileno())
            await trio.sleep(SETTLE)
            watcher.read(timeout=0)
            yield
