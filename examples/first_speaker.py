"""Two speakers in one process, on loopback: one announces a block, the other learns it."""

import trio

import bgp
import bgp.net


async def main() -> None:
    async with (
        bgp.net.open_speaker(asn=65001, router_id="10.0.0.1", listen=["127.0.0.1:0"]) as node,
        bgp.net.open_speaker(asn=65002, router_id="10.0.0.2") as tor,
    ):
        await node.add_peer("127.0.0.2", asn=65002, passive=True, export_policy=bgp.accept)
        port = node.listening[0][1]
        peer = await tor.add_peer(
            "127.0.0.1", asn=65001, port=port, local_address="127.0.0.2", import_policy=bgp.accept
        )
        await peer.wait_established()
        node.announce("10.1.0.0/26", communities=["65001:100"])
        async for change in tor.loc_rib.changes(existing=True):
            print(f"{change.prefix} via {change.new.attributes.next_hop}, path {change.new.attributes.as_path}")
            break


trio.run(main)
