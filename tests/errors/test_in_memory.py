"""Every case of malformed input against a speaker in memory, on a clock that jumps: the octets, without the kernel."""

from __future__ import annotations

from typing import Final

import pytest
import trio
from errors.cases import Case
from errors.octets import OURS, SPEAKER_ID
from errors.runner import End, Place, Run, configuration
from errors.table import CASES

from bgp.app.config import parse
from bgp.net import MemoryNetwork, open_speaker

SPEAKER: Final = "192.0.2.1"


@pytest.mark.parametrize("case", CASES)
async def test_case(case: Case, autojump_clock: trio.testing.MockClock) -> None:
    network = MemoryNetwork()
    tester, watcher = (End(network.transport(own), SPEAKER, 179, own) for own in ("192.0.2.2", "192.0.2.3"))
    head = f'[speaker]\nasn = {OURS}\nrouter_id = "{SPEAKER_ID}"\nlisten = ["{SPEAKER}:179"]\n'
    config = parse((head + configuration(case, tester.own_address, watcher.own_address)).encode(), case.name)
    async with open_speaker(config.speaker, transport=network.transport(SPEAKER)) as speaker:
        for peer in config.peers:
            await speaker.add_peer(peer)
        with trio.fail_after(60):
            await Run(case, Place(tester, watcher)).play()
