"""What a fabric is: a topology that runs somewhere, can be asked what it holds, and can be broken.

`memory` runs all speakers in one process on a network that is memory. A fabric of another kind gives the same answers
about real kernels. The report, the figures and the faults know no more of a fabric than this file says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from bgp.lab.fault import Fault
from bgp.lab.forwarding import Forwarder
from bgp.lab.loss import Flow, Stream
from bgp.lab.meter import Traffic
from bgp.lab.reach import Reachability
from bgp.topology.model import Counts, Session, Topology


class SessionChange(NamedTuple):
    """A session is up on both sides, or no longer. `at` is in seconds since the start; `reason` why it went down."""

    session: Session
    up: bool
    at: float
    reason: str


#: Hears of every session that comes or goes.
Watcher = Callable[[SessionChange], None]


@dataclass(frozen=True, slots=True)
class Convergence:
    """How it went: whether everything came to rest in time, and after how many seconds."""

    settled: bool
    established: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the speakers hold at one moment. `down` names the sessions that are not up, with the reason."""

    counts: Mapping[str, Counts]
    forwarder: Forwarder
    down: tuple[tuple[Session, str], ...]
    traffic: Traffic


class Fabric(Protocol):
    """A topology that runs. Opened by an `Opener`; all is gone when that context is left, whatever happened in it."""

    name: str
    topology: Topology

    @property
    def established(self) -> int:
        """How many sessions are up on both sides."""

    def now(self) -> float:
        """Seconds since the sessions were started."""

    async def converge(self, within: float) -> Convergence:
        """Return when all sessions that can be up are, and the routes are at rest, or after `within` seconds.

        A session can be up unless a fault that has not been healed keeps its ends apart; such a one must be down.
        """

    async def snapshot(self) -> Snapshot:
        """What is there now. Its forwarder goes on to tell of this moment."""

    async def reach(self, snapshot: Snapshot, pods: int) -> Reachability:
        """Send a packet from each of the first `pods` pods of a node to each of another, and see which arrive."""

    async def send(self, flows: Sequence[Flow]) -> Stream | None:
        """Begin to send numbered packets in each of `flows`; None where packets are walked through the tables, not sent."""

    async def fail(self, fault: Fault) -> None:
        """Let something break. Returns at once; what follows from it is for `converge` to await."""

    async def heal(self, fault: Fault) -> None:
        """Repair what `fail` broke."""


class FabricSettings(NamedTuple):
    """What all fabrics are told. `seed` is for those that run in virtual time; None: they run in the time of the wall."""

    pods: int = 1  #: that each node has, on a fabric where they are more than addresses
    hold_time: int | None = None  #: of all sessions, in seconds; None leaves the topology's
    seed: int | None = None
    daemons: tuple[tuple[str, str], ...] = ()  #: another speaker in place of ours, by node
    killed: frozenset[str] = frozenset()  #: nodes whose speakers a fault will kill: they restart gracefully (RFC 4724)


#: Opens a fabric of some kind.
Opener = Callable[[Topology, Watcher, FabricSettings], AbstractAsyncContextManager[Fabric]]
