"""The other end of the control socket: ask a running speaker."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import closing
from typing import Final

from bgp.app.failure import Failure
from bgp.app.protocol_lines import ROW, question_line

#: The environment variable that names the socket.
VARIABLE: Final = "BGP_CONTROL"


class Refused(Failure):
    """The speaker said no, or there is none; `status` is the exit status for it."""

    def __init__(self, text: str, status: int) -> None:
        super().__init__(text)
        self.status = status


def default_path() -> str:
    """Where the socket is unless somebody says otherwise."""
    runtime = os.environ.get("XDG_RUNTIME_DIR")
    return "/run/bgp/control.sock" if os.geteuid() == 0 or not runtime else f"{runtime}/bgp/control.sock"


def choose_path(given: str | None) -> str:
    """The path that was given, or $BGP_CONTROL, or the default."""
    return given or os.environ.get(VARIABLE) or default_path()


class Answer:
    """The rows of an answer as JSON texts, and `end` once they have been read. Reading raises Refused."""

    def __init__(self, path: str, ask: str, arguments: Mapping[str, object]) -> None:
        self.end: object = None
        self._path = path
        self._question = question_line(ask, arguments)

    def __iter__(self) -> Iterator[str]:
        with closing(_connected(self._path)) as connection:
            connection.sendall(self._question)
            with connection.makefile(encoding="utf-8", newline="\n") as lines:
                for line in lines:
                    if line.startswith(ROW):
                        yield line[len(ROW) : -2]
                    else:
                        self._finish(json.loads(line))
                        return
        raise Refused(f"the speaker at {self._path} ended before it had answered", 1)

    def _finish(self, last: dict[str, object]) -> None:
        if "error" in last:
            status = last.get("status")
            raise Refused(str(last["error"]), status if isinstance(status, int) else 1)
        self.end = last.get("end")


def _connected(path: str) -> socket.socket:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.connect(path)
    except OSError as error:
        connection.close()
        if isinstance(error, FileNotFoundError | ConnectionRefusedError):
            raise Refused(f"no speaker is running at {path} (say which with --control or ${VARIABLE})", 1) from None
        raise Refused(f"cannot ask the speaker at {path}: {error.strerror or error}", 1) from None
    return connection


def ask(path: str, name: str, **arguments: object) -> Answer:
    """Ask the speaker at `path`."""
    return Answer(path, name, arguments)
