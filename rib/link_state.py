"""Link state of an IGP as BGP carries it (RFC 9552 5.2): nodes, links and prefixes, described by TLVs.

Text: the kind, the protocol, the identifier of the IGP's instance, then each TLV, in its order:

    node protocol 2 identifier 0 local[as=65001,router=000000000001]
    link protocol 3 identifier 7 local[as=65001] remote[as=65001] ipv4-interface=10.0.0.1 ipv4-neighbour=10.0.0.2

A TLV without a name stands as its number, and a value that is not of its form in hexadecimal: `1234=0x0a0b`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from ipaddress import IPv4Address, IPv6Address
from typing import Final, NamedTuple

from rib.route_distinguisher import RouteDistinguisher
from rib.texted import Texted
from rib.worded import check_range, number

#: RFC 9552 5.2: a type and a length of two octets each.
TLV_BITS: Final = 16


class LinkStateType(IntEnum):
    """Types of link-state NLRI whose layout is known here; an unknown one is a number."""

    NODE = 1
    LINK = 2
    IPV4_PREFIX = 3
    IPV6_PREFIX = 4
    TE_POLICY = 5  #: RFC 9857
    SRV6_SID = 6  #: RFC 9514

    def __str__(self) -> str:
        return self.name.lower().replace("_", "-")


@dataclass(frozen=True, slots=True)
class Tlv:
    """One TLV: its octets, or for a node descriptor, which is not itself inside another one, what is inside."""

    type: int
    octets: bytes = b""
    inside: tuple[Tlv, ...] = ()

    def __post_init__(self) -> None:
        check_range("TLV type", self.type, TLV_BITS)
        if self.inside and (self.octets or self.type not in NODE_DESCRIPTORS or any(tlv.inside for tlv in self.inside)):
            raise ValueError(
                f"TLV {self.type} holds octets, or it is a node descriptor and holds TLVs that hold octets"
            )

    def __str__(self) -> str:
        if self.type in NODE_DESCRIPTORS and not self.octets:
            return f"{_NAMES[self.type]}[{','.join(map(str, self.inside))}]"
        form = _FORMS.get(self.type)
        name = str(self.type) if form is None else form.name
        if form is not None and len(self.octets) == form.size:
            return f"{name}={form.show(self.octets)}"
        return f"{name}=0x{self.octets.hex()}"

    def __repr__(self) -> str:
        return f"Tlv({str(self)!r})"


class _Form(NamedTuple):
    name: str
    size: int = -1
    show: Callable[[bytes], object] = bytes.hex
    read: Callable[[str], bytes] = bytes.fromhex


def _number_form(name: str) -> _Form:
    return _Form(
        name, 4, lambda octets: int.from_bytes(octets, "big"), lambda text: number(32)(text).to_bytes(4, "big")
    )


#: RFC 9552 5.2.1.2: TLVs that hold others.
NODE_DESCRIPTORS: Final = {256: "local", 257: "remote"}
#: RFC 9552 5.2.1.4, 5.2.2, 5.2.3: by type, the name of a descriptor and the form of its value.
_FORMS: Final[dict[int, _Form]] = {
    512: _number_form("as"),
    513: _number_form("ls-id"),
    514: _number_form("area"),
    515: _Form("router"),
    258: _Form("link-ids"),
    259: _Form("ipv4-interface", 4, IPv4Address, lambda text: IPv4Address(text).packed),
    260: _Form("ipv4-neighbour", 4, IPv4Address, lambda text: IPv4Address(text).packed),
    261: _Form("ipv6-interface", 16, IPv6Address, lambda text: IPv6Address(text).packed),
    262: _Form("ipv6-neighbour", 16, IPv6Address, lambda text: IPv6Address(text).packed),
    263: _Form("multi-topology"),
    264: _Form("ospf-route-type"),
    265: _Form("reachability"),
    516: _number_form("bgp-router"),
    517: _number_form("member-as"),
    518: _Form("srv6-sid"),
}
_NAMES: Final = NODE_DESCRIPTORS | {kind: form.name for kind, form in _FORMS.items()}
_TYPES: Final = {name: kind for kind, name in _NAMES.items()}
_KINDS: Final = {str(kind): int(kind) for kind in LinkStateType}
_GROUP: Final = re.compile(r"([a-z]+)\[(.*)\]")


@dataclass(frozen=True, slots=True)
class LinkStateNlri(metaclass=Texted):
    """A node, link or prefix; `rd` only in BGP-LS-VPN. What has an unknown `type` is all in `octets`."""

    type: int
    protocol: int = 0  #: RFC 9552 table 2: 1 IS-IS level 1, 2 level 2, 3 OSPFv2, 4 direct, 5 static, 6 OSPFv3, 7 BGP, …
    identifier: int = 0
    descriptors: tuple[Tlv, ...] = ()
    octets: bytes = b""
    rd: RouteDistinguisher | None = None

    def __post_init__(self) -> None:
        check_range("type", self.type, TLV_BITS)
        check_range("protocol", self.protocol, 8)
        check_range("identifier", self.identifier, 64)
        known = self.type in list(LinkStateType)
        if self.octets if known else (self.protocol or self.identifier or self.descriptors):
            raise ValueError(f"link-state type {self.type} is {'known' if known else 'unknown: it is all octets'}")

    @classmethod
    def parse(cls, text: str) -> LinkStateNlri:
        """The value of a text form. Raises ValueError."""
        words, rd = text.split(), None
        if words[:1] == ["rd"] and len(words) > 1:
            rd, words = RouteDistinguisher.parse(words[1]), words[2:]
        match words:
            case [kind, "protocol", protocol, "identifier", identifier, *tlvs] if kind in _KINDS:
                descriptors = tuple(map(_tlv, tlvs))
                return cls(_KINDS[kind], number(8)(protocol), number(64)(identifier), descriptors, b"", rd)
            case ["type", kind, "octets", octets]:
                return cls(number(TLV_BITS)(kind), octets=bytes.fromhex(octets.removeprefix("0x")), rd=rd)
            case _:
                kinds = ", ".join(_KINDS)
                raise ValueError(f"{text!r}: write KIND protocol N identifier N TLV=VALUE …, KIND one of {kinds}")

    def __str__(self) -> str:
        head = [] if self.rd is None else [f"rd {self.rd}"]
        if self.type not in _KINDS.values():
            return " ".join([*head, f"type {self.type} octets 0x{self.octets.hex()}"])
        named = f"{LinkStateType(self.type)} protocol {self.protocol} identifier {self.identifier}"
        return " ".join([*head, named, *map(str, self.descriptors)])

    def __repr__(self) -> str:
        return f"LinkStateNlri({str(self)!r})"


def _tlv(text: str) -> Tlv:
    group = _GROUP.fullmatch(text)
    if group is not None and _TYPES.get(group[1]) in NODE_DESCRIPTORS:
        return Tlv(_TYPES[group[1]], inside=tuple(map(_tlv, group[2].split(","))) if group[2] else ())
    name, separator, value = text.partition("=")
    kind = _TYPES.get(name)
    if not separator or (kind is None and not name.isdecimal()):
        raise ValueError(f"{text!r} is no descriptor; they are NAME=VALUE, NAME one of {', '.join(_TYPES)} or a number")
    if kind is None:
        kind = number(TLV_BITS)(name)
    if value.startswith("0x"):
        return Tlv(kind, bytes.fromhex(value[2:]))
    form = _FORMS.get(kind)
    if form is None:
        raise ValueError(f"{text!r}: the value of TLV {kind} is written 0x… in hexadecimal")
    return Tlv(kind, form.read(value))
