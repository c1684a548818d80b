"""A speaker's metrics in the text that Prometheus reads: those of a snapshot, named `bgp_…`, and those of the process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from bgp.app.view import FamilyCount, KernelView, PeerView, Summary
from fsm.words import State

Kind = type[GaugeMetricFamily] | type[CounterMetricFamily]


class Snapshot(NamedTuple):
    """All that metrics are made of."""

    summary: Summary
    peers: tuple[PeerView, ...]
    kernel: KernelView | None


class PeerMetric(NamedTuple):
    """A number for each neighbour."""

    name: str
    about: str
    kind: Kind
    read: Callable[[PeerView], float]


class FamilyMetric(NamedTuple):
    """A number for each neighbour and address family."""

    name: str
    about: str
    kind: Kind
    read: Callable[[FamilyCount], float]


class KernelMetric(NamedTuple):
    """A number of the kernel's routing table."""

    name: str
    about: str
    kind: Kind
    read: Callable[[KernelView], float]


_UP: Final = State.ESTABLISHED.title
_GAUGE: Final = GaugeMetricFamily
_COUNTER: Final = CounterMetricFamily
PEERS: Final = (
    PeerMetric("bgp_peer_up", "Whether the session is established", _GAUGE, lambda peer: peer.state == _UP),
    PeerMetric("bgp_peer_state_seconds", "How long the session is in its state", _GAUGE, lambda peer: peer.since),
    PeerMetric("bgp_peer_hold_time_seconds", "The hold time, 0 for none", _GAUGE, lambda peer: peer.hold_time or 0),
    PeerMetric("bgp_peer_queued_octets", "Octets that wait to be sent", _GAUGE, lambda peer: peer.queued),
    PeerMetric("bgp_peer_messages_received", "Messages received", _COUNTER, lambda peer: peer.messages_received),
    PeerMetric("bgp_peer_messages_sent", "Messages sent", _COUNTER, lambda peer: peer.messages_sent),
    PeerMetric("bgp_peer_updates_received", "UPDATEs received", _COUNTER, lambda peer: peer.updates_received),
    PeerMetric("bgp_peer_updates_sent", "UPDATEs sent", _COUNTER, lambda peer: peer.updates_sent),
    PeerMetric("bgp_peer_established", "How often the session came up", _COUNTER, lambda peer: peer.times_established),
    PeerMetric("bgp_peer_dropped", "How often it went down", _COUNTER, lambda peer: peer.times_dropped),
)
FAMILIES: Final = (
    FamilyMetric("bgp_peer_routes_received", "Routes in the Adj-RIB-In", _GAUGE, lambda count: count.received),
    FamilyMetric("bgp_peer_routes_refused", "Of them, those that may not be used", _GAUGE, lambda count: count.refused),
    FamilyMetric("bgp_peer_routes_best", "Of them, those that won", _GAUGE, lambda count: count.best),
)
KERNEL: Final = (
    KernelMetric("bgp_kernel_routes", "Routes of ours in the kernel", _GAUGE, lambda kernel: kernel.installed),
    KernelMetric("bgp_kernel_stale_routes", "Of them, those of a former run", _GAUGE, lambda kernel: kernel.stale),
    KernelMetric(
        "bgp_kernel_missing_routes", "Routes that should be there", _GAUGE, lambda kernel: len(kernel.missing)
    ),
    KernelMetric(
        "bgp_kernel_written_routes", "Routes written since the start", _COUNTER, lambda kernel: kernel.written
    ),
    KernelMetric("bgp_kernel_removed_routes", "Routes removed since", _COUNTER, lambda kernel: kernel.removed),
)


def measured(snapshot: Snapshot) -> Iterator[Metric]:
    """The metrics of a snapshot."""
    yield from of_speaker(snapshot.summary)
    # Names change rarely, and then a number goes on under its address.
    about = InfoMetricFamily("bgp_peer", "What a neighbour is", labels=("peer",))
    for peer in snapshot.peers:
        words = {"name": peer.name, "asn": str(peer.expected_asn), "kind": peer.kind, "state": peer.state}
        about.add_metric((peer.address,), words)
    yield about
    for row in PEERS:
        made = row.kind(row.name, row.about, labels=("peer",))
        for peer in snapshot.peers:
            made.add_metric((peer.address,), row.read(peer))
        yield made
    for column in FAMILIES:
        counted = column.kind(column.name, column.about, labels=("peer", "family"))
        for peer in snapshot.peers:
            for count in peer.routes:
                counted.add_metric((peer.address, count.family), column.read(count))
        yield counted
    if snapshot.kernel is not None:
        for one in KERNEL:
            yield one.kind(one.name, one.about, value=one.read(snapshot.kernel))


def of_speaker(summary: Summary) -> Iterator[Metric]:
    """Those that are about no neighbour."""
    words = {"asn": str(summary.asn), "router_id": summary.router_id, "hostname": summary.hostname}
    yield InfoMetricFamily("bgp_speaker", "Who this speaker is", value=words)
    yield GaugeMetricFamily("bgp_uptime_seconds", "Seconds since the speaker started", value=summary.uptime)
    yield GaugeMetricFamily("bgp_paths", "Paths in all Adj-RIBs-In", value=summary.paths)
    yield GaugeMetricFamily("bgp_announced_routes", "Routes that this speaker originates", value=summary.announced)
    yield GaugeMetricFamily("bgp_update_groups", "Sets of peers that hear the same", value=summary.update_groups)
    yield GaugeMetricFamily("bgp_draining", "Whether routes are being taken back", value=summary.draining != "no")
    best = GaugeMetricFamily("bgp_routes", "Best routes in the Loc-RIB", labels=("family",))
    for family, count in summary.routes.items():
        best.add_metric((family,), count)
    yield best


class _Taken(Collector):
    """A snapshot, as the library asks for it."""

    def __init__(self, snapshot: Snapshot) -> None:
        self._snapshot = snapshot

    def collect(self) -> Iterator[Metric]:
        return measured(self._snapshot)


def exposition(snapshot: Snapshot, accept: str) -> tuple[bytes, str]:
    """The metrics and their media type, for a reader that sent the header `Accept: accept`."""
    registry = CollectorRegistry()
    registry.register(_Taken(snapshot))
    ProcessCollector(registry=registry)
    encode, media_type = choose_encoder(accept)
    return encode(registry), media_type
