"""Records the UPDATEs that other people's speakers make of routes that we configure: `python tests/vectors/record.py WHO …`.

Each speaker runs on loopback, dials the collector here, and is told to announce the routes of its table in `recipes`. What it
then sends goes to `tests/vectors/WHO/nlri.jsonl`, a line a message, and the routes that were configured to `routes.jsonl`
beside it: family, our words for the route. The tests hold the two against each other; they do not run this script.
"""

from __future__ import annotations

import contextlib
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Final

from recipes import RECIPES, Recipe

from bgp.capability import Capability, FourOctetAs, Multiprotocol, RouteRefresh
from bgp.message import Keepalive, MpReach, Open, PathAttribute, Update
from bgp.wire.codec import encode, read
from bgp.wire.context import Context
from bgp.wire.nlri import FAMILIES
from bgp.wire.nlri.keys import parse_destination
from rib.as_path import AsPath
from rib.attributes import Origin

HERE: Final = Path(__file__).parent
COLLECTOR: Final = "127.0.0.2"
PORT: Final = 11790
FEEDER: Final = "127.0.0.33"
FEEDER_ASN: Final = 65033
#: Seconds without a message after which a speaker has said all that it will.
QUIET: Final = 4.0


def record(name: str, recipe: Recipe) -> int:
    """Run one speaker and write down what it says; gives the number of UPDATEs."""
    with (
        socket.create_server((COLLECTOR, PORT)) as listener,
        tempfile.TemporaryDirectory() as folder,
        contextlib.ExitStack() as stack,
    ):
        listener.settimeout(30)
        for file, text in recipe.files.items():
            path = Path(folder) / file
            path.write_text(text.format(collector=COLLECTOR, port=PORT, folder=folder))
            path.chmod(0o600)
        Path(folder).chmod(0o777)
        command = [word.format(folder=folder, port=PORT) for word in recipe.command]
        with subprocess.Popen(command, env=recipe.environment, cwd=folder, stdout=subprocess.DEVNULL) as process:
            try:
                connection, _ = listener.accept()
                if recipe.feeds_to is not None:
                    stack.enter_context(_feed(recipe, recipe.feeds_to))
                messages = list(_session(connection, recipe, folder))
            finally:
                process.terminate()
    target = HERE / name
    target.mkdir(exist_ok=True)
    context = {"as4": True, "addpath": []}
    with (target / "nlri.jsonl").open("w") as out:
        for octets in messages:
            out.write(json.dumps({"type": "UPDATE", "context": context, "hex": octets.hex()}) + "\n")
    with (target / "routes.jsonl").open("w") as out:
        for family, text in recipe.routes:
            out.write(json.dumps({"family": str(family), "route": text}) + "\n")
    return len(messages)


def _feed(recipe: Recipe, address: tuple[str, int]) -> socket.socket:
    """A session over which a speaker that cannot originate the routes of its table learns them, to pass them on."""
    connection = socket.create_connection(address, 30, source_address=(FEEDER, 0))
    families: tuple[Capability, ...] = tuple(Multiprotocol(family) for family in recipe.families)
    connection.sendall(encode(Open(4, FEEDER_ASN, 90, IPv4Address(FEEDER), (*families, FourOctetAs(FEEDER_ASN)))))
    _message(connection.makefile("rb").read)
    connection.sendall(encode(Keepalive()))
    for family, text in recipe.routes:
        hop = IPv6Address("2001:db8::9") if 12 not in FAMILIES[family].next_hops else IPv4Address("192.0.2.9")
        reach = MpReach(family, (hop,), (parse_destination(family, text),))
        path = AsPath.parse(str(FEEDER_ASN))
        attributes = (PathAttribute(0x80, 14, reach), PathAttribute(0x40, 1, Origin.IGP), PathAttribute(0x40, 2, path))
        connection.sendall(encode(Update(attributes=attributes)))
    return connection


def _session(connection: socket.socket, recipe: Recipe, folder: str) -> Iterator[bytes]:
    """The UPDATEs of a speaker, from its OPEN until it falls silent."""
    connection.settimeout(30)
    with connection, connection.makefile("rb") as stream:
        families: tuple[Capability, ...] = tuple(Multiprotocol(family) for family in recipe.families)
        asn = recipe.collector_asn
        ours = Open(4, asn, 90, recipe.bgp_id, (*families, RouteRefresh(), FourOctetAs(asn)))
        connection.sendall(encode(ours))
        told = False
        try:
            while octets := _message(stream.read):
                if octets[18] == 1:
                    connection.sendall(encode(Keepalive()))
                elif octets[18] == 4 and not told:
                    told = True
                    for command in recipe.then:
                        _run([word.format(folder=folder) for word in command])
                    connection.settimeout(QUIET)
                elif octets[18] == 2:
                    assert isinstance(read(octets, Context()), Update)
                    yield octets
        except TimeoutError:
            return


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command)}: {done.stdout}{done.stderr}")


def _message(receive: object) -> bytes:
    head = receive(19)  # type: ignore[operator]
    if len(head) < 19:
        return b""
    rest: bytes = receive(int.from_bytes(head[16:18], "big") - 19)  # type: ignore[operator]
    return bytes(head) + rest


if __name__ == "__main__":
    for who in sys.argv[1:] or RECIPES:
        print(who, record(who, RECIPES[who]))
        time.sleep(1)  # the port is free again
