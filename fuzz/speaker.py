"""Invariant: whatever one neighbour sends, the speaker goes on, and every other neighbour holds just what it is told there is.

Behind the speaker is another one of ours, which counts every UPDATE as a fault that has the slightest error: what is passed
on is always well-formed. When the first neighbour is gone, so are all of its routes.

Input: an octet of what is agreed on, an octet of who the two neighbours are, then bodies of UPDATEs, each after two octets
of its length.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final

import trio
from trio.testing import MockClock

from bgp import accept
from bgp.capability import AddPath, Capability, ExtendedMessage, FourOctetAs, Multiprotocol, RouteRefresh
from bgp.iana import MessageType
from bgp.net import MalformedUpdate, Speaker
from bgp.options import AddPathMode, MalformedFamily, NextHopSelf
from bgp.wire.header import with_header
from bgp.wire.nlri import FAMILIES
from fsm.words import State
from fuzz.mutate import Mutator, Seed, real_messages
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Family

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from errors.table import ALL  # of the tests
from speakers import Laboratory, laboratory, settle

VECTORS: Final = Path(__file__).parent.parent / "tests" / "vectors"
OURS, BEHIND, OUTSIDE = 65001, 65002, 65066
#: Of the first neighbour: behind it, next hops may be loopback addresses, as in what was recorded here.
HOME: Final = "127.0.0.66"
#: What nobody knows goes through as octets.
NOBODY_KNOWS: Final = Family(1, 250)
EVERY: Final = (*FAMILIES, NOBODY_KNOWS)
#: What the first neighbour offers, by the first two bits of an input.
OFFERED: Final = ((IPV4_UNICAST, IPV6_UNICAST), EVERY, tuple(f for f in EVERY if f != IPV4_UNICAST), (IPV6_UNICAST,))
#: What neighbours mostly agree on: every family, 4-octet AS numbers, no path identifiers; errors cost a session or a family.
USUAL: Final = (1, 1, 1, 9, 9, 9, 0, 2, 3, 5, 17, 21)
#: How long what was put together at random is at most, in bodies.
MOST: Final = 6


def one(octets: bytes) -> None:
    """Check one input."""
    head, rest = octets[:2].ljust(2, b"\0"), octets[2:]
    trio.run(_run, head[0], head[1], _bodies(rest), clock=MockClock(autojump_threshold=0))


def _bodies(octets: bytes) -> list[bytes]:
    found = []
    while len(octets) > 2:
        end = 2 + int.from_bytes(octets[:2], "big") % 4000
        found.append(octets[2:end])
        octets = octets[end:]
    return found


async def _run(agreed: int, who: int, bodies: list[bytes]) -> None:
    faults: list[MalformedUpdate] = []
    async with laboratory() as lab:
        speaker, behind = await _two(lab, who, faults)
        asn = OURS if who & 1 else OUTSIDE
        families = OFFERED[agreed & 3]
        add_path = bool(agreed & 4)
        peer = await speaker.add_peer(
            HOME,
            asn=asn,
            passive=True,
            families=EVERY,
            import_policy=accept,
            export_policy=accept,
            enforce_first_as=False,
            allowas_in=10,
            route_reflector_client=bool(who & 2),
            add_path=AddPathMode.BOTH,
            malformed_family=MalformedFamily.DISABLE if agreed & 8 else MalformedFamily.RESET,
        )
        offers: list[Capability] = [*map(Multiprotocol, families), RouteRefresh(), ExtendedMessage()]
        offers += [FourOctetAs(asn)] if not agreed & 16 else []
        offers += [AddPath(tuple((family, 3) for family in families if family in FAMILIES))] if add_path else []
        neighbour = await (await lab.neighbour(speaker, HOME, asn=asn, offers=offers)).open()
        assert peer.state is State.ESTABLISHED, peer.why_down
        for body in bodies:
            if not neighbour.closed:
                await neighbour.say(with_header(MessageType.UPDATE, body, 65535))
            _check(speaker, behind, faults)
        await neighbour.cut()
        await settle()
        _check(speaker, behind, faults)
        left = {str(family): table.best for family, table in behind.loc_rib.tables.items() if table.best}
        assert not left, f"routes of a neighbour that is gone: {left}"


async def _two(lab: Laboratory, who: int, faults: list[MalformedUpdate]) -> tuple[Speaker, Speaker]:
    """The speaker, and the one behind it that hears what it passes on."""
    speaker = await lab.speaker(OURS, "10.0.0.1")
    behind = await lab.speaker(OURS if who & 4 else BEHIND, "10.0.0.2")
    behind.observe_malformed(faults.append)
    options = {
        "families": EVERY,
        "extended_messages": bool(who & 8),
        "add_path": AddPathMode.BOTH if who & 16 else AddPathMode.OFF,
    }
    near = {"route_reflector_client": True, "next_hop_self": NextHopSelf.ALWAYS if who & 32 else NextHopSelf.NEVER}
    await lab.connect(speaker, behind, near, **options, allowas_in=10)
    return speaker, behind


def _check(speaker: Speaker, behind: Speaker, faults: list[MalformedUpdate]) -> None:
    """Hold what the two have done so far against the invariant."""
    assert not faults, f"passed on with errors: {faults[0]}"
    (out,), (come,) = (
        (peer for peer in speaker.peers.values() if str(peer.address) == "10.0.0.2"),
        behind.peers.values(),
    )
    assert out.state is come.state is State.ESTABLISHED, (out.why_down, come.why_down)
    assert come.adj_in is not None
    group = speaker.groups.of(out)
    assert group is not None
    for family in EVERY:
        told = {nlri for nlri, _ in group.adj_out.routes(family, out.source)}
        held = {nlri for nlri, _ in come.adj_in.routes(family)}
        assert told == held, f"{family}: told {sorted(told - held)[:3]} too much, {sorted(held - told)[:3]} too little"


def seeds() -> Iterator[bytes]:
    """Inputs to begin with: what five other speakers say of every family, real messages, malformed ones, and mixtures."""
    whole = [Seed(bytes.fromhex(one["hex"]), True, ()) for one in _vectors()] * 10
    whole += [seed for number, seed in enumerate(real_messages()) if number % 20 == 0]
    whole += [Seed(case.octets, True, ()) for case in ALL if case.octets[18:19] == b"\2"]
    random = Random(1)
    mutator = Mutator(whole, random)

    def head() -> bytes:
        return bytes((random.choice(USUAL), random.choice((0, 0, 0, 1)) | random.randrange(64) & ~1))

    for seed in whole:
        yield head() + _input([seed.octets[19:]])
    for _ in range(len(whole)):
        yield head() + _input([mutator.next()[1] for _ in range(random.randint(1, MOST))])


def _input(bodies: list[bytes]) -> bytes:
    return b"".join(len(body).to_bytes(2, "big") + body for body in bodies if len(body) < 4000)


def _vectors() -> Iterator[dict[str, str]]:
    for path in sorted(VECTORS.glob("*/nlri.jsonl")):
        for line in path.read_text().splitlines():
            found = json.loads(line)
            if found["type"] == "UPDATE":
                yield found
