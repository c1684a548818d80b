from __future__ import annotations

import json
from io import StringIO
from pathlib import Path

import pytest

from bgp.app.check import run_check
from bgp.app.config import ConfigError

TEXT = """\
[speaker]
asn = 65001
router_id = "10.0.0.1"
listen = ["10.0.0.1:179"]
[[policy]]
name = "customers"
[[policy.rule]]
match = { prefixes = ["10.0.0.0/8 le 24"] }
set = { local_pref = 200 }
[[announce]]
prefixes = ["10.1.0.0/26", "2001:db8::/48"]
[[peer]]
address = "10.0.0.2"
name = "tor1"
asn = 65002
import = "customers"
families = ["ipv4-unicast"]
[[peer]]
address = "10.0.0.3"
asn = 65001
passive = true
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "speaker.toml"
    path.write_text(TEXT)
    return str(path)


def test_what_a_configuration_means(file: str) -> None:
    out = StringIO()
    assert run_check(file, json_output=False, out=out) == 0
    assert out.getvalue().splitlines() == [
        f"{file}: AS 65001, BGP identifier 10.0.0.1",
        "listens on 10.0.0.1:179",
        "eBGP peer 10.0.0.2 (tor1) AS 65002: ipv4-unicast; connects to port 179",
        "    import customers; export none: nothing passes (RFC 8212)",
        "iBGP peer 10.0.0.3 AS 65001: ipv4-unicast, ipv6-unicast; waits for it to connect",
        "    import accept; export accept",
        "announces 10.1.0.0/26, 2001:db8::/48",
        "policy customers: prefixes 10.0.0.0/8 le 24: accept, set local pref 200; else reject",
        "warning: peer 10.0.0.2 (tor1) has no export policy: it announces nothing (RFC 8212)",
    ]


def test_the_same_as_json(file: str) -> None:
    out = StringIO()
    assert run_check(file, json_output=True, out=out) == 0
    found = json.loads(out.getvalue())
    assert (found["asn"], found["listen"], found["announced"]) == (
        65001,
        ["10.0.0.1:179"],
        ["10.1.0.0/26", "2001:db8::/48"],
    )
    assert [(peer["address"], peer["kind"], peer["import"]) for peer in found["peers"]] == [
        ("10.0.0.2", "eBGP", "customers"),
        ("10.0.0.3", "iBGP", "accept"),
    ]
    assert found["warnings"] == ["peer 10.0.0.2 (tor1) has no export policy: it announces nothing (RFC 8212)"]


def test_a_wrong_one_is_not_explained(tmp_path: Path) -> None:
    path = tmp_path / "wrong.toml"
    path.write_text("[speaker]\nasn = 1\n")
    out = StringIO()
    with pytest.raises(ConfigError, match=r"wrong\.toml:1: speaker\.router_id: missing$"):
        run_check(str(path), json_output=False, out=out)
    assert out.getvalue() == ""
