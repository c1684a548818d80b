"""What all models are put together with: addresses, AS numbers, and the growing list of nodes, links and sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from bgp.error import LocalError
from bgp.options import PeerOptions
from bgp.topology.model import NODE, Address, Counts, End, Interface, Link, Node, Session, Topology
from rib.family import IPV4_UNICAST
from rib.policy import Match, Policy, Rule, accept
from rib.prefix import Prefix

#: Where pods have their addresses: Calico's default pool and what follows it, a /26 a block.
PODS: Final = IPv4Network("10.244.0.0/14")
BLOCK_LENGTH: Final = 26
#: Subnets that many share: a rack, a flat mesh, a plane between ToRs.
SEGMENTS: Final = IPv4Network("10.0.0.0/12")
#: Cables between two routers, a /31 each (RFC 3021).
CABLES: Final = IPv4Network("10.16.0.0/12")
#: BGP identifiers of those that have no shared subnet to take one from.
IDENTIFIERS: Final = IPv4Network("10.32.0.0/16")

#: RFC 6996: private AS numbers. Two octets have room for 1,023 of them (Calico's default is the first).
FIRST_PRIVATE_AS: Final = 64512
PRIVATE_ASES: Final = 1023
FIRST_PRIVATE_AS4: Final = 4_200_000_000

#: What a session starts from; the models replace what is theirs. Everything goes unless they say otherwise (RFC 8212).
PLAIN: Final = PeerOptions(
    address="0.0.0.0", asn=0, families=(IPV4_UNICAST,), import_policy=accept, export_policy=accept
)

#: Lets through what our own AS originates and nothing that came from elsewhere.
OWN_AS: Final = Policy("own AS", (Rule(Match(max_path_length=0)),))


def as_numbers(count: int) -> Sequence[int]:
    """`count` private AS numbers: of two octets if there are enough of those, else of four."""
    first = FIRST_PRIVATE_AS if count <= PRIVATE_ASES else FIRST_PRIVATE_AS4
    return range(first, first + count)


def from_neighbours(name: str, asns: Iterable[int]) -> Policy:
    """The policy that lets through what is our AS's own and what came straight from one of these ASes."""
    learned = Rule(Match(neighbour_as=tuple(dict.fromkeys(asns))))
    return Policy(name, (*OWN_AS.rules, learned))


def at_least(least: int, **parameters: int) -> None:
    """Raises LocalError, naming the parameter, where one is less than `least`."""
    for name, value in parameters.items():
        if value < least:
            raise LocalError(f"{name} is {value}; it must be at least {least}")


def one_of(name: str, value: str, choices: Sequence[str]) -> None:
    """Raises LocalError for a value that is no choice."""
    if value not in choices:
        raise LocalError(f"{name} is {value!r}; it must be {' or '.join(choices)}")


def knobs(without: str | Iterable[str], known: Sequence[str]) -> tuple[str, ...]:
    """The knobs to leave out, from names or a text with commas. Raises LocalError for one that the model does not have."""
    names = without.split(",") if isinstance(without, str) else without
    found = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    for name in found:
        if name not in known:
            having = f"its knobs are {', '.join(known)}" if known else "it has none here"
            raise LocalError(f"this model has no knob {name!r}; {having}")
    return found


class Builder:
    """Collects a topology. Names and numbers count from 1."""

    def __init__(self, model: str, parameters: Mapping[str, int | str], without: tuple[str, ...] = ()) -> None:
        self.model = model
        self.parameters = dict(parameters)
        self.without = without
        self.nodes: dict[str, Node] = {}
        self.links: list[Link] = []
        self.sessions: list[Session] = []
        self._blocks = 0
        self._segments = 1
        self._cables = 0
        self._identifiers = 0

    def identifier(self) -> str:
        """A BGP identifier that nobody has; later ones are higher."""
        self._identifiers += 1
        return str(_nth(IDENTIFIERS, self._identifiers, "BGP identifiers"))

    def blocks(self, count: int) -> tuple[Prefix, ...]:
        """The next pod blocks."""
        size = 1 << (32 - BLOCK_LENGTH)
        first = self._blocks
        self._blocks += count
        _nth(PODS, self._blocks * size - 1, "pod blocks")
        return tuple(
            Prefix(f"{PODS.network_address + number * size}/{BLOCK_LENGTH}") for number in range(first, self._blocks)
        )

    def node(self, node: Node) -> Node:
        """Add a node."""
        self.nodes[node.name] = node
        return node

    def hosts(
        self,
        names: Iterable[str],
        addresses: Iterable[Address],
        asn: Callable[[int], int],
        blocks: int,
        rack: int | None = None,
    ) -> list[Node]:
        """Add nodes that have pods; `asn` gives the AS number of the first, second, …, counting from 0."""
        return [
            self.node(Node(name, NODE, asn(number), str(address), rack, self.blocks(blocks)))
            for number, (name, address) in enumerate(zip(names, addresses, strict=False))
        ]

    def segment(self, name: str, members: Sequence[str]) -> Link:
        """Add a subnet with these members on it, in the order of their addresses."""
        network = self._next_segment(len(members))
        first = network.network_address + 1
        made = Link(name, network, tuple(Interface(node, first + i) for i, node in enumerate(members)))
        self.links.append(made)
        return made

    def _next_segment(self, members: int) -> IPv4Network:
        """A /24 as a rule, so that the third octet tells the rack; larger where the members need it."""
        length = min(24, 32 - (members + 1).bit_length())
        blocks = 1 << (24 - length)
        self._segments = -(-self._segments // blocks) * blocks
        number, self._segments = self._segments, self._segments + blocks
        _nth(SEGMENTS, (number + blocks) * 256 - 1, "subnets")
        return IPv4Network((SEGMENTS.network_address + number * 256, length))

    def cable(self, low: str, high: str) -> Link:
        """Add a cable; `low` has the lower of its two addresses."""
        address = _nth(CABLES, 2 * self._cables, "cables")
        self._cables += 1
        made = Link(
            f"{low}-{high}", IPv4Network((address, 31)), (Interface(low, address), Interface(high, address + 1))
        )
        self.links.append(made)
        return made

    def session(
        self,
        group: str,
        over: Link,
        dials: str,
        listens: str,
        *,
        from_dialler: PeerOptions = PLAIN,
        from_listener: PeerOptions = PLAIN,
    ) -> None:
        """Add a session between two nodes of a link; the options hold the knobs that each side turns for the other."""
        addresses = dict(over.interfaces)

        def told(node: str, peer: str, template: PeerOptions) -> End:
            facts = replace(
                template,
                address=str(addresses[peer]),
                asn=self.nodes[peer].asn,
                name=peer,
                local_address=str(addresses[node]),
                passive=node == listens,
            )
            return End(node, facts)

        self.sessions.append(Session(group, told(dials, listens, from_dialler), told(listens, dials, from_listener)))

    def build(self, sessions: int, predict: Callable[[Node], Counts]) -> Topology:
        """The topology, with the model's own count of sessions and its prediction for each node."""
        nodes = tuple(self.nodes.values())
        return Topology(
            model=self.model,
            parameters=self.parameters,
            nodes=nodes,
            links=tuple(self.links),
            sessions=tuple(self.sessions),
            predicted_sessions=sessions,
            predicted={node.name: predict(node) for node in nodes},
            without=self.without,
        )


def _nth(network: IPv4Network, number: int, what: str) -> IPv4Address:
    if number >= network.num_addresses:
        raise LocalError(f"there are not enough {what} in {network} for a topology of this size")
    return network.network_address + number
