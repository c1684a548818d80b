"""The lab: topologies run on a fabric, measured, and held against their predictions."""

from bgp.lab.command import MODELS, Model, Parameter, run_lab
from bgp.lab.fabric import MemoryFabric, open_memory_fabric
from bgp.lab.forwarding import Forwarder, Hop, Trace
from bgp.lab.result import Reachability, Result

__all__ = [
    "MODELS",
    "Forwarder",
    "Hop",
    "MemoryFabric",
    "Model",
    "Parameter",
    "Reachability",
    "Result",
    "Trace",
    "open_memory_fabric",
    "run_lab",
]
