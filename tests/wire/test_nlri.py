"""NLRI of every family: what the RFCs print, what comes back, what is refused."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nlri_strategies import destinations, makes_no_route
from nlri_vectors import VECTORS, Vector

from bgp.error import LocalError
from bgp.message import Destination, MalformedNlri, MpReach, PathPrefix
from bgp.wire.context import Context
from bgp.wire.fields import Malformed
from bgp.wire.nlri import (
    FAMILIES,
    decode_mp_reach,
    decode_mp_unreach,
    decode_nlri,
    encode_mp_reach,
    encode_mp_unreach,
    encode_nlri,
)
from bgp.wire.nlri.keys import destination, key_of, key_text
from bgp.wire.nlri.kind import runs
from rib.family import Family

DEFAULT = Context()

BOUND = sorted(family for family, row in FAMILIES.items() if row.kind.split is not None)
EVERY = sorted(FAMILIES)
either = st.booleans()


def names(vectors: list[Vector]) -> list[str]:
    return [f"{vector.family}-{'withdrawn-' if vector.withdrawn else ''}{vector.octets.hex()}" for vector in vectors]


@pytest.mark.parametrize("vector", VECTORS, ids=names(VECTORS))
def test_octets_and_value_are_one(vector: Vector) -> None:
    family, octets, value, withdrawn = vector.family, vector.octets, vector.value, vector.withdrawn
    assert decode_nlri(family, octets, DEFAULT, withdrawn=withdrawn) == (value,)
    assert encode_nlri(family, (value,), DEFAULT, withdrawn=withdrawn) == vector.canonical


@pytest.mark.parametrize("vector", VECTORS, ids=names(VECTORS))
def test_a_text_reads_back(vector: Vector) -> None:
    text = str(vector.value)
    assert parsed(vector.value, text) == vector.value
    assert repr(vector.value) == f"{type(vector.value).__name__}({text!r})"


@pytest.mark.parametrize("vector", VECTORS, ids=names(VECTORS))
def test_fewer_octets_are_refused(vector: Vector) -> None:
    for size in range(1, len(vector.octets)):
        with pytest.raises(Malformed):
            decode_nlri(vector.family, vector.octets[:size], DEFAULT, withdrawn=vector.withdrawn)


ROUTES = [one for one in VECTORS if not one.withdrawn and not makes_no_route(one.value)]


@pytest.mark.parametrize("vector", ROUTES, ids=names(ROUTES))
def test_a_key_and_its_binding_make_the_value(vector: Vector) -> None:
    key, binding = key_of(vector.family, vector.value)
    assert destination(vector.family, key, binding) == vector.value
    assert key_text(vector.family, key, binding) == str(vector.value)


def test_a_value_of_another_family_is_refused() -> None:
    for vector in VECTORS:
        for family in {Family(1, 1), Family(2, 1), Family(25, 70), Family(9, 9)} - {vector.family}:
            with pytest.raises(LocalError, match="NLRI of"):
                key_of(family, vector.value)


@pytest.mark.parametrize("family", EVERY, ids=str)
@given(data=st.data(), withdrawn=either, with_ids=either)
@settings(max_examples=15)
def test_any_value_comes_back(family: Family, data: st.DataObject, withdrawn: bool, with_ids: bool) -> None:
    context = Context(add_path=frozenset({family} if with_ids else ()))
    element = destinations(family, withdrawn)
    value = data.draw(st.builds(PathPrefix, element, st.integers(0, 9)) if with_ids else element)
    octets = encode_nlri(family, (value,) * 2, context, withdrawn=withdrawn)
    assert decode_nlri(family, octets, context, withdrawn=withdrawn) == (value,) * 2
    bare = value.prefix if isinstance(value, PathPrefix) else value
    assert parsed(bare, str(bare)) == bare


@st.composite
def fields(draw: st.DrawFn, family: Family, withdrawn: bool) -> bytes:
    """An NLRI field: well-formed, with an octet changed, cut off, or anything."""
    if draw(st.integers(0, 9)) == 9:
        return draw(st.binary(max_size=40))
    values = draw(st.lists(destinations(family, withdrawn), max_size=3))
    octets = bytearray(encode_nlri(family, tuple(values), DEFAULT, withdrawn=withdrawn))
    if octets and draw(st.booleans()):
        octets[draw(st.integers(0, min(len(octets) - 1, 40)))] = draw(st.integers(0, 255))
    return bytes(octets[: draw(st.integers(0, len(octets)))] if draw(st.integers(0, 9)) == 9 else octets)


@pytest.mark.parametrize("family", BOUND, ids=str)
@given(data=st.data(), withdrawn=either)
@settings(max_examples=60)
def test_the_scanner_reads_what_the_declaration_reads(family: Family, data: st.DataObject, withdrawn: bool) -> None:
    octets = data.draw(fields(family, withdrawn))
    kind = FAMILIES[family].kind
    assert kind.split is not None
    read = runs(kind.split, octets, 0, len(octets), withdrawn, False)
    try:
        values = decode_nlri(family, octets, DEFAULT, withdrawn=withdrawn)
    except Malformed:
        assert read is None
        return
    assert read is not None
    found, malformed = read
    assert malformed is any(isinstance(value, MalformedNlri) for value in values)
    values = tuple(value for value in values if not makes_no_route(value))
    scanned = [(key, binding) for binding, keys, _ in found for key in keys]
    if withdrawn:
        assert [binding for _, binding in scanned] == [b""] * len(scanned)
        again = encode_nlri(family, values, DEFAULT, withdrawn=True)
        assert runs(kind.split, again, 0, len(again), True, False) == (found, False), (
            "canonical octets have the same keys"
        )
        assert all(same_route(destination(family, key), value) for (key, _), value in zip(scanned, values, strict=True))
    else:
        assert [destination(family, key, binding) for key, binding in scanned] == list(values)
        assert [key_of(family, value) for value in values] == scanned


@pytest.mark.parametrize("family", EVERY, ids=str)
@given(octets=st.binary(max_size=60), with_ids=either)
@settings(max_examples=25)
def test_any_octets_are_read_or_refused(family: Family, octets: bytes, with_ids: bool) -> None:
    context = Context(add_path=frozenset({family} if with_ids else ()))
    head = family.afi.to_bytes(2, "big") + bytes((family.safi,))
    try:
        reach = decode_mp_reach(head + octets, context)
        assert decode_mp_reach(encode_mp_reach(reach, context), context) == reach
    except Malformed:
        pass
    try:
        unreach = decode_mp_unreach(head + octets, context)
        assert decode_mp_unreach(encode_mp_unreach(unreach, context), context) == unreach
    except Malformed:
        pass


@pytest.mark.parametrize("family", EVERY, ids=str)
def test_next_hops_come_back(family: Family) -> None:
    head = family.afi.to_bytes(2, "big") + bytes((family.safi,))
    sizes = FAMILIES[family].next_hops
    for size in sizes:
        if 0 in sizes and size in (12, 24, 48):
            continue  # what is not looked at goes out without its route distinguishers
        addresses = {0: [], 4: [4], 16: [16], 32: [16, 16], 12: [12], 24: [24], 48: [24, 24]}[size]
        hop = b"".join(
            bytes(8) + bytes(range(1, one - 7)) if one in (12, 24) else bytes(range(1, one + 1)) for one in addresses
        )
        octets = head + bytes((size,)) + hop + b"\0"
        reach = decode_mp_reach(octets, DEFAULT)
        assert len(reach.next_hops) == len(addresses)
        assert encode_mp_reach(reach, DEFAULT) == octets
    with pytest.raises(Malformed, match="next hop of 5"):
        decode_mp_reach(head + b"\5\1\2\3\4\5\0", DEFAULT)
    with pytest.raises(Malformed, match="no next hop"):
        encode_mp_reach(MpReach(family, tuple(reach.next_hops) * 3 or (None,)), DEFAULT)  # type: ignore[arg-type]


def parsed(value: Destination, text: str) -> Destination:
    """The value that a text of the same type means."""
    parse = getattr(type(value), "parse", type(value))
    found: Destination = parse(text)
    return found


def same_route(one: Destination | None, other: Destination) -> bool:
    """Whether two values are one route: alike but for what is bound to the key."""
    unbound = {"labels", "label", "label2", "esi", "gateway", "size", "base", "teid", "qfi", "endpoint", "source"}
    if type(one) is not type(other):
        return False
    fields = getattr(type(one), "__dataclass_fields__", None)
    if fields is None:
        return one == other
    return all(getattr(one, name) == getattr(other, name) for name in fields if name not in unbound)
