from __future__ import annotations

import pytest
import trio
from speakers import Laboratory, laboratory

from bgp.app.config import ConfigError, Configuration, parse
from bgp.app.reload import apply, begin
from bgp.error import LocalError
from bgp.net import Speaker
from bgp.net.sockets import SocketOptions

SPEAKER = '[speaker]\nasn = 65001\nrouter_id = "10.0.0.1"\nlisten = ["10.0.0.1:179"]\n'


def read(*tables: str) -> Configuration:
    return parse((SPEAKER + "".join(tables)).encode(), "x.toml")


def peer(last: int, **more: object) -> str:
    keys = "".join(f"{name} = {value}\n" for name, value in more.items())
    return f'[[peer]]\naddress = "10.0.0.{last}"\nasn = {65000 + last}\npassive = true\n{keys}'


def announced(*prefixes: str, **more: object) -> str:
    keys = "".join(f"{name} = {value}\n" for name, value in more.items())
    return f"[[announce]]\nprefixes = {list(prefixes)}\n{keys}"


async def begun(lab: Laboratory, configuration: Configuration) -> Speaker:
    speaker = await lab.speaker(65001, "10.0.0.1")
    await begin(speaker, configuration)
    return speaker


def routes(speaker: Speaker) -> int:
    return len(speaker.loc_rib)


async def test_what_differs_is_done_and_nothing_else(autojump_clock: trio.testing.MockClock) -> None:
    first = read(announced("10.1.0.0/24", "10.2.0.0/24"), peer(2), peer(3), peer(4))
    second = read(
        announced("10.2.0.0/24", "10.3.0.0/24"),
        announced("10.4.0.0/24", med=5),
        peer(2),
        peer(3, hold_time=30),
        peer(4, **{"import": '"accept"'}),
        peer(5),
    )
    async with laboratory() as lab:
        speaker = await begun(lab, first)
        before = dict(speaker.peers)
        assert await apply(speaker, "x.toml", first, first) == "nothing changed"
        said = await apply(speaker, "x.toml", first, second)
        assert said == (
            "2 routes announced, 1 route withdrawn, 1 peer added, 1 peer restarted, 1 peer with other policies"
        )
        assert routes(speaker) == 3
        assert [speaker.peers[f"10.0.0.{n}"] is before[f"10.0.0.{n}"] for n in (2, 3, 4)] == [True, False, True]
        assert speaker.peers["10.0.0.4"].options.import_policy is second.policies["accept"]
        back = await apply(speaker, "x.toml", second, first)
        assert back == (
            "1 route announced, 2 routes withdrawn, 1 peer removed, 1 peer restarted, 1 peer with other policies"
        )
        assert speaker.peers.keys() == before.keys()


async def test_routes_of_other_hands_stay(autojump_clock: trio.testing.MockClock) -> None:
    first, second = read(announced("10.1.0.0/24")), read()
    async with laboratory() as lab:
        speaker = await begun(lab, first)
        speaker.announce("10.9.0.0/24")
        speaker.withdraw("10.1.0.0/24")
        assert await apply(speaker, "x.toml", first, second) == "nothing changed"
        assert routes(speaker) == 1


async def test_what_needs_a_restart_is_refused_and_nothing_is_done(autojump_clock: trio.testing.MockClock) -> None:
    first, second = read(), read('control = "/elsewhere"\nhostname = "x"\n', announced("10.1.0.0/24"), peer(2))
    async with laboratory() as lab:
        speaker = await begun(lab, first)
        with pytest.raises(ConfigError) as caught:
            await apply(speaker, "x.toml", first, second)
        assert str(caught.value).splitlines() == [
            "x.toml: speaker.control: cannot change without a restart",
            "x.toml: speaker.hostname: cannot change without a restart",
        ]
        assert (routes(speaker), len(speaker.peers)) == (0, 0)


async def test_a_peer_that_the_system_refuses_is_tried_again(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second, third = read(), read(peer(2), peer(3)), read(peer(2), peer(3), peer(4))

    def refuse(address: str, options: SocketOptions) -> None:
        if address == "10.0.0.2":
            raise OSError(1, "not here")

    async with laboratory() as lab:
        speaker = await begun(lab, first)
        with monkeypatch.context() as patched:
            patched.setattr(speaker.transport, "protect", refuse)
            said = await apply(speaker, "x.toml", first, second)
        assert said == "1 peer added, peer 10.0.0.2: not here"
        assert list(speaker.peers) == ["10.0.0.3"]
        assert await apply(speaker, "x.toml", second, third) == "2 peers added"


async def test_a_peer_that_the_system_refuses_at_the_start(
    autojump_clock: trio.testing.MockClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(address: str, options: SocketOptions) -> None:
        raise OSError(1, "not here")

    async with laboratory() as lab:
        speaker = await lab.speaker(65001, "10.0.0.1")
        with monkeypatch.context() as patched:
            patched.setattr(speaker.transport, "protect", refuse)
            with pytest.raises(LocalError, match=r"^peer 10\.0\.0\.2: not here$"):
                await begin(speaker, read(peer(2)))
