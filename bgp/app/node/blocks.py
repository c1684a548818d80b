"""Which prefixes a node announces: its blocks, and the addresses in use that it borrowed from other nodes' blocks.

Everything is read from files that others write: an IPAM's list of blocks, the state of the CNI plugin `host-local`, and
what our own CNI plugin leaves. What cannot be read is said, and costs nothing but itself. A list of blocks that is broken
takes none of them back: a slip of the IPAM must not cost the pods their network.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from pathlib import Path
from typing import NamedTuple

from bgp.app.node.options import NodeOptions
from rib.prefix import Prefix

Address = IPv4Address | IPv6Address


class Wanted(NamedTuple):
    """What to announce, and what could not be read."""

    blocks: frozenset[Prefix]
    borrowed: frozenset[Prefix]
    problems: tuple[str, ...]

    @property
    def prefixes(self) -> frozenset[Prefix]:
        """All of it."""
        return self.blocks | self.borrowed


def wanted(options: NodeOptions, before: Collection[Prefix] = ()) -> Wanted:
    """What the files say now; `before`: the blocks until now, which stay while the list of blocks cannot be read whole."""
    problems: list[str] = []
    blocks = {*options.blocks}
    if options.blocks_file is not None:
        blocks |= {*_blocks_of(Path(options.blocks_file), problems)}
        if problems:
            blocks |= {*before}
    addresses: set[Address] = {*_addresses_of_pods(Path(options.pods), problems)}
    if options.host_local is not None:
        addresses |= {*_addresses_of_host_local(Path(options.host_local), problems)}
    borrowed = {Prefix(str(address)) for address in addresses if not any(address in block for block in blocks)}
    return Wanted(frozenset(blocks), frozenset(borrowed), tuple(problems))


def read_blocks(text: str) -> Iterator[tuple[int, Prefix | str]]:
    """(line, prefix) for each line of a list of blocks, or why it is none. A # begins a comment."""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.partition("#")[0].strip()
        if words:
            try:
                yield number, Prefix(words)
            except ValueError as error:
                yield number, str(error)


def _blocks_of(file: Path, problems: list[str]) -> Iterator[Prefix]:
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        problems.append(f"{file}: {getattr(error, 'strerror', None) or error}")
        return
    for line, found in read_blocks(text):
        if isinstance(found, Prefix):
            yield found
        else:
            problems.append(f"{file}:{line}: {found}")


def _addresses_of_host_local(folder: Path, problems: list[str]) -> Iterator[Address]:
    """`host-local` names a file by each address; others there, such as its lock, are not addresses."""
    for name in _names(folder, problems):
        try:
            yield ip_address(name)
        except ValueError:
            continue


def _addresses_of_pods(folder: Path, problems: list[str]) -> Iterator[Address]:
    for name in _names(folder, [] if not folder.exists() else problems):
        if name.startswith("."):
            continue  # one that is just being written
        try:
            yield from map(ip_address, _list_of_text(json.loads((folder / name).read_text()).get("addresses")))
        except FileNotFoundError:
            continue  # the pod has just gone
        except (OSError, ValueError, AttributeError) as error:
            problems.append(f"{folder / name}: {getattr(error, 'strerror', None) or error}")


def _list_of_text(value: object) -> Iterable[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ValueError("`addresses` is no list of addresses")
    return value


def _names(folder: Path, problems: list[str]) -> list[str]:
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        problems.append(f"{folder}: {error.strerror}")
        return []
