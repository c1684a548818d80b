"""Routes that the speaker itself originates, of any family, as files and commands name them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bgp.message import Destination
from bgp.net import Speaker
from bgp.wire.nlri.keys import key_of, parse_destination
from rib.attributes import Attributes
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Afi, Family, Safi
from rib.prefix import Prefix


class OwnRoute(NamedTuple):
    """A destination in a family."""

    family: Family
    destination: Destination

    def __str__(self) -> str:
        if isinstance(self.destination, Prefix) and self.family.safi == Safi.UNICAST:
            return str(self.destination)
        return f"{self.family} {self.destination}"


def own_routes(prefixes: Iterable[Prefix], family: Family | None, routes: Iterable[str]) -> tuple[OwnRoute, ...]:
    """Prefixes, and texts of routes in a family that is named. Raises ValueError for texts without it, and for none at all."""
    found = [OwnRoute(IPV6_UNICAST if prefix.afi == Afi.IPV6 else IPV4_UNICAST, prefix) for prefix in prefixes]
    if family is not None:
        found += [OwnRoute(family, parse_destination(family, text)) for text in routes]
    elif tuple(routes):
        raise ValueError("`routes` are of the family that `family` names, which is missing")
    if not found:
        raise ValueError("expected `prefix`, `prefixes`, or `family` and `routes`")
    return tuple(found)


def is_announced(speaker: Speaker, route: OwnRoute) -> bool:
    """Whether the speaker originates it now."""
    key, _ = key_of(route.family, route.destination, withdrawn=True)
    return key in speaker.announced.get(route.family, {})


def announce(speaker: Speaker, announced: Mapping[OwnRoute, Attributes]) -> None:
    """Originate routes, or change them."""
    together: dict[tuple[Family, Attributes], list[Destination]] = {}
    for (family, destination), attributes in announced.items():
        together.setdefault((family, attributes), []).append(destination)
    for (family, attributes), destinations in together.items():
        speaker.announce_in(family, destinations, attributes)


def withdraw(speaker: Speaker, routes: Iterable[OwnRoute]) -> None:
    """Originate routes no more. Raises LocalError for the first that is not originated."""
    for family, destination in dict.fromkeys(routes):
        speaker.withdraw_in(family, destination)
