"""Lists of TLVs, a row for each type that we read; what no row reads in full is a `Tlv` with its octets.

A typed value is given only where it becomes the same octets again: reserved fields that are not 0, texts that are not UTF-8
and lengths that no RFC has are kept, not corrected.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

import construct as c

from bgp.attribute import Tlv
from bgp.wire.fields import U8, U16, ListOf, Malformed, build, parse, value_of

#: TLVs in one list. The longest that are known, of link state, have dozens; each costs a declaration's reading, and a
#: message has room for sixteen thousand.
MAX_TLVS: Final = 1024


class Row(NamedTuple):
    """A type of TLV: its number, the class of its value, the declaration of its octets."""

    number: int
    kind: type[Any]
    codec: c.Construct


#: 1 octet type, 1 octet length.
SMALL: Final[c.Construct] = c.Struct("type" / U8, "value" / c.Prefixed(U8, c.GreedyBytes))
#: 1 octet type, 2 octets length.
MEDIUM: Final[c.Construct] = c.Struct("type" / U8, "value" / c.Prefixed(U16, c.GreedyBytes))
#: 2 octets type, 2 octets length.
LARGE: Final[c.Construct] = c.Struct("type" / U16, "value" / c.Prefixed(U16, c.GreedyBytes))


def fields_of(kind: Callable[..., Any], *fields: c.Construct) -> c.Construct:
    """A value whose fields are these, in their order; those without a name are not among its arguments."""
    names = [field.name for field in fields if field.name and field.name != "reserved"]
    return value_of(
        c.Struct(*fields),
        lambda found: kind(*(found[name] for name in names)),
        lambda value: {name: getattr(value, name) for name in names},
    )


def reserved(size: int) -> c.Construct:
    """Octets that are 0; others make the value one that is not read."""
    return "reserved" / c.Const(bytes(size))


def tuple_of(element: c.Construct) -> c.Construct:
    """Elements until the octets end, as a tuple."""
    return value_of(ListOf(element), tuple, list)


def read_tlv(rows: Iterable[Row], number: int, octets: bytes) -> Any:
    """The value of a TLV, a `Tlv` where no row reads all of it."""
    for row in rows:
        if row.number == number:
            try:
                value = parse(row.codec, octets)
                return value if build(row.codec, value) == octets else Tlv(number, octets)
            except Malformed:
                break
    return Tlv(number, octets)


def write_tlv(rows: Iterable[Row], value: Any) -> dict[str, Any]:
    """Type and octets of a value. Raises Malformed for one that belongs elsewhere or does not fit."""
    if isinstance(value, Tlv):
        return {"type": value.type, "value": value.value}
    for row in rows:
        if isinstance(value, row.kind) and value.type == row.number:
            return {"type": row.number, "value": build(row.codec, value)}
    raise Malformed(f"{value!r} does not belong here")


def tlvs(head: c.Construct, rows: tuple[Row, ...] = ()) -> c.Construct:
    """A tuple of TLVs, each laid out as `head` has it."""

    def decoded(found: Any) -> tuple[Any, ...]:
        return tuple(read_tlv(rows, one.type, one.value) for one in found)

    def encoded(values: tuple[Any, ...]) -> list[dict[str, Any]]:
        try:
            return [write_tlv(rows, value) for value in values]
        except Malformed as error:
            raise ValueError(str(error)) from error

    return value_of(ListOf(head, MAX_TLVS), decoded, encoded)
