"""One decoder at work for `decode.py`: reads messages from a file, decodes all of them some times, prints what it took.

    python decode_with.py DECODER MESSAGES MRT ROUNDS

MESSAGES holds, for each message, one octet that says whether AS numbers have four octets, its length in two, the message.
MRT holds the same messages as records, for who reads nothing else. Prints seconds
of CPU of the best round, and messages read.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any


def messages(path: str) -> Iterator[tuple[bool, bytes]]:
    octets, at = Path(path).read_bytes(), 0
    while at < len(octets):
        end = at + 3 + int.from_bytes(octets[at + 1 : at + 3], "big")
        yield bool(octets[at]), octets[at + 3 : end]
        at = end


def ours(path: str, mrt: str) -> Callable[[], int]:
    """`Decoder`, as a program uses it that reads one neighbour's messages."""
    wire = import_module("bgp.wire")
    everything = list(messages(path))

    def run() -> int:
        decoders = {as4: wire.Decoder(wire.Context(as4=as4)) for as4 in (False, True)}
        for as4, octets in everything:
            decoders[as4].decode(octets)
        return len(everything)

    return run


def declared(path: str, mrt: str) -> Callable[[], int]:
    """The construct declarations, interpreted: the model of the decoder."""
    update, context = import_module("bgp.wire.update"), import_module("bgp.wire.context")
    everything = list(messages(path))

    def run() -> int:
        contexts = {as4: context.Context(as4=as4) for as4 in (False, True)}
        for as4, octets in everything:
            update.decode_update(octets[19:], contexts[as4])
        return len(everything)

    return run


def exabgp(path: str, mrt: str) -> Callable[[], int]:
    """ExaBGP's UPDATE as its reactor reads it: one `Negotiated` a session, which remembers the last attributes."""
    update = import_module("exabgp.bgp.message").Update
    direction = import_module("exabgp.bgp.message.direction").Direction.IN
    negotiated_kind = import_module("exabgp.bgp.message.open.capability").Negotiated
    family = import_module("exabgp.protocol.family")
    import_module("exabgp.logger").log.silence()
    everything = [(as4, octets[19:]) for as4, octets in messages(path)]

    class Neighbor(dict):  # type: ignore[type-arg]
        def __missing__(self, key: str) -> Any:
            return {"aigp": False} if key == "capability" else None

    def run() -> int:
        sessions = {}
        for as4 in (False, True):
            sessions[as4] = negotiated_kind(Neighbor())
            sessions[as4].asn4 = as4
            sessions[as4].families = [
                (afi, safi)
                for afi in (family.AFI.ipv4, family.AFI.ipv6)
                for safi in (family.SAFI.unicast, family.SAFI.multicast, family.SAFI.mpls_vpn)
            ]
        for as4, octets in everything:
            update.unpack_message(octets, direction, sessions[as4])
        return len(everything)

    return run


def os_ken(path: str, mrt: str) -> Callable[[], int]:
    """os-ken's packet library. It takes AS numbers for four octets where they can be."""
    bgp = import_module("os_ken.lib.packet.bgp")
    everything = [octets for _, octets in messages(path)]

    def run() -> int:
        count = 0
        for octets in everything:
            try:
                bgp.BGPMessage.parser(octets)
            except Exception:  # whatever it raises, it has not read the message
                continue
            count += 1
        return count

    return run


def scapy(path: str, mrt: str) -> Callable[[], int]:
    """Scapy's BGP layer."""
    bgp = import_module("scapy.contrib.bgp")
    everything = [octets for _, octets in messages(path)]

    def run() -> int:
        for octets in everything:
            bgp.BGP(octets)
        return len(everything)

    return run


def mrtparse(path: str, mrt: str) -> Callable[[], int]:
    """mrtparse reads MRT, so its figure has the records around the messages in it."""
    reader = import_module("mrtparse").Reader

    def run() -> int:
        return sum(1 for _ in reader(mrt))

    return run


def main() -> None:
    name, path, mrt, rounds = sys.argv[1:]
    run = globals()[name](path, mrt)
    best, count = float("inf"), 0
    for _ in range(int(rounds)):
        start = time.process_time()
        count = run()
        best = min(best, time.process_time() - start)
    print(best, count)


if __name__ == "__main__":
    main()
