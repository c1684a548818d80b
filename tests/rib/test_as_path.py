"""AS_PATH: text, lengths, prepending, and what two-octet speakers leave of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import as_paths

from rib.as_path import EMPTY, MAX_ASN, MAX_SEGMENT, AsPath, Segment, SegmentType

SEQUENCE, SET, CONFED_SEQUENCE, CONFED_SET = (
    SegmentType.SEQUENCE,
    SegmentType.SET,
    SegmentType.CONFED_SEQUENCE,
    SegmentType.CONFED_SET,
)

#: Text, segments, length for the decision process, first, neighbour and origin AS.
PATHS = [
    ("", (), 0, None, None, None),
    ("65001", ((SEQUENCE, (65001,)),), 1, 65001, 65001, 65001),
    ("65001 65002 65002", ((SEQUENCE, (65001, 65002, 65002)),), 3, 65001, 65001, 65002),
    ("65001 {1,2}", ((SEQUENCE, (65001,)), (SET, (1, 2))), 2, 65001, 65001, None),
    ("{1,2} 3", ((SET, (1, 2)), (SEQUENCE, (3,))), 2, None, None, 3),
    ("(64512 64513) 3", ((CONFED_SEQUENCE, (64512, 64513)), (SEQUENCE, (3,))), 1, None, 3, 3),
    ("[64512 64513]", ((CONFED_SET, (64512, 64513)),), 0, None, None, None),
    ("(1) {2} 4294967295", ((CONFED_SEQUENCE, (1,)), (SET, (2,)), (SEQUENCE, (MAX_ASN,))), 2, None, None, MAX_ASN),
]


@pytest.mark.parametrize(("text", "segments", "length", "first", "neighbour", "origin"), PATHS)
def test_the_table(
    text: str,
    segments: tuple[tuple[SegmentType, tuple[int, ...]], ...],
    length: int,
    first: int | None,
    neighbour: int | None,
    origin: int | None,
) -> None:
    path = AsPath(tuple(Segment(*segment) for segment in segments))
    assert AsPath.parse(text) == path
    assert str(path) == text
    assert (path.length, path.first_as, path.neighbour_as, path.origin_as) == (length, first, neighbour, origin)
    assert list(path) == [asn for _, asns in segments for asn in asns]


@pytest.mark.parametrize("text", ["65001 x", "x", "{1,2", "1,2", "(1} 2", "-1", "1.2", "²"])
def test_what_is_no_path_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not an AS_PATH: cannot read"):
        AsPath.parse(text)


def test_an_as_number_has_32_bits() -> None:
    with pytest.raises(ValueError, match="4294967296 is not an AS number"):
        AsPath.parse("1 4294967296")


def test_empty_segments_say_nothing() -> None:
    assert AsPath.parse("{} () 1") == AsPath.of(1)
    hollow = AsPath((Segment(SEQUENCE, ()),))
    assert (hollow.first_as, hollow.neighbour_as, hollow.origin_as) == (None, None, None)


def test_questions() -> None:
    path = AsPath.parse("1 2 {2,3}")
    assert 3 in path
    assert 4 not in path
    assert path.count(2) == 2


def test_prepending_joins_a_leading_sequence() -> None:
    assert AsPath.of(2).prepend(1, 2) == AsPath.of(1, 1, 2)
    assert str(AsPath.parse("{2}").prepend(1)) == "1 {2}"
    assert EMPTY.prepend_all((1, 2)) == AsPath.of(1, 2)
    assert EMPTY.prepend(1, 0) == EMPTY


def test_a_full_segment_gets_another_before_it() -> None:
    # RFC 4271 5.1.2: no more than 255 AS numbers a segment.
    path = AsPath.of(*range(1, 301))
    assert [len(segment.asns) for segment in path.segments] == [300 - MAX_SEGMENT, MAX_SEGMENT]
    assert list(path) == list(range(1, 301))
    assert [len(s.asns) for s in AsPath.parse(" ".join(["7"] * 300)).segments] == [255, 45]
    assert path.length == 300


#: RFC 6793 4.2.3: AS_PATH, AS4_PATH, what it was.
MERGES = [
    ("23456 2 23456", "70000 2 80000", "70000 2 80000"),
    ("1 23456 2 23456", "70000 2 80000", "1 70000 2 80000"),
    ("1 2", "70000 2 3", "1 2"),  # AS4_PATH longer: ignored
    ("1 23456 {3,4}", "70000 {3,4}", "1 70000 {3,4}"),
    ("1 {5,6} 23456", "70000", "1 {5,6} 70000"),
    ("(64512) 1 23456", "70000", "(64512) 1 70000"),
    ("1 (64512) 23456", "70000", "1 (64512) 70000"),
    ("1 2 (64512) 23456", "2 70000", "1 2 70000"),
    ("1 23456", "(64512) 70000", "1 70000"),  # RFC 6793 6: confederation segments in AS4_PATH are discarded
    ("1 2", "", "1 2"),
]


@pytest.mark.parametrize(("path", "as4_path", "expected"), MERGES)
def test_merging_as4_path(path: str, as4_path: str, expected: str) -> None:
    assert str(AsPath.parse(path).merge_as4(AsPath.parse(as4_path))) == expected


def test_merged_sequences_too_long_for_one_segment_stay_two() -> None:
    old = AsPath.of(*range(1, 256)).prepend(7)
    merged = old.merge_as4(AsPath.of(*range(70000, 70255)))
    assert [len(segment.asns) for segment in merged.segments] == [1, 255]


@given(as_paths())
def test_text_comes_back(path: AsPath) -> None:
    assert str(AsPath.parse(str(path))) == str(path)
    assert AsPath.parse(str(path)).length == path.length


@given(as_paths(kinds=(1, 2)), st.integers(0, 6))
def test_a_path_through_two_octet_speakers_is_what_it_was(path: AsPath, later: int) -> None:
    """RFC 6793 4.2.2, 4.2.3: what a two-octet speaker prepends after AS4_PATH was made is kept, the rest restored."""
    narrow = AsPath(
        tuple(Segment(kind, tuple(a if a < 65536 else 23456 for a in asns)) for kind, asns in path.segments)
    )
    merged = narrow.prepend(65010, later).merge_as4(path)
    assert list(merged) == [65010] * later + list(path)
    assert merged.length == path.length + later


@given(as_paths(), st.lists(st.integers(1, MAX_ASN), max_size=5))
def test_prepending_lengthens_by_as_many(path: AsPath, asns: list[int]) -> None:
    longer = path.prepend_all(asns)
    assert longer.length == path.length + len(asns)
    assert list(longer) == [*asns, *path]
