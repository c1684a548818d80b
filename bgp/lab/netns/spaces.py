"""Namespaces of the kernel that no file names: they are gone when the last process and descriptor in them is.

So there is nothing to tear down. Whatever ends a lab, even a SIGKILL, takes its networks with it, and no two labs meet.
"""

from __future__ import annotations

import ctypes
import os
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

# linux/sched.h, linux/mount.h. Python has them from 3.12 on.
CLONE_NEWNS: Final = 0x00020000
CLONE_NEWNET: Final = 0x40000000
MS_REC: Final = 0x4000
MS_PRIVATE: Final = 1 << 18
# System calls of Linux 5.2, whose numbers are the same on every machine, and their arguments.
FSOPEN: Final = 430
FSCONFIG: Final = 431
FSMOUNT: Final = 432
FSCONFIG_CMD_CREATE: Final = 6
CLOEXEC: Final = 1

#: Where the namespace of the calling thread is; /proc/self would be that of the process's first thread.
_OWN: Final = "/proc/thread-self/ns/net"
_libc: Final = ctypes.CDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def enter_new(*, mounts: bool) -> None:
    """Move this thread into a network namespace of its own; with `mounts` also the process into a view of the files of
    its own, in which /run is empty. Raises OSError without the right to.
    """
    _check(_libc.unshare(CLONE_NEWNET | (CLONE_NEWNS if mounts else 0)), "no network namespace of our own")
    if mounts:
        _check(_libc.mount(b"none", b"/", None, MS_REC | MS_PRIVATE, None), "mounts cannot be made private")
        _check(_libc.mount(b"tmpfs", b"/run", b"tmpfs", 0, None), "no /run of our own")


def open_hidden() -> int:
    """A descriptor of an empty directory in memory that no path but that of the descriptor leads to.

    All in it is gone when this process is, whatever ended it. Raises OSError without the right to, or before Linux 5.2.
    """
    made = _call(FSOPEN, b"tmpfs", CLOEXEC)
    try:
        _call(FSCONFIG, made, FSCONFIG_CMD_CREATE, None, None, 0)
        return _call(FSMOUNT, made, CLOEXEC, 0)
    finally:
        os.close(made)


@contextmanager
def hidden_temporaries() -> Iterator[None]:
    """What `tempfile` makes in this block lies in a hidden directory, and so is never left behind.

    `multiprocessing` removes the directory of its fork server at exit; a command that is killed has no exit.
    """
    made = open_hidden()
    before, tempfile.tempdir = tempfile.tempdir, f"/proc/self/fd/{made}"
    try:
        yield
    finally:
        empty = not os.listdir(tempfile.tempdir)
        tempfile.tempdir = before
        if empty:  # else it stays open as long as the process, which is as long as it is needed
            os.close(made)


def _call(*words: object) -> int:
    result = int(_libc.syscall(*words))
    if result < 0:
        raise OSError(ctypes.get_errno(), f"no hidden directory: {os.strerror(ctypes.get_errno())}")
    return result


def open_new() -> int:
    """A descriptor of a new network namespace, which lives as long as it is open. The thread stays where it is."""
    before = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        enter_new(mounts=False)
        made = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
        _enter(before)
    finally:
        os.close(before)
    return made


def _enter(namespace: int) -> None:
    _check(_libc.setns(namespace, CLONE_NEWNET), "the network namespace cannot be entered")


@contextmanager
def inside(namespace: int) -> Iterator[None]:
    """What is opened in this block is opened in the namespace of that descriptor. Nothing may be awaited in it."""
    before = os.open(_OWN, os.O_RDONLY | os.O_CLOEXEC)
    try:
        _enter(namespace)
        yield
    finally:
        _enter(before)
        os.close(before)


def set_kernel(values: Mapping[str, str]) -> None:
    """Set what is under /proc/sys/net for the namespace that this thread is in; what the kernel does not have is left out."""
    for name, value in values.items():
        path = Path("/proc/sys/net") / name
        if path.exists():
            path.write_text(value)


def ip_batch(lines: Iterable[str]) -> None:
    """Have `ip` do all of `lines` in this namespace. Raises OSError, with what it said, if it could not do one of them."""
    text = "\n".join(lines) + "\n"
    done = subprocess.run(["ip", "-batch", "-"], input=text, capture_output=True, text=True, check=False)
    if done.returncode:
        raise OSError(done.stderr.strip() or f"ip ended with {done.returncode}")
