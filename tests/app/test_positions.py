from __future__ import annotations

import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgp.app.positions import Place, locate


def places(value: object, place: Place = ()) -> Iterator[Place]:
    """Every place of a tree that the standard library read."""
    yield place
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*place, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from places(inner, (*place, index))


TEXT = """\
# a comment with [brackets] and "quotes
title = "x # no comment"

[speaker]
asn = 65000 # yes
"router id" = 'a\\'
listen = [
  "a", # one ] more
  [1, 2,],

  "b",
]
when = 1979-05-27 07:32:00
long = \"\"\"
[not.a.table] \\\"""
x = 1\"\"\"\"
raw = '''
key = 1'''
inner = { a = 1, b = { c = [ { d = "}" } ] }, e.f = 2 }

[[peer]]
address = "1"
[[peer.rule]]
name = "first"
[peer.rule.match]
x = 1
[[peer.rule]]
name = "second"

[[peer]]
  address = "2"
  a.b.c = true
[[peer.rule]]
[other.deep]
key = 0
"""
LINES = {
    ("title",): 2,
    ("speaker",): 4,
    ("speaker", "asn"): 5,
    ("speaker", "router id"): 6,
    ("speaker", "listen"): 7,
    ("speaker", "listen", 0): 8,
    ("speaker", "listen", 1): 9,
    ("speaker", "listen", 1, 1): 9,
    ("speaker", "listen", 2): 11,
    ("speaker", "when"): 13,
    ("speaker", "long"): 14,
    ("speaker", "raw"): 17,
    ("speaker", "inner", "b", "c", 0, "d"): 19,
    ("peer",): 21,
    ("peer", 0): 21,
    ("peer", 0, "address"): 22,
    ("peer", 0, "rule", 0): 23,
    ("peer", 0, "rule", 0, "match", "x"): 26,
    ("peer", 0, "rule", 1, "name"): 28,
    ("peer", 1): 30,
    ("peer", 1, "a", "b"): 32,
    ("peer", 1, "rule", 0): 33,
    ("other", "deep", "key"): 35,
}


def test_lines_of_a_text_with_everything() -> None:
    found = locate(TEXT)
    assert {place: found[place] for place in LINES} == LINES


def test_it_finds_what_the_standard_library_finds() -> None:
    assert set(locate(TEXT)) == set(places(tomllib.loads(TEXT)))


@pytest.mark.parametrize("text", ["", "\n", "# only a comment", "a=1", "[a]", "a.b=1\n[a.c]\n", "a = []\nb={}"])
def test_small_texts(text: str) -> None:
    assert set(locate(text)) == set(places(tomllib.loads(text)))


scalars = st.one_of(
    st.integers(-9, 9).map(str),
    st.sampled_from(
        ["true", "1.5", "1979-05-27", "1979-05-27 07:32:00", "'[x] # {'", '"\\"]"', "'''a\n'b'''", '"""\n"a" ]"""']
    ),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda many: "[ # c ]\n" + ",\n".join(many) + "\n]"),
        st.lists(inner.filter(lambda one: "\n" not in one), max_size=2).map(
            lambda many: "{" + ", ".join(f"k{index} = {one}" for index, one in enumerate(many)) + "}"
        ),
    ),
    max_leaves=6,
)
names = st.sampled_from(["a", "b", '"c d"', "'e.f'", "a.b", 'x . "y"'])


@given(
    st.lists(st.tuples(st.sampled_from(["", "[{}]", "[[{}]]", "[t.{}]", "[[t.{}]]"]), names, names, values), max_size=6)
)
def test_it_finds_what_the_standard_library_finds_in_any_text(parts: list[tuple[str, str, str, str]]) -> None:
    text = "".join(f"{header.format(name)}\n{key} = {value} # end\n" for header, name, key, value in parts)
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return
    found = locate(text)
    assert set(found) == set(places(tree))
    for place, line in found.items():
        if place and isinstance(place[-1], str):
            assert place[-1] in text.split("\n")[line - 1] or '"' in text.split("\n")[line - 1]
