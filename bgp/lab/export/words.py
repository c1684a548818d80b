"""What an exporter needs to know of a node: its sessions, and its policies as the few words that models use."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from bgp.error import LocalError
from bgp.options import PeerOptions
from bgp.topology.model import Topology
from rib.policy import EVERYTHING, NO_CHANGE, Action, Match, Policy, Set


class Clause(NamedTuple):
    """One rule of a policy. Of the conditions, those given must hold; `local_pref` is set where it is given."""

    own_as: bool = False  #: the AS_PATH is empty
    neighbours: tuple[int, ...] = ()  #: the first AS of the AS_PATH is one of these
    local_pref: int | None = None


def clauses(policy: Policy | None) -> list[Clause]:
    """What a policy accepts; no clauses: nothing. Raises LocalError for a policy that says more than clauses can."""
    if policy is None:
        return []
    found = [_clause(policy, rule.match, rule.set) for rule in policy.rules if rule.action is Action.ACCEPT]
    if len(found) < len(policy.rules):
        raise LocalError(f"policy {policy.name!r} has rules that do not accept: they cannot be exported")
    return [*found, Clause()] if policy.default is Action.ACCEPT else found


def _clause(policy: Policy, match: Match, changes: Set) -> Clause:
    known = replace(EVERYTHING, max_path_length=match.max_path_length, neighbour_as=match.neighbour_as)
    if (
        match != known
        or match.max_path_length not in (None, 0)
        or changes != replace(NO_CHANGE, local_pref=changes.local_pref)
    ):
        raise LocalError(f"policy {policy.name!r} has conditions or changes that cannot be exported")
    return Clause(match.max_path_length == 0, match.neighbour_as, changes.local_pref)


def peers(topology: Topology, node: str) -> Iterator[PeerOptions]:
    """The neighbours of a node as it is told of them."""
    for session in topology.sessions:
        for end in session.ends:
            if end.node == node:
                yield end.peer
