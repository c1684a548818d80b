"""The daemons that the interop tests talk to, each in a namespace, asked through its own CLI; and `bgp run` beside them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import pytest
from interop.wires import Namespace, end, eventually

from bgp.app.client import Refused, ask

ROOT: Final = Path(__file__).parent.parent.parent


class Process:
    """A daemon: what it was started with, and its log."""

    def __init__(self, host: Namespace, folder: Path, command: Sequence[str]) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.host = host
        self.folder = folder
        self.log = folder / "log"
        self.arguments = list(command)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, again if it ended."""
        self._process = self.host.start(self.arguments, self.log)

    def stop(self, by: signal.Signals = signal.SIGTERM) -> int:
        """End it and give its exit status."""
        assert self._process is not None
        return end(self._process, by)

    def until(self, condition: Callable[[], object], what: str) -> None:
        """Return when `condition` holds. Fails at once if the daemon ends before, with what it had to say."""

        def holds() -> object:
            assert self._process is not None
            if (status := self._process.poll()) is not None:
                raise AssertionError(f"it ended with {status} before {what}\n{self.tail()}")
            return condition()

        eventually(holds, what, self.tail)

    def tail(self) -> str:
        """The end of its log, for messages."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-20:]) if self.log.exists() else "no log"


#: How podman runs where there is no systemd, within what this machine may set.
PODMAN: Final = ("podman", "--runtime", "runc", "--cgroup-manager", "cgroupfs")
LIMITS: Final = (
    "--ulimit",
    "nofile=1024:1024",
    "--ulimit",
    "nproc=1000:1000",
    "--cap-add",
    "NET_ADMIN,NET_RAW,SYS_ADMIN",
)
IMAGE: Final = "localhost/trio-bgp-peers"


class InContainer(Process):
    """A daemon in a container that has the network of a namespace of ours and sees the daemon's folder. A mix-in."""

    def _launch(self) -> subprocess.Popen[bytes]:
        network = f"ns:/run/netns/{self.host.name}"
        mount = f"{self.folder}:{self.folder}"
        command = [*PODMAN, "run", "--rm", "--network", network, *LIMITS, "-v", mount, IMAGE, *self._command]
        return self.host.start(command, self.log, inside=False)


class Bird(Process):
    """BIRD 2 with a configuration."""

    def __init__(self, host: Namespace, folder: Path, configuration: str) -> None:
        self.socket = folder / "bird.ctl"
        file = folder / "bird.conf"
        super().__init__(host, folder, ["bird", "-f", "-c", str(file), "-s", str(self.socket)])
        file.write_text(configuration)

    def start(self) -> None:
        """See `Process`; returns when its CLI answers."""
        super().start()
        self.until(self._answers, "birdc answers")

    def _answers(self) -> bool:
        return subprocess.run(self._cli("show status"), capture_output=True).returncode == 0

    def _cli(self, question: str) -> list[str]:
        return ["birdc", "-s", str(self.socket), *question.split()]

    def ask(self, question: str) -> str:
        """What `birdc` says."""
        return subprocess.run(self._cli(question), check=True, capture_output=True, text=True).stdout

    def route(self, prefix: str, table: str = "") -> dict[str, str]:
        """The attributes of the only route to `prefix` as BIRD names them; empty if there is none."""
        said = subprocess.run(
            self._cli(f"show route {prefix} all{table}"), capture_output=True, text=True, check=False
        ).stdout
        lines = [line.strip() for line in said.splitlines()]
        found = dict(line.split(":", 1) for line in lines if line.startswith("BGP.") and ":" in line)
        return {name.removeprefix("BGP."): value.strip() for name, value in found.items()}

    def is_established(self, protocol: str) -> bool:
        """Whether a session is up."""
        return "Established" in self.ask(f"show protocols {protocol}")


class ContainedBird(InContainer, Bird):
    """BIRD 2 in a container."""


class Frr(Process):
    """FRR's bgpd, without zebra: it takes every next hop for valid."""

    def __init__(self, host: Namespace, folder: Path, configuration: str) -> None:
        file = folder / "bgpd.conf"
        command = ["/usr/lib/frr/bgpd", "-Z", "-S", "-f", str(file), "-i", str(folder / "pid"), "-A", "127.0.0.1"]
        super().__init__(host, folder, [*command, "-P", "0", "--vty_socket", str(folder), "--log", "stdout"])
        file.write_text(configuration)

    def start(self) -> None:
        """See `Process`; returns when its CLI answers."""
        super().start()
        self.until(lambda: self._cli("show version").returncode == 0, "vtysh answers")

    def _cli(self, question: str) -> subprocess.CompletedProcess[str]:
        command = ["vtysh", "--vty_socket", str(self.folder), "-d", "bgpd", "-c", question]
        return subprocess.run(command, capture_output=True, text=True)

    def ask(self, question: str) -> Any:
        """What `vtysh -c "… json"` says."""
        return json.loads(self.command(f"{question} json"))

    def command(self, words: str) -> str:
        """What `vtysh -c` says. It has to succeed."""
        said = self._cli(words)
        assert said.returncode == 0, said.stdout + said.stderr
        return said.stdout

    def is_established(self, neighbour: str) -> bool:
        """Whether a session is up."""
        found = self.ask(f"show bgp neighbors {neighbour}")
        return bool(found.get(neighbour, {}).get("bgpState") == "Established")


class ContainedFrr(InContainer, Frr):
    """FRR's bgpd in a container."""


class Ours(Process):
    """`bgp run` with a configuration, and the other commands against it."""

    def __init__(self, host: Namespace, folder: Path, configuration: str, command: str = "run") -> None:
        self.control = folder / "control.sock"
        file = folder / "speaker.toml"
        super().__init__(host, folder, [sys.executable, "-m", "bgp", command, str(file)])
        file.write_text(configuration.replace("{control}", str(self.control)))

    def start(self) -> None:
        """See `Process`; returns when the control socket answers."""
        super().start()
        self.until(self._answers, "the control socket answers")

    def _answers(self) -> bool:
        try:
            return bool(self.ask("summary"))
        except Refused:
            return False

    def ask(self, name: str, **arguments: object) -> list[dict[str, Any]]:
        """What `bgp show` would print as JSON, without the start of a program for each question."""
        return [json.loads(row) for row in ask(str(self.control), name, **arguments)]

    def command(self, *words: str) -> str:
        """What a command prints. It has to succeed."""
        where = os.environ | {"BGP_CONTROL": str(self.control)}
        command = [sys.executable, "-m", "bgp", *words]
        said = subprocess.run(command, capture_output=True, text=True, env=where, cwd=ROOT)
        assert said.returncode == 0, said.stdout + said.stderr
        return said.stdout

    def begin(self, *words: str) -> None:
        """Start a command that takes its time; it ends with the namespace at the latest."""
        command = [sys.executable, "-m", "bgp", *words, "--control", str(self.control)]
        self.host.start(command, self.folder / "command.log", inside=False)

    def neighbours(self) -> dict[str, dict[str, Any]]:
        """The peers, by address, as `bgp show summary` has them."""
        return {peer["address"]: peer for peer in self.ask("summary")[0]["peers"]}

    def is_established(self, *addresses: str) -> bool:
        """Whether the sessions with these peers are up."""
        found = self.neighbours()
        return all(found[address]["state"] == "Established" for address in addresses)

    def routes(self, peer: str) -> dict[str, dict[str, Any]]:
        """What a peer taught us that is in the Loc-RIB, by prefix."""
        return {route["prefix"]: route for route in self.ask("routes", peer=peer)}

    def __str__(self) -> str:
        return self.tail()


def build_image() -> None:
    """Make the image for `InContainer`, if it is not there. Raises CalledProcessError; skips without podman."""
    missing = [name for name in ("podman", "runc", "buildah", "mmdebstrap") if shutil.which(name) is None]
    if missing and os.environ.get("BGP_REQUIRE_INTEROP") != "1":
        pytest.skip(f"{', '.join(missing)} not installed: make interop installs it")
    subprocess.run([str(Path(__file__).parent / "containers" / "build.sh")], check=True)
