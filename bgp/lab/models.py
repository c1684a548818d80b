"""The models of `bgp lab` by name, with their parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from bgp.error import LocalError
from bgp.topology import (
    as_per_rack,
    as_per_server,
    downward_default,
    flat_tor,
    leaf_spine,
    mesh,
    planes,
    read_graph,
    reflectors,
)
from bgp.topology.model import Topology


class Parameter(NamedTuple):
    """A parameter of a model: a number where `default` is one, else one of `choices` (none: any text)."""

    name: str
    default: int | str
    about: str
    choices: tuple[str, ...] = ()


class Model(NamedTuple):
    """A kind of topology; `build` takes the parameters as keywords."""

    name: str
    about: str
    build: Callable[..., Topology]
    parameters: tuple[Parameter, ...]


_NODES: Final = Parameter("nodes", 6, "nodes that have pods")
_RACKS: Final = Parameter("racks", 3, "racks")
_SERVERS: Final = Parameter("servers", 2, "servers in a rack")
_SPINES: Final = Parameter("spines", 2, "spines that every ToR is cabled to")
_TORS: Final = Parameter("tors", 1, "ToRs of a rack")
_BLOCKS: Final = Parameter("blocks", 1, "pod blocks (/26, /122) of a node")
_STACK: Final = Parameter("stack", "4", "versions of IP", ("4", "6", "dual"))
_WITHOUT: Final = Parameter("without", "", "knobs to leave out, with commas between: see what breaks, and why")


def _graph(file: str = "", *, blocks: int = 1, stack: str = "4", without: str = "") -> Topology:
    if not file:
        raise LocalError("which graph? write --file FILE")
    return read_graph(file, blocks=blocks, stack=stack, without=without)


#: The models of `bgp lab`, by name.
MODELS: Final[Mapping[str, Model]] = {
    model.name: model
    for model in (
        Model(
            "mesh",
            "every node peers with every other: one AS over iBGP, or an AS per node over eBGP",
            mesh,
            (_NODES, Parameter("asn", "one", "who shares an AS", ("one", "per-node")), _BLOCKS, _STACK, _WITHOUT),
        ),
        Model(
            "planes",
            "one AS; nodes on several switched planes, a mesh over each, all planes used together",
            planes,
            (_NODES, Parameter("planes", 2, "switched planes that every node is on"), _BLOCKS, _STACK, _WITHOUT),
        ),
        Model(
            "reflectors",
            "one AS; nodes peer with route reflectors instead of each other",
            reflectors,
            (
                _NODES,
                Parameter("reflectors", 2, "route reflectors"),
                Parameter("clients_of", 2, "reflectors that a node peers with"),
                _BLOCKS,
                _STACK,
                _WITHOUT,
            ),
        ),
        Model(
            "as-per-rack",
            "an AS per rack: iBGP between servers and ToR, eBGP from ToR to spines",
            as_per_rack,
            (
                _RACKS,
                _SERVERS,
                _SPINES,
                Parameter("spine", "l3", "spines are routers, or switches over which the ToRs peer", ("l3", "l2")),
                Parameter("spine_as", "one", "the spines' AS numbers", ("one", "each")),
                Parameter("rack", "reflect", "the ToR reflects, or the rack is a mesh", ("reflect", "mesh")),
                _TORS,
                _BLOCKS,
                _STACK,
                _WITHOUT,
            ),
        ),
        Model(
            "as-per-server",
            "an AS per server: eBGP from server to ToR to spines",
            as_per_server,
            (
                _RACKS,
                _SERVERS,
                _SPINES,
                _TORS,
                Parameter("tor_as", "each", "the ToRs' AS numbers", ("each", "one")),
                _BLOCKS,
                _STACK,
                _WITHOUT,
            ),
        ),
        Model(
            "downward-default",
            "servers one AS, ToRs another, spines a third: prefixes go up, a default comes down",
            downward_default,
            (
                _RACKS,
                _SERVERS,
                _SPINES,
                _TORS,
                Parameter("routes", "default", "what goes down", ("default", "full")),
                _BLOCKS,
                _STACK,
                _WITHOUT,
            ),
        ),
        Model(
            "leaf-spine",
            "clusters of leaves and spines under superspines, eBGP everywhere (RFC 7938)",
            leaf_spine,
            (
                Parameter("leaves", 4, "leaves of a cluster"),
                Parameter("servers", 2, "servers of a leaf"),
                Parameter("spines", 2, "spines of a cluster"),
                Parameter("clusters", 1, "clusters; more than one have superspines above"),
                Parameter("superspines", 2, "routers that join the clusters"),
                _BLOCKS,
                _STACK,
                _WITHOUT,
            ),
        ),
        Model(
            "graph",
            "any graph: an AS per node, and policies from who is whose customer, peer or provider",
            _graph,
            (
                Parameter("file", "", "edge list, CAIDA relationships, GML, GraphML or JSON"),
                _BLOCKS,
                _STACK,
                _WITHOUT,
            ),
        ),
        Model(
            "tor",
            "all nodes peer with one ToR",
            flat_tor,
            (
                _NODES,
                Parameter("asn", "one", "the nodes' AS numbers; ibgp: also the ToR's", ("one", "per-node", "ibgp")),
                _BLOCKS,
                _STACK,
                _WITHOUT,
            ),
        ),
    )
}


def build(model: str, parameters: Mapping[str, int | str]) -> Topology:
    """The topology of a model. Raises LocalError for a model, a parameter or a value that there is not."""
    found = MODELS.get(model)
    if found is None:
        raise LocalError(f"there is no model {model!r}; there are {', '.join(MODELS)}")
    known = {parameter.name: parameter for parameter in found.parameters}
    for name, value in parameters.items():
        parameter = known.get(name)
        if parameter is None:
            raise LocalError(f"{model} has no parameter {name!r}; it has {', '.join(known)}")
        if isinstance(value, bool) or not isinstance(value, type(parameter.default)):
            wanted = "a whole number" if isinstance(parameter.default, int) else "text"
            raise LocalError(f"{name} is {value!r}; it must be {wanted}")
    return found.build(**parameters)


def spell_parameters(topology: Topology) -> str:
    """The numbers, and the choices that are not the usual ones."""
    usual = {parameter.name: parameter.default for parameter in MODELS[topology.model].parameters}
    shown = {n: v for n, v in topology.parameters.items() if isinstance(v, int) or v != usual[n]}
    return ", ".join(f"{name.replace('_', '-')} {value}" for name, value in shown.items())
