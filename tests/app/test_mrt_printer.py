"""What is printed of every kind of MRT record."""

from __future__ import annotations

import io
import json
from ipaddress import IPv4Address, IPv6Address
from pathlib import Path
from typing import Any, Final

import pytest

from bgp.app.decode import run_decode
from bgp.app.filters import Filter
from bgp.app.form import Form
from bgp.wire.formats.mrt import encode
from bgp.wire.formats.mrt_values import (
    Bgp4mp,
    Content,
    GeoPeerTable,
    IndexedPeer,
    Legacy,
    LegacyMessage,
    LegacyStateChange,
    MessageRecord,
    Peer,
    PeerIndexTable,
    Record,
    Rib,
    Rib2,
    RibEntry,
    RibGeneric,
    StateChange,
    TableDump,
)
from bgp.wire.header import with_header
from rib.family import VPNV4
from rib.prefix import Prefix

ONE, SIX = IPv4Address("192.0.2.1"), IPv6Address("2001:db8::1")
PEER, LOCAL = Peer(ONE, 65001), Peer(IPv4Address("192.0.2.2"), 65002)
ATTRIBUTES: Final = bytes.fromhex("40010100 40020602010000fde9 400304c0000201")
NARROW: Final = bytes.fromhex("40010100 4002040201fde9 400304c0000201")
#: VPNv4: next hop with a route distinguisher; label 16, route distinguisher 65001:1, 198.51.100.0/24.
VPN_NEXT_HOP: Final = bytes.fromhex("40010100 40020602010000fde9 800e0d 0c 0000000000000000 c0000201")
VPN_NLRI: Final = bytes.fromhex("70 000101 0000fde900000001 c63364")
PEERS: Final = PeerIndexTable(ONE, b"", (IndexedPeer(2, ONE, ONE, 65001), IndexedPeer(3, ONE, SIX, 65003)))
UPDATE: Final = with_header(2, b"\0\0\0\x14" + ATTRIBUTES + b"\x08\x0a")
NARROW_UPDATE: Final = with_header(2, b"\0\0\0\x12" + NARROW + b"\x08\x0a")


def printed(
    tmp_path: Path, form: Form, *contents: Content, only: tuple[str, ...] = (), exact: int | None = None
) -> Any:
    path = tmp_path / "records.mrt"
    path.write_bytes(b"".join(encode(Record(0, 100, exact, one)) for one in contents))
    out, err = io.StringIO(), io.StringIO()
    run_decode([str(path)], form=form, strict=False, out=out, err=err, keep=Filter.parse(only))
    if form is Form.JSON:
        return [json.loads(line) for line in out.getvalue().splitlines()], err.getvalue()
    return out.getvalue(), err.getvalue()


TAIL = "|65001|IGP|192.0.2.1|0|0||NAG||\n"


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (MessageRecord(Bgp4mp.MESSAGE_AS4, PEER, LOCAL, 0, UPDATE), "BGP4MP|100|A|192.0.2.1|65001|10.0.0.0/8" + TAIL),
        (MessageRecord(Bgp4mp.MESSAGE, PEER, LOCAL, 0, NARROW_UPDATE), "BGP4MP|100|A|192.0.2.1|65001|10.0.0.0/8" + TAIL),
        (LegacyMessage(Legacy.UPDATE, PEER, LOCAL, NARROW_UPDATE),
         "BGP|100|A|192.0.2.1|65001|10.0.0.0/8" + TAIL.replace("0||NAG", "0|NAG")),
        (LegacyStateChange(PEER, 3, 6), "BGP|100|STATE|192.0.2.1|65001|3|6\n"),
        (StateChange(Bgp4mp.STATE_CHANGE, PEER, LOCAL, 0, 3, 6), "BGP4MP|100|STATE|192.0.2.1|65001|3|6\n"),
        (TableDump(0, 0, Prefix("10.0.0.0/8"), 1, 5, PEER, NARROW), "TABLE_DUMP|100|B|192.0.2.1|65001|10.0.0.0/8" + TAIL),
        (RibGeneric(Rib2.RIB_GENERIC, 0, VPNV4, VPN_NLRI, (RibEntry(0, 5, None, VPN_NEXT_HOP),)), ""),
        (GeoPeerTable(ONE, b"", bytes(4), bytes(4), ()), ""),
    ],
)  # fmt: skip
def test_lines(tmp_path: Path, content: Content, line: str) -> None:
    assert printed(tmp_path, Form.BGPDUMP, PEERS, content) == (line, "")


def test_messages_with_microseconds(tmp_path: Path) -> None:
    message = MessageRecord(Bgp4mp.MESSAGE_AS4_ADDPATH, PEER, LOCAL, 0, with_header(2, b"\0\6\0\0\0\7\x08\x0a\0\0"))
    out, _ = printed(tmp_path, Form.BGPDUMP, message, exact=5)
    assert out == "BGP4MP_ET_AP|100.000005|W|192.0.2.1|65001|10.0.0.0/8|7\n"
    ((found,), _) = printed(tmp_path, Form.JSON, message, exact=5)
    assert (found["time"], found["message"]["withdrawn"]) == (100.000005, [["10.0.0.0/8", 7]])


def test_ipv6_routes_of_a_first_table_dump(tmp_path: Path) -> None:
    attributes = bytes.fromhex("40010100 4002040201fde9 800e11 10 20010db8000000000000000000000009")
    route = TableDump(0, 0, Prefix("2001:db8::/32"), 1, 5, Peer(SIX, 65003), attributes)
    out, _ = printed(tmp_path, Form.BGPDUMP, route)
    assert out == "TABLE_DUMP|100|B|2001:db8::1|65003|2001:db8::/32|65001|IGP|2001:db8::9|0|0||NAG||\n"
    ((found,), _) = printed(tmp_path, Form.JSON, route)
    assert found["message"]["mp_reach_nlri"] == ["2001:db8::/32"]
    assert found["message"]["mp_reach_next_hop"] == ["2001:db8::9"]


def test_generic_routes(tmp_path: Path) -> None:
    entries = (RibEntry(0, 5, None, VPN_NEXT_HOP), RibEntry(1, 6, None, VPN_NEXT_HOP))
    found, err = printed(tmp_path, Form.JSON, PEERS, RibGeneric(Rib2.RIB_GENERIC, 0, VPNV4, VPN_NLRI, entries))
    assert not err
    assert [(one["peer"], one["originated"], "prefix" in one) for one in found] == [
        ("192.0.2.1", 5, False), ("2001:db8::1", 6, False),
    ]  # fmt: skip
    assert found[0]["message"]["mp_reach_nlri"] == [{"prefix": "198.51.100.0/24", "labels": [16], "rd": "65001:1"}]
    assert found[0]["message"]["mp_reach_next_hop"] == ["192.0.2.1"]


@pytest.mark.parametrize("form", [Form.JSON, Form.BGPDUMP])
def test_attributes_that_are_malformed_are_said_to_be(tmp_path: Path, form: Form) -> None:
    bad = ATTRIBUTES.replace(b"\x40\x01\x01\x00", b"\x40\x01\x01\x09")
    rib = Rib(
        Rib2.RIB_IPV4_UNICAST, 0, Prefix("10.0.0.0/8"), (RibEntry(0, 5, None, bad), RibEntry(1, 5, None, ATTRIBUTES))
    )
    found, err = printed(tmp_path, form, PEERS, rib)
    if form is Form.JSON:
        assert [one.get("error", {}).get("reaction") for one in found] == ["treat-as-withdraw", None]
    else:
        assert len(found.splitlines()) == 2
        assert "ORIGIN 9" in err


@pytest.mark.parametrize("form", [Form.JSON, Form.BGPDUMP])
def test_routes_that_cannot_be_read_are_reported(tmp_path: Path, form: Form) -> None:
    entry = RibEntry(0, 5, None, bytes.fromhex("800e03 02c000"))
    found, err = printed(tmp_path, form, PEERS, Rib(Rib2.RIB_IPV6_UNICAST, 0, Prefix("2001:db8::/32"), (entry,)))
    assert "next hop" in (json.dumps(found) if form is Form.JSON else err)


def test_filters_on_states_and_peers(tmp_path: Path) -> None:
    change = StateChange(Bgp4mp.STATE_CHANGE, PEER, LOCAL, 0, 3, 6)
    message = MessageRecord(Bgp4mp.MESSAGE_AS4, PEER, LOCAL, 0, UPDATE)
    for form in (Form.JSON, Form.BGPDUMP):
        assert len(printed(tmp_path, form, change, message, only=("peer-as=65001",))[0]) > 1
        assert not printed(tmp_path, form, change, message, only=("peer-as=65009",))[0]
        assert "STATE" not in str(printed(tmp_path, form, change, message, only=("as=65001",))[0])
