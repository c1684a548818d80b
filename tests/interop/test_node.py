"""`bgp node` on real kernels: blocks from a file, borrowed addresses told by the CNI plugin, and whether it is ready."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Final

import pytest
from interop.cluster import plug
from interop.daemons import ROOT, Ours
from interop.wires import Namespace, eventually

NODE: Final = """
[speaker]
asn = 64512
router_id = "192.0.2.{own}"
listen = ["192.0.2.{own}:179"]
control = "{{control}}"
[kernel]
[node]
blocks_file = "{folder}/blocks"
pods = "{folder}/pods"
ready = "127.0.0.1:9179"
[[peer]]
address = "192.0.2.{other}"
asn = 64512
local_address = "192.0.2.{own}"
families = ["ipv4-unicast"]
connect_retry_time = 1
"""
PTP: Final = {
    "cniVersion": "1.0.0",
    "name": "lab",
    "type": "ptp",
    "ipam": {
        "type": "host-local",
        "subnet": "10.244.77.0/24",
        "rangeStart": "10.244.77.7",
        "routes": [{"dst": "0.0.0.0/0"}],
    },
}


class Agent:
    """One node with its agent."""

    def __init__(self, number: int, host: Namespace, folder: Path) -> None:
        self.host = host
        self.folder = folder
        folder.mkdir()
        self.blocks = folder / "blocks"
        text = NODE.format(own=number, other=3 - number, folder=folder)
        self.speaker = Ours(host, folder / "speaker", text, command="node")

    def ready(self) -> tuple[int, dict[str, Any]]:
        """(status, body) of /readyz."""
        fetch = "import urllib.request as u, urllib.error as e\n"
        fetch += "try: r = u.urlopen('http://127.0.0.1:9179/readyz')\nexcept e.HTTPError as x: r = x\n"
        fetch += "print(r.status, r.read().decode())"
        status, _, body = self.host.run(sys.executable, "-c", fetch).partition(" ")
        return int(status), json.loads(body)

    def has(self, prefix: str) -> bool:
        return "via" in self.host.ip("route", "show", prefix, "proto", "179")

    def cni(self, command: str, namespace: str, configuration: dict[str, Any], *plugin: str) -> dict[str, Any] | None:
        """Run a CNI plugin on the node as a container runtime does."""
        environment = os.environ | {
            "CNI_COMMAND": command,
            "CNI_CONTAINERID": "pod1",
            "CNI_NETNS": f"/run/netns/{namespace}",
            "CNI_IFNAME": "eth0",
            "CNI_PATH": "/usr/lib/cni",
        }
        configuration = configuration | {
            "pods": str(self.folder / "pods"),
            "ipam": PTP["ipam"] | {"dataDir": str(self.folder / "ipam")},  # type: ignore[operator]  # it is a dict
        }
        done = subprocess.run(
            ["ip", "netns", "exec", self.host.name, *plugin],
            input=json.dumps(configuration),
            env=environment,
            capture_output=True,
            text=True,
            cwd=ROOT,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        found: dict[str, Any] | None = json.loads(done.stdout) if done.stdout.strip() else None
        return found


@pytest.fixture
def agents(tmp_path: Path) -> Iterator[tuple[Agent, Agent]]:
    with ExitStack() as stack:
        switch = stack.enter_context(Namespace("sw"))
        switch.ip("link", "add", "br0", "type", "bridge")
        switch.ip("link", "set", "br0", "up")
        made = []
        for number in (1, 2):
            host = stack.enter_context(Namespace(f"n{number}"))
            plug(switch, host, number)
            made.append(Agent(number, host, tmp_path / f"n{number}"))
        yield made[0], made[1]


def test_a_node_from_nothing_to_ready_and_back(agents: tuple[Agent, Agent]) -> None:
    one, two = agents
    one.blocks.write_text("10.244.1.0/26\n")
    one.speaker.start()
    status, body = one.ready()
    assert status == 503
    assert any("the session with 192.0.2.2 is" in reason for reason in body["reasons"])

    two.speaker.start()
    eventually(lambda: two.has("10.244.1.0/26"), "the block is in the other's kernel", two.speaker.tail)
    status, body = two.ready()
    assert status == 503
    assert f"{two.blocks}: No such file or directory" in body["reasons"]
    two.blocks.write_text("10.244.2.0/26\n")
    eventually(lambda: one.has("10.244.2.0/26"), "the new block is in the first one's kernel", two.speaker.tail)
    eventually(lambda: one.ready() == two.ready() == (200, {"ready": True, "reasons": []}), "both are ready")

    two.blocks.write_text("10.244.3.0/26\n")
    eventually(lambda: one.has("10.244.3.0/26") and not one.has("10.244.2.0/26"), "blocks are replaced")


def test_a_borrowed_address_is_announced_as_long_as_its_pod_lives(agents: tuple[Agent, Agent]) -> None:
    one, two = agents
    for agent, block in ((one, "10.244.1.0/26"), (two, "10.244.2.0/26")):
        agent.blocks.write_text(block)
        agent.speaker.start()
    eventually(lambda: one.has("10.244.2.0/26") and two.has("10.244.1.0/26"), "both know the other")
    plugin = (sys.executable, "-m", "bgp.app.node.cni")
    with Namespace("pod") as pod:
        made = one.cni("ADD", pod.name, PTP, "/usr/lib/cni/ptp")
        ours = {"cniVersion": "1.0.0", "name": "lab", "type": "bgp-cni", "prevResult": made}
        assert one.cni("ADD", pod.name, ours, *plugin) == made
        eventually(lambda: two.has("10.244.77.7"), "the pod's address is in the other's kernel", one.speaker.tail)
        assert "1 received" in two.host.run("ping", "-n", "-c", "1", "10.244.77.7")
        one.cni("CHECK", pod.name, ours, *plugin)
        one.cni("DEL", pod.name, ours, *plugin)
        one.cni("DEL", pod.name, PTP | {"prevResult": made}, "/usr/lib/cni/ptp")
        eventually(lambda: not two.has("10.244.77.7"), "it is gone there", one.speaker.tail)
