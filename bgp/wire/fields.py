"""What the declarations of several messages are put together from, and the one door out of construct.

Nothing outside `bgp.wire` sees a `Container` or a `ConstructError`: `parse` gives what an adapter made, or raises
`Malformed`. Lists end with the octets they are in, never with the first element that cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from io import BytesIO
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final

import construct as c

from rib.family import Family


class Malformed(ValueError):
    """Octets that a declaration does not describe; the text says where and why."""


def parse(declaration: c.Construct, octets: bytes, **context: object) -> Any:
    """What `octets`, all of them, are. Raises Malformed, and nothing else, whatever the octets are."""
    stream = BytesIO(octets)
    try:
        found = declaration.parse_stream(stream, **context)
    except c.ConstructError as error:
        raise Malformed(_in_words(error)) from error
    left = len(octets) - stream.tell()
    if left:
        raise Malformed(f"{left} octets are left over")
    return found


def build(declaration: c.Construct, value: object, **context: object) -> bytes:
    """The octets of `value`. Raises Malformed for a value that does not fit its fields."""
    try:
        octets: bytes = declaration.build(value, **context)
    except c.ConstructError as error:
        raise Malformed(_in_words(error)) from error
    return octets


#: What construct says, for people who do not know it.
_WORDS: Final = (
    (
        re.compile(r"stream read less than specified amount, expected (\d+), found (\d+)"),
        r"\1 octets expected, \2 there",
    ),
    (re.compile(r"object failed validation: (.*)"), r"\1 is out of range"),
    (re.compile(r"expected end of stream"), "octets are left over"),
)


def _in_words(error: c.ConstructError) -> str:
    """Where it is, without the names that only help to put declarations together, and what is wrong there."""
    path, _, message = str(error).rpartition("\n")
    for pattern, words in _WORDS:
        message = pattern.sub(words, message)
    names = [name for name in path.split(" -> ")[1:] if name not in _INNER]
    return f"{' '.join(names)}: {message}" if names else " ".join(message.split())


_INNER: Final = frozenset({"inside", "body", "first", "rest"})


class ListOf(c.Subconstruct):  # type: ignore[misc]  # construct is untyped
    """Elements until the octets end, `most` of them. Unlike GreedyRange it takes no error for the end of the list."""

    def __init__(self, element: c.Construct, most: int | None = None) -> None:
        super().__init__(element)
        self.most = most

    def _parse(self, stream: Any, context: Any, path: str) -> list[Any]:
        found = []
        end = len(stream.getbuffer())
        # Within a Prefixed the stream's own `tell` counts from the start of the stream around it.
        while (at := BytesIO.tell(stream)) < end:
            found.append(self.subcon._parsereport(stream, context, path))
            if BytesIO.tell(stream) == at:
                raise c.RangeError("an element of no octets", path=path)
            if self.most is not None and len(found) > self.most:
                raise c.RangeError(f"more than {self.most} elements", path=path)
        return found

    def _build(self, obj: Any, stream: Any, context: Any, path: str) -> Any:
        if self.most is not None and len(obj) > self.most:
            raise c.RangeError(f"{len(obj)} elements, {self.most} are allowed", path=path)
        for element in obj:
            self.subcon._build(element, stream, context, path)
        return obj

    def _sizeof(self, context: Any, path: str) -> int:
        raise c.SizeofError("a list has no fixed size", path=path)


def value_of(declaration: c.Construct, decode: Callable[[Any], Any], encode: Callable[[Any], Any]) -> c.ExprAdapter:
    """`declaration`, giving and taking one of our values.

    What `decode` refuses with ValueError is malformed, and so is a value of another kind given to `encode`.
    """

    def decoded(found: Any, context: Any) -> Any:
        try:
            return decode(found)
        except ValueError as error:
            raise c.ValidationError(str(error)) from error

    def encoded(value: Any, context: Any) -> Any:
        try:
            return encode(value)
        except (AttributeError, TypeError, ValueError) as error:
            raise c.ValidationError(f"{value!r} does not belong here: {error}") from error

    return c.ExprAdapter(declaration, decoded, encoded)


def counted(size: c.Construct, inside: c.Construct) -> c.Construct:
    """Octets with their length before them, all of which must be what `inside` describes."""
    return c.Prefixed(size, c.FocusedSeq("inside", "inside" / inside, c.Terminated))


U8: Final = c.Int8ub
U16: Final = c.Int16ub
U24: Final = c.Int24ub
U32: Final = c.Int32ub
IPV4: Final = value_of(c.Bytes(4), IPv4Address, lambda address: address.packed)
IPV6: Final = value_of(c.Bytes(16), IPv6Address, lambda address: address.packed)
#: AFI, SAFI: as in MP_REACH_NLRI (RFC 4760 3).
FAMILY: Final = value_of(
    c.Struct("afi" / U16, "safi" / U8),
    lambda found: Family(found.afi, found.safi),
    lambda family: {"afi": family.afi, "safi": family.safi},
)
#: AFI, a reserved octet, SAFI: as in the multiprotocol capability and in ROUTE-REFRESH.
SPACED_FAMILY: Final = value_of(
    c.Struct("afi" / U16, "reserved" / U8, "safi" / U8),
    lambda found: Family(found.afi, found.safi),
    lambda family: {"afi": family.afi, "reserved": 0, "safi": family.safi},
)
#: One octet of length, then text in UTF-8, of which what cannot be read is marked.
TEXT: Final = value_of(
    c.Prefixed(U8, c.GreedyBytes),
    lambda octets: octets.decode("utf-8", "replace"),
    lambda text: text.encode(),
)
