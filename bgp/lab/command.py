"""`bgp lab`: one run from parameters to report."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from json import dumps
from pathlib import Path
from resource import RUSAGE_SELF, getrusage
from time import process_time
from typing import Final, TextIO

import trio
from trio.testing import MockClock

from bgp.error import LocalError
from bgp.lab.export import export_topology
from bgp.lab.fabric import Fabric, FabricSettings, Opener, SessionChange, Snapshot
from bgp.lab.fault import Fault, FaultKind, FaultReport, parse_fault
from bgp.lab.forwarding import Trace
from bgp.lab.inject import Log, inject, repair
from bgp.lab.memory import open_memory_fabric
from bgp.lab.models import MODELS, build, spell_parameters
from bgp.lab.netns.fabric import open_netns_fabric
from bgp.lab.report import Report
from bgp.lab.result import Cost, Result
from bgp.lab.svg import draw_svg
from bgp.lab.writable import check_writable
from bgp.topology.model import Topology
from fsm.settings import check_hold_time

#: Seconds after which a lab that has not come to rest is given up.
PATIENCE: Final = 120.0
#: Hold time in seconds of labs in the time of the wall that wait for something to be noticed (RFC 4271 4.2: the least).
SHORT_HOLD_TIME: Final = 3
#: What a lab can run on, by name.
OPENERS: Final[Mapping[str, Opener]] = {"memory": open_memory_fabric, "netns": open_netns_fabric}
FABRICS: Final = tuple(OPENERS)
#: Where trio keeps the switch that makes its order of tasks depend on its dice alone.
_ORDERED: Final = "_ALLOW_DETERMINISTIC_SCHEDULING"


@dataclass(frozen=True, slots=True)
class LabOptions:
    """What a run does beside coming up. `trace` and `fail` hold texts as they stand on the command line.

    `virtual`: in virtual time, the same for every run with one `seed`. `hold_time` None: the topology's, but a short one
    where the wall's time would have to pass for a fault to be noticed.
    """

    pods: int = 1
    trace: tuple[tuple[str, str], ...] = ()
    ping: bool = False
    fail: tuple[str, ...] = ()
    virtual: bool = False
    seed: int = 0
    hold_time: int | None = None
    svg: Path | None = None
    export: Path | None = None
    daemons: tuple[tuple[str, str], ...] = ()  #: another speaker in place of ours, by node


PLAIN_RUN: Final = LabOptions()


def run_lab(
    model: str,
    parameters: Mapping[str, int | str],
    *,
    fabric: str = "memory",
    json_output: bool = False,
    out: TextIO,
    options: LabOptions = PLAIN_RUN,
) -> int:
    """Run a model and report to `out`. Gives 0 if it converged and all pods reach each other, else 1.

    Raises LocalError for wrong usage, before anything is written, and BrokenPipeError where nobody reads `out` any more.
    """
    topology = build(model, parameters)
    run = Run(topology, fabric, options, None if json_output else Report(topology, out))
    if options.svg is not None:
        check_writable(options.svg)
    written = [] if options.export is None else export_topology(topology, options.export)
    result = _trio_run(run, options)
    if options.svg is not None:
        _write(options.svg, run.picture)
    if run.report is not None:
        run.report.files(options.svg, options.export, len(written))
    if run.report is not None and run.report.broken:
        raise BrokenPipeError
    if run.report is None:
        out.write(dumps(result.as_json(), ensure_ascii=False) + "\n")
    return 0 if result.succeeded else 1


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise LocalError(f"cannot write {path}: {error.strerror}") from error


def _trio_run(run: Run, options: LabOptions) -> Result:
    try:
        with without_collector():
            if not options.virtual:
                return trio.run(run.go)
            with deterministic(options.seed):
                return trio.run(run.go, clock=MockClock(autojump_threshold=0))
    except BaseExceptionGroup as group:
        if group.subgroup(KeyboardInterrupt) is not None:
            raise KeyboardInterrupt from None  # whatever else it broke where it struck
        raise


@contextmanager
def without_collector() -> Iterator[None]:
    """Keep the garbage collector from going through a lab's many objects again and again: they all stay till its end."""
    before = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if before:
            gc.enable()


@contextmanager
def deterministic(seed: int) -> Iterator[None]:
    """Let trio choose between tasks that can run in an order that `seed` gives."""
    # trio keeps its dice and this switch to itself; tests of other projects seed them in the same way.
    inside = sys.modules["trio._core._run"]
    before = getattr(inside, _ORDERED)
    setattr(inside, _ORDERED, True)
    inside._r.seed(seed)
    try:
        yield
    finally:
        setattr(inside, _ORDERED, before)


def _megabytes() -> float:
    """The peak of this process's memory.

    What getrusage says begins at the peak of the process that started this one (getrusage(2), Linux), so /proc is asked.
    """
    status = Path("/proc/self/status")
    if status.exists():
        return int(status.read_text().partition("VmHWM:")[2].split()[0]) / 1024
    return getrusage(RUSAGE_SELF).ru_maxrss / 1024


class Run:
    """One run of a topology. Raises LocalError for options that do not fit it."""

    def __init__(self, topology: Topology, fabric: str, options: LabOptions, report: Report | None) -> None:
        if fabric not in OPENERS:
            raise LocalError(f"there is no fabric {fabric!r}; there is {', '.join(OPENERS)}")
        if options.virtual and fabric != "memory":
            raise LocalError("virtual time is for the memory fabric")
        if options.daemons and fabric != "netns":
            raise LocalError("--daemon needs real kernels: --fabric netns")
        if options.pods < 0:
            raise LocalError(f"--pods is {options.pods}; it must be at least 0")
        if options.hold_time is not None:
            try:
                check_hold_time(options.hold_time)
            except ValueError as error:
                raise LocalError(f"--hold-time: {error}") from None
        self.topology = topology
        self.options = options
        self.report = report
        self.fabric = fabric
        self.faults = [parse_fault(text, topology) for text in options.fail]
        if fabric == "memory" and self._killed():
            raise LocalError("kill needs a kernel that keeps the routes: use --fabric netns")
        self.traced = [self._pair(*pair) for pair in options.trace]
        for host in topology.hosts[:1]:
            host.pod(options.pods)
        self.picture = ""
        self._log = Log()
        self._began = process_time()

    def _pair(self, one: str, other: str) -> tuple[str, str]:
        hosts = {host.name for host in self.topology.hosts}
        for name in (one, other):
            if name not in hosts:
                raise LocalError(f"{name!r} is no node that has pods; there are {', '.join(sorted(hosts)[:12])}")
        return one, other

    def _killed(self) -> frozenset[str]:
        """The nodes whose speakers faults kill."""
        parts = [part for fault in self.faults for part in fault.parts]
        return frozenset(part.nodes[0] for part in parts if part.kind is FaultKind.KILL)

    def settings(self) -> FabricSettings:
        """What the fabric is told."""
        options = self.options
        hold_time = options.hold_time
        parts = [part for fault in self.faults for part in fault.parts]
        silent = any(part.kind in (FaultKind.LINK, FaultKind.NODE) for part in parts)
        if hold_time is None and silent and not options.virtual:
            hold_time = SHORT_HOLD_TIME
        killed = self._killed()
        return FabricSettings(
            options.pods, hold_time, options.seed if options.virtual else None, options.daemons, killed
        )

    def _watch(self, change: SessionChange) -> None:
        self._log.add(change)
        if self.report is not None:
            self.report.session(change)

    async def go(self) -> Result:
        """From sessions to verdict."""
        report, topology = self.report, self.topology
        if report is not None:
            where = self.fabric + (f", virtual time, seed {self.options.seed}" if self.options.virtual else "")
            report.opening(MODELS[topology.model].about, spell_parameters(topology), where)
            report.sessions_begin()
        async with OPENERS[self.fabric](topology, self._watch, self.settings()) as fabric:
            return await self._measure(fabric)

    async def _measure(self, fabric: Fabric) -> Result:
        report, topology = self.report, self.topology
        try:
            convergence = await fabric.converge(PATIENCE)
        finally:
            if report is not None:
                report.sessions_end()
        cost = None if self.options.virtual else Cost(process_time() - self._began, _megabytes())
        snapshot = await fabric.snapshot()
        reachability = await fabric.reach(snapshot, self.options.pods)
        result = Result(
            topology=topology,
            fabric=fabric.name,
            convergence=convergence,
            measured=snapshot.counts,
            traffic=snapshot.traffic,
            reachability=reachability,
            cost=cost,
            down=tuple((f"{s.dials.node} ⇄ {s.listens.node}", reason) for s, reason in snapshot.down),
            traces=tuple(
                snapshot.forwarder.trace(one, topology[other].pod(1, version))
                for one, other in self.traced
                for version in topology.versions
            ),
        )
        if report is not None:
            report.tables(snapshot, result, ping=self.options.ping)
        if self.options.svg is not None:
            self.picture = draw_svg(topology, snapshot, self._drawn(snapshot, result))
        result = replace(result, faults=tuple([await self._fault(fabric, fault) for fault in self.faults]))
        if report is not None:
            report.verdict(result)
        return result

    def _drawn(self, snapshot: Snapshot, result: Result) -> Trace | None:
        """The packet's way that the picture shows."""
        if result.traces:
            return result.traces[0]
        hosts = self.topology.hosts
        return snapshot.forwarder.trace(hosts[0].name, hosts[-1].pod()) if len(hosts) > 1 else None

    async def _fault(self, fabric: Fabric, fault: Fault) -> FaultReport:
        """One fault, healed before the next; the sessions that go and come are in its report."""
        if self.report is not None:
            self.report.fault_begins(fault)
        found = await inject(fabric, self._log, fault, PATIENCE)
        if self.report is not None:
            self.report.fault_ends(found)
        found = await repair(fabric, found, PATIENCE)
        if self.report is not None and found.repaired is not None:
            self.report.repaired(found.repaired)
        return found
