"""The CNI plugin by the specification: every command, its results, its errors."""

from __future__ import annotations

import json
import socket
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from bgp.app.node.cni import VERSIONS, run

RESULT = {
    "cniVersion": "1.0.0",
    "interfaces": [{"name": "eth0", "sandbox": "/run/netns/x"}],
    "ips": [{"address": "10.244.9.9/26", "gateway": "10.244.9.1", "interface": 0}, {"address": "fd00::9/122"}],
    "dns": {},
}


class Plugin:
    """The plugin with a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.pods = folder / "pods"
        self.control = folder / "control.sock"

    def __call__(
        self,
        command: str,
        *,
        container: str = "c1",
        interface: str = "eth0",
        netns: str = "/run/netns/x",
        **more: object,
    ) -> tuple[int, dict[str, Any] | None]:
        """(exit status, what it printed)."""
        configuration = {"cniVersion": "1.1.0", "name": "lab", "pods": str(self.pods), "control": str(self.control)}
        environment = {"CNI_COMMAND": command, "CNI_CONTAINERID": container, "CNI_IFNAME": interface}
        environment["CNI_NETNS"] = netns
        out = StringIO()
        status = run(environment, StringIO(json.dumps(configuration | more)), out)
        return status, json.loads(out.getvalue()) if out.getvalue() else None

    def add(self, container: str = "c1") -> tuple[int, dict[str, Any] | None]:
        return self("ADD", container=container, prevResult=RESULT)

    def files(self) -> list[str]:
        return sorted(file.name for file in self.pods.iterdir())


@pytest.fixture
def plugin(tmp_path: Path) -> Plugin:
    return Plugin(tmp_path)


def code(answer: tuple[int, dict[str, Any] | None]) -> int:
    status, found = answer
    assert status == 1
    assert found is not None
    assert set(found) == {"cniVersion", "code", "msg", "details"}
    assert found["msg"]
    return int(found["code"])


def test_add_passes_the_result_on_and_leaves_word(plugin: Plugin) -> None:
    status, found = plugin.add()
    assert status == 0
    assert found == RESULT | {"cniVersion": "1.1.0"}
    assert plugin.files() == ["c1:eth0"]
    pod = json.loads((plugin.pods / "c1:eth0").read_text())
    assert pod == {"container": "c1", "interface": "eth0", "network": "lab", "addresses": ["10.244.9.9", "fd00::9"]}


def test_del_takes_it_away_and_may_come_twice(plugin: Plugin) -> None:
    plugin.add()
    assert plugin("DEL") == (0, None)
    assert plugin.files() == []
    assert plugin("DEL") == (0, None)


def test_check_holds_the_pod_to_what_was_told(plugin: Plugin) -> None:
    plugin.add()
    assert plugin("CHECK", prevResult=RESULT) == (0, None)
    assert code(plugin("CHECK", prevResult=RESULT | {"ips": [{"address": "10.0.0.1/26"}]})) == 100
    assert code(plugin("CHECK", container="c2", prevResult=RESULT)) == 100


def test_version(plugin: Plugin) -> None:
    assert plugin("VERSION") == (0, {"cniVersion": "1.1.0", "supportedVersions": list(VERSIONS)})


def test_version_without_a_configuration() -> None:
    out = StringIO()
    assert run({"CNI_COMMAND": "VERSION"}, StringIO(""), out) == 0
    assert json.loads(out.getvalue())["supportedVersions"] == list(VERSIONS)


def test_del_needs_no_namespace_that_may_be_gone_already(plugin: Plugin) -> None:
    plugin.add()
    assert plugin("DEL", netns="") == (0, None)
    assert plugin.files() == []


def test_status_asks_whether_the_agent_runs(plugin: Plugin) -> None:
    plugin.pods.mkdir()
    assert code(plugin("STATUS")) == 50
    with socket.socket(socket.AF_UNIX) as agent:
        agent.bind(str(plugin.control))
        agent.listen()
        assert plugin("STATUS") == (0, None)


def test_gc_takes_away_what_the_runtime_does_not_know(plugin: Plugin) -> None:
    for container in ("c1", "c2", "c3"):
        plugin.add(container)
    (plugin.pods / "other:eth0").write_text(json.dumps({"network": "another", "addresses": []}))
    valid = [{"containerID": "c2", "ifname": "eth0"}]
    assert plugin("GC", **{"cni.dev/valid-attachments": valid}) == (0, None)
    assert plugin.files() == ["c2:eth0", "other:eth0"]
    assert code(plugin("GC")) == 7


@pytest.mark.parametrize(
    ("command", "more", "expected"),
    [
        ("ADD", {}, 7),  # not chained
        ("ADD", {"prevResult": {"ips": [{"address": "nonsense"}]}}, 7),
        ("ADD", {"prevResult": RESULT, "container": ""}, 4),
        ("ADD", {"prevResult": RESULT, "container": "../etc"}, 4),
        ("ADD", {"prevResult": RESULT, "interface": "a/b"}, 4),
        ("ADD", {"prevResult": RESULT, "cniVersion": "9.9.9"}, 1),
        ("ADD", {"prevResult": RESULT, "pods": "/proc/nothing"}, 5),
        ("ADD", {"prevResult": RESULT, "netns": ""}, 4),
        ("CHECK", {"prevResult": RESULT, "netns": ""}, 4),
        ("ADD", {"prevResult": RESULT, "pods": "a\0b"}, 7),
        ("STATUS", {"control": 5}, 7),
        ("FLY", {}, 4),
    ],
)
def test_what_is_wrong_has_the_specifications_code(
    plugin: Plugin, command: str, more: dict[str, Any], expected: int
) -> None:
    assert code(plugin(command, **more)) == expected


@pytest.mark.parametrize("text", ["", "{", "[]", "5", "[" * 100_000])
def test_a_configuration_that_is_none(text: str) -> None:
    out = StringIO()
    assert run({"CNI_COMMAND": "ADD"}, StringIO(text), out) == 1
    assert json.loads(out.getvalue())["code"] == 6
