"""BMP messages in their JSON form."""

from __future__ import annotations

import pytest
from wire.formats.test_bmp import OPEN, PEER, SIX_PEER, peer_up

from bgp.app.bmp_form import other_json, peer_json, peer_up_json, table_name
from bgp.wire.formats.bmp import (
    ADJ_RIB_OUT,
    FILTERED,
    POST_POLICY,
    Initiation,
    PeerDown,
    PeerType,
    RouteMirroring,
    Statistic,
    StatisticsReport,
    Termination,
    Tlv,
    UnknownBmp,
)


@pytest.mark.parametrize(
    ("kind", "flags", "name"),
    [
        (PeerType.GLOBAL, 0, "adj-rib-in"),
        (PeerType.GLOBAL, POST_POLICY, "adj-rib-in-post-policy"),
        (PeerType.RD, ADJ_RIB_OUT, "adj-rib-out"),
        (PeerType.LOCAL, ADJ_RIB_OUT | POST_POLICY, "adj-rib-out-post-policy"),
        (PeerType.LOC_RIB, 0, "loc-rib"),
        (PeerType.LOC_RIB, FILTERED, "loc-rib"),
    ],
)
def test_the_table_that_a_message_is_about(kind: int, flags: int, name: str) -> None:
    assert table_name(PEER._replace(type=kind, flags=flags)) == name


def test_peers() -> None:
    assert peer_json(PEER) == {
        "time": 1000.000005,
        "peer": "192.0.2.1",
        "peer_asn": 65001,
        "peer_id": "10.0.0.1",
        "table": "adj-rib-in",
    }
    private = peer_json(SIX_PEER._replace(type=PeerType.RD, distinguisher=b"\0\0\0\1\0\0\0\2"))
    assert (private["peer"], private["peer_type"], private["distinguisher"]) == (
        "2001:db8::1",
        "rd",
        "0000000100000002",
    )
    assert peer_json(PEER._replace(type=9))["peer_type"] == 9
    assert peer_json(PEER._replace(type=PeerType.LOC_RIB, flags=FILTERED))["filtered"] is True


def test_peers_that_come_up() -> None:
    found = peer_up_json(peer_up(PEER, add_path=True)._replace(information=(Tlv(3, b"v1"), Tlv(77, b"x"))))
    assert found["local"] == "192.0.2.2"
    assert found["ports"] == [179, 4000]
    assert found["information"] == [["vrf-table-name", "v1"], ["77", "x"]]
    assert isinstance(found["received"], dict)
    assert found["received"]["add_path"] == [[1, 1, 3]]
    unread = peer_up_json(peer_up(PEER, add_path=True)._replace(sent_open=bytes.fromhex(OPEN)[:-1]))
    assert unread["sent"] == {"hex": bytes.fromhex(OPEN)[:-1].hex()}


def test_the_others() -> None:
    statistics = (Statistic(7, b"\0\0\0\5"), Statistic(9, bytes.fromhex("0002010000000000000006")), Statistic(500, b""))
    assert other_json(StatisticsReport(PEER, statistics)) == {
        "type": "STATISTICS",
        "statistics": [
            {"name": "adj-rib-in-routes", "value": 5},
            {"name": "adj-rib-in-routes-by-family", "value": 6, "family": "ipv6-unicast"},
            {"name": "statistic-500", "value": 0},
        ],
    }
    assert other_json(PeerDown(PEER, 2, b"\0\x12")) == {
        "type": "PEER-DOWN",
        "reason": "local-no-notification",
        "data": "0012",
    }
    assert other_json(PeerDown(PEER, 99, b"")) == {"type": "PEER-DOWN", "reason": "99"}
    assert other_json(Initiation(())) == {"type": "INITIATION"}
    assert other_json(Initiation((Tlv(1, b"a router"),))) == {
        "type": "INITIATION", "information": [["sys-descr", "a router"]],
    }  # fmt: skip
    assert other_json(Termination((Tlv(0, b"bye"), Tlv(1, b"\0\2")))) == {
        "type": "TERMINATION", "information": [["string", "bye"], ["reason", 2]],
    }  # fmt: skip
    assert other_json(RouteMirroring(PEER, (Tlv(1, b"\0\1"),))) == {"type": "ROUTE-MIRRORING", "items": [[1, "0001"]]}
    assert other_json(UnknownBmp(9, b"x")) == {"type": "BMP-9", "data": "78"}
