"""One text form for everything that a path attribute can hold, and the way back.

    PmsiTunnel(flags=0, type=6, label=1600, identifier=octets('0a000001'))
    ServicePath(tlvs=(Hop(index=255, tlvs=(Functions(function=41, instances=(RouteDistinguisher('65000:1'),)),)),))
    (Community('65001:100'), Community('no-export'))

What has a text of its own stands in quotes behind the name of its kind, octets are hexadecimal digits. `parse` evaluates
nothing: it knows the names of values and no others.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import fields, is_dataclass
from enum import IntEnum
from functools import partial
from ipaddress import IPv4Address, IPv6Address
from typing import Any, Final, get_args

from bgp import attribute
from bgp.message import AttributeSet, AttributeValue, Destination, MpReach, MpUnreach, PathAttribute, PathPrefix
from rib.as_path import AsPath, Segment
from rib.attributes import Aggregator, Origin
from rib.family import Family
from rib.prefix import Prefix
from rib.route_distinguisher import RouteDistinguisher

#: How deep values can be within values: an attribute set with tunnels of segment lists needs ten.
DEPTH: Final = 40
#: Octets of the longest text: an attribute has 65,535 octets, and no TLV of two octets takes fifty characters more.
LONGEST: Final = 1 << 22


def _members(alias: object) -> Iterator[type[Any]]:
    """The classes of a union, those of unions and tuples within it too."""
    inner = get_args(alias)
    if isinstance(alias, type) and not inner:
        yield alias
    for one in inner:
        yield from _members(one)


#: Values whose fields say it all.
_RECORDS: Final[tuple[type[Any], ...]] = (
    *(kind for name in attribute.__all__ if isinstance(kind := getattr(attribute, name), type)),
    PathAttribute,
    AttributeSet,
    MpReach,
    MpUnreach,
    PathPrefix,
    Aggregator,
    Segment,
)
_PLAIN: Final = (int, bool, bytes, str, float)
#: Values that have a text of their own.
_TEXTS: Final[tuple[type[Any], ...]] = tuple(
    kind
    for kind in dict.fromkeys(
        (
            *_members(AttributeValue),
            *_members(Destination),
            IPv4Address,
            IPv6Address,
            Family,
            RouteDistinguisher,
            Prefix,
        )
    )
    if kind not in (*_RECORDS, *_PLAIN, Origin)
)


def _of_text(kind: type[Any], text: str = "", **named: Any) -> Any:
    return kind(**named) if named else getattr(kind, "parse", kind)(text)


_BY_NAME: Final[dict[str, Callable[..., Any]]] = {
    "octets": bytes.fromhex,
    **{kind.__name__: kind for kind in _RECORDS},
    **{kind.__name__: partial(_of_text, kind) for kind in _TEXTS},
}
_NUMBERS: Final = {"inf": float("inf")}


def show(value: object) -> str:
    """The text of a value."""
    kind = type(value)
    if kind in _TEXTS and not (isinstance(value, AsPath) and not value.is_spelt):
        return f"{kind.__name__}({str(value)!r})"
    if kind in _RECORDS or kind is AsPath:
        names = [field.name for field in fields(kind)] if is_dataclass(kind) else kind._fields
        return f"{kind.__name__}({', '.join(f'{name}={show(getattr(value, name))}' for name in names)})"
    if isinstance(value, bytes):
        return f"octets({value.hex()!r})"
    if isinstance(value, tuple):
        return f"({', '.join(map(show, value))}{',' if len(value) == 1 else ''})"
    if isinstance(value, Origin):
        return f"Origin.{value.name}"
    return repr(int(value) if isinstance(value, IntEnum) else value)


def parse(text: str) -> Any:
    """The value of a text. Raises ValueError."""
    if len(text) > LONGEST:
        raise ValueError(f"a text of {len(text)} characters")
    try:
        return _value(ast.parse(text, mode="eval").body, 0)
    except (SyntaxError, TypeError, RecursionError, MemoryError) as error:
        raise ValueError(f"{text[:40]!r} is the text of no value: {error}") from error


def _value(node: ast.expr, depth: int) -> Any:
    if depth > DEPTH:
        raise ValueError("values within values without end")
    match node:
        case ast.Constant(value=bool() | int() | float() | str() | None as found):
            return found
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -_value(inner, depth + 1)
        case ast.Name(id=name) if name in _NUMBERS:
            return _NUMBERS[name]
        case ast.Attribute(value=ast.Name(id="Origin"), attr=name) if name in Origin.__members__:
            return Origin[name]
        case ast.Tuple(elts=elements):
            return tuple(_value(one, depth + 1) for one in elements)
        case ast.Call(func=ast.Name(id=name), args=arguments, keywords=named) if name in _BY_NAME:
            return _BY_NAME[name](
                *(_value(one, depth + 1) for one in arguments),
                **{one.arg: _value(one.value, depth + 1) for one in named if one.arg is not None},
            )
    raise ValueError(f"{ast.unparse(node)[:40]!r} is no value")
