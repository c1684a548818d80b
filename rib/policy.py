"""Routing policy as values (RFC 4271 9.1.1, 9.1.3): rules that match routes, change them, accept or reject them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, fields
from enum import Enum
from ipaddress import IPv4Address, IPv6Address
from typing import Final

from rib.attributes import DEFAULT_LOCAL_PREF, Attributes, Origin
from rib.community import Community, ExtendedCommunity, LargeCommunity
from rib.family import Family
from rib.labelled import prefix_within
from rib.prefix import Prefix
from rib.route import Source, SourceKind


class Action(Enum):
    """What a rule does with a route that it matches."""

    ACCEPT = "accept"
    REJECT = "reject"
    NEXT = "next"  #: apply the changes and go on with the next rule


@dataclass(frozen=True, slots=True)
class PrefixRange:
    """Prefixes within `prefix` whose length is from `ge` to `le`; both default to the prefix's own."""

    prefix: Prefix
    ge: int | None = None
    le: int | None = None

    @classmethod
    def parse(cls, text: str) -> PrefixRange:
        """ "10.0.0.0/8", "10.0.0.0/8 le 24", "10.0.0.0/8 ge 16 le 24". Raises ValueError."""
        words = text.split()
        bounds = dict(zip(words[1::2], words[2::2], strict=False))
        if len(words) != 1 + 2 * len(bounds) or not bounds.keys() <= {"ge", "le"}:
            raise ValueError(f"{text!r} is not a prefix range: write PREFIX [ge N] [le N]")
        prefix = Prefix(words[0])
        longest = 32 if prefix.afi == 1 else 128
        numbers = {name: int(value) for name, value in bounds.items() if value.isdecimal()}
        if len(numbers) < len(bounds) or not all(prefix.length <= n <= longest for n in numbers.values()):
            raise ValueError(f"{text!r}: ge and le must be numbers from {prefix.length} to {longest}")
        if numbers.get("ge", 0) > numbers.get("le", longest):
            raise ValueError(f"{text!r}: ge must not be more than le")
        return cls(prefix, numbers.get("ge"), numbers.get("le"))

    def matches(self, afi: int, nlri: bytes) -> bool:
        """Whether a prefix is in the range."""
        own = self.prefix
        length = nlri[0]
        low = own.length if self.ge is None else self.ge
        high = self.le if self.le is not None else (own.length if self.ge is None else (32 if afi == 1 else 128))
        if own.afi != afi or not low <= length <= high or length < own.length:
            return False
        whole, bits = divmod(own.length, 8)
        ours, theirs = own.nlri, nlri
        if ours[1 : 1 + whole] != theirs[1 : 1 + whole]:
            return False
        return not bits or not (ours[1 + whole] ^ theirs[1 + whole]) >> (8 - bits)

    def __str__(self) -> str:
        bounds = [f" ge {self.ge}" if self.ge is not None else "", f" le {self.le}" if self.le is not None else ""]
        return f"{self.prefix}{''.join(bounds)}"


@dataclass(frozen=True, slots=True)
class Match:
    """Conditions that all must hold; an empty one holds for every route. Those with several values want one of them."""

    prefixes: tuple[PrefixRange, ...] = ()  #: within one of them
    families: tuple[Family, ...] = ()  #: of one of them
    communities: tuple[Community, ...] = ()  #: at least one of them is there
    all_communities: tuple[Community, ...] = ()  #: all of them are there
    large_communities: tuple[LargeCommunity, ...] = ()  #: at least one of them is there
    ext_communities: tuple[ExtendedCommunity, ...] = ()  #: at least one of them is there
    as_in_path: tuple[int, ...] = ()  #: one of these AS numbers is in the AS_PATH
    origin_as: tuple[int, ...] = ()  #: one of these AS numbers is the last of the AS_PATH
    neighbour_as: tuple[int, ...] = ()  #: one of these AS numbers is the first of the AS_PATH
    max_path_length: int | None = None  #: so many ASes in the AS_PATH, or fewer; a set counts as one
    min_path_length: int | None = None  #: so many, or more
    origin: Origin | None = None  #: just this ORIGIN
    med: int | None = None  #: just this MULTI_EXIT_DISC
    sources: tuple[str, ...] = ()  #: from one of these peers, by name
    source_kinds: tuple[SourceKind, ...] = ()  #: from such peers

    def holds(self, family: Family, nlri: bytes, attributes: Attributes, source: Source) -> bool:
        """Whether the route is one of those meant."""
        if self.families and family not in self.families:
            return False
        if self.prefixes and not self._prefixes_hold(family, nlri):
            return False
        if self.sources and source.name not in self.sources:
            return False
        if self.source_kinds and source.kind not in self.source_kinds:
            return False
        return self._communities_hold(attributes) and self._path_holds(attributes)

    def _prefixes_hold(self, family: Family, nlri: bytes) -> bool:
        prefix = prefix_within(family, nlri)
        return prefix is not None and any(one.matches(family.afi, prefix) for one in self.prefixes)

    def _communities_hold(self, attributes: Attributes) -> bool:
        return (
            _one_of(self.communities, attributes.communities)
            and set(self.all_communities) <= set(attributes.communities)
            and _one_of(self.large_communities, attributes.large_communities)
            and _one_of(self.ext_communities, attributes.ext_communities)
        )

    def _path_holds(self, attributes: Attributes) -> bool:
        path = attributes.as_path
        if self.as_in_path and not any(path.count(asn) for asn in self.as_in_path):
            return False
        if self.origin_as and path.origin_as not in self.origin_as:
            return False
        if self.neighbour_as and attributes.neighbour_as not in self.neighbour_as:
            return False
        length = attributes.path_length
        if self.max_path_length is not None and length > self.max_path_length:
            return False
        if self.min_path_length is not None and length < self.min_path_length:
            return False
        if self.origin is not None and attributes.origin != self.origin:
            return False
        return self.med is None or attributes.med == self.med

    def __str__(self) -> str:
        return _describe(self) or "any route"


def _one_of(wanted: Iterable[object], there: tuple[object, ...]) -> bool:
    wanted = tuple(wanted)
    return not wanted or any(one in there for one in wanted)


def _describe(value: Match | Set) -> str:
    """The fields that are not as they are by default, in words."""
    words = []
    for field in fields(value):
        found = getattr(value, field.name)
        if found != field.default:
            values = found if type(found) is tuple else (found,)
            shown = ", ".join(map(_in_words, values)) or "none"
            words.append(field.name.replace("_", " ") + ("" if found is True else f" {shown}"))
    return ", ".join(words)


def _in_words(value: object) -> str:
    return value.name.lower() if isinstance(value, Enum) else str(value)


@dataclass(frozen=True, slots=True)
class Set:
    """Changes to a route."""

    local_pref: int | None = None  #: LOCAL_PREF
    add_local_pref: int | None = None  #: without `local_pref`: added to LOCAL_PREF; the sum stays from 0 to 4294967295
    med: int | None = None  #: MULTI_EXIT_DISC
    remove_med: bool = False  #: no MULTI_EXIT_DISC
    origin: Origin | None = None  #: ORIGIN
    next_hop: IPv4Address | IPv6Address | None = None  #: NEXT_HOP
    add_communities: tuple[Community, ...] = ()  #: put after those that are there
    remove_communities: tuple[Community, ...] = ()  #: taken out, where they are
    replace_communities: tuple[Community, ...] | None = None  #: in place of all that are there
    add_large_communities: tuple[LargeCommunity, ...] = ()  #: put after those that are there
    remove_large_communities: tuple[LargeCommunity, ...] = ()  #: taken out, where they are
    add_ext_communities: tuple[ExtendedCommunity, ...] = ()  #: put after those that are there
    prepend: tuple[int, ...] = ()  #: AS numbers put before the AS_PATH, the last of them next to it

    def apply(self, attributes: Attributes) -> Attributes:
        """The changed attributes; the same object where nothing changes."""
        changes: dict[str, object] = {}
        if self.local_pref is not None:
            changes["local_pref"] = self.local_pref
        elif self.add_local_pref is not None:
            before = DEFAULT_LOCAL_PREF if attributes.local_pref is None else attributes.local_pref
            changes["local_pref"] = min(max(before + self.add_local_pref, 0), (1 << 32) - 1)
        if self.med is not None or self.remove_med:
            changes["med"] = self.med
        if self.origin is not None:
            changes["origin"] = self.origin
        if self.next_hop is not None:
            changes |= {"next_hop": self.next_hop, "link_local_next_hop": None}
        if self.add_communities or self.remove_communities or self.replace_communities is not None:
            before_set = attributes.communities if self.replace_communities is None else self.replace_communities
            kept = tuple(c for c in before_set if c not in self.remove_communities)
            changes["communities"] = kept + tuple(c for c in self.add_communities if c not in kept)
        if self.add_large_communities or self.remove_large_communities:
            large = tuple(c for c in attributes.large_communities if c not in self.remove_large_communities)
            changes["large_communities"] = large + tuple(c for c in self.add_large_communities if c not in large)
        if self.add_ext_communities:
            ext = attributes.ext_communities
            changes["ext_communities"] = ext + tuple(c for c in self.add_ext_communities if c not in ext)
        if self.prepend:
            changes["as_path"] = attributes.as_path.prepend_all(self.prepend)
        return attributes.replace(**changes) if changes else attributes

    def __str__(self) -> str:
        return _describe(self) or "nothing"


EVERYTHING: Final = Match()
NO_CHANGE: Final = Set()


@dataclass(frozen=True, slots=True)
class Rule:
    """If `match` holds: apply `set`, then `action`."""

    match: Match = EVERYTHING  #: the routes that it is about
    action: Action = Action.ACCEPT  #: what becomes of them
    set: Set = NO_CHANGE  #: how they change

    def __str__(self) -> str:
        changes = "" if self.set == NO_CHANGE else f", set {self.set}"
        return f"{self.match}: {self.action.value}{changes}"


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules in order; the first one that matches and does not say "next" decides, else `default` does."""

    name: str = ""  #: what `import` and `export` of peers call it
    rules: tuple[Rule, ...] = ()  #: asked in order
    default: Action = Action.REJECT  #: what becomes of a route that no rule decides on

    @property
    def per_prefix(self) -> bool:
        """Whether the result depends on the prefix and not on the attributes alone."""
        return any(rule.match.prefixes or rule.match.families for rule in self.rules)

    @property
    def trivial(self) -> bool:
        """Whether it accepts every route as it is."""
        return not self.rules and self.default is Action.ACCEPT

    def apply(self, family: Family, nlri: bytes, attributes: Attributes, source: Source) -> Attributes | None:
        """The attributes of the route if it is accepted; None if it is rejected."""
        for rule in self.rules:
            if rule.match.holds(family, nlri, attributes, source):
                if rule.action is Action.REJECT:
                    return None
                attributes = rule.set.apply(attributes)
                if rule.action is Action.ACCEPT:
                    return attributes
        return attributes if self.default is Action.ACCEPT else None

    @classmethod
    def named(cls, text: str) -> Policy:
        """The policy "accept" or "reject". Raises ValueError for another name."""
        for policy in (accept, reject):
            if policy.name == text:
                return policy
        raise ValueError(f"{text!r} is not a policy: write accept, reject or the name of a policy")

    def __str__(self) -> str:
        if not self.rules:
            return self.default.value
        return "; ".join([*map(str, self.rules), f"else {self.default.value}"])


#: Takes every route as it is.
accept: Final = Policy("accept", default=Action.ACCEPT)
#: Takes none.
reject: Final = Policy("reject", default=Action.REJECT)
