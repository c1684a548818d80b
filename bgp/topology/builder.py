"""What all models are put together with: addresses, AS numbers, and the growing list of nodes, links and sessions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Final, NamedTuple

from bgp.error import LocalError
from bgp.options import PeerOptions
from bgp.topology.model import NODE, Address, Counts, End, Interface, Link, Network, Node, Session, Topology
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Family
from rib.policy import Match, Policy, Rule, accept
from rib.prefix import Prefix

#: The families of a topology, by the name of its stack.
STACKS: Final[dict[str, tuple[Family, ...]]] = {
    "4": (IPV4_UNICAST,),
    "6": (IPV6_UNICAST,),
    "dual": (IPV4_UNICAST, IPV6_UNICAST),
}


class Plan(NamedTuple):
    """Where the addresses of one version of IP come from."""

    pods: Network  #: what the blocks of pods are cut from
    block_length: int
    segments: Network  #: subnets that many share: a rack, a flat mesh, a plane between ToRs
    segment_length: int  #: of a subnet as a rule
    cables: Network  #: between two routers, two addresses each (RFC 3021, RFC 6164)


#: Calico's pool and its sizes of block (/26, /122); a rack's number can be read off its subnet.
PLANS: Final[dict[Family, Plan]] = {
    IPV4_UNICAST: Plan(IPv4Network("10.244.0.0/14"), 26, IPv4Network("10.0.0.0/12"), 24, IPv4Network("10.16.0.0/12")),
    IPV6_UNICAST: Plan(
        IPv6Network("fd00:10:244::/96"), 122, IPv6Network("fd00:10:0::/48"), 64, IPv6Network("fd00:10:16::/112")
    ),
}
#: BGP identifiers of those that have no shared IPv4 subnet to take one from.
IDENTIFIERS: Final = IPv4Network("10.32.0.0/16")

#: RFC 6996: private AS numbers. Two octets have room for 1,023 of them (Calico's default is the first).
FIRST_PRIVATE_AS: Final = 64512
PRIVATE_ASES: Final = 1023
FIRST_PRIVATE_AS4: Final = 4_200_000_000

#: What a session starts from; the models replace what is theirs. Everything goes unless they say otherwise (RFC 8212).
PLAIN: Final = PeerOptions(
    address="0.0.0.0", asn=1, families=(IPV4_UNICAST,), import_policy=accept, export_policy=accept
)

#: The knob of all models with several ways up: use the equal ones together, whatever ASes are in their AS_PATHs.
MULTIPATH: Final = "multipath"
#: How many equal ways are used together where that knob is on.
WAYS: Final = 64

#: Lets through what our own AS originates and nothing that came from elsewhere.
OWN_AS: Final = Policy("own AS", (Rule(Match(max_path_length=0)),))


def as_numbers(count: int) -> Sequence[int]:
    """`count` private AS numbers: of two octets if there are enough of those, else of four."""
    first = FIRST_PRIVATE_AS if count <= PRIVATE_ASES else FIRST_PRIVATE_AS4
    return range(first, first + count)


def pairs(members: int) -> int:
    """N(N−1)/2: how many pairs there are, and so how many sessions of a full mesh."""
    return members * (members - 1) // 2


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

    def __init__(
        self,
        model: str,
        parameters: Mapping[str, int | str],
        without: tuple[str, ...] = (),
        *,
        stack: str = "4",
        multipath: bool = False,
    ) -> None:
        one_of("stack", stack, tuple(STACKS))
        self.multipath = multipath and MULTIPATH not in without
        self.model = model
        self.parameters = {**parameters, "stack": stack}
        self.without = without
        self.families = STACKS[stack]
        self.nodes: dict[str, Node] = {}
        self.links: list[Link] = []
        self.sessions: list[Session] = []
        self._places: dict[str, dict[str, Interface]] = {}
        self._blocks = 0
        self._segments = 1
        self._cables = 0
        self._identifiers = 0

    def identifier(self) -> str:
        """A BGP identifier that nobody has; later ones are higher."""
        self._identifiers += 1
        return str(_nth(IDENTIFIERS, self._identifiers, "BGP identifiers"))

    def identifiers(self, link: Link) -> list[str]:
        """BGP identifiers for the members of a link: their IPv4 addresses if they have any."""
        found = [interface.of_version(4) for interface in link.interfaces]
        return [self.identifier() if address is None else str(address) for address in found]

    def blocks(self, count: int) -> tuple[Prefix, ...]:
        """The next pod blocks, `count` of each family."""
        numbers = range(self._blocks, self._blocks + count)
        self._blocks += count
        return tuple(self._block(family, number) for family in self.families for number in numbers)

    def _block(self, family: Family, number: int) -> Prefix:
        plan = PLANS[family]
        size = 1 << (plan.pods.max_prefixlen - plan.block_length)
        _nth(plan.pods, (number + 1) * size - 1, "pod blocks")
        return Prefix(f"{plan.pods.network_address + number * size}/{plan.block_length}")

    def node(self, node: Node) -> Node:
        """Add a node."""
        if self.multipath:
            node = replace(node, multipath=WAYS)
        self.nodes[node.name] = node
        return node

    def hosts(
        self,
        names: Iterable[str],
        identifiers: Iterable[str],
        asn: Callable[[int], int],
        blocks: int,
        rack: int | None = None,
    ) -> list[Node]:
        """Add nodes that have pods; `asn` gives the AS number of the first, second, …, counting from 0."""
        return [
            self.node(Node(name, NODE, asn(number), identifier, rack, self.blocks(blocks)))
            for number, (name, identifier) in enumerate(zip(names, identifiers, strict=True))
        ]

    def segment(self, name: str, members: Sequence[str]) -> Link:
        """Add a subnet with these members on it, in the order of their addresses."""
        number = self._next_segment(len(members))
        networks = tuple(self._segment(family, number, len(members)) for family in self.families)
        return self._link(name, networks, [(node, place) for place, node in enumerate(members, 1)])

    def _next_segment(self, members: int) -> int:
        """The number of the next subnet; one with many members takes several in a row."""
        blocks = 1 << (24 - _length_for(members, 24, 32))
        self._segments = -(-self._segments // blocks) * blocks
        number, self._segments = self._segments, self._segments + blocks
        return number

    def _segment(self, family: Family, number: int, members: int) -> Network:
        plan = PLANS[family]
        width = plan.segments.max_prefixlen
        length = _length_for(members, plan.segment_length, width)
        size = 1 << (width - plan.segment_length)
        _nth(plan.segments, number * size + (1 << (width - length)) - 1, "subnets")
        return ip_network((plan.segments.network_address + number * size, length))

    def cable(self, low: str, high: str) -> Link:
        """Add a cable; `low` has the lower of its two addresses."""
        number, self._cables = self._cables, self._cables + 1
        networks: list[Network] = []
        for family in self.families:
            cables = PLANS[family].cables
            networks.append(ip_network((_nth(cables, 2 * number, "cables"), cables.max_prefixlen - 1)))
        return self._link(f"{low}-{high}", tuple(networks), [(low, 0), (high, 1)])

    def _link(self, name: str, networks: tuple[Network, ...], members: Iterable[tuple[str, int]]) -> Link:
        interfaces = tuple(
            Interface(node, tuple(network.network_address + place for network in networks)) for node, place in members
        )
        made = Link(name, networks, interfaces)
        self.links.append(made)
        self._places[name] = {interface.node: interface for interface in interfaces}
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
        """Add a session between two nodes of a link; the options hold the knobs that each side turns for the other.

        It runs over the link's first version of IP and carries all families.
        """

        places = self._places[over.name]

        def told(node: str, peer: str, template: PeerOptions) -> End:
            own = places[node]
            second = own.of_version(6) if own.address.version == 4 else None
            facts = replace(
                template,
                address=str(places[peer].address),
                asn=self.nodes[peer].asn,
                name=peer,
                local_address=str(own.address),
                next_hop_ipv6=template.next_hop_ipv6 or (None if second is None else str(second)),
                families=self.families,
                passive=node == listens,
            )
            return End(node, facts)

        self.sessions.append(Session(group, told(dials, listens, from_dialler), told(listens, dials, from_listener)))

    def build(
        self,
        sessions: int,
        predict: Callable[[Node], Counts],
        *,
        separate: frozenset[tuple[str, str]] = frozenset(),
    ) -> Topology:
        """The topology, with the model's own count of sessions and its prediction of one family for each node."""
        nodes, families = tuple(self.nodes.values()), len(self.families)
        return Topology(
            model=self.model,
            parameters=self.parameters,
            nodes=nodes,
            links=tuple(self.links),
            sessions=tuple(self.sessions),
            predicted_sessions=sessions,
            predicted={node.name: Counts(*(families * count for count in predict(node))) for node in nodes},
            without=self.without,
            separate=separate,
        )


def _length_for(members: int, usual: int, width: int) -> int:
    """The prefix length of a subnet: the usual one, or shorter where the members need it."""
    return min(usual, width - (members + 1).bit_length())


def _nth(network: Network, number: int, what: str) -> Address:
    if number >= network.num_addresses:
        raise LocalError(f"there are not enough {what} in {network} for a topology of this size")
    return network.network_address + number
