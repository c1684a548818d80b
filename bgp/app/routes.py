"""Routes to show: the Loc-RIB, what a peer sent and was sent, what was refused and why, how one prefix was decided.

A table may hold a million routes. It is copied at once, as one dict, and then read in pieces, in the order of the
prefixes, so that a listing is of one moment and sessions go on meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final, NamedTuple

import trio

from bgp.app.view import pieces
from bgp.net import Peer, Speaker
from rib.attributes import Attributes
from rib.decision import ONLY_PATH, STEPS, best
from rib.family import Afi, Family, Safi
from rib.prefix import Prefix, address_nlri, nlri_text
from rib.route import Path

#: Families whose NLRI is an IP prefix.
_PREFIXES: Final = (Safi.UNICAST, Safi.MULTICAST)
_RFC: Final[Mapping[str, str]] = {step.name: step.rfc for step in STEPS}


class Shown(NamedTuple):
    """A route to show."""

    family: Family
    nlri: bytes
    path: Path


@dataclass(frozen=True, slots=True)
class Candidate:
    """A path to one prefix, and what became of it."""

    path: dict[str, object]
    best: bool
    why: str  #: what decided for the best, or against the others


@dataclass(frozen=True, slots=True)
class Decision:
    """All that is known of one prefix in one family."""

    prefix: str
    family: str
    candidates: tuple[Candidate, ...]
    announced_to: tuple[str, ...]


def text_of(family: Family, nlri: bytes) -> str:
    """NLRI as text; in hexadecimal where it is no IP prefix."""
    return nlri_text(family.afi, nlri) if family.safi in _PREFIXES else nlri.hex()


def attributes_json(attributes: Attributes) -> dict[str, object]:
    """Path attributes as JSON has them; those that are absent are left out."""
    found: dict[str, object] = {
        "next_hop": _text(attributes.next_hop),
        "link_local_next_hop": _text(attributes.link_local_next_hop),
        "as_path": str(attributes.as_path),
        "origin": attributes.origin.name.lower(),
        "med": attributes.med,
        "local_pref": attributes.local_pref,
        "communities": [str(one) for one in attributes.communities],
        "large_communities": [str(one) for one in attributes.large_communities],
        "ext_communities": [str(one) for one in attributes.ext_communities],
        "atomic_aggregate": attributes.atomic_aggregate,
        "aggregator": None if attributes.aggregator is None else " ".join(map(str, attributes.aggregator)),
        "originator_id": _text(attributes.originator_id),
        "cluster_list": [str(one) for one in attributes.cluster_list],
        "unknown": [f"{one.code} {one.flags:#04x} {one.value.hex()}" for one in attributes.unknown],
    }
    return {name: value for name, value in found.items() if value not in (None, [], False)}


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def path_json(path: Path) -> dict[str, object]:
    """A path as JSON has it: where from, attributes, and why it is refused if it is."""
    source = path.source
    found: dict[str, object] = {"from": source.name if source.address is None else str(source.address)}
    if source.address is not None and source.name != str(source.address):
        found["name"] = source.name
    found["kind"] = source.kind.value
    found |= attributes_json(path.attributes)
    if path.path_id is not None:
        found["path_id"] = path.path_id
    if path.ineligible is not None:
        found["refused"] = str(path.ineligible)
    if path.stale:
        found["stale"] = True
    return found


async def in_order(family: Family, routes: Iterable[tuple[bytes, Path]]) -> AsyncIterator[list[tuple[bytes, Path]]]:
    """Routes in pieces, sorted by address and length; lets others run meanwhile."""
    everything = list(routes)
    buckets: dict[bytes, list[tuple[bytes, Path]]] = {}
    for piece in pieces(everything):
        for route in piece:
            buckets.setdefault(route[0][1:3], []).append(route)
        await trio.lowlevel.checkpoint()
    del everything
    for key in sorted(buckets):
        bucket = buckets.pop(key)
        bucket.sort(key=lambda route: (route[0][1:], route[0][0]))
        for piece in pieces(bucket):
            yield list(piece)
            await trio.lowlevel.checkpoint()


def lines(family: Family, routes: Iterable[tuple[bytes, Path]], spelt: dict[Path, str]) -> Iterator[str]:
    """Routes as JSON objects, a line each. `spelt` remembers what was made of paths."""
    head = f'"family":"{family}",'
    for nlri, path in routes:
        body = spelt.get(path)
        if body is None:
            body = spelt[path] = json.dumps(path_json(path), ensure_ascii=False, separators=(",", ":"))[1:]
        yield f'{{"prefix":"{text_of(family, nlri)}",{head}{body}'
