"""What a lab run found, beside what was predicted: the numbers behind the report and behind `--json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from bgp.lab.fabric import Convergence
from bgp.lab.fault import FaultReport
from bgp.lab.forwarding import Hop, Trace
from bgp.lab.meter import Traffic
from bgp.lab.reach import Reachability
from bgp.lab.values import Json
from bgp.topology.model import Counts, Topology


class Cost(NamedTuple):
    """What coming up took of this process: processor seconds, and the peak of its memory."""

    cpu: float
    megabytes: float


class Comparison(NamedTuple):
    """A count of the speakers of a role: one number, or a list in the order of the nodes where they differ."""

    predicted: int | list[int]
    measured: int | list[int]

    @property
    def holds(self) -> bool:
        """Whether the prediction came true."""
        return self.predicted == self.measured


@dataclass(frozen=True, slots=True)
class Result:
    """One run of a topology on a fabric. `cost` None: in virtual time, where runs with one seed give the same result.

    `down` names the sessions that are not up, with the reason.
    """

    topology: Topology
    fabric: str
    convergence: Convergence
    measured: Mapping[str, Counts]
    traffic: Traffic
    reachability: Reachability
    cost: Cost | None = None
    down: tuple[tuple[str, str], ...] = ()
    traces: tuple[Trace, ...] = ()
    faults: tuple[FaultReport, ...] = ()

    @property
    def converged(self) -> bool:
        """Whether all sessions are up, all is still, and every count is the predicted one."""
        sessions = self.convergence.established == self.topology.predicted_sessions
        return self.convergence.settled and sessions and self.measured == self.topology.predicted

    @property
    def succeeded(self) -> bool:
        """Whether it converged, the pods that should reach each other do, and it came to rest after each fault."""
        at_rest = all(fault.converged_after is not None for fault in self.faults)
        arrived = all(trace.arrived for trace in self.traces)
        return self.converged and self.reachability.as_meant and at_rest and arrived

    def compare(self, role: str, count: str) -> Comparison:
        """One of the counts (a field of `Counts`) of a role."""
        names = [node.name for node in self.topology.having(role)]
        return Comparison(
            _one_if_equal([getattr(self.topology.predicted[name], count) for name in names]),
            _one_if_equal([getattr(self.measured[name], count) for name in names]),
        )

    def as_json(self) -> dict[str, Json]:
        """The object of `bgp lab --json`."""
        topology, reachability = self.topology, self.reachability
        parameters: dict[str, Json] = dict(topology.parameters)
        if topology.without:
            parameters["without"] = ",".join(topology.without)
        made: dict[str, Json] = {
            "model": topology.model,
            "parameters": parameters,
            "fabric": self.fabric,
            "converged": self.converged,
            "seconds": round(self.convergence.seconds, 6),
            "sessions": {"predicted": topology.predicted_sessions, "established": self.convergence.established},
            "roles": {role: self._role_as_json(role) for role in topology.roles},
            "messages": {
                "sent": self.traffic.sent.total(),
                "received": self.traffic.received.total(),
                "octets": self.traffic.octets,
            },
            "reachability": {
                "pairs": reachability.pairs,
                "ok": reachability.ok,
                "failed": [
                    {"from": one.source, "to": one.destination, "at": one.at, "reason": one.reason}
                    for one in reachability.failed
                ],
            },
            "faults": [fault.as_json() for fault in self.faults],
        }
        if self.cost is not None:
            made["cost"] = {"cpu": round(self.cost.cpu, 3), "megabytes": round(self.cost.megabytes, 1)}
        if self.down:
            made["down"] = [{"session": session, "reason": reason} for session, reason in self.down]
        if self.traces:
            made["traces"] = [trace_as_json(trace) for trace in self.traces]
        return made

    def _role_as_json(self, role: str) -> dict[str, Json]:
        made: dict[str, Json] = {"count": len(self.topology.having(role))}
        for count in Counts._fields:
            comparison = self.compare(role, count)
            made[count] = {"predicted": comparison.predicted, "measured": comparison.measured}
        return made


def trace_as_json(trace: Trace) -> dict[str, Json]:
    """A packet's way."""
    hops = [_hop_as_json(hop) for hop in trace.hops]
    return {"arrived": trace.arrived, "at": trace.at, "reason": trace.reason, "hops": hops}


def _hop_as_json(hop: Hop) -> dict[str, Json]:
    made: dict[str, Json] = {"node": hop.node, "ttl": hop.ttl}
    if hop.prefix is not None:
        made |= {"prefix": str(hop.prefix), "next_hop": None if hop.gateway is None else str(hop.gateway)}
    if hop.route is not None:
        made |= {"learned_from": hop.route.peer, "kind": hop.route.kind, "as_path": hop.route.as_path}
    if hop.others:
        made["others"] = [_hop_as_json(other) for other in hop.others]
    return made


def _one_if_equal(values: list[int]) -> int | list[int]:
    return values[0] if len(set(values)) == 1 else values
