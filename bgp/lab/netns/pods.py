"""Pods: namespaces attached to their node by the CNI plugins `ptp` and `host-local`, as a container runtime does it.

The plugin makes a veth pair, gives the pod its address of the node's block and a default route, and the node a host route
to the pod. It knows nothing of BGP.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_interface
from pathlib import Path
from typing import Final

import trio

from bgp.lab.netns.spaces import inside, ip_batch, open_new, set_kernel
from rib.prefix import Prefix

#: Where Debian has the plugins.
PLUGINS: Final = "/usr/lib/cni"
#: Of the CNI specification, the newest that Debian 12's plugins know.
VERSION: Final = "1.0.0"
#: Where `host-local` writes down which addresses are taken: in the node's own /run.
STATE: Final = "/run/cni"


@dataclass(frozen=True, slots=True)
class Pod:
    """An attached pod: a descriptor of its namespace, and its addresses, one for each version of IP."""

    number: int
    namespace: int
    addresses: tuple[IPv4Address | IPv6Address, ...]

    def address(self, version: int) -> IPv4Address | IPv6Address | None:
        """Its address of that version of IP."""
        return next((address for address in self.addresses if address.version == version), None)


def configuration(blocks: Sequence[Prefix]) -> bytes:
    """What the plugin reads: addresses from the blocks in turn, the last one of each being the node's own side."""
    ranges = []
    for version in (4, 6):
        own = [block.network for block in blocks if block.network.version == version]
        if own:
            ranges.append([{"subnet": str(net), "rangeStart": str(net[1]), "gateway": str(net[-2])} for net in own])
    routes = [{"dst": "0.0.0.0/0" if one[0]["subnet"].count(".") else "::/0"} for one in ranges]
    ipam = {"type": "host-local", "ranges": ranges, "routes": routes, "dataDir": STATE}
    return json.dumps({"cniVersion": VERSION, "name": "lab", "type": "ptp", "mtu": 1500, "ipam": ipam}).encode()


def _new_namespace() -> int:
    made = open_new()
    with inside(made):
        # With duplicate address detection a pod's IPv6 address could not be used for a second.
        set_kernel({"ipv6/conf/default/accept_dad": "0"})
        ip_batch(["link set lo up"])
    return made


async def attach(number: int, blocks: Sequence[Prefix]) -> Pod:
    """A new pod with addresses of the node's blocks. Raises OSError with the plugin's own words."""
    plugin = Path(PLUGINS) / "ptp"
    if not plugin.exists():
        raise OSError(f"no CNI plugin at {plugin}: apt-get install containernetworking-plugins")
    namespace = _new_namespace()
    environment = os.environ | {
        "CNI_COMMAND": "ADD",
        "CNI_CONTAINERID": f"pod{number}",
        "CNI_NETNS": f"/proc/{os.getpid()}/fd/{namespace}",
        "CNI_IFNAME": "eth0",
        "CNI_PATH": PLUGINS,
    }
    done = await trio.run_process(
        [str(plugin)],
        stdin=configuration(blocks),
        env=environment,
        capture_stdout=True,
        capture_stderr=True,
        check=False,
    )
    if done.returncode:
        raise OSError(f"the CNI plugin ptp failed for pod {number}: {done.stdout.decode(errors='replace').strip()}")
    result = json.loads(done.stdout)
    return Pod(number, namespace, tuple(ip_interface(one["address"]).ip for one in result["ips"]))
