"""What is read is written as it was; where not, docs/canonical.md says why, and the difference means nothing."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Final

from shared_data import json_lines

from bgp.app.reading import context_of_json
from bgp.error import PeerError
from bgp.message import Message, Open, Update
from bgp.wire.codec import encode, read
from bgp.wire.context import Context

DOC: Final = Path(__file__).parents[2] / "docs" / "canonical.md"
REFUSED: Final = 54


def change(message: Message, octets: bytes, again: bytes, context: Context) -> str:
    """Why `again` is not `octets`: the first column of the document."""
    if isinstance(message, Update) and message.errors:
        return "UPDATEs with an error"
    assert read(again, context) == message
    assert encode(read(again, context), context) == again
    if isinstance(message, Open):
        return "capabilities of an OPEN in one optional parameter"
    assert len(again) == len(octets)
    assert all(new in (old, old & new) for old, new in zip(octets, again, strict=True)), "bits are only cleared"
    return "bits after the prefix"


def test_messages_are_written_as_they_were_read_but_for_what_the_document_lists() -> None:
    changed, refused = Counter[str](), 0
    for line in json_lines("data/corpus.jsonl.gz"):
        octets, context = bytes.fromhex(line["hex"]), context_of_json(line["context"])
        try:
            message = read(octets, context)
        except PeerError:
            refused += 1
            continue
        again = encode(message, context)
        if again != octets:
            changed[change(message, octets, again, context)] += 1
    rows = [line.strip("| \n").split(" | ") for line in DOC.read_text().splitlines() if line.startswith("| ")]
    assert changed == {row[0]: int(row[1]) for row in rows[2:]}
    assert refused == REFUSED
