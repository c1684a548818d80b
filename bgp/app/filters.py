"""Which routes `bgp decode --filter` lets through: KIND=VALUE, with VALUE,VALUE for any of several.

All filters given must hold. The kinds are those of the table at the end. A peer can be told before anything is decoded, and
messages that have none of the wanted octets in them are not decoded at all.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final, NamedTuple

from bgp.error import LocalError
from bgp.iana import AttributeCode as Code
from bgp.message import MpReach, MpUnreach, Nlri, PathAttribute, PathPrefix, Update
from bgp.wire.formats.mrt_values import Peer
from rib.as_path import AsPath
from rib.community import Community, ExtendedCommunity, LargeCommunity
from rib.labelled import LabelledPrefix, VpnPrefix
from rib.prefix import Prefix


class Rule(NamedTuple):
    """One filter, a test of one of these. `hints`: octets of which some must be in a message that passes; none: unknown."""

    peer: Callable[[Peer], bool] | None = None
    prefix: Callable[[Prefix], bool] | None = None
    update: Callable[[Update], bool] | None = None
    hints: tuple[bytes, ...] = ()


class Filter:
    """All rules together."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        found = tuple(rules)
        self._peers = tuple(rule.peer for rule in found if rule.peer is not None)
        self._prefixes = tuple(rule.prefix for rule in found if rule.prefix is not None)
        self._updates = tuple(rule.update for rule in found if rule.update is not None)
        self._hints = tuple(rule.hints for rule in found if rule.hints)
        #: Whether everything passes.
        self.is_open = not found
        #: Whether routes are looked into, so that messages without routes do not pass.
        self.on_routes = bool(self._prefixes or self._updates)

    @classmethod
    def parse(cls, texts: Sequence[str]) -> Filter:
        """The filter of "KIND=VALUE" texts. Raises LocalError, which says what can be written."""
        return cls(map(_rule, texts))

    def peer(self, peer: Peer | None) -> bool:
        """Whether what comes from a peer can pass; nobody's messages pass where a peer is asked for."""
        return not self._peers or (peer is not None and all(test(peer) for test in self._peers))

    def prefix(self, prefix: Prefix) -> bool:
        """Whether routes to a prefix can pass."""
        return all(test(prefix) for test in self._prefixes)

    def may_pass(self, octets: bytes) -> bool:
        """False where octets show, before they are decoded, that nothing in them passes."""
        return all(any(hint in octets for hint in rule) for rule in self._hints)

    def narrowed(self, update: Update) -> Update | None:
        """`update` with the routes that pass; None where there are none.

        What is withdrawn has neither path nor communities, so no filter on those lets it through.
        """
        if not all(test(update) for test in self._updates):
            return None
        if not self.on_routes:
            return update
        found = replace(
            update,
            withdrawn=() if self._updates else self._kept(update.withdrawn),
            attributes=tuple(map(self._narrowed_attribute, update.attributes)),
            nlri=self._kept(update.nlri),
        )
        return found if any(True for _ in routes(found)) or (not self._prefixes and _is_unread(found)) else None

    def _narrowed_attribute(self, attribute: PathAttribute) -> PathAttribute:
        match attribute.value:
            case MpUnreach() as unreach:
                return replace(
                    attribute, value=replace(unreach, nlri=() if self._updates else self._kept(unreach.nlri))
                )
            case MpReach() as reach:
                return replace(attribute, value=replace(reach, nlri=self._kept(reach.nlri)))
            case _:
                return attribute

    def _kept(self, elements: tuple[Nlri, ...]) -> tuple[Nlri, ...]:
        if not self._prefixes:
            return elements
        return tuple(one for one in elements if (prefix := _prefix_of(one)) is not None and self.prefix(prefix))


def routes(update: Update) -> Iterable[Nlri]:
    """All that a message announces and withdraws."""
    yield from update.withdrawn
    yield from update.nlri
    for one in update.attributes:
        if isinstance(one.value, MpReach | MpUnreach):
            yield from one.value.nlri


def _is_unread(update: Update) -> bool:
    """Whether a message announces routes of a family that nobody here knows."""
    return any(isinstance(one.value, MpReach) and one.value.octets for one in update.attributes)


def _prefix_of(one: object) -> Prefix | None:
    match one:
        case Prefix():
            return one
        case PathPrefix(prefix=inside):
            return _prefix_of(inside)
        case LabelledPrefix(prefix=prefix) | VpnPrefix(prefix=prefix):
            return prefix
        case _:
            return None


def _rule(text: str) -> Rule:
    kind, separator, values = text.partition("=")
    if not separator or kind not in KINDS:
        raise LocalError(f"--filter {text!r}: write KIND=VALUE, where KIND is one of {', '.join(KINDS)}")
    try:
        return KINDS[kind](values.split(","))
    except ValueError as error:
        raise LocalError(f"--filter {text!r}: {error}") from error


def _exact(values: list[str]) -> Rule:
    wanted = [Prefix(value) for value in values]
    return Rule(prefix=frozenset(wanted).__contains__, hints=_prefix_hints(wanted))


def _covered(values: list[str]) -> Rule:
    wanted = [Prefix(value) for value in values]
    return Rule(prefix=lambda prefix: any(prefix in one for one in wanted), hints=_prefix_hints(wanted))


def _covering(values: list[str]) -> Rule:
    wanted = [Prefix(value) for value in values]
    return Rule(prefix=lambda prefix: any(one in prefix for one in wanted))


def _prefix_hints(wanted: list[Prefix]) -> tuple[bytes, ...]:
    """The octets that all bits of a prefix are in; none if some prefix has none."""
    found = tuple(one.nlri[1 : 1 + one.length // 8] for one in wanted)
    return found if all(found) else ()


def _as_number(value: str) -> int:
    if not value.isdecimal() or int(value) >= 1 << 32:
        raise ValueError(f"{value!r} is not an AS number")
    return int(value)


def _in_path(values: list[str]) -> Rule:
    wanted = frozenset(map(_as_number, values))

    def test(update: Update) -> bool:
        return any(not wanted.isdisjoint(one.value) for one in update.attributes if isinstance(one.value, AsPath))

    # An AS number of two octets is in its own four-octet form too.
    return Rule(update=test, hints=tuple(asn.to_bytes(2 if asn < 1 << 16 else 4, "big") for asn in wanted))


def _originated(values: list[str]) -> Rule:
    wanted = frozenset(map(_as_number, values))

    def test(update: Update) -> bool:
        path, wider = update.attribute(Code.AS_PATH), update.attribute(Code.AS4_PATH)
        found = (one.value for one in (wider, path) if one is not None)
        return any(path.origin_as in wanted for path in found if isinstance(path, AsPath))

    return Rule(update=test)


def _community(values: list[str]) -> Rule:
    wanted = frozenset(map(_parsed_community, values))
    hints = tuple(map(_community_octets, wanted))
    return Rule(update=lambda update: not wanted.isdisjoint(_communities(update)), hints=hints)


def _parsed_community(text: str) -> Community | LargeCommunity | ExtendedCommunity:
    for kind in (Community, LargeCommunity):
        try:
            return kind.parse(text)
        except ValueError:
            continue
    return ExtendedCommunity.parse(text)


def _community_octets(one: Community | LargeCommunity | ExtendedCommunity) -> bytes:
    match one:
        case Community():
            return int(one).to_bytes(4, "big")
        case LargeCommunity():
            return b"".join(number.to_bytes(4, "big") for number in one)
        case _:
            return bytes(one)


def _communities(update: Update) -> Iterable[object]:
    for one in update.attributes:
        if one.code in (Code.COMMUNITIES, Code.EXTENDED_COMMUNITIES, Code.LARGE_COMMUNITIES):
            yield from one.value if isinstance(one.value, tuple) else ()


def _peer(values: list[str]) -> Rule:
    wanted = [Prefix(value) for value in values]
    return Rule(peer=lambda peer: any(peer.address in one for one in wanted))


def _peer_as(values: list[str]) -> Rule:
    wanted = frozenset(map(_as_number, values))
    return Rule(peer=lambda peer: peer.asn in wanted)


#: What can be written before "=".
KINDS: Final[dict[str, Callable[[list[str]], Rule]]] = {
    "prefix": _exact,
    "covered": _covered,
    "covering": _covering,
    "as": _in_path,
    "origin": _originated,
    "community": _community,
    "peer": _peer,
    "peer-as": _peer_as,
}
#: Lets everything through.
EVERYTHING: Final = Filter()
