"""Where the time of the hot path goes: UPDATE in to UPDATE out, one stage after the other, on a real table.

    bench/hot_path.py [N] [--profile]      N prefixes (default 500,000) of ../shared/peerbench

Prints seconds a stage (best of five) and microseconds an UPDATE; with --profile the functions that take the most.
"""

from __future__ import annotations

import cProfile
import gc
import pstats
import sys
import time
from ipaddress import IPv4Address
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path[:0] = [str(ROOT), str(ROOT.parent / "shared" / "peerbench")]

import feed  # noqa: E402

from bgp.net.group import GroupKey, Groups  # noqa: E402
from bgp.net.outbox import Outbox  # noqa: E402
from bgp.wire.context import Context  # noqa: E402
from bgp.wire.scan import Reach, UpdateScanner  # noqa: E402
from rib.adj_in import AdjRibIn, ImportRules  # noqa: E402
from rib.export import ExportRules  # noqa: E402
from rib.family import IPV4_UNICAST  # noqa: E402
from rib.loc_rib import LocRib  # noqa: E402
from rib.route import Source, SourceKind  # noqa: E402

CHUNK = 1 << 16  # as `bgp.net.link` reads


class Watcher:
    """A member of an update group that takes whatever it is given."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.outbox = Outbox()

    def wake(self) -> None:
        """Nothing sleeps here."""


def run(stream: bytes) -> dict[str, float]:
    """Seconds of each stage."""
    ours = IPv4Address("10.99.0.1")
    inwards = ImportRules(own_asn=65000, own_bgp_id=ours, own_addresses=frozenset({ours}))
    outwards = ExportRules(
        own_asn=65000, peer_kind=SourceKind.EXTERNAL, peer_asn=65002, next_hops=((IPV4_UNICAST.afi, ours),)
    )
    source = Source(SourceKind.EXTERNAL, "feeder", 65001, IPv4Address("10.99.1.1"), IPv4Address("10.99.1.1"))
    other = Source(SourceKind.EXTERNAL, "watcher", 65002, IPv4Address("10.99.1.2"), IPv4Address("10.99.1.2"))
    context = Context(peering="external", peer_asn=65001, enforce_first_as=True, families=frozenset({IPV4_UNICAST}))
    scanner = UpdateScanner(context)
    adj_in = AdjRibIn(source, inwards, (IPV4_UNICAST,))
    loc_rib = LocRib()
    groups = Groups(loc_rib)
    member = Watcher(other)
    groups.join(member, GroupKey(outwards, (IPV4_UNICAST,), True, 4096))
    table = loc_rib.table(IPV4_UNICAST)
    stages = dict.fromkeys(("scan", "adj-rib-in, loc-rib", "note", "adj-rib-out, encode"), 0.0)
    clock = time.process_time  # what else the machine does matters less so
    at, size = 0, len(stream)
    while at < size:
        t0 = clock()
        found = []
        until = min(at + CHUNK, size)
        while at < until:
            end = at + (stream[at + 16] << 8 | stream[at + 17])
            found.append(scanner.scan(stream, at + 19, end))
            at = end
        t1 = clock()
        for reach in found:
            if reach.__class__ is Reach:
                adj_in.take(table, IPV4_UNICAST, reach.nlri, reach.attributes)
        t2 = clock()
        loc_rib.flush()
        t4 = clock()
        while groups.fill(member):
            while member.outbox.take():
                pass
        t5 = clock()
        for name, seconds in zip(stages, (t1 - t0, t2 - t1, t4 - t2, t5 - t4), strict=True):
            stages[name] += seconds
    assert len(loc_rib) > 0
    return stages


def main() -> None:
    """Measure and print."""
    words = [word for word in sys.argv[1:] if not word.startswith("-")]
    stream = feed.stream(int(words[0]) if words else 500_000, 65001, "10.99.1.1")
    updates = stream.count(b"\xff" * 16)
    gc.set_threshold(200_000, 50, 50)
    if "--profile" in sys.argv:
        with cProfile.Profile() as profile:
            run(stream)
        pstats.Stats(profile).sort_stats("tottime").print_stats(25)
        return
    runs = [run(stream) for _ in range(5)]
    for name in runs[0]:
        best = min(found[name] for found in runs)
        print(f"{name:22} {best:7.3f} s  {best / updates * 1e6:6.2f} µs an UPDATE")
    total = min(sum(found.values()) for found in runs)
    print(f"{'together':22} {total:7.3f} s  {total / updates * 1e6:6.2f} µs an UPDATE ({updates:,} of them)")


if __name__ == "__main__":
    main()
