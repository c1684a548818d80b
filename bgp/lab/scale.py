"""A model at growing size: what sessions, messages, time and memory come to, so that N² and N can be told apart.

Each size runs in a process of its own: the peak of a process's memory is all that the system tells of it.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Final, TextIO

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bgp.error import LocalError
from bgp.lab.models import MODELS, build
from bgp.lab.point import Point, pictures
from bgp.lab.writable import check_writable

#: The largest size that can be asked for.
LARGEST: Final = 2000


def sized(model: str, parameters: Mapping[str, int | str], size: int) -> dict[str, int | str]:
    """The parameters with which a model has `size` nodes with pods, or a few more where racks must be full.

    Raises LocalError for a model that cannot grow.
    """
    names = {parameter.name: parameter.default for parameter in MODELS[model].parameters}
    if "nodes" in names:
        return {**parameters, "nodes": size}
    growing = next((name for name in ("racks", "leaves") if name in names), None)
    if growing is None:
        raise LocalError(f"{model} does not grow")
    servers = int(parameters.get("servers", names["servers"]))
    clusters = int(parameters.get("clusters", names.get("clusters", 1)))
    return {**parameters, growing: max(-(-size // (servers * clusters)), 1)}


def sizes(text: str) -> list[int]:
    """The numbers of "10,20,50,100". Raises LocalError for what are none."""
    words = [word.strip() for word in text.split(",")]
    found = [int(word) for word in words if word.isdigit()]
    if len(found) != len(words) or not all(2 <= size <= LARGEST for size in found):
        raise LocalError(f"{text!r}: write sizes from 2 to {LARGEST} with commas between, as 10,20,50,100")
    return sorted(set(found))


def run(model: str, parameters: Mapping[str, int | str]) -> Point:
    """Run a model once, in a process of its own. Raises LocalError where that fails."""
    hosts = len(build(model, parameters).hosts)
    words = [word for name, value in parameters.items() for word in (f"--{name.replace('_', '-')}", str(value))]
    command = [sys.executable, "-m", "bgp", "lab", model, *words, "--json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    try:
        found = json.loads(done.stdout)
    except ValueError:
        raise LocalError(f"{' '.join(command[2:])} failed: {done.stderr.strip() or done.returncode}") from None
    return Point(
        model=model,
        size=hosts,
        sessions=found["sessions"]["established"],
        messages=found["messages"]["sent"],
        seconds=found["seconds"],
        cpu=found["cost"]["cpu"],
        megabytes=found["cost"]["megabytes"],
        right=done.returncode == 0,
    )


def grow(model: str, parameters: Mapping[str, int | str], wanted: Sequence[int], against: str = "") -> Iterator[Point]:
    """A point for each size, the smallest first; each size also of the model `against`, with its usual parameters."""
    for size in wanted:
        yield run(model, sized(model, parameters, size))
        if against:
            yield run(against, sized(against, {}, size))


def run_scale(
    model: str,
    parameters: Mapping[str, int | str],
    *,
    wanted: str,
    against: str,
    plot: Path,
    json_output: bool,
    out: TextIO,
) -> int:
    """Run a model at growing size, print what it costs and draw it into `plot`.svg and `plot`.png. Gives 0 or 1.

    Raises LocalError for wrong usage. Without matplotlib the numbers are printed and nothing is drawn.
    """
    numbers = sizes(wanted)
    for name in filter(None, (model, against)):
        if name not in MODELS:
            raise LocalError(f"there is no model {name!r}; there are {', '.join(MODELS)}")
        build(name, sized(name, parameters if name == model else {}, numbers[0]))
    painter = _painter()
    if painter is not None:
        for file in pictures(plot):
            check_writable(file)
    console = Console(file=out, highlight=False)
    points: list[Point] = []
    for point in grow(model, parameters, numbers, against):
        points.append(point)
        if not json_output and console.is_terminal:
            console.print(f"[dim]{point.model} of {point.size}: {point.sessions} sessions, {point.seconds:.2f} s[/]")
    files = [] if painter is None else painter(points, plot)
    if json_output:
        made = {"model": model, "points": [point.as_json() for point in points], "files": [str(file) for file in files]}
        out.write(json.dumps(made, ensure_ascii=False) + "\n")
    else:
        console.print(_table(points))
        drawn = ", ".join(map(str, files)) or "Nothing is drawn without matplotlib: pip install 'trio-bgp[plot]'"
        console.print(escape(drawn), style="dim")
    return 0 if all(point.right for point in points) else 1


def _painter() -> Callable[[Sequence[Point], Path], list[Path]] | None:
    try:
        module = import_module("bgp.lab.plot")
    except ImportError:
        return None
    painter: Callable[[Sequence[Point], Path], list[Path]] = module.plot
    return painter


def _table(points: Sequence[Point]) -> Table:
    table = Table(box=None, padding=(0, 2), header_style="dim")
    for heading in ("model", "nodes", "sessions", "messages", "seconds", "CPU s", "MB", ""):
        table.add_column(heading, justify="left" if heading == "model" else "right")
    for one in points:
        cells = (str(one.size), f"{one.sessions:,}", f"{one.messages:,}", f"{one.seconds:.2f}", f"{one.cpu:.2f}")
        table.add_row(one.model, *cells, f"{one.megabytes:.0f}", "[green]✓[/]" if one.right else "[red]✗[/]")
    return table
