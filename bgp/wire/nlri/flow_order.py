"""Which of two flow specifications a packet meets first (RFC 8955 5.1, RFC 8956 4): the same everywhere in a network."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cmp_to_key
from itertools import zip_longest
from typing import Final

from bgp.wire.fields import build
from bgp.wire.nlri.flowspec import PAIRS_OF
from rib.flowspec import FlowComponent, FlowMatch, FlowPrefix, FlowSpec, PartialPrefix, VpnFlowSpec
from rib.prefix import Prefix

FIRST: Final = -1
SECOND: Final = 1


def in_order(specs: Iterable[FlowSpec]) -> list[FlowSpec]:
    """The flow specifications in the order in which they are tried."""
    return sorted(specs, key=cmp_to_key(compare))


def compare(one: FlowSpec | VpnFlowSpec, other: FlowSpec | VpnFlowSpec) -> int:
    """Below 0 where `one` is tried first, above 0 where `other` is, 0 where they are equal."""
    for first, second in zip_longest(one.components, other.components):
        if first is None or second is None:
            return SECOND if first is None else FIRST
        if first.type != second.type:
            return FIRST if first.type < second.type else SECOND
        if (verdict := _compare(first, second)) != 0:
            return verdict
    return 0


def _compare(one: FlowComponent, other: FlowComponent) -> int:
    if isinstance(one, FlowPrefix) and isinstance(other, FlowPrefix):
        return _compare_prefixes(one.prefix, other.prefix)
    ours, theirs = _octets(one), _octets(other)
    common = min(len(ours), len(theirs))
    if ours[:common] != theirs[:common]:
        return FIRST if ours < theirs else SECOND
    # Of two that begin alike the longer one is tried first.
    return len(theirs) - len(ours)


def _octets(component: FlowComponent) -> bytes:
    assert isinstance(component, FlowMatch)  # components of one type are of one kind
    return build(PAIRS_OF[component.type], component)


def _compare_prefixes(one: Prefix | PartialPrefix, other: Prefix | PartialPrefix) -> int:
    ours, theirs = (0 if isinstance(prefix, Prefix) else prefix.offset for prefix in (one, other))
    if ours != theirs:
        return FIRST if ours < theirs else SECOND
    bits = one.address.max_prefixlen
    common = bits - min(one.length, other.length)
    if int(one.address) >> common == int(other.address) >> common:
        return other.length - one.length
    return FIRST if int(one.address) < int(other.address) else SECOND
