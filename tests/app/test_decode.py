"""`bgp decode` over files of every kind, damaged ones included."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import os
import subprocess
import sys
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from struct import pack
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wire.formats.captures import enhanced as enhanced_packet
from wire.formats.captures import ethernet, interface, pcap, section, tcp
from wire.formats.test_bmp import PEER, peer_up

from bgp.app.decode import run_decode
from bgp.app.filters import Filter
from bgp.app.form import Form
from bgp.app.reading import LONGEST_LINE
from bgp.message import Keepalive, PathAttribute, Update
from bgp.wire.codec import encode
from bgp.wire.formats import bmp, mrt
from bgp.wire.formats.mrt_values import Bgp4mp, MessageRecord, Peer, PeerIndexTable, Record, Rib, Rib2, RibEntry, Unread
from bgp.wire.formats.mrt_values import IndexedPeer as Indexed
from rib.as_path import AsPath
from rib.attributes import Origin
from rib.community import Community
from rib.prefix import Prefix

ONE, TWO = PEER.address, Prefix("192.0.2.2/32").address
KEEPALIVE = encode(Keepalive())


def update(prefix: str = "198.51.100.0/24", path: str = "65001 65002", community: str = "65001:1") -> bytes:
    return encode(
        Update(
            attributes=(
                PathAttribute(0x40, 1, Origin.IGP),
                PathAttribute(0x40, 2, AsPath.parse(path)),
                PathAttribute(0x40, 3, Prefix("192.0.2.1/32").address),  # type: ignore[arg-type]
                PathAttribute(0xC0, 8, (Community.parse(community),)),
            ),
            nlri=(Prefix(prefix),),
        )
    )


def mrt_message(octets: bytes, asn: int = 65001, time: int = 100) -> bytes:
    return mrt.encode(
        Record(0, time, None, MessageRecord(Bgp4mp.MESSAGE_AS4, Peer(ONE, asn), Peer(TWO, 65000), 0, octets))
    )


LINE = "BGP4MP|100|A|192.0.2.1|65001|198.51.100.0/24|65001 65002|IGP|192.0.2.1|0|0|65001:1|NAG||\n"
ATTRIBUTES = update()[23 : 19 + 4 + int.from_bytes(update()[21:23], "big")]
TABLE = mrt.encode(
    Record(0, 5, None, PeerIndexTable(ONE, b"", (Indexed(2, ONE, ONE, 65001), Indexed(2, TWO, TWO, 65002))))  # type: ignore[arg-type]
) + mrt.encode(
    Record(0, 5, None, Rib(Rib2.RIB_IPV4_UNICAST, 0, Prefix("198.51.100.0/24"), (
        RibEntry(0, 4, None, ATTRIBUTES), RibEntry(1, 4, None, ATTRIBUTES), RibEntry(9, 4, None, ATTRIBUTES),
    )))
)  # fmt: skip


class Said:
    """What a run printed, and its status."""

    def __init__(
        self, path: Path | str, form: Form = Form.JSON, *, strict: bool = False, only: tuple[str, ...] = ()
    ) -> None:
        out, err = io.StringIO(), io.StringIO()
        self.status = run_decode([str(path)], form=form, strict=strict, out=out, err=err, keep=Filter.parse(only))
        self.out, self.err = out.getvalue(), err.getvalue()

    @property
    def objects(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def file(tmp_path: Path) -> Any:
    def written(octets: bytes, name: str = "file") -> Path:
        path = tmp_path / name
        path.write_bytes(octets)
        return path

    return written


def test_an_empty_file_says_nothing(file: Any) -> None:
    said = Said(file(b""))
    assert (said.status, said.out, said.err) == (0, "", "")


def test_a_file_that_is_not_there_and_a_directory_are_wrong_usage(tmp_path: Path) -> None:
    missing, folder = Said(tmp_path / "missing"), Said(tmp_path)
    assert (missing.status, folder.status) == (2, 2)
    assert "No such file" in missing.err
    assert "directory" in folder.err


@pytest.mark.parametrize("octets", [bytes(range(128, 255)), b"\x7fELF" + bytes(60), bytes(4) + b"\x01\xff"])
def test_garbage_is_named_as_such(file: Any, octets: bytes) -> None:
    said = Said(file(octets))
    assert said.status == 1
    assert "neither MRT" in said.err
    assert not said.out


@pytest.mark.parametrize("pack_it", [lambda octets: octets, gzip.compress, bz2.compress])
def test_mrt_plain_and_compressed(file: Any, pack_it: Any) -> None:
    said = Said(file(pack_it(mrt_message(update()))), Form.BGPDUMP)
    assert (said.status, said.out, said.err) == (0, LINE, "")


@pytest.mark.parametrize("form", Form)
def test_a_torn_last_record_loses_nothing_before_it(file: Any, form: Form) -> None:
    path = file(mrt_message(update()) * 2 + mrt_message(update())[:-5])
    said, strict = Said(path, form), Said(path, form, strict=True)
    assert len(said.out.splitlines()) == 2
    assert f"the record at {2 * len(mrt_message(update()))} has" in said.err
    assert (said.status, strict.status) == (0, 1)


def test_a_gzip_file_that_was_cut_gives_what_is_before(file: Any) -> None:
    whole = gzip.compress(b"".join(mrt_message(update(), time=time) for time in range(3000)))
    said = Said(file(whole[: len(whole) // 2]), Form.BGPDUMP)
    assert 1000 < len(said.out.splitlines()) < 2999
    assert "compressed file is damaged" in said.err


def test_a_gzip_file_that_was_altered_is_reported(file: Any) -> None:
    octets = bytearray(gzip.compress(mrt_message(update()) * 50))
    octets[-8] ^= 0xFF  # the checksum
    said = Said(file(bytes(octets)), strict=True)
    assert "damaged" in said.err
    assert said.status == 1
    assert Said(file(b"\x1f\x8b" + bytes(40))).err


def test_records_that_are_not_read_are_counted(file: Any) -> None:
    said = Said(file(mrt.encode(Record(0, 1, None, Unread(32, 0, b"x"))) + mrt_message(KEEPALIVE)))
    assert [one["type"] for one in said.objects] == ["KEEPALIVE"]
    assert "1 records of kinds that are not read" in said.err


def test_a_broken_record_is_an_error_among_the_others(file: Any) -> None:
    bad = pack(">IHHI", 7, 13, 2, 3) + b"abc"
    said = Said(file(mrt_message(KEEPALIVE) + bad + mrt_message(KEEPALIVE)))
    assert ["error" in one for one in said.objects] == [False, True, False]
    assert Said(file(bad + mrt_message(update())), Form.BGPDUMP).out == LINE


def test_routes_of_a_table_dump(file: Any) -> None:
    said = Said(file(TABLE))
    assert [(one.get("peer"), one.get("prefix")) for one in said.objects] == [
        ("192.0.2.1", "198.51.100.0/24"),
        ("192.0.2.2", "198.51.100.0/24"),
        (None, None),
    ]
    assert "peer 9 of 2" in said.objects[2]["error"]["reason"]
    lines = Said(file(TABLE), Form.BGPDUMP)
    assert lines.out.splitlines()[0] == LINE.strip().replace("BGP4MP|100|A", "TABLE_DUMP2|5|B")
    assert "peer 9 of 2" in lines.err


def test_text_in_hexadecimal_gives_a_line_for_each_line(file: Any) -> None:
    dotted = ":".join(f"{octet:02x}" for octet in KEEPALIVE)
    said = Said(file(f"{KEEPALIVE.hex()}\nnot hex\n\n0x{KEEPALIVE.hex()}\r\n{dotted}\nff\n".encode()), strict=True)
    assert [one.get("type") for one in said.objects] == ["KEEPALIVE", None, "KEEPALIVE", "KEEPALIVE", "UNKNOWN"]
    assert said.objects[1]["error"]["reason"] == "not a message: 'n' is no hexadecimal digit"
    assert "not a message" in said.objects[1]["error"]["reason"]
    assert said.objects[4]["error"]["notification"][:2] == [1, 2]
    assert said.status == 1


@pytest.mark.parametrize(
    "line",
    [
        "{",
        "{}",
        '{"hex": 5}',
        '{"hex": "zz"}',
        '{"hex": "ff", "context": 5}',
        '{"hex": "ff", "context": {"addpath": 5}}',
        '{"hex": "ff", "context": {"addpath": ["x"]}}',
        '{"id": ' + "[" * 100_000,
    ],
)
@pytest.mark.parametrize("form", Form)
def test_json_that_is_no_message_is_an_error_of_its_line(file: Any, line: str, form: Form) -> None:
    good = json.dumps({"id": "\ud800", "hex": KEEPALIVE.hex()})
    said = Said(file(f"{good}\n{line}\n{good}\n".encode()), form, strict=True)
    assert said.status == 1
    if form is Form.JSON:
        assert ["error" in one for one in said.objects] == [False, True, False]
        assert said.objects[0]["id"] == "\ud800"
    said.out.encode()


@pytest.mark.parametrize("ending", [b"\n", b""])
@pytest.mark.parametrize("length", [LONGEST_LINE - 1, LONGEST_LINE, 2 * LONGEST_LINE, 2 * LONGEST_LINE + 1])
def test_a_line_without_end_is_one_error(file: Any, length: int, ending: bytes) -> None:
    good = KEEPALIVE.hex().encode() + b"\n"
    said = Said(file(good + b"f" * length + ending + (good if ending else b"")))
    assert ["error" in one for one in said.objects] == [False, True, False][: 3 if ending else 2]


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('{"hex": "fff"}', "a digit of an octet is missing"),
        ('{"hex": "ff", "context": {"addpath": ["1/x"]}}', "'1/x' in `addpath` is not AFI/SAFI"),
        ("ff,0Xff", ""),
    ],
)
def test_what_is_wrong_with_a_line_is_said_in_words(file: Any, line: str, reason: str) -> None:
    (said,) = Said(file(line.encode())).objects
    assert said["error"]["reason"] == (f"not a message: {reason}" if reason else "2 octets; a message has at least 19")


def test_lines_of_messages_without_time_and_peer(file: Any) -> None:
    octets, line = update(), LINE.replace("|100|", "|0|").replace("|192.0.2.1|65001|", "|0.0.0.0|0|", 1)
    text = f"{octets.hex()}\nff\n{json.dumps({'id': 'bad', 'hex': KEEPALIVE.hex() + 'ff'})}\nnothing\n{octets.hex()}\n"
    said = Said(file(text.encode()), Form.BGPDUMP)
    assert said.out == 2 * line
    assert [one.partition(":")[0] for one in said.err.splitlines()] == ["message", "message bad", "not a message"]
    assert Said(file(octets + KEEPALIVE), Form.BGPDUMP).out == line
    assert Said(file(octets.hex().encode()), Form.BGPDUMP, only=("as=65002",)).out == line
    assert Said(file(octets.hex().encode()), Form.BGPDUMP, only=("as=7",)).out == ""
    paths = json.dumps({"hex": octets.hex(), "context": {"addpath": ["1/1"]}})
    assert "message: " in Said(file(paths.encode()), Form.BGPDUMP).err


def test_no_context_is_that_of_today(file: Any) -> None:
    line = json.dumps({"hex": KEEPALIVE.hex(), "context": None})
    assert Said(file(line.encode())).objects == [{"type": "KEEPALIVE", "message": {"length": 19}}]


def test_contexts_of_json_lines(file: Any) -> None:
    octets = encode(Update(attributes=(PathAttribute(0x40, 2, AsPath.of(65001)),)))
    for as4, error in ((True, False), (False, True)):
        line = json.dumps({"hex": octets.hex(), "context": {"as4": as4, "addpath": ["1/1"], "extended": True}})
        assert ("error" in Said(file(line.encode())).objects[0]) is error


def test_messages_one_after_the_other(file: Any) -> None:
    said = Said(file(KEEPALIVE + update() + KEEPALIVE[:-1]))
    assert [(one["at"], one["type"]) for one in said.objects] == [(0, "KEEPALIVE"), (19, "UPDATE")]
    assert "cut off" in said.err
    assert "says that it has 3 octets" in Said(file(KEEPALIVE + KEEPALIVE[:16] + b"\0\3\4")).err


def test_bmp_with_the_context_of_peer_up(file: Any) -> None:
    octets = b"".join(
        bmp.encode(one)
        for one in (
            bmp.Initiation((bmp.Tlv(2, b"r1"),)),
            peer_up(PEER, add_path=True),
            bmp.RouteMonitoring(PEER, update()),
            bmp.RouteMirroring(PEER, (bmp.Tlv(0, KEEPALIVE), bmp.Tlv(1, b"\0\1"))),
            bmp.StatisticsReport(PEER, (bmp.Statistic(7, bytes(7) + b"\5"), bmp.Statistic(99, b"\1"))),
            bmp.PeerDown(PEER, 4, b""),
            bmp.Termination((bmp.Tlv(1, b"\0\1"),)),
            bmp.UnknownBmp(9, b"x"),
        )
    )
    said = Said(file(octets))
    assert [one["type"] for one in said.objects] == [
        "INITIATION", "PEER-UP", "UPDATE", "KEEPALIVE", "ROUTE-MIRRORING", "STATISTICS", "PEER-DOWN", "TERMINATION", "BMP-9",
    ]  # fmt: skip
    assert said.objects[1]["sent"]["asn4"] == 65002
    assert said.objects[2]["table"] == "adj-rib-in"
    assert said.objects[2]["time"] == 1000.000005
    assert "error" in said.objects[2], "the session has path identifiers and this message has none"
    assert said.objects[5]["statistics"] == [
        {"name": "adj-rib-in-routes", "value": 5}, {"name": "statistic-99", "value": 1},
    ]  # fmt: skip
    plain = bmp.encode(bmp.RouteMonitoring(PEER, update()))
    assert Said(file(plain), Form.BGPDUMP).out == LINE.replace("BGP4MP|100", "BGP4MP_ET|1000.000005")
    assert "not a BMP message" in Said(file(plain + plain[:1] + b"\0\0\0\x07\1x")).objects[1]["error"]["reason"]


def frames() -> list[bytes]:
    return [
        ethernet(tcp(KEEPALIVE + update()[:20], sequence=1, acknowledged=1)),
        ethernet(tcp(update()[20:], sequence=40, acknowledged=1)),
        ethernet(tcp(KEEPALIVE[:10], sequence=1 + 19 + len(update()), acknowledged=1)),
    ]


def test_packet_captures(file: Any) -> None:
    for octets in (pcap(frames()), section() + interface() + b"".join(enhanced_packet(f, 10**8) for f in frames())):
        said = Said(file(octets))
        assert [(one.get("type"), one["packet"]) for one in said.objects] == [
            ("KEEPALIVE", 1),
            ("UPDATE", 2),
            (None, 3),
        ]
        assert said.objects[1]["from"] == "192.0.2.1:40000"
        assert "cut off" in said.objects[2]["error"]["reason"]
    lines = Said(file(pcap(frames())), Form.BGPDUMP)
    assert lines.out == LINE.replace("BGP4MP|100", "BGP4MP_ET|101.000005").replace("|65001|", "|0|", 1)
    assert "cut off" in lines.err


def test_link_types_that_are_not_read_are_named(file: Any) -> None:
    assert "2 packets of link type 147" in Said(file(pcap([b"x", b"y"], link=147))).err


def test_words_for_people(file: Any) -> None:
    said = Said(file(mrt_message(update()) + TABLE), Form.TEXT)
    first, second, *_ = said.out.splitlines()
    assert first.startswith("UPDATE  time 100  peer 192.0.2.1")
    assert "nlri 198.51.100.0/24" in first
    assert second.startswith("RIB  time 5  peer 192.0.2.1  prefix 198.51.100.0/24")


def test_words_of_strangers_cannot_steer_the_terminal(file: Any) -> None:
    said = Said(file(bmp.encode(bmp.Initiation((bmp.Tlv(2, b"\x1b[2Jr1"),)))), Form.TEXT)
    assert said.out == "INITIATION  information (sys-name \\u001b[2Jr1)\n"


@pytest.mark.parametrize("form", Form)
@pytest.mark.parametrize(
    ("only", "kept"),
    [
        ((), 4),
        (("prefix=198.51.100.0/24",), 3),
        (("covered=198.51.0.0/16",), 4),
        (("covered=198.51.100.128/25",), 0),
        (("covering=198.51.100.7",), 4),
        (("as=65002",), 3),
        (("as=64999,65009",), 1),
        (("origin=65002",), 3),
        (("origin=65001",), 0),
        (("community=65001:1",), 3),
        (("community=no-export",), 1),
        (("community=1:2:3",), 0),
        (("community=rt:1:2",), 0),
        (("peer=192.0.2.1",), 3),
        (("peer=192.0.2.0/24",), 4),
        (("peer-as=65002",), 1),
        (("peer-as=65002", "as=65002"), 1),
        (("peer-as=65009", "as=65002"), 0),
    ],
)  # fmt: skip
def test_filters(file: Any, form: Form, only: tuple[str, ...], kept: int) -> None:
    octets = mrt_message(update()) + TABLE + mrt_message(update("198.51.0.0/16", "65009", "no-export"))
    said = Said(file(octets), form, only=only)
    assert sum("ERROR" not in line and "error" not in line for line in said.out.splitlines()) == kept


def test_a_filter_on_prefixes_narrows_lines_but_not_messages(file: Any) -> None:
    octets = encode(Update(withdrawn=(Prefix("10.0.0.0/8"), Prefix("198.51.100.0/24"))))
    path = file(mrt_message(octets))
    only = ("prefix=10.0.0.0/8",)
    assert Said(path, Form.BGPDUMP, only=only).out == "BGP4MP|100|W|192.0.2.1|65001|10.0.0.0/8\n"
    assert Said(path, only=only).objects[0]["message"]["withdrawn"] == ["10.0.0.0/8", "198.51.100.0/24"]


def test_standard_input_stays_open(monkeypatch: pytest.MonkeyPatch, file: Any) -> None:
    with file(KEEPALIVE.hex().encode()).open("rb") as stdin:
        monkeypatch.setattr(sys, "stdin", stdin)
        out = io.StringIO()
        assert run_decode((), form=Form.JSON, strict=False, out=out, err=out) == 0
        assert json.loads(out.getvalue())["type"] == "KEEPALIVE"
        assert not stdin.closed


def test_memory_does_not_grow_with_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bgp.wire.formats.stream.CHUNK", 1 << 12)
    records = b"".join(mrt_message(update(path=f"65001 {number}")) for number in range(1, 100))

    def peak(times: int) -> int:
        path = tmp_path / f"{times}.gz"
        with gzip.open(path, "wb") as packed:
            for _ in range(times):
                packed.write(records)
        with open(os.devnull, "w") as nowhere:
            tracemalloc.start()
            run_decode([str(path)], form=Form.BGPDUMP, strict=False, out=nowhere, err=nowhere)
            found = tracemalloc.get_traced_memory()[1]
            tracemalloc.stop()
        return found

    peak(5)  # what is kept from now on
    assert peak(40) < 1.1 * peak(10) + 50_000


@contextmanager
def running(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    command = [sys.executable, "-m", "bgp", "decode", *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        yield process


def test_closing_standard_output_early_is_no_error(file: Any) -> None:
    with running("--format", "bgpdump", str(file(mrt_message(update()) * 5000))) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().decode() == LINE
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == 0


def test_the_command_line(file: Any) -> None:
    path = str(file(mrt_message(update()) + mrt_message(KEEPALIVE[:-1])))
    with running("--json", "--strict", "--filter", "as=65002", path) as process:
        out, _ = process.communicate()
        assert json.loads(out)["peer_asn"] == 65001
        assert process.returncode == 0, "what does not pass the filter is not decoded"
    with running("--strict", path) as process:
        process.communicate()
        assert process.returncode == 1
    with running("--filter", "colour=red", path) as process:
        _, err = process.communicate()
        assert process.returncode == 2
        assert b"write KIND=VALUE" in err


@given(
    st.binary(max_size=120),
    st.sampled_from([b"", KEEPALIVE, mrt_message(KEEPALIVE), pcap([]), section(), b"\3\0\0\0\6\4"]),
)
@settings(max_examples=150)
def test_any_octets_are_decoded_or_complained_about(octets: bytes, before: bytes) -> None:
    for form in Form:
        out, err = io.StringIO(), io.StringIO()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("bgp.app.decode.opened", lambda _: in_memory(before + octets))
            assert run_decode(["file"], form=form, strict=False, out=out, err=err) in (0, 1)


@contextmanager
def in_memory(octets: bytes) -> Iterator[tuple[io.BufferedReader, Any]]:
    with open(os.devnull, "rb") as nothing:
        yield io.BufferedReader(io.BytesIO(octets)), nothing  # type: ignore[arg-type]
