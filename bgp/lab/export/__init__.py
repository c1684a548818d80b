"""The same topology for other speakers: a configuration for each node, as BIRD and as FRR read it."""

from bgp.lab.export.bird import bird_configuration
from bgp.lab.export.files import export_topology
from bgp.lab.export.frr import frr_configuration

__all__ = ["bird_configuration", "export_topology", "frr_configuration"]
