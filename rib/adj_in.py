"""The Adj-RIB-In of one peer (RFC 4271 3.2): what it announced, each route with our verdict on it.

A table is a dict from NLRI octets to `Path`, and a `Path` is made once per attribute block, so that an UPDATE with a
hundred prefixes costs one verdict. Under add-path (RFC 7911) the key is the path identifier's four octets before the NLRI.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv6Address
from itertools import chain, repeat
from typing import Final, NamedTuple

from rib.attributes import DEFAULT_LOCAL_PREF, Attributes
from rib.community import GRACEFUL_SHUTDOWN
from rib.eligibility import Ineligible, Why
from rib.family import Family
from rib.loc_rib import Table
from rib.next_hop import AnyNextHop, Resolver, why_not_a_host
from rib.policy import Policy, accept
from rib.roles import Role, applies, leak, marked
from rib.route import Path, Source, SourceKind

#: Attribute blocks that a peer may have without the table of paths being swept for dead ones.
SWEEP_FLOOR: Final = 16384
#: Reasons that no rule gives and so no rule takes away: see `AdjRibIn.refuse`.
OF_THEIR_OWN: Final = frozenset({Why.MALFORMED, Why.NOT_UNICAST})


@dataclass(frozen=True, slots=True)
class ImportRules:
    """What decides whether a received route may take part; `policy` None refuses all (RFC 8212)."""

    own_asn: int
    own_bgp_id: IPv4Address
    policy: Policy | None = accept
    cluster_id: IPv4Address | None = None
    confederation: int | None = None  #: the AS number of ours that others see (RFC 5065)
    allowas_in: int = 0
    own_addresses: frozenset[IPv4Address | IPv6Address] = frozenset()
    over_loopback: bool = False
    resolver: Resolver = field(default_factory=AnyNextHop)
    default_local_pref: int = DEFAULT_LOCAL_PREF
    role: Role | None = None  #: ours on an external session (RFC 9234)
    reject_as_sets: bool = False  #: RFC 9774 4
    honours_shutdown: bool = False  #: RFC 8326: what is about to go is the last choice, whatever the policy says

    def judge(self, received: Attributes, source: Source) -> Ineligible | None:
        """Why the route is out whatever its prefix and our policy; None if it is not."""
        for asn in (self.own_asn,) if self.confederation is None else (self.own_asn, self.confederation):
            if (found := received.count_as(asn)) > self.allowas_in:
                return Ineligible(Why.AS_LOOP, f"{asn}" + (f" ({found} times)" if found > 1 else ""))
        if self.reject_as_sets and any(segment.is_set for segment in received.as_path.segments):
            return Ineligible(Why.AS_SET, str(received.as_path))
        if source.kind is SourceKind.INTERNAL and received.is_reflected:
            if received.originator_id == self.own_bgp_id:
                return Ineligible(Why.ORIGINATOR_LOOP, str(self.own_bgp_id))
            cluster = self.cluster_id or self.own_bgp_id
            if cluster in received.cluster_list:
                return Ineligible(Why.CLUSTER_LOOP, str(cluster))
        return None

    def judge_next_hop(self, received: Attributes) -> tuple[Ineligible | None, int]:
        """Why the route's next hop rules it out (None if it does not), and the interior cost of the way there."""
        next_hop = received.next_hop or received.link_local_next_hop
        if next_hop is None:
            return None, 0
        if problem := why_not_a_host(next_hop, over_loopback=self.over_loopback):
            return Ineligible(Why.NEXT_HOP_INVALID, f"{next_hop} is {problem}"), 0
        if next_hop in self.own_addresses:
            return Ineligible(Why.NEXT_HOP_SELF, str(next_hop)), 0
        cost = self.resolver.metric(next_hop)
        if cost is None:
            return Ineligible(Why.NEXT_HOP_UNRESOLVABLE, str(next_hop)), 0
        return None, cost

    def prefer(self, received: Attributes) -> Attributes:
        """The route with the degree of preference that a peer's routes have where they name none (RFC 4271 9.1.1)."""
        if self.default_local_pref == DEFAULT_LOCAL_PREF or received.local_pref is not None:
            return received
        return received.replace(local_pref=self.default_local_pref)

    def settle(self, chosen: Attributes) -> Attributes:
        """What the policy made of a route, after all that no policy decides (RFC 8326 4)."""
        if self.honours_shutdown and chosen.local_pref != 0 and GRACEFUL_SHUTDOWN in chosen.well_known:
            return chosen.replace(local_pref=0)
        return chosen


class Stored(NamedTuple):
    """Routes that were taken in with one path."""

    path: Path
    nlri: Sequence[bytes]
    before: Mapping[bytes, Path] | None  #: what they replace, by NLRI; None for nothing


class _Arrived:
    """Routes in the order in which they arrived: for each path, how many of the keys are its."""

    __slots__ = ("counts", "keys", "paths")

    def __init__(self) -> None:
        self.keys: list[bytes] = []
        self.paths: list[Path] = []
        self.counts: list[int] = []

    def routes(self) -> Iterator[tuple[bytes, Path]]:
        """The routes, as (key, path)."""
        return zip(self.keys, chain.from_iterable(map(repeat, self.paths, self.counts)), strict=True)


class AdjRibIn:
    """What one peer announced, for all families of the session.

    `announce` and `withdraw` give what the Loc-RIB has to know: the paths and what they replace.
    """

    def __init__(self, source: Source, rules: ImportRules, families: Iterable[Family]) -> None:
        self.source = source
        self._all_usable = True  #: no route of the peer was ever refused
        self._tables: dict[Family, dict[bytes, Path]] = {family: {} for family in families}
        self._arrived: dict[Family, _Arrived] = {}
        #: By family, the keys of routes that the peer has not said again since `mark_stale` (RFC 4724 4.2, RFC 7313 4.2).
        self.stale: dict[Family, set[bytes]] = {}
        self._paths: dict[object, Path] = {}
        self._former: dict[object, Path] = {}
        self._next_hops: dict[bytes, tuple[Ineligible | None, int]] = {}
        self._sweep_at = SWEEP_FLOOR
        self._adopt(rules)

    def __len__(self) -> int:
        return sum(map(len, self.tables.values()))

    @property
    def tables(self) -> dict[Family, dict[bytes, Path]]:
        """The routes: by family, from NLRI (under add-path with the path identifier before it) to path."""
        if self._arrived:
            for family, arrived in self._arrived.items():
                self._tables[family].update(arrived.routes())
            self._arrived = {}
        return self._tables

    def take(self, table: Table, family: Family, keys: Sequence[bytes], attributes: Attributes) -> None:
        """Take in routes without path identifiers, and make them candidates in `table`. Only where `uniform` holds."""
        path = self.path(attributes)
        # A prefix without a best path is none of this peer's, if all of its routes count: this one is new then, and may be
        # put in its place when somebody looks. A table that comes in goes out again before anybody does.
        if self._all_usable and path.ineligible is None and not self.stale and table.arrive(keys, path):
            arrived = self._arrived.get(family)
            if arrived is None:
                arrived = self._arrived[family] = _Arrived()
            arrived.keys += keys
            arrived.paths.append(path)
            arrived.counts.append(len(keys))
        else:
            table.insert(keys, path, self.store(family, keys, path))

    def path(self, attributes: Attributes, path_id: int | None = None, role: Role | None = None) -> Path:
        """The path that stands for `attributes` from this peer, before a policy that looks at the prefix.

        `role` is ours, for a family that roles are about.
        """
        index: object = id(attributes) if path_id is None else (id(attributes), path_id)
        if role is not None:
            index = (index, role)
        found = self._paths.get(index)
        if found is None:
            found = self._usual(attributes, path_id) or self._make(attributes, path_id, role)
            if self._former:
                found = self._or_former(index, found)
            self._paths[index] = found
        return found

    def _role(self, family: Family) -> Role | None:
        return self.rules.role if self.rules.role is not None and applies(family) else None

    def _or_former(self, index: object, path: Path) -> Path:
        """A path that was made, or the one in its place before new rules, if they come to the same."""
        former = self._former.get(index)
        if (
            former is not None
            and former.ineligible == path.ineligible
            and former.interior_cost == path.interior_cost
            and former.attributes == path.attributes
        ):
            return former
        return path

    def live_blocks(self) -> set[int]:
        """The identities of the attribute blocks that some route of this peer still has."""
        return {id(path.received) for table in self.tables.values() for path in table.values()}

    def is_due_for_sweep(self) -> bool:
        """Whether so many paths are remembered that many dead ones must be among them; cheap to ask at every UPDATE."""
        known = len(self._paths)
        if known < self._sweep_at:
            return False
        self._sweep_at = known + SWEEP_FLOOR // 4  # until then the answer would hardly be another
        routes = sum(map(len, self._tables.values())) + sum(len(arrived.keys) for arrived in self._arrived.values())
        return 2 * known > routes

    def forget(self, live: set[int]) -> None:
        """Drop the paths of attribute blocks whose identity is not in `live`."""
        self._paths = {index: path for index, path in self._paths.items() if id(path.received) in live}
        self._sweep_at = max(SWEEP_FLOOR, 2 * len(self._paths))

    def _usual(self, received: Attributes, path_id: int | None) -> Path | None:
        """What `_make` gives where nothing stands against a route and nothing changes it; None where it has to look."""
        if self._untouched:
            ineligible, cost = self._judge_next_hop(received)
            if ineligible is None and not received.count_as(self.rules.own_asn) and not received.well_known:
                return Path(received, self.source, received, None, path_id, cost)
        return None

    def _make(self, received: Attributes, path_id: int | None, role: Role | None) -> Path:
        rules, source = self.rules, self.source
        ineligible, cost = self._judge_next_hop(received)
        ineligible = rules.judge(received, source) or ineligible
        if role is not None:
            ineligible = leak(role, received, source.asn) or ineligible
        policy = rules.policy
        if ineligible is None and policy is None:
            ineligible = Ineligible(Why.NO_POLICY)
        preferred = rules.prefer(received if role is None else marked(role, received, source.asn))
        if ineligible is not None or policy is None or policy.trivial or self._per_prefix:
            return Path(rules.settle(preferred), source, received, ineligible, path_id, cost)
        changed = policy.apply(next(iter(self.tables)), b"\0", preferred, source)
        refused = Ineligible(Why.POLICY) if changed is None else None
        return Path(rules.settle(changed or preferred), source, received, refused, path_id, cost)

    def _judge_next_hop(self, received: Attributes) -> tuple[Ineligible | None, int]:
        octets = received.next_hop_octets
        try:
            return self._next_hops[octets]
        except KeyError:
            if len(self._next_hops) >= SWEEP_FLOOR:
                self._next_hops.clear()
            found = self._next_hops[octets] = self.rules.judge_next_hop(received)
            return found

    def _chosen(self, before: Path, policy: Policy, family: Family, nlri: bytes) -> Path:
        """The path in place of `before` for one prefix, by a policy that looks at the prefix."""
        changed = policy.apply(family, nlri, before.attributes, self.source)
        if changed is before.attributes:
            return before
        index = (id(before.received), before.path_id, changed)
        found = self._paths.get(index)
        if found is None:
            refused = Ineligible(Why.POLICY) if changed is None else None
            attributes = before.attributes if changed is None else self.rules.settle(changed)
            made = Path(attributes, self.source, before.received, refused, before.path_id, before.interior_cost)
            found = self._paths[index] = self._or_former(index, made)
        return found

    def announce(
        self, family: Family, keys: Sequence[bytes], attributes: Attributes, path_ids: Sequence[int] | None = None
    ) -> Sequence[Stored]:
        """Take routes in, and give what the Loc-RIB has to know."""
        if path_ids is not None:
            return self._with_ids(family, keys, attributes, path_ids)
        path = self.path(attributes, role=self._role(family))
        policy = self.rules.policy
        if policy is None or not self._per_prefix or path.ineligible is not None:
            return (Stored(path, keys, self.store(family, keys, path)),)
        groups: dict[Path, list[bytes]] = {}
        for nlri in keys:
            groups.setdefault(self._chosen(path, policy, family, nlri), []).append(nlri)
        return [Stored(chosen, some, self.store(family, some, chosen)) for chosen, some in groups.items()]

    def _with_ids(
        self, family: Family, keys: Sequence[bytes], attributes: Attributes, path_ids: Sequence[int]
    ) -> list[Stored]:
        policy, table = self.rules.policy, self.tables[family]
        stored = []
        for nlri, path_id in zip(keys, path_ids, strict=True):
            path = self.path(attributes, path_id, self._role(family))
            if policy is not None and self._per_prefix and path.ineligible is None:
                path = self._chosen(path, policy, family, nlri)
            key = path_id.to_bytes(4, "big") + nlri
            old = table.get(key)
            table[key] = path
            if self.stale and (stale := self.stale.get(family)):
                stale.discard(key)
            stored.append(Stored(path, (nlri,), None if old is None else {nlri: old}))
        return stored

    def refuse(
        self,
        family: Family,
        keys: Sequence[bytes],
        attributes: Attributes,
        why: Ineligible,
        path_ids: Sequence[int] | None = None,
    ) -> None:
        """Take routes in that can never be used, whatever the rules: there is nothing the Loc-RIB has to know."""
        if path_ids is None:
            self.store(family, keys, Path(attributes, self.source, ineligible=why))
            return
        for nlri, path_id in zip(keys, path_ids, strict=True):
            path = Path(attributes, self.source, ineligible=why, path_id=path_id)
            self.store(family, [path_id.to_bytes(4, "big") + nlri], path)

    def store(self, family: Family, keys: Sequence[bytes], path: Path) -> Mapping[bytes, Path] | None:
        """Put `path` under each of `keys`; gives what stood there before, None for nothing."""
        table = self.tables[family]
        if path.ineligible is not None:
            self._all_usable = False
        if self.stale and (stale := self.stale.get(family)):
            stale.difference_update(keys)
        if table.keys().isdisjoint(keys):
            for key in keys:
                table[key] = path
            return None
        before = {key: old for key in keys if (old := table.get(key)) is not None}
        table.update(dict.fromkeys(keys, path))
        return before

    def withdraw(
        self, family: Family, keys: Iterable[bytes], path_ids: Sequence[int] | None = None
    ) -> list[tuple[bytes, Path]]:
        """Take routes out. Gives those that were there, as (NLRI, path); the others are no error (RFC 4271 3.1)."""
        table = self.tables.get(family)
        if table is None:
            return []
        pop = table.pop
        if path_ids is None:
            return [(key, old) for key in keys if (old := pop(key, None)) is not None]
        pairs = zip(keys, path_ids, strict=True)
        return [(key, old) for key, i in pairs if (old := pop(i.to_bytes(4, "big") + key, None)) is not None]

    def mark_stale(self, family: Family) -> None:
        """Doubt all routes of `family` until the peer says them again."""
        self.stale[family] = set(self.tables[family])

    def sweep(self, family: Family) -> list[tuple[bytes, Path]]:
        """Take out the routes of `family` that the peer has not said again, and give them, as (NLRI, path)."""
        table = self.tables[family]
        doubtful = self.stale.pop(family, ())
        return [(self._nlri(path, key), path) for key in doubtful if (path := table.pop(key, None)) is not None]

    def is_stale(self, family: Family, nlri: bytes, path: Path) -> bool:
        """Whether the peer has still to say this route again."""
        key = nlri if path.path_id is None else path.path_id.to_bytes(4, "big") + nlri
        return key in self.stale.get(family, ())

    def clear(self, family: Family) -> list[tuple[bytes, Path]]:
        """Take all routes of `family` out and give them, as (NLRI, path)."""
        self.stale.pop(family, None)
        table = self.tables[family]
        gone = [(self._nlri(path, key), path) for key, path in table.items()]
        table.clear()
        return gone

    def routes(self, family: Family) -> Iterator[tuple[bytes, Path]]:
        """All routes of `family` as (NLRI, path), those that are not eligible too."""
        for key, path in self.tables.get(family, {}).items():
            yield self._nlri(path, key), path

    @staticmethod
    def _nlri(path: Path, key: bytes) -> bytes:
        return key if path.path_id is None else key[4:]

    def rejudge(self, rules: ImportRules | None = None) -> list[tuple[Family, Stored]]:
        """Judge anew all that was received: by other rules (RFC 4271 9.1.1), or because next hops came or went.

        Gives what `announce` gives, with the family, for the routes about which the verdict is another than before.
        """
        former = self._paths
        self._adopt(rules or self.rules)
        self._former = former
        stale, self.stale = self.stale, {}
        told: list[tuple[Family, Stored]] = []
        for family, table in self.tables.items():
            for received, keys in _by_block(table):
                ids = [path.path_id for _, path in keys if path.path_id is not None]
                nlri = [self._nlri(path, key) for key, path in keys]
                for path, some, before in self.announce(family, nlri, received, ids or None):
                    before = before or {}
                    if changed := [one for one in some if before.get(one) is not path]:
                        told.append((family, Stored(path, changed, before)))
        self._former, self.stale = {}, stale
        return told

    def resume(self, rules: ImportRules, families: Iterable[Family]) -> None:
        """The peer is back (RFC 4724 4.2): go on with what there is, which was all received under `rules` or like them."""
        if rules != self.rules:
            self._adopt(rules)
        self._tables = {family: self.tables.get(family, {}) for family in families}

    def _adopt(self, rules: ImportRules) -> None:
        self.rules = rules
        self._per_prefix = rules.policy is not None and rules.policy.per_prefix
        #: One path stands for all prefixes of an attribute block: `path` and `store` do what `announce` does.
        self.uniform = not self._per_prefix and rules.role is None
        #: Routes of this peer are used as they are, unless their next hop or their AS_PATH says otherwise.
        self._untouched = (
            rules.policy is not None
            and rules.policy.trivial
            and rules.role is None
            and not rules.reject_as_sets
            and rules.confederation is None
            and rules.default_local_pref == DEFAULT_LOCAL_PREF
            and self.source.kind is SourceKind.EXTERNAL
        )
        self._paths, self._next_hops = {}, {}


def _by_block(table: Mapping[bytes, Path]) -> list[tuple[Attributes, list[tuple[bytes, Path]]]]:
    """What the rules judged, by attribute block."""
    groups: dict[int, tuple[Attributes, list[tuple[bytes, Path]]]] = {}
    for key, path in table.items():
        if path.ineligible is None or path.ineligible.why not in OF_THEIR_OWN:
            groups.setdefault(id(path.received), (path.received, []))[1].append((key, path))
    return list(groups.values())
