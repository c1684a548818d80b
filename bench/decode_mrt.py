"""How long MRT files take to become the lines of `bgpdump -m`: beside bgpdump (C) and mrtparse's example printer, in one run.

    bench/decode_mrt.py [--runs N] [--mrtparse PYTHON SCRIPT] [FILE ...]

FILE: by default the larger files of ../shared/data/mrt. PYTHON is an interpreter that has mrtparse, SCRIPT its
examples/mrt2bgpdump.py. Prints CPU seconds (user and system, median of N runs, start of the program included) and how many
times as long as ours the others' are;
that the lines are the same is what tests/data/test_mrt.py holds.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parent.parent
DATA = ROOT.parent / "shared" / "data" / "mrt"
NOT_KEPT = "PYTHONDONTWRITEBYTECODE"
FILES = (
    "bgpdump__updates.20160811.1600.gz",
    "bgpdump__updates.20070211.0141.gz",
    "bgpkit-parser__ripe__rrc15__2010.02__updates.20100227.1610.gz",
    "bgpdump__bview.20020722.2337.gz",
    "pyasn__rib6.20151101.0600_firstMB.bz2",
)


def cpu_seconds(command: Sequence[str]) -> tuple[float, int]:
    """CPU time of a command, and the lines that it printed."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment()) as process:
        assert process.stdout is not None
        lines = sum(chunk.count(b"\n") for chunk in iter(lambda: process.stdout.read(1 << 16), b""))
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    return usage.ru_utime + usage.ru_stime, lines


def environment() -> dict[str, str]:
    """Ours, with compiled modules kept as an installed program has them."""
    return {**{name: value for name, value in os.environ.items() if name != NOT_KEPT}, "PYTHONPATH": str(ROOT)}


def commands(options: argparse.Namespace) -> dict[str, list[str]]:
    found = {"ours": [sys.executable, "-m", "bgp", "decode", "--format", "bgpdump"]}
    if bgpdump := shutil.which("bgpdump"):
        found["bgpdump"] = [bgpdump, "-m"]
    if options.mrtparse:
        found["mrtparse"] = [*options.mrtparse, "-m"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("files", nargs="*", type=Path, default=[DATA / name for name in FILES])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--mrtparse", nargs=2, metavar=("PYTHON", "SCRIPT"))
    options = parser.parse_args()
    tools = commands(options)
    cpu_seconds([*tools["ours"], str(options.files[0])])  # compiles what is not yet
    start = statistics.median(cpu_seconds([*tools["ours"], os.devnull])[0] for _ in range(options.runs))
    print(f"start of `bgp decode`: {start:.3f} s of each of its times")
    print(
        f"{'file':48} {'lines':>7} "
        + "".join(f"{tool:>10}" for tool in tools)
        + "".join(f"{f'{t} / ours':>16}" for t in tools if t != "ours")
    )
    for file in options.files:
        # In turns, so that what else the machine does falls on all of them.
        runs = {tool: [] for tool in tools}
        for _ in range(options.runs):
            for tool, command in tools.items():
                runs[tool].append(cpu_seconds([*command, str(file)]))
        taken = {tool: statistics.median(seconds for seconds, _ in found) for tool, found in runs.items()}
        lines = runs["ours"][0][1]
        ratios = "".join(f"{taken[tool] / taken['ours']:16.2f}" for tool in tools if tool != "ours")
        print(f"{file.name[-48:]:48} {lines:7} " + "".join(f"{taken[tool]:9.3f}s" for tool in tools) + ratios)


if __name__ == "__main__":
    main()
