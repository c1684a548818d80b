"""What the lab tells a node's process, and what that answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from bgp.lab.forwarding import Rejected, Route, Withheld
from bgp.lab.meter import Traffic
from bgp.net.kernel import KernelOptions
from bgp.options import PeerOptions, SpeakerOptions
from bgp.topology.model import Address, Counts
from rib.family import Family
from rib.prefix import Prefix


class Change(NamedTuple):
    """A session changed; `at` is in seconds of the machine's monotonic clock."""

    address: str
    up: bool
    at: float
    reason: str


@dataclass(frozen=True, slots=True)
class Identity:
    """What a node is: its speaker, the routes that it originates, how it programs its kernel, its addresses.

    `apart`: the speaker is a process of its own, which can be killed. `daemon` names another
    speaker in place of ours, which reads `configuration`; `names` are its peers' by address.
    """

    speaker: SpeakerOptions
    prefixes: tuple[Prefix, ...]
    kernel: KernelOptions
    multipath: int
    addresses: frozenset[Address] = frozenset()
    apart: bool = False
    daemon: str = ""
    configuration: str = ""
    names: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Holdings:
    """What a node holds at one moment."""

    counts: Counts
    routes: dict[Family, dict[bytes, tuple[Route, ...]]]
    paths: dict[Family, dict[bytes, int]] = field(default_factory=dict)
    rejected: tuple[Rejected, ...] = ()
    withheld: dict[Prefix, tuple[Withheld, ...]] = field(default_factory=dict)
    why_down: dict[str, str] = field(default_factory=dict)  #: by address of the peer
    traffic: Traffic = field(default_factory=Traffic)


class NodeSpeaker(Protocol):
    """The speaker of a node, ours or another. Every method may raise OSError."""

    async def start(self) -> None:
        """Open it."""

    async def peer(self, options: Sequence[PeerOptions]) -> None:
        """Add neighbours."""

    async def rest(self) -> tuple[int, int]:
        """Return when the kernel has been told everything: the UPDATEs that were sent and received so far."""

    async def holdings(self, families: Sequence[Family]) -> Holdings:
        """What is there now."""

    async def restart(self) -> None:
        """End in good order and start again."""

    async def kill(self) -> None:
        """Let it die, and start it again; what it put into the kernel stays meanwhile."""

    async def reset(self, address: str) -> None:
        """End the session with a peer; it may come up again at once."""
