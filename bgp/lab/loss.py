"""What a fault cost the packets that were under way: numbered ones in flows, sent at a steady rate, seen to arrive or not."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bgp.topology.model import Address


class Flow(NamedTuple):
    """A connection from a pod of one node to a pod of another."""

    source: str
    destination: Address
    number: int


@dataclass(frozen=True, slots=True)
class Passage:
    """How a flow went, in seconds since the fabric's start: when each packet was sent, and when those that did arrived."""

    flow: Flow
    sent: Sequence[float]
    arrived: Mapping[int, float]


class Stream(Protocol):
    """Packets that are being sent."""

    interval: float  #: seconds between two packets of a flow

    async def stop(self, slower: float) -> list[Passage]:
        """Send no more. Gives what became of them, once those under way have had time to arrive, `slower` seconds more."""


@dataclass(frozen=True, slots=True)
class Loss:
    """The packets that something cost; times in seconds."""

    sent: int  #: packets since then
    lost: int  #: of these
    flows: frozenset[Flow]  #: that were looked at
    hit: frozenset[Flow]  #: flows that lost any
    dead: frozenset[Flow]  #: flows that lost all that were sent after everything had come to rest
    longest: float  #: the longest outage of a flow
    slowest: float  #: the longest that a packet was under way

    def as_json(self) -> dict[str, int | float]:
        """The object `packets` of an item of `faults` in `bgp lab --json`."""
        return {
            "sent": self.sent,
            "lost": self.lost,
            "flows": len(self.flows),
            "flows_hit": len(self.hit),
            "longest_outage_ms": round(self.longest * 1000, 1),
            "slowest_ms": round(self.slowest * 1000, 1),
        }


def measure(passages: Sequence[Passage], began: float, at_rest: float, among: frozenset[Flow] | None = None) -> Loss:
    """The loss since something happened at `began`, where all was `at_rest` again later.

    Looked at are the flows `among` all; None: those that passed before.
    """
    if among is None:
        among = frozenset(one.flow for one in passages if any(one.sent[place] < began for place in one.arrived))
    sent = lost = 0
    longest = slowest = 0.0
    hit: set[Flow] = set()
    dead: set[Flow] = set()
    for flow, times, arrived in ((one.flow, one.sent, one.arrived) for one in passages if one.flow in among):
        since = [place for place, at in enumerate(times) if at >= began]
        missing = sum(place not in arrived for place in since)
        late = [place for place in since if times[place] >= at_rest]
        sent += len(since)
        lost += missing
        if missing:
            hit.add(flow)
        if late and arrived.keys().isdisjoint(late):
            dead.add(flow)
        longest = max([longest, *_outages(times, since, arrived)])
        slowest = max([slowest, *(arrived[place] - times[place] for place in since if place in arrived)])
    return Loss(sent, lost, among, frozenset(hit), frozenset(dead), longest, slowest)


def _outages(sent: Sequence[float], among: Sequence[int], arrived: Collection[int]) -> Iterator[float]:
    """Seconds from each first lost packet to the next one that arrived; to the last one where none did."""
    first: float | None = None
    for place in among:
        if place not in arrived:
            first = sent[place] if first is None else first
        elif first is not None:
            yield sent[place] - first
            first = None
    if first is not None:
        yield sent[among[-1]] - first
