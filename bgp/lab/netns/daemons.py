"""Another speaker in a node's place: BIRD or FRR, run in this namespace with the configuration that the lab exports.

They are asked through their own command lines, a few times a second: neither tells of what happens by itself. What they
forward by is read from the kernel.
"""

from __future__ import annotations

import json
import re
import shutil
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from ipaddress import ip_address
from pathlib import Path
from typing import Any, Final

import trio

from bgp.lab.forwarding import Route
from bgp.lab.netns.tap import Tap
from bgp.lab.netns.words import Change, Holdings, Identity, NodeSpeaker
from bgp.options import PeerOptions
from bgp.topology.model import Counts
from rib.family import Afi, Family
from rib.prefix import Prefix

#: Seconds between two looks at the sessions.
PAUSE: Final = 0.1
#: Seconds for which zebra keeps the routes of before it was killed.
KEEP: Final = 60
#: Seconds that a daemon may take until its command line answers.
PATIENCE: Final = 20.0
#: A node's own /run, which nobody else sees.
RUN: Final = Path("/run")
#: Before a command: if we die, `unshare` is killed, and with it the shell, which is the first process of a process namespace;
#: the kernel then kills whatever else is in that, programs that have changed their user included.
LEASH: Final = ("setpriv", "--pdeathsig", "KILL", "unshare", "--pid", "--fork", "--kill-child=KILL")
LEASH_SHELL: Final = ("sh", "-c", '"$@"; exit $?', "sh")


class _Daemon:
    """What is the same for all of them. A subclass says how it is started and what it is asked."""

    #: The numbers of its routes in the kernel (rtnetlink).
    protocol = 0

    def __init__(self, identity: Identity, nursery: trio.Nursery, tell: Callable[[Change], None]) -> None:
        self._identity = identity
        self._nursery = nursery
        self._tell = tell
        self._up: set[str] = set()
        self._running: list[trio.Process] = []
        self._tap = Tap(identity.addresses)

    async def start(self) -> None:
        """Start it, and return when it answers."""
        await self._nursery.start(self._tap.run)
        await self._launch(restarting=False)
        self._nursery.start_soon(self._watch)

    async def _launch(self, *, restarting: bool) -> None:
        """`restarting`: it finds the routes of before in the kernel, and forwards by them (RFC 4724 4.1)."""
        raise NotImplementedError

    async def _established(self) -> set[str]:
        """The peers, by address, whose sessions are up."""
        raise NotImplementedError

    async def _counts(self) -> tuple[int, int]:
        """(usable paths, best paths), from peers."""
        raise NotImplementedError

    async def _run(self, *command: str) -> None:
        """Start a program that stays in the foreground. It ends with this process, however that ends: see `LEASH`."""
        log = (RUN / f"{Path(command[0]).name}.log").open("wb")  # the program's, as long as it runs
        with log:
            process = await trio.lowlevel.open_process([*LEASH, *LEASH_SHELL, *command], stdout=log, stderr=log)
        self._running.append(process)

    async def _stop(self) -> None:
        for process in self._running:
            with suppress(ProcessLookupError):
                process.kill()
        for process in self._running:
            await process.wait()
        self._running.clear()

    async def _answer(self, *command: str) -> str:
        """What a command prints. Raises OSError where it fails."""
        done = await trio.run_process(list(command), capture_stdout=True, capture_stderr=True, check=False)
        text = done.stdout.decode(errors="replace")
        if done.returncode:
            raise OSError(f"{' '.join(command)}: {(text + done.stderr.decode(errors='replace')).strip()}")
        return text

    async def _until(self, answers: Callable[[], Awaitable[object]]) -> None:
        """Wait until a daemon's command line works."""
        error: OSError | None = None
        with trio.move_on_after(PATIENCE):
            while True:
                try:
                    await answers()
                except OSError as failed:
                    error = failed
                    await trio.sleep(PAUSE)
                else:
                    return
        raise OSError(f"{type(self).__name__.lower()} does not answer: {error}")

    async def _watch(self) -> None:
        while True:
            with suppress(OSError):
                up = await self._established()
                for address in sorted(up ^ self._up):
                    self._tell(Change(address, address in up, time.monotonic(), ""))
                self._up = up
            await trio.sleep(PAUSE)

    async def peer(self, options: Sequence[PeerOptions]) -> None:
        """Nothing: the peers are in its configuration."""
        await trio.lowlevel.checkpoint()

    async def rest(self) -> tuple[int, int]:
        """The routes that the kernel has, twice: they change while there is something going on."""
        installed = len(await self._kernel_routes(4)) + len(await self._kernel_routes(6))
        return installed, installed

    async def holdings(self, families: Sequence[Family]) -> Holdings:
        """What is there now. A daemon's routes say no AS_PATH: they are the kernel's."""
        routes: dict[Family, dict[bytes, tuple[Route, ...]]] = {}
        installed = 0
        for family in families:
            version = 6 if family.afi == Afi.IPV6 else 4
            found = await self._kernel_routes(version)
            installed += len(found)
            own = {prefix.nlri: (Route(None),) for prefix in self._identity.prefixes if prefix.afi == family.afi}
            learned = {prefix.nlri: tuple(map(self._route, hops)) for prefix, hops in found.items()}
            routes[family] = own | learned
        paths, best = await self._counts()
        return Holdings(Counts(paths, best, installed), routes, traffic=self._tap.traffic.copy())

    def _route(self, gateway: str) -> Route:
        return Route(ip_address(gateway), "", self._identity.names.get(gateway, self._identity.daemon), "BGP")

    async def _kernel_routes(self, version: int) -> dict[Prefix, list[str]]:
        """The gateways of the routes that it has put into the kernel."""
        said = await self._answer("ip", "-json", f"-{version}", "route", "show", "proto", str(self.protocol))
        found: dict[Prefix, list[str]] = {}
        for entry in json.loads(said or "[]"):
            hops = entry.get("nexthops") or [entry]
            gateways = [hop["gateway"] for hop in hops if "gateway" in hop]
            if gateways:
                text = {"default": "0.0.0.0/0" if version == 4 else "::/0"}.get(entry["dst"], entry["dst"])
                found[Prefix(text)] = gateways
        return found

    async def restart(self) -> None:
        """See `NodeSpeaker`."""
        await self._say_goodbye()
        await self._stop()
        await self._launch(restarting=False)

    async def kill(self) -> None:
        """See `NodeSpeaker`."""
        await self._stop()
        for address in sorted(self._up):
            self._tell(Change(address, False, time.monotonic(), "killed"))
        self._up = set()
        await self._launch(restarting=True)

    async def _say_goodbye(self) -> None:
        """End all sessions in good order, and take back what is in the kernel."""
        raise NotImplementedError

    async def reset(self, address: str) -> None:
        """See `NodeSpeaker`."""
        raise NotImplementedError


class Bird(_Daemon):
    """BIRD 2."""

    protocol = 12

    async def _launch(self, *, restarting: bool) -> None:
        file = RUN / "bird.conf"
        await trio.Path(file).write_text(self._identity.configuration)
        await self._run("bird", "-f", "-c", str(file), "-s", str(RUN / "bird.ctl"), *(["-R"] if restarting else []))
        await self._until(lambda: self._ask("show status"))

    async def _ask(self, question: str) -> str:
        return await self._answer("birdc", "-s", str(RUN / "bird.ctl"), *question.split())

    async def _established(self) -> set[str]:
        addresses = list(self._identity.names)
        found = re.findall(r"^session(\d+)\s.*\bEstablished", await self._ask("show protocols"), re.MULTILINE)
        return {addresses[int(number) - 1] for number in found}

    async def _counts(self) -> tuple[int, int]:
        return await self._count("where source = RTS_BGP"), await self._count("primary where source = RTS_BGP")

    async def _say_goodbye(self) -> None:
        await self._ask("down")
        await self._running[0].wait()

    async def reset(self, address: str) -> None:
        """See `NodeSpeaker`."""
        await self._ask(f"restart session{list(self._identity.names).index(address) + 1}")

    async def _count(self, which: str) -> int:
        said = [await self._ask(f"show route table master{version} {which} count") for version in (4, 6)]
        return sum(int(found[1]) for text in said if (found := re.search(r"^(\d+) of \d+ routes", text, re.MULTILINE)))


class Frr(_Daemon):
    """FRR: zebra, staticd and bgpd."""

    protocol = 186

    async def _launch(self, *, restarting: bool) -> None:
        folder = RUN / "frr"
        await trio.Path(folder).mkdir(exist_ok=True)
        file = folder / "frr.conf"
        await trio.Path(file).write_text(self._identity.configuration)
        try:
            shutil.chown(folder, "frr", "frr")  # whom FRR's daemons become
        except (LookupError, OSError) as error:
            raise OSError(f"FRR needs its own user, and root who may become it: {error}") from error
        common = ["--vty_socket", str(folder), "-z", str(folder / "zserv.api")]
        for program in ("zebra", "staticd", "bgpd"):
            alone = ["-A", "127.0.0.1", "-P", "0", "-i", str(folder / f"{program}.pid"), "--log", "stdout"]
            keep = ["-K", str(KEEP)] if restarting and program == "zebra" else []
            await self._run(f"/usr/lib/frr/{program}", *common, *alone, *keep)
            await self._until(partial(self._vtysh, "-d", program, "-c", "show version"))
        await self._vtysh("-f", str(file))

    async def _vtysh(self, *words: str) -> str:
        return await self._answer("vtysh", "--vty_socket", str(RUN / "frr"), *words)

    async def _json(self, question: str) -> Any:  # FRR's own form
        return json.loads(await self._vtysh("-c", f"{question} json") or "{}")

    async def _established(self) -> set[str]:
        found: Mapping[str, Any] = await self._json("show bgp neighbors")
        return {
            name for name, peer in found.items() if isinstance(peer, dict) and peer.get("bgpState") == "Established"
        }

    async def _say_goodbye(self) -> None:
        asn = self._identity.speaker.asn
        await self._vtysh("-c", "configure terminal", "-c", f"router bgp {asn}", "-c", "bgp shutdown")
        with trio.move_on_after(PATIENCE):
            while await self._established():  # noqa: ASYNC110 - a daemon tells nobody
                await trio.sleep(PAUSE)

    async def reset(self, address: str) -> None:
        """See `NodeSpeaker`."""
        await self._vtysh("-c", f"clear bgp {address}")

    async def _counts(self) -> tuple[int, int]:
        paths = best = 0
        for version in ("ipv4", "ipv6"):
            found = await self._json(f"show bgp {version} unicast")
            for own in found.get("routes", {}).values():
                learned = [path for path in own if path.get("valid") and path.get("peerId") != "(unspec)"]
                paths += len(learned)
                best += any(path.get("bestpath") for path in learned)
        return paths, best


#: The speakers that can take our speaker's place, by the names of `--daemon`.
DAEMONS: Final[Mapping[str, Callable[[Identity, trio.Nursery, Callable[[Change], None]], NodeSpeaker]]] = {
    "bird": Bird,
    "frr": Frr,
}
