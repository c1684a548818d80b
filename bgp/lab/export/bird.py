"""BIRD 2's configuration of a node."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from bgp.lab.export.words import Clause, clauses, peers
from bgp.options import NextHopSelf, PeerOptions, RestartMode
from bgp.topology.model import Node, Topology
from rib.family import Afi, Family

#: Below BGP's own 100: the default that is only there to be announced loses against one that was learned.
ORIGINATED_PREFERENCE: Final = 1


def bird_configuration(topology: Topology, name: str) -> str:
    """The text of bird.conf. Raises LocalError for a policy that BIRD is not told in."""
    node, neighbours = topology[name], list(peers(topology, name))
    lines = [
        f"# {name}, {node.role} of {topology.model}",
        f"router id {node.router_id};",
        "protocol device { }",
        f"protocol direct {{ {' '.join(f'{_channel(family)};' for family in topology.families)} }}",
    ]
    kept = any(peer.graceful_restart is RestartMode.ON for peer in neighbours)
    for family in topology.families:
        lines += _tables(node, family, default=any(peer.default_originate for peer in neighbours), kept=kept)
    for number, peer in enumerate(neighbours, 1):
        lines += _session(node, number, peer)
    return "\n".join(lines) + "\n"


def _channel(family: Family) -> str:
    return "ipv4" if family.afi == Afi.IPV4 else "ipv6"


def _default(family: Family) -> str:
    return "0.0.0.0/0" if family.afi == Afi.IPV4 else "::/0"


def _tables(node: Node, family: Family, *, default: bool, kept: bool) -> Iterator[str]:
    channel = _channel(family)
    merge = f"  merge paths on limit {node.multipath};\n" if node.multipath > 1 else ""
    if kept:  # with `-R`: the kernel's routes stay until the neighbours have said all they know
        merge += "  graceful restart on;\n"
    yield f"protocol kernel kernel_{channel} {{\n{merge}  {channel} {{ export where source = RTS_BGP; import none; }};\n}}"
    own = [prefix for prefix in node.prefixes if prefix.afi == family.afi]
    if own:
        routes = "".join(f"  route {prefix} blackhole;\n" for prefix in own)
        yield f"protocol static blocks_{channel} {{\n  {channel};\n{routes}}}"
    if default:
        preference = f"{{ preference {ORIGINATED_PREFERENCE}; }}"
        yield f"protocol static default_{channel} {{\n  {channel} {preference};\n  route {_default(family)} unreachable;\n}}"


def _session(node: Node, number: int, peer: PeerOptions) -> Iterator[str]:
    yield f"protocol bgp session{number} {{  # {peer.label}"
    yield f"  local {peer.local_address} as {node.asn};"
    yield f"  neighbor {peer.address} as {peer.asn};"
    yield f"  hold time {peer.hold_time};"
    yield f"  connect retry time {round(peer.connect_retry_time)};"
    yield "  connect delay time 1;"  # of 5 s otherwise
    yield "  error wait time 1, 30;"  # of 60 to 300 s otherwise, in which a link that works again is not used
    if peer.passive:
        yield "  passive on;"
    if peer.graceful_restart is RestartMode.ON:
        yield f"  graceful restart on;\n  graceful restart time {peer.restart_time};"
    if peer.asn != node.asn:
        yield "  direct;"
        yield "  enforce first as on;"
    if peer.allowas_in:
        yield f"  allow local as {peer.allowas_in};"
    if peer.route_reflector_client:
        yield "  rr client;"
        yield f"  rr cluster id {node.cluster_id or node.router_id};"
    for family in peer.families:
        yield from _family(node, peer, family)
    yield "}"


def _family(node: Node, peer: PeerOptions, family: Family) -> Iterator[str]:
    yield f"  {_channel(family)} {{"
    if peer.next_hop_self is not NextHopSelf.NEVER:
        yield "    next hop self ebgp;" if peer.next_hop_self is NextHopSelf.EXTERNAL else "    next hop self;"
    address = peer.next_hop_ipv4 if family.afi == Afi.IPV4 else peer.next_hop_ipv6
    if address is not None:
        yield f"    next hop address {address};"
    yield f"    import filter {{ {_filter(clauses(peer.import_policy))} }};"
    yield f"    export filter {{ {_export(node, peer, family)} }};"
    yield "  };"


def _export(node: Node, peer: PeerOptions, family: Family) -> str:
    words: list[str] = []
    if peer.default_originate:
        words.append(f"if net = {_default(family)} then accept;")
    else:
        # The default that is announced to others, the connected networks: they are not for everybody.
        words.append(f"if source = RTS_DEVICE || (source = RTS_STATIC && net = {_default(family)}) then reject;")
    if peer.own_prefixes_only:
        words.append("if source != RTS_STATIC then reject;")
    if peer.as_override:
        words.append(
            f"if bgp_path ~ [{peer.asn}] then {{ bgp_path.delete({peer.asn}); bgp_path.prepend({node.asn}); }}"
        )
    words.append(_filter(clauses(peer.export_policy)))
    return " ".join(words)


def _filter(accepted: list[Clause]) -> str:
    words: list[str] = []
    for clause in accepted:
        does = "accept;" if clause.local_pref is None else f"{{ bgp_local_pref = {clause.local_pref}; accept; }}"
        conditions = _conditions(clause)
        if not conditions:
            return " ".join([*words, does.strip("{} ")])
        words.append(f"if {conditions} then {does}")
    return " ".join([*words, "reject;"])


def _conditions(clause: Clause) -> str:
    found = []
    if clause.own_as:
        found.append("(source = RTS_STATIC || bgp_path.len = 0)")
    if clause.neighbours:
        found.append(f"(source = RTS_BGP && bgp_path.first ~ [{', '.join(map(str, clause.neighbours))}])")
    return " && ".join(found)
