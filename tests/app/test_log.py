from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import trio
from speakers import laboratory

from bgp.app.log import Log


class Full(StringIO):
    def write(self, text: str) -> int:
        raise OSError("no space left on device")


def test_a_line_has_the_time_before_it() -> None:
    out = StringIO()
    Log(out, lambda: datetime(2026, 1, 2, 3, 4, 5, 67890, UTC)).say("hello")
    assert out.getvalue() == "2026-01-02T03:04:05.067Z hello\n"


def test_a_log_that_cannot_be_written_is_no_reason_to_end() -> None:
    Log(Full()).say("hello")


async def test_a_line_for_each_change_with_its_reason(autojump_clock: trio.testing.MockClock) -> None:
    out = StringIO()
    log = Log(out, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1")
        speaker.observe(log.peer_changed)
        await speaker.add_peer("10.0.0.66", asn=65066, passive=True, name="far")
        for _ in range(2):
            far = await (await lab.neighbour(speaker)).open()
            await far.cut()
            await trio.sleep(5)
    lines = [
        line.removeprefix("2026-01-01T00:00:00.000Z peer 10.0.0.66 (far) ") for line in out.getvalue().splitlines()
    ]
    once = [
        "Active → OpenSent: connected by the peer",
        "OpenSent → Established: AS 65066, ipv4-unicast, ipv6-unicast, hold time 90 s; "
        "no import policy and no export policy: nothing is accepted or announced (RFC 8212)",
        "Established → Idle: connection closed by the peer",
        "Idle → Active: idle hold timer expired",
    ]
    assert lines == ["Idle → Active: started, passive", *once, *once, "Active → Idle: stopped by us"]
