"""Writes topologies.md: the models and their parameters, the counts that they predict, what their knobs are for.

    python docs/models.py

The counts are read off topologies, what breaks without a knob is tried out. A test holds that the page is what this would
write.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from bgp.lab import run_lab
from bgp.lab.models import MODELS, build
from bgp.topology.model import Counts, Topology

HERE: Final = Path(__file__).parent

Parameters = dict[str, int | str]

#: What the counts are shown for: six nodes, in three racks under two spines where there are racks.
SHOWN: Final[list[tuple[str, Parameters, str, str]]] = [
    ("mesh", {}, "N(N−1)/2", "(N−1)B → (N−1)B"),
    ("mesh", {"asn": "per-node"}, "N(N−1)/2", "(N−1)B → (N−1)B"),
    ("mesh", {"asn": "per-node", "without": "own-prefixes-only"}, "N(N−1)/2", "(N−1)²B → (N−1)B"),
    ("planes", {}, "P·N(N−1)/2", "P(N−1)B → (N−1)B"),
    ("reflectors", {}, "cN + ρ(ρ−1)/2", "c(E−B) → E−B"),
    ("as-per-rack", {}, "tN + tRS", "t(E−B) → E−B"),
    ("as-per-rack", {"tors": 2}, "tN + tRS", "t(E−B) → E−B"),
    ("as-per-rack", {"rack": "mesh"}, "tR·n(n+1)/2 + tRS", "t(E−B) → E−B"),
    ("as-per-rack", {"spine": "l2"}, "tN + t²P·R(R−1)/2", "t(E−B) → E−B"),
    ("as-per-rack", {"spine_as": "each", "without": "no-valley"}, "tN + tRS", "t(E−B) → E−B"),
    ("as-per-server", {}, "tN + tRS", "t(E−B) → E−B"),
    ("as-per-server", {"tors": 2}, "tN + tRS", "t(E−B) → E−B"),
    ("downward-default", {}, "tN + tRS", "t → 1"),
    ("tor", {}, "N", "E−B → E−B"),
    ("leaf-spine", {"leaves": 3}, "C·L(n+S) + C·S·X", "E−B → E−B"),
]
#: The knobs that something breaks without.
KNOBS: Final[list[tuple[str, Parameters, str, str]]] = [
    ("mesh", {}, "connected-next-hop", "next hops are addresses of the shared subnet"),
    ("reflectors", {}, "reflector-client", "the reflectors reflect"),
    ("reflectors", {"clients_of": 1}, "own-cluster-id", "reflectors whose clients differ do not share a cluster id"),
    ("as-per-rack", {}, "next-hop-self", "the ToR gives itself as next hop of what it learned outside the rack"),
    ("as-per-rack", {}, "reflector-client", "the ToR reflects between its servers"),
    ("as-per-server", {"tor_as": "one"}, "allowas-in", "ToRs of one AS accept each other's routes"),
    ("downward-default", {"routes": "full"}, "allowas-in-nodes,allowas-in-tors", "nodes and ToRs accept their own AS"),
    ("downward-default", {"routes": "full"}, "allowas-in-tors", "ToRs accept their own AS"),
    ("tor", {}, "as-override", "the ToR writes its AS over the nodes'"),
    ("tor", {"asn": "ibgp"}, "reflector-client", "the ToR reflects between its nodes"),
]


def table(head: tuple[str, ...], rows: Iterable[tuple[object, ...]]) -> str:
    """A table in Markdown."""
    lines = [head, ("---",) * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def spell(model: str, parameters: Parameters) -> str:
    """A command line of `bgp lab`."""
    words = [f"--{name.replace('_', '-')} {value}" for name, value in parameters.items()]
    return f"`{' '.join([model, *words])}`"


def counts(topology: Topology, role: str) -> str:
    """The counts of a role, each kind once."""
    found = list(dict.fromkeys(topology.predicted[node.name] for node in topology.having(role)))
    return ", ".join(paths_to_best(one) for one in found) or "–"


def paths_to_best(one: Counts) -> str:
    """ "10 → 5"."""
    return f"{one.paths} → {one.installed}"


def count_rows() -> Iterable[tuple[object, ...]]:
    """A row for each model, with its formula and its numbers."""
    for model, parameters, sessions, formula in SHOWN:
        topology = build(model, parameters)
        upper = "reflector" if model == "reflectors" else "tor"
        yield (
            spell(model, parameters),
            sessions,
            topology.predicted_sessions,
            formula,
            *(counts(topology, role) for role in ("node", upper, "spine")),
        )


def parameter_rows() -> Iterable[tuple[object, ...]]:
    """A row for each model, with its parameters."""
    for name, model in MODELS.items():
        shown = [f"`--{p.name.replace('_', '-')}` {'/'.join(p.choices) or p.default}" for p in model.parameters[:-1]]
        yield f"`{name}`", model.about, ", ".join(shown).replace("`--file` ", "`--file` FILE")


def knob_rows() -> Iterable[tuple[object, ...]]:
    """A row for each knob, with what a run without it said."""
    for model, parameters, knob, meaning in KNOBS:
        out = io.StringIO()
        run_lab(model, {**parameters, "without": knob}, json_output=True, out=out)
        reach = json.loads(out.getvalue())["reachability"]
        left = f"{reach['ok']} of {reach['pairs']}"
        yield spell(model, parameters), meaning, f"`--without {knob}`", left, reach["failed"][0]["reason"]


def page() -> str:
    """topologies.md."""
    return f"""# Topologies

Made by `docs/models.py` from the models in `bgp/topology` and from runs of them. `bgp lab MODEL` runs each with real
speakers; `bgp.topology` has them as values: `as_per_rack(racks=3, servers=2, spines=2)` and so on. How a cluster uses them
is told in the [walk-through](walkthrough.md).

## Models

{table(("model", "who peers with whom", "parameters, their choices or defaults"), parameter_rows())}

`--stack 6` gives everything IPv6 addresses and blocks of /122, `--stack dual` both versions: one session, over IPv4, carries
both families. `--without KNOB,…` leaves knobs out on purpose.

## Counts

What comes out is predicted by a formula before a speaker starts, and a run whose speakers hold anything else has failed.
"Paths → installed" is how many usable paths a speaker has from its peers, and how many routes it forwards by. N nodes, R
racks, n nodes a rack, S spines, t ToRs a rack, P planes, B blocks a node, E = N·B, c reflectors a client, ρ reflectors, C
clusters, L leaves a cluster, X superspines. The numbers are for six nodes with one block, in three racks under two spines
where there are racks; with `--stack dual` all but the sessions double.

{
        table(
            ("model", "sessions", "", "node: paths → installed", "", "ToR or reflector", "spine"),
            count_rows(),
        )
    }

## Knobs

With the knob all 30 ordered pairs of pods reach each other. Without it all sessions come up just the same, and:

{table(("model", "knob", "option", "pairs left", "why the first of the others fails"), knob_rows())}

Some knobs break nothing in a network without faults. `--without own-prefixes-only` (a mesh with an AS per node) lets every
node tell all others of everything: (N−1)² paths a block. `--without no-valley` (spines with an AS each) lets ToRs pass on
what one spine told them to the other: R·E paths at a spine, and racks become transit when a link fails.
`--without multipath` leaves all but one of several equal ways unused. `--without gao-rexford` (graphs) forgets who pays whom.

## Faults

`--fail` lets something happen to a lab that has converged, waits until all is at rest again and says what it cost; then it
is repaired. In the wall's time a fault that nobody is told of takes a hold time to be noticed, so such labs take the
shortest one, 3 s. In virtual time (`--virtual`) the hold time is that of the topology, takes no time to wait for, and every
run with the same `--seed` gives the same result.

| fault | what happens |
| --- | --- |
| `link:X-Y` | nothing passes between two nodes any more, and nobody is told |
| `link:NAME` | the same for a whole subnet, such as `plane 1` |
| `node:X` | a node loses its power: silence |
| `spine-rack` or `spine-rack:S-T` | a spine loses its link to one ToR |
| `restart:X` | a speaker says goodbye and starts again |
| `reset:X-Y` | the connections between two nodes break |
| `delay:X-Y=SECONDS` | octets between two nodes take that long |

`A+B` lets both happen at the same time; several `--fail` come one after the other.

In memory, packets are walked through the speakers' tables: a fault costs *flows*, four for each pair of pods. On real kernels
(`--fabric netns`) they are sent: before the fault each pod begins to send numbered UDP packets to the others (two flows a
pair, one packet in 20 ms each; of more than 120 pairs an even sample and those that the fault is between, and more slowly,
3,000 packets a second in all) and goes on until a moment after all is at rest again. Reported are the packets that did not
arrive, in how many flows, the longest outage of a flow, and the flows that still lose everything; then the same for the
repair.

```
$ bgp lab downward-default --fabric netns --fail spine-rack
…
Fault  spine-rack:spine1-r1t
  down  r1t ⇄ spine1 at 3.106 s: hold timer expired; sent NOTIFICATION 4/0
  Detected after 2.595 s.
  At rest again after 2.608 s.
  2,322 of 8,760 packets were lost, in 17 of 60 flows, for 2,901 ms at the longest; 7 flows are lost now.
  r2s1 → 10.244.0.1 ends at spine1: node spine1 has no route to 10.244.0.1
  up    r1t ⇄ spine1 at 4.972 s
  Repaired: at rest after 1.007 s, all flows pass again.
…
```

With `--json`, each item of `faults` has `fault`, `detected_after`, `converged_after`, and `flows`, `lost_meanwhile` and
`lost`, which are flows; `counted` says whether tables or packets told; on real kernels `packets` has `sent`, `lost`, `flows`,
`flows_hit`, `longest_outage_ms` and `slowest_ms`; `repaired` has `converged_after`, `lost` and `packets`.

A node and a cable of two are cut by taking ports off their bridge. Two nodes on a bridge with others are parted by a rule of
nftables in the bridge, which lets none of their frames pass, ARP and ND included. A delay needs no `netem`: the bridge keeps
the two apart, and what they have for each other goes through the lab, which lets it wait. Both work without root.

The case that downward default is known for: a spine that lost a rack goes on attracting its traffic, because the other
racks know only the default.

```console
$ bgp lab downward-default --virtual --fail spine-rack
…
Fault  spine-rack:spine1-r1t
  down  r1t ⇄ spine1 at 90.…: hold timer expired; sent NOTIFICATION 4/0
  Detected after …
  At rest again after …
  … of 120 flows were lost meanwhile, 8 are lost now.
  r2s1 → 10.244.0.1 ends at spine1: node spine1 has no route to 10.244.0.1
…
$ bgp lab downward-default --routes full --virtual --fail spine-rack
…
  … of 120 flows were lost meanwhile, 0 are lost now.
…
```

## Graphs

`bgp lab graph --file FILE` takes any graph: an AS per node, a session per edge. A file of lines `NODE NODE RELATION` says
what the second node is to the first (`customer`, `peer`, `provider`, or nothing), CAIDA's `AS|AS|-1` and `AS|AS|0` are read
too, and GML, GraphML and node-link JSON by networkx (`pip install 'trio-bgp[graph]'`). Relations become policies (Gao and
Rexford): routes of customers are preferred and told to all, those of peers and providers are told to customers only. So
some pairs are not meant to reach each other; the prediction knows which.

## Other speakers

`--export DIR` writes for each node what BIRD 2 and FRR 8 need to take its place: `DIR/NODE/bird.conf` and `frr.conf`, with
the same knobs in their words. Tests let both check every model.

`--fabric netns --daemon r1s1=bird,tor=frr` runs them in our speaker's place, of a node, a role or `all`. Their messages and
octets are counted from the packets that pass their namespace, since BIRD 2.0 keeps no counters of messages.
"""


PAGES: Final = {"topologies.md": page}


if __name__ == "__main__":
    for name, made in PAGES.items():
        (HERE / name).write_text(made())
