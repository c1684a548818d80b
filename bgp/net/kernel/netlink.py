"""The kernel of this machine, or of the network namespace in which the sockets were opened, over rtnetlink.

Two sockets: one for requests, one that hears of changes. The kernel works a request off while it is sent, so that many
messages go in one write and only a mark at its end asks for an answer; errors are told in any case. What `edit` does
comes back to everybody who listens; a filter in the kernel keeps it from us.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from functools import partial
from itertools import chain
from queue import SimpleQueue
from socket import SO_RCVBUF, SOCK_CLOEXEC, SOCK_RAW, SOL_SOCKET, htonl, socket
from typing import Final, NamedTuple, TypeVar

import trio

from bgp.net.failure import as_it_was_raised
from bgp.net.kernel.model import (
    Edit,
    Event,
    EventsLost,
    KernelOptions,
    KernelRoute,
    Link,
    LinksChanged,
    Refusal,
    RouteCame,
    RouteWent,
)
from bgp.net.kernel.spelling import (
    NLM_F_DUMP_INTR,
    NLMSG_DONE,
    NLMSG_ERROR,
    RTM_DELADDR,
    RTM_DELLINK,
    RTM_DELROUTE,
    RTM_NEWADDR,
    RTM_NEWLINK,
    RTM_NEWROUTE,
    Speller,
    dump_links,
    end_mark,
    messages,
    read_error,
    read_link,
    read_refusal,
    scan,
)
from bgp.net.sockets import attach_filter
from rib.family import Afi

T = TypeVar("T")

# linux/netlink.h, asm-generic/socket.h; not all in Python's socket module.
AF_NETLINK, NETLINK_ROUTE, SOL_NETLINK = 16, 0, 270
NETLINK_GET_STRICT_CHK: Final = 12
SO_RCVBUFFORCE: Final = 33
#: linux/rtnetlink.h: links, IPv4 addresses, IPv4 routes, IPv6 addresses, IPv6 routes.
GROUPS: Final = 0x1 | 0x10 | 0x40 | 0x100 | 0x400
#: Octets of requests, about two thousand routes, that go to the kernel at a time; a socket takes half as many again.
LOT: Final = 1 << 17
#: Lots that are spelt while the kernel works on one.
WAITING: Final = 4
#: Octets of requests that are spelt at a time; meanwhile nobody else has a turn.
PART: Final = 1 << 14
#: Octets that the kernel is given without a thread: it is done with them before a thread would have begun.
AT_ONCE: Final = 1 << 12
#: Octets of what the kernel may have to tell us while we do not read; beyond, events are lost, which we are told.
BUFFER: Final = 8 << 20
#: Octets of that buffer that an error takes up at most, beside the request that it has with it.
ANSWER: Final = 1 << 10
#: Octets that one read takes. The kernel's pieces of a list are smaller.
PIECE: Final = 1 << 17
#: A list that changes while it is read is asked for again, so often.
DUMP_ATTEMPTS: Final = 5


class Lot(NamedTuple):
    """Requests that go to the kernel at a time, their number, and the octets that answers may take up if all fail."""

    octets: bytes
    number: int
    room: int


class NetlinkKernel:
    """`bgp.net.kernel.model.Kernel` for the real one. Needs CAP_NET_ADMIN to change routes. Raises OSError."""

    def __init__(self, options: KernelOptions) -> None:
        self.options = options
        self._speller = Speller(options)
        self._sequence = 0
        self._lock = trio.Lock()
        self._listing: int | None = None  #: the number of a list that was not read to its end
        self.requests = _open(0)
        self._requests = trio.socket.from_stdlib_socket(self.requests)
        #: Octets of answers that may wait for being read.
        self._room = self.requests.getsockopt(SOL_SOCKET, SO_RCVBUF)
        own_port = self._requests.getsockname()[0]
        self._events = trio.socket.from_stdlib_socket(_open(GROUPS, lambda made: _ignore(made, own_port)))

    def close(self) -> None:
        """Let go of the kernel; the routes stay."""
        self._requests.close()
        self._events.close()

    def _next(self) -> int:
        """A new sequence number."""
        self._sequence = 1 if self._sequence > 1 << 31 else self._sequence + 1
        return self._sequence

    async def links(self) -> dict[int, Link]:
        """All links by their number."""
        return {link.number: link for link in await self._dump(dump_links, read_link)}

    async def routes(self, *, own: bool) -> list[KernelRoute]:
        """Our routes in the table, or those of everybody else there."""
        protocol = self.options.protocol if own else 0

        def read(message: bytes) -> KernelRoute | None:
            route = scan(message, self.options.table)
            return route if route is not None and self._is_own(route) is own else None

        found: list[KernelRoute] = []
        for afi in (Afi.IPV4, Afi.IPV6):
            found += await self._dump(partial(self._speller.dump, afi, protocol), read)
        return found

    def _is_own(self, route: KernelRoute) -> bool:
        return route.protocol == self.options.protocol and route.metric == self.options.metric

    async def _dump(self, request: Callable[[int], bytes], read: Callable[[bytes], T | None]) -> list[T]:
        """What `read` makes of each message of a list; the list is asked for again where it changed meanwhile."""
        async with self._lock:
            await self._finish_listing()
            for _ in range(DUMP_ATTEMPTS):
                found, is_torn = await self._listed(request, read)
                if not is_torn:
                    break
            return found

    async def _listed(self, request: Callable[[int], bytes], read: Callable[[bytes], T | None]) -> tuple[list[T], bool]:
        sequence = self._next()
        await self._requests.send(request(sequence))
        self._listing = sequence
        found: list[T] = []
        is_torn = False
        while True:
            for kind, flags, number, message in messages(await self._requests.recv(PIECE)):
                if number != sequence:
                    continue
                is_torn |= bool(flags & NLM_F_DUMP_INTR)
                if kind in (NLMSG_DONE, NLMSG_ERROR):
                    self._listing = None
                    if (error := read_error(message)) and error != errno.ENOENT:  # there is no such table yet
                        raise OSError(error, os.strerror(error))
                    return found, is_torn
                if (made := read(message)) is not None:
                    found.append(made)

    async def _finish_listing(self) -> None:
        """Read the rest of a list whose reader was cancelled: until then the kernel begins no other (EBUSY)."""
        while self._listing is not None:
            for kind, _, number, _ in messages(await self._requests.recv(PIECE)):
                if number == self._listing and kind in (NLMSG_DONE, NLMSG_ERROR):
                    self._listing = None

    async def edit(self, edits: Iterable[Edit]) -> list[Refusal]:
        """Do all of it, in order; gives what was refused. An edit that is refused for one prefix is done for the others.

        While the kernel works on one lot, in a thread, the next ones are spelt, and before them the next edits are asked for.
        """
        async with self._lock:
            await self._finish_listing()
            lots = self.lots(edits)
            first = next(lots, None)
            if first is None:
                return []
            if len(first.octets) <= AT_ONCE:
                self.requests.send(first.octets)
                return self._answers(first)
            return await self._in_thread(chain((first,), lots))

    async def _in_thread(self, lots: Iterable[Lot]) -> list[Refusal]:
        """Have lots worked off in a thread that goes from one to the next without us, so that the kernel has no pause."""
        refused: list[Refusal] = []
        waiting = SimpleQueue[Lot | None]()
        room = trio.Semaphore(WAITING)
        sent = partial(trio.lowlevel.current_trio_token().run_sync_soon, room.release)

        def work_off() -> None:
            refused.extend(self.work_off(iter(waiting.get, None), sent))

        with as_it_was_raised():
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.to_thread.run_sync, work_off)
                try:
                    for lot in lots:
                        await room.acquire()
                        waiting.put(lot)
                finally:
                    waiting.put(None)
        return refused

    def work_off(self, lots: Iterable[Lot], sent: Callable[[], None] = lambda: None) -> list[Refusal]:
        """Have the kernel do lots, in this thread; gives what it refused. `sent` is called after each.

        Answers are read when no more fit: each system call has to wait for its turn in Python again.
        """
        refused: list[Refusal] = []
        unread: list[Lot] = []
        size = 0
        for lot in lots:
            size += lot.room
            if size > self._room:
                refused += chain.from_iterable(map(self._answers, unread))
                unread, size = [], lot.room
            self.requests.send(lot.octets)
            unread.append(lot)
            sent()
        refused += chain.from_iterable(map(self._answers, unread))
        return refused

    def lots(self, edits: Iterable[Edit]) -> Iterator[Lot]:
        """The edits as requests, which go to the kernel a lot at a time."""
        spelt: list[bytes] = []
        size = room = 0
        for edit in edits:
            for part in self._speller.parts(edit, PART):
                if not spelt:
                    number = self._next()
                some = self._speller.messages(part, number)
                spelt.append(some)
                size += len(some)
                room += len(some) + len(part.keys) * ANSWER
                if size >= LOT or room >= self._room // 2:
                    yield Lot(b"".join((*spelt, end_mark(number))), number, room)
                    spelt, size, room = [], 0, 0
        if spelt:
            yield Lot(b"".join((*spelt, end_mark(number))), number, room)

    def _answers(self, lot: Lot) -> list[Refusal]:
        """What the kernel refused of a lot that was sent: when `send` returns, all is done and the answers are there."""
        refused: list[Refusal] = []
        while True:
            for kind, _, number, message in messages(self.requests.recv(PIECE)):
                if kind != NLMSG_ERROR or number != lot.number:
                    continue
                refusal = read_refusal(message)
                if refusal is None:
                    return refused
                refused.append(refusal)

    async def events(self) -> list[Event]:
        """Wait until something happens that `edit` did not do, and give all of it."""
        found: list[Event] = []
        while not found:
            try:
                octets = await self._events.recv(PIECE)
            except OSError as error:
                if error.errno != errno.ENOBUFS:
                    raise
                return [EventsLost()]
            found = list(self._read(octets))
        return found

    def _read(self, octets: bytes) -> Iterator[Event]:
        for kind, _, _, message in messages(octets):
            if kind in (RTM_NEWROUTE, RTM_DELROUTE):
                route = scan(message, self.options.table)
                if route is not None:
                    yield RouteCame(route) if kind == RTM_NEWROUTE else RouteWent(route)
            elif kind in (RTM_NEWLINK, RTM_DELLINK, RTM_NEWADDR, RTM_DELADDR):
                yield LinksChanged()


def _open(groups: int, prepare: Callable[[socket], None] | None = None) -> socket:
    made = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)
    try:
        try:
            made.setsockopt(SOL_SOCKET, SO_RCVBUFFORCE, BUFFER)
        except PermissionError:
            made.setsockopt(SOL_SOCKET, SO_RCVBUF, BUFFER)
        with suppress(OSError):  # before Linux 4.20 there is no filtering in the kernel: ours does it all
            made.setsockopt(SOL_NETLINK, NETLINK_GET_STRICT_CHK, 1)
        if prepare is not None:
            prepare(made)
        made.bind((0, groups))
        return made
    except BaseException:
        made.close()
        raise


def _ignore(made: socket, port: int) -> None:
    """Let the kernel drop what was done by the socket of that port, before it reaches `made`."""
    program = [
        (0x20, 0, 0, 12),  # the word at 12: the port in a netlink header, read as if it were in network order
        (0x15, 0, 1, htonl(port)),  # if it is the port, the next line, else the one after
        (0x06, 0, 0, 0),  # take none of it
        (0x06, 0, 0, 0xFFFFFFFF),  # take all of it
    ]
    attach_filter(made, program)
