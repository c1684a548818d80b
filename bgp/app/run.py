"""`bgp run`: a speaker in the foreground, from its configuration to its last Cease."""

from __future__ import annotations

import gc
import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final, TextIO

import trio

from bgp.app.config import Configuration, load
from bgp.net import PeerChange, Speaker, open_speaker
from bgp.net.rules import is_internal
from bgp.options import PeerOptions, SpeakerOptions
from rib.attributes import Attributes
from rib.prefix import Prefix

#: RIBs are millions of objects that live long and have no cycles: the collector should look at them rarely.
GC_THRESHOLDS: Final = (200_000, 50, 100)


class Log:
    """One line an occasion, with the time: for a terminal, a file or the system's journal."""

    def __init__(self, out: TextIO, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._out = out
        self._now = now

    def say(self, text: str) -> None:
        """Write a line. A log that cannot be written is no reason to end sessions."""
        stamp = self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        with suppress(OSError):
            print(stamp, text, file=self._out, flush=True)

    def peer_changed(self, change: PeerChange) -> None:
        """A session changed its state."""
        because = f": {change.reason}" if change.reason else ""
        self.say(f"peer {shown(change.peer.options)} {change.old.title} → {change.new.title}{because}")


def shown(options: PeerOptions) -> str:
    """A peer for a log: its address, and its name if it has one."""
    return f"{options.address} ({options.name})" if options.name else options.address


def warnings(speaker: SpeakerOptions, peers: Iterable[PeerOptions]) -> Iterator[str]:
    """What is allowed but hardly meant."""
    for peer in peers:
        missing = [
            word
            for word, policy in (("import", peer.import_policy), ("export", peer.export_policy))
            if policy is None and not is_internal(speaker, peer)
        ]
        if missing:
            nothing = {"import": "accepts nothing", "export": "announces nothing"}
            what = " and ".join(nothing[word] for word in missing)
            yield f"peer {shown(peer)} has no {' and no '.join(missing)} policy: it {what} (RFC 8212)"


def by_attributes(announced: Mapping[Prefix, Attributes]) -> dict[int, tuple[Attributes, list[Prefix]]]:
    """Prefixes that share their attributes, together."""
    groups: dict[int, tuple[Attributes, list[Prefix]]] = {}
    for prefix, attributes in announced.items():
        groups.setdefault(id(attributes), (attributes, []))[1].append(prefix)
    return groups


def run_config(file: str, err: TextIO) -> int:
    """Run the speaker of `file` until SIGTERM or SIGINT; gives the exit status.

    Raises ConfigError before anything has begun.
    """
    configuration = load(file)
    log = Log(err)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GC_THRESHOLDS)
    try:
        trio.run(serve, file, configuration, log)
    except BaseExceptionGroup as group:
        failed, others = group.split(OSError)
        if failed is None or others is not None:
            raise
        for error in leaves(failed):
            log.say(f"error: {error.strerror or error}")
        return 1
    return 0


def leaves(group: BaseExceptionGroup[OSError]) -> Iterator[OSError]:
    """The exceptions themselves, whatever nurseries they came through."""
    for one in group.exceptions:
        if isinstance(one, BaseExceptionGroup):
            yield from leaves(one)
        else:
            yield one


async def serve(file: str, configuration: Configuration, log: Log) -> None:
    """A speaker with its peers and routes, until a signal ends it."""
    options = configuration.speaker
    with trio.open_signal_receiver(signal.SIGTERM, signal.SIGINT, signal.SIGHUP) as signals:
        async with open_speaker(options, observer=log.peer_changed) as speaker:
            where = ", ".join(_endpoint(*bound) for bound in speaker.listening) or "nowhere"
            log.say(f"speaker AS {options.asn}, BGP identifier {options.router_id}, listens on {where}")
            for warning in warnings(options, configuration.peers):
                log.say(f"warning: {warning}")
            await _set_up(speaker, configuration)
            async for number in signals:
                name = signal.Signals(number).name
                log.say(f"{name}: sessions end with Cease")
                break
    log.say("ended")


def _endpoint(address: str, port: int) -> str:
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


async def _set_up(speaker: Speaker, configuration: Configuration) -> None:
    for attributes, prefixes in by_attributes(configuration.announced).values():
        speaker.announce_all(prefixes, attributes)
    for peer in configuration.peers:
        await speaker.add_peer(peer)
