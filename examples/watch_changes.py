"""Watch what a speaker learns: every change of a best path, as it happens, and why sessions come and go.

With an address, an AS number and our own AS number it listens to that neighbour until interrupted:

    python examples/watch_changes.py 192.0.2.1 64500 64512

Without, it watches a neighbour of its own making for a moment.
"""

import sys
from functools import partial

import trio

import bgp
import bgp.net
from rib.route import Change


def tell(change: bgp.net.PeerChange) -> None:
    because = f" ({change.reason})" if change.reason else ""
    print(f"  {change.peer.options.label}: {change.new.title}{because}")


def line(change: Change) -> str:
    if change.new is None:
        return f"- {change.prefix}"
    got = change.new.attributes
    return f"{'+' if change.old is None else '~'} {change.prefix} via {got.next_hop} path {got.as_path}"


async def listen_to(address: str, asn: int, own: int) -> None:
    async with bgp.net.open_speaker(asn=own, router_id="192.0.2.254", observer=tell) as speaker:
        await speaker.add_peer(address, asn=asn, import_policy=bgp.accept)
        async for change in speaker.loc_rib.changes(existing=True):
            print(line(change))


async def show() -> None:
    network = bgp.net.MemoryNetwork()
    async with (
        bgp.net.open_speaker(
            asn=64500, router_id="10.0.0.1", listen=["10.0.0.1:179"], transport=network.transport("10.0.0.1")
        ) as neighbour,
        bgp.net.open_speaker(
            asn=64512, router_id="10.0.0.2", transport=network.transport("10.0.0.2"), observer=tell
        ) as speaker,
    ):
        await neighbour.add_peer("10.0.0.2", asn=64512, passive=True, export_policy=bgp.accept)
        peer = await speaker.add_peer("10.0.0.1", asn=64500, import_policy=bgp.accept)
        await peer.wait_established()
        changes = speaker.loc_rib.changes()
        neighbour.announce("10.1.0.0/16")
        print(line(await anext(changes)))
        neighbour.announce("2001:db8:1::/48", next_hop="2001:db8::1")
        print(line(await anext(changes)))
        neighbour.announce("10.1.0.0/16", as_path="64999")
        print(line(await anext(changes)))
        neighbour.withdraw("10.1.0.0/16")
        print(line(await anext(changes)))


if len(sys.argv) == 4:
    trio.run(partial(listen_to, sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
else:
    trio.run(show)
