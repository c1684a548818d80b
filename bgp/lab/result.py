"""What a lab run found, beside what was predicted: the numbers behind the report and behind `--json`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bgp.lab.fabric import Convergence
from bgp.lab.forwarding import Forwarder
from bgp.lab.meter import Traffic
from bgp.topology.model import Counts, Topology

#: JSON values that a result consists of.
Json = None | bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"]


class Failure(NamedTuple):
    """A pair of pods that does not reach each other: the nodes they are on, how far a packet comes, and why."""

    source: str
    destination: str
    at: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reachability:
    """All ordered pairs of pods on different nodes, one pod a node."""

    pairs: int
    failed: tuple[Failure, ...]

    @property
    def ok(self) -> int:
        """How many pairs reach each other."""
        return self.pairs - len(self.failed)

    @classmethod
    def of(cls, topology: Topology, forwarder: Forwarder) -> Reachability:
        """Walk a packet for each pair."""
        hosts = topology.hosts
        failed = [
            Failure(source, host.name, at, reason)
            for host in hosts
            for source, (at, reason) in forwarder.fates(host.pod()).items()
            if reason and source != host.name
        ]
        order = {host.name: place for place, host in enumerate(hosts)}
        failed.sort(key=lambda one: (order[one.source], order[one.destination]))
        return cls(len(hosts) * (len(hosts) - 1), tuple(failed))


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
    """One run of a topology on a fabric. `down` names the sessions that are not up, with the reason."""

    topology: Topology
    fabric: str
    convergence: Convergence
    measured: Mapping[str, Counts]
    traffic: Traffic
    reachability: Reachability
    down: tuple[tuple[str, str], ...] = ()

    @property
    def converged(self) -> bool:
        """Whether all sessions are up, all is still, and every count is the predicted one."""
        sessions = self.convergence.established == self.topology.predicted_sessions
        return self.convergence.settled and sessions and self.measured == self.topology.predicted

    @property
    def succeeded(self) -> bool:
        """Whether it converged and every pod reaches every other."""
        return self.converged and not self.reachability.failed

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
        return {
            "model": topology.model,
            "parameters": parameters,
            "fabric": self.fabric,
            "converged": self.converged,
            "seconds": round(self.convergence.seconds, 6),
            "sessions": {"predicted": topology.predicted_sessions, "established": self.convergence.established},
            "roles": {role: self._role_as_json(role) for role in topology.roles},
            "messages": {"sent": self.traffic.sent.total(), "received": self.traffic.received.total()},
            "reachability": {
                "pairs": reachability.pairs,
                "ok": reachability.ok,
                "failed": [
                    {"from": one.source, "to": one.destination, "at": one.at, "reason": one.reason}
                    for one in reachability.failed
                ],
            },
            "faults": [],
        }

    def _role_as_json(self, role: str) -> dict[str, Json]:
        made: dict[str, Json] = {"count": len(self.topology.having(role))}
        for count in Counts._fields:
            comparison = self.compare(role, count)
            made[count] = {"predicted": comparison.predicted, "measured": comparison.measured}
        return made


def _one_if_equal(values: list[int]) -> int | list[int]:
    return values[0] if len(set(values)) == 1 else values
