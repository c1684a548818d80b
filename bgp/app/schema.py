"""From the frozen options of the library to the keys of a configuration file, by their types.

`table` makes a pydantic model of a dataclass: each field is a key, and the type of the field says how the key is spelt in
TOML (`_TEXTS`), so that a field added to the options is a key of the file without another word here. `CHECKS` holds, by
name of the key, what the type does not say.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from difflib import get_close_matches
from enum import Enum
from functools import cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from types import NoneType, UnionType
from typing import Annotated, Final, TypeVar, Union, get_args, get_origin, get_type_hints

from pydantic import AfterValidator, BaseModel, ConfigDict, PlainValidator, ValidationInfo, create_model
from pydantic import Field as Key
from pydantic_core import ErrorDetails

from bgp.net.sockets import MD5_KEY_MAX
from bgp.net.speaker import parse_endpoint
from bgp.options import LIMITS, AddPathMode, NextHopSelf
from fsm.settings import check_hold_time
from rib.as_path import AsPath
from rib.community import Community, ExtendedCommunity, LargeCommunity
from rib.family import Family
from rib.policy import Policy, PrefixRange
from rib.prefix import Prefix

#: Keys whose names in the file are not those of the fields.
ALIASES: Final = {"import_policy": "import", "export_policy": "export", "rules": "rule"}
_CONFIG: Final = ConfigDict(extra="forbid", strict=True, arbitrary_types_allowed=True)


def _address(text: str) -> IPv4Address | IPv6Address:
    try:
        return ip_address(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an IP address") from None


def _ipv4(text: str) -> IPv4Address:
    try:
        return IPv4Address(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an IPv4 address") from None


def _ipv6(text: str) -> IPv6Address:
    try:
        return IPv6Address(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an IPv6 address") from None


#: Types that are spelt as text, with what an error calls them and what reads them.
_TEXTS: Final[Mapping[object, tuple[str, Callable[[str], object]]]] = {
    Prefix: ("a prefix", Prefix),
    PrefixRange: ("a prefix range", PrefixRange.parse),
    Family: ("an address family", Family.parse),
    AsPath: ("an AS_PATH", AsPath.parse),
    Community: ("a community", Community.parse),
    LargeCommunity: ("a large community", LargeCommunity.parse),
    ExtendedCommunity: ("an extended community", ExtendedCommunity.parse),
    IPv4Address: ("an IPv4 address", _ipv4),
    frozenset({IPv4Address, IPv6Address}): ("an IP address", _address),
}
#: Enumerations of which some members may be written as true and false.
_SWITCHES: Final[Mapping[type[Enum], Mapping[bool, Enum]]] = {
    NextHopSelf: {True: NextHopSelf.ALWAYS, False: NextHopSelf.NEVER},
    AddPathMode: {True: AddPathMode.BOTH, False: AddPathMode.OFF},
}


def _number(what: str, low: int, high: int) -> Callable[[int], int]:
    def check(value: int) -> int:
        if not low <= value <= high:
            raise ValueError(f"{what} is {low} to {high}, not {value}")
        return value

    return check


def _limited(name: str, what: str = "") -> Callable[[int], int]:
    """The limits that the option of that name has in a program too."""
    return _number(what or name, *LIMITS[name])


def _whole_address(text: str) -> str:
    _address(text.partition("%")[0])
    return text


def _endpoint(text: str) -> str:
    try:
        parse_endpoint(text)
    except ValueError as error:
        raise ValueError(f"{text!r} is not ADDRESS:PORT or [IPV6]:PORT: {error}") from None
    return text


def _router_id(text: str) -> str:
    if not int(_ipv4(text)):
        raise ValueError("a BGP identifier must not be 0.0.0.0 (RFC 6286)")
    return text


def _same(read: Callable[[str], object]) -> Callable[[str], str]:
    """A check that a text can be read; it stays a text."""

    def check(text: str) -> str:
        read(text)
        return text

    return check


def _password(text: str) -> str:
    if not 1 <= len(text.encode()) <= MD5_KEY_MAX:
        raise ValueError(f"a TCP-MD5 password has 1 to {MD5_KEY_MAX} octets, not {len(text.encode())}")
    return text


def _positive(value: float) -> float:
    if not 0 < value < float("inf"):
        raise ValueError(f"a time is more than 0 seconds, not {value}")
    return value


def _wait(value: float) -> float:
    if not 0 <= value < float("inf"):
        raise ValueError(f"a wait is 0 seconds or more, not {value}")
    return value


_ASN: Final = _limited("asn", "an AS number")
_U32: Final = (1 << 32) - 1
#: What a key must be beyond its type, by its name in the options; for an array, each of its elements.
CHECKS: Final[Mapping[str, Callable[..., object]]] = {
    "add_path_limit": _limited("add_path_limit"),
    "address": _whole_address,
    "allowas_in": _limited("allowas_in"),
    "as_in_path": _ASN,
    "asn": _ASN,
    "cluster_id": _same(_ipv4),
    "confederation": _ASN,
    "confederation_members": _ASN,
    "connect_retry_time": _positive,
    "idle_hold_time": _positive,
    "default_local_pref": _limited("default_local_pref", "a local preference"),
    "hold_time": check_hold_time,
    "listen": _endpoint,
    "local_address": _whole_address,
    "local_asn": _ASN,
    "local_pref": _number("a local preference", 0, _U32),
    "max_paths": _number("max_paths", 1, 256),
    "max_prefixes": _limited("max_prefixes"),
    "med": _number("a MED", 0, _U32),
    "metric": _number("a metric", 1, _U32),
    "multihop": _limited("multihop"),
    "neighbour_as": _ASN,
    "networks": _same(Prefix),
    "next_hop_ipv4": _same(_ipv4),
    "next_hop_ipv6": _same(_ipv6),
    "origin_as": _ASN,
    "password": _password,
    "port": _limited("port", "a port"),
    "prepend": _ASN,
    "restart_time": _limited("restart_time", "a restart time"),
    "protocol": _number("a protocol number of our own", 5, 255),
    "reconcile_interval": _positive,
    "router_id": _router_id,
    "selection_deferral_time": _positive,
    "absent_peer_time": _positive,
    "shared_networks": _same(Prefix),
    "source_ipv4": _same(_ipv4),
    "source_ipv6": _same(_ipv6),
    "stale_time": _positive,
    "table": _number("a routing table", 1, _U32),
    "wait": _wait,
}


def _as_text(what: str, read: Callable[[str], object]) -> PlainValidator:
    def validate(value: object) -> object:
        if not isinstance(value, str):
            raise ValueError(f"expected {what} as text, got {describe(value)}")
        return read(value)

    return PlainValidator(validate)


def _as_member(kind: type[Enum]) -> PlainValidator:
    switched = _SWITCHES.get(kind, {})
    by_name = {spelling(member): member for member in kind}
    words = [*switches(kind), *(f'"{name}"' for name in by_name)]

    def validate(value: object) -> object:
        if isinstance(value, bool) and value in switched:
            return switched[value]
        if isinstance(value, str) and value in by_name:
            return by_name[value]
        raise ValueError(f"expected {' or '.join(words)}, got {describe(value)}")

    return PlainValidator(validate)


def switches(kind: type[Enum]) -> tuple[str, ...]:
    """The booleans that stand for members of `kind`, as TOML writes them."""
    return tuple(str(one).lower() for one in _SWITCHES.get(kind, {}))


def spelling(member: Enum) -> str:
    """A member as it is written in a file."""
    return member.value if isinstance(member.value, str) else member.name.lower()


def _policy(value: object, info: ValidationInfo) -> object:
    policies: Mapping[str, Policy] = info.context or {}
    if not isinstance(value, str):
        raise ValueError(f"expected the name of a policy, got {describe(value)}")
    if value not in policies:
        raise ValueError(f"there is no policy {value!r}; there are {', '.join(policies)}")
    return policies[value]


def describe(value: object) -> str:
    """A value of TOML and its type, for an error."""
    match value:
        case bool():
            return str(value).lower()
        case str():
            return f'the text "{value}"'
        case int() | float():
            return f"the number {value}"
        case tuple() | list():
            return "an array"
        case dict():
            return "a table"
        case _:
            return str(value)


def _annotation(hint: object, check: Callable[..., object] | None) -> object:
    """What pydantic is told of a field of type `hint`."""
    arguments = get_args(hint)
    if get_origin(hint) is tuple:
        return tuple[_annotation(arguments[0], check), ...]  # type: ignore[misc]  # made at run time
    if get_origin(hint) in (Union, UnionType):
        left = frozenset(one for one in arguments if one is not NoneType)
        inner = _annotation(left if len(left) > 1 else next(iter(left)), check)
        return inner | None if NoneType in arguments else inner  # type: ignore[operator]  # types at run time
    if hint is Policy:
        return Annotated[Policy, PlainValidator(_policy)]
    if hint in _TEXTS:
        return Annotated[object, _as_text(*_TEXTS[hint])]
    if isinstance(hint, type) and issubclass(hint, Enum):
        return Annotated[hint, _as_member(hint)]
    if isinstance(hint, type) and is_dataclass(hint):
        return Annotated[table(hint), AfterValidator(lambda model: build(hint, model))]
    return hint if check is None else Annotated[hint, AfterValidator(check)]


def _default(field: Field[object]) -> object:
    if field.default is not MISSING:
        return field.default
    return ... if field.default_factory is MISSING else field.default_factory()


@cache
def table(*options: type) -> type[BaseModel]:
    """The model of a TOML table whose keys are the fields of these dataclasses."""
    keys = {}
    for one in options:
        hints = get_type_hints(one)
        for field in fields(one):
            if field.init:
                annotation = _annotation(hints[field.name], CHECKS.get(field.name))
                keys[field.name] = (annotation, Key(_default(field), alias=ALIASES.get(field.name)))
    return create_model(options[0].__name__, __config__=_CONFIG, **keys)  # type: ignore[call-overload,no-any-return]


_Made = TypeVar("_Made")


def build(kind: type[_Made], model: BaseModel) -> _Made:
    """The dataclass with what `model` holds. Raises ValueError where the dataclass does."""
    return kind(**{field.name: getattr(model, field.name) for field in fields(kind) if field.init})  # type: ignore[arg-type]  # callers give dataclasses


def keys_of(*options: type) -> tuple[str, ...]:
    """The keys of the table, as written in a file."""
    return tuple(field.alias or name for name, field in table(*options).model_fields.items())


def frozen(value: object) -> object:
    """Arrays as tuples, which is what options hold."""
    if isinstance(value, list):
        return tuple(map(frozen, value))
    if isinstance(value, dict):
        return {key: frozen(inner) for key, inner in value.items()}
    return value


def unknown(key: str, known: tuple[str, ...]) -> str:
    """What to say of a key that there is not."""
    close = get_close_matches(ALIASES.get(key, key), known, n=1, cutoff=0.7)
    return f"unknown key; did you mean `{close[0]}`?" if close else f"unknown key; known are {', '.join(sorted(known))}"


#: What pydantic calls a wrong type, in the words of TOML.
_WANTED: Final = {
    "bool_type": "true or false",
    "float_type": "a number",
    "int_type": "a whole number",
    "model_type": "a table",
    "string_type": "text",
    "tuple_type": "an array",
}


def words(detail: ErrorDetails, kinds: tuple[type, ...]) -> str:
    """What was expected and what came, of an error in a table with the keys of `kinds`."""
    kind, value = detail["type"], detail["input"]
    if kind == "missing":
        return "missing"
    if kind == "extra_forbidden":
        *inside, key = detail["loc"]
        for part in inside:
            kinds = _tables_of(kinds, part) if isinstance(part, str) else kinds
        return unknown(str(key), keys_of(*kinds))
    if kind in _WANTED:
        return f"expected {_WANTED[kind]}, got {describe(value)}"
    reason = detail.get("ctx", {}).get("error")
    return str(reason) if reason is not None else f"{detail['msg']}, got {describe(value)}"


def _tables_of(kinds: tuple[type, ...], key: str) -> tuple[type, ...]:
    """The options that are the table, or each table of the array, under `key`."""
    name = next((field for field, alias in ALIASES.items() if alias == key), key)
    return tuple(inner for kind in kinds for inner in _dataclasses(get_type_hints(kind).get(name)))


def _dataclasses(hint: object) -> Iterator[type]:
    if isinstance(hint, type) and is_dataclass(hint):
        yield hint
    for argument in get_args(hint):
        yield from _dataclasses(argument)
