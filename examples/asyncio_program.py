"""A speaker inside an asyncio program: its tasks and the speaker share one thread and one loop."""

import asyncio

import bgp
import bgp.aio


async def main() -> None:
    async with (
        bgp.aio.open_guest() as guest,
        guest.open_speaker(asn=65001, router_id="10.0.0.1", listen=["127.0.0.1:0"]) as node,
        guest.open_speaker(asn=65002, router_id="10.0.0.2") as tor,
    ):
        port = node.listening[0][1]
        await node.add_peer("127.0.0.2", asn=65002, passive=True, export_policy=bgp.accept)
        await tor.add_peer("127.0.0.1", asn=65001, port=port, local_address="127.0.0.2", import_policy=bgp.accept)
        await asyncio.gather(node.wait_established(), tor.wait_established())
        print("both sides are up")

        async def announce_a_few() -> None:
            for number in range(3):
                await node.announce(f"10.1.{number}.0/24")
                await asyncio.sleep(0.01)

        announcing = asyncio.create_task(announce_a_few())
        learned = 0
        async for change in tor.changes(existing=True):
            print(f"learned {change.prefix}")
            learned += 1
            if learned == 3:
                break
        await announcing


asyncio.run(main())
