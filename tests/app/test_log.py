"""What the log of a running speaker says of malformed UPDATEs, and how often."""

from __future__ import annotations

from datetime import UTC, datetime
from io import StringIO

import pytest

from bgp.app.log import PREFIXES, Limit, Log
from bgp.error import Reaction, UpdateError
from bgp.net import MalformedUpdate
from bgp.options import PeerOptions

PEER = PeerOptions("192.0.2.2", 65001, name="rack 1")
ERROR = UpdateError(Reaction.TREAT_AS_WITHDRAW, 3, 6, b"", "ORIGIN 7")


def said(*malformed: MalformedUpdate) -> list[str]:
    out = StringIO()
    log = Log(out, lambda: datetime(2026, 1, 1, tzinfo=UTC))
    for one in malformed:
        log.update_malformed(one)
    return [line.partition(" ")[2] for line in out.getvalue().splitlines()]


def test_a_malformed_update_is_said_whole() -> None:
    found = said(MalformedUpdate(PEER, b"\xff\x02", (ERROR,), ("10.0.0.0/8", "10.1.0.0/16"), (), 0.0))
    assert found == [
        "peer 192.0.2.2 (rack 1) malformed UPDATE: treat-as-withdraw: ORIGIN 7; prefixes 10.0.0.0/8, 10.1.0.0/16; ff02"
    ]


def test_an_ignored_prefix_is_said() -> None:
    found = said(MalformedUpdate(PEER, b"\xff", (), ("10.0.0.0/8", "224.0.0.0/8"), ("224.0.0.0/8",), 0.0))
    assert "ignored 224.0.0.0/8: no unicast destinations; prefixes 10.0.0.0/8, 224.0.0.0/8; ff" in found[0]


def test_many_prefixes_are_counted() -> None:
    many = tuple(f"10.{number}.0.0/16" for number in range(PREFIXES + 5))
    assert "and 5 more; ff" in said(MalformedUpdate(PEER, b"\xff", (ERROR,), many, (), 0.0))[0]


def test_a_flood_is_held_back_and_counted() -> None:
    one = [MalformedUpdate(PEER, b"\xff", (ERROR,), (), (), at / 10) for at in range(1000)]
    found = said(*one)
    assert len(found) == 20
    assert "malformed UPDATE (590 more in the meantime): " in found[10]


@pytest.mark.parametrize("seconds", [60.0, 61.0])
def test_a_limit_is_for_each_subject_and_passes(seconds: float) -> None:
    limit = Limit(most=2, seconds=60.0)
    assert [limit.admit("a", 0.0) for _ in range(4)] == [0, 0, None, None]
    assert limit.admit("b", 0.0) == 0
    assert limit.admit("a", seconds) == 2
    assert limit.admit("a", seconds) == 0
