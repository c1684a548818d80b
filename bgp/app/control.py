"""The control socket of a running speaker: a Unix socket that only its owner may use (`bgp.app.protocol`)."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from pathlib import Path
from typing import Final

import trio

from bgp.app.answers import Failed, Program, answer
from bgp.app.config import ConfigError
from bgp.app.protocol import LONGEST_QUESTION, parse_question
from bgp.app.protocol_lines import refusal
from bgp.error import LocalError

#: Nobody but the owner may connect.
MODE: Final = 0o600
CHUNK: Final = 1 << 16
#: Octets of an answer that are gathered before they are sent.
PIECE: Final = 1 << 16


@asynccontextmanager
async def open_control(path: str, program: Program) -> AsyncIterator[None]:
    """Answer questions on the socket at `path` while the context is open. Raises OSError if that cannot be."""
    listener = await _listen(path)
    ours = os.stat(path).st_ino
    try:
        async with trio.open_nursery() as nursery:
            nursery.start_soon(_accept, listener, program)
            yield
            nursery.cancel_scope.cancel()
    finally:
        listener.close()
        with suppress(OSError):
            if os.stat(path).st_ino == ours:
                os.unlink(path)


async def _listen(path: str) -> trio.socket.SocketType:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    await _remove_stale(path)
    listener = trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    mask = os.umask(0o777 & ~MODE)  # no instant at which others could connect
    try:
        await listener.bind(path)
        listener.listen()
    except OSError as error:
        listener.close()
        raise OSError(error.errno, f"cannot listen on {path}: {error.strerror or error}") from error
    finally:
        os.umask(mask)
    return listener


async def _remove_stale(path: str) -> None:
    """Remove the socket of a speaker that is no more. Raises OSError if there is anything else."""
    try:
        mode = os.stat(path).st_mode
    except FileNotFoundError:
        return
    if not stat.S_ISSOCK(mode):
        raise FileExistsError(errno.EEXIST, f"{path} is there and is no socket")
    with trio.socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            await probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
            return
    raise OSError(errno.EADDRINUSE, f"another speaker listens on {path}")


async def _accept(listener: trio.socket.SocketType, program: Program) -> None:
    async with trio.open_nursery() as nursery:
        while True:
            connection, _ = await listener.accept()
            nursery.start_soon(_serve, trio.SocketStream(connection), program)


async def _serve(stream: trio.SocketStream, program: Program) -> None:
    """Answer the questions of one connection; one that breaks is over."""
    async with stream, aclosing(_questions(stream)) as questions:
        with suppress(trio.BrokenResourceError):
            async for line in questions:
                await _answer(stream, program, line)


async def _questions(stream: trio.SocketStream) -> AsyncGenerator[bytes, None]:
    buffer = b""
    async for octets in stream:
        buffer += octets
        *lines, buffer = buffer.split(b"\n")
        for line in lines:
            yield line
        if len(buffer) > LONGEST_QUESTION:
            await stream.send_all(refusal(f"a question has at most {LONGEST_QUESTION} octets", 2).encode())
            return


async def _answer(stream: trio.SocketStream, program: Program, line: bytes) -> None:
    gathered: list[str] = []
    size = 0
    try:
        async with aclosing(answer(program, parse_question(line))) as lines:
            async for text in lines:
                gathered.append(text)
                size += len(text)
                if size >= PIECE:
                    await stream.send_all("".join(gathered).encode())
                    gathered, size = [], 0
    except (LocalError, ConfigError) as error:
        gathered.append(refusal(str(error), 2))
    except Failed as error:
        gathered.append(refusal(str(error), 1))
    except trio.BrokenResourceError:
        raise
    except Exception as error:
        # Here ends what a question may break: the sessions of the speaker go on.
        program.complain(error)
        gathered.append(refusal(f"internal error: {error!r}", 1))
    await stream.send_all("".join(gathered).encode())
