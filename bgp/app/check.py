"""`bgp check`: what a configuration means, in words or as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from typing import TextIO

from bgp.app.config import Configuration, load
from bgp.app.log import shown
from bgp.app.view import kind, policy_name
from bgp.net.rules import effective_policy, own_asn
from bgp.options import PeerOptions, SpeakerOptions


def run_check(file: str, *, json_output: bool, out: TextIO) -> int:
    """Explain the configuration in `file`; gives 0. Raises ConfigError if it cannot be."""
    configuration = load(file)
    if json_output:
        print(json.dumps(as_json(configuration)), file=out)
    else:
        for line in in_words(file, configuration):
            print(line, file=out)
    return 0


def warnings(speaker: SpeakerOptions, peers: Iterable[PeerOptions]) -> Iterator[str]:
    """What is allowed but hardly meant."""
    nothing = {"import": "accepts nothing", "export": "announces nothing"}
    for peer in peers:
        policies = {"import": peer.import_policy, "export": peer.export_policy}
        missing = [word for word, policy in policies.items() if effective_policy(speaker, peer, policy) is None]
        if missing:
            what = " and ".join(nothing[word] for word in missing)
            yield f"peer {shown(peer)} has no {' and no '.join(missing)} policy: it {what} (RFC 8212)"


def _peer(speaker: SpeakerOptions, peer: PeerOptions) -> dict[str, object]:
    return {
        "address": peer.address,
        "name": peer.name,
        "asn": peer.asn,
        "local_asn": own_asn(speaker, peer),
        "kind": kind(speaker, peer),
        "families": [str(family) for family in peer.families],
        "passive": peer.passive,
        "import": policy_name(speaker, peer, peer.import_policy),
        "export": policy_name(speaker, peer, peer.export_policy),
    }


def as_json(configuration: Configuration) -> dict[str, object]:
    """The configuration's gist."""
    speaker = configuration.speaker
    return {
        "asn": speaker.asn,
        "router_id": speaker.router_id,
        "listen": list(speaker.listen),
        "control": configuration.control,
        "peers": [_peer(speaker, peer) for peer in configuration.peers],
        "announced": [str(prefix) for prefix in configuration.announced],
        "policies": {name: str(policy) for name, policy in configuration.policies.items()},
        "kernel": None if configuration.kernel is None else asdict(configuration.kernel),
        "warnings": list(warnings(speaker, configuration.peers)),
    }


def in_words(file: str, configuration: Configuration) -> list[str]:
    """The same for people, a line each."""
    speaker = configuration.speaker
    lines = [
        f"{file}: AS {speaker.asn}, BGP identifier {speaker.router_id}",
        f"listens on {', '.join(speaker.listen) or 'nothing: it only dials'}",
    ]
    for peer in configuration.peers:
        found = _peer(speaker, peer)
        manner = "waits for it to connect" if peer.passive else f"connects to port {peer.port}"
        lines.append(
            f"{found['kind']} peer {shown(peer)} AS {peer.asn}: {', '.join(map(str, peer.families))}; {manner}"
        )
        lines.append(f"    import {found['import']}; export {found['export']}")
    if configuration.announced:
        lines.append(f"announces {', '.join(map(str, configuration.announced))}")
    if configuration.kernel is not None:
        kernel = configuration.kernel
        lines.append(f"routes go into kernel table {kernel.table}, protocol {kernel.protocol}, metric {kernel.metric}")
    lines += [f"policy {name}: {policy}" for name, policy in configuration.policies.items() if policy.rules]
    lines += [f"warning: {warning}" for warning in warnings(speaker, configuration.peers)]
    return lines
