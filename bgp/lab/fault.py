"""Faults as values: what breaks, in the words of `bgp lab --fail`, and what was seen to follow from it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum
from typing import Final, NamedTuple

from bgp.error import LocalError
from bgp.lab.loss import Loss
from bgp.lab.values import Json
from bgp.topology.model import SPINE, TOR, Link, Session, Topology

#: Between faults that happen at the same time.
AND: Final = "+"


class FaultKind(Enum):
    """What can happen; the value is its word."""

    LINK = "link"  #: nothing passes between two nodes any more, and nobody tells them
    NODE = "node"  #: a node loses its power: it is silent
    RESTART = "restart"  #: a speaker ends in good order and starts again
    KILL = "kill"  #: a speaker is killed and starts again, its kernel keeps the routes meanwhile (RFC 4724)
    RESET = "reset"  #: the connections between two nodes break; they may dial at once
    DELAY = "delay"  #: octets between two nodes take longer


class Fault(NamedTuple):
    """One fault. `text` is how it was asked for; `links` the links it is about, `nodes` their ends that it is between.

    For NODE, RESTART and KILL `nodes` is the one node. `seconds` is the delay of DELAY.
    """

    kind: FaultKind
    text: str
    nodes: tuple[str, ...]
    links: tuple[Link, ...] = ()
    seconds: float = 0.0
    also: tuple[Fault, ...] = ()  #: what happens at the same time

    @property
    def parts(self) -> tuple[Fault, ...]:
        """All that happens, one by one."""
        return (self._replace(text=self.text.partition(AND)[0], also=()), *self.also) if self.also else (self,)

    def touches(self, link: Link, near: str, far: str) -> bool:
        """Whether the fault keeps octets from passing over `link` between two nodes."""
        if self.kind is FaultKind.NODE:
            return self.nodes[0] in (near, far)
        return self.kind is FaultKind.LINK and link in self.links and (not self.nodes or {near, far} == {*self.nodes})

    @property
    def lasts(self) -> bool:
        """Whether any of it stays until somebody repairs it."""
        return any(part.kind in (FaultKind.LINK, FaultKind.NODE, FaultKind.DELAY) for part in self.parts)

    def __str__(self) -> str:
        return self.text


def link_of(topology: Topology, session: Session) -> Link:
    """The link that a session runs over."""
    local = session.dials.peer.local_address
    return next(
        link
        for link, interface in topology.links_of(session.dials.node)
        if any(str(address) == local for address in interface.addresses)
    )


def why_dead(faults: Iterable[Fault], link: Link, near: str, far: str) -> str:
    """Why nothing passes over a link between two nodes while these faults last; empty where it does."""
    for fault in faults:
        if fault.touches(link, near, far):
            return f"{fault}: nothing passes from {near} to {far} on {link.name}"
    return ""


#: What `parse_fault` understands, for --help and for errors.
GRAMMAR: Final = (
    "link:X-Y, link:NAME, node:X, spine-rack[:SPINE-RACK], restart:X, kill:X, reset:X-Y or delay:X-Y=SECONDS;"
    " A+B lets both happen at once"
)


class Repair(NamedTuple):
    """What followed from the repair of a fault. `loss` None: flows were walked through the tables."""

    converged_after: float | None  #: seconds after it; None: it did not come to rest in time
    lost: int  #: flows that do not get through now
    loss: Loss | None = None

    def as_json(self) -> dict[str, Json]:
        """The object `repaired` of an item of `faults` in `bgp lab --json`."""
        made: dict[str, Json] = {"converged_after": self.converged_after, "lost": self.lost}
        return made if self.loss is None else made | {"packets": self.loss.as_json()}


class FaultReport(NamedTuple):
    """What followed from a fault, times in seconds after it.

    `detected_after` None: no session noticed. `converged_after` None: it did not come to rest in time. Flows are TCP-like:
    each pair of pods on nodes that live has several, and each keeps to one of the equal ways at every node. They are
    walked through the speakers' tables, or, where there is a `loss`, packets of them were sent and counted.
    """

    fault: Fault
    detected_after: float | None
    converged_after: float | None
    flows: int
    lost_meanwhile: int  #: flows that did not get through between the fault and its end
    lost: int  #: flows that do not get through now that it has come to rest
    why: str = ""  #: the reason of the first of these
    loss: Loss | None = None
    repaired: Repair | None = None  #: None: it repairs itself

    def as_json(self) -> dict[str, Json]:
        """An item of `faults` in `bgp lab --json`."""
        made: dict[str, Json] = {
            "fault": str(self.fault),
            "detected_after": self.detected_after,
            "converged_after": self.converged_after,
            "lost": self.lost,
            "lost_meanwhile": self.lost_meanwhile,
            "flows": self.flows,
            "counted": "flows by the tables" if self.loss is None else "packets",
            "reason": self.why,
        }
        if self.loss is not None:
            made["packets"] = self.loss.as_json()
        if self.repaired is not None:
            made["repaired"] = self.repaired.as_json()
        return made


def parse_fault(text: str, topology: Topology) -> Fault:
    """The fault that `text` asks for. Raises LocalError for words that mean none, or nodes and links that are not there."""
    first, *also = [_parse_one(part, topology) for part in text.split(AND)]
    return first._replace(text=AND.join([first.text, *(one.text for one in also)]), also=tuple(also)) if also else first


def _parse_one(text: str, topology: Topology) -> Fault:
    word, _, rest = text.strip().partition(":")
    if word == "spine-rack":
        return _spine_rack(text, rest, topology)
    try:
        kind = FaultKind(word)
    except ValueError:
        raise LocalError(f"there is no fault {text!r}; write {GRAMMAR}") from None
    seconds = 0.0
    if kind is FaultKind.DELAY:
        rest, _, number = rest.partition("=")
        seconds = _seconds(text, number)
    if kind in (FaultKind.NODE, FaultKind.RESTART, FaultKind.KILL):
        return Fault(kind, text, (_node(rest, topology),))
    return _between(kind, text, rest, topology, seconds)


def _between(kind: FaultKind, text: str, rest: str, topology: Topology, seconds: float) -> Fault:
    if kind is FaultKind.LINK:
        for link in topology.links:
            if link.name == rest:
                return Fault(kind, text, (), (link,))
    for place, letter in enumerate(rest):
        if letter == "-" and {rest[:place], rest[place + 1 :]} <= {node.name for node in topology.nodes}:
            one, other = rest[:place], rest[place + 1 :]
            links = _shared(topology, one, other)
            if not links:
                raise LocalError(f"{text!r}: {one} and {other} have no link in common")
            return Fault(kind, text, (one, other), links, seconds)
    raise LocalError(f"{text!r} names no link: write {kind.value}:X-Y with two of the nodes {_some(topology)}")


def _shared(topology: Topology, one: str, other: str) -> tuple[Link, ...]:
    ends = [{interface.node for interface in link.interfaces} for link in topology.links]
    return tuple(link for link, nodes in zip(topology.links, ends, strict=True) if {one, other} <= nodes)


def _spine_rack(text: str, rest: str, topology: Topology) -> Fault:
    """A spine loses its link to one rack: the first of each unless `rest` names them, as "spine1-r2t" does."""
    spines, tors = topology.having(SPINE), topology.having(TOR)
    if not spines or not tors:
        raise LocalError(f"{text!r}: {topology.model} has no spines that are routers")
    ends = rest or f"{spines[0].name}-{tors[0].name}"
    return _between(FaultKind.LINK, text, ends, topology, 0.0)._replace(text=f"spine-rack:{ends}")


def _node(name: str, topology: Topology) -> str:
    if name not in {node.name for node in topology.nodes}:
        raise LocalError(f"there is no node {name!r}; there are {_some(topology)}")
    return name


def _some(topology: Topology) -> str:
    names = [node.name for node in topology.nodes]
    return ", ".join(names) if len(names) <= 12 else f"{', '.join(names[:6])}, …, {names[-1]}"


def _seconds(text: str, number: str) -> float:
    try:
        seconds = float(number)
    except ValueError:
        seconds = -1.0
    if not 0 <= seconds < 3600:
        raise LocalError(f"{text!r}: write delay:X-Y=SECONDS with a number from 0 to 3600")
    return seconds
