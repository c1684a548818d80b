"""Confederations (RFC 5065): one AS to the outside, member ASes within."""

from __future__ import annotations

from ipaddress import IPv4Address
from itertools import pairwise

import pytest
from speakers import Laboratory, best, home, laboratory, settle
from trio.testing import MockClock

from bgp import LocalError, SpeakerOptions, accept, reject
from bgp.net import Speaker
from rib.as_path import AsPath
from rib.family import IPV4_UNICAST
from rib.route import SourceKind

CONFEDERATION = 65100
BOTH_WAYS = {"import_policy": accept, "export_policy": accept}


async def member(lab: Laboratory, asn: int, address: str, *others: int) -> Speaker:
    """A speaker of a member AS that knows the other members."""
    return await lab.speaker(asn, address, confederation=CONFEDERATION, confederation_members=others)


async def outside(lab: Laboratory, inner: Speaker, outer: Speaker) -> None:
    """A session over the confederation's border, where each side says the AS that it sees."""
    there = await inner.add_peer(home(outer), asn=outer.options.asn, **BOTH_WAYS)
    await outer.add_peer(home(inner), asn=CONFEDERATION, **BOTH_WAYS)
    await there.wait_established()
    await settle()


async def test_what_crosses_a_confederation_has_one_as_outside(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        left = await lab.speaker(65001, "10.0.0.1")
        west = await member(lab, 64512, "10.0.0.2", 64513)
        east = await member(lab, 64513, "10.0.0.3", 64512)
        right = await lab.speaker(65002, "10.0.0.4")
        await outside(lab, west, left)
        # Within the confederation no policy is asked for: RFC 8212 is about other administrations.
        _, here = await lab.connect(west, east, import_policy=None, export_policy=None)
        await outside(lab, east, right)
        left.announce("10.1.0.0/16")
        await settle()
        inside = best(east, "10.1.0.0/16")
        assert inside is not None
        assert here.kind is inside.source.kind is SourceKind.CONFEDERATION
        assert inside.attributes.as_path == AsPath.parse("(64512) 65001")
        assert inside.attributes.local_pref == 100
        assert inside.attributes.next_hop == IPv4Address("10.0.0.1"), "the next hop crosses members (RFC 5065 5.2)"
        beyond = best(right, "10.1.0.0/16")
        assert beyond is not None
        assert beyond.attributes.as_path == AsPath.parse("65100 65001")
        assert beyond.attributes.local_pref is None


async def test_a_path_that_passed_our_member_as_is_a_loop(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        ring = [
            await member(lab, 64512 + n, f"10.0.0.{n + 1}", *(64512 + m for m in range(3) if m != n)) for n in range(3)
        ]
        for near, far in pairwise(ring):
            await lab.connect(near, far)
        first, _, last = ring
        _, there = await lab.connect(last, first, {"import_policy": reject})
        first.announce("10.1.0.0/16")
        await settle()
        assert best(first, "10.1.0.0/16").source.is_local  # type: ignore[union-attr]  # it is there
        path = best(last, "10.1.0.0/16")
        assert path is not None
        assert path.attributes.as_path == AsPath.parse("(64513 64512)")
        assert there.adj_in is not None
        back = there.adj_in.tables[IPV4_UNICAST].values()
        assert [str(path.ineligible) for path in back] == ["own AS 64512 in AS_PATH"]


async def test_no_export_stays_in_the_confederation(autojump_clock: MockClock) -> None:
    async with laboratory() as lab:
        west = await member(lab, 64512, "10.0.0.2", 64513)
        east = await member(lab, 64513, "10.0.0.3", 64512)
        right = await lab.speaker(65002, "10.0.0.4")
        await lab.connect(west, east)
        await outside(lab, east, right)
        west.announce("10.1.0.0/16", communities=["no-export"])
        west.announce("10.2.0.0/16", communities=["no-export-subconfed"])
        west.announce("10.3.0.0/16")
        await settle()
        assert [best(east, f"10.{n}.0.0/16") is not None for n in (1, 2, 3)] == [True, False, True]
        assert [best(right, f"10.{n}.0.0/16") is not None for n in (1, 2, 3)] == [False, False, True]


def test_members_without_a_confederation_are_an_error() -> None:
    with pytest.raises(LocalError, match="confederation_members without confederation"):
        SpeakerOptions(asn=64512, router_id="10.0.0.1", confederation_members=(64513,))
