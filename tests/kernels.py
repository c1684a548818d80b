"""Kernels to test against: the real one, in a network namespace of its own, and the one in memory. Both with a second hand."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from ipaddress import ip_address
from pathlib import Path
from threading import Thread
from typing import Protocol, TypeVar

from bgp.net.kernel.memory import MemoryKernel
from bgp.net.kernel.model import BLACKHOLE, Hop, Kernel, KernelOptions, Way

T = TypeVar("T")
CLONE_NEWNET = 0x40000000
#: IPv6 in a namespace that is to be tested at once: no duplicate address detection, and addresses that stay.
SYSCTLS = {"accept_dad": "0", "keep_addr_on_down": "1"}


class World(Protocol):
    """A kernel and somebody else who works on it."""

    kernel: Kernel

    def add_link(self, name: str, *addresses: str) -> int:
        """A link that is up; gives its number."""

    def set_link(self, name: str, *, is_up: bool) -> None:
        """Take a link down, or up again."""

    def put(self, prefix: str, gateway: str | None, protocol: int, metric: int) -> None:
        """Make or take over a route; without a gateway, a blackhole."""

    def take(self, prefix: str, metric: int) -> None:
        """Remove a route, whoever's it is."""


class MemoryWorld:
    """The kernel in memory."""

    def __init__(self, options: KernelOptions) -> None:
        self.kernel = MemoryKernel(options)
        self.add_link = self.kernel.add_link
        self.set_link = self.kernel.set_link
        self.take = self.kernel.take

    def put(self, prefix: str, gateway: str | None, protocol: int, metric: int) -> None:
        way = BLACKHOLE
        if gateway is not None:
            found = self.kernel.look_up(ip_address(gateway))
            assert found is not None
            way = Way.of([Hop(ip_address(gateway), found.way.hops[0].interface)])
        self.kernel.put(prefix, way, protocol, metric)


class Namespace:
    """A network namespace. `within` runs a function there, in a thread that then ends; `run` a command."""

    def __init__(self) -> None:
        self.descriptor = _in_thread(_unshare)
        self.run("ip", "link", "set", "lo", "up")
        for name, value in SYSCTLS.items():
            for where in ("all", "default"):
                path = f"/proc/sys/net/ipv6/conf/{where}/{name}"
                self.within(lambda path=path, value=value: Path(path).write_text(value))  # type: ignore[misc]

    def within(self, work: Callable[[], T]) -> T:
        def entered() -> T:
            _check(_libc().setns(self.descriptor, CLONE_NEWNET))
            return work()

        return _in_thread(entered)

    def run(self, *command: str, also: tuple[int, ...] = ()) -> str:
        """What a command prints; `also` are descriptors that it needs."""
        entered = ["nsenter", f"--net=/proc/self/fd/{self.descriptor}", *command]
        done = subprocess.run(entered, check=True, capture_output=True, text=True, pass_fds=(self.descriptor, *also))
        return done.stdout

    def close(self) -> None:
        os.close(self.descriptor)

    def connect(self, name: str, address: str, far: Namespace, far_address: str) -> None:
        """A cable to another namespace, the ends of one name, up and with addresses."""
        there = f"/proc/self/fd/{far.descriptor}"
        self.run(
            *("ip", "link", "add", name, "type", "veth", "peer", "name", name, "netns", there), also=(far.descriptor,)
        )
        for end, own in ((self, address), (far, far_address)):
            end.run("ip", "address", "add", own, "dev", name)
            end.run("ip", "link", "set", name, "up")


class RealWorld(Namespace):
    """The kernel of a namespace."""

    def __init__(self, options: KernelOptions, make: Callable[[KernelOptions], Kernel]) -> None:
        super().__init__()
        self.kernel = self.within(lambda: make(options))

    def close(self) -> None:
        self.kernel.close()
        super().close()

    def add_link(self, name: str, *addresses: str) -> int:
        self.run("ip", "link", "add", name, "type", "veth", "peer", "name", f"{name}-far")
        for address in addresses:
            self.run("ip", "address", "add", address, "dev", name)
        self.run("ip", "link", "set", f"{name}-far", "up")
        self.run("ip", "link", "set", name, "up")
        return int(self.run("ip", "-o", "link", "show", name).partition(":")[0])

    def set_link(self, name: str, *, is_up: bool) -> None:
        self.run("ip", "link", "set", name, "up" if is_up else "down")

    def put(self, prefix: str, gateway: str | None, protocol: int, metric: int) -> None:
        way = ["via", gateway] if gateway else []
        kind = [] if gateway else ["blackhole"]
        self.run(*_ip(prefix), "route", "replace", *kind, prefix, *way, "metric", str(metric), "proto", str(protocol))

    def take(self, prefix: str, metric: int) -> None:
        self.run(*_ip(prefix), "route", "del", prefix, "metric", str(metric))


def _ip(prefix: str) -> list[str]:
    return ["ip", "-6" if ":" in prefix else "-4"]


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _check(result: int) -> None:
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def _unshare() -> int:
    _check(_libc().unshare(CLONE_NEWNET))
    return os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)


def _in_thread(work: Callable[[], T]) -> T:
    """The result of work in a thread of its own, whose namespaces go with it."""
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:
            errors.append(error)

    thread = Thread(target=run)
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]


@contextmanager
def real_world(options: KernelOptions) -> Iterator[RealWorld]:
    """A namespace for as long as the context. Raises PermissionError where none can be made."""
    from bgp.net.kernel.netlink import NetlinkKernel  # pyroute2 may be absent

    world = RealWorld(options, NetlinkKernel)
    try:
        yield world
    finally:
        world.close()
