"""Routes to show: the Loc-RIB, what a peer sent and was sent, what was refused and why, how one prefix was decided.

A table may hold a million routes. It is copied at once, as one dict, and then read in pieces, in the order of the
prefixes, so that a listing is of one moment and sessions go on meanwhile.
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address
from typing import Final

import trio

from bgp.app.details import plain
from bgp.app.view import pieces
from bgp.net import Peer, Speaker
from bgp.wire.attributes import check, decode_value, name_of
from bgp.wire.context import DEFAULT
from bgp.wire.nlri.keys import key_text
from rib.attributes import Attributes
from rib.decision import ONLY_PATH, STEPS, best
from rib.export import DEFAULT_ROUTE, ExportRules
from rib.family import Family, Safi
from rib.prefix import Prefix, nlri_text
from rib.route import Path

#: Families whose NLRI is an IP prefix.
_PREFIXES: Final = (Safi.UNICAST, Safi.MULTICAST)
_RFC: Final[Mapping[str, str]] = {step.name: step.rfc for step in STEPS}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A path to one prefix, and what became of it."""

    path: dict[str, object]
    best: bool
    why: str  #: the step that decided: for the best one, or against this one


@dataclass(frozen=True, slots=True)
class Decision:
    """All that is known of one prefix in one family."""

    prefix: str
    family: str
    candidates: tuple[Candidate, ...]
    announced_to: tuple[str, ...]
    kept_from: dict[str, str]  #: peers that do not hear of it, with the reason


def text_of(family: Family, nlri: bytes, binding: bytes = b"") -> str:
    """NLRI as text, with what is bound to it, such as labels."""
    return nlri_text(family.afi, nlri) if family.safi in _PREFIXES else key_text(family, nlri, binding)


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
        "only_to_customer": attributes.only_to_customer,
        **_carried(attributes),
    }
    return {name: value for name, value in found.items() if value is not None and value is not False and value != []}


def _carried(attributes: Attributes) -> dict[str, object]:
    """The attributes that the tables do not look into: by name where we can read them, else as octets."""
    found: dict[str, object] = {}
    unknown = []
    for flags, code, octets in attributes.unknown:
        value: object = octets
        if check(code, flags, octets, DEFAULT) is None:
            value = decode_value(code, octets, DEFAULT)
        if isinstance(value, bytes):
            unknown.append(f"{code} {flags:#04x} {octets.hex()}")
        else:
            found[name_of(code).lower()] = plain(value)
    return {**found, "unknown": unknown}


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
    return found


async def in_order(routes: Sequence[tuple[bytes, Path]]) -> AsyncGenerator[Sequence[tuple[bytes, Path]], None]:
    """Routes in pieces, sorted by address and length; lets others run meanwhile."""
    buckets: dict[bytes, list[tuple[bytes, Path]]] = {}
    for piece in pieces(routes):
        for route in piece:
            buckets.setdefault(route[0][1:3], []).append(route)
        await trio.lowlevel.checkpoint()
    for key in sorted(buckets):
        bucket = buckets.pop(key)
        bucket.sort(key=lambda route: (route[0][1:], route[0][0]))
        for piece in pieces(bucket):
            yield piece
            await trio.lowlevel.checkpoint()


class Speller:
    """Makes JSON lines of routes; remembers what it made of a path, which usually has many prefixes."""

    def __init__(self) -> None:
        self._made: dict[Path, str | None] = {}

    def lines(self, family: Family, routes: Iterable[tuple[bytes, Path]]) -> Iterator[str]:
        """The routes as JSON objects, those left out that are not to be shown."""
        made, head = self._made, f'"family":"{family}",'
        # Nothing in an IP prefix needs escaping.
        quote = '"{}"'.format if family.safi in _PREFIXES else json.dumps
        for nlri, path in routes:
            try:
                body = made[path]
            except KeyError:
                body = self.body(family, nlri, path)
            if body is not None:
                yield f'{{"prefix":{quote(text_of(family, nlri, path.attributes.binding))},{head}{body}'

    def body(self, family: Family, nlri: bytes, path: Path) -> str | None:
        """What follows the prefix; None to leave the route out."""
        made = self._made[path] = _body(path_json(path))
        return made


class LostSpeller(Speller):
    """Adds why a path that may be used is not; leaves out those that are used."""

    def __init__(self, speaker: Speaker) -> None:
        super().__init__()
        self._speaker = speaker

    def body(self, family: Family, nlri: bytes, path: Path) -> str | None:
        """See `Speller`."""
        if path.ineligible is not None:
            return super().body(family, nlri, path)
        if self._speaker.loc_rib.best(family, nlri) is path:
            return None
        return _body(path_json(path) | {"lost": why_lost(self._speaker, family, nlri, path)})


class SentSpeller(Speller):
    """Shows paths as they went out by the export rules of a group; leaves out those that did not."""

    def __init__(self, rules: ExportRules) -> None:
        super().__init__()
        self._rules = rules
        self._per_prefix = rules.policy is not None and rules.policy.per_prefix

    def body(self, family: Family, nlri: bytes, path: Path) -> str | None:
        """See `Speller`."""
        exported = self._rules.verdict(family, nlri, path)
        made = None
        if exported is not None:
            made = _body(path_json(Path(exported.rewrite.apply(exported.attributes), path.source)))
        if not self._per_prefix and nlri != DEFAULT_ROUTE:
            self._made[path] = made
        return made


def _body(fields: dict[str, object]) -> str:
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"))[1:]


def best_routes(speaker: Speaker, family: Family, peer: Peer | None = None) -> list[tuple[bytes, Path]]:
    """The Loc-RIB, or of it what `peer` won."""
    routes = list(speaker.loc_rib.routes(family))
    return routes if peer is None else [route for route in routes if route[1].source is peer.source]


def received_routes(peer: Peer, family: Family) -> list[tuple[bytes, Path]]:
    """The Adj-RIB-In of a peer, what is refused included."""
    return [] if peer.adj_in is None else list(peer.adj_in.routes(family))


def refused_routes(peer: Peer, family: Family) -> list[tuple[bytes, Path]]:
    """What the peer announced and may not be used; each path says why."""
    return [route for route in received_routes(peer, family) if route[1].ineligible is not None]


def sent_routes(speaker: Speaker, peer: Peer, family: Family) -> list[tuple[bytes, Path]]:
    """The paths that the peer may have been told of; `SentSpeller` knows which were and how."""
    group = speaker.groups.of(peer)
    if group is None or family not in group.key.families:
        return []
    return list(group.adj_out.told(family, peer.source))


def why_lost(speaker: Speaker, family: Family, nlri: bytes, path: Path) -> str:
    """The step of the decision process in which a path lost against the best one."""
    winner = speaker.loc_rib.best(family, nlri)
    if winner is None:
        return "no longer a candidate"
    preferred, step = best([winner, path], speaker.loc_rib.options)
    if preferred is path:
        # MED orders paths of one neighbour AS only: a third path may have ruled this one out.
        return "multi-exit discriminator of another path"
    return f"{step} ({_RFC[step]})"


def decide(speaker: Speaker, family: Family, nlri: bytes) -> Decision | None:
    """How the best path to a prefix was chosen; None where there is no path."""
    paths = candidates(speaker, family, nlri)
    if not paths:
        return None
    eligible = [path for path in paths if path.ineligible is None]
    winner, step = best(eligible, speaker.loc_rib.options) if eligible else (None, "")
    shown = []
    for path in sorted(paths, key=lambda one: (one is not winner, one.ineligible is not None)):
        if path is winner:
            why = step if step == ONLY_PATH else f"{step} ({_RFC[step]})"
        elif path.ineligible is not None:
            why = str(path.ineligible)
        else:
            why = why_lost(speaker, family, nlri, path)
        shown.append(Candidate(path_json(path), path is winner, why))
    told, kept = ((), {}) if winner is None else _exported(speaker, family, nlri, winner)
    return Decision(text_of(family, nlri), str(family), tuple(shown), told, kept)


def decisions(speaker: Speaker, prefix: Prefix) -> list[Decision]:
    """How the best paths to a prefix were chosen, by family; none where there is no path."""
    families = [Family(prefix.afi, safi) for safi in _PREFIXES]
    return [made for family in families if (made := decide(speaker, family, prefix.nlri)) is not None]


def lookup(speaker: Speaker, address: IPv4Address | IPv6Address) -> list[Decision]:
    """The same of the longest prefix that an address is in."""
    route = speaker.loc_rib.longest_match(address)
    return [] if route is None else decisions(speaker, Prefix.from_nlri(route.family.afi, route.nlri))


def candidates(speaker: Speaker, family: Family, nlri: bytes) -> list[Path]:
    """Every path to exactly `nlri` that anyone announced, refused ones included."""
    found = list(speaker.loc_rib.table(family).candidates(nlri))
    for peer in speaker.peers.values():
        found += _of_peer(peer, family, nlri)
    return list(dict.fromkeys(found))


def _of_peer(peer: Peer, family: Family, nlri: bytes) -> list[Path]:
    table = {} if peer.adj_in is None else peer.adj_in.tables.get(family, {})
    negotiated = peer.negotiated
    if negotiated is not None and family in negotiated.add_path_receive:
        # The keys begin with the path identifier (RFC 7911).
        return [path for key, path in table.items() if key.endswith(nlri) and key[4:] == nlri]
    path = table.get(nlri)
    return [] if path is None else [path]


def _exported(speaker: Speaker, family: Family, nlri: bytes, path: Path) -> tuple[tuple[str, ...], dict[str, str]]:
    """Who hears of a best path, and why the others do not."""
    told, kept = [], {}
    for address, peer in speaker.peers.items():
        reason = _why_kept(speaker, peer, family, nlri, path)
        if reason is None:
            told.append(address)
        else:
            kept[address] = reason
    return tuple(told), kept


def _why_kept(speaker: Speaker, peer: Peer, family: Family, nlri: bytes, path: Path) -> str | None:
    group = speaker.groups.of(peer)
    if group is None:
        return "the session is down"
    if family not in group.key.families:
        return f"{family} is not negotiated"
    if path.source is peer.source:
        return "it was learned from there"
    rules = group.key.rules
    reason = rules.why_not(path)
    if reason is None and rules.verdict(family, nlri, path) is None:
        return "rejected by export policy" if rules.policy is not None and not rules.policy.trivial else "no next hop"
    return reason
