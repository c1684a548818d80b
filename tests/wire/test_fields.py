from __future__ import annotations

from io import BytesIO
from typing import Any

import construct as c
import pytest

from bgp.wire.fields import IPV4, TEXT, U8, U16, ListOf, Malformed, build, counted, parse, value_of

PAIR = c.Sequence(U8, U8)


@pytest.mark.parametrize("size", range(0, 13, 2))
def test_a_list_ends_with_its_octets_however_deep_it_lies(size: int) -> None:
    octets = bytes(range(size))
    pairs = [[octets[i], octets[i + 1]] for i in range(0, size, 2)]
    whole = b"\xaa\xbb\xcc\xdd" + (size + 1).to_bytes(2, "big") + bytes((size,)) + octets
    declaration = c.FocusedSeq("list", "before" / c.Bytes(4), "list" / counted(U16, counted(U8, ListOf(PAIR))))
    assert [list(pair) for pair in parse(declaration, whole)] == pairs


@pytest.mark.parametrize("declaration", [ListOf(PAIR), counted(U8, ListOf(PAIR)), IPV4, TEXT, c.Const(b"x")])
def test_a_torn_element_is_malformed_and_never_the_end_of_the_list(declaration: c.Construct) -> None:
    with pytest.raises(Malformed):
        parse(declaration, b"\3\2\1")


def test_octets_that_are_left_over_are_malformed() -> None:
    with pytest.raises(Malformed, match="2 octets are left over"):
        parse(U8, b"\1\2\3")


def test_an_element_of_no_octets_is_refused() -> None:
    with pytest.raises(Malformed, match="no octets"):
        parse(ListOf(c.Bytes(0)), b"\1")


def test_what_a_value_refuses_is_malformed_both_ways() -> None:
    def odd(number: Any) -> int:
        if not number % 2:
            raise ValueError(f"{number} is even")
        return int(number)

    declaration = value_of(U8, odd, odd)
    assert parse(declaration, b"\3") == 3
    assert build(declaration, 3) == b"\3"
    with pytest.raises(Malformed, match="2 is even"):
        parse(declaration, b"\2")
    for wrong in (2, "text", None, 301):
        with pytest.raises(Malformed):
            build(declaration, wrong)


def test_a_list_has_no_size_of_its_own() -> None:
    with pytest.raises(c.SizeofError):
        ListOf(U8).sizeof()
    assert ListOf(U8).parse_stream(BytesIO(b"\1\2")) == [1, 2]


@pytest.mark.parametrize(
    ("declaration", "octets", "words"),
    [
        (c.Struct("length" / U8, "octets" / c.Bytes(4)), b"\1\2", "octets: 4 octets expected, 1 there"),
        (c.Struct("inside" / c.Struct("code" / U8)), b"", "code: 1 octets expected, 0 there"),
        (c.Bytes(2), b"", "2 octets expected, 0 there"),
        (c.Struct("bits" / c.ExprValidator(U8, lambda bits, _: bits <= 32)), b"\x21", "bits: 33 is out of range"),
        (counted(U8, U8), b"\2\0\0", "octets are left over"),
    ],
)
def test_what_is_wrong_is_said_without_the_words_of_construct(
    declaration: c.Construct, octets: bytes, words: str
) -> None:
    with pytest.raises(Malformed) as caught:
        parse(declaration, octets)
    assert str(caught.value) == words
