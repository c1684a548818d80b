"""`bgp run`: a speaker in the foreground, from its configuration to its last Cease."""

from __future__ import annotations

import gc
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import replace
from importlib import import_module
from traceback import format_exception
from typing import Final, TextIO

import trio

from bgp.app.answers import cease
from bgp.app.client import choose_path
from bgp.app.config import ConfigError, Configuration, load
from bgp.app.control import open_control
from bgp.app.log import Log
from bgp.app.reload import apply, begin
from bgp.app.view import endpoint
from bgp.error import LocalError, MissingPackage
from bgp.iana import CeaseSubcode
from bgp.net import Speaker, open_speaker
from bgp.net.kernel import Fib, open_kernel, serve_kernel

#: RIBs are millions of objects that live long and have no cycles: the collector should look at them rarely.
GC_THRESHOLDS: Final = (200_000, 50, 100)


def run_config(file: str, err: TextIO, control: str | None = None) -> int:
    """Run the speaker of `file` until a signal or a command ends it; gives the exit status.

    `control` is the path of the control socket, in place of the configured one. Raises ConfigError before anything has begun.
    """
    configuration = load(file)
    log = Log(err)
    if configuration.node is not None:
        log.say("warning: the table [node] is for `bgp node`; `bgp run` does nothing about it")
    return run_program(RunningProgram(file, configuration, log, control), log)


def run_program(program: RunningProgram, log: Log) -> int:
    """Run it to its end; gives the exit status."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    status = 0
    try:
        trio.run(program.run)
    except* (OSError, LocalError) as failed:
        status = 1
        for error in leaves(failed):
            log.say(f"error: {getattr(error, 'strerror', None) or error}")
    return status


def leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    """The exceptions themselves, whatever nurseries they came through."""
    for one in group.exceptions:
        if isinstance(one, BaseExceptionGroup):
            yield from leaves(one)
        else:
            yield one


class RunningProgram:
    """What `bgp run` is while it runs. Its control socket asks it, signals tell it."""

    speaker: Speaker
    started: float

    def __init__(self, file: str, configuration: Configuration, log: Log, control: str | None) -> None:
        self._file = file
        self._configuration = configuration
        self._log = log
        self._control = control
        self._ended = trio.Event()
        self.fib: Fib | None = None
        self._drain = trio.CancelScope()

    async def run(self) -> None:
        """Serve until ended. Raises OSError where it cannot listen, LocalError or OSError without the kernel that it needs."""
        options, with_kernel = self._configuration.speaker, self._configuration.kernel
        kernel = None if with_kernel is None else open_kernel(with_kernel)
        if kernel is not None and await kernel.routes(own=True):
            # Packets went on by the routes of before: a restart, whoever ended the run before (RFC 4724 4.1).
            options = replace(options, restarting=True)
        with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
            async with AsyncExitStack() as stack:
                self.started = trio.current_time()
                # The sessions end before the kernel's routes do: first nobody sends us packets any more.
                tasks = await stack.enter_async_context(trio.open_nursery())
                stack.callback(tasks.cancel_scope.cancel)
                speaking = open_speaker(options, observer=self._log.peer_changed, admits=False)
                self.speaker = await stack.enter_async_context(speaking)
                self.speaker.observe_malformed(self._log.update_malformed)
                where = ", ".join(endpoint(*bound) for bound in self.speaker.listening) or "nowhere"
                self._log.say(f"speaker AS {options.asn}, BGP identifier {options.router_id}, listens on {where}")
                if with_kernel is not None:
                    self.fib = await tasks.start(serve_kernel, self.speaker, with_kernel, kernel)
                    adopted = self.fib.statistics().stale
                    self._log.say(f"kernel table {with_kernel.table}: {adopted} routes of a former run")
                await self._open_control(stack)
                await begin(self.speaker, self._configuration)
                self.speaker.admit()
                await self._open_web(tasks)
                await self.alongside(tasks)
                tasks.start_soon(self._heed, signals)
                await self._ended.wait()
                if with_kernel is not None and with_kernel.keep:
                    tasks.cancel_scope.cancel()
        self._log.say("ended")

    async def alongside(self, tasks: trio.Nursery) -> None:
        """Start what runs beside the speaker, as long as it does: nothing, for `bgp run`."""

    async def _open_control(self, stack: AsyncExitStack) -> None:
        """A socket that somebody asked for must be there; the default one may be another speaker's."""
        wanted = self._control or self._configuration.control
        path = choose_path(wanted)
        try:
            await stack.enter_async_context(open_control(path, self))
        except OSError as error:
            if wanted is not None:
                raise
            self._log.say(f"warning: no control socket: {error.strerror or error}")
        else:
            self._log.say(f"control socket {path}")

    async def _open_web(self, tasks: trio.Nursery) -> None:
        options = self._configuration.web
        if options is None:
            return
        try:
            http, pages = import_module("bgp.app.web.http"), import_module("bgp.app.web.pages")
        except ModuleNotFoundError as error:
            raise MissingPackage("[web]", error.name, "web") from error
        where = await tasks.start(http.serve_http, options.listen, pages.web_routes(self), self.complain)
        self._log.say(f"web page {', '.join(where)}")

    async def _heed(self, signals: AsyncIterator[int]) -> None:
        async for number in signals:
            name = signal.Signals(number).name
            if number == signal.SIGHUP:
                try:
                    self._log.say(f"{name}: {await self.reload()}")
                except ConfigError as error:
                    self._log.say(f"{name}: the old configuration stays:\n{error}")
            else:
                self._log.say(f"{name}: sessions end with Cease")
                self._ended.set()

    async def reload(self) -> str:
        """See `Program`."""
        new = load(self._file)
        said = await apply(self.speaker, self._file, self._configuration, new)
        self._configuration = new
        return f"{self._file}: {said}"

    async def drain(self, wait: float) -> bool:
        """See `Program`."""
        self._drain.cancel()
        self._drain = trio.CancelScope()
        self._log.say(f"drain: routes go out as graceful-shutdown (RFC 8326) and are taken back in {wait:g} s")
        with self._drain as scope:
            await self.speaker.drain(wait)
            self._log.say("drain: every route of ours is taken back")
        return not scope.cancelled_caught

    def undrain(self) -> None:
        """See `Program`."""
        self._drain.cancel()
        self.speaker.undrain()
        self._log.say("undrain: announces again")

    def shutdown(self, message: str) -> None:
        """See `Program`."""
        farewell = cease(CeaseSubcode.ADMINISTRATIVE_SHUTDOWN, message)
        self._log.say(f"asked to end{f': {message}' if message else ''}")
        for peer in self.speaker.peers.values():
            peer.stop(farewell)
        self._ended.set()

    def complain(self, error: Exception) -> None:
        """See `Program`."""
        self._log.say("internal error:\n" + "".join(format_exception(error)).rstrip())
