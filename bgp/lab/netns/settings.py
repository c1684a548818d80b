"""What the settings of a run make of a topology: sessions as the nodes are told of them, daemons in our speakers' place."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from bgp.error import LocalError
from bgp.lab.export import bird_configuration, frr_configuration
from bgp.lab.fabric import FabricSettings
from bgp.options import RestartMode
from bgp.topology.model import End, Session, Topology

#: Who writes the configuration of a daemon.
EXPORTERS: Final = {"bird": bird_configuration, "frr": frr_configuration}


def as_told(topology: Topology, settings: FabricSettings) -> Topology:
    """The topology with the sessions as the nodes are told of them."""

    def told(end: End) -> End:
        peer = end.peer if settings.hold_time is None else replace(end.peer, hold_time=settings.hold_time)
        return end._replace(
            peer=replace(peer, graceful_restart=RestartMode.ON) if end.node in settings.killed else peer
        )

    sessions = tuple(Session(one.group, told(one.dials), told(one.listens)) for one in topology.sessions)
    return replace(topology, sessions=sessions)


def daemons_of(topology: Topology, settings: FabricSettings) -> dict[str, str]:
    """The daemon of each node that has one; a role or "all" stands for several nodes. Raises LocalError."""
    found: dict[str, str] = {}
    for name, daemon in settings.daemons:
        if daemon not in EXPORTERS:
            raise LocalError(f"--daemon {name}={daemon}: there is {' and '.join(EXPORTERS)}")
        meant = [node.name for node in topology.nodes if name in (node.name, node.role, "all")]
        if not meant:
            raise LocalError(f"--daemon {name}={daemon}: there is no node or role of that name")
        found |= dict.fromkeys(meant, daemon)
    return found
