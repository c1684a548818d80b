"""What the kernel's routing table is to us: routes, links, what happens to them, and who may change what.

A kernel's route has an identity: table, destination, metric. Two programs that use the same metric would take over each
other's routes, and the kernel says nothing about it. So everything of ours has a protocol number and a metric of its own;
a route is first *added*, which fails where there is one already, only a route known to be ours is *replaced*, and every
removal names the protocol, so that a route of another program cannot go by mistake.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple, Protocol

#: The protocol number of routes that the kernel made itself, such as those of connected networks (linux/rtnetlink.h).
KERNEL_PROTOCOL: Final = 2
#: The main table (linux/rtnetlink.h).
MAIN_TABLE: Final = 254
#: Ours: nobody's in linux/rtnetlink.h or in the files of iproute2, and easy to remember.
DEFAULT_PROTOCOL: Final = 179
#: Better than what a DHCP client sets (100 and more), worse than what a person sets without a word (0).
DEFAULT_METRIC: Final = 20


@dataclass(frozen=True, slots=True)
class KernelOptions:
    """How the speaker programs the kernel. Times are in seconds."""

    protocol: int = DEFAULT_PROTOCOL  #: the number by which routes of ours are told from those of other programs
    metric: int = DEFAULT_METRIC  #: of our routes; where another program has a route of the same one, ours stays out
    table: int = MAIN_TABLE  #: the routing table; the default is the main one
    source_ipv4: str | None = None  #: the source address of what this machine itself sends by our routes (prefsrc)
    source_ipv6: str | None = None  #: the same for IPv6
    blackhole: bool = True  #: throw away what is for our own blocks and for no part of them that is there
    max_paths: int = 1  #: how many equally good next hops a route may have (ECMP)
    relax_as_path: bool = False  #: equally good are paths of equal length, whatever their AS numbers
    resolve_via_default: bool = False  #: a next hop may be reachable by the default route alone
    stale_time: float = 120.0  #: how long routes of a former run may wait for their peers to say them again
    reconcile_interval: float = 60.0  #: how often the kernel is asked whether it still has what it was given
    keep: bool = False  #: leave the routes in the kernel when the speaker ends


class Hop(NamedTuple):
    """Where packets go next: a gateway, or a link on which the destination itself is (None)."""

    gateway: IPv4Address | IPv6Address | None
    interface: int = 0  #: the link's index; 0 leaves it to the kernel


class Way(NamedTuple):
    """What is done with packets to a prefix: sent to one of the hops, or thrown away where there is none."""

    hops: tuple[Hop, ...]
    source: IPv4Address | IPv6Address | None = None  #: the preferred source address of our own packets

    @classmethod
    def of(cls, hops: Iterable[Hop], source: IPv4Address | IPv6Address | None = None) -> Way:
        """The way over these hops. The kernel has an order of its own, so ours is by number and address, to compare them."""
        return cls(tuple(sorted(set(hops), key=_place)), source)


def _place(hop: Hop) -> tuple[int, bytes]:
    return hop.interface, b"" if hop.gateway is None else hop.gateway.packed


BLACKHOLE: Final = Way(())


class KernelRoute(NamedTuple):
    """A route as the kernel has it."""

    afi: int
    nlri: bytes
    way: Way
    protocol: int
    metric: int


class Link(NamedTuple):
    """A network interface, by its number (index); `is_up` if packets can go out."""

    number: int
    name: str
    is_up: bool


class RouteCame(NamedTuple):
    """A route appeared or was changed, by another program or by the kernel itself."""

    route: KernelRoute


class RouteWent(NamedTuple):
    """A route disappeared, by another program or by the kernel itself."""

    route: KernelRoute


class LinksChanged(NamedTuple):
    """A link or an address changed: routes may have gone of which nobody says so."""


class EventsLost(NamedTuple):
    """More happened than the kernel could tell us."""


Event = RouteCame | RouteWent | LinksChanged | EventsLost


class Verb(Enum):
    """What may be done with routes."""

    ADD = "add"  #: fails where there is a route of our metric, whoever's it is
    REPLACE = "replace"  #: of a route that is known to be ours
    REMOVE = "remove"  #: only if it is of our protocol


class Edit(NamedTuple):
    """One thing done with any number of prefixes. `way` does not matter to a removal."""

    verb: Verb
    afi: int
    keys: list[bytes]
    way: Way = BLACKHOLE


class Refusal(NamedTuple):
    """What the kernel did not do, and its error number."""

    verb: Verb
    afi: int
    nlri: bytes
    error: int


class Kernel(Protocol):
    """A kernel's routing table, IPv4 and IPv6: the real one or one in memory. Knows our protocol, metric and table."""

    async def links(self) -> dict[int, Link]:
        """All links by their number."""

    async def routes(self, *, own: bool) -> list[KernelRoute]:
        """Our routes in the table, or those of everybody else there."""

    async def edit(self, edits: Iterable[Edit]) -> list[Refusal]:
        """Do all of it, in order; gives what was refused. An edit that is refused for one prefix is done for the others.

        The next edit is asked for while those before it are being done.
        """

    async def events(self) -> list[Event]:
        """Wait until something happens that `edit` did not do, and give all of it."""

    def close(self) -> None:
        """Let go of the kernel; the routes stay."""
