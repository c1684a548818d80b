"""Two nodes on a cable, each `bgp run` with a [kernel] table: what their kernels hold, and what packets notice of trouble.

10.1.0.0/24 ── near ── 10.0.0.1 ═══ wire ═══ 10.0.0.2 ── far ── 10.2.0.0/24
"""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from socket import AF_INET, SOCK_DGRAM, socket
from threading import Event, Thread
from time import monotonic

import pytest
from app.program import PATIENCE, RunningSpeaker, running
from kernels import Namespace

pytestmark = pytest.mark.interop

#: Seconds between two packets or two looks, so that what is watched gets the processor.
PACE = 0.005

NODE = """\
[speaker]
asn = {asn}
router_id = "{address}"
listen = ["{address}:179"]
[kernel]
source_ipv4 = "{source}"
[[announce]]
prefix = "{block}"
[[peer]]
address = "{peer}"
asn = {peer_asn}
connect_retry_time = 0.2
graceful_restart = "on"
import = "accept"
export = "accept"
"""
NEAR = NODE.format(
    asn=65001, address="10.0.0.1", source="10.1.0.1", block="10.1.0.0/24", peer="10.0.0.2", peer_asn=65002
)
FAR = NODE.format(
    asn=65002, address="10.0.0.2", source="10.2.0.1", block="10.2.0.0/24", peer="10.0.0.1", peer_asn=65001
)


class Wire:
    """Both ends, with an address of each block on the loopback."""

    def __init__(self) -> None:
        self.near, self.far = Namespace(), Namespace()
        self.near.connect("wire", "10.0.0.1/24", self.far, "10.0.0.2/24")
        self.near.run("ip", "address", "add", "10.1.0.1/32", "dev", "lo")
        self.far.run("ip", "address", "add", "10.2.0.1/32", "dev", "lo")

    def close(self) -> None:
        self.near.close()
        self.far.close()


@pytest.fixture
def wire() -> Iterator[Wire]:
    made = Wire()
    yield made
    made.close()


def routes(node: Namespace) -> dict[str, dict[str, object]]:
    """Our routes as iproute2 shows them."""
    found = json.loads(node.run("ip", "-j", "-details", "route", "show", "proto", "179") or "[]")
    return {route["dst"]: route for route in found}


def wait_until(condition: Callable[[], bool], what: str) -> None:
    end = monotonic() + PATIENCE
    pause = Event()
    while not condition():
        assert monotonic() < end, what
        pause.wait(PACE)


def wait_for_routes(node: Namespace, *wanted: str) -> None:
    wait_until(lambda: routes(node).keys() == set(wanted), f"{wanted} do not come; there are {routes(node).keys()}")


def datagrams(node: Namespace, address: str) -> socket:
    """A UDP socket on an address of a node."""

    def make() -> socket:
        made = socket(AF_INET, SOCK_DGRAM)
        made.bind((address, 0))
        made.settimeout(2)
        return made

    return node.within(make)


class Flow:
    """Packets there and back, one after the other, from block to block."""

    def __init__(self) -> None:
        self.sent = self.lost = 0

    def run(self, near: socket, far: socket, ended: Event) -> None:
        while not ended.wait(PACE):
            self.sent += 1
            try:
                near.sendto(b"ping", far.getsockname())
                _, sender = far.recvfrom(16)
                assert ip_address(sender[0]) == ip_address("10.1.0.1")
                far.sendto(b"pong", sender)
                near.recv(16)
            except OSError:
                self.lost += 1


@contextmanager
def flowing(wire: Wire) -> Iterator[Flow]:
    """Packets between the blocks for as long as the context is open."""
    flow, ended = Flow(), Event()
    with datagrams(wire.near, "10.1.0.1") as near, datagrams(wire.far, "10.2.0.1") as far:
        thread = Thread(target=flow.run, args=(near, far, ended))
        thread.start()
        try:
            yield flow
        finally:
            ended.set()
            thread.join()


@contextmanager
def both(wire: Wire, folder: Path) -> Iterator[tuple[RunningSpeaker, RunningSpeaker]]:
    with (
        running(folder / "near.toml", NEAR, namespace=wire.near.descriptor) as near,
        running(folder / "far.toml", FAR, namespace=wire.far.descriptor) as far,
    ):
        for node in (wire.near, wire.far):
            wait_for_routes(node, "10.1.0.0/24", "10.2.0.0/24")
        yield near, far


def test_routes_of_the_other_node_and_a_blackhole_for_the_own_block(wire: Wire, tmp_path: Path) -> None:
    with both(wire, tmp_path) as (near, far):
        found = routes(wire.near)
        learned, own = found["10.2.0.0/24"], found["10.1.0.0/24"]
        assert (learned["gateway"], learned["dev"], learned["metric"]) == ("10.0.0.2", "wire", 20)
        assert learned["prefsrc"] == "10.1.0.1"
        assert own["type"] == "blackhole"
        with flowing(wire) as flow:
            wait_until(lambda: flow.sent > 100, "packets do not flow")
        assert flow.lost == 0
        (shown,) = near.ask("kernel")
        assert (shown["installed"], shown["missing"]) == (2, {})
        # Who says goodbye takes its routes along, here and there.
        far.signal(signal.SIGTERM)
        assert far.end() == 0
        assert routes(wire.far) == {}
        wait_for_routes(wire.near, "10.1.0.0/24")


def test_what_others_do_is_put_right_or_left_alone(wire: Wire, tmp_path: Path) -> None:
    with both(wire, tmp_path) as (near, _):
        wire.near.run("ip", "route", "del", "10.2.0.0/24", "metric", "20")
        wait_for_routes(wire.near, "10.1.0.0/24", "10.2.0.0/24")
        # A static route of the same metric in its place: theirs now.
        wire.near.run("ip", "route", "replace", "10.2.0.0/24", "via", "10.0.0.2", "metric", "20", "proto", "static")
        taken = {"10.2.0.0/24": "another program has a route of metric 20"}
        wait_until(lambda: near.ask("kernel")[0]["missing"] == taken, "the takeover is not seen")
        assert routes(wire.near).keys() == {"10.1.0.0/24"}
        wire.near.run("ip", "route", "del", "10.2.0.0/24", "metric", "20", "proto", "static")
        wait_for_routes(wire.near, "10.1.0.0/24", "10.2.0.0/24")


def test_all_of_our_routes_are_put_back_and_those_of_others_are_not_touched(wire: Wire, tmp_path: Path) -> None:
    with both(wire, tmp_path) as (near, _):
        wire.near.run("ip", "route", "add", "10.2.0.0/24", "via", "10.0.0.2", "metric", "500", "proto", "static")
        wire.near.run("ip", "route", "add", "192.0.2.0/24", "via", "10.0.0.2", "proto", "static")
        before = wire.near.run("ip", "route", "show", "proto", "static")
        for _ in range(3):
            wire.near.run("ip", "route", "flush", "proto", "179")
            wait_for_routes(wire.near, "10.1.0.0/24", "10.2.0.0/24")
        for size in ("1400", "9000", "1500"):
            wire.near.run("ip", "link", "set", "wire", "mtu", size)
        for state in ("down", "up") * 3:
            wire.near.run("ip", "link", "set", "wire", state)
        # What was the static routes' end is the link's doing, not ours.
        assert wire.near.run("ip", "route", "show", "proto", "static") == ""
        wait_for_routes(wire.near, "10.1.0.0/24", "10.2.0.0/24")
        wire.near.run("ip", "route", "add", "10.2.0.0/24", "via", "10.0.0.2", "metric", "500", "proto", "static")
        wire.near.run("ip", "route", "add", "192.0.2.0/24", "via", "10.0.0.2", "proto", "static")
        near.signal(signal.SIGTERM)
        assert near.end() == 0
        assert routes(wire.near) == {}
        assert wire.near.run("ip", "route", "show", "proto", "static") == before


TWO_WAYS = """\
[speaker]
asn = 65001
router_id = "10.0.0.1"
listen = ["10.0.0.1:179", "10.0.1.1:179"]
[kernel]
protocol = 77
metric = 33
max_paths = 2
relax_as_path = true
source_ipv4 = "10.1.0.1"
[[announce]]
prefix = "10.1.0.0/24"
"""
PEER = """\
[[peer]]
address = "{address}"
asn = {asn}
connect_retry_time = 0.2
import = "accept"
export = "accept"
"""
END = """\
[speaker]
asn = {asn}
router_id = "{address}"
listen = ["{address}:179"]
[[announce]]
prefixes = ["10.2.0.0/24"]
"""


def test_two_equal_ways_and_numbers_of_our_own(wire: Wire, tmp_path: Path) -> None:
    def hops() -> set[object]:
        found = json.loads(wire.near.run("ip", "-j", "route", "show", "10.2.0.0/24", "proto", "77") or "[]")
        ways = [way for route in found for way in route.get("nexthops", [route])]
        assert all((route["metric"], route["prefsrc"]) == (33, "10.1.0.1") for route in found)
        return {way["gateway"] for way in ways}

    wire.near.connect("second", "10.0.1.1/24", wire.far, "10.0.1.2/24")
    peers = PEER.format(address="10.0.0.2", asn=65002) + PEER.format(address="10.0.1.2", asn=65003)
    far = [
        END.format(address=address, asn=asn) + PEER.format(address=near, asn=65001)
        for address, near, asn in (("10.0.0.2", "10.0.0.1", 65002), ("10.0.1.2", "10.0.1.1", 65003))
    ]
    with (
        running(tmp_path / "near.toml", TWO_WAYS + peers, namespace=wire.near.descriptor),
        running(tmp_path / "one.toml", far[0], namespace=wire.far.descriptor) as one,
        running(tmp_path / "two.toml", far[1], namespace=wire.far.descriptor),
    ):
        wait_until(lambda: hops() == {"10.0.0.2", "10.0.1.2"}, "there are no two ways")
        one.signal(signal.SIGTERM)
        assert one.end() == 0
        wait_until(lambda: hops() == {"10.0.1.2"}, "there is not one way")
        wire.near.run("ip", "link", "set", "second", "down")
        wait_until(lambda: hops() == set(), "there is still a way")
        wire.near.run("ip", "link", "set", "second", "up")
        wait_until(lambda: hops() == {"10.0.1.2"}, "the way does not come back")


def test_a_cable_that_is_pulled_out_and_put_back(wire: Wire, tmp_path: Path) -> None:
    with both(wire, tmp_path) as (near, _):
        wire.near.run("ip", "link", "set", "wire", "down")
        wait_for_routes(wire.near, "10.1.0.0/24")
        wait_until(lambda: near.ask("rejected") != [], "the route is still eligible")
        (refused,) = near.ask("rejected")
        assert refused["refused"] == "next hop is unresolvable: 10.0.0.2"
        wire.near.run("ip", "link", "set", "wire", "up")
        wait_for_routes(wire.near, "10.1.0.0/24", "10.2.0.0/24")


def test_a_speaker_that_is_killed_and_comes_back_costs_no_packet(wire: Wire, tmp_path: Path) -> None:
    with both(wire, tmp_path) as (near, far), flowing(wire) as flow:
        near.signal(signal.SIGKILL)
        near.end()
        assert routes(wire.near).keys() == {"10.1.0.0/24", "10.2.0.0/24"}
        before = flow.sent
        with running(tmp_path / "near.toml", NEAR, namespace=wire.near.descriptor) as again:
            again.wait_for("kernel table 254: 2 routes of a former run")
            again.wait_for("→ Established")
            wait_until(lambda: again.ask("kernel")[0]["stale"] == 0, "the routes of before are not confirmed")
            assert again.ask("kernel")[0]["written"] == 0
            wait_until(lambda: flow.sent > before + 100, "packets do not flow")
            assert flow.lost == 0
            assert far.prefixes() == ["10.1.0.0/24", "10.2.0.0/24"]


UNNUMBERED = """\
[speaker]
asn = {asn}
router_id = "{block}.1"
listen = ["[::]:179"]
[kernel]
source_ipv4 = "{block}.1"
[[announce]]
prefix = "{block}.0/24"
[[peer]]
address = "{peer}%wire"
asn = {peer_asn}
connect_retry_time = 0.2
import = "accept"
export = "accept"
"""


def test_neighbours_without_ipv4_addresses_route_ipv4(wire: Wire, tmp_path: Path) -> None:
    """RFC 8950 between link-local addresses: IPv4 routes by IPv6 gateways."""
    near = UNNUMBERED.format(asn=65001, block="10.1.0", peer="fe80::2", peer_asn=65002)
    far = UNNUMBERED.format(asn=65002, block="10.2.0", peer="fe80::1", peer_asn=65001)
    for node, address in ((wire.near, "fe80::1/64"), (wire.far, "fe80::2/64")):
        node.run("ip", "-4", "address", "flush", "dev", "wire")
        node.run("ip", "address", "add", address, "dev", "wire")
    with (
        running(tmp_path / "near.toml", near, namespace=wire.near.descriptor),
        running(tmp_path / "far.toml", far, namespace=wire.far.descriptor),
    ):
        for node in (wire.near, wire.far):
            wait_for_routes(node, "10.1.0.0/24", "10.2.0.0/24")
        assert routes(wire.near)["10.2.0.0/24"]["via"] == {"family": "inet6", "host": "fe80::2"}
        with flowing(wire) as flow:
            wait_until(lambda: flow.sent > 20, "packets do not flow")
        assert flow.lost == 0
