"""`bgp decode --format bgpdump` prints what bgpdump prints of real files, line for line."""

from __future__ import annotations

import bz2
import gzip
import io
import json
from collections import Counter
from pathlib import Path
from typing import Final

import pytest
from shared_data import SHARED, shared

from bgp.app.decode import run_decode
from bgp.app.form import Form
from bgp.wire.formats.mrt import encode
from bgp.wire.formats.mrt_scan import read_mrt
from bgp.wire.formats.mrt_values import Unread

MANIFEST: Final = SHARED / "data/mrt/MANIFEST.json"
FILES: Final = json.loads(MANIFEST.read_text()) if MANIFEST.exists() else []
AGREED: Final = [one["file"] for one in FILES if one["status"].startswith("agreed")]
#: "disputed" for six lines of bgpkit's; torn at the end.
TORN: Final = "pyasn__rib6.20151101.0600_firstMB.bz2"
#: "one reader only": records of the deprecated type BGP.
LEGACY: Final = "bgpkit-parser__ripe__rrc00__1999.12__updates.19991214.1621.gz"


def ours(name: str) -> tuple[Counter[str], str]:
    """Our lines, and what was said on standard error."""
    out, err = io.StringIO(), io.StringIO()
    assert run_decode([str(shared(f"data/mrt/{name}"))], form=Form.BGPDUMP, strict=False, out=out, err=err) == 0
    return Counter(out.getvalue().splitlines()), err.getvalue()


def theirs(name: str) -> Counter[str]:
    """The lines of `bgpdump -m`."""
    with gzip.open(shared(f"data/mrt/{name}.bgpdump-m.txt.gz"), "rt") as lines:
        return Counter(line.rstrip("\n") for line in lines)


def test_there_are_files_to_compare() -> None:
    shared("data/mrt")
    assert len(AGREED) >= 14


@pytest.mark.parametrize("name", AGREED)
def test_lines_are_those_of_bgpdump(name: str) -> None:
    expected, (found, _) = theirs(name), ours(name)
    assert (expected - found, found - expected) == (Counter(), Counter())


def test_routes_before_the_torn_end_are_kept_and_the_end_is_reported() -> None:
    expected, (found, said) = theirs(TORN), ours(TORN)
    assert found == expected
    assert f"{TORN}: the compressed file is damaged" in said


def test_the_deprecated_type_reads_as_in_bgpdump_but_for_withdrawals() -> None:
    """bgpdump prints the peer's address in place of the prefix of a withdrawal; the number of lines is right."""
    expected, (found, _) = theirs(LEGACY), ours(LEGACY)

    def withdrawals(lines: Counter[str]) -> Counter[str]:
        return Counter({line: count for line, count in lines.items() if line.split("|")[2] == "W"})

    assert found - withdrawals(found) == expected - withdrawals(expected)
    assert withdrawals(found).total() == withdrawals(expected).total() == 1363


@pytest.mark.parametrize("name", [*AGREED, LEGACY])
def test_records_encode_to_the_octets_they_were_read_from(name: str) -> None:
    octets = decompressed(shared(f"data/mrt/{name}"))
    read, at = 0, 0
    for record in read_mrt(io.BytesIO(octets)):
        again = encode(record)
        assert again == octets[at : at + len(again)], f"record at {at}"
        assert not isinstance(record.content, Unread)
        read, at = read + 1, at + len(again)
    assert at == len(octets)
    assert read == sum(next(one["records"] for one in FILES if one["file"] == name).values())


def decompressed(path: Path) -> bytes:
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    return bz2.decompress(path.read_bytes()) if path.suffix == ".bz2" else path.read_bytes()
