"""Prefixes that are no unicast destinations are ignored, and what was announced with them is not (RFC 4271 6.3)."""

from __future__ import annotations

import pytest
import trio
from errors.octets import AS_PATH, IPV4, MP4, NEXT_HOP, ORIGIN, P4, THEIRS, as4, capability, fields, opening

from bgp.net import MemoryNetwork, Peer, open_speaker
from bgp.options import AddPathMode, PeerOptions
from bgp.testing import ScriptedPeer
from rib.eligibility import Why
from rib.family import IPV4_UNICAST
from rib.policy import accept, reject

MULTICAST = b"\x08\xe0"
BLOCK = ORIGIN + AS_PATH + NEXT_HOP


def look(peer: Peer) -> dict[bytes, Why | None]:
    """The verdict on each route of a peer."""
    assert peer.adj_in is not None
    return {nlri: path.ineligible and path.ineligible.why for nlri, path in peer.adj_in.routes(IPV4_UNICAST)}


@pytest.fixture
def network() -> MemoryNetwork:
    return MemoryNetwork()


@pytest.mark.parametrize("with_ids", [False, True])
async def test_refused_prefixes_show_why_whatever_the_policy_becomes(
    network: MemoryNetwork, autojump_clock: trio.testing.MockClock, with_ids: bool
) -> None:
    opened = opening(MP4 + as4() + (capability(69, IPV4 + b"\3") if with_ids else b""))
    path_id = b"\0\0\0\7" if with_ids else b""
    update = fields(b"", BLOCK, path_id + MULTICAST + path_id + P4)
    mode = AddPathMode.BOTH if with_ids else AddPathMode.OFF
    async with open_speaker(
        asn=65000, router_id="10.0.0.1", listen=["192.0.2.1:179"], transport=network.transport("192.0.2.1")
    ) as speaker:
        peer = await speaker.add_peer(
            PeerOptions("192.0.2.2", THEIRS, passive=True, import_policy=accept, export_policy=accept, add_path=mode)
        )
        async with ScriptedPeer.dial(network.transport("192.0.2.2"), "192.0.2.1", 179) as tester:
            await tester.establish(opened)
            await tester.send(update)
            await trio.testing.wait_all_tasks_blocked()
            assert look(peer) == {MULTICAST: Why.NOT_UNICAST, P4: None}
            peer.change_policies(import_policy=reject, export_policy=accept)
            assert look(peer) == {MULTICAST: Why.NOT_UNICAST, P4: Why.POLICY}
            peer.change_policies(import_policy=accept, export_policy=accept)
            assert look(peer) == {MULTICAST: Why.NOT_UNICAST, P4: None}
            assert [nlri for nlri, _ in speaker.loc_rib.routes(IPV4_UNICAST)] == [P4]
            await tester.send(fields(path_id + MULTICAST, b"", b""))
            await trio.testing.wait_all_tasks_blocked()
            assert look(peer) == {P4: None}
