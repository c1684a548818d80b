"""Topologies as pure data: who peers with whom over what, and the counts that must come out."""

from bgp.topology.mesh import mesh, reflectors
from bgp.topology.model import Counts, End, Interface, Link, Node, Session, Topology
from bgp.topology.rack import as_per_rack
from bgp.topology.server import as_per_server, downward_default, flat_tor

__all__ = [
    "Counts",
    "End",
    "Interface",
    "Link",
    "Node",
    "Session",
    "Topology",
    "as_per_rack",
    "as_per_server",
    "downward_default",
    "flat_tor",
    "mesh",
    "reflectors",
]
