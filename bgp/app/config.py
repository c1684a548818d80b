"""Configuration files: TOML to the options of a speaker and its peers, or all that is wrong with them, with lines."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import Final, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from bgp.app.failure import Failure
from bgp.app.node.options import NodeOptions
from bgp.app.own import OwnRoute, own_routes
from bgp.app.positions import Place, locate
from bgp.app.schema import build, describe, frozen, table, unknown, words
from bgp.app.web.options import WebOptions
from bgp.net.kernel import KernelOptions
from bgp.options import PeerOptions, SpeakerOptions
from rib.as_path import EMPTY, AsPath
from rib.attributes import Attributes, Origin
from rib.community import Community, ExtendedCommunity, LargeCommunity
from rib.family import Family
from rib.policy import Action, Policy, accept, reject
from rib.prefix import Prefix


class Problem(NamedTuple):
    """One thing that is wrong with a file; line 0 is the file itself."""

    line: int
    key: str
    message: str


class ConfigError(Failure):
    """A configuration that cannot be: all problems, in the order of their lines."""

    def __init__(self, file: str, problems: list[Problem]) -> None:
        self.file = file
        self.problems = tuple(sorted(problems))
        super().__init__(str(self))

    @property
    def shown(self) -> str:
        """Every problem names the file itself."""
        return str(self)

    def __str__(self) -> str:
        return "\n".join(
            f"{self.file}{f':{line}' if line else ''}: {f'{key}: ' if key else ''}{message}"
            for line, key, message in self.problems
        )


@dataclass(frozen=True, slots=True)
class Program:
    """What `[speaker]` holds beside the speaker's options."""

    control: str | None = None  #: path of the control socket


@dataclass(frozen=True, slots=True)
class Announcement:
    """An `[[announce]]` table: routes that the speaker originates, and with which attributes."""

    prefix: Prefix | None = None  #: what to announce: one prefix
    prefixes: tuple[Prefix, ...] = ()  #: or several
    family: Family | None = None  #: of `routes`
    routes: tuple[str, ...] = ()  #: destinations of another family, each as `bgp show routes` prints it
    next_hop: IPv4Address | IPv6Address | None = None  #: without it: our address on the session
    med: int | None = None  #: MULTI_EXIT_DISC
    local_pref: int | None = None  #: LOCAL_PREF
    origin: Origin = Origin.IGP  #: ORIGIN
    as_path: AsPath = EMPTY  #: before which our AS number is put
    communities: tuple[Community, ...] = ()  #: those that the routes carry
    large_communities: tuple[LargeCommunity, ...] = ()  #: likewise
    ext_communities: tuple[ExtendedCommunity, ...] = ()  #: likewise

    def own_routes(self) -> tuple[OwnRoute, ...]:
        """All that is announced. Raises ValueError for what cannot be, and for nothing."""
        prefixes = self.prefixes if self.prefix is None else (self.prefix, *self.prefixes)
        return own_routes(prefixes, self.family, self.routes)

    @property
    def attributes(self) -> Attributes:
        """The path attributes of the routes."""
        return Attributes(
            origin=self.origin,
            as_path=self.as_path,
            next_hop=self.next_hop,
            med=self.med,
            local_pref=self.local_pref,
            communities=self.communities,
            large_communities=self.large_communities,
            ext_communities=self.ext_communities,
        )


@dataclass(frozen=True, slots=True)
class Configuration:
    """A file, read."""

    speaker: SpeakerOptions
    control: str | None
    peers: tuple[PeerOptions, ...]
    policies: Mapping[str, Policy]
    announced: Mapping[OwnRoute, Attributes]
    kernel: KernelOptions | None = None
    node: NodeOptions | None = None  #: for `bgp node` only
    web: WebOptions | None = None


#: The tables of a file: whether there may be several, and the options that they hold.
TABLES: Final[Mapping[str, tuple[bool, tuple[type, ...]]]] = {
    "speaker": (False, (SpeakerOptions, Program)),
    "kernel": (False, (KernelOptions,)),
    "node": (False, (NodeOptions,)),
    "web": (False, (WebOptions,)),
    "announce": (True, (Announcement,)),
    "peer": (True, (PeerOptions,)),
    "policy": (True, (Policy,)),
}


def load(file: str) -> Configuration:
    """The configuration in `file`. Raises ConfigError, also where it cannot be read."""
    try:
        octets = Path(file).read_bytes()
    except OSError as error:
        raise ConfigError(file, [Problem(0, "", f"cannot be read: {error.strerror or error}")]) from None
    return parse(octets, file)


def parse(octets: bytes, file: str) -> Configuration:
    """The configuration in `octets`, which errors call `file`. Raises ConfigError."""
    try:
        text = octets.decode()
    except UnicodeDecodeError as error:
        line = octets.count(b"\n", 0, error.start) + 1
        raise ConfigError(file, [Problem(line, "", f"octet 0x{octets[error.start]:02x} is not UTF-8")]) from None
    try:
        tree = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(file, [_syntax(str(error), text)]) from None
    return _Reader(file, tree, text).read()


def _syntax(message: str, text: str) -> Problem:
    found = re.search(r" \(at (?:line (\d+), column \d+|end of document)\)$", message)
    line = int(found[1]) if found and found[1] else text.rstrip("\n").count("\n") + 1
    words = message[: found.start()] if found else message
    return Problem(line, "", f"not TOML: {words[:1].lower()}{words[1:]}")


_Kind = TypeVar("_Kind")


class _Reader:
    """Reads one file; gathers what is wrong with it."""

    def __init__(self, file: str, tree: dict[str, object], text: str) -> None:
        self._file = file
        self._tree = {key: frozen(value) for key, value in tree.items()}
        self._lines = locate(text.replace("\r\n", "\n"))
        self._problems: list[Problem] = []

    def read(self) -> Configuration:
        for key in self._tree.keys() - TABLES.keys():
            self._complain((key,), unknown(key, tuple(TABLES)))
        policies = self._policies()
        both = self._speaker()
        speaker = self._build(("speaker",), SpeakerOptions, both)
        kernel = self._one("kernel", KernelOptions)
        node = self._one("node", NodeOptions)
        web = self._one("web", WebOptions)
        peers = self._all("peer", PeerOptions, policies)
        announcements = self._all("announce", Announcement, {})
        self._same_peers()
        announced = self._announced(announcements)
        if self._problems or speaker is None or both is None:
            raise ConfigError(self._file, self._problems)
        return Configuration(
            speaker=speaker,
            control=build(Program, both).control,
            peers=tuple(peers.values()),
            policies=policies,
            announced=announced,
            kernel=kernel,
            node=node,
            web=web,
        )

    def _speaker(self) -> BaseModel | None:
        if "speaker" not in self._tree:
            self._complain((), "expected a table [speaker] with `asn` and `router_id`")
            return None
        return self._validate(("speaker",), self._tree["speaker"], (SpeakerOptions, Program), {})

    def _policies(self) -> dict[str, Policy]:
        known = {policy.name: policy for policy in (accept, reject)}
        for index, policy in self._all("policy", Policy, {}).items():
            if policy.default is Action.NEXT:
                self._complain(
                    ("policy", index, "default"), "after the last rule there is no next one: accept or reject"
                )
            if not policy.name:
                self._complain(("policy", index), "missing key `name`")
            elif policy.name in known:
                self._complain(("policy", index, "name"), f"there is a policy {policy.name!r} already")
            else:
                known[policy.name] = policy
        # Those that are wrong count as known: what is wrong with them has been said.
        for _, fields in self._tables("policy"):
            if isinstance(name := fields.get("name"), str):
                known.setdefault(name, reject)
        return known

    def _announced(self, announcements: Mapping[int, Announcement]) -> dict[OwnRoute, Attributes]:
        announced: dict[OwnRoute, Attributes] = {}
        first: dict[OwnRoute, int] = {}
        for index, announcement in announcements.items():
            place = ("announce", index)
            try:
                routes = announcement.own_routes()
            except ValueError as error:
                self._complain(place, str(error))
                continue
            attributes = announcement.attributes
            for route in routes:
                if route in announced:
                    self._complain(place, f"{route} is announced already (line {first[route]})")
                announced[route] = attributes
                first[route] = self._line(place)
        return announced

    def _same_peers(self) -> None:
        """Complain of peers with the address of another."""
        first: dict[str, int] = {}
        for index, fields in self._tables("peer"):
            address = _canonical(fields.get("address"))
            if address is not None and address in first:
                line = self._line(("peer", first[address], "address"))
                self._complain(("peer", index, "address"), f"{address} is a peer already (line {line})")
            elif address is not None:
                first[address] = index

    def _tables(self, key: str) -> Iterator[tuple[int, Mapping[str, object]]]:
        value = self._tree.get(key, ())
        if isinstance(value, tuple):
            for index, fields in enumerate(value):
                if isinstance(fields, dict):
                    yield index, fields

    def _all(self, key: str, kind: type[_Kind], policies: Mapping[str, Policy]) -> dict[int, _Kind]:
        """What the tables of an array hold, by index; those that are wrong are left out."""
        value = self._tree.get(key, ())
        if not isinstance(value, tuple):
            self._complain((key,), f"expected an array of tables, [[{key}]], got {describe(value)}")
            return {}
        found: dict[int, _Kind] = {}
        for index, fields in enumerate(value):
            made = self._build((key, index), kind, self._validate((key, index), fields, (kind,), policies))
            if made is not None:
                found[index] = made
        return found

    def _one(self, key: str, kind: type[_Kind]) -> _Kind | None:
        """What a table holds; None for one that is wrong or not there."""
        if key not in self._tree:
            return None
        return self._build((key,), kind, self._validate((key,), self._tree[key], (kind,), {}))

    def _build(self, place: Place, kind: type[_Kind], model: BaseModel | None) -> _Kind | None:
        try:
            return None if model is None else build(kind, model)
        except ValueError as error:
            self._complain(place, str(error))
            return None

    def _validate(
        self, path: Place, fields: object, kinds: tuple[type, ...], policies: Mapping[str, Policy]
    ) -> BaseModel | None:
        try:
            return table(*kinds).model_validate(fields, context=policies)
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                self._complain((*path, *detail["loc"]), words(detail, kinds))
            return None

    def _complain(self, path: Place, message: str) -> None:
        self._problems.append(Problem(self._line(path), _spelt(path), message))

    def _line(self, path: Place) -> int:
        """Of the key, or of what it would be in."""
        while path not in self._lines:
            path = path[:-1]
        return self._lines[path]


def _canonical(value: object) -> str | None:
    try:
        return str(ip_address(value)) if isinstance(value, str) else None
    except ValueError:
        return None


def _spelt(path: Place) -> str:
    """ "peer[1].families[0]"."""
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in path).removeprefix(".")
