"""Messages counted on the wire, however the octets come."""

from __future__ import annotations

from collections import Counter

import pytest

from bgp.iana import MessageType
from bgp.lab import open_memory_fabric
from bgp.lab.meter import Framer
from bgp.message import Keepalive, Notification
from bgp.topology import mesh
from bgp.wire.codec import decode, encode

OCTETS = encode(Keepalive()) + encode(Notification(6, 2, b"bye")) + encode(Keepalive())


@pytest.mark.parametrize("size", [1, 2, 18, 19, 20, 1000])
def test_messages_are_found_in_pieces_of_any_size(size: int) -> None:
    counter: Counter[int] = Counter()
    framer = Framer(counter)
    for at in range(0, len(OCTETS), size):
        framer.feed(OCTETS[at : at + size])
    assert counter == {MessageType.KEEPALIVE: 2, MessageType.NOTIFICATION: 1}


def test_what_is_not_bgp_is_not_counted_and_does_no_harm() -> None:
    counter: Counter[int] = Counter()
    framer = Framer(counter)
    framer.feed(bytes(64))
    framer.feed(encode(Keepalive()))
    assert counter == {MessageType.KEEPALIVE: 1}


async def test_a_tap_is_shown_who_said_what_to_whom() -> None:
    async with open_memory_fabric(mesh(2)) as fabric:
        await fabric.converge(60)
        before = fabric.traffic.copy()
        heard: list[tuple[str, str, bytes]] = []
        fabric.traffic.tap = lambda here, there, octets: heard.append((here, there, octets))
        fabric.speakers["n2"].announce("10.9.0.0/26")
        await fabric.converge(60)
        fabric.traffic.tap = None
        assert [(here, there) for here, there, _ in heard] == [("10.0.1.2", "10.0.1.1")]
        update = decode(heard[0][2])
        assert [str(prefix) for prefix in update.nlri] == ["10.9.0.0/26"]  # type: ignore[union-attr]
        assert fabric.traffic.sent - before.sent == {MessageType.UPDATE: 1}
        assert fabric.traffic.octets - before.octets == len(heard[0][2])
