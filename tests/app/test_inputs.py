"""What a file is, by its first octets."""

from __future__ import annotations

import bz2
import gzip
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wire.formats.captures import pcap, section

from bgp.app import inputs
from bgp.app.inputs import SNIFFED, Kind, head_of, is_worth_a_thread, kind_of, opened, size_of

MRT = bytes.fromhex("5f3e0000 0010 0004 00000010")


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"", Kind.EMPTY),
        (b"ff", Kind.TEXT),
        (b'{"id": "x"}\r\n', Kind.TEXT),
        ('{"id": "größe"}'.encode(), Kind.TEXT),
        ("\ufeff{}".encode(), Kind.TEXT),
        ('{"id": "größe"}'.encode()[:10], Kind.TEXT),
        (b"\xff" * 19, Kind.MESSAGES),
        (MRT, Kind.MRT),
        (MRT[:3] + b"\0", Kind.MRT),
        (bytes.fromhex("5f3e0000 000d 0001 00000010"), Kind.MRT),
        (bytes.fromhex("5f3e0000 00ff 0001 00000010"), Kind.UNKNOWN),
        (bytes.fromhex("03 00000006 04"), Kind.BMP),
        (bytes.fromhex("03 00000006 09"), Kind.UNKNOWN),
        (pcap([]), Kind.PCAP),
        (pcap([], order=">", nanoseconds=True), Kind.PCAP),
        (section(), Kind.PCAPNG),
        (b"\x7fELF\2\1\1" + bytes(9), Kind.UNKNOWN),
        (b"text and then\0", Kind.UNKNOWN),
    ],
)
def test_kinds(head: bytes, kind: Kind) -> None:
    assert kind_of(head[:SNIFFED]) is kind


@given(st.binary(max_size=SNIFFED))
def test_any_beginning_is_of_some_kind(head: bytes) -> None:
    assert kind_of(head) in Kind


@pytest.mark.parametrize("packed", [lambda octets: octets, gzip.compress, bz2.compress])
def test_files_are_unpacked_and_looked_at_without_losing_anything(tmp_path: Path, packed: object) -> None:
    path, octets = tmp_path / "file", MRT * 20
    path.write_bytes(packed(octets))  # type: ignore[operator]
    with opened(str(path)) as (file, raw):
        assert head_of(file) == octets[:SNIFFED]
        assert b"".join(iter(lambda: file.read1(50), b"")) == octets
        assert size_of(raw) == path.stat().st_size


def test_what_is_no_file_has_no_size() -> None:
    with open("/dev/null", "rb") as nothing:
        assert size_of(nothing) is None


@pytest.mark.parametrize(("processors", "large", "worth"), [(2, 1, True), (1, 1, False), (2, 1 << 20, False)])
def test_large_compressed_files_are_worth_a_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processors: int, large: int, worth: bool
) -> None:
    monkeypatch.setattr(inputs.os, "cpu_count", lambda: processors)
    monkeypatch.setattr(inputs, "LARGE", large)
    for name, octets in (("packed", gzip.compress(MRT)), ("plain", MRT)):
        (tmp_path / name).write_bytes(octets)
        with opened(str(tmp_path / name)) as (file, raw):
            assert is_worth_a_thread(file, raw) is (worth and name == "packed")
