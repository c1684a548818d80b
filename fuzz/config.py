"""Invariant: any octets are a configuration, or raise ConfigError whose every problem names a line of the file."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bgp.app.config import ConfigError, parse

SEED: Final = b"""\
[speaker]
asn = 65000
router_id = "10.0.0.1"
listen = ["10.0.0.1:179", "[fd00::1]:1790"]

[[announce]]
prefix = "10.1.0.0/26"
communities = ["65000:1", "no-export"]

[[policy]]
name = "mine"
[[policy.rule]]
action = "accept"
[policy.rule.match]
prefixes = ["10.0.0.0/8 le 24"]

[[peer]]
address = "10.0.0.2"
asn = 65001
families = ["ipv4-unicast"]
import = "accept"
export = "mine"
hold_time = 30
"""


def one(octets: bytes) -> None:
    """Check one input."""
    try:
        parse(octets, "file.toml")
    except ConfigError as error:
        assert error.problems  # noqa: PT017
        lines = octets.count(b"\n") + octets.count(b"\r") + 1
        for problem in error.problems:
            assert 0 <= problem.line <= lines, problem
            assert problem.message, problem


def seeds() -> Iterator[bytes]:
    """Inputs to begin with."""
    yield SEED
    yield from (SEED.replace(b'"', b"'"), SEED.replace(b"\n", b"\r\n"), b"")
