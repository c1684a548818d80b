"""Network namespaces joined by cables, and processes in them: what interop tests stand on. Root and Linux only."""

from __future__ import annotations

import itertools
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

#: A guard against hanging, not an expectation: nothing is measured against it.
PATIENCE: Final = 60.0
_numbers: Final = itertools.count(1)


def ip(*words: str) -> str:
    """Run `ip`. Raises CalledProcessError, with what it printed."""
    return subprocess.run(["ip", *words], check=True, capture_output=True, text=True).stdout


class Namespace:
    """A network namespace of our own; processes started in it end with it."""

    def __init__(self, label: str) -> None:
        self.name = f"bgpt{os.getpid()}-{next(_numbers)}-{label}"
        self._processes: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Namespace:
        ip("netns", "add", self.name)
        self.ip("link", "set", "lo", "up")
        return self

    def __exit__(self, *exc: object) -> None:
        for process in self._processes:
            end(process)
        ip("netns", "delete", self.name)

    def ip(self, *words: str) -> str:
        """Run `ip` in it."""
        return ip("-n", self.name, *words)

    def run(self, *command: str) -> str:
        """Run a command in it to its end. Raises CalledProcessError."""
        whole = ["ip", "netns", "exec", self.name, *command]
        return subprocess.run(whole, check=True, capture_output=True, text=True).stdout

    def start(self, command: Sequence[str], log: Path, *, inside: bool = True) -> subprocess.Popen[bytes]:
        """Start a process in it, or one that enters it by itself, what it prints going to `log`."""
        with log.open("ab") as out:
            whole = ["ip", "netns", "exec", self.name, *command] if inside else list(command)
            process = subprocess.Popen(whole, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        self._processes.append(process)
        return process


def end(process: subprocess.Popen[bytes], by: signal.Signals = signal.SIGTERM) -> int:
    """End a process that we started and give its exit status."""
    if process.poll() is None:
        process.send_signal(by)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
    return process.wait()


@contextmanager
def two_hosts(*addresses: tuple[str, str]) -> Iterator[tuple[Namespace, Namespace]]:
    """Two namespaces joined by one cable, with these (left, right) addresses, each with its prefix length."""
    with ExitStack() as stack:
        left = stack.enter_context(Namespace("a"))
        right = stack.enter_context(Namespace("b"))
        ip("-n", left.name, "link", "add", "eth0", "type", "veth", "peer", "name", "eth0", "netns", right.name)
        for place, host in enumerate((left, right)):
            for pair in addresses:
                # Duplicate address detection would keep an IPv6 address from being used for a second.
                host.ip("address", "add", pair[place], "dev", "eth0", *(["nodad"] if ":" in pair[place] else []))
            host.ip("link", "set", "eth0", "up")
        yield left, right


def eventually(condition: Callable[[], object], what: str, detail: Callable[[], str] = str) -> None:
    """Return when `condition` holds. Fails, saying what did not come true, when nothing happens for too long."""
    until = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > until:
            raise AssertionError(f"it did not come true that {what}\n{detail()}")
        time.sleep(0.05)
