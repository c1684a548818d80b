"""The pod blocks of a Kubernetes node, announced as they come and go.

An IPAM keeps a file with the node's blocks, one to a line; whatever is in it is announced to the rack's switch, and what
leaves it is withdrawn. The file is read again when it has changed, looked at twice a second.

    python examples/node_blocks.py /var/lib/ipam/blocks 10.0.0.1 64512 64513      file, switch, its AS, ours

Without arguments it plays the IPAM and the switch too.
"""

import sys
import tempfile
from functools import partial

import trio

import bgp
import bgp.net


async def feed(speaker: bgp.net.Speaker, path: trio.Path) -> None:
    """Keep what `speaker` announces equal to the lines of the file."""
    announced: set[str] = set()
    read_at = None
    while True:
        changed_at = (await path.stat()).st_mtime_ns if await path.exists() else None
        if changed_at != read_at:
            read_at = changed_at
            wanted = set((await path.read_text()).split()) if changed_at else set()
            for block in sorted(wanted - announced):
                speaker.announce(block)
            for block in sorted(announced - wanted):
                speaker.withdraw(block)
            announced = wanted
        await trio.sleep(0.5)


async def node(path: trio.Path, switch: str, switch_asn: int, own: int) -> None:
    async with bgp.net.open_speaker(asn=own, router_id="192.0.2.254") as speaker:
        await speaker.add_peer(switch, asn=switch_asn, export_policy=bgp.accept)
        await feed(speaker, path)


async def show() -> None:
    with tempfile.TemporaryDirectory() as folder:
        blocks = trio.Path(folder, "blocks")
        await blocks.write_text("10.244.0.0/26\nfd00:244::/122\n")
        network = bgp.net.MemoryNetwork()
        async with (
            bgp.net.open_speaker(
                asn=64512, router_id="10.0.0.1", listen=["10.0.0.1:179"], transport=network.transport("10.0.0.1")
            ) as switch,
            bgp.net.open_speaker(asn=64513, router_id="10.0.0.2", transport=network.transport("10.0.0.2")) as speaker,
            trio.open_nursery() as nursery,
        ):
            await switch.add_peer("10.0.0.2", asn=64513, passive=True, import_policy=bgp.accept)
            await speaker.add_peer("10.0.0.1", asn=64512, export_policy=bgp.accept, next_hop_ipv6="fd00::2")
            nursery.start_soon(feed, speaker, blocks)
            changes = switch.loc_rib.changes(existing=True)
            for step in range(3):
                change = await anext(changes)
                print(f"the switch {'loses' if change.new is None else 'learns'} {change.prefix}")
                if step == 1:
                    await blocks.write_text("10.244.0.0/26\n")
            nursery.cancel_scope.cancel()


if len(sys.argv) == 5:
    trio.run(partial(node, trio.Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
else:
    trio.run(show)
