"""What the `[node]` table of a configuration holds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rib.prefix import Prefix

#: Where the CNI plugin leaves word of pods, and the agent finds it.
PODS: Final[str] = "/run/bgp/pods"


@dataclass(frozen=True, slots=True)
class NodeOptions:
    """Where a node's pod addresses come from, and where it says whether it is ready.

    A block is announced whole. An address in use that lies in no block of ours is borrowed from another node's, and is
    announced by itself.
    """

    blocks: tuple[Prefix, ...] = ()  #: blocks of pod addresses that are this node's
    blocks_file: str | None = None  #: more blocks, one a line; read again whenever an IPAM writes it
    host_local: str | None = None  #: the folder in which the CNI plugin `host-local` has a file for each address in use
    pods: str = PODS  #: the folder in which the CNI plugin `bgp-cni` has a file for each pod's interface
    ready: str | None = None  #: where to serve /readyz and /livez over HTTP: "ADDRESS:PORT"
