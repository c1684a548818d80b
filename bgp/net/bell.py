"""A bell: wakes the tasks that wait for it now, as often as it rings."""

from __future__ import annotations

import trio


class Bell:
    """To be waited for again and again. Where nobody waits, ringing costs next to nothing and is not remembered."""

    __slots__ = ("_event",)

    def __init__(self) -> None:
        self._event: trio.Event | None = None

    def ring(self) -> None:
        """Wake whoever waits."""
        if (event := self._event) is not None:
            self._event = None
            event.set()

    async def wait(self) -> None:
        """Return when it next rings."""
        if self._event is None:
            self._event = trio.Event()
        await self._event.wait()
