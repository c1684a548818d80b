"""A real session between BIRD and our speaker, captured on its cable by tshark: we find in it what tshark finds."""

from __future__ import annotations

import io
import json
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
from interop.conftest import REQUIRED
from interop.daemons import Bird, Ours
from interop.wires import Namespace, end, eventually, two_hosts
from wire.formats.captures import ethernet, fragmented, pcap, tcp

from bgp.app.decode import run_decode
from bgp.app.form import Form

pytestmark = pytest.mark.skipif(
    shutil.which("tshark") is None and not REQUIRED, reason="tshark is not installed: make interop installs it"
)
LEFT, RIGHT = "192.0.2.1", "192.0.2.2"
COUNT: Final = 3000
KNOCK: Final = f"import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ({RIGHT!r}, 9))"

BIRD: Final = f"""
log stderr all;
router id {RIGHT};
protocol device {{}}
protocol direct {{ ipv4; interface "eth0"; }}
protocol static many {{ ipv4;
{{routes}}
}}
protocol bgp ours {{
  local {RIGHT} as 65002; neighbor {LEFT} as 4200000001; hold time 9; connect retry time 1;
  ipv4 {{ import all; export where source = RTS_STATIC; add paths on; }};
}}
"""
SPEAKER: Final = f"""
[speaker]
asn = 4200000001
router_id = "{LEFT}"
listen = ["{LEFT}:179"]
control = "{{control}}"
[[announce]]
prefixes = ["203.0.113.0/24"]
communities = ["65001:7"]
[[peer]]
address = "{RIGHT}"
asn = 65002
families = ["ipv4-unicast"]
import = "accept"
export = "accept"
connect_retry_time = 1
"""


def capturing(host: Namespace, path: Path, form: str, *more: str) -> subprocess.Popen[bytes]:
    """tshark, writing to `path` all that is on the cable; returns when it does so."""
    log = path.with_suffix(".log")
    process = host.start(["tshark", "-i", "eth0", "-F", form, "-w", str(path), *more], log)
    eventually(lambda: b"Capturing on" in log.read_bytes(), "tshark captures", log.read_text)
    eventually(lambda: path.exists() and path.stat().st_size, "the file has its header", log.read_text)
    header = path.stat().st_size
    # Its words come before its first packet: put something on the cable until there is one in the file.
    eventually(lambda: host.run(sys.executable, "-c", KNOCK) or path.stat().st_size > header, "packets are written")
    return process


@pytest.fixture(scope="module")
def captured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Path]]:
    """The same session in both formats, from both ends of the cable."""
    folder = tmp_path_factory.mktemp("captured")
    routes = "\n".join(f"route 10.{i >> 8}.{i & 255}.0/24 blackhole;" for i in range(COUNT))
    with two_hosts((f"{LEFT}/24", f"{RIGHT}/24")) as (left, right):
        files = {"pcap": folder / "left.pcap", "pcapng": folder / "right.pcapng"}
        sharks = [capturing(left, files["pcap"], "pcap"), capturing(left, files["pcapng"], "pcapng")]
        bird = Bird(right, folder / "bird", BIRD.replace("{routes}", routes))
        ours = Ours(left, folder / "ours", SPEAKER)
        bird.start()
        ours.start()
        eventually(lambda: len(ours.routes(RIGHT)) == COUNT, "all routes are here", ours.tail)
        eventually(lambda: bird.route("203.0.113.0/24"), "ours is there", bird.tail)
        ours.stop()
        bird.stop()
        ended = re.compile(rb"\xff{16}..\x03\x06", re.DOTALL)  # the Cease that was the last word
        eventually(lambda: all(ended.search(path.read_bytes()) for path in files.values()), "all is in the files")
        for shark in sharks:
            end(shark, signal.SIGINT)
        yield files


def ours_of(path: Path) -> list[dict[str, Any]]:
    out, err = io.StringIO(), io.StringIO()
    assert run_decode([str(path)], form=Form.JSON, strict=True, out=out, err=err) == 0, out.getvalue()[-2000:]
    assert not err.getvalue()
    return [json.loads(line) for line in out.getvalue().splitlines()]


def theirs_of(path: Path, field: str) -> list[str]:
    command = ["tshark", "-r", str(path), "-Y", "bgp", "-T", "fields", "-e", field, "-E", "aggregator=,"]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return [one for one in said.replace("\n", ",").split(",") if one]


@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_messages_are_those_that_tshark_finds(captured: dict[str, Path], form: str) -> None:
    names = {"1": "OPEN", "2": "UPDATE", "3": "NOTIFICATION", "4": "KEEPALIVE", "5": "ROUTE-REFRESH"}
    found = ours_of(captured[form])
    assert Counter(one["type"] for one in found) == Counter(
        names[kind] for kind in theirs_of(captured[form], "bgp.type")
    )
    assert {one["from"].split(":")[0] for one in found} == {LEFT, RIGHT}


@pytest.mark.parametrize("form", ["pcap", "pcapng"])
def test_prefixes_are_those_that_bird_was_told_to_announce(captured: dict[str, Path], form: str) -> None:
    announced = Counter[str]()
    for one in ours_of(captured[form]):
        if one["type"] == "UPDATE" and one["peer"] == RIGHT:
            announced.update(nlri if isinstance(nlri, str) else nlri[0] for nlri in one["message"]["nlri"])
    assert announced == Counter(f"10.{i >> 8}.{i & 255}.0/24" for i in range(COUNT))


def test_as_numbers_of_four_octets_and_the_peers(captured: dict[str, Path]) -> None:
    found = ours_of(captured["pcapng"])
    assert {(one["peer"], one["peer_asn"]) for one in found} == {(LEFT, 4_200_000_001), (RIGHT, 65002)}
    (route,) = [one for one in found if one["peer"] == LEFT and one["type"] == "UPDATE" and one["message"]["nlri"]]
    assert route["message"]["as_path"] == [[2, [4_200_000_001]]]
    assert route["message"]["communities"] == ["65001:7"]


def test_messages_in_fragments_are_those_that_tshark_finds(tmp_path: Path) -> None:
    """RFC 791 3.2, RFC 8200 4.5: out of order, the pieces of two datagrams among each other."""
    update = b"\xff" * 16 + bytes.fromhex("0017 02 0000 0000")
    keepalive = b"\xff" * 16 + bytes.fromhex("0013 04")
    packets: list[bytes] = []
    for one, two in ((LEFT, RIGHT), ("2001:db8::1", "2001:db8::2")):
        first = fragmented(tcp(update * 5 + keepalive, source=one, destination=two, sequence=1, acknowledged=1), 64, 1)
        second = fragmented(tcp(keepalive * 7, source=one, destination=two, sequence=135, acknowledged=1), 48, 2)
        packets += [*first[::-1], *second] if one == LEFT else [second[0], *first, *second[1:]]
    path = tmp_path / "fragments.pcap"
    path.write_bytes(pcap(map(ethernet, packets)))
    assert Counter(one["type"] for one in ours_of(path)) == {"UPDATE": 10, "KEEPALIVE": 16}
    assert Counter(theirs_of(path, "bgp.type")) == {"2": 10, "4": 16}


def test_a_capture_of_a_juniper_router(tmp_path: Path) -> None:
    keepalive = b"\xff" * 16 + bytes.fromhex("0013 04")
    frames = [
        ethernet(tcp(keepalive, source=LEFT, destination=RIGHT, sequence=1 + 19 * i, acknowledged=1)) for i in (0, 1)
    ]
    path = tmp_path / "juniper.pcap"
    path.write_bytes(pcap([b"MGC\1" + frames[0], b"MGC\x80\0\x06\1\4abcd" + frames[1]], link=178))
    assert [one["type"] for one in ours_of(path)] == ["KEEPALIVE"] * 2
    assert theirs_of(path, "bgp.type") == ["4"] * 2
