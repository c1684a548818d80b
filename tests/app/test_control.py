from __future__ import annotations

import json
import os
import socket
import stat
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from threading import Thread

import pytest
import trio

from bgp.app.client import Refused, ask, choose_path
from bgp.app.control import open_control
from bgp.app.protocol import LONGEST_QUESTION, parse_question
from bgp.app.protocol_lines import question_line
from bgp.error import LocalError
from bgp.net import Speaker, open_speaker
from rib.attributes import Attributes

PREFIXES = [f"10.{high}.{low}.0/24" for high in range(40) for low in range(250)]


class Running:
    """A program that does nothing by itself."""

    def __init__(self, speaker: Speaker) -> None:
        self.speaker = speaker
        self.started = trio.current_time()
        self.fib = None
        self.complaints: list[Exception] = []

    async def reload(self) -> str:
        raise ZeroDivisionError("a mistake of our own")

    async def drain(self, wait: float) -> bool:
        raise NotImplementedError

    def undrain(self) -> None:
        raise NotImplementedError

    def shutdown(self, message: str) -> None:
        raise NotImplementedError

    def complain(self, error: Exception) -> None:
        self.complaints.append(error)


@asynccontextmanager
async def running(path: Path) -> AsyncIterator[Running]:
    async with open_speaker(asn=65001, router_id="10.0.0.1") as speaker:
        program = Running(speaker)
        async with open_control(str(path), program):
            yield program


async def in_thread(path: Path, name: str, **arguments: object) -> tuple[list[dict[str, object]], object]:
    """Ask as the command line does."""

    def run() -> tuple[list[dict[str, object]], object]:
        answer = ask(str(path), name, **arguments)
        return [json.loads(text) for text in answer], answer.end

    return await trio.to_thread.run_sync(run)


async def test_question_and_answer(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    async with running(path):
        assert await in_thread(path, "announce", prefixes=["10.1.0.0/26"]) == ([], "announced 10.1.0.0/26")
        found, _ = await in_thread(path, "routes")
    assert [row["prefix"] for row in found] == ["10.1.0.0/26"]


async def test_only_the_owner_may_ask(tmp_path: Path) -> None:
    path = tmp_path / "made" / "for it" / "control.sock"
    async with running(path):
        mode = path.stat().st_mode
        assert stat.S_ISSOCK(mode)
        assert stat.S_IMODE(mode) == 0o600
    assert not path.exists()


async def test_a_stale_socket_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(str(path))
    async with running(path):
        assert len((await in_thread(path, "summary"))[0]) == 1


async def test_the_socket_of_a_running_speaker_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    async with running(path):
        with pytest.raises(OSError, match=f"another speaker listens on {path}$"):
            async with running(path):
                pass
        assert len((await in_thread(path, "summary"))[0]) == 1


async def test_what_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(OSError, match=f"{path} is there and is no socket$"):
        async with running(path):
            pass
    assert path.read_text() == "mine"


async def test_a_socket_that_another_put_there_meanwhile_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    async with running(path):
        path.unlink()
        path.write_text("another's")
    assert path.read_text() == "another's"


async def test_a_path_that_is_too_long_is_said_to_be(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="too long"):
        async with running(tmp_path / ("x" * 120)):
            pass


@pytest.fixture
async def connected(tmp_path: Path) -> AsyncIterator[tuple[trio.SocketStream, Running]]:
    path = tmp_path / "control.sock"
    async with running(path) as program, await trio.open_unix_socket(str(path)) as stream:
        yield stream, program


async def say(stream: trio.SocketStream, octets: bytes, until: Callable[[bytes], bool]) -> list[dict[str, object]]:
    await stream.send_all(octets)
    heard = b""
    with trio.fail_after(30):
        while not until(heard):
            heard += await stream.receive_some()
    return [json.loads(line) for line in heard.splitlines()]


WRONG = [
    (b"hello\n", "a question is a line of JSON: Expecting value: line 1 column 1 (char 0)"),
    (b"\xff\n", "a question is a line of JSON: 'utf-8' codec can't decode byte 0xff"),
    (b"[]\n", 'a question has a key "ask", one of summary, neighbors, '),
    (b'{"ask":"weather"}\n', 'a question has a key "ask", one of summary, neighbors, '),
    (b'{"ask":["routes"]}\n', 'a question has a key "ask", one of summary, neighbors, '),
    (b'{"ask":"route"}\n', "prefix: missing"),
    (b'{"ask":"route","prefix":"10.0.0.1/8"}\n', "prefix: '10.0.0.1/8' has host bits set; the prefix is 10.0.0.0/8"),
    (b'{"ask":"routes","famly":"x"}\n', "famly: unknown key; did you mean `family`?"),
    (b'{"ask":"rejected","lost":1}\n', "lost: expected true or false, got the number 1"),
    (b'{"ask":"announce","prefixes":[],"med":-1}\n', "med: a MED is 0 to 4294967295, not -1"),
]


@pytest.mark.parametrize(("octets", "said"), WRONG)
async def test_a_wrong_question_is_refused_and_the_next_one_answered(
    octets: bytes, said: str, connected: tuple[trio.SocketStream, Running]
) -> None:
    refused, *answered = await say(
        connected[0], octets + question_line("summary", {}), lambda heard: heard.count(b"\n") == 3
    )
    assert str(refused["error"]).startswith(said)
    assert refused["status"] == 2
    assert [list(one) for one in answered] == [["row"], ["end"]]


async def test_a_question_may_come_in_pieces(connected: tuple[trio.SocketStream, Running]) -> None:
    stream, _ = connected
    for octet in question_line("lookup", {"to": "10.0.0.1"})[:-1]:
        await stream.send_all(bytes((octet,)))
    (found,) = await say(stream, b"\n", lambda heard: heard.endswith(b"\n"))
    assert found == {"error": "no route to 10.0.0.1", "status": 1}


async def test_a_question_without_an_end_is_not_kept(connected: tuple[trio.SocketStream, Running]) -> None:
    stream, _ = connected
    (found,) = await say(stream, b"x" * (LONGEST_QUESTION + 1), lambda heard: heard.endswith(b"\n"))
    assert found == {"error": f"a question has at most {LONGEST_QUESTION} octets", "status": 2}


async def test_our_own_mistake_ends_the_answer_and_nothing_else(
    connected: tuple[trio.SocketStream, Running],
) -> None:
    stream, program = connected
    (found,) = await say(stream, question_line("reload", {}), lambda heard: heard.endswith(b"\n"))
    assert found == {"error": "internal error: ZeroDivisionError('a mistake of our own')", "status": 1}
    assert [type(one) for one in program.complaints] == [ZeroDivisionError]
    assert len(await say(stream, question_line("summary", {}), lambda heard: heard.count(b"\n") == 2)) == 2


async def test_whoever_goes_away_before_the_end_hurts_nobody(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"

    def first_row_only() -> str:
        return next(iter(ask(str(path), "routes")))

    async with running(path) as program:
        program.speaker.announce_all(PREFIXES, Attributes())
        for _ in range(3):
            assert json.loads(await trio.to_thread.run_sync(first_row_only))["prefix"] == PREFIXES[0]
        found, _ = await in_thread(path, "routes")
        assert program.complaints == []
    assert [row["prefix"] for row in found] == PREFIXES


async def test_a_listing_is_of_one_moment(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    async with running(path) as program, await _listing(program, path) as stream:
        heard = await stream.receive_some(1)
        for prefix in PREFIXES:
            program.speaker.withdraw(prefix)
        program.speaker.announce("11.0.0.0/8")
        async for octets in stream:
            heard += octets
            if b'"end"' in octets:
                break
    *found, end = (json.loads(line) for line in heard.splitlines())
    assert [one["row"]["prefix"] for one in found] == PREFIXES
    assert end == {"end": None}


async def _listing(program: Running, path: Path) -> trio.SocketStream:
    program.speaker.announce_all(PREFIXES, Attributes())
    stream = await trio.open_unix_socket(str(path))
    await stream.send_all(question_line("routes", {}))
    return stream


def test_no_speaker(tmp_path: Path) -> None:
    path = str(tmp_path / "none.sock")
    with pytest.raises(
        Refused, match=rf"^no speaker is running at {path} \(say which with --control or \$BGP_CONTROL\)$"
    ):
        list(ask(path, "summary"))
    with socket.socket(socket.AF_UNIX) as left_over:
        left_over.bind(path)
    with pytest.raises(Refused, match=f"^no speaker is running at {path} "):
        list(ask(path, "summary"))


def test_a_speaker_that_ends_in_the_middle(tmp_path: Path) -> None:
    path = str(tmp_path / "control.sock")
    with socket.socket(socket.AF_UNIX) as speaker:
        speaker.bind(path)
        speaker.listen()

        def answer_half() -> None:
            with speaker.accept()[0] as connection:
                connection.recv(1 << 16)
                connection.sendall(b'{"row":{"prefix":"10.0.0.0/8"}}\n')

        thread = Thread(target=answer_half)
        thread.start()
        answer = iter(ask(path, "routes"))
        assert next(answer) == '{"prefix":"10.0.0.0/8"}'
        with pytest.raises(Refused, match=f"^the speaker at {path} ended before it had answered$"):
            next(answer)
        thread.join()


def test_which_socket(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BGP_CONTROL", "/of/the/environment")
    assert choose_path("/given") == "/given"
    assert choose_path(None) == "/of/the/environment"
    monkeypatch.delenv("BGP_CONTROL")
    monkeypatch.setenv("XDG_RUNTIME_DIR", "/run/user/7")
    monkeypatch.setattr(os, "geteuid", lambda: 7)
    assert choose_path(None) == "/run/user/7/bgp/control.sock"
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    assert choose_path(None) == "/run/bgp/control.sock"


def test_arguments_that_are_not_given_are_not_sent() -> None:
    assert question_line("routes", {"family": None, "peer": "x"}) == b'{"ask": "routes", "peer": "x"}\n'


def test_a_question_has_at_least_a_name() -> None:
    with pytest.raises(LocalError, match='has a key "ask"'):
        parse_question(b"{}")
