"""Breaks something in a lab that runs, and finds out who noticed, how long it took, and which flows it cost."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Final, NamedTuple

from bgp.lab.fabric import Fabric, SessionChange
from bgp.lab.fault import Fault, FaultKind, FaultReport
from bgp.lab.forwarding import Forwarder
from bgp.topology.model import Address, Topology

#: Flows between two pods, as many connections that a hash may send over different ways.
FLOWS: Final = 4
#: Flows that are followed at most; of more pairs, every so manyth is taken.
MAX_FLOWS: Final = 20_000


class Flow(NamedTuple):
    """A connection from a pod of one node to a pod of another."""

    source: str
    destination: Address
    number: int


class Log:
    """Keeps the session changes that a fabric told of."""

    def __init__(self) -> None:
        self.changes: list[SessionChange] = []

    def add(self, change: SessionChange) -> None:
        """Hear of one."""
        self.changes.append(change)

    def first_loss(self, since: float) -> float | None:
        """When the first session after `since` went down."""
        return next((c.at for c in self.changes if not c.up and c.at >= since), None)


def flows(topology: Topology, fault: Fault) -> list[Flow]:
    """The flows that a fault could cost: those between nodes that live."""
    gone = fault.nodes if fault.kind is FaultKind.NODE else ()
    hosts = [host for host in topology.hosts if host.name not in gone]
    step = max(len(hosts) * (len(hosts) - 1) * FLOWS * len(topology.versions) // MAX_FLOWS, 1)

    def pairs() -> Iterator[tuple[str, Address]]:
        for one in hosts:
            for other in hosts:
                if one is not other:
                    yield from ((one.name, other.pod(1, version)) for version in topology.versions)

    return [Flow(*pair, number) for pair in islice(pairs(), 0, None, step) for number in range(FLOWS)]


def lost(forwarder: Forwarder, among: list[Flow]) -> tuple[set[Flow], str]:
    """The flows that do not arrive, and why the first of them does not."""
    found: set[Flow] = set()
    why = ""
    for flow in among:
        trace = forwarder.trace(flow.source, flow.destination, flow=flow.number)
        if not trace.arrived:
            why = why or f"{flow.source} → {flow.destination} ends at {trace.at}: {trace.reason}"
            found.add(flow)
    return found, why


async def inject(fabric: Fabric, log: Log, fault: Fault, within: float) -> FaultReport:
    """Let `fault` happen and wait until all is at rest again, `within` seconds at most."""
    among = flows(fabric.topology, fault)
    began = fabric.now()
    await fabric.fail(fault)
    meanwhile, _ = lost((await fabric.snapshot()).forwarder, among)
    convergence = await fabric.converge(within)
    detected = log.first_loss(began)
    after, why = lost((await fabric.snapshot()).forwarder, among)
    return FaultReport(
        fault=fault,
        detected_after=None if detected is None else round(detected - began, 6),
        converged_after=round(convergence.seconds - began, 6) if convergence.settled else None,
        flows=len(among),
        lost_meanwhile=len(meanwhile),
        lost=len(after),
        why=why,
    )
