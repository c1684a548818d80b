"""Networks as stories: a drawing, what happens, and what everybody then holds; in virtual time, without a socket.

A story is a TOML file: a model with its parameters, and steps. A step does something and then, when all is at rest, expects:

    do       "announce NODE PREFIX", "withdraw NODE PREFIX", "fail FAULT" or "heal FAULT"; none: nothing happens
    routes   {"NODE PREFIX" = "via NEXT-HOP from PEER: AS PATH", …}; several ways with " | " between, "none" for no route
    traces   {"NODE → NODE" = "NODE NODE …"}: the way of a packet between the first pods, or "at NODE: REASON"
    down     how many sessions are not up
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
import trio
from trio.testing import MockClock

from bgp.lab import FabricSettings, MemoryFabric, Snapshot, open_memory_fabric, parse_fault
from bgp.lab.models import build
from rib.family import IPV4_UNICAST, IPV6_UNICAST, Afi
from rib.prefix import Prefix

HERE: Final = Path(__file__).parent
STORIES: Final = sorted(HERE.glob("*/*.toml"))


async def do(fabric: MemoryFabric, words: str) -> None:
    verb, _, rest = words.partition(" ")
    match verb:
        case "announce":
            node, prefix = rest.split()
            fabric.speakers[node].announce(prefix)
        case "withdraw":
            node, prefix = rest.split()
            fabric.speakers[node].withdraw(prefix)
        case "fail":
            await fabric.fail(parse_fault(rest, fabric.topology))
        case "heal":
            await fabric.heal(parse_fault(rest, fabric.topology))
        case _:
            raise AssertionError(f"a story cannot {words!r}")


def routes(snapshot: Snapshot, node: str, text: str) -> str:
    prefix = Prefix(text)
    family = IPV4_UNICAST if prefix.afi == Afi.IPV4 else IPV6_UNICAST
    ways = snapshot.forwarder.routers[node].routes(family).get(prefix.nlri, ())
    spelled = [f"via {way.next_hop} from {way.peer}: {way.as_path}".rstrip() if way.peer else "own" for way in ways]
    return " | ".join(spelled) or "none"


def way(fabric: MemoryFabric, snapshot: Snapshot, ends: str) -> str:
    source, destination = ends.split(" → ")
    trace = snapshot.forwarder.trace(source, fabric.topology[destination].pod())
    return " ".join(hop.node for hop in trace.hops) if trace.arrived else f"at {trace.at}: {trace.reason}"


def check(fabric: MemoryFabric, snapshot: Snapshot, step: dict[str, Any]) -> None:
    found = {
        "routes": {key: routes(snapshot, *key.split()) for key in step.get("routes", {})},
        "traces": {key: way(fabric, snapshot, key) for key in step.get("traces", {})},
        "down": len(snapshot.down),
    }
    expected = {"routes": step.get("routes", {}), "traces": step.get("traces", {}), "down": step.get("down", 0)}
    assert found == expected, step.get("do", "at the beginning")


@pytest.mark.parametrize("file", STORIES, ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_the_story_goes_as_it_is_told(file: Path) -> None:
    story = tomllib.loads(file.read_text())
    parameters = story.get("parameters", {})
    if "file" in parameters:
        parameters["file"] = str(file.parent / parameters["file"])

    async def tell() -> None:
        topology = build(story["model"], parameters)
        async with open_memory_fabric(topology, None, FabricSettings(seed=1)) as fabric:
            for step in story["step"]:
                if "do" in step:
                    await do(fabric, step["do"])
                assert (await fabric.converge(600)).settled
                check(fabric, await fabric.snapshot(), step)

    trio.run(tell, clock=MockClock(autojump_threshold=0))


def test_there_are_stories() -> None:
    assert len(STORIES) >= 5
