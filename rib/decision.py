"""The decision process (RFC 4271 9.1.2): which of several paths to a prefix is the best, and which step said so.

The steps are rows of a table. A step gives each path a number of which the lowest is kept; those that remain go to the
next step. MED is the exception: it is compared only among paths from the same neighbour AS, so it is no total order, and
which path wins may depend on all candidates. `best` follows the steps to the letter. `best_of` gives the same winner
faster: where no MED can matter, the numbers of all other steps form one key per path, made once and kept in `Path.key`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from rib.attributes import DEFAULT_LOCAL_PREF
from rib.route import Path, SourceKind

#: MED of a path that has none, with `med_missing_as_worst`.
WORST_MED: Final = (1 << 32) - 1


@dataclass(frozen=True, slots=True)
class DecisionOptions:
    """How a speaker decides; a value of the speaker, so that two in one process may differ."""

    always_compare_med: bool = False  #: also between neighbour ASes
    med_missing_as_worst: bool = False  #: no MED is the worst one, not 0 (RFC 4451 3.1)
    compare_as_path_length: bool = True  #: off: routes through longer paths count as equal there


DEFAULT_DECISION: Final = DecisionOptions()

Measure = Callable[[Path, DecisionOptions], int]


class Step(NamedTuple):
    """A tie-breaker: the paths with the lowest measure stay in."""

    name: str
    rfc: str
    measure: Measure


def _locally_originated(path: Path, _: DecisionOptions) -> int:
    return 0 if path.source.kind is SourceKind.LOCAL else 1


def _local_preference(path: Path, _: DecisionOptions) -> int:
    value = path.attributes.local_pref
    return -(DEFAULT_LOCAL_PREF if value is None else value)


def _path_length(path: Path, options: DecisionOptions) -> int:
    return path.attributes.path_length if options.compare_as_path_length else 0


def _origin(path: Path, _: DecisionOptions) -> int:
    return int(path.attributes.origin)


def med(path: Path, options: DecisionOptions) -> int:
    """The MULTI_EXIT_DISC that counts for a path (RFC 4271 9.1.2.2 c)."""
    value = path.attributes.med
    if value is None:
        return WORST_MED if options.med_missing_as_worst else 0
    return value


def _internal(path: Path, _: DecisionOptions) -> int:
    # RFC 5065 5.3: what came from another member AS of the confederation counts as internal.
    return 1 if path.source.kind in (SourceKind.INTERNAL, SourceKind.CONFEDERATION) else 0


def _interior_cost(path: Path, _: DecisionOptions) -> int:
    return path.interior_cost


def _bgp_identifier(path: Path, _: DecisionOptions) -> int:
    originator = path.attributes.originator_id if path.attributes.is_reflected else None
    return int(path.source.bgp_id if originator is None else originator)


def _cluster_list_length(path: Path, _: DecisionOptions) -> int:
    return len(path.attributes.cluster_list) if path.attributes.is_reflected else 0


def _peer_address(path: Path, _: DecisionOptions) -> int:
    return 0 if path.source.address is None else int(path.source.address)


def _path_identifier(path: Path, _: DecisionOptions) -> int:
    return path.path_id or 0


#: The step that is done within each neighbour AS.
MED: Final = Step("multi-exit discriminator", "RFC 4271 9.1.2.2 c", med)

STEPS: Final[tuple[Step, ...]] = (
    Step("local preference", "RFC 4271 9.1.1", _local_preference),
    Step("locally originated", "RFC 4271 9.1.2.1", _locally_originated),
    Step("path length", "RFC 4271 9.1.2.2 a", _path_length),
    Step("origin", "RFC 4271 9.1.2.2 b", _origin),
    MED,
    Step("external over internal", "RFC 4271 9.1.2.2 d", _internal),
    Step("interior cost", "RFC 4271 9.1.2.2 e", _interior_cost),
    Step("BGP identifier", "RFC 4271 9.1.2.2 f, RFC 4456 9", _bgp_identifier),
    Step("cluster list length", "RFC 4456 9", _cluster_list_length),
    Step("peer address", "RFC 4271 9.1.2.2 g", _peer_address),
    Step("path identifier", "RFC 7911 3", _path_identifier),
)

#: Said of a prefix with one path.
ONLY_PATH: Final = "only path"


def preference_key(path: Path, options: DecisionOptions = DEFAULT_DECISION) -> tuple[int, ...]:
    """The measures of every step but MED, in order; the lower key wins where MED does not come into it."""
    return tuple(step.measure(path, options) for step in STEPS if step is not MED)


#: How many places of the key come before MED.
_BEFORE_MED: Final = STEPS.index(MED)


def best(paths: Iterable[Path], options: DecisionOptions = DEFAULT_DECISION) -> tuple[Path, str]:
    """The winner and the name of the step that decided. Raises ValueError where there is no path."""
    left = list(paths)
    if not left:
        raise ValueError("no path to choose from")
    decided = ONLY_PATH
    for step in STEPS:
        if len(left) == 1:
            break
        kept = _least_med(left, options) if step is MED else _least(left, step.measure, options)
        if len(kept) < len(left):
            decided = step.name
        left = kept
    return left[0], decided


def _least(paths: Sequence[Path], measure: Measure, options: DecisionOptions) -> list[Path]:
    measured = [(measure(path, options), path) for path in paths]
    least = min(value for value, _ in measured)
    return [path for value, path in measured if value == least]


def _least_med(paths: Sequence[Path], options: DecisionOptions) -> list[Path]:
    """Without those that a path of the same neighbour AS beats by MED (RFC 4271 9.1.2.2 c)."""
    least: dict[int, int] = {}
    for path in paths:
        group, value = _med_group(path, options), med(path, options)
        if value < least.get(group, WORST_MED + 1):
            least[group] = value
    return [path for path in paths if med(path, options) == least[_med_group(path, options)]]


def _med_group(path: Path, options: DecisionOptions) -> int:
    return 0 if options.always_compare_med else path.attributes.neighbour_as


def best_of(paths: Sequence[Path], options: DecisionOptions = DEFAULT_DECISION) -> Path:
    """The same winner as `best`, without the reason. Keeps the keys it made: one Loc-RIB has one set of options."""
    winner = paths[0]
    key = winner.key or _keep_key(winner, options)
    if len(paths) == 2:
        other = paths[1]
        other_key = other.key or _keep_key(other, options)
        if key[:_BEFORE_MED] == other_key[:_BEFORE_MED]:
            ours, theirs = med(winner, options), med(other, options)
            if ours != theirs and _med_group(winner, options) == _med_group(other, options):
                return winner if ours < theirs else other
        return winner if key <= other_key else other
    if any(path.attributes.med is not None for path in paths):
        return best(paths, options)[0]
    for path in paths:
        path_key = path.key or _keep_key(path, options)
        if path_key < key:
            winner, key = path, path_key
    return winner


def _keep_key(path: Path, options: DecisionOptions) -> tuple[int, ...]:
    path.key = key = preference_key(path, options)
    return key


#: The first step that only breaks ties: paths that are equal until there may share the traffic.
_TIES: Final = next(place for place, step in enumerate(STEPS) if step.name == "BGP identifier")
#: How many places of the key come before it; MED has none.
_BEFORE_TIES: Final = _TIES - 1


def sharing(
    winner: Path, others: Iterable[Path], options: DecisionOptions = DEFAULT_DECISION, *, relax_as_path: bool = False
) -> list[Path]:
    """The winner and those of the `others` that are as good but for the steps that break ties, best first (multipath).

    Their AS_PATHs must be equal; with `relax_as_path` only as long. MED counts within a neighbour AS, as it does there.
    """
    key = (winner.key or _keep_key(winner, options))[:_BEFORE_TIES]
    group, value = _med_group(winner, options), med(winner, options)
    equal = [
        path
        for path in others
        if (path.key or _keep_key(path, options))[:_BEFORE_TIES] == key
        and (_med_group(path, options) != group or med(path, options) == value)
        and (relax_as_path or path.attributes.as_path == winner.attributes.as_path)
    ]
    return [winner, *rank(equal, options)]


def rank(paths: Iterable[Path], options: DecisionOptions = DEFAULT_DECISION) -> list[Path]:
    """All paths, best first: the winner, then the winner of the rest, and so on."""
    left = list(paths)
    ranked: list[Path] = []
    while left:
        winner = best(left, options)[0]
        left.remove(winner)
        ranked.append(winner)
    return ranked
