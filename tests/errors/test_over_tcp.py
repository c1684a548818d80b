"""Every case of malformed input black box: octets over TCP into `bgp run`, and a second session that watches.

One process serves all of them; each case has a tester and a watcher of its own, on loopback addresses of their own.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Final

import pytest
import trio
from errors.cases import Case
from errors.octets import OURS, SPEAKER_ID
from errors.runner import End, Place, Run, configuration
from errors.table import ALL, CASES

from bgp.net.transport import TcpTransport

SPEAKER: Final = "127.0.0.1"
NUMBERS: Final = {case.name: number for number, case in enumerate(ALL)}
#: Of the daemon's log, what a failure shows.
TAIL: Final = 20


def address(network: int, case: Case) -> str:
    number = NUMBERS[case.name]
    return f"127.{network}.{number // 250}.{number % 250 + 1}"


def host_address() -> str | None:
    """An address of this machine that is no loopback one; None if it has none. Nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.254", 9))
        except OSError:
            return None
        found = str(probe.getsockname()[0])
    return None if ip_address(found).is_loopback else found


HOST: Final = host_address()


def whole_configuration(port: int) -> str:
    listen = [f"{own}:{port}" for own in (SPEAKER, HOST) if own is not None]
    tables = [f'[speaker]\nasn = {OURS}\nrouter_id = "{SPEAKER_ID}"\nlisten = {listen}\n']
    for case in ALL:
        own = address(1, case) if case.over_loopback or HOST is None else HOST
        tables.append(configuration(case, own, address(2, case)))
    return "\n".join(tables)


@pytest.fixture(scope="module")
def speaker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """`bgp run`, all peers configured: its port and its log."""
    folder = tmp_path_factory.mktemp("errors")
    with socket.socket() as reserved:
        # Bound and not listening, with SO_REUSEADDR on both sides: nobody else gets the port before the daemon has it.
        reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        reserved.bind((SPEAKER, 0))
        port = int(reserved.getsockname()[1])
        config = folder / "bgp.toml"
        config.write_text(whole_configuration(port))
        log = folder / "log"
        with log.open("wb") as out:
            daemon = subprocess.Popen(
                [sys.executable, "-m", "bgp", "run", str(config)],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env=os.environ | {"BGP_CONTROL": str(folder / "control")},
            )
        try:
            trio.run(_wait_until_it_knows_all_peers, folder / "control", daemon)
            yield port, log
            assert daemon.poll() is None, log.read_text()[-2000:]
            daemon.terminate()
            assert daemon.wait(30) == 0
        finally:
            daemon.kill()
            daemon.wait()


async def _wait_until_it_knows_all_peers(control: Path, daemon: subprocess.Popen[bytes]) -> None:
    """It listens before that, and refuses those that it does not know yet."""
    with trio.fail_after(60):
        while daemon.poll() is None:
            if await _peers(control) == 2 * len(ALL):
                return
            await trio.sleep(0.05)
    raise AssertionError("the speaker ended")


async def _peers(control: Path) -> int:
    try:
        stream = await trio.open_unix_socket(str(control))
    except OSError:
        return 0
    async with stream:
        await stream.send_all(b'{"ask": "summary"}\n')
        answer = b""
        while not answer.endswith(b"\n") and (more := await stream.receive_some()):
            answer += more
    return len(json.loads(answer.splitlines()[0])["row"]["peers"])


@pytest.mark.parametrize("case", CASES)
async def test_case(case: Case, speaker: tuple[int, Path]) -> None:
    port, log = speaker
    transport = TcpTransport()
    outer = HOST if not case.over_loopback else None
    if not case.over_loopback and outer is None:
        pytest.skip(
            "this machine has loopback addresses only, on which the case says something else: see test_in_memory"
        )
    own = outer or address(1, case)
    place = Place(
        End(transport, outer or SPEAKER, port, own),
        End(transport, SPEAKER, port, address(2, case)),
    )
    try:
        with trio.fail_after(60):
            await Run(case, place).play()
    except BaseException as error:
        lines = [line for line in log.read_text().splitlines() if f"{own} " in line]
        error.add_note("the speaker's log:\n" + "\n".join(lines[-TAIL:]))
        raise
