"""Every case of malformed input against a speaker in memory, on a clock that jumps: the octets, without the kernel."""

from __future__ import annotations

import pytest
import trio
from errors.cases import Case
from errors.octets import INTERNAL, OURS, SPEAKER_ID, THEIRS, WATCHER
from errors.runner import End, Place, Run
from errors.table import CASES

from bgp.net import MemoryNetwork, open_speaker
from bgp.options import PeerOptions
from rib.policy import accept


@pytest.mark.parametrize("case", CASES)
async def test_case(case: Case, autojump_clock: trio.testing.MockClock) -> None:
    network = MemoryNetwork()
    ours = "192.0.2.1"
    tester_end, watcher_end = (End(network.transport(own), ours, 179, own) for own in ("192.0.2.2", "192.0.2.3"))
    internal = case.kind == INTERNAL
    tester = PeerOptions(
        tester_end.own_address,
        OURS if internal else THEIRS,
        passive=True,
        import_policy=accept,
        export_policy=accept,
        **dict(case.options),  # type: ignore[arg-type]
    )
    watcher = PeerOptions(
        watcher_end.own_address,
        WATCHER if internal else OURS,
        passive=True,
        import_policy=accept,
        export_policy=accept,
        next_hop_ipv6="2001:db8::1",
    )
    async with open_speaker(
        asn=OURS, router_id=str(SPEAKER_ID), listen=[f"{ours}:179"], transport=network.transport(ours)
    ) as speaker:
        await speaker.add_peer(tester)
        await speaker.add_peer(watcher)
        with trio.fail_after(60):
            await Run(case, Place(tester_end, watcher_end)).play()
