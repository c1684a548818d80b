from __future__ import annotations

import json
from io import StringIO

import pytest

from bgp.app.show import (
    RECEIVED,
    REJECTED,
    ROUTES,
    SAMPLE,
    Column,
    duration,
    parsed,
    show_decision,
    show_kernel,
    show_neighbor,
    show_routes,
    show_rows,
    show_summary,
)


def route(prefix: str, **more: object) -> str:
    fields = {"prefix": prefix, "family": "ipv4-unicast", "from": "10.0.0.2", "kind": "external", "as_path": "65002"}
    return json.dumps(fields | {"origin": "igp", "next_hop": "10.0.0.2"} | more)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (0.9, "0 s"),
        (59.9, "59 s"),
        (60, "1 min"),
        (63, "1 min 3 s"),
        (3600, "1 h"),
        (3725, "1 h 2 min"),
        (86400, "1 d"),
        (7 * 86400 + 7201, "7 d 2 h"),
    ],
)
def test_durations_have_two_units(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def table(rows: list[str], columns: tuple[Column, ...]) -> list[str]:
    out = StringIO()
    count = show_routes(rows, columns, out)
    assert count == len(rows)
    return out.getvalue().splitlines()


def test_a_table_for_each_family_with_the_columns_that_have_something() -> None:
    rows = [
        route("10.0.0.0/8", communities=["65000:1", "no-export"], large_communities=["1:2:3"]),
        route("10.1.0.0/26", kind="local", **{"from": "local"}, as_path="", med=10),
        route("2001:db8::/32", family="ipv6-unicast", next_hop="2001:db8::2", name="tor1"),
    ]
    assert table(rows, ROUTES) == [
        "ipv4-unicast",
        "  prefix       next hop  MED  from      origin  AS path  communities",
        "  10.0.0.0/8   10.0.0.2       10.0.0.2  igp     65002    65000:1 no-export 1:2:3",
        "  10.1.0.0/26  10.0.0.2   10  own       igp",
        "",
        "ipv6-unicast",
        "  prefix         next hop     from  origin  AS path",
        "  2001:db8::/32  2001:db8::2  tor1  igp     65002",
    ]


def test_routes_that_are_not_used_have_their_reason() -> None:
    rows = [
        route("10.0.0.0/8", refused="own AS in AS_PATH: 65001"),
        route("10.1.0.0/16", lost="path length (RFC 4271)"),
    ]
    assert table(rows, REJECTED) == [
        "ipv4-unicast",
        "  prefix       from      why it is not used              next hop  AS path",
        "  10.0.0.0/8   10.0.0.2  own AS in AS_PATH: 65001        10.0.0.2  65002",
        "  10.1.0.0/16  10.0.0.2  lost by path length (RFC 4271)  10.0.0.2  65002",
    ]
    assert table(rows[:1], RECEIVED)[-1].endswith("  own AS in AS_PATH: 65001")


def test_rows_after_the_sample_come_as_they_are_read() -> None:
    read: list[int] = []

    def rows() -> object:
        for number in range(SAMPLE + 100):
            read.append(number)
            yield route(f"10.0.0.{number % 256}/32")

    class Watcher(StringIO):
        def write(self, text: str) -> int:
            written.append(len(read))
            return super().write(text)

    written: list[int] = []
    assert show_routes(rows(), ROUTES, Watcher()) == SAMPLE + 100  # type: ignore[arg-type]
    # The family's name, after one row; the headings, after the sample; the last row once all is read.
    assert written[0] == 1
    assert written[1] == SAMPLE
    assert written[-1] == SAMPLE + 100


def test_no_rows() -> None:
    out = StringIO()
    assert show_routes([], ROUTES, out) == 0
    assert out.getvalue() == ""


def test_json_rows_are_repeated() -> None:
    out = StringIO()
    show_rows(['{"a":1}', '{"b":2}'], out)
    assert out.getvalue() == '{"a":1}\n{"b":2}\n'


PEER = {
    "address": "10.0.0.2",
    "name": "tor1",
    "asn": 65002,
    "kind": "eBGP",
    "state": "Established",
    "since": 63.0,
    "why": "",
    "messages_received": 12,
    "messages_sent": 9,
    "received": 4,
    "used": 3,
}
SUMMARY = {
    "asn": 65001,
    "router_id": "10.0.0.1",
    "hostname": "",
    "listening": ["10.0.0.1:179"],
    "uptime": 3725.0,
    "memory": 58_000_000,
    "routes": {"ipv4-unicast": 5},
    "paths": 4,
    "announced": 1,
    "update_groups": 1,
    "draining": "no",
    "peers": [
        PEER,
        PEER | {"address": "10.0.0.3", "name": "", "state": "Idle", "received": None, "used": None, "why": "refused"},
    ],
}


def test_summary() -> None:
    out = StringIO()
    show_summary(parsed(json.dumps(SUMMARY)), out)
    assert out.getvalue().splitlines() == [
        "AS 65001, BGP identifier 10.0.0.1, up 1 h 2 min",
        "listens on 10.0.0.1:179; peak memory 58 MB",
        "best routes: 5 ipv4-unicast; paths 4; own 1; update groups 1",
        "",
        " peer              kind      AS   state         for         messages in   out   routes   used   why",
        " " + "─" * 102,
        " 10.0.0.2 (tor1)   eBGP   65002   Established   1 min 3 s            12     9        4      3",
        " 10.0.0.3          eBGP   65002   Idle          1 min 3 s            12     9                   refused",
    ]


def test_summary_without_peers() -> None:
    out = StringIO()
    show_summary(SUMMARY | {"peers": [], "listening": [], "routes": {}, "draining": "gone"}, out)
    assert "\ndrained: every route of ours is taken back until `bgp undrain`\n\n" in out.getvalue()
    assert "listens on nowhere;" in out.getvalue()
    assert "best routes: none;" in out.getvalue()
    assert out.getvalue().endswith("\nno peers\n")


NEIGHBOR: dict[str, object] = {
    "address": "10.0.0.2",
    "name": "",
    "kind": "eBGP",
    "state": "Idle",
    "since": 7.0,
    "why": "AS 65009 where AS 65002 is configured; sent NOTIFICATION 2/2",
    "port": 179,
    "passive": False,
    "local": None,
    "remote": None,
    "configured_local_address": "10.0.0.1",
    "local_asn": 65001,
    "expected_asn": 65002,
    "received_asn": 65009,
    "received_router_id": "10.0.0.9",
    "connect_error": "cannot connect: Connection refused",
    "last_sent": {"code": 2, "subcode": 2, "data": "", "text": "2/2 (Open message error, Bad peer AS)"},
    "last_received": None,
    "next_attempt": 3.2,
    "hold_time_configured": 90,
    "hold_time_received": 30,
    "hold_time": None,
    "keepalive_time": None,
    "hold_timer": None,
    "disabled": {},
    "capabilities_sent": ["ipv4-unicast", "route refresh"],
    "capabilities_received": [],
    "families": [],
    "import_policy": "accept",
    "export_policy": "none: nothing passes (RFC 8212)",
    "messages_received": 1,
    "messages_sent": 2,
    "updates_received": 0,
    "updates_sent": 0,
    "times_established": 0,
    "times_dropped": 1,
    "queued": 0,
    "routes": [],
}


def test_a_neighbour_that_is_down() -> None:
    out = StringIO()
    show_neighbor(NEIGHBOR, out)
    assert out.getvalue().splitlines() == [
        "10.0.0.2  eBGP AS 65002  Idle for 7 s",
        "  why           AS 65009 where AS 65002 is configured; sent NOTIFICATION 2/2",
        "  connection    none: connects to port 179 from 10.0.0.1; next in 3 s",
        "  last attempt  cannot connect: Connection refused",
        "  their OPEN    AS 65009, BGP identifier 10.0.0.9",
        "  AS number     expected 65002, received 65009",
        "  last sent     2/2 (Open message error, Bad peer AS)",
        "  hold time     ours 90 s, theirs 30 s",
        "  we offer      ipv4-unicast, route refresh",
        "  they offer    nothing",
        "  policies      import accept; export none: nothing passes (RFC 8212)",
        "  messages      1 received (0 UPDATE), 2 sent (0 UPDATE), 0 octets waiting",
        "  sessions      0 established, 1 ended",
        "",
    ]


def test_a_neighbour_that_is_up() -> None:
    out = StringIO()
    up = {
        "state": "Established",
        "why": "",
        "local": "10.0.0.1:179",
        "remote": "10.0.0.2:40000",
        "connect_error": None,
        "received_asn": 65002,
        "hold_time": 30,
        "keepalive_time": 10.0,
        "hold_timer": 29.5,
        "routes": [{"family": "ipv4-unicast", "received": 3, "refused": 1, "best": 2}],
    }
    show_neighbor(NEIGHBOR | up, out)
    lines = out.getvalue().splitlines()
    assert lines[1] == "  connection    10.0.0.1:179 to 10.0.0.2:40000"
    assert "  hold time     30 s (ours 90 s, theirs 30 s), KEEPALIVE every 10 s, 29 s left" in lines
    assert lines[-2] == "  ipv4-unicast  3 received, 1 refused, 2 best"


def test_a_neighbour_of_which_an_error_has_disabled_a_family() -> None:
    out = StringIO()
    counted = {"family": "ipv6-unicast", "received": 0, "refused": 0, "best": 0}
    show_neighbor(NEIGHBOR | {"routes": [counted], "disabled": {"ipv6-unicast": "a malformed prefix"}}, out)
    (line,) = [line for line in out.getvalue().splitlines() if "ipv6-unicast" in line]
    assert line.split(maxsplit=1)[1] == "disabled until the session begins anew: a malformed prefix"


def test_a_decision() -> None:
    out = StringIO()
    path = {"from": "10.0.0.2", "kind": "external", "as_path": "65002", "communities": ["65000:1", "no-export"]}
    row = {
        "prefix": "10.0.0.0/8",
        "family": "ipv4-unicast",
        "candidates": [
            {"path": path | {"name": "tor1"}, "best": True, "why": "path length (RFC 4271 9.1.2.2 a)"},
            {"path": {"from": "local", "kind": "local"}, "best": False, "why": "origin (RFC 4271 9.1.2.2 b)"},
            {"path": path | {"refused": "own AS"}, "best": False, "why": "own AS"},
        ],
        "announced_to": ["10.0.0.3"],
        "kept_from": {"10.0.0.2": "it was learned from there"},
    }
    show_decision(row, out)
    assert out.getvalue().splitlines() == [
        "10.0.0.0/8  ipv4-unicast",
        "  best  from 10.0.0.2 (tor1) external: won by path length (RFC 4271 9.1.2.2 a)",
        "          as path           65002",
        "          communities       65000:1, no-export",
        "        own: lost by origin (RFC 4271 9.1.2.2 b)",
        "        from 10.0.0.2 external: refused, own AS",
        "          as path           65002",
        "          communities       65000:1, no-export",
        "  announced to 10.0.0.3",
        "  not announced to 10.0.0.2: it was learned from there",
    ]


KERNEL: dict[str, object] = {
    "table": 254,
    "protocol": 179,
    "metric": 20,
    "installed": 7,
    "stale": 0,
    "written": 9,
    "removed": 2,
    "missing": {},
}


def test_the_kernel() -> None:
    out = StringIO()
    show_kernel(KERNEL, out)
    assert out.getvalue().splitlines() == [
        "kernel table 254, protocol 179, metric 20",
        "7 routes installed; 9 written and 2 removed since the start",
    ]


def test_what_is_missing_in_the_kernel_and_what_is_old() -> None:
    out = StringIO()
    show_kernel(KERNEL | {"stale": 3, "missing": {"10.1.0.0/16": "next hop 192.0.2.1 is unresolvable"}}, out)
    assert out.getvalue().splitlines()[1:] == [
        "7 routes installed, 3 of them from a former run; 9 written and 2 removed since the start",
        "missing 10.1.0.0/16: next hop 192.0.2.1 is unresolvable",
    ]
