"""Questions and answers between the lab's process and its children, over a socket that both ends of are ours.

A frame is four octets of length and a pickled tuple. The child may tell things that it was not asked for. Either end sees
that the other is gone by the end of the stream, and goes too.
"""

from __future__ import annotations

import pickle
import socket
from collections.abc import Awaitable, Callable
from math import inf
from typing import Any, Final

import trio

_LENGTH: Final = 4


class Gone(Exception):
    """The other end has ended."""


class Failed(Exception):
    """The child could not do what it was asked for; the text says why."""


class Channel:
    """One end of a connection that carries whole objects."""

    def __init__(self, end: socket.socket) -> None:
        self._stream = trio.SocketStream(trio.socket.from_stdlib_socket(end))
        self._sending = trio.Lock()
        self._buffer = bytearray()

    async def send(self, what: object) -> None:
        """Send an object. Raises Gone."""
        octets = pickle.dumps(what, pickle.HIGHEST_PROTOCOL)
        async with self._sending:
            try:
                await self._stream.send_all(len(octets).to_bytes(_LENGTH, "big") + octets)
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                raise Gone from error

    async def receive(self) -> Any:  # what our own other end sent
        """The next object. Raises Gone."""
        size = _LENGTH + int.from_bytes(await self._peek(_LENGTH), "big")
        octets = await self._peek(size)
        del self._buffer[:size]
        return pickle.loads(octets[_LENGTH:])

    async def _peek(self, size: int) -> bytes:
        while len(self._buffer) < size:
            try:
                more = await self._stream.receive_some(1 << 18)
            except (trio.BrokenResourceError, trio.ClosedResourceError) as error:
                raise Gone from error
            if not more:
                raise Gone
            self._buffer += more
        return bytes(self._buffer[:size])

    async def aclose(self) -> None:
        """Close it; the other end sees it."""
        await self._stream.aclose()


class Parent:
    """The lab's end: asks, one question at a time, and hands on what the child tells of itself."""

    def __init__(self, channel: Channel, name: str, told: Callable[[str, Any], None]) -> None:
        self.name = name
        self._channel = channel
        self._told = told
        self._asking = trio.Lock()
        self._answers, self._incoming = trio.open_memory_channel[Any](inf)

    async def run(self) -> None:
        """Read until the child is gone."""
        try:
            while True:
                kind, value = await self._channel.receive()
                if kind == "told":
                    self._told(self.name, value)
                else:
                    self._answers.send_nowait((kind, value))
        except Gone:
            self._answers.close()

    async def ask(self, question: str, *arguments: object) -> Any:  # each question has its own answer
        """The child's answer. Raises Failed where it could not do it or is gone."""
        async with self._asking:
            try:
                await self._channel.send((question, arguments))
                kind, value = await self._incoming.receive()
            except (Gone, trio.EndOfChannel):
                raise Failed(f"{self.name} is gone") from None
        if kind == "failed":
            raise Failed(f"{self.name}: {value}")
        return value

    async def aclose(self) -> None:
        """Let the child end."""
        await self._channel.aclose()


async def serve(channel: Channel, answers: Callable[[str], Callable[..., Awaitable[object]]]) -> None:
    """The child's end: answer until the lab is gone. What fails with OSError or ValueError is told, not raised."""
    try:
        while True:
            question, arguments = await channel.receive()
            try:
                value = await answers(question)(*arguments)
            except (OSError, ValueError) as error:
                await channel.send(("failed", str(error)))
            else:
                await channel.send(("answer", value))
    except Gone:
        return
