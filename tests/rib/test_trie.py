"""The trie is a dict that also knows what covers what: held equal to a dict and a search through all of it."""

from __future__ import annotations

import gzip
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

import rib
from rib import trie as trie_module
from rib.prefix import Prefix
from rib.trie import Found, NlriTrie, PrefixTrie

TABLES = Path(__file__).parents[3] / "shared" / "data" / "prefixes"

EXAMPLES = [
    "0.0.0.0/0",
    "10.0.0.0/8",
    "10.1.0.0/16",
    "10.1.2.0/24",
    "10.1.2.3/32",
    "::/0",
    "2001:db8::/32",
    "2001:db8::1/128",
]


def texts(found: list[Found[str]]) -> list[str]:
    return [str(one.prefix) for one in found]


@pytest.fixture
def trie() -> PrefixTrie[str]:
    return PrefixTrie((text, text) for text in EXAMPLES)


def test_a_trie_is_a_mapping(trie: PrefixTrie[str]) -> None:
    assert trie["10.0.0.0/8"] == "10.0.0.0/8"
    assert trie[Prefix("10.0.0.0/8")] == trie[ip_network("10.0.0.0/8")] == "10.0.0.0/8"
    assert len(trie) == len(EXAMPLES)
    assert "10.1.0.0/16" in trie
    assert "10.2.0.0/16" not in trie
    assert trie.get("10.2.0.0/16") is None
    assert trie.get("192.0.2.1/32", "none") == "none"
    assert trie.setdefault(Prefix("10.2.0.0/16"), "new") == "new"
    assert trie.pop("10.2.0.0/16") == "new"
    assert trie.pop("10.2.0.0/16", None) is None
    assert dict(trie) == {Prefix(text): text for text in EXAMPLES}
    assert trie == PrefixTrie(dict(trie)) == dict(trie)
    assert repr(trie) == "PrefixTrie(5 IPv4 and 3 IPv6 prefixes)"


@pytest.mark.parametrize("missing", ["10.9.0.0/16", "192.0.2.0/24", "10.1.2.2/32", "10.0.0.0/9", "2001:db9::/32"])
def test_what_is_not_there_is_a_key_error_that_names_it(trie: PrefixTrie[str], missing: str) -> None:
    with pytest.raises(KeyError, match=missing):
        trie[missing]
    with pytest.raises(KeyError, match=missing):
        del trie[missing]
    with pytest.raises(KeyError, match=missing):
        trie.pop(missing)


def test_octets_that_are_not_there_are_a_key_error() -> None:
    half: NlriTrie[int] = NlriTrie(1)
    half[b"\x18\x0a\x00\x00"] = 1
    for missing in (b"\x08\x0a", b"\x18\x0a\x00\x01", b"\x18\x0b\x00\x01"):
        with pytest.raises(KeyError):
            half[missing]
        with pytest.raises(KeyError):
            del half[missing]
        assert half.get(missing, 7) == 7
    assert half.get(b"\x18\x0a\x00\x00", 7) == 1


@pytest.mark.parametrize("wrong", ["10.0.0.1/8", "10.0.0.0/33", "ten", "", "::/129", "10.0.0.0.0/8"])
def test_text_that_is_no_prefix_is_a_value_error(trie: PrefixTrie[str], wrong: str) -> None:
    with pytest.raises(ValueError, match="prefix"):
        trie[wrong]
    with pytest.raises(ValueError, match="prefix"):
        trie[wrong] = "x"


@pytest.mark.parametrize("wrong", ["10.0.0", "10.0.0.256", "1:2", "", "x", "10.0.0.1\0"])
def test_text_that_is_no_address_is_a_value_error(trie: PrefixTrie[str], wrong: str) -> None:
    with pytest.raises(ValueError, match="is not an IP address"):
        trie.longest_match(wrong)


def test_longest_match(trie: PrefixTrie[str]) -> None:
    for address, expected in {
        "10.1.2.3": "10.1.2.3/32",
        "10.1.2.4": "10.1.2.0/24",
        "10.1.3.1": "10.1.0.0/16",
        "10.2.0.1": "10.0.0.0/8",
        "192.0.2.1": "0.0.0.0/0",
        "2001:db8::1": "2001:db8::1/128",
        "2001:db8::2": "2001:db8::/32",
        "fe80::1": "::/0",
    }.items():
        assert trie.longest_match(address) == (Prefix(expected), expected)
        assert trie.longest_match(ip_address(address)) == (Prefix(expected), expected)
    found = trie.longest_match("10.1.2.4")
    assert found is not None
    assert (found.prefix, found.value) == (Prefix("10.1.2.0/24"), "10.1.2.0/24")


def test_longest_match_of_a_prefix_covers_all_of_it(trie: PrefixTrie[str]) -> None:
    assert trie.longest_match("10.1.2.0/23") == (Prefix("10.1.0.0/16"), "10.1.0.0/16")
    assert trie.longest_match(Prefix("10.1.2.0/24")) == (Prefix("10.1.2.0/24"), "10.1.2.0/24")
    del trie["0.0.0.0/0"]
    assert trie.longest_match("192.0.2.0/24") is None
    assert trie.longest_match("192.0.2.1") is None


def test_covering_goes_from_the_shortest(trie: PrefixTrie[str]) -> None:
    assert texts(list(trie.covering("10.1.2.0/24"))) == ["0.0.0.0/0", "10.0.0.0/8", "10.1.0.0/16", "10.1.2.0/24"]
    assert texts(list(trie.covering("10.1.2.3"))) == EXAMPLES[:5]
    assert texts(list(trie.covering(IPv6Address("2001:db8::1")))) == EXAMPLES[5:]
    assert texts(list(trie.covering("8.0.0.0/6"))) == ["0.0.0.0/0"]


def test_covered_goes_in_order(trie: PrefixTrie[str]) -> None:
    assert texts(list(trie.covered("10.0.0.0/8"))) == EXAMPLES[1:5]
    assert texts(list(trie.covered("10.1.2.0/24"))) == EXAMPLES[3:5]
    assert texts(list(trie.covered("10.1.3.0/24"))) == []
    assert texts(list(trie.covered("192.0.2.0/24"))) == []
    assert texts(list(trie.covered("::/0"))) == EXAMPLES[5:]


def test_iteration_is_in_order() -> None:
    given_in_reverse: PrefixTrie[int] = PrefixTrie((text, 0) for text in reversed(EXAMPLES))
    assert list(map(str, given_in_reverse)) == EXAMPLES
    assert list(map(str, given_in_reverse.keys())) == EXAMPLES


def test_cleared_is_empty(trie: PrefixTrie[str]) -> None:
    trie.clear()
    assert len(trie) == 0
    assert list(trie) == []
    assert trie.longest_match("10.1.2.3") is None


def test_the_door_for_octets_is_the_same_table(trie: PrefixTrie[str]) -> None:
    half = trie.family(1)
    assert half[b"\x08\x0a"] == "10.0.0.0/8"
    half[b"\x10\x0a\x07"] = "new"
    assert trie["10.7.0.0/16"] == "new"
    assert half.match(IPv4Address("10.7.1.1").packed) == (b"\x10\x0a\x07", "new")
    assert trie.family(2).match(bytes(16)) == (b"\0", "::/0")


@pytest.mark.parametrize("kept", [2, 1 << 16])
def test_order_is_kept_up_or_made_anew(kept: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trie_module, "KEPT_SORTED", kept)
    trie: PrefixTrie[int] = PrefixTrie()
    there: list[str] = []
    for number in (3, 1, 4, 0, 2):
        text = f"10.0.{number}.0/24"
        trie[text] = number
        there = sorted([*there, text])
        assert list(map(str, trie)) == there
    for text in there[::2]:
        del trie[text]
        there.remove(text)
        assert list(map(str, trie)) == there


def test_the_package_exports_it() -> None:
    assert rib.PrefixTrie is PrefixTrie
    assert all(hasattr(rib, name) for name in rib.__all__)


@st.composite
def crowded(draw: st.DrawFn) -> Prefix:
    """Prefixes that are likely to cover each other: few different bits, all lengths."""
    afi = draw(st.sampled_from([1, 2]))
    bits = 32 if afi == 1 else 128
    length = draw(st.one_of(st.integers(0, bits), st.sampled_from([0, 8, 15, 16, 17, 24, 31, 32, 33, bits])))
    length = min(length, bits)
    ones = [1 << at for at in (bits - 1, bits - 17, bits - 33) if at >= 0]
    pattern = draw(st.sampled_from([0, (1 << bits) - 1, *ones]))
    number = (pattern ^ (draw(st.integers(0, 7)) << max(bits - length, 0))) >> (bits - length) << (bits - length)
    octets = (number & ((1 << bits) - 1)).to_bytes(bits // 8, "big")
    return Prefix.from_nlri(afi, bytes((length,)) + octets[: (length + 7) // 8])


def order(prefix: Prefix) -> tuple[int, int, int]:
    return prefix.afi, int(prefix.address), prefix.length


class TrieIsADict(RuleBasedStateMachine):
    """Every question is answered as by a search through a dict."""

    @initialize(kept=st.sampled_from([2, 1 << 16]))
    def begin(self, kept: int) -> None:
        self.before = trie_module.KEPT_SORTED
        trie_module.KEPT_SORTED = kept  # type: ignore[misc]  # both ways must be walked
        self.trie: PrefixTrie[int] = PrefixTrie()
        self.model: dict[Prefix, int] = {}

    def teardown(self) -> None:
        if hasattr(self, "before"):
            trie_module.KEPT_SORTED = self.before  # type: ignore[misc]

    @rule(prefix=crowded(), value=st.integers())
    def put(self, prefix: Prefix, value: int) -> None:
        self.trie[prefix] = value
        self.model[prefix] = value

    @rule(data=st.data())
    def take(self, data: st.DataObject) -> None:
        if self.model:
            prefix = data.draw(st.sampled_from(sorted(self.model)))
            del self.trie[prefix]
            del self.model[prefix]

    @rule(prefix=crowded())
    def ask(self, prefix: Prefix) -> None:
        assert self.trie.get(prefix) == self.model.get(prefix)
        within = [(one, self.model[one]) for one in sorted(self.model, key=order) if one in prefix]
        assert list(self.trie.covered(prefix)) == within
        above = sorted((one for one in self.model if prefix in one), key=lambda one: one.length)
        assert list(self.trie.covering(prefix)) == [(one, self.model[one]) for one in above]
        assert self.trie.longest_match(prefix) == ((above[-1], self.model[above[-1]]) if above else None)
        above = [one for one in self.model if prefix.address in one]
        best = max(above, key=lambda one: one.length, default=None)
        assert self.trie.longest_match(prefix.address) == (None if best is None else (best, self.model[best]))

    @rule()
    def iterate(self) -> None:
        assert list(self.trie.items()) == sorted(self.model.items(), key=lambda item: order(item[0]))

    @invariant()
    def as_many(self) -> None:
        if hasattr(self, "trie"):
            assert len(self.trie) == len(self.model)


TestTrieIsADict = TrieIsADict.TestCase
TestTrieIsADict.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)


@given(prefixes=st.lists(crowded(), max_size=30))
def test_order_is_that_of_sorted_prefixes(prefixes: list[Prefix]) -> None:
    assert list(PrefixTrie((prefix, 0) for prefix in prefixes)) == sorted(set(prefixes))


@pytest.mark.parametrize("name", ["routeviews-rv2-20160202-1200", "routeviews-rv6-20160202-1200"])
def test_real_tables_match_as_pytricia_and_a_dict_do(name: str) -> None:
    if not TABLES.is_dir():
        pytest.skip(f"{TABLES} is absent")
    trie: PrefixTrie[str] = PrefixTrie()
    with gzip.open(TABLES / f"{name}.pfx2as.gz", "rt") as lines:
        for line in lines:
            address, length, asn = line.split()
            trie[f"{address}/{length}"] = asn
    (answers,) = TABLES.glob(f"{name}.lpm-*.tsv.gz")
    asked = 0
    with gzip.open(answers, "rt") as lines:
        for line in lines:
            address, prefix, asn = line.rstrip("\n").split("\t")
            found = trie.longest_match(address)
            assert ("-" if found is None else str(found.prefix)) == prefix
            if found is not None:
                assert found.value == asn
            asked += 1
    assert asked > 20_000
