"""The lab: topologies run on a fabric, measured, and held against their predictions."""

from bgp.lab.command import LabOptions, run_lab
from bgp.lab.fabric import Convergence, Fabric, FabricSettings, SessionChange, Snapshot
from bgp.lab.fault import Fault, FaultKind, FaultReport, parse_fault
from bgp.lab.forwarding import Forwarder, Hop, Trace
from bgp.lab.memory import MemoryFabric, open_memory_fabric
from bgp.lab.models import MODELS, Model, Parameter
from bgp.lab.reach import Reachability
from bgp.lab.result import Result

__all__ = [
    "MODELS",
    "Convergence",
    "Fabric",
    "FabricSettings",
    "Fault",
    "FaultKind",
    "FaultReport",
    "Forwarder",
    "Hop",
    "LabOptions",
    "MemoryFabric",
    "Model",
    "Parameter",
    "Reachability",
    "Result",
    "SessionChange",
    "Snapshot",
    "Trace",
    "open_memory_fabric",
    "parse_fault",
    "run_lab",
]
