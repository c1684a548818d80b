from __future__ import annotations

import json
from typing import Any

import pytest
import trio
from speakers import Laboratory, Neighbour, announcement, laboratory, settle

from bgp import AddPathMode, accept
from bgp.app.answers import Failed, answer
from bgp.app.protocol import parse_question
from bgp.app.protocol_lines import question_line
from bgp.error import LocalError
from bgp.iana import CeaseSubcode
from bgp.message import PathAttribute
from bgp.net import Speaker
from bgp.net.kernel import Fib, KernelOptions, MemoryKernel, serve_kernel
from rib.community import Community
from rib.family import IPV4_UNICAST, VPNV4
from rib.labelled import VpnPrefix
from rib.policy import Action, Match, Policy, PrefixRange, Rule
from rib.prefix import Prefix
from rib.route_distinguisher import RouteDistinguisher


class Running:
    """A program that only notes what it is told."""

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker
        self.started = trio.current_time()
        self.fib: Fib | None = None
        self.told: list[str] = []

    async def reload(self) -> str:
        self.told.append("reload")
        return "read again"

    async def drain(self, wait: float) -> bool:
        self.told.append(f"drain {wait:g}")
        return wait < 10

    def undrain(self) -> None:
        self.told.append("undrain")

    def shutdown(self, message: str) -> None:
        self.told.append(f"shutdown {message}")

    def complain(self, error: Exception) -> None:
        raise error


async def ask(program: Running, name: str, **arguments: object) -> tuple[list[dict[str, Any]], object]:
    """The rows of the answer, and its end."""
    lines = [one async for one in answer(program, parse_question(question_line(name, arguments)))]
    found = [json.loads(line) for line in "".join(lines).splitlines()]
    assert [list(one) for one in found] == [["row"]] * (len(found) - 1) + [["end"]]
    return [one["row"] for one in found[:-1]], found[-1]["end"]


async def rows(program: Running, name: str, **arguments: object) -> list[dict[str, Any]]:
    found, end = await ask(program, name, **arguments)
    assert end is None
    return found


async def one_neighbour(lab: Laboratory, **options: object) -> tuple[Running, Neighbour]:
    """A speaker in AS 65001 with an external peer that has announced nothing yet."""
    speaker = await lab.speaker(65001, "10.0.0.1")
    fields = {"import_policy": accept, "export_policy": accept, "passive": True, "name": "far"} | options
    peer = await speaker.add_peer("10.0.0.66", asn=65066, **fields)
    far = await (await lab.neighbour(speaker)).open()
    await peer.wait_established()
    return Running(speaker), far


async def test_a_speaker_at_a_glance(autojump_clock: trio.testing.MockClock) -> None:
    async with laboratory() as lab:
        program, far = await one_neighbour(lab)
        await program.speaker.add_peer("10.0.0.77", asn=65077, import_policy=accept, export_policy=accept)
        await far.announce("10.1.0.0/24", "10.2.0.0/24")
        await far.announce("10.3.0.0/24", path="65066 65001")
        program.speaker.announce("192.0.2.0/24")
        await trio.sleep(30)
        (found,) = await rows(program, "summary")
    assert (found["asn"], found["router_id"], found["listening"]) == (65001, "10.0.0.1", ["10.0.0.1:179"])
    assert found["routes"] == {"ipv4-unicast": 3}
    assert found["uptime"] == pytest.approx(30, abs=1)
    up, down = found["peers"]
    assert (up["address"], up["name"], up["kind"], up["state"]) == ("10.0.0.66", "far", "eBGP", "Established")
    assert (up["received"], up["used"], up["why"]) == (3, 2, "")
    assert (down["state"], down["received"]) != ("Established", 0)
    assert "cannot connect to 10.0.0.77 port 179" in down["why"]


async def test_what_is_in_the_kernel_and_what_is_not(autojump_clock: trio.testing.MockClock) -> None:
    kernel = MemoryKernel()
    kernel.add_link("one", "10.0.0.1/24")
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1")
        program = Running(speaker)
        with pytest.raises(Failed, match=r"its configuration has no \[kernel\]"):
            await rows(program, "kernel")
        program.fib = await lab.start(serve_kernel, speaker, KernelOptions(), kernel)
        speaker.announce("10.1.0.0/24")
        speaker.announce("10.2.0.0/24", next_hop="192.0.2.1")
        assert program.fib is not None
        await program.fib.wait_idle()
        (found,) = await rows(program, "kernel")
    assert found == {
        "protocol": 179,
        "metric": 20,
        "table": 254,
        "installed": 1,
        "stale": 0,
        "written": 1,
        "removed": 0,
        "missing": {"10.2.0.0/24": "next hop 192.0.2.1 is unresolvable"},
    }


async def test_why_a_session_is_down(autojump_clock: trio.testing.MockClock) -> None:
    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1")
        program = Running(speaker)
        await speaker.add_peer("10.0.0.66", asn=65066, passive=True, hold_time=30)
        (never,) = await rows(program, "neighbors")
        far = await (await lab.neighbour(speaker, asn=65000)).open()
        (refused,) = await rows(program, "neighbors", peer="10.0.0.66")
        assert far.notification is not None
    assert (never["state"], never["passive"], never["local"], never["received_asn"]) == ("Active", True, None, None)
    assert never["why"] == "started, passive"
    assert never["export_policy"] == "none: nothing passes (RFC 8212)"
    assert refused["state"] != "Established"
    assert refused["last_sent"]["code"] == 2
    assert refused["last_sent"]["subcode"] == 2
    assert "65000" in refused["why"]
    assert "2/2" in refused["why"]


async def test_a_neighbour_that_is_up(autojump_clock: trio.testing.MockClock) -> None:
    async with laboratory() as lab:
        program, far = await one_neighbour(lab, hold_time=60)
        await far.announce("10.1.0.0/24")
        (found,) = await rows(program, "neighbors", peer="far")
    assert (found["state"], found["why"], found["connect_error"]) == ("Established", "", None)
    assert (found["local"], found["expected_asn"], found["received_asn"]) == ("10.0.0.1:179", 65066, 65066)
    assert (found["hold_time_configured"], found["hold_time_received"], found["hold_time"]) == (60, 90, 60)
    assert found["received_router_id"] == "10.0.0.66"
    assert found["families"] == ["ipv4-unicast", "ipv6-unicast"]
    assert "four-octet AS 65066" in found["capabilities_received"]
    assert "four-octet AS 65001" in found["capabilities_sent"]
    assert found["routes"][0] == {"family": "ipv4-unicast", "received": 1, "refused": 0, "best": 1}
    assert (found["times_established"], found["times_dropped"], found["updates_received"]) == (1, 0, 1)


async def test_a_peer_that_does_not_exist(autojump_clock: trio.testing.MockClock) -> None:
    async with laboratory() as lab:
        program, _ = await one_neighbour(lab)
        with pytest.raises(Failed, match=r"^there is no peer '10\.9\.9\.9'; there are: far$"):
            await rows(program, "neighbors", peer="10.9.9.9")


async def test_routes_come_in_the_order_of_their_prefixes(autojump_clock: trio.testing.MockClock) -> None:
    prefixes = [
        "0.0.0.0/0",
        "9.0.0.0/8",
        "10.0.0.0/8",
        "10.0.0.0/9",
        "10.0.0.0/24",
        "10.0.1.0/24",
        "10.128.0.0/9",
        "192.0.2.1/32",
    ]
    async with laboratory() as lab:
        program, far = await one_neighbour(lab)
        await far.announce(*reversed(prefixes))
        await far.say(announcement("2001:db8:1::/48", "2001:db8::/32", next_hop="2001:db8::66"))
        everything = await rows(program, "routes")
        within = await rows(program, "routes", within="10.0.0.0/9")
        one_family = await rows(program, "routes", family="ipv6-unicast")
    assert [row["prefix"] for row in everything] == [*prefixes, "2001:db8::/32", "2001:db8:1::/48"]
    assert [row["prefix"] for row in within] == prefixes[3:6]
    assert [row["prefix"] for row in one_family] == ["2001:db8::/32", "2001:db8:1::/48"]
    assert everything[1] == {
        "prefix": "9.0.0.0/8",
        "family": "ipv4-unicast",
        "from": "10.0.0.66",
        "name": "far",
        "kind": "external",
        "next_hop": "10.0.0.66",
        "as_path": "65066",
        "origin": "igp",
    }


async def test_routes_of_one_peer(autojump_clock: trio.testing.MockClock) -> None:
    async with laboratory() as lab:
        program, far = await one_neighbour(lab)
        await far.announce("10.1.0.0/24")
        program.speaker.announce("10.2.0.0/24")
        found = await rows(program, "routes", peer="far")
    assert [row["prefix"] for row in found] == ["10.1.0.0/24"]


async def test_every_received_route_that_is_not_used_has_its_reason(autojump_clock: trio.testing.MockClock) -> None:
    only = Policy("only", (Rule(Match(prefixes=(PrefixRange.parse("10.0.0.0/8 le 24"),))),), Action.REJECT)
    async with laboratory() as lab:
        program, far = await one_neighbour(lab, import_policy=only)
        await far.announce("10.1.0.0/24", "10.2.0.0/24", "172.16.0.0/16")
        await far.announce("10.3.0.0/24", path="65066 65001")
        await far.say(announcement("10.4.0.0/24", next_hop="127.0.0.1"))
        program.speaker.announce("10.2.0.0/24")
        received = {row["prefix"]: row.get("refused") for row in await rows(program, "received", peer="far")}
        refused = {row["prefix"]: row["refused"] for row in await rows(program, "rejected")}
        unused = {
            row["prefix"]: row.get("refused") or row["lost"] for row in await rows(program, "rejected", lost=True)
        }
        used = {row["prefix"] for row in await rows(program, "routes", peer="far")}
    assert refused == {
        "10.3.0.0/24": "own AS 65001 in AS_PATH",
        "10.4.0.0/24": "next hop is not a host address: 127.0.0.1 is a loopback address",
        "172.16.0.0/16": "rejected by import policy",
    }
    assert unused == refused | {"10.2.0.0/24": "locally originated (RFC 4271 9.1.2.1)"}
    assert received.keys() == unused.keys() | used
    assert {prefix: why for prefix, why in received.items() if why} == refused


async def test_which_step_decided(autojump_clock: trio.testing.MockClock) -> None:
    async with laboratory() as lab:
        program, far = await one_neighbour(lab)
        other = await program.speaker.add_peer(
            "10.0.0.67", asn=65067, import_policy=accept, export_policy=accept, passive=True
        )
        near = await (await lab.neighbour(program.speaker, "10.0.0.67", asn=65067)).open()
        await other.wait_established()
        await program.speaker.add_peer("10.0.0.68", asn=65068, passive=True)
        await far.announce("10.1.0.0/24", path="65066 1 2")
        await near.say(announcement("10.1.0.0/24", asn=65067, next_hop="10.0.0.67"))
        (found,) = await rows(program, "route", prefix="10.1.0.0/24")
        looked_up = await rows(program, "lookup", to="10.1.0.77")
    first, second = found["candidates"]
    assert (first["path"]["from"], first["best"], first["why"]) == (
        "10.0.0.67",
        True,
        "path length (RFC 4271 9.1.2.2 a)",
    )
    assert (second["path"]["from"], second["best"], second["why"]) == (
        "10.0.0.66",
        False,
        "path length (RFC 4271 9.1.2.2 a)",
    )
    assert found["announced_to"] == ["10.0.0.66"]
    assert found["kept_from"] == {"10.0.0.67": "it was learned from there", "10.0.0.68": "the session is down"}
    assert looked_up == [found]


async def test_a_prefix_that_has_only_refused_paths(autojump_clock: trio.testing.MockClock) -> None:
    async with laboratory() as lab:
        program, far = await one_neighbour(lab)
        await far.announce("10.1.0.0/24", path="65066 65001")
        (found,) = await rows(program, "route", prefix="10.1.0.0/24")
        with pytest.raises(Failed, match=r"^no route to 10\.1\.0\.1$"):
            await rows(program, "lookup", to="10.1.0.1")
        with pytest.raises(Failed, match=r"^no route to 10\.0\.0\.0/8$"):
            await rows(program, "route", prefix="10.0.0.0/8")
    assert [(one["best"], one["why"]) for one in found["candidates"]] == [(False, "own AS 65001 in AS_PATH")]
    assert (found["announced_to"], found["kept_from"]) == ([], {})


async def test_what_a_peer_was_told(autojump_clock: trio.testing.MockClock) -> None:
    secret = Community.parse("no-export")
    async with laboratory() as lab:
        program, far = await one_neighbour(lab)
        await far.announce("10.1.0.0/24")
        program.speaker.announce("10.2.0.0/24", med=0)
        program.speaker.announce("10.3.0.0/24", communities=[str(secret)])
        await settle()
        found = await rows(program, "sent", peer="far")
        (kept,) = await rows(program, "route", prefix="10.3.0.0/24")
        assert far.routes().keys() == {"10.2.0.0/24"}
    assert [(row["prefix"], row["as_path"], row["next_hop"], row["med"]) for row in found] == [
        ("10.2.0.0/24", "65001", "10.0.0.1", 0)
    ]
    assert kept["kept_from"] == {"10.0.0.66": "community no-export (RFC 1997)"}


async def test_paths_of_one_prefix_with_identifiers(autojump_clock: trio.testing.MockClock) -> None:
    async with laboratory() as lab:
        near = await lab.speaker(65001, "10.0.0.1")
        far = await lab.speaker(65002, "10.0.0.2")
        await lab.connect(near, far, add_path=AddPathMode.BOTH)
        program = Running(near)
        far.announce("10.1.0.0/24")
        await settle()
        (found,) = await rows(program, "route", prefix="10.1.0.0/24")
        received = await rows(program, "received", peer="10.0.0.2")
    assert [one["path"]["from"] for one in found["candidates"]] == ["10.0.0.2"]
    assert [row["prefix"] for row in received] == ["10.1.0.0/24"]


async def test_announce_and_withdraw(autojump_clock: trio.testing.MockClock) -> None:
    async with laboratory() as lab:
        program, far = await one_neighbour(lab)
        _, said = await ask(
            program,
            "announce",
            prefixes=["10.1.0.0/26", "2001:db8::/48"],
            communities=["65001:7", "blackhole"],
            med=5,
            as_path="65009",
            origin="egp",
        )
        assert said == "announced 10.1.0.0/26, 2001:db8::/48"
        found = await rows(program, "routes")
        await settle()
        assert "10.1.0.0/26" in far.routes()
        with pytest.raises(Failed, match=r"^not announced by this speaker: 10\.9\.0\.0/24$"):
            await ask(program, "withdraw", prefixes=["10.1.0.0/26", "10.9.0.0/24"])
        assert len(await rows(program, "routes")) == 2
        _, said = await ask(program, "withdraw", prefixes=["10.1.0.0/26", "10.1.0.0/26"])
        assert said == "withdrew 10.1.0.0/26, 10.1.0.0/26"
        await settle()
        assert "10.1.0.0/26" not in far.routes()
    assert found[0] == {
        "prefix": "10.1.0.0/26",
        "family": "ipv4-unicast",
        "from": "local",
        "kind": "local",
        "as_path": "65009",
        "origin": "egp",
        "med": 5,
        "communities": ["65001:7", "blackhole"],
    }


async def test_reset_says_why_to_the_peer(autojump_clock: trio.testing.MockClock) -> None:
    async with laboratory() as lab:
        program, far = await one_neighbour(lab)
        _, said = await ask(program, "reset", peer="far", message="new cable")
        await settle()
        assert far.notification is not None
        assert far.notification.subcode == CeaseSubcode.ADMINISTRATIVE_RESET
        assert far.notification.shutdown_communication == "new cable"
        with pytest.raises(LocalError, match="at most 128 octets, not 129"):
            await ask(program, "reset", peer="far", message="x" * 129)
    assert said == "reset the session with 10.0.0.66"


async def test_refresh_tells_all_again(autojump_clock: trio.testing.MockClock) -> None:
    async with laboratory() as lab:
        program, far = await one_neighbour(lab)
        program.speaker.announce("10.1.0.0/24")
        await settle()
        far.heard.clear()
        _, said = await ask(program, "refresh", peer="far")
        await settle()
        assert "10.1.0.0/24" in far.routes()
        far_away = await program.speaker.add_peer("10.0.0.77", asn=65077, passive=True)
        with pytest.raises(Failed, match=f"^the session with {far_away.address} is down: started, passive$"):
            await ask(program, "refresh", peer="10.0.0.77")
    assert str(said).startswith("tells 10.0.0.66 all routes again")


async def test_the_program_is_told(autojump_clock: trio.testing.MockClock) -> None:
    async with laboratory() as lab:
        program = Running(await lab.speaker(65001))
        assert await ask(program, "reload") == ([], "read again")
        assert await ask(program, "shutdown", message="bye") == ([], "the speaker ends")
        assert await ask(program, "undrain") == ([], "announces again")
        _, said = await ask(program, "drain", wait=5)
        assert said == "drained: every route of ours is taken back, the sessions are up"
        with pytest.raises(Failed, match=r"^the drain was called off$"):
            await ask(program, "drain")
        with pytest.raises(LocalError, match=r"^wait: a wait is 0 seconds or more, not -1\.0$"):
            await ask(program, "drain", wait=-1)
    assert program.told == ["reload", "shutdown bye", "undrain", "drain 5", "drain 30"]


async def test_attributes_that_nobody_knows_are_shown(autojump_clock: trio.testing.MockClock) -> None:
    async with laboratory() as lab:
        program, far = await one_neighbour(lab)
        await far.announce("10.1.0.0/24", extra=[PathAttribute(0xC0, 99, b"\x01\x02")])
        (found,) = await rows(program, "routes")
    assert len(found["unknown"]) == 1
    assert "0102" in found["unknown"][0]


async def test_attributes_that_the_tables_do_not_look_into_are_shown_by_name(
    autojump_clock: trio.testing.MockClock,
) -> None:
    async with laboratory() as lab:
        program, far = await one_neighbour(lab)
        tunnel = PathAttribute(0xC0, 22, bytes.fromhex("00 06 000064 0a000001"))
        await far.announce("10.1.0.0/24", extra=[tunnel, PathAttribute(0xC0, 35, 65001)])
        (found,) = await rows(program, "routes")
    assert found["pmsi_tunnel"] == {"flags": 0, "type": 6, "label": 100, "identifier": "0a000001"}
    assert found["only_to_customer"] == 65001
    assert "unknown" not in found


async def test_routes_of_other_families(autojump_clock: trio.testing.MockClock) -> None:
    families = {"families": (IPV4_UNICAST, VPNV4)}
    text = str(VpnPrefix(RouteDistinguisher.parse("65000:1"), Prefix("10.0.0.0/8"), (100,)))
    async with laboratory() as lab:
        near, far = await lab.speaker(65001, "10.0.0.1"), await lab.speaker(65002, "10.0.0.2")
        await lab.connect(near, far, **families)
        program = Running(near)
        _, said = await ask(program, "announce", family="vpnv4", routes=[text], ext_communities=["rt:65000:1"])
        await settle()
        (ours,) = await rows(program, "routes", family="vpnv4")
        (theirs,) = await rows(Running(far), "received", peer="10.0.0.1")
        await ask(program, "withdraw", family="vpnv4", routes=[text])
        await settle()
        assert await rows(Running(far), "routes") == []
        with pytest.raises(LocalError, match=r"^`routes` are of the family that `family` names, which is missing$"):
            await ask(program, "announce", routes=[text])
    assert said == f"announced vpnv4 {text}"
    assert ours["prefix"] == theirs["prefix"] == text
    assert theirs["ext_communities"] == ["target:65000:1"]
