"""Cables of a lab on real kernels: what the switch is asked for when faults meet on one of them."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bgp.lab import parse_fault
from bgp.lab.models import build
from bgp.lab.netns.faults import Cables
from bgp.lab.netns.switch import Plug


class Switch:
    """In the place of the switch's process: does to a few words what it would do to ports."""

    def __init__(self) -> None:
        self.pulled: set[str] = set()
        self.parted: set[tuple[str, str]] = set()
        self.slow: dict[tuple[str, str], float] = {}

    async def ask(
        self, question: str, what: Sequence[Plug] | Sequence[tuple[Plug, Plug]], seconds: float = 0.0
    ) -> None:
        match question:
            case "detach":
                self.pulled |= {plug.port for plug in what}
            case "attach":
                self.pulled -= {plug.port for plug in what}
            case "part":
                self.parted |= {(one.port, other.port) for one, other in what}
            case "delay":
                self.slow |= {(one.port, other.port): seconds for one, other in what}
            case "join":
                for one, other in what:
                    self.parted.discard((one.port, other.port))
                    self.slow.pop((one.port, other.port), None)

    def state(self) -> tuple[set[str], set[tuple[str, str]], dict[tuple[str, str], float]]:
        return set(self.pulled), set(self.parted), dict(self.slow)


PAIR = ("p0x0", "p0x1")
NOTHING: tuple[set[str], set[tuple[str, str]], dict[tuple[str, str], float]] = (set(), set(), {})


@pytest.mark.parametrize(
    ("text", "broken"),
    [("link:n1-n2", (set(), {PAIR}, {})), ("node:n1", ({"p0x0"}, set(), {}))],
)
async def test_what_is_cut_is_not_carried_past_the_cut_by_a_delay(
    text: str, broken: tuple[set[str], set[tuple[str, str]], dict[tuple[str, str], float]]
) -> None:
    topology = build("mesh", {"nodes": 3})
    cables, switch = Cables(topology), Switch()
    cut, delay = parse_fault(text, topology), parse_fault("delay:n1-n2=0.5", topology)
    for first_slow in (True, False):
        if first_slow:
            await cables.slow_down(switch, delay)
            assert switch.state() == (set(), set(), {PAIR: 0.5})
        await cables.cut(switch, cut)
        if not first_slow:
            await cables.slow_down(switch, delay)
        assert switch.state() == broken
        await cables.mend(switch, cut)
        assert switch.state() == (set(), set(), {PAIR: 0.5})
        await cables.speed_up(switch, delay)
        assert switch.state() == NOTHING


async def test_what_another_fault_is_about_as_well_stays_broken() -> None:
    topology = build("as-per-rack", {})
    cables, switch = Cables(topology), Switch()
    link, node = (parse_fault(text, topology) for text in ("link:r1t-spine1", "node:r1t"))
    await cables.cut(switch, link)
    both = set(switch.pulled)
    assert len(both) == 2
    await cables.cut(switch, node)
    await cables.mend(switch, link)
    assert len(switch.pulled & both) == 1, "the end of the node without power"
    await cables.mend(switch, node)
    assert switch.state() == NOTHING
