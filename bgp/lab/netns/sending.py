"""The lab's side of a stream of packets: has the nodes send and receive them, and puts together what became of each flow."""

from __future__ import annotations

from array import array
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

import trio

from bgp.lab.loss import Flow, Passage
from bgp.lab.netns.channel import Parent
from bgp.lab.netns.stream import Course
from bgp.topology.model import Address

#: Seconds between two packets of a flow, and packets a second of all flows together, which come first if there are many.
INTERVAL: Final = 0.02
RATE: Final = 3_000
#: Seconds that the last packets have to arrive.
GRACE: Final = 0.2


class Sending:
    """A stream that runs. Made by `start_stream`."""

    def __init__(
        self, nodes: Mapping[str, Parent], pods: Mapping[str, Sequence[Address]], flows: Sequence[Flow], zero: float
    ) -> None:
        self.interval = max(INTERVAL, len(flows) / RATE)
        self._nodes = {name: node for name, node in nodes.items() if name in pods}
        self._pods = pods
        self._flows = flows
        self._zero = zero

    async def start(self) -> None:
        """Have all receive, then all send."""
        courses: dict[str, list[Course]] = defaultdict(list)
        for number, flow in enumerate(self._flows):
            version = flow.destination.version
            source = next(own for own in self._pods[flow.source] if own.version == version)
            courses[flow.source].append(Course(number, source, flow.destination))
        await self._ask("receive")
        await self._each(lambda name: self._nodes[name].ask("send", courses[name], self.interval))

    async def stop(self, slower: float) -> list[Passage]:
        """See `Stream`."""
        sent: dict[str, array[float]] = await self._ask("stop_sending")
        await trio.sleep(GRACE + slower)
        received: dict[str, dict[int, tuple[array[int], array[float]]]] = await self._ask("received")
        times = {name: [at - self._zero for at in own] for name, own in sent.items()}
        arrived = {
            flow: {number: at - self._zero for number, at in zip(*own, strict=True)}
            for flows in received.values()
            for flow, own in flows.items()
        }
        return [Passage(flow, times[flow.source], arrived.get(number, {})) for number, flow in enumerate(self._flows)]

    async def _ask(self, question: str) -> dict[str, Any]:  # as different as the questions
        return await self._each(lambda name: self._nodes[name].ask(question))

    async def _each(self, ask: Callable[[str], Awaitable[object]]) -> dict[str, Any]:
        answers: dict[str, Any] = {}

        async def one(name: str) -> None:
            answers[name] = await ask(name)

        async with trio.open_nursery() as nursery:
            for name in self._nodes:
                nursery.start_soon(one, name)
        return answers


async def start_stream(
    nodes: Mapping[str, Parent], pods: Mapping[str, Sequence[Address]], flows: Sequence[Flow], zero: float
) -> Sending:
    """Send packets of `flows` between the `pods`, by node; times are since `zero` of the machine's monotonic clock."""
    made = Sending(nodes, pods, flows, zero)
    await made.start()
    return made
