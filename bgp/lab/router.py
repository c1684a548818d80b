"""What forwarding asks of a node, answered by its speaker: routes, paths, what it refused and what it keeps from whom."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from bgp.lab.forwarding import Rejected, Route, Router, Routes, Withheld
from bgp.net import Speaker
from bgp.topology.model import Address
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Afi, Family
from rib.prefix import Prefix
from rib.route import Path


def router_of(speaker: Speaker, multipath: int) -> Router:
    """What forwarding asks of a node whose speaker this is, which uses up to `multipath` equal ways at a time."""
    return Router(
        partial(_routes, speaker, multipath),
        partial(_paths, speaker),
        partial(_rejected, speaker),
        partial(_withheld, speaker),
    )


def _routes(speaker: Speaker, multipath: int, family: Family) -> Routes:
    table = speaker.loc_rib.table(family)
    shown: dict[Path, Route] = {}
    alone: dict[Path, tuple[Route]] = {}
    routes: dict[bytes, tuple[Route, ...]] = {}
    for nlri, best in table.best.items():
        if multipath > 1 and nlri in table.others:
            equal = table.multipath(nlri, multipath, relax_as_path=True)
            routes[nlri] = tuple([_shown(shown, path) for path in equal])
            continue
        found = alone.get(best)
        if found is None:
            found = alone[best] = (_shown(shown, best),)
        routes[nlri] = found
    return routes


def _shown(known: dict[Path, Route], path: Path) -> Route:
    found = known.get(path)
    if found is None:
        source = path.source
        peer = "" if source.is_local else source.name
        hop = None if source.is_local else path.attributes.next_hop
        found = known[path] = Route(hop, str(path.attributes.as_path), peer, source.kind.word)
    return found


def _paths(speaker: Speaker, family: Family, nlri: bytes) -> int:
    table = speaker.loc_rib.table(family)
    return (nlri in table.best) + len(table.others.get(nlri, ()))


def _rejected(speaker: Speaker, address: Address) -> Iterator[Rejected]:
    family = IPV4_UNICAST if address.version == 4 else IPV6_UNICAST
    for peer in speaker.peers.values():
        if peer.adj_in is not None:
            for nlri, path in peer.adj_in.routes(family):
                if path.ineligible is not None and address in (prefix := Prefix.from_nlri(family.afi, nlri)):
                    yield Rejected(peer.options.label, prefix, str(path.ineligible))


def _withheld(speaker: Speaker, prefix: Prefix) -> Iterator[Withheld]:
    family = IPV4_UNICAST if prefix.afi == Afi.IPV4 else IPV6_UNICAST
    path = speaker.loc_rib.best(family, prefix.nlri)
    if path is None:
        return
    for peer in speaker.peers.values():
        group = speaker.groups.of(peer)
        if group is None or path.source is peer.source:
            continue
        rules = group.key.rules
        if rules.verdict(family, prefix.nlri, path) is None:
            yield Withheld(peer.options.label, rules.why_not(path) or "the export policy")
