"""Prefixes with MPLS labels (RFC 8277), and those of private networks (RFC 4364, RFC 4659)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rib.family import Family, Safi
from rib.prefix import Prefix
from rib.route_distinguisher import RouteDistinguisher
from rib.texted import Texted

#: RFC 3032 2.1: a label has 20 bits.
MAX_LABEL: Final = (1 << 20) - 1


@dataclass(frozen=True, slots=True)
class LabelledPrefix(metaclass=Texted):
    """A prefix and the labels bound to it, outermost first; none where it is withdrawn (RFC 8277 2.4).

    Text: "10.0.0.0/8 label 16", "10.0.0.0/8 label 16/17", "10.0.0.0/8".
    """

    prefix: Prefix
    labels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_labels(self.labels)

    @classmethod
    def parse(cls, text: str) -> LabelledPrefix:
        """The labelled prefix of a text form. Raises ValueError."""
        prefix, labels = _prefix_and_labels(text)
        return cls(prefix, labels)

    def __str__(self) -> str:
        return f"{self.prefix}{label_text(self.labels)}"

    def __repr__(self) -> str:
        return f"LabelledPrefix({str(self)!r})"


@dataclass(frozen=True, slots=True)
class VpnPrefix(metaclass=Texted):
    """A prefix of a private network, made unique by a route distinguisher (RFC 4364 4.1), with its labels.

    Text: "rd 65000:1 10.0.0.0/8 label 16".
    """

    rd: RouteDistinguisher
    prefix: Prefix
    labels: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        check_labels(self.labels)

    @classmethod
    def parse(cls, text: str) -> VpnPrefix:
        """The VPN prefix of a text form. Raises ValueError."""
        match text.split(maxsplit=2):
            case ["rd", rd, rest]:
                return cls(RouteDistinguisher.parse(rd), *_prefix_and_labels(rest))
            case _:
                raise ValueError(f"{text!r} is not a VPN prefix: write rd RD PREFIX [label N]")

    def __str__(self) -> str:
        return f"rd {self.rd} {self.prefix}{label_text(self.labels)}"

    def __repr__(self) -> str:
        return f"VpnPrefix({str(self)!r})"


def prefix_within(family: Family, key: bytes) -> bytes | None:
    """The prefix's octets in the key of a route, which is its NLRI without labels; None for a route to something else."""
    if family.safi in (Safi.UNICAST, Safi.MULTICAST, Safi.LABELLED):
        return key
    if family.safi in (Safi.VPN, Safi.VPN_MULTICAST):
        return bytes((key[0] - 64,)) + key[9:]
    return None


def check_labels(labels: tuple[int, ...]) -> None:
    """Raises ValueError for a label that is out of range."""
    for label in labels:
        if not 0 <= label <= MAX_LABEL:
            raise ValueError(f"{label} is not a label: it has 20 bits")


def label_text(labels: tuple[int, ...]) -> str:
    """ " label 16/17", or nothing for no labels."""
    return f" label {'/'.join(map(str, labels))}" if labels else ""


def _prefix_and_labels(text: str) -> tuple[Prefix, tuple[int, ...]]:
    match text.split():
        case [prefix]:
            return Prefix(prefix), ()
        case [prefix, "label", labels] if all(label.isdecimal() for label in labels.split("/")):
            return Prefix(prefix), tuple(map(int, labels.split("/")))
        case _:
            raise ValueError(f"{text!r} is not a labelled prefix: write PREFIX [label N[/N]]")
