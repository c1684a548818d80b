"""What a running speaker answered, for people: tables and words. Rows come as JSON texts, as over the control socket."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice
from typing import Final, NamedTuple, TextIO

from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

Row = Mapping[str, object]
#: Rows that are read before the widths of columns are settled; those after them go out as they come.
SAMPLE: Final = 500
#: Columns of a file or a pipe.
FILE_WIDTH: Final = 240
UP: Final = "Established"


def _print(out: TextIO, *parts: RenderableType) -> None:
    """Print in colour on a terminal, elsewhere lines as long as they are; no spaces at their ends."""
    printed = Console(file=out, highlight=False, width=None if out.isatty() else FILE_WIDTH)
    with printed.capture() as captured:
        for part in parts:
            printed.print(part)
    text = "\n".join(line.rstrip() for line in captured.get().splitlines())
    out.write(text.strip("\n") + "\n")


def duration(seconds: float) -> str:
    """ "12 s", "5 min 3 s", "4 d 2 h"."""
    whole = int(seconds)
    parts = (
        (whole // 86400, "d"),
        (whole // 3600 % 24, "h"),
        (whole // 60 % 60, "min"),
        (whole % 60, "s"),
    )
    first = next((index for index, (number, _) in enumerate(parts) if number), 3)
    return " ".join(f"{number} {unit}" for number, unit in parts[first : first + 2] if number or first == 3)


def show_rows(rows: Iterable[str], out: TextIO) -> None:
    """The rows as they came: a JSON object a line."""
    for text in rows:
        out.write(text + "\n")


# Routes: a line each, in columns whose widths the first ones settle.


class Column(NamedTuple):
    """A heading, and what stands under it."""

    title: str
    cell: Callable[[Row], str]
    right: bool = False


def _field(name: str) -> Callable[[Row], str]:
    def cell(row: Row) -> str:
        value = row.get(name)
        return "" if value is None else str(value)

    return cell


def _from(row: Row) -> str:
    if row.get("kind") == "local":
        return "own"
    return str(row.get("name") or row["from"])


def _communities(row: Row) -> str:
    names = ("communities", "large_communities", "ext_communities")
    found = (row.get(name) for name in names)
    return " ".join(str(one) for many in found if isinstance(many, list) for one in many)


def _reason(row: Row) -> str:
    return str(row.get("refused") or f"lost by {row.get('lost')}")


_PREFIX: Final = Column("prefix", _field("prefix"))
_NEXT_HOP: Final = Column("next hop", _field("next_hop"))
_PATH: Final = Column("AS path", _field("as_path"))
_FROM: Final = Column("from", _from)
ROUTES: Final = (
    _PREFIX,
    _NEXT_HOP,
    Column("pref", _field("local_pref"), right=True),
    Column("MED", _field("med"), right=True),
    _FROM,
    Column("origin", _field("origin")),
    _PATH,
    Column("communities", _communities),
)
RECEIVED: Final = (*ROUTES, Column("refused because", _field("refused")))
REJECTED: Final = (_PREFIX, _FROM, Column("why it is not used", _reason), _NEXT_HOP, _PATH)


def show_routes(rows: Iterable[str], columns: Sequence[Column], out: TextIO) -> int:
    """Routes as a table for each family, written as they come; gives how many there were."""
    count = 0
    for family, found in _by_family(map(parsed, rows)):
        if count:
            out.write("\n")
        out.write(f"{family}\n")
        for line in _table(found, columns):
            out.write(line + "\n")
            count += 1
        count -= 1  # the headings
    return count


def parsed(text: str) -> Row:
    """A row."""
    row: Row = json.loads(text)
    return row


def _by_family(rows: Iterator[Row]) -> Iterator[tuple[str, Iterator[Row]]]:
    """Runs of rows of one family; each run must be read to its end before the next."""
    waiting = next(rows, None)

    def run(family: object) -> Iterator[Row]:
        nonlocal waiting
        while waiting is not None and waiting["family"] == family:
            yield waiting
            waiting = next(rows, None)

    while waiting is not None:
        yield str(waiting["family"]), run(waiting["family"])


def _table(rows: Iterator[Row], columns: Sequence[Column]) -> Iterator[str]:
    sample = list(islice(rows, SAMPLE))
    used = [column for column in columns if any(column.cell(row) for row in sample)] or list(columns)
    widths = [max(len(column.title), *(len(column.cell(row)) for row in sample)) for column in used]
    yield _line([column.title for column in used], used, widths)
    for row in chain(sample, rows):
        yield _line([column.cell(row) for column in used], used, widths)


def _line(cells: Sequence[str], columns: Sequence[Column], widths: Sequence[int]) -> str:
    padded = (
        cell.rjust(width) if column.right else cell.ljust(width)
        for cell, column, width in zip(cells, columns, widths, strict=True)
    )
    return ("  " + "  ".join(padded)).rstrip()


# The speaker and its peers.


def show_summary(row: Row, out: TextIO) -> None:
    """The speaker and a line for each peer."""
    listening = ", ".join(_list(row["listening"])) or "nowhere"
    routes = row["routes"] if isinstance(row["routes"], dict) else {}
    counted = ", ".join(f"{number} {family}" for family, number in routes.items()) or "none"
    out.write(
        f"AS {row['asn']}, BGP identifier {row['router_id']}, up {duration(_number(row['uptime']))}\n"
        f"listens on {listening}; peak memory {_number(row['memory']) / 1e6:.0f} MB\n"
        f"best routes: {counted}; paths {row['paths']}; own {row['announced']}; update groups {row['update_groups']}\n"
        f"{_DRAIN[str(row['draining'])]}\n"
    )
    table = _rich_table()
    for title in ("peer", "kind", "AS", "state", "for", "messages in", "out", "routes", "used", "why"):
        table.add_column(title, justify="right" if title in _NUMBERS else "left", overflow="fold")
    peers = row["peers"] if isinstance(row["peers"], list) else []
    for peer in peers:
        table.add_row(*_summary_cells(peer))
    _print(out, table if peers else "no peers")


_NUMBERS: Final = frozenset({"AS", "messages in", "out", "routes", "used"})


_DRAIN: Final = {
    "no": "",
    "leaving": "draining: every route goes out as graceful-shutdown (RFC 8326)\n",
    "gone": "drained: every route of ours is taken back until `bgp undrain`\n",
}


def _summary_cells(peer: Row) -> Iterator[str | Text]:
    yield f"{peer['address']} ({peer['name']})" if peer["name"] else str(peer["address"])
    yield str(peer["kind"])
    yield str(peer["asn"])
    yield _state(peer)
    yield duration(_number(peer["since"]))
    yield str(peer["messages_received"])
    yield str(peer["messages_sent"])
    for name in ("received", "used"):
        yield "" if peer[name] is None else str(peer[name])
    yield str(peer["why"])


def _state(peer: Row) -> Text:
    return Text(str(peer["state"]), style="green" if peer["state"] == UP else "red")


def _rich_table() -> Table:
    return Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")


def show_neighbor(row: Row, out: TextIO) -> None:
    """All that is known of a peer; first of all why it is down, if it is."""
    name = f" ({row['name']})" if row["name"] else ""
    head = Text(f"{row['address']}{name}  {row['kind']} AS {row['expected_asn']}  ")
    head.append_text(_state(row)).append(f" for {duration(_number(row['since']))}")
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for title, text in _neighbor_lines(row):
        table.add_row(f"  {title}", text)
    _print(out, head, table)
    out.write("\n")


def _neighbor_lines(row: Row) -> Iterator[tuple[str, str]]:
    if row["why"]:
        yield "why", str(row["why"])
    yield from _connection_lines(row)
    if row["received_asn"] is not None:
        yield "their OPEN", f"AS {row['received_asn']}, BGP identifier {row['received_router_id']}"
    expected, received = row["expected_asn"], row["received_asn"]
    if received not in (None, expected):
        yield "AS number", f"expected {expected}, received {received}"
    if (last := row["last_sent"]) is not None:
        yield "last sent", _notification(last)
    if (last := row["last_received"]) is not None:
        yield "last received", _notification(last)
    yield "hold time", _hold_time(row)
    yield "we offer", ", ".join(_list(row["capabilities_sent"])) or "nothing"
    if received is not None:
        yield "they offer", ", ".join(_list(row["capabilities_received"])) or "nothing"
    yield "policies", f"import {row['import_policy']}; export {row['export_policy']}"
    yield (
        "messages",
        f"{row['messages_received']} received ({row['updates_received']} UPDATE), "
        f"{row['messages_sent']} sent ({row['updates_sent']} UPDATE), {row['queued']} octets waiting",
    )
    yield "sessions", f"{row['times_established']} established, {row['times_dropped']} ended"
    routes = row["routes"] if isinstance(row["routes"], list) else []
    for one in routes:
        lost = row["disabled"].get(str(one["family"])) if isinstance(row["disabled"], dict) else None
        counted = f"{one['received']} received, {one['refused']} refused, {one['best']} best"
        yield str(one["family"]), counted if lost is None else f"disabled until the session begins anew: {lost}"


def _connection_lines(row: Row) -> Iterator[tuple[str, str]]:
    if row["local"] is not None:
        yield "connection", f"{row['local']} to {row['remote']}"
    else:
        source = f" from {row['configured_local_address']}" if row["configured_local_address"] else ""
        waits = "waits for the peer to connect" if row["passive"] else f"connects to port {row['port']}{source}"
        again = f"; next in {duration(_number(row['next_attempt']))}" if row["next_attempt"] is not None else ""
        yield "connection", f"none: {waits}{again}"
    if row["connect_error"]:
        yield "last attempt", str(row["connect_error"])


def _notification(value: object) -> str:
    return str(value["text"]) if isinstance(value, dict) else str(value)


def _hold_time(row: Row) -> str:
    theirs = f", theirs {row['hold_time_received']} s" if row["hold_time_received"] is not None else ""
    text = f"ours {row['hold_time_configured']} s{theirs}"
    if row["hold_time"]:
        left = f", {duration(_number(row['hold_timer']))} left" if row["hold_timer"] is not None else ""
        return f"{row['hold_time']} s ({text}), KEEPALIVE every {_number(row['keepalive_time']):.0f} s{left}"
    return text


# One prefix.


def show_decision(row: Row, out: TextIO) -> None:
    """Every path to a prefix, the best first, and what decided."""
    out.write(f"{row['prefix']}  {row['family']}\n")
    candidates = row["candidates"] if isinstance(row["candidates"], list) else []
    for candidate in candidates:
        path = candidate["path"]
        out.write(f"  {'best' if candidate['best'] else '    '}  {_where_from(path)}: {_verdict(candidate, path)}\n")
        for name, value in path.items():
            if name not in ("from", "name", "kind", "refused"):
                text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
                out.write(f"          {name.replace('_', ' '):<18}{text}\n")
    told, kept = _list(row["announced_to"]), row["kept_from"] if isinstance(row["kept_from"], dict) else {}
    if told:
        out.write(f"  announced to {', '.join(told)}\n")
    for address, reason in kept.items():
        out.write(f"  not announced to {address}: {reason}\n")


def _where_from(path: Row) -> str:
    if path["kind"] == "local":
        return "own"
    name = f" ({path['name']})" if path.get("name") else ""
    return f"from {path['from']}{name} {path['kind']}"


def _verdict(candidate: Row, path: Row) -> str:
    if candidate["best"]:
        return f"won by {candidate['why']}" if candidate["why"] != "only path" else "the only usable path"
    return f"refused, {candidate['why']}" if path.get("refused") else f"lost by {candidate['why']}"


def _list(value: object) -> list[str]:
    return [str(one) for one in value] if isinstance(value, list) else []


def _number(value: object) -> float:
    return value if isinstance(value, int | float) else 0


def show_kernel(row: Row, out: TextIO) -> None:
    """Counts, and a line for each route that is missing."""
    stale = f", {row['stale']} of them from a former run" if row["stale"] else ""
    out.write(
        f"kernel table {row['table']}, protocol {row['protocol']}, metric {row['metric']}\n"
        f"{row['installed']} routes installed{stale}; {row['written']} written and {row['removed']} removed since the start\n"
    )
    missing = row["missing"] if isinstance(row["missing"], dict) else {}
    for prefix, reason in missing.items():
        out.write(f"missing {prefix}: {reason}\n")
