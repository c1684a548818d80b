"""What a person sees of a lab run: the picture, sessions as they come up, tables, a packet's way, counts, the verdict."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from io import TextIOBase
from pathlib import Path
from typing import Final, NamedTuple, TextIO, cast

from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from bgp.iana import MessageType
from bgp.lab import tables
from bgp.lab.drawing import STYLES, draw
from bgp.lab.fabric import SessionChange, Snapshot
from bgp.lab.fault import Fault, FaultReport, Repair
from bgp.lab.forwarding import Trace
from bgp.lab.loss import Loss
from bgp.lab.reach import Failure, Reachability
from bgp.lab.result import Result
from bgp.topology.model import ROLES, Node, Session, Topology

#: Lines of sessions, peers in one, failed pairs that are shown; the rest is a number.
MAX_SESSION_LINES: Final = 20
MAX_PEERS_IN_LINE: Final = 8
MAX_FAILURES: Final = 8
#: Columns for the end of a line of sessions: how many more there are.
LAST_WORDS: Final = 24
#: Wider output is no easier to read.
MAX_WIDTH: Final = 120

#: What is seen of the progress while sessions come up.
_COLUMNS: Final = (TextColumn("  {task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
#: For terminals and files that cannot hold more than ASCII.
_ASCII: Final = str.maketrans(
    dict.fromkeys("┌┐└┘├┤┬┴┼╒╕╘╛╤╧╪╞╡", "+")
    | {"─": "-", "╶": "-", "═": "=", "│": "|", "╷": "|", "·": ".", "×": "x", "–": "-"}
    | {"→": "->", "⇄": "<->", "✓": "ok", "✗": "!!", "…": "..."}
)


_TRAILING: Final = re.compile(r" +$", re.MULTILINE)


class _Writer(TextIOBase):
    """Writes to another file without the spaces at the ends of lines and, if that is all it holds, in ASCII."""

    def __init__(self, out: TextIO) -> None:
        self.broken = False  #: nobody reads any more
        self._out = out
        self._plain = not (out.encoding or "utf-8").lower().startswith("utf")

    def write(self, text: str) -> int:
        """See `TextIO`."""
        text = _TRAILING.sub("", text)
        try:
            return 0 if self.broken else self._out.write(text.translate(_ASCII) if self._plain else text)
        except BrokenPipeError:
            self.broken = True
            return 0

    def flush(self) -> None:
        """See `TextIO`."""
        try:
            if not self.broken and not self._out.closed:  # it is also called when nobody needs this file any more
                self._out.flush()
        except BrokenPipeError:
            self.broken = True

    def isatty(self) -> bool:
        """See `TextIO`."""
        return self._out.isatty()


class Block(NamedTuple):
    """Sessions that are told about in one line: those of a group that one node listens for."""

    group: str
    listener: str
    dialler: str = ""


class Report:
    """Writes to `out`; in colour where that is a terminal."""

    def __init__(self, topology: Topology, out: TextIO) -> None:
        self.topology = topology
        self._writer = _Writer(out)
        # The cast: TextIOBase has all that the console asks of a file.
        self.console = Console(file=cast(TextIO, self._writer), highlight=False)
        self.console.width = min(self.console.width, MAX_WIDTH)
        self._waiting = _blocks(topology.sessions)
        self._came_up: dict[Block, list[tuple[str, float]]] = defaultdict(list)
        self._lines = 0
        self._progress: Progress | None = None
        self._up = False

    @property
    def broken(self) -> bool:
        """Whether nobody reads it any more."""
        return self._writer.broken

    def _print(self, text: Text | str, indent: int = 2) -> None:
        made = Text.from_markup(text) if isinstance(text, str) else text
        self.console.print(Padding(made, (0, 0, 0, indent)) if indent else made)

    def _heading(self, words: str, more: str = "") -> None:
        self.console.print()
        self._print(Text.assemble((words, "bold"), (f"  {more}" if more else "", "dim")), 0)

    # Before and while it runs.

    def opening(self, about: str, parameters: str, fabric: str) -> None:
        """The topology and its picture."""
        topology = self.topology
        self._print(Text.assemble((topology.model, "bold"), f"  {parameters}"), 0)
        if topology.without:
            self._print(Text(f"without {', '.join(topology.without)}", "yellow"), 0)
        speakers = ", ".join(tables.count_of(len(topology.having(role)), role) for role in topology.roles)
        where = fabric.replace("memory", "one process, octets in memory")
        self._print(Text(about, "dim"), 0)
        self._print(Text(f"{len(topology.nodes)} speakers ({speakers}) in {where}", "dim"), 0)
        self.console.print()
        for line in draw(topology, self.console.width - 2):
            self._print(line)

    def sessions_begin(self) -> None:
        """Say what is about to come up."""
        kinds = sorted({_kind(self.topology, session) for session in self.topology.sessions}, key=_order)
        counted = [
            f"{sum(_kind(self.topology, s) == kind for s in self.topology.sessions)} {_spell(kind)}" for kind in kinds
        ]
        self._heading("Sessions", ", ".join(counted) or "none")
        if self.console.is_terminal:
            self._progress = Progress(*_COLUMNS, console=self.console, transient=True)
            self._progress.add_task("sessions up", total=len(self.topology.sessions))
            self._progress.start()

    def session(self, change: SessionChange) -> None:
        """A session came up, or went down."""
        session = change.session
        if self._progress is not None:
            self._progress.advance(TaskID(0), 1 if change.up else -1)
        between = f"{session.dials.node} ⇄ {session.listens.node}"
        if not change.up:
            reason = change.reason or "no reason given"
            self._print(Text.assemble(("down", "red"), f"  {between} at {change.at:.3f} s: {reason}"))
            return
        if self._up:
            self._print(Text.assemble(("up", "green"), f"    {between} at {change.at:.3f} s"))
            return
        block = _block(session)
        self._came_up[block].append((session.dials.node, change.at))
        if len(self._came_up[block]) == self._waiting[block]:
            self._lines += 1
            if self._lines <= MAX_SESSION_LINES:
                self._print(self._session_line(block, session))

    def _session_line(self, block: Block, session: Session) -> Text:
        peers = self._came_up.pop(block)
        width = max(len(one.listener) for one in self._waiting)
        line = Text(f"{'iBGP' if session.internal else 'eBGP'} ", "dim")
        line.append(f"{block.listener:>{width}}", STYLES[self.topology[block.listener].role])
        line.append(" ⇄ ", "dim")
        room = self.console.width - LAST_WORDS
        for place, (name, at) in enumerate(peers):
            words = f"{'  ' if place else ''}{name} {at * 1000:.1f}"
            if place == MAX_PEERS_IN_LINE or line.cell_len + len(words) > room:
                line.append(f"  … {len(peers) - place} more by {peers[-1][1] * 1000:.1f}", "dim")
                break
            line.append("  " if place else "")
            line.append(name, STYLES[self.topology[name].role])
            line.append(f" {at * 1000:.1f}", "dim")
        line.append(" ms", "dim")
        return line

    # When it has come to rest.

    def sessions_end(self) -> None:
        """No more of them are awaited."""
        if self._progress is not None:
            self._progress.stop()

    def tables(self, snapshot: Snapshot, result: Result, *, ping: bool = False) -> None:
        """What the speakers hold, and how a packet goes."""
        if self._lines > MAX_SESSION_LINES:
            self._print(Text(f"… and those of {self._lines - MAX_SESSION_LINES} more speakers", "dim"))
        self._up = True
        for session, reason in result.down:
            self._print(Text.assemble(("not up", "red"), f"  {session}: {reason}"))
        for role in self.topology.roles:
            self._loc_rib(snapshot, self.topology.having(role)[0])
        for trace in result.traces or self._usual_trace(snapshot):
            self._packet(trace)
        self._heading("Counts", "per speaker")
        self._table(tables.counts(self.topology, result))
        if ping:
            self._matrix(result.reachability)
        self._failures(result.reachability.failed)

    def _loc_rib(self, snapshot: Snapshot, node: Node) -> None:
        rows = tables.rows(snapshot, node.name, self.topology.families)
        prefixes = sum(len(row.prefixes) for row in rows)
        many = f"{prefixes} prefix{'es' if prefixes != 1 else ''}"
        self._heading(f"Loc-RIB of {node.name}", f"{tables.role_name(node.role)}, AS {node.asn}; {many}")
        self._table(tables.loc_rib(rows))
        if len(rows) > tables.MAX_ROUTES:
            left = sum(len(row.prefixes) for row in rows[tables.MAX_ROUTES :])
            self._print(Text(f"… and {left} more prefixes", "dim"))

    def _usual_trace(self, snapshot: Snapshot) -> tuple[Trace, ...]:
        """From the first node that has pods to the last."""
        hosts = self.topology.hosts
        return (snapshot.forwarder.trace(hosts[0].name, hosts[-1].pod()),) if len(hosts) > 1 else ()

    def _packet(self, trace: Trace) -> None:
        source, version = self.topology[trace.hops[0].node], trace.destination.version
        target = next(h for h in self.topology.hosts if any(trace.destination in p for p in h.prefixes))
        ends = f"from pod {source.pod(1, version)} ({_place(source)}) to pod {trace.destination} ({_place(target)})"
        self._heading("A packet", ends)
        self._table(tables.way(self.topology, trace))
        if not trace.arrived:
            self._print(Text(f"It gets no further: {trace.reason}", "red"))

    def _matrix(self, reachability: Reachability) -> None:
        self._heading("Pings", "from the pods of a node to those of the others, in the same order")
        for line in tables.pings(self.topology, reachability):
            self._print(line)

    def _failures(self, failed: Sequence[Failure]) -> None:
        if not failed:
            return
        self._heading("Pods that do not reach each other", "and why")
        by_source: dict[str, list[Failure]] = defaultdict(list)
        for failure in failed:
            by_source[failure.source].append(failure)
        for source, some in list(by_source.items())[:MAX_FAILURES]:
            to = ", ".join(one.destination for one in some[:MAX_PEERS_IN_LINE])
            more = f" and {len(some) - MAX_PEERS_IN_LINE} more" if len(some) > MAX_PEERS_IN_LINE else ""
            alike = " (and so on)" if len(some) > 1 else ""
            self._print(Text.assemble((f"{source} → {to}{more}", "red"), f": {some[0].reason}{alike}"))
        if len(by_source) > MAX_FAILURES:
            rest = sum(len(some) for some in list(by_source.values())[MAX_FAILURES:])
            self._print(Text(f"… and {rest} more pairs; --json has them all", "dim"))

    # Faults.

    def fault_begins(self, fault: Fault) -> None:
        """It breaks."""
        self._heading("Fault", str(fault))

    def fault_ends(self, found: FaultReport) -> None:
        """What followed from it."""
        if found.detected_after is None:
            self._print("No session noticed.")
        else:
            self._print(f"Detected after {found.detected_after:.3f} s.")
        if found.converged_after is None:
            self._print(Text("It has not come to rest.", "red"))
        else:
            self._print(f"At rest again after {found.converged_after:.3f} s.")
        if found.loss is not None:
            self._print(_lost(found.loss))
        else:
            self._print(
                f"{found.lost_meanwhile} of {found.flows} flows were lost meanwhile, {found.lost} are lost now."
            )
        if found.why:
            self._print(Text(found.why, "red"))

    def repaired(self, found: Repair) -> None:
        """What followed from its end."""
        after = (
            "has not come to rest" if found.converged_after is None else f"at rest after {found.converged_after:.3f} s"
        )
        flows = "all flows pass again" if not found.lost else f"{found.lost} flows are still lost"
        self._print(f"Repaired: {after}, {flows}.")
        if found.loss is not None:
            self._print(_lost(found.loss))

    def verdict(self, result: Result) -> None:
        """Whether it did what was predicted."""
        reachability, traffic, seconds = result.reachability, result.traffic, result.convergence.seconds
        self.console.print()
        if result.converged:
            verdict = Text.assemble(("✓ ", "bold green"), ("Converged", "bold green"), f" in {seconds:.3f} s: ")
            verdict.append(f"{result.convergence.established} sessions up, every count as predicted.")
        else:
            verdict = Text.assemble(("✗ ", "bold red"), ("Not converged", "bold red"), f" after {seconds:.3f} s: ")
            verdict.append(_why_not(result))
        self._print(verdict, 0)
        good = not reachability.failed
        mark = Text("✓ " if good else "✗ ", "bold green" if good else "bold red")
        self._print(
            mark.append(f"{reachability.ok} of {reachability.pairs} ordered pairs of pods reach each other.", ""), 0
        )
        kinds = ", ".join(f"{count} {_message(kind)}" for kind, count in sorted(traffic.sent.items()))
        spent = "" if result.cost is None else f" {result.cost.cpu:.2f} s of CPU, {result.cost.megabytes:.0f} MB."
        self._print(Text(f"  {traffic.sent.total():,} messages ({kinds}), {traffic.octets:,} octets.{spent}", "dim"), 0)

    def files(self, picture: Path | None, folder: Path | None, configurations: int) -> None:
        """What was written beside."""
        if picture is not None:
            self._print(Text(f"  The picture is {picture}.", "dim"), 0)
        if folder is not None:
            self._print(Text(f"  {configurations} configurations for BIRD and FRR are in {folder}.", "dim"), 0)

    def _table(self, table: Table) -> None:
        self.console.print(Padding(table, (0, 0, 0, 2)))


def _blocks(sessions: Iterable[Session]) -> dict[Block, int]:
    counted: dict[Block, int] = defaultdict(int)
    for session in sessions:
        counted[_block(session)] += 1
    return counted


def _block(session: Session) -> Block:
    return Block(session.group, session.listens.node)


def _lost(loss: Loss) -> str:
    """The packets that a fault cost, and for how long."""
    if not loss.lost:
        return (
            f"None of {loss.sent:,} packets in {len(loss.flows)} flows was lost; the slowest took {_ms(loss.slowest)}."
        )
    return (
        f"{loss.lost:,} of {loss.sent:,} packets were lost, in {len(loss.hit)} of {len(loss.flows)} flows, for"
        f" {_ms(loss.longest)} at the longest; {len(loss.dead)} flows are lost now."
    )


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:,.0f} ms"


def _kind(topology: Topology, session: Session) -> tuple[bool, str, str]:
    roles = sorted((topology[end.node].role for end in session.ends), key=ROLES.index)
    return session.internal, roles[0], roles[1]


def _order(kind: tuple[bool, str, str]) -> tuple[int, int]:
    return ROLES.index(kind[1]), ROLES.index(kind[2])


def _spell(kind: tuple[bool, str, str]) -> str:
    internal, upper, lower = kind
    return f"{'iBGP' if internal else 'eBGP'} {tables.role_name(upper)}–{tables.role_name(lower)}"


def _place(node: Node) -> str:
    return node.name if node.rack is None else f"{node.name}, rack {node.rack}"


def _message(kind: int) -> str:
    try:
        return MessageType(kind).name.replace("_", "-")
    except ValueError:
        return f"of type {kind}"


def _why_not(result: Result) -> str:
    wanted, there = result.topology.predicted_sessions, result.convergence.established
    if there != wanted:
        return f"{there} of {wanted} sessions are up."
    if not result.convergence.settled:
        return "the sessions are up, but the routes have not come to rest."
    wrong = sum(result.measured[name] != counts for name, counts in result.topology.predicted.items())
    return f"the sessions are up, but {wrong} of {len(result.measured)} speakers do not hold what was predicted."
