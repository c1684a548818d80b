"""Topologies as pure data: who peers with whom over what, and the counts that must come out."""

from bgp.topology.clos import leaf_spine
from bgp.topology.graph import Edge, from_edges, from_graph
from bgp.topology.graphfile import read_graph
from bgp.topology.mesh import mesh, planes, reflectors
from bgp.topology.model import Counts, End, Interface, Link, Node, Session, Topology
from bgp.topology.rack import as_per_rack
from bgp.topology.server import as_per_server, downward_default, flat_tor

__all__ = [
    "Counts",
    "Edge",
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
    "from_edges",
    "from_graph",
    "leaf_spine",
    "mesh",
    "planes",
    "read_graph",
    "reflectors",
]
