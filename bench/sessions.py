"""What sessions cost that do nothing: CPU of an idle speaker, memory of many.

    python bench/sessions.py [--idle-peers 10] [--idle-seconds 60] [--sessions 200]

The speaker that is measured is a process of its own on loopback TCP; its neighbours are speakers in other processes. Hold
time 90 s, so that an idle peer says something every 30 s, as it would in a data centre. Prints one line a question and
exits 1 where a target of the design is missed: idle under 0.5 % of a core, 200 sessions under 200 MB.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import resource
import sys
from multiprocessing.connection import Connection
from pathlib import Path

import trio

from bgp import accept
from bgp.net import open_speaker

#: What the design asks for.
MOST_IDLE_CPU = 0.005
MOST_MEGABYTES = 200.0
#: Peers are loopback addresses from here on: 127.1.0.1, 127.1.0.2, …
PEERS_FROM = 0x7F010000
OWN = "127.0.0.1"


def peer_address(number: int) -> str:
    """The address of the neighbour with that number."""
    return ".".join(str(octet) for octet in (PEERS_FROM + number).to_bytes(4, "big"))


def resident() -> float:
    """Memory of this process that is there now, in megabytes."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def speaker(count: int, wires: Connection) -> None:
    """The process that is measured: reports memory and CPU whenever it is asked to."""
    trio.run(_speak, count, wires)


async def _speak(count: int, wires: Connection) -> None:
    before = resident()
    async with open_speaker(asn=65000, router_id="10.0.0.1", listen=[f"{OWN}:0"]) as one:
        for number in range(1, count + 1):
            await one.add_peer(
                peer_address(number), asn=65000 + number, passive=True, import_policy=accept, export_policy=accept
            )
        one.announce("10.0.0.0/24")
        wires.send(one.listening[0][1])
        await one.wait_established()
        wires.send((resident(), before, one.statistics().established))
        while True:
            await trio.to_thread.run_sync(wires.recv)
            usage = resource.getrusage(resource.RUSAGE_SELF)
            wires.send(usage.ru_utime + usage.ru_stime)


def neighbours(count: int, port: int) -> None:
    """The process with all the neighbours, each a speaker of its own."""
    trio.run(_answer, count, port)


async def _answer(count: int, port: int) -> None:
    async def one(number: int) -> None:
        async with open_speaker(asn=65000 + number, router_id=f"10.1.{number >> 8}.{number & 255}") as made:
            await made.add_peer(
                OWN,
                asn=65000,
                port=port,
                local_address=peer_address(number),
                import_policy=accept,
                export_policy=accept,
            )
            made.announce(f"10.{number >> 8}.{number & 255}.0/24")
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        for number in range(1, count + 1):
            nursery.start_soon(one, number)


class Bench:
    """A speaker and its neighbours, each side in a process."""

    def __init__(self, count: int) -> None:
        self.wires, theirs = multiprocessing.Pipe()
        self.speaker = multiprocessing.Process(target=speaker, args=(count, theirs), daemon=True)
        self.speaker.start()
        self.neighbours = multiprocessing.Process(target=neighbours, args=(count, self.wires.recv()), daemon=True)
        self.neighbours.start()
        self.megabytes, self.alone, self.established = self.wires.recv()

    def cpu(self) -> float:
        """CPU seconds that the speaker has used."""
        self.wires.send("cpu")
        return float(self.wires.recv())

    def end(self) -> None:
        """End both processes."""
        for process in (self.neighbours, self.speaker):
            process.kill()
            process.join()


def idle(count: int, seconds: float) -> bool:
    """Whether an idle speaker uses as little as it should."""
    bench = Bench(count)
    trio.run(trio.sleep, 3.0)  # what coming up left behind is not idling
    began = bench.cpu()
    trio.run(trio.sleep, seconds)
    share = (bench.cpu() - began) / seconds
    bench.end()
    print(
        f"idle with {count} established peers: {share:.4%} of a core over {seconds:.0f} s (at most {MOST_IDLE_CPU:.1%})"
    )
    return share < MOST_IDLE_CPU


def memory(count: int) -> bool:
    """Whether many sessions cost as little as they should."""
    bench = Bench(count)
    bench.end()
    each = (bench.megabytes - bench.alone) / count * 1000
    print(
        f"{bench.established} established sessions: {bench.megabytes:.0f} MB in all, {bench.alone:.0f} MB before the first, "
        f"{each:.0f} kB each (at most {MOST_MEGABYTES:.0f} MB)"
    )
    return bench.megabytes < MOST_MEGABYTES


def main() -> None:
    """Measure both and say so."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--idle-peers", type=int, default=10)
    parser.add_argument("--idle-seconds", type=float, default=60.0)
    parser.add_argument("--sessions", type=int, default=200)
    given = parser.parse_args()
    multiprocessing.set_start_method("spawn")
    good = [memory(given.sessions), idle(given.idle_peers, given.idle_seconds)]
    sys.exit(not all(good))


if __name__ == "__main__":
    main()
