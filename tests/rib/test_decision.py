"""The decision process: each step alone decides somewhere, and the fast way chooses as the letter of the RFC does."""

from __future__ import annotations

from ipaddress import IPv4Address
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from routes import LOCAL, attributes, path, source

from rib.as_path import AsPath
from rib.attributes import DEFAULT_LOCAL_PREF, Attributes, Origin
from rib.decision import MED, ONLY_PATH, STEPS, DecisionOptions, best, best_of, preference_key, rank, sharing
from rib.route import Path, Source, SourceKind

INTERNAL, EXTERNAL, CONFEDERATION = SourceKind.INTERNAL, SourceKind.EXTERNAL, SourceKind.CONFEDERATION


def numbered(
    bgp_id: int, address: int, path_id: int | None = None, kind: SourceKind = EXTERNAL, **fields: object
) -> Path:
    made = attributes(**fields) if fields else attributes()
    peer = Source(kind, "peer", 65002, IPv4Address(bgp_id), IPv4Address(address))
    return Path(made, peer, path_id=path_id)


def with_cost(cost: int) -> Path:
    return Path(attributes(""), source(2, INTERNAL), interior_cost=cost)


#: The step that alone decides, the better path, the worse one.
CASES = [
    ("local preference", path(3, local_pref=200), path(2, local_pref=150)),
    ("local preference", path(3, local_pref=101), path(2)),
    ("local preference", path(3), path(2, local_pref=99)),
    ("locally originated", Path(Attributes(), LOCAL), path(2, as_path="")),
    ("path length", path(3, as_path="65003 1"), path(2, as_path="65002 1 2")),
    ("path length", path(3, as_path="65003 {1,2,3}"), path(2, as_path="65002 1 2")),
    ("path length", path(3, as_path="(1 2 3) 65003"), path(2, as_path="65002 1")),
    ("origin", path(3, origin=Origin.IGP), path(2, origin=Origin.EGP)),
    ("origin", path(3, origin=Origin.EGP), path(2, origin=Origin.INCOMPLETE)),
    ("multi-exit discriminator", path(3, as_path="1", med=5), path(2, as_path="1", med=6)),
    ("multi-exit discriminator", path(3, as_path="1"), path(2, as_path="1", med=1)),
    ("external over internal", path(3, EXTERNAL, "1"), path(2, INTERNAL, "1")),
    ("external over internal", path(3, EXTERNAL, "1"), path(2, CONFEDERATION, "1")),
    ("interior cost", with_cost(1), with_cost(2)),
    ("BGP identifier", numbered(1, 9), numbered(2, 8)),
    ("BGP identifier", numbered(9, 9, originator_id=IPv4Address(1)), numbered(2, 8)),
    ("cluster list length", numbered(1, 9), numbered(1, 8, cluster_list=(IPv4Address(7),))),
    (
        "cluster list length",
        numbered(9, 9, originator_id=IPv4Address(1), cluster_list=(IPv4Address(7),)),
        numbered(8, 8, originator_id=IPv4Address(1), cluster_list=(IPv4Address(7), IPv4Address(6))),
    ),
    ("peer address", numbered(1, 8), numbered(1, 9)),
    ("path identifier", numbered(1, 8, path_id=1), numbered(1, 8, path_id=2)),
]


@pytest.mark.parametrize(("step", "better", "worse"), CASES)
def test_the_step_that_decides(step: str, better: Path, worse: Path) -> None:
    for order in ([better, worse], [worse, better]):
        assert best(order) == (better, step)
        assert best_of(order) is better
        assert rank(order) == [better, worse]


def test_every_step_decides_somewhere_above() -> None:
    assert [step.name for step in STEPS] == list(dict.fromkeys(name for name, _, _ in CASES))
    assert all(step.rfc.startswith("RFC ") for step in STEPS)


def test_one_path_needs_no_step() -> None:
    only = path()
    assert best([only]) == (only, ONLY_PATH)
    assert best_of([only]) is only


def test_no_path_is_no_choice() -> None:
    with pytest.raises(ValueError, match="no path"):
        best([])
    assert rank([]) == []


def test_med_is_not_compared_between_neighbour_ases() -> None:
    cheap, near = path(3, as_path="1", med=1), path(2, as_path="2", med=9)
    assert best([cheap, near]) == (near, "BGP identifier")
    always = DecisionOptions(always_compare_med=True)
    assert best([cheap, near], always) == (cheap, MED.name)
    assert best_of([cheap, near], always) is cheap


def test_a_missing_med_is_the_best_or_the_worst() -> None:
    # RFC 4271 9.1.2.2 c takes it for 0; RFC 4451 3.1 tells of the other way.
    missing, there = path(2, as_path="1"), path(3, as_path="1", med=5)
    assert best_of([missing, there]) is missing
    worst = DecisionOptions(med_missing_as_worst=True)
    fresh = [path(2, as_path="1"), path(3, as_path="1", med=5)]
    assert best(fresh, worst) == (fresh[1], MED.name)
    assert best_of(fresh, worst) is fresh[1]


def test_path_length_may_be_left_out() -> None:
    long, short = path(2, as_path="65002 1 2"), path(3, as_path="65003")
    assert best([long, short], DecisionOptions(compare_as_path_length=False)) == (long, "BGP identifier")


def test_a_third_path_may_change_which_of_two_is_better() -> None:
    """MED is no total order (RFC 3345 2): c beats a by MED, a beats b by identifier, b beats c by identifier."""
    a, b, c = path(2, as_path="1", med=9), path(3, as_path="2"), path(4, as_path="1", med=1)
    assert best_of([a, b]) is a
    for order in permutations([a, b, c]):
        assert best(order)[0] is b
        assert best_of(list(order)) is b
        assert rank(order) == [b, c, a]


#: Candidates beside the winner: whether they share with it, and whether they do where AS_PATHs may differ.
SHARES = [
    (path(3, as_path="1 7"), True, True),
    (path(3, as_path="2 7"), False, True),
    (path(3, as_path="1 7", med=1), False, False),
    (path(3, as_path="2 7", med=1), False, True),
    (path(3, as_path="1 2 7"), False, False),
    (path(3, as_path="1 7", origin=Origin.EGP), False, False),
    (path(3, INTERNAL, as_path="1 7"), False, False),
    (path(3, as_path="1 7", local_pref=99), False, False),
]


@pytest.mark.parametrize(("other", "strict", "relaxed"), SHARES)
def test_who_shares_the_traffic_with_the_winner(other: Path, strict: bool, relaxed: bool) -> None:
    winner = path(2, as_path="1 7")
    assert sharing(winner, [other]) == [winner, *([other] if strict else [])]
    assert sharing(winner, [other], relax_as_path=True) == [winner, *([other] if relaxed else [])]


def test_those_who_share_come_best_first() -> None:
    winner, second, third = path(2, as_path="1"), path(3, as_path="1"), path(4, as_path="1")
    assert sharing(winner, [third, second]) == [winner, second, third]
    assert sharing(winner, []) == [winner]


def test_another_interior_cost_shares_nothing() -> None:
    near, far = with_cost(1), with_cost(2)
    assert sharing(near, [far, with_cost(1)])[1:] != [far]
    assert len(sharing(near, [far])) == 1


def test_keys_are_made_once() -> None:
    first, second = path(2), path(3)
    assert first.key is None
    best_of([first, second])
    assert first.key == preference_key(first)
    first.key = (-DEFAULT_LOCAL_PREF - 1,)
    assert best_of([second, first]) is first


@st.composite
def paths(draw: st.DrawFn) -> list[Path]:
    """Paths that differ in few things, so that every step is reached."""
    few = st.integers(0, 2)
    made = []
    for number in range(draw(st.integers(1, 5))):
        asns = draw(st.lists(st.integers(1, 3), min_size=1, max_size=2))
        fields: dict[str, object] = {}
        if draw(st.booleans()):
            fields["med"] = draw(few)
        if draw(st.integers(0, 3)) == 0:
            fields["local_pref"] = 100 + draw(few)
        if draw(st.integers(0, 3)) == 0:
            fields["originator_id"] = IPv4Address(draw(few))
            fields["cluster_list"] = tuple(IPv4Address(n) for n in range(draw(few)))
        received = Attributes(as_path=AsPath.of(*asns), origin=Origin(draw(st.sampled_from([0, 0, 0, 1])))).replace(
            **fields
        )
        peer = Source(
            draw(st.sampled_from([EXTERNAL, INTERNAL])), "p", 1, IPv4Address(draw(few)), IPv4Address(draw(few))
        )
        made.append(Path(received, peer, path_id=number, interior_cost=draw(few)))
    return made


options = st.builds(DecisionOptions, st.booleans(), st.booleans(), st.booleans())


def naive(candidates: list[Path], options: DecisionOptions) -> Path:
    """RFC 4271 9.1.2.2 read off step by step, without the table."""

    def keep(left: list[Path], measure: dict[int, int]) -> list[Path]:
        return [one for one in left if measure[id(one)] == min(measure[id(other)] for other in left)]

    left = list(candidates)
    default = DEFAULT_LOCAL_PREF
    missing = (1 << 32) - 1 if options.med_missing_as_worst else 0
    left = keep(left, {id(p): -(default if p.attributes.local_pref is None else p.attributes.local_pref) for p in left})
    if options.compare_as_path_length:
        left = keep(left, {id(p): p.attributes.as_path.length for p in left})
    left = keep(left, {id(p): int(p.attributes.origin) for p in left})
    meds = {id(p): missing if p.attributes.med is None else p.attributes.med for p in left}
    left = [
        n
        for n in left
        if not any(
            meds[id(m)] < meds[id(n)]
            and (options.always_compare_med or m.attributes.as_path.first_as == n.attributes.as_path.first_as)
            for m in left
        )
    ]
    if any(p.source.kind is EXTERNAL for p in left):
        left = [p for p in left if p.source.kind is EXTERNAL]
    left = keep(left, {id(p): p.interior_cost for p in left})
    left = keep(left, {id(p): int(p.attributes.originator_id or p.source.bgp_id) for p in left})
    left = keep(left, {id(p): len(p.attributes.cluster_list) for p in left})
    left = keep(left, {id(p): int(p.source.address or 0) for p in left})
    return min(left, key=lambda p: p.path_id or 0)


@settings(max_examples=300)
@given(candidates=paths(), options=options, data=st.data())
def test_three_ways_to_decide_agree_in_any_order(
    candidates: list[Path], options: DecisionOptions, data: st.DataObject
) -> None:
    winner = naive(candidates, options)
    shuffled = data.draw(st.permutations(candidates))
    assert best(shuffled, options)[0] is winner
    assert best_of(shuffled, options) is winner
    assert rank(shuffled, options)[0] is winner
