"""How long from `bgp announce` on one node until the route is in another node's kernel?

    python bench/announce.py [--n 200] [--json FILE]        as root, on Linux with iproute2

Two `bgp run` with [kernel] tables, each in a network namespace of its own, a cable between them. A third party listens to
the far kernel. The clock runs from before the question to the near one's control socket; milliseconds.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from time import perf_counter

import trio

from bgp.net.kernel.model import KernelOptions, RouteCame
from bgp.net.kernel.netlink import NetlinkKernel
from rib.prefix import Prefix

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
from app.program import RunningSpeaker, running
from kernels import Namespace

NODE = """\
[speaker]
asn = {asn}
router_id = "{address}"
listen = ["{address}:179"]
[kernel]
[[peer]]
address = "{peer}"
asn = {peer_asn}
connect_retry_time = 0.2
import = "accept"
export = "accept"
"""


async def until_there(kernel: NetlinkKernel, prefix: Prefix) -> float:
    while True:
        for event in await kernel.events():
            if isinstance(event, RouteCame) and event.route.nlri == prefix.nlri:
                return perf_counter()


async def measure(near: RunningSpeaker, far: Namespace, count: int) -> list[float]:
    kernel = far.within(lambda: NetlinkKernel(KernelOptions(protocol=1)))
    found = []
    try:
        for number in range(count):
            prefix = Prefix(f"10.{100 + number // 256}.{number % 256}.0/24")
            began = perf_counter()
            await trio.to_thread.run_sync(lambda prefix=prefix: near.tell("announce", prefixes=[str(prefix)]))
            found.append((await until_there(kernel, prefix) - began) * 1000)
    finally:
        kernel.close()
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--n", type=int, default=200)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    here, there = Namespace(), Namespace()
    here.connect("wire", "10.0.0.1/24", there, "10.0.0.2/24")
    texts = [
        NODE.format(asn=65000 + n, address=f"10.0.0.{n}", peer=f"10.0.0.{3 - n}", peer_asn=65003 - n) for n in (1, 2)
    ]
    with (
        TemporaryDirectory() as folder,
        running(Path(folder, "near.toml"), texts[0], namespace=here.descriptor) as near,
        running(Path(folder, "far.toml"), texts[1], namespace=there.descriptor) as far,
    ):
        near.wait_for("→ Established")
        far.wait_for("→ Established")
        found = sorted(trio.run(measure, near, there, options.n))
    cuts = quantiles(found, n=100)
    figures = {"best": found[0], "median": cuts[49], "90 %": cuts[89], "99 %": cuts[98], "worst": found[-1]}
    print(f"{options.n} announcements, control socket to the other node's kernel; ms")
    print("  ".join(f"{name} {value:.2f}" for name, value in figures.items()))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
