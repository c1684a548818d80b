"""From a configuration to a running speaker, and from one configuration to the next without a restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from ipaddress import ip_address
from typing import Final

from bgp.app import own
from bgp.app.config import ConfigError, Configuration, Problem
from bgp.app.own import OwnRoute
from bgp.error import LocalError
from bgp.iana import CeaseSubcode, NotificationCode
from bgp.message import Notification
from bgp.net import Speaker
from bgp.options import PeerOptions
from rib.attributes import Attributes

#: RFC 4486: the session has to start anew because its options changed.
CHANGED: Final = Notification(NotificationCode.CEASE, CeaseSubcode.OTHER_CONFIGURATION_CHANGE, b"")


async def begin(speaker: Speaker, configuration: Configuration) -> None:
    """Give a new speaker its routes, then its peers."""
    own.announce(speaker, configuration.announced)
    for peer in configuration.peers:
        await speaker.add_peer(peer)


async def apply(speaker: Speaker, file: str, old: Configuration, new: Configuration) -> str:
    """Make what differs between two configurations so; gives what was done, in words.

    Raises ConfigError, and leaves all as it is, if the difference needs a restart.
    """
    _refuse_restart(file, old, new)
    done = [*_change_routes(speaker, old.announced, new.announced), *await _change_peers(speaker, old, new)]
    return ", ".join(done) or "nothing changed"


def _refuse_restart(file: str, old: Configuration, new: Configuration) -> None:
    before = {field.name: getattr(old.speaker, field.name) for field in fields(old.speaker)} | {"control": old.control}
    after = {field.name: getattr(new.speaker, field.name) for field in fields(new.speaker)} | {"control": new.control}
    changed = [name for name in before if before[name] != after[name]]
    keys = [f"speaker.{name}" for name in changed]
    keys += [name for name in ("kernel", "web") if getattr(old, name) != getattr(new, name)]
    if keys:
        raise ConfigError(file, [Problem(0, key, "cannot change without a restart") for key in keys])


def _change_routes(
    speaker: Speaker, old: Mapping[OwnRoute, Attributes], new: Mapping[OwnRoute, Attributes]
) -> list[str]:
    """Routes that came over the control socket are none of the file's business."""
    fresh = {route: attributes for route, attributes in new.items() if old.get(route) != attributes}
    gone = [route for route in old if route not in new and own.is_announced(speaker, route)]
    own.announce(speaker, fresh)
    own.withdraw(speaker, gone)
    return _counted({"routes announced": len(fresh), "routes withdrawn": len(gone)})


async def _change_peers(speaker: Speaker, old: Configuration, new: Configuration) -> list[str]:
    """A peer that the system refuses is said to be, and tried again at the next change."""
    before = {address: options for address, options in _by_address(old).items() if address in speaker.peers}
    after = _by_address(new)
    counts = dict.fromkeys(("removed", "added", "restarted", "with other policies"), 0)
    refused: list[str] = []
    for address in before.keys() - after.keys():
        await speaker.remove_peer(address)
        counts["removed"] += 1
    for address, options in after.items():
        what = _difference(before.get(address), options)
        try:
            if what == "with other policies":
                policies = {"import_policy": options.import_policy, "export_policy": options.export_policy}
                speaker.peers[address].change_policies(**policies)
            elif what:
                if what == "restarted":
                    await speaker.remove_peer(address, CHANGED)
                await speaker.add_peer(options)
        except LocalError as error:
            refused.append(str(error))
        else:
            counts[what] = counts.get(what, 0) + 1
    return [*_counted({f"peers {what}": number for what, number in counts.items() if what}), *refused]


def _difference(before: PeerOptions | None, after: PeerOptions) -> str:
    """What has to happen to a peer; empty for nothing."""
    if before is None:
        return "added"
    if before == after:
        return ""
    return "with other policies" if _without_policies(before) == _without_policies(after) else "restarted"


def _by_address(configuration: Configuration) -> dict[str, PeerOptions]:
    return {str(ip_address(peer.address)): peer for peer in configuration.peers}


def _without_policies(options: PeerOptions) -> PeerOptions:
    return replace(options, import_policy=None, export_policy=None)


def _counted(numbers: Mapping[str, int]) -> list[str]:
    return [f"{number} {_of(number, what)}" for what, number in numbers.items() if number]


def _of(number: int, what: str) -> str:
    return what.replace("s ", " ", 1) if number == 1 else what
