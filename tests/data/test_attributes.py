"""The path attributes of the corpus, of other people's speakers: what passes the check comes out as it went in."""

from __future__ import annotations

from collections import Counter

from shared_data import json_lines

from bgp.iana import AttributeCode as Code
from bgp.wire.attributes import ATTRIBUTES, check, decode_value, encode_value
from bgp.wire.context import Context
from bgp.wire.spelling import split
from rib.community import ExtendedCommunity


def test_attributes_come_out_as_they_went_in() -> None:
    read: Counter[int] = Counter()
    kinds: Counter[str] = Counter()
    seen: set[tuple[int, bytes, bool]] = set()
    for line in json_lines("data/corpus.jsonl.gz"):
        body = bytes.fromhex(line["hex"])[19:]
        start = 4 + int.from_bytes(body[:2], "big")
        block = body[start : start + int.from_bytes(body[start - 2 : start], "big")]
        context = Context(as4=line["context"].get("as4", True))
        for flags, code, value in split(block)[0] if line["type"] == "UPDATE" else ():
            key = (code, value, context.as4)
            if key in seen or code not in ATTRIBUTES or code in (Code.MP_REACH_NLRI, Code.MP_UNREACH_NLRI):
                continue
            seen.add(key)
            if check(code, flags, value, context) is None:
                found = decode_value(code, value, context)
                assert encode_value(code, found, context) == value, line["id"]
                read[code] += 1
                if code == Code.EXTENDED_COMMUNITIES and isinstance(found, tuple):
                    kinds.update(one.kind for one in found if isinstance(one, ExtendedCommunity))
    least = {
        Code.PMSI_TUNNEL: 1,
        Code.TUNNEL_ENCAPSULATION: 4,
        Code.BGP_LS: 3,
        Code.PREFIX_SID: 5,
        Code.AS_PATH: 20_000,
    }
    assert {code: read[code] for code in least if read[code] < least[code]} == {}
    assert kinds[""] <= 3, "nearly all extended communities are of a kind that is known"
