"""How much processor time and memory the memory fabric takes, and how both grow.

    python bench/lab.py                          mesh and rack at growing size, and the two goals
    python bench/lab.py mesh nodes=100 [--profile]

Each run is a process of its own, so that the peak of its memory is its own. Per session: processor time of coming up and
of settling, without reading the result.
"""

from __future__ import annotations

import cProfile
import gc
import pstats
import resource
import subprocess
import sys
import time
from json import dumps, loads

import trio

from bgp.lab import open_memory_fabric
from bgp.lab.models import build

GROWTH = [
    *(("mesh", {"nodes": nodes}) for nodes in (25, 50, 100)),
    *(("as-per-rack", {"racks": racks, "servers": 40, "spines": 4}) for racks in (6, 12, 25)),
]


def read(words: list[str]) -> dict[str, int | str]:
    pairs = (word.split("=", 1) for word in words)
    return {name: int(value) if value.isdigit() and name != "stack" else value for name, value in pairs}


async def measure(model: str, parameters: dict[str, int | str], profile: cProfile.Profile | None) -> dict[str, float]:
    topology = build(model, parameters)
    began = time.process_time()
    if profile is not None:
        profile.enable()
    async with open_memory_fabric(topology) as fabric:
        convergence = await fabric.converge(600)
        cpu = time.process_time() - began
        if profile is not None:
            profile.disable()
        snapshot = await fabric.snapshot()
        reachability = await fabric.reach(snapshot, 1)
        read_at = time.process_time()
    return {
        "sessions": convergence.established,
        "predicted": topology.predicted_sessions,
        "right": snapshot.counts == topology.predicted and not reachability.failed,
        "routes": sum(counts.paths for counts in snapshot.counts.values()),
        "messages": snapshot.traffic.sent.total(),
        "cpu": cpu,
        "reading": read_at - began - cpu,
        "closing": time.process_time() - read_at,
        "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    }


def one(model: str, words: list[str]) -> None:
    profile = cProfile.Profile() if "--profile" in words else None
    gc.disable()  # as `bgp lab` does
    found = trio.run(measure, model, read([word for word in words if "=" in word]), profile)
    print(dumps(found))
    if profile is not None:
        pstats.Stats(profile).sort_stats("tottime" if "--tottime" in words else "cumtime").print_stats(70)


def growth() -> None:
    print(f"{'model':44} {'sessions':>8} {'paths':>8} {'messages':>9} {'CPU s':>6} {'ms/session':>10} {'MB':>6}")
    for model, parameters in GROWTH:
        words = [f"{name}={value}" for name, value in parameters.items()]
        done = subprocess.run([sys.executable, __file__, model, *words], check=True, capture_output=True, text=True)
        found = loads(done.stdout)
        each = 1000 * found["cpu"] / found["sessions"]
        print(
            f"{' '.join([model, *words]):44} {found['sessions']:8} {found['routes']:8} {found['messages']:9}"
            f" {found['cpu']:6.2f} {each:10.2f} {found['megabytes']:6.0f}{'' if found['right'] else '  WRONG'}"
        )


if __name__ == "__main__":
    if len(sys.argv) > 1:
        one(sys.argv[1], sys.argv[2:])
    else:
        growth()
