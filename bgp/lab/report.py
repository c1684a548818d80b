"""What a person sees of a lab run: the picture, sessions as they come up, tables, a packet's way, counts, the verdict."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from io import TextIOBase
from typing import Final, NamedTuple, TextIO, cast

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from bgp.iana import MessageType
from bgp.lab.drawing import STYLES, draw
from bgp.lab.fabric import MemoryFabric, SessionChange
from bgp.lab.forwarding import Hop, Trace
from bgp.lab.result import Comparison, Failure, Result
from bgp.topology.model import ROLES, TOR, Counts, Session, Topology
from rib.family import IPV4_UNICAST
from rib.prefix import Prefix
from rib.route import Path, SourceKind

#: Lines of sessions, rows of a table, failed pairs that are shown; the rest is a number.
MAX_SESSION_LINES: Final = 20
MAX_PEERS_IN_LINE: Final = 8
MAX_ROUTES: Final = 12
MAX_FAILURES: Final = 8
#: Wider output is no easier to read.
MAX_WIDTH: Final = 120

ROLE_NAMES: Final = {TOR: "ToR"}
_KINDS: Final = {SourceKind.INTERNAL: "iBGP", SourceKind.EXTERNAL: "eBGP", SourceKind.LOCAL: "own"}
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
            if not self.broken:
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
        speakers = ", ".join(_count(len(topology.having(role)), role) for role in topology.roles)
        where = "one process, octets in memory" if fabric == "memory" else fabric
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
        if not change.up:
            self._print(
                f"[red]down[/]  {session.dials.node} ⇄ {session.listens.node} after {change.at:.3f} s: {change.reason}"
            )
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
        for place, (name, at) in enumerate(peers[:MAX_PEERS_IN_LINE]):
            line.append("  " if place else "")
            line.append(name, STYLES[self.topology[name].role])
            line.append(f" {at * 1000:.1f}", "dim")
        if len(peers) > MAX_PEERS_IN_LINE:
            line.append(f"  … {len(peers) - MAX_PEERS_IN_LINE} more by {peers[-1][1] * 1000:.1f}", "dim")
        line.append(" ms", "dim")
        return line

    # When it has come to rest.

    def sessions_end(self) -> None:
        """No more of them are awaited."""
        if self._progress is not None:
            self._progress.stop()

    def closing(self, fabric: MemoryFabric, result: Result) -> None:
        """All the rest."""
        if self._lines > MAX_SESSION_LINES:
            self._print(Text(f"… and those of {self._lines - MAX_SESSION_LINES} more speakers", "dim"))
        for session, reason in result.down:
            self._print(f"[red]not up[/]  {session}: {reason}")
        for role in self.topology.roles:
            self._loc_rib(fabric, role)
        self._packet(fabric)
        self._counts(result)
        self._failures(result.reachability.failed)
        self._verdict(result)

    def _loc_rib(self, fabric: MemoryFabric, role: str) -> None:
        node = self.topology.having(role)[0]
        speaker = fabric.speakers[node.name]
        rows = list(_rows(speaker.loc_rib.table(IPV4_UNICAST).best, self.topology))
        self._heading(f"Loc-RIB of {node.name}", f"{_name(role)}, AS {node.asn}; {len(speaker.loc_rib)} prefixes")
        table = _table("prefixes", "next hop", "AS path", "learned from", "paths")
        candidates = speaker.loc_rib.table(IPV4_UNICAST).candidates
        for prefixes, path in rows[:MAX_ROUTES]:
            source = path.source
            who = Text("own pods", "dim") if source.is_local else Text(f"{source.name} {_KINDS[source.kind]}")
            hop = "" if source.is_local else str(path.attributes.next_hop)
            count = len(candidates(prefixes[0].nlri))
            table.add_row(_span(prefixes), hop, str(path.attributes.as_path), who, str(count))
        self._table(table)
        if len(rows) > MAX_ROUTES:
            left = sum(len(prefixes) for prefixes, _ in rows[MAX_ROUTES:])
            self._print(Text(f"… and {left} more prefixes", "dim"))

    def _packet(self, fabric: MemoryFabric) -> None:
        hosts = self.topology.hosts
        if len(hosts) < 2:
            return
        source, destination = hosts[0], hosts[-1]
        trace = fabric.forwarder().trace(source.name, destination.pod())
        ends = [f"{node.pod()} ({_place(node.name, node.rack)})" for node in (source, destination)]
        self._heading("A packet", f"from pod {ends[0]} to pod {ends[1]}")
        table = _table("TTL", "at", "route", "next hop", "learned from", "AS path")
        for hop in trace.hops:
            table.add_row(*self._hop(hop, trace))
        self._table(table)
        if not trace.arrived:
            self._print(Text(f"It gets no further: {trace.reason}", "red"))

    def _hop(self, hop: Hop, trace: Trace) -> tuple[str | Text, ...]:
        name = Text(hop.node, STYLES[self.topology[hop.node].role])
        if hop.prefix is None:
            here = Text("own block: arrived", "green") if trace.arrived else Text("no route", "red")
            return (str(hop.ttl), name, here)
        where = str(hop.gateway or "–")
        if hop.path is None:
            return (str(hop.ttl), name, str(hop.prefix), where, "connected", "")
        source = hop.path.source
        taught = f"{source.name} {_KINDS[source.kind]}"
        return (str(hop.ttl), name, str(hop.prefix), where, taught, str(hop.path.attributes.as_path))

    def _counts(self, result: Result) -> None:
        self._heading("Counts", "per speaker")
        table = _table("", "predicted", "measured", "")
        sessions = Comparison(self.topology.predicted_sessions, result.convergence.established)
        table.add_row("sessions", *_compared(sessions))
        for role in self.topology.roles:
            for count, meaning in zip(Counts._fields, ("usable paths", "best", "installed"), strict=True):
                shown = f"{_count(len(self.topology.having(role)), role)}: {meaning}"
                table.add_row(shown, *_compared(result.compare(role, count)))
        self._table(table)

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

    def _verdict(self, result: Result) -> None:
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
        self._print(Text(f"  {traffic.sent.total():,} messages ({kinds}), {traffic.octets:,} octets.", "dim"), 0)

    def _table(self, table: Table) -> None:
        self.console.print(Padding(table, (0, 0, 0, 2)))


def _table(*headings: str) -> Table:
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="dim", padding=(0, 1))
    for heading in headings:
        numeric = heading in ("TTL", "paths", "predicted", "measured")
        table.add_column(heading, justify="right" if numeric else "left", overflow="fold")
    return table


def _blocks(sessions: Iterable[Session]) -> dict[Block, int]:
    counted: dict[Block, int] = defaultdict(int)
    for session in sessions:
        counted[_block(session)] += 1
    return counted


def _block(session: Session) -> Block:
    return Block(session.group, session.listens.node)


def _kind(topology: Topology, session: Session) -> tuple[bool, str, str]:
    roles = sorted((topology[end.node].role for end in session.ends), key=ROLES.index)
    return session.internal, roles[0], roles[1]


def _order(kind: tuple[bool, str, str]) -> tuple[int, int]:
    return ROLES.index(kind[1]), ROLES.index(kind[2])


def _spell(kind: tuple[bool, str, str]) -> str:
    internal, upper, lower = kind
    return f"{'iBGP' if internal else 'eBGP'} {_name(upper)}–{_name(lower)}"


def _name(role: str) -> str:
    return ROLE_NAMES.get(role, role)


def _count(number: int, role: str) -> str:
    return f"{number} {_name(role)}{'s' if number != 1 else ''}"


def _place(node: str, rack: int | None) -> str:
    return node if rack is None else f"{node}, rack {rack}"


def _message(kind: int) -> str:
    try:
        return MessageType(kind).name.replace("_", "-")
    except ValueError:
        return f"of type {kind}"


def _rows(best: dict[bytes, Path], topology: Topology) -> Iterator[tuple[list[Prefix], Path]]:
    """The routes in order, those that differ in nothing but the prefix in one row."""
    groups: dict[tuple[object, ...], tuple[list[Prefix], Path]] = {}
    for prefix, path in sorted((Prefix.from_nlri(IPV4_UNICAST.afi, nlri), path) for nlri, path in best.items()):
        key = path.source, path.attributes.next_hop, path.attributes.as_path
        groups.setdefault(key, ([], path))[0].append(prefix)
    yield from groups.values()


def _span(prefixes: Sequence[Prefix]) -> str:
    if len(prefixes) == 1:
        return str(prefixes[0])
    return f"{prefixes[0]} + {len(prefixes) - 1} more"


def _compared(comparison: Comparison) -> tuple[str, str, Text]:
    mark = Text("✓", "green") if comparison.holds else Text("✗", "bold red")
    return _number(comparison.predicted), _number(comparison.measured), mark


def _number(value: int | list[int]) -> str:
    if isinstance(value, int):
        return str(value)
    return ", ".join(map(str, value[:6])) + (", …" if len(value) > 6 else "")


def _why_not(result: Result) -> str:
    wanted, there = result.topology.predicted_sessions, result.convergence.established
    if there != wanted:
        return f"{there} of {wanted} sessions are up."
    if not result.convergence.settled:
        return "the sessions are up, but the routes have not come to rest."
    wrong = sum(result.measured[name] != counts for name, counts in result.topology.predicted.items())
    return f"the sessions are up, but {wrong} of {len(result.measured)} speakers do not hold what was predicted."
