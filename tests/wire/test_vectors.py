"""What other people's speakers send of the routes that they were told to announce: `tests/vectors/README.md`."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bgp.message import MpReach, Update
from bgp.wire.codec import decode, encode
from bgp.wire.context import Context
from bgp.wire.nlri.keys import key_of, key_text, parse_destination
from bgp.wire.scan import Reach, RouteUpdate, UpdateScanner
from rib.family import Family

VECTORS = Path(__file__).parent.parent / "vectors"
SPEAKERS = sorted(path.parent.name for path in VECTORS.glob("*/nlri.jsonl"))


def messages(who: str) -> list[bytes]:
    lines = (VECTORS / who / "nlri.jsonl").read_text().splitlines()
    return [bytes.fromhex(json.loads(line)["hex"]) for line in lines]


def configured(who: str) -> list[tuple[Family, str]]:
    lines = map(json.loads, (VECTORS / who / "routes.jsonl").read_text().splitlines())
    return sorted((Family.parse(line["family"]), line["route"]) for line in lines)


def test_there_are_vectors_of_five_speakers() -> None:
    assert SPEAKERS == ["bird", "exabgp", "frr", "gobgp", "openbgpd"]


@pytest.mark.parametrize("who", SPEAKERS)
def test_the_routes_are_those_that_were_configured(who: str) -> None:
    found: list[tuple[Family, str]] = []
    for octets in messages(who):
        update = decode(octets)
        assert isinstance(update, Update)
        assert not update.errors
        assert encode(update) == octets
        for attribute in update.attributes:
            if isinstance(reach := attribute.value, MpReach):
                found += [(reach.family, str(one)) for one in reach.nlri]
    assert sorted(found) == configured(who)


@pytest.mark.parametrize("who", SPEAKERS)
def test_a_session_has_the_same_routes(who: str) -> None:
    routes = configured(who)
    scanner = UpdateScanner(Context(families=frozenset(family for family, _ in routes), peering="external"))
    found: list[tuple[Family, str]] = []
    for octets in messages(who):
        read = scanner.scan(octets, 19, len(octets))
        update = RouteUpdate([read]) if isinstance(read, Reach) else read
        assert not update.errors
        for family, attributes, keys, _ in update.announced:
            found += [(family, key_text(family, key, attributes.binding)) for key in keys]
    assert sorted(found) == routes


@pytest.mark.parametrize("who", SPEAKERS)
def test_our_words_read_back(who: str) -> None:
    for family, text in configured(who):
        value = parse_destination(family, text)
        assert str(value) == text
        assert key_text(family, *key_of(family, value)) == text
