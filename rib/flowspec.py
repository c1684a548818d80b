"""Flow specifications (RFC 8955, RFC 8956): which packets are meant, as components that all must hold.

Text: a name and what it wants for each component, in the order of their numbers:

    destination 10.0.0.0/8 protocol =6 destination-port >=80&<=90,=443 tcp-flags =syn+ack fragment !is-fragment

A component that lists comparisons holds where one of them does; `,` is "or", `&`, which binds closer, is "and". Numbers are
compared with `=`, `!=`, `<`, `<=`, `>`, `>=` (and `true`, `false`, which do not look). Bits are written `=syn+ack` for
"all of these" and `syn+ack` for "any of these", with `!` before it for "not". A number that was written in more octets
than it needs says so: `=80@2`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv6Address
from itertools import pairwise
from typing import Final, NamedTuple, Self, TypeAlias

from rib.family import Afi
from rib.prefix import Prefix
from rib.route_distinguisher import RouteDistinguisher
from rib.texted import Texted

#: RFC 8955 4.1: the longest flow specification, in octets; 12 bits of length.
MAX_FLOW_SPEC: Final = 4095


class FlowType(IntEnum):
    """Component types (RFC 8955 4.2.2, RFC 8956 3)."""

    DESTINATION = 1
    SOURCE = 2
    PROTOCOL = 3
    PORT = 4
    DESTINATION_PORT = 5
    SOURCE_PORT = 6
    ICMP_TYPE = 7
    ICMP_CODE = 8
    TCP_FLAGS = 9
    PACKET_LENGTH = 10
    DSCP = 11
    FRAGMENT = 12
    FLOW_LABEL = 13  #: RFC 8956 3.7, IPv6 only

    def __str__(self) -> str:
        return self.name.lower().replace("_", "-")


#: What the operands of a component with bitmask operators are made of (RFC 8955 4.2.2.9, 4.2.2.12).
BITS: Final[dict[FlowType, dict[str, int]]] = {
    FlowType.TCP_FLAGS: {
        "fin": 0x01,
        "syn": 0x02,
        "rst": 0x04,
        "psh": 0x08,
        "ack": 0x10,
        "urg": 0x20,
        "ece": 0x40,
        "cwr": 0x80,
    },
    FlowType.FRAGMENT: {"dont-fragment": 0x01, "is-fragment": 0x02, "first-fragment": 0x04, "last-fragment": 0x08},
}
#: RFC 8955 4.2.1.1, table 1: the comparisons by their bits lt, gt, eq.
COMPARISONS: Final = ("false", "=", ">", ">=", "<", "<=", "!=", "true")
#: RFC 8955 4.2.1.2: by their bits not, m.
BIT_COMPARISONS: Final = ("", "=", "!", "!=")
#: Octets that a component's operands may have: where the RFC says MUST (RFC 8955 4.2.2.9, 4.2.2.11, 4.2.2.12), and else.
SIZES: Final[dict[FlowType, tuple[int, ...]]] = {
    FlowType.TCP_FLAGS: (1, 2),
    FlowType.DSCP: (1,),
    FlowType.FRAGMENT: (1,),
}
ANY_SIZE: Final = (1, 2, 4, 8)
_TERM: Final = re.compile(r"(false|true|[<>!]?=|[<>!]?)([^@]+)(?:@([1248]))?")


class Term(NamedTuple):
    """One comparison: the bits of its operator that say how, its operand, and the octets that this takes."""

    comparison: int
    operand: int
    size: int = 1
    is_and: bool = False  #: it and the one before must hold; else one of the two


def smallest(operand: int) -> int:
    """The octets that an operand needs."""
    return next(size for size in ANY_SIZE if operand < 1 << 8 * size)


@dataclass(frozen=True, slots=True)
class FlowMatch:
    """A component of comparisons. A constructed one is valid: raises ValueError otherwise."""

    type: FlowType
    terms: tuple[Term, ...]

    def __post_init__(self) -> None:
        if self.type in (FlowType.DESTINATION, FlowType.SOURCE) or not self.terms:
            raise ValueError(f"{self.type} needs {'comparisons' if self.terms else 'at least one comparison'}")
        if self.terms[0].is_and:
            raise ValueError(f"{self.type}: there is nothing before the first comparison to go with it")
        legal = SIZES.get(self.type, ANY_SIZE)
        most = len(BIT_COMPARISONS if self.type in BITS else COMPARISONS)
        for term in self.terms:
            if term.size not in legal or not 0 <= term.operand < 1 << 8 * term.size:
                raise ValueError(f"{self.type}: {term.operand} does not fit {term.size} octets, of {legal}")
            if not 0 <= term.comparison < most:
                raise ValueError(f"{self.type}: there is no comparison {term.comparison}")

    @classmethod
    def parse(cls, kind: FlowType, text: str) -> FlowMatch:
        """A component by the text behind its name. Raises ValueError."""
        terms: list[Term] = []
        for alternative in text.split(","):
            for position, word in enumerate(alternative.split("&")):
                terms.append(_term(kind, word, position > 0))
        return cls(kind, tuple(terms))

    def __str__(self) -> str:
        words = []
        for index, term in enumerate(self.terms):
            joint = "" if index == 0 else "&" if term.is_and else ","
            size = "" if term.size == smallest(term.operand) else f"@{term.size}"
            words.append(f"{joint}{self._comparison(term)}{size}")
        return f"{self.type} {''.join(words)}"

    def _comparison(self, term: Term) -> str:
        names = BITS.get(self.type)
        if names is None:
            return f"{COMPARISONS[term.comparison]}{term.operand}"
        known = sum(names.values())
        bits = [name for name, bit in names.items() if term.operand & bit]
        if term.operand & ~known or not bits:
            bits.append(f"{term.operand & ~known:#x}")
        return f"{BIT_COMPARISONS[term.comparison]}{'+'.join(bits)}"


def _term(kind: FlowType, word: str, is_and: bool) -> Term:
    found = _TERM.fullmatch(word)
    names = BITS.get(kind)
    comparisons = COMPARISONS if names is None else BIT_COMPARISONS
    if found is None or found[1] not in comparisons:
        raise ValueError(f"{kind} {word!r}: write a comparison, one of {' '.join(comparisons)}, and an operand")
    try:
        if names is None:
            operand = int(found[2])
        else:
            operand = 0
            for bit in found[2].split("+"):
                operand |= names[bit] if bit in names else int(bit, 16)
        size = int(found[3]) if found[3] else smallest(operand)
    except (ValueError, StopIteration):
        wanted = "a number" if names is None else f"{'+'.join(names)} or a hexadecimal number"
        raise ValueError(f"{kind} {word!r}: the operand is {wanted}") from None
    return Term(comparisons.index(found[1]), operand, size, is_and)


@dataclass(frozen=True, slots=True)
class PartialPrefix(metaclass=Texted):
    """Bits `offset` to `length` of an IPv6 address, the first `offset` of which do not matter (RFC 8956 3.1).

    Text: "::1234:5678:9a00:0/64-104", the bits where they stand in the address.
    """

    address: IPv6Address
    offset: int
    length: int

    def __post_init__(self) -> None:
        if not 0 < self.offset < self.length <= 128:
            raise ValueError(f"the part of an address from bit {self.offset} to {self.length}")
        if int(self.address) & ~self.mask:
            raise ValueError(f"{self.address} has bits outside {self.offset}-{self.length}")

    @property
    def mask(self) -> int:
        """The bits that matter."""
        return (1 << 128 - self.offset) - (1 << 128 - self.length)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The part of a text form. Raises ValueError."""
        address, _, bounds = text.partition("/")
        offset, separator, length = bounds.partition("-")
        if not (separator and offset.isdecimal() and length.isdecimal()):
            raise ValueError(f"{text!r} is not a part of an IPv6 address: write ADDRESS/OFFSET-LENGTH")
        return cls(IPv6Address(address), int(offset), int(length))

    def __str__(self) -> str:
        return f"{self.address}/{self.offset}-{self.length}"

    def __repr__(self) -> str:
        return f"PartialPrefix({str(self)!r})"


@dataclass(frozen=True, slots=True)
class FlowPrefix:
    """A component that wants an address in a prefix: DESTINATION or SOURCE."""

    type: FlowType
    prefix: Prefix | PartialPrefix

    def __post_init__(self) -> None:
        if self.type not in (FlowType.DESTINATION, FlowType.SOURCE):
            raise ValueError(f"{self.type} is compared with numbers, not with {self.prefix}")

    @property
    def afi(self) -> int:
        """Whose addresses are meant."""
        return self.prefix.afi if isinstance(self.prefix, Prefix) else Afi.IPV6

    def __str__(self) -> str:
        return f"{self.type} {self.prefix}"


FlowComponent: TypeAlias = FlowMatch | FlowPrefix
_NAMES: Final = {str(kind): kind for kind in FlowType}


@dataclass(frozen=True, slots=True)
class FlowSpec:
    """A flow specification: at least one component, at most one of each type, in the order of the types."""

    components: tuple[FlowComponent, ...]

    def __init__(self, components: tuple[FlowComponent, ...] | str) -> None:
        """Of its components or its text. Raises ValueError."""
        found = _components(components) if isinstance(components, str) else components
        _check_order(found)
        object.__setattr__(self, "components", found)  # frozen to all others

    @classmethod
    def parse(cls, text: str) -> FlowSpec:
        """The flow specification of a text form. Raises ValueError."""
        return cls(text)

    def __str__(self) -> str:
        return " ".join(map(str, self.components))

    def __repr__(self) -> str:
        return f"FlowSpec({str(self)!r})"


@dataclass(frozen=True, slots=True)
class VpnFlowSpec(metaclass=Texted):
    """A flow specification for a private network (RFC 8955 8). Text: "rd 65000:1 destination 10.0.0.0/8 …"."""

    rd: RouteDistinguisher
    components: tuple[FlowComponent, ...]

    def __post_init__(self) -> None:
        _check_order(self.components)

    @classmethod
    def parse(cls, text: str) -> VpnFlowSpec:
        """The flow specification of a text form. Raises ValueError."""
        match text.split(maxsplit=2):
            case ["rd", rd, rest]:
                return cls(RouteDistinguisher.parse(rd), _components(rest))
            case _:
                raise ValueError(f"{text!r} is not a flow specification of a VPN: write rd RD and its components")

    def __str__(self) -> str:
        return f"rd {self.rd} {' '.join(map(str, self.components))}"

    def __repr__(self) -> str:
        return f"VpnFlowSpec({str(self)!r})"


def _check_order(components: tuple[FlowComponent, ...]) -> None:
    """RFC 8955 4.2: strictly by type."""
    kinds = [component.type for component in components]
    if not kinds:
        raise ValueError("a flow specification of no components")
    if any(one >= other for one, other in pairwise(kinds)):
        raise ValueError(f"components {', '.join(map(str, kinds))} are not in the order of their numbers, each once")


def _components(text: str) -> tuple[FlowComponent, ...]:
    words = text.split()
    found: list[FlowComponent] = []
    for name, wanted in zip(words[::2], words[1::2], strict=False):
        if name not in _NAMES:
            raise ValueError(f"{name!r} is no component of a flow specification; these are: {', '.join(_NAMES)}")
        kind = _NAMES[name]
        if kind in (FlowType.DESTINATION, FlowType.SOURCE):
            found.append(FlowPrefix(kind, PartialPrefix.parse(wanted) if "-" in wanted else Prefix(wanted)))
        else:
            found.append(FlowMatch.parse(kind, wanted))
    if len(words) % 2:
        raise ValueError(f"{text!r} ends with a name and nothing behind it")
    return tuple(found)
