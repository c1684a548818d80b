"""Invariant: a file of any octets is read as MRT records, each of them whole, broken or of an unknown kind, or is torn.

What a record of a known kind says encodes to what is read the same.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from io import BytesIO
from typing import Final

from bgp.wire.fields import Malformed
from bgp.wire.formats.mrt import encode
from bgp.wire.formats.mrt_frames import raw_records
from bgp.wire.formats.mrt_scan import read_mrt
from bgp.wire.formats.mrt_values import Broken, Unread
from bgp.wire.formats.stream import Torn
from fuzz.mutate import ROOT

FILES: Final = (
    "mrtparse__bird-mrtdump_rib",
    "mrtparse__quagga_rib",
    "mrtparse__openbgpd_bgp",
    "mrtparse__bird-mrtdump_bgp",
)
#: Octets of a seed.
SIZE: Final = 2000


def one(octets: bytes) -> None:
    """Check one input."""
    records = []
    try:
        for record in read_mrt(BytesIO(octets)):
            records.append(record)
    except Torn:
        pass
    for record in records:
        if isinstance(record.content, Broken | Unread):
            continue
        try:
            again = encode(record)
        except Malformed:
            continue
        assert next(read_mrt(BytesIO(again))).content == record.content, again.hex()


def seeds() -> Iterator[bytes]:
    """Inputs to begin with: a few records of each kind from the files beside the checkout."""
    folder = ROOT.parent / "shared" / "data" / "mrt"
    for name in FILES:
        if not (folder / name).exists():
            continue
        octets = (folder / name).read_bytes()
        plain = gzip.decompress(octets) if octets[:2] == b"\x1f\x8b" else octets
        at = 0
        kinds: dict[tuple[int, int], int] = {}
        for place, _, kind, subtype, body in raw_records(BytesIO(plain)):
            kinds[kind, subtype] = kinds.get((kind, subtype), 0) + 1
            at = place
            if kinds[kind, subtype] <= 2 and len(body) < SIZE:
                yield plain[at : at + 12] + body
