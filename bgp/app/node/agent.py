"""The node agent: `bgp run`, and beside it what makes a speaker a node's: blocks from files, and word of readiness."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import TextIO

import trio

from bgp.app.config import ConfigError, Configuration, Problem, load
from bgp.app.log import Log
from bgp.app.node.blocks import Wanted, wanted
from bgp.app.node.options import NodeOptions
from bgp.app.node.ready import ready_routes, why_not_ready
from bgp.app.node.watch import changes
from bgp.app.run import RunningProgram, run_program
from bgp.app.web.http import serve_http
from rib.attributes import Attributes
from rib.prefix import Prefix


def run_node(file: str, err: TextIO, control: str | None = None) -> int:
    """Run the agent of `file` until a signal or a command ends it; gives the exit status.

    Raises ConfigError before anything has begun.
    """
    configuration = load(file)
    if configuration.node is None:
        raise ConfigError(file, [Problem(0, "", "expected a table [node], with `blocks` or `blocks_file`")])
    log = Log(err)
    return run_program(NodeAgent(file, configuration, log, control, configuration.node), log)


class NodeAgent(RunningProgram):
    """The running `bgp node`: announces what `Wanted` says whenever the files of `options` change."""

    def __init__(
        self, file: str, configuration: Configuration, log: Log, control: str | None, options: NodeOptions
    ) -> None:
        super().__init__(file, configuration, log, control)
        self._options = options
        self._wanted = Wanted(frozenset(), frozenset(), ("the files have not been read yet",))

    async def alongside(self, tasks: trio.Nursery) -> None:
        """See `RunningProgram`."""
        options = self._options
        if self.fib is None:
            self._log.say("warning: there is no table [kernel]: no route goes into the kernel")
        pods = Path(options.pods)
        await trio.Path(pods).mkdir(parents=True, exist_ok=True)
        folders = [pods, *([] if options.host_local is None else [Path(options.host_local)])]
        if options.blocks_file is not None:
            # The folder, not the file: an IPAM that writes with care puts a new file in its place.
            folders.append(Path(options.blocks_file).parent)
        for folder in folders[1:]:
            await trio.Path(folder).mkdir(parents=True, exist_ok=True)
        tasks.start_soon(self._follow, folders)
        if options.ready is not None:
            where = await tasks.start(serve_http, options.ready, ready_routes(self.why_not_ready), self.complain)
            self._log.say(f"ready or not: {', '.join(where)}/readyz")

    def why_not_ready(self) -> list[str]:
        """What is missing; nothing: the node is ready."""
        return why_not_ready(self.speaker, self.fib, self._wanted)

    async def _follow(self, folders: list[Path]) -> None:
        async for _ in changes(folders):
            self._update(wanted(self._options, self._wanted.blocks))

    def _update(self, new: Wanted) -> None:
        before, self._wanted = self._wanted, new
        self._announce(new.prefixes - before.prefixes)
        for prefix in before.prefixes - new.prefixes:
            self.speaker.withdraw(prefix)
        for problem in set(new.problems) - set(before.problems):
            self._log.say(f"warning: {problem}")
        for word, some in (
            ("announces", new.prefixes - before.prefixes),
            ("withdraws", before.prefixes - new.prefixes),
        ):
            if some:
                self._log.say(f"{word} {', '.join(map(str, sorted(some)))}")

    def _announce(self, prefixes: Collection[Prefix]) -> None:
        if prefixes:
            self.speaker.announce_all(sorted(prefixes), Attributes())
