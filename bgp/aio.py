"""A speaker inside an asyncio program.

trio runs as a guest on asyncio's loop, in the same thread: no second thread, no lock, and the same speaker as anywhere.
What follows is therefore only a way in: each method hands its work to trio and waits for it. What a speaker holds may be
read directly, through `Speaker.loc_rib` and `Peer.inner`; whatever changes something goes through the methods here.

    async with bgp.aio.open_speaker(asn=65001, router_id="10.0.0.1", listen=["127.0.0.1:1790"]) as speaker:
        peer = await speaker.add_peer("127.0.0.2", asn=65002, import_policy=bgp.accept, export_policy=bgp.accept)
        await peer.wait_established()
        await speaker.announce("10.1.0.0/26")
        async for change in speaker.changes(): ...

One thread has one trio: a program with several speakers opens one `open_guest` and the speakers on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Final, TypeVar

import trio

from bgp import net
from bgp.error import LocalError
from bgp.net.failure import as_it_was_raised
from bgp.options import PeerOptions, SpeakerOptions
from fsm.words import State
from rib.attributes import Attributes
from rib.prefix import Prefix
from rib.route import Change

T = TypeVar("T")

CLOSED: Final = "trio does not run here any more: the speaker is closed"


class Guest:
    """trio on the loop of an asyncio program. Made by `open_guest`."""

    def __init__(self, token: trio.lowlevel.TrioToken, nursery: trio.Nursery) -> None:
        self._token = token
        self._nursery = nursery

    def stop(self) -> None:
        """End everything that runs here; harmless afterwards."""
        with suppress(trio.RunFinishedError):
            self._token.run_sync_soon(self._nursery.cancel_scope.cancel)

    async def call(self, function: Callable[..., Awaitable[T]], *arguments: object) -> T:
        """Run an async function of trio's and give what it gives. Cancelling this cancels that.

        Raises LocalError if trio does not run any more.
        """
        answer: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        scope = trio.CancelScope()

        async def run() -> None:
            try:
                with scope:
                    answer.set_result(await function(*arguments))
            except Exception as error:  # it is the caller's
                answer.set_exception(error)
            finally:
                if not answer.done():
                    answer.cancel()

        self._soon(self._nursery.start_soon, run)
        try:
            return await asyncio.shield(answer)
        except asyncio.CancelledError:
            if not answer.done():
                self._soon(scope.cancel)
                await asyncio.wait([answer])
            if not answer.cancelled():
                answer.exception()  # nobody asks for it any more
            if not _is_cancelled():
                raise LocalError(CLOSED) from None
            raise

    def _soon(self, function: Callable[..., object], *arguments: object) -> None:
        try:
            self._token.run_sync_soon(function, *arguments)
        except trio.RunFinishedError as error:
            raise LocalError(CLOSED) from error

    async def do(self, function: Callable[..., T], *arguments: object) -> T:
        """Run a function that is not async where trio runs, and give what it gives."""

        async def run() -> T:
            return function(*arguments)

        return await self.call(run)

    @asynccontextmanager
    async def enter(self, context: AbstractAsyncContextManager[T]) -> AsyncIterator[T]:
        """Hold a context of trio's open as long as this one."""
        ready: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        left: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        release = trio.Event()

        async def hold() -> None:
            try:
                async with context as value:
                    ready.set_result(value)
                    await release.wait()
            except Exception as error:
                if ready.done():
                    raise  # nobody waits for it: it ends the guest, and so the program's context
                ready.set_exception(error)
            finally:
                left.set_result(None)

        self._soon(self._nursery.start_soon, hold)
        try:
            yield await asyncio.shield(ready)
        finally:
            if not left.done():
                self._soon(release.set)
            await _even_if_cancelled(left)

    @asynccontextmanager
    async def open_speaker(
        self,
        options: SpeakerOptions | None = None,
        *,
        asn: int | None = None,
        router_id: str | None = None,
        listen: Iterable[str] = (),
        transport: net.Transport | None = None,
        observer: Callable[[net.PeerChange], None] | None = None,
        **more: object,
    ) -> AsyncIterator[Speaker]:
        """See `bgp.net.open_speaker`."""
        context = net.open_speaker(
            options,
            asn=asn,
            router_id=router_id,
            listen=listen,
            transport=transport,
            observer=observer,
            **more,  # type: ignore[arg-type]  # fields of SpeakerOptions
        )
        async with self.enter(context) as speaker:
            yield Speaker(self, speaker)


class Speaker:
    """A speaker; see `bgp.net.Speaker`, which is `inner`."""

    def __init__(self, guest: Guest, inner: net.Speaker) -> None:
        self.inner = inner
        self._guest = guest

    @property
    def loc_rib(self) -> net.WatchedLocRib:
        """The routes that won, to look at."""
        return self.inner.loc_rib

    @property
    def peers(self) -> list[Peer]:
        """The neighbours."""
        return [Peer(self._guest, peer) for peer in self.inner.peers.values()]

    @property
    def listening(self) -> list[tuple[str, int]]:
        """The addresses and ports that it listens on."""
        return list(self.inner.listening)

    async def add_peer(self, peer: PeerOptions | str, **options: object) -> Peer:
        """Add a neighbour and start its session. Raises LocalError."""

        async def add() -> net.Peer:
            return await self.inner.add_peer(peer, **options)

        return Peer(self._guest, await self._guest.call(add))

    async def remove_peer(self, address: str) -> None:
        """End the session and forget the neighbour. Raises LocalError."""
        await self._guest.call(self.inner.remove_peer, address)

    async def announce(self, prefix: Prefix | str, **attributes: object) -> None:
        """Originate a route, or change one; the keywords are those of `bgp.net.Speaker.announce`. Raises ValueError."""

        def announce() -> None:
            self.inner.announce(prefix, **attributes)  # type: ignore[arg-type]  # checked there

        await self._guest.do(announce)

    async def announce_all(self, prefixes: Sequence[Prefix | str], attributes: Attributes) -> None:
        """Originate many routes with the same attributes. Raises ValueError."""
        await self._guest.do(self.inner.announce_all, prefixes, attributes)

    async def withdraw(self, prefix: Prefix | str) -> None:
        """Originate a route no more. Raises LocalError, ValueError."""
        await self._guest.do(self.inner.withdraw, prefix)

    async def wait_established(self) -> None:
        """Return when every session is up."""
        await self._guest.call(self.inner.wait_established)

    async def drain(self, wait: float = 30.0) -> None:
        """Leave in good order (RFC 8326)."""
        await self._guest.call(self.inner.drain, wait)

    def statistics(self) -> net.SpeakerCounts:
        """How much there is."""
        return self.inner.statistics()

    async def changes(self, *, existing: bool = False) -> AsyncIterator[Change]:
        """Changes of best paths from now on; with `existing`, those that are there come first, as new."""

        def watch() -> net.Changes:
            return self.inner.loc_rib.changes(existing=existing)

        changes = await self._guest.do(watch)
        try:
            while True:
                yield await self._guest.call(changes.__anext__)
        finally:
            changes.close()


class Peer:
    """A neighbour; see `bgp.net.Peer`, which is `inner`."""

    def __init__(self, guest: Guest, inner: net.Peer) -> None:
        self.inner = inner
        self._guest = guest

    @property
    def state(self) -> State:
        """The state of the session."""
        return self.inner.state

    @property
    def why_down(self) -> str:
        """Why the session is not up; empty if it is."""
        return self.inner.why_down

    async def wait_established(self) -> None:
        """Return when the session is up."""
        await self._guest.call(self.inner.wait_established)

    async def wait_down(self) -> None:
        """Return when the session is not up."""
        await self._guest.call(self.inner.wait_down)


@asynccontextmanager
async def open_guest() -> AsyncIterator[Guest]:
    """Run trio on the loop of this program, as long as the context.

    What breaks there cancels the body here and is raised at the end of it.
    """
    loop = asyncio.get_running_loop()
    body = asyncio.current_task()
    assert body is not None  # an async function of asyncio's runs in a task
    started: asyncio.Future[Guest] = loop.create_future()
    done: asyncio.Future[Callable[[], object]] = loop.create_future()

    async def main() -> None:
        async with trio.open_nursery() as nursery:
            started.set_result(Guest(trio.lowlevel.current_trio_token(), nursery))
            await trio.sleep_forever()

    def interrupt(_: object) -> None:
        body.cancel()

    trio.lowlevel.start_guest_run(
        main,
        run_sync_soon_threadsafe=loop.call_soon_threadsafe,
        run_sync_soon_not_threadsafe=loop.call_soon,
        done_callback=lambda outcome: done.set_result(outcome.unwrap),
        host_uses_signal_set_wakeup_fd=True,
    )
    guest = await _even_if_cancelled(started)
    done.add_done_callback(interrupt)
    try:
        yield guest
    except asyncio.CancelledError:
        if not done.done():
            raise
        body.uncancel()  # it was `interrupt`: the reason comes below
    finally:
        done.remove_done_callback(interrupt)
        guest.stop()
        unwrap = await _even_if_cancelled(done)
        with as_it_was_raised():
            unwrap()


def _is_cancelled() -> bool:
    """Whether somebody wants the running task of asyncio's to end."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


async def _even_if_cancelled(future: asyncio.Future[T]) -> T:
    """Wait for something that is sure to come, and be cancelled only after it."""
    cancelled = False
    while not future.done():
        try:
            await asyncio.shield(future)
        except asyncio.CancelledError:
            cancelled = True
    if cancelled:
        raise asyncio.CancelledError
    return future.result()


@asynccontextmanager
async def open_speaker(
    options: SpeakerOptions | None = None,
    *,
    asn: int | None = None,
    router_id: str | None = None,
    listen: Iterable[str] = (),
    transport: net.Transport | None = None,
    observer: Callable[[net.PeerChange], None] | None = None,
    **more: object,
) -> AsyncIterator[Speaker]:
    """A speaker in an asyncio program; see `bgp.net.open_speaker` for what may be given and raised."""
    async with (
        open_guest() as guest,
        guest.open_speaker(
            options,
            asn=asn,
            router_id=router_id,
            listen=listen,
            transport=transport,
            observer=observer,
            **more,
        ) as speaker,
    ):
        yield speaker
