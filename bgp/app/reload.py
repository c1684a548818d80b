"""From a configuration to a running speaker, and from one configuration to the next without a restart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from ipaddress import ip_address

from bgp.app import own
from bgp.app.config import ConfigError, Configuration, Problem
from bgp.app.own import OwnRoute
from bgp.iana import CeaseSubcode, NotificationCode
from bgp.message import Notification
from bgp.net import Speaker
from bgp.options import PeerOptions
from rib.attributes import Attributes

#: RFC 4486: the session has to start anew because its options changed.
CHANGED = Notification(NotificationCode.CEASE, CeaseSubcode.OTHER_CONFIGURATION_CHANGE, b"")


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
    keys = [f"speaker.{name}" for name in changed] + (["kernel"] if old.kernel != new.kernel else [])
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
    before, after = _by_address(old), _by_address(new)
    added = removed = restarted = policies = 0
    for address in before.keys() - after.keys():
        await speaker.remove_peer(address)
        removed += 1
    for address, options in after.items():
        previous = before.get(address)
        if previous is None:
            await speaker.add_peer(options)
            added += 1
        elif previous == options:
            continue
        elif _without_policies(previous) == _without_policies(options):
            peer = speaker.peers[address]
            peer.change_policies(import_policy=options.import_policy, export_policy=options.export_policy)
            policies += 1
        else:
            await speaker.remove_peer(address, CHANGED)
            await speaker.add_peer(options)
            restarted += 1
    return _counted(
        {
            "peers added": added,
            "peers removed": removed,
            "peers restarted": restarted,
            "peers with other policies": policies,
        }
    )


def _by_address(configuration: Configuration) -> dict[str, PeerOptions]:
    return {str(ip_address(peer.address)): peer for peer in configuration.peers}


def _without_policies(options: PeerOptions) -> PeerOptions:
    return replace(options, import_policy=None, export_policy=None)


def _counted(numbers: Mapping[str, int]) -> list[str]:
    return [f"{number} {what}" for what, number in numbers.items() if number]
