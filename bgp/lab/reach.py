"""Which pods reach which: the pairs, and why those that fail do."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from bgp.lab.forwarding import Forwarder
from bgp.topology.model import Node, Topology


class Failure(NamedTuple):
    """A pair of pods that does not reach each other: the nodes they are on, how far a packet comes, and why."""

    source: str
    destination: str
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reachability:
    """All ordered pairs of pods on different nodes. With several pods on a node, a failure names a pair of nodes once."""

    pairs: int
    failed: tuple[Failure, ...]
    lost: int  #: pairs of pods that fail
    as_meant: bool  #: those that fail are those that the topology keeps apart

    @property
    def ok(self) -> int:
        """How many pairs reach each other."""
        return self.pairs - self.lost

    @classmethod
    def of(cls, topology: Topology, forwarder: Forwarder, pods: int = 1, *, alive: Sequence[Node] = ()) -> Reachability:
        """Walk a packet for each pair, in every version of IP that there is; all must arrive.

        Pods of one block share their fate, so one of each block is asked for. `alive`: of these hosts only.
        """
        hosts = alive or topology.hosts
        among = {host.name for host in hosts}
        failed: list[Failure] = []
        lost = 0
        for host in hosts:
            worst: dict[str, Failure] = {}
            broken: dict[str, int] = {}
            for number, share in _blocks(host, pods):
                for source, failure in _failures(topology, forwarder, host, number):
                    if source in among and source != host.name:
                        worst.setdefault(source, failure)
                        broken[source] = broken.get(source, 0) + share * pods
            failed += worst.values()
            lost += sum(broken.values())
        order = {host.name: place for place, host in enumerate(topology.hosts)}
        failed.sort(key=lambda one: (order[one.source], order[one.destination]))
        as_meant = {one[:2] for one in failed} == {pair for pair in topology.separate if among >= {*pair}}
        return cls(pods * pods * len(hosts) * (len(hosts) - 1), tuple(failed), lost, as_meant)


def _failures(topology: Topology, forwarder: Forwarder, host: Node, number: int) -> Iterator[tuple[str, Failure]]:
    seen: set[str] = set()
    for version in topology.versions:
        for source, (at, reason) in forwarder.fates(host.pod(number, version)).items():
            if reason and source not in seen:
                seen.add(source)
                yield source, Failure(source, host.name, at, reason)


def _blocks(host: Node, pods: int) -> list[tuple[int, int]]:
    """The first pod's number in each block that the first `pods` pods lie in, and how many of them do.

    IPv4 and IPv6 blocks have the same size, so that they are full at the same pod.
    """
    size = host.prefixes[0].network.num_addresses - 2
    host.pod(pods)  # raises LocalError where there are too many
    return [(first, min(size, pods - first + 1)) for first in range(1, pods + 1, size)]


#: Nodes that a matrix is drawn for; more do not fit on a screen.
MAX_MATRIX: Final = 40


def matrix(topology: Topology, reachability: Reachability) -> list[tuple[str, str]]:
    """For each node with pods its name and a mark for each destination: "✓", "✗", and "·" for itself."""
    failed = {(one.source, one.destination) for one in reachability.failed}
    names = [host.name for host in topology.hosts[:MAX_MATRIX]]
    return [
        (name, "".join("·" if other == name else "✗" if (name, other) in failed else "✓" for other in names))
        for name in names
    ]
