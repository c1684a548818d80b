"""Breaks something in a lab that runs, and finds out who noticed, how long it took, and which flows it cost."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

import trio

from bgp.lab.fabric import Convergence, Fabric, SessionChange
from bgp.lab.fault import Fault, FaultKind, FaultReport, Repair
from bgp.lab.forwarding import Forwarder
from bgp.lab.loss import Flow, Loss, Stream, measure
from bgp.topology.model import Address, Topology

#: Flows between two pods, as many connections that a hash may send over different ways.
FLOWS: Final = 4
#: Flows between two pods in which packets are sent, and of all pods at most.
STREAMS: Final = 2
MAX_STREAMS: Final = 240
#: Before a fault, and when all is at rest, packets are sent for as many seconds, and so many of each flow at least.
MOMENT: Final = 0.3
PACKETS: Final = 5
#: How often a packet may pass a link that is slow.
MAX_HOPS: Final = 2
#: Flows that are followed at most; of more pairs, every so manyth is taken.
MAX_FLOWS: Final = 20_000


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
    gone = {part.nodes[0] for part in fault.parts if part.kind is FaultKind.NODE}
    hosts = [host for host in topology.hosts if host.name not in gone]
    step = max(len(hosts) * (len(hosts) - 1) * FLOWS * len(topology.versions) // MAX_FLOWS, 1)

    def pairs() -> Iterator[tuple[str, Address]]:
        for one in hosts:
            for other in hosts:
                if one is not other:
                    yield from ((one.name, other.pod(1, version)) for version in topology.versions)

    return [Flow(*pair, number) for pair in islice(pairs(), 0, None, step) for number in range(FLOWS)]


def lost(forwarder: Forwarder, among: Iterable[Flow]) -> tuple[set[Flow], str]:
    """The flows that do not arrive, and why the first of them does not."""
    found: set[Flow] = set()
    why = ""
    for flow in among:
        trace = forwarder.trace(flow.source, flow.destination, flow=flow.number)
        if not trace.arrived:
            why = why or f"{flow.source} → {flow.destination} ends at {trace.at}: {trace.reason}"
            found.add(flow)
    return found, why


def sample(topology: Topology, fault: Fault) -> list[Flow]:
    """The flows that packets are sent in: two of each pair of pods that is meant to reach.

    Of more pairs than that, every so manyth, and those whose two nodes the fault is between.
    """
    named = [{*part.nodes} for part in fault.parts]
    owners = {host.pod(1, version): host.name for host in topology.hosts for version in topology.versions}
    ways = [
        (flow, {flow.source, owners[flow.destination]} in named)
        for flow in flows(topology, fault)
        if flow.number < STREAMS and (flow.source, owners[flow.destination]) not in topology.separate
    ]
    pairs = len(ways) // STREAMS
    step = -(-pairs // (MAX_STREAMS // STREAMS)) or 1
    return [flow for place, (flow, meant) in enumerate(ways) if meant or place // STREAMS % step == 0]


async def inject(fabric: Fabric, log: Log, fault: Fault, within: float) -> FaultReport:
    """Let `fault` happen and wait until all is at rest again, `within` seconds at most."""
    among = flows(fabric.topology, fault)
    stream = await _begin(fabric, fault)
    began = fabric.now()
    for part in fault.parts:
        await fabric.fail(part)
    meanwhile = [] if stream is not None else lost((await fabric.snapshot()).forwarder, among)[0]
    convergence = await fabric.converge(within)
    loss = None if stream is None else await _end(fabric, stream, fault, began)
    detected = log.first_loss(began)
    forwarder = (await fabric.snapshot()).forwarder
    after, why = lost(forwarder, among)
    report = FaultReport(
        fault=fault,
        detected_after=None if detected is None else round(detected - began, 6),
        converged_after=_after(convergence, began),
        flows=len(among),
        lost_meanwhile=len(meanwhile),
        lost=len(after),
        why=why,
    )
    if loss is None:
        return report
    return report._replace(
        flows=len(loss.flows),
        lost_meanwhile=len(loss.hit),
        lost=len(loss.dead),
        why=_why_dead(forwarder, loss),
        loss=loss,
    )


async def repair(fabric: Fabric, found: FaultReport, within: float) -> FaultReport:
    """Heal a fault and wait until all is at rest, `within` seconds at most; the report with what followed."""
    fault = found.fault
    if not fault.lasts:
        return found
    stream = await _begin(fabric, fault)
    began = fabric.now()
    for part in reversed(fault.parts):
        await fabric.heal(part)
    convergence = await fabric.converge(within)
    if stream is None:
        after, _ = lost((await fabric.snapshot()).forwarder, flows(fabric.topology, fault))
        return found._replace(repaired=Repair(_after(convergence, began), len(after)))
    loss = await _end(fabric, stream, fault, began, None if found.loss is None else found.loss.flows)
    return found._replace(repaired=Repair(_after(convergence, began), len(loss.dead), loss))


def _after(convergence: Convergence, began: float) -> float | None:
    return round(max(convergence.seconds - began, 0.0), 6) if convergence.settled else None


def _why_dead(forwarder: Forwarder, loss: Loss) -> str:
    """Why a flow loses everything, as the routes have it; nothing if none does."""
    dead = sorted(loss.dead, key=str)
    # A kernel sends a flow another way than the number says here: one of the pair takes the way that is broken.
    _, why = lost(forwarder, (flow._replace(number=number) for flow in dead for number in range(4 * FLOWS)))
    if dead and not why:
        return f"{dead[0].source} → {dead[0].destination}: the routes would let it pass"
    return why


async def _begin(fabric: Fabric, fault: Fault) -> Stream | None:
    """Packets that are under way, if the fabric sends any."""
    stream = await fabric.send(sample(fabric.topology, fault))
    if stream is not None:
        await trio.sleep(_long_enough(stream))
    return stream


async def _end(
    fabric: Fabric, stream: Stream, fault: Fault, began: float, among: frozenset[Flow] | None = None
) -> Loss:
    """The loss, of packets that were sent until a little after everything had come to rest."""
    at_rest = fabric.now()
    await trio.sleep(_long_enough(stream))
    return measure(await stream.stop(MAX_HOPS * max(part.seconds for part in fault.parts)), began, at_rest, among)


def _long_enough(stream: Stream) -> float:
    return max(MOMENT, PACKETS * stream.interval)
