"""A small cluster on one subnet: nodes that run `bgp run`, with a pod each, and pings between the pods."""

from __future__ import annotations

import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from interop.daemons import Ours
from interop.wires import Namespace, eventually, ip

ROUTER: Final = ("net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1", "net.ipv6.conf.default.accept_dad=0")
PINGS: Final = re.compile(r"(\d+) packets transmitted, (\d+) received")


class Node:
    """One node: its speaker, its pod, its addresses."""

    def __init__(self, number: int, host: Namespace, pod: Namespace, folder: Path, peers: list[int], more: str) -> None:
        self.host = host
        self.pod = pod
        self.address = f"192.0.2.{number}"
        self.block = f"10.244.{number}.0/26"
        self.pod_address = f"10.244.{number}.2"
        self.speaker = Ours(host, folder / f"n{number}", configuration(number, peers, more))

    def kernel_routes(self, *words: str) -> list[str]:
        """The lines of `ip route show`."""
        return [line.strip() for line in self.host.ip("route", "show", *words).splitlines()]

    def has(self, other: Node) -> bool:
        """Whether its kernel has a route to the other node's block."""
        return any(other.address in line for line in self.kernel_routes(other.block))


def configuration(number: int, peers: list[int], more: str) -> str:
    tables = [
        f"""
[speaker]
asn = 64512
router_id = "192.0.2.{number}"
listen = ["192.0.2.{number}:179"]
control = "{{control}}"
[kernel]
source_ipv4 = "192.0.2.{number}"
{more}
[[announce]]
prefix = "10.244.{number}.0/26"
"""
    ]
    tables += [
        f"""
[[peer]]
address = "192.0.2.{peer}"
asn = 64512
local_address = "192.0.2.{number}"
families = ["ipv4-unicast"]
hold_time = 6
connect_retry_time = 1
graceful_restart = "on"
restart_time = 30
"""
        for peer in peers
    ]
    return "".join(tables)


@contextmanager
def cluster(folder: Path, count: int, more: str = "") -> Iterator[list[Node]]:
    """`count` nodes in a full mesh, up and with each other's routes in their kernels."""
    with ExitStack() as stack:
        switch = stack.enter_context(Namespace("sw"))
        switch.ip("link", "add", "br0", "type", "bridge")
        switch.ip("link", "set", "br0", "up")
        nodes = []
        for number in range(1, count + 1):
            host, pod = stack.enter_context(Namespace(f"n{number}")), stack.enter_context(Namespace(f"p{number}"))
            plug(switch, host, number)
            attach(host, pod, number)
            peers = [peer for peer in range(1, count + 1) if peer != number]
            nodes.append(Node(number, host, pod, folder, peers, more))
        for node in nodes:
            node.speaker.start()
        for node in nodes:
            others = [other for other in nodes if other is not node]
            eventually(
                lambda node=node, others=others: all(map(node.has, others)), "all routes are there", node.speaker.tail
            )
        yield nodes


def plug(switch: Namespace, host: Namespace, number: int) -> None:
    port = f"p{number}"
    ip("-n", switch.name, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", host.name)
    switch.ip("link", "set", port, "master", "br0", "up")
    for setting in ROUTER:
        host.run("sysctl", "-qw", setting)
    host.ip("address", "add", f"192.0.2.{number}/24", "dev", "eth0")
    host.ip("link", "set", "eth0", "up")


def attach(host: Namespace, pod: Namespace, number: int) -> None:
    """A pod as ptp makes it: a cable, a host route to it, a default route from it."""
    ip("-n", host.name, "link", "add", "pod", "type", "veth", "peer", "name", "eth0", "netns", pod.name)
    host.ip("address", "add", f"10.244.{number}.1/32", "dev", "pod")
    host.ip("link", "set", "pod", "up")
    host.ip("route", "add", f"10.244.{number}.2/32", "dev", "pod")
    pod.ip("address", "add", f"10.244.{number}.2/26", "dev", "eth0")
    pod.ip("link", "set", "eth0", "up")
    pod.ip("route", "add", "default", "via", f"10.244.{number}.1")


@contextmanager
def pinging(source: Node, destination: Node, every: str = "0.02") -> Iterator[list[int]]:
    """Pings while the block runs; afterwards the list holds how many were sent and how many were not answered."""
    command = ["ip", "netns", "exec", source.pod.name, "ping", "-n", "-i", every, "-W", "2", destination.pod_address]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    counts: list[int] = []
    try:
        assert process.stdout is not None
        for line in process.stdout:
            if "icmp_seq" in line:
                break
        yield counts
    finally:
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate()
        sent, received = map(int, PINGS.search(rest).groups())  # type: ignore[union-attr]  # ping says so
        counts += [sent, sent - received]
