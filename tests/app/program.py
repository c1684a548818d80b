"""`bgp` as a process of its own: started, heard, told."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Condition, Thread
from time import monotonic
from typing import Any

from bgp.app.client import ask

#: Seconds after which what was waited for does not come any more.
PATIENCE = 30


def bgp(*arguments: str, control: Path | None = None, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    environment = os.environ | ({} if control is None else {"BGP_CONTROL": str(control)})
    return subprocess.run(
        [sys.executable, "-m", "bgp", *arguments],
        input=stdin,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        env=environment,
        check=False,
    )


def start(*arguments: str, **more: Any) -> subprocess.Popen[bytes]:
    """Begin a command."""
    return subprocess.Popen([sys.executable, "-m", "bgp", *arguments], **more)


class RunningSpeaker:
    """`bgp run` with its log; `namespace` is the descriptor of the network namespace that it runs in, if not in ours."""

    def __init__(self, file: Path, control: Path | None = None, namespace: int | None = None) -> None:
        self.control = control or file.with_suffix(".sock")
        self.lines: list[str] = []
        entered = () if namespace is None else ("nsenter", f"--net=/proc/self/fd/{namespace}")
        self.process = subprocess.Popen(
            [*entered, sys.executable, "-m", "bgp", "run", str(file), "--control", str(self.control)],
            stderr=subprocess.PIPE,
            text=True,
            pass_fds=() if namespace is None else (namespace,),
        )
        self._news = Condition()
        self._ended = False
        self._reader = Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            with self._news:
                self.lines.append(line.rstrip("\n"))
                self._news.notify_all()
        with self._news:
            self._ended = True
            self._news.notify_all()

    def wait_for(self, pattern: str, since: int = 0) -> re.Match[str]:
        """The first line of the log from number `since` on in which the pattern is; an error if none comes."""
        found: list[re.Match[str]] = []

        def there() -> bool:
            found.extend(match for line in self.lines[since:] if (match := re.search(pattern, line)))
            return bool(found) or self._ended

        with self._news:
            self._news.wait_for(there, PATIENCE)
        assert found, f"{pattern!r} is not in the log:\n" + "\n".join(self.lines)
        return found[0]

    @property
    def port(self) -> str:
        """The port that the system chose for it."""
        return self.wait_for(r"listens on [\d.]+:(\d+)")[1]

    def ask(self, name: str, **arguments: object) -> list[dict[str, Any]]:
        """What it answers over its control socket."""
        return [json.loads(text) for text in ask(str(self.control), name, **arguments)]

    def tell(self, name: str, **arguments: object) -> str:
        """Command it, over its control socket; gives what it says."""
        answer = ask(str(self.control), name, **arguments)
        assert list(answer) == []
        return str(answer.end)

    def prefixes(self) -> list[str]:
        """What its Loc-RIB holds."""
        return [row["prefix"] for row in self.ask("routes")]

    def wait_until(self, holds: Callable[[], bool]) -> None:
        """Return when something holds that is asked over the control socket; an error if it never does."""
        end = monotonic() + PATIENCE
        while not (held := holds()) and monotonic() < end:
            pass
        assert held

    def wait_for_prefixes(self, *wanted: str) -> None:
        """Return when its Loc-RIB holds just these."""
        self.wait_until(lambda: self.prefixes() == list(wanted))

    def signal(self, number: signal.Signals) -> int:
        """Send a signal; gives the length of the log before it."""
        before = len(self.lines)
        self.process.send_signal(number)
        return before

    def end(self) -> int:
        """Its exit status, once it has ended by itself."""
        status = self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        return status


@contextmanager
def running(
    file: Path, text: str, control: Path | None = None, namespace: int | None = None
) -> Iterator[RunningSpeaker]:
    """A speaker with the configuration `text`, written to `file`; what still runs at the end is killed."""
    file.write_text(text)
    speaker = RunningSpeaker(file, control, namespace)
    try:
        yield speaker
    finally:
        speaker.process.kill()
        speaker.end()
        assert speaker.process.stderr is not None
        speaker.process.stderr.close()
