"""The Loc-RIB held equal to a dict of candidates of which a sort picks the best."""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import ip_address

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from routes import nlri, path

from rib.decision import best, rank
from rib.eligibility import Ineligible, Why
from rib.family import IPV4_MULTICAST, IPV4_UNICAST, IPV6_UNICAST, Family
from rib.loc_rib import LocRib
from rib.prefix import Prefix
from rib.route import Change, Path


@pytest.fixture
def filled() -> LocRib:
    loc_rib = LocRib()
    for family, texts in (
        (IPV4_UNICAST, ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/23", "10.0.0.0/32", "10.1.2.3/32"]),
        (IPV6_UNICAST, ["2001:db8::/32", "2001:db8::1/128"]),
    ):
        loc_rib.table(family).insert([nlri(text) for text in reversed(texts)], path(), None)
    return loc_rib


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("10.1.2.3", "10.1.2.3/32"),
        ("10.1.3.3", "10.1.2.0/23"),
        ("10.1.4.0", "10.1.0.0/16"),
        ("10.2.0.0", "10.0.0.0/8"),
        ("192.0.2.1", "0.0.0.0/0"),
        ("2001:db8::1", "2001:db8::1/128"),
        ("2001:db8::2", "2001:db8::/32"),
        ("fe80::1", None),
    ],
)
def test_longest_match(filled: LocRib, address: str, expected: str | None) -> None:
    found = filled.longest_match(ip_address(address))
    if expected is None:
        assert found is None
    else:
        assert found is not None
        assert Prefix.from_nlri(found.family.afi, found.nlri) == Prefix(expected)
        assert found.path is filled.best(found.family, found.nlri)


def test_longest_match_of_a_family_that_is_not_there(filled: LocRib) -> None:
    assert filled.longest_match(ip_address("10.1.2.3"), IPV4_MULTICAST) is None
    assert filled.covered(IPV4_MULTICAST, Prefix("10.0.0.0/8")) == []


def test_covered_is_in_order(filled: LocRib) -> None:
    found = [str(Prefix.from_nlri(1, route.nlri)) for route in filled.covered(IPV4_UNICAST, Prefix("10.0.0.0/7"))]
    assert found == ["10.0.0.0/8", "10.0.0.0/32", "10.1.0.0/16", "10.1.2.0/23", "10.1.2.3/32"]
    assert len(filled.covered(IPV4_UNICAST, Prefix("10.1.2.0/24"))) == 1
    assert len(filled.covered(IPV6_UNICAST, Prefix("2001:db8::/32"))) == 2


def test_an_update_that_names_a_prefix_twice_counts_once() -> None:
    loc_rib = LocRib()
    table = loc_rib.table(IPV4_UNICAST)
    key = nlri("10.0.0.0/8")
    winner, old, new = path(2), path(3, med=1), path(3, med=2)
    for keys in ([key], [key, key]):
        table.insert(keys, winner, None)
    table.insert([key, key], old, None)
    assert table.candidates(key) == [winner, old]
    table.insert([key, key], new, {key: old})
    assert table.candidates(key) == [winner, new]
    table.remove([(key, new)])
    assert table.candidates(key) == [winner]
    assert table.candidates(nlri("11.0.0.0/8")) == []


def test_listeners_hear_of_each_prefix_once_a_flush() -> None:
    loc_rib = LocRib()
    heard: list[tuple[Family, dict[bytes, Path | None]]] = []

    def listener(family: Family, changed: Mapping[bytes, Path | None]) -> None:
        heard.append((family, dict(changed)))

    loc_rib.listen(listener)
    key, first, second = nlri("10.0.0.0/8"), path(2), path(3, as_path="65003 1")
    table = loc_rib.table(IPV4_UNICAST)
    table.insert([key], first, None)
    table.insert([key], second, None)
    table.remove([(key, first)])
    loc_rib.flush()
    loc_rib.flush()
    assert heard == [(IPV4_UNICAST, {key: None})]
    assert list(loc_rib.describe(IPV4_UNICAST, {key: None})) == [Change(IPV4_UNICAST, key, None, second)]
    table.remove([(key, second)])
    table.insert([key], second, None)
    loc_rib.flush()
    assert heard[1:] == [(IPV4_UNICAST, {key: second})]
    assert list(loc_rib.describe(*heard[1])) == []
    loc_rib.unlisten(listener)
    table.remove([(key, second)])
    loc_rib.flush()
    assert len(heard) == 2
    with pytest.raises(ValueError, match="not in list"):
        loc_rib.unlisten(listener)


def test_several_paths_up_to_a_number() -> None:
    table = LocRib().table(IPV4_UNICAST)
    key = nlri("10.0.0.0/8")
    paths = [path(number, as_path="1") for number in (2, 3, 4)]
    other = path(5, as_path="2")
    assert table.multipath(key, 8) == []
    table.insert([key], paths[0], None)
    assert table.multipath(key, 8) == paths[:1]
    for one in (*paths[1:], other):
        table.insert([key], one, None)
    assert table.multipath(key, 8) == paths
    assert table.multipath(key, 2) == paths[:2]
    assert table.multipath(key, 8, relax_as_path=True) == [*paths, other]


def test_a_table_that_tells_all_tells_of_losers_too() -> None:
    loc_rib = LocRib()
    table = loc_rib.table(IPV4_UNICAST)
    key, winner, loser = nlri("10.0.0.0/8"), path(2), path(3, as_path="1 2 3")
    table.insert([key], winner, None)
    loc_rib.flush()
    for tells_all in (False, True):
        table.tells_all = tells_all
        table.insert([key], loser, None)
        assert dict(table.news()) == ({key: winner} if tells_all else {})
        table.remove([(key, loser)])
        assert dict(table.news()) == ({key: winner} if tells_all else {})


def test_a_table_that_nobody_filled_is_empty() -> None:
    loc_rib = LocRib()
    assert loc_rib.best(IPV4_UNICAST, b"\0") is None
    assert list(loc_rib.routes(IPV4_UNICAST)) == []
    assert len(loc_rib) == 0


KEYS = [nlri(f"10.{number}.0.0/16") for number in range(4)]
PATHS = {
    (number, variant): path(
        number,
        as_path=as_path,
        **({"local_pref": 200} if variant == 3 else {"med": variant} if variant < 3 else {}),
    )
    for number, as_path in ((2, "1"), (3, "1"), (4, "2"), (5, "1 2"))
    for variant in range(5)
}
for (_, variant), one in PATHS.items():
    if variant == 4:
        one.ineligible = Ineligible(Why.POLICY)


class LocRibIsASort(RuleBasedStateMachine):
    """Of the candidates a sort would put first, told only when it changed."""

    def __init__(self) -> None:
        super().__init__()
        self.loc_rib = LocRib()
        self.table = self.loc_rib.table(IPV4_UNICAST)
        self.model: dict[bytes, dict[int, Path]] = {key: {} for key in KEYS}
        self.told: dict[bytes, Path | None] = dict.fromkeys(KEYS)
        self.loc_rib.listen(self.listener)

    def listener(self, family: Family, changed: Mapping[bytes, Path | None]) -> None:
        for key, old in changed.items():
            assert self.told[key] is old
            self.told[key] = self.loc_rib.best(family, key)

    @rule(
        keys=st.lists(st.sampled_from(KEYS), min_size=1, max_size=5),
        number=st.integers(2, 5),
        variant=st.integers(0, 4),
    )
    def announce(self, keys: list[bytes], number: int, variant: int) -> None:
        new = PATHS[number, variant]
        before = {key: self.model[key][number] for key in keys if number in self.model[key]}
        self.table.insert(keys, new, before or None)
        for key in keys:
            self.model[key][number] = new

    @rule(keys=st.lists(st.sampled_from(KEYS), unique=True), number=st.integers(2, 5))
    def withdraw(self, keys: list[bytes], number: int) -> None:
        self.table.remove([(key, self.model[key].pop(number)) for key in keys if number in self.model[key]])

    @rule()
    def flush(self) -> None:
        self.loc_rib.flush()
        assert self.told == {key: self.loc_rib.best(IPV4_UNICAST, key) for key in KEYS}

    @invariant()
    def agrees(self) -> None:
        for key in KEYS:
            eligible = [one for one in self.model[key].values() if one.ineligible is None]
            assert self.loc_rib.best(IPV4_UNICAST, key) is (best(eligible)[0] if eligible else None)
            assert self.table.candidates(key) == rank(eligible)
        assert len(self.loc_rib) == len(dict(self.loc_rib.routes(IPV4_UNICAST)))
        assert not any(one == [] for one in self.table.others.values())


TestLocRibIsASort = LocRibIsASort.TestCase
TestLocRibIsASort.settings = settings(max_examples=80, stateful_step_count=40, deadline=None)


def test_what_is_held_back_is_told_at_once_when_it_is_released() -> None:
    loc_rib, heard = LocRib(), []
    loc_rib.listen(lambda family, changed: heard.append((family, len(changed), dict(changed))))
    loc_rib.held = True
    keys = [nlri("10.0.0.0/8"), nlri("11.0.0.0/8")]
    loc_rib.table(IPV4_UNICAST).insert(keys, path(2), None)
    loc_rib.flush()
    assert heard == []
    loc_rib.held = False
    loc_rib.flush()
    assert heard == [(IPV4_UNICAST, 2, dict.fromkeys(keys))]
