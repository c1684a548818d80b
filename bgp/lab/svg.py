"""The picture of a lab as SVG: speakers, sessions, a packet's way, and the routes of a speaker of each role."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from bgp.lab import tables
from bgp.lab.fabric import Snapshot
from bgp.lab.forwarding import Trace
from bgp.lab.layout import BOX_WIDTH, SERVER_HEIGHT, Layout, Place, lay_out
from bgp.topology.model import NODE, REFLECTOR, SPINE, SUPERSPINE, TOR, Node, Session, Topology

FILLS: Final = {
    SUPERSPINE: "#d7c4ee",
    SPINE: "#e3d3f5",
    REFLECTOR: "#e3d3f5",
    TOR: "#cfe4fb",
    NODE: "#d5f0d8",
}
EXTERNAL: Final = "#3266ad"
INTERNAL: Final = "#5a9b63"
WAY: Final = "#d9541e"
TEXT: Final = "#222222"
FAINT: Final = "#777777"
FONT: Final = "Helvetica, Arial, sans-serif"
#: Rows of a Loc-RIB that are drawn, and the width of its column.
MAX_ROWS: Final = 8
COLUMN: Final = 620
LEAST_WIDTH: Final = 700
LINE: Final = 16


def draw_svg(topology: Topology, snapshot: Snapshot, trace: Trace | None) -> str:
    """The whole picture."""
    layout = lay_out(topology)
    ribs = [topology.having(role)[0] for role in topology.roles]
    width = max(layout.width, LEAST_WIDTH)
    columns = max(int(width // COLUMN), 1)
    below = _height_of_ribs(topology, snapshot, ribs, columns)
    height = layout.height + 60 + below
    root = Element("svg", xmlns="http://www.w3.org/2000/svg", width=f"{width:.0f}", height=f"{height:.0f}")
    root.set("viewBox", f"0 0 {width:.0f} {height:.0f}")
    root.set("font-family", FONT)
    SubElement(root, "rect", width="100%", height="100%", fill="white")
    _frames(root, layout)
    for session in topology.sessions:
        _session(root, layout, session)
    if trace is not None:
        _way(root, layout, trace)
    for link, place in layout.switches.items():
        _box(root, place, "#eeeeee", [link, "L2 switch"])
    for node in topology.nodes:
        if (found := layout.places.get(node.name)) is not None:
            _box(root, found, FILLS[node.role], _words(node))
    if trace is not None:
        _badges(root, layout, trace)
    _legend(root, layout.height + 8, topology, trace)
    _ribs(root, topology, snapshot, ribs, layout.height + 60, columns)
    indent(root)
    return tostring(root, encoding="unicode") + "\n"


def _words(node: Node) -> list[str]:
    if not node.prefixes:
        return [node.name, f"AS {node.asn}"]
    more = f" +{len(node.prefixes) - 1}" if len(node.prefixes) > 1 else ""
    return [f"{node.name} · AS {node.asn}", f"{node.prefixes[0]}{more}"]


def _text(parent: Element, x: float, y: float, words: str, **style: str) -> None:
    made = SubElement(parent, "text", x=f"{x:.1f}", y=f"{y:.1f}", fill=style.pop("fill", TEXT))
    made.set("font-size", style.pop("size", "11"))
    for name, value in style.items():
        made.set(name.replace("_", "-"), value)
    made.text = words


def _box(parent: Element, place: Place, fill: str, words: Sequence[str]) -> None:
    if place.small:
        x, y = place.centre
        SubElement(parent, "circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="4", fill=fill, stroke=FAINT)
        return
    shape = SubElement(parent, "rect", x=f"{place.x:.1f}", y=f"{place.y:.1f}", rx="5", fill=fill, stroke="#888888")
    shape.set("width", f"{place.width:.1f}")
    shape.set("height", f"{place.height:.1f}")
    x, middle = place.centre
    first = middle - (len(words) - 1) * 7 + 4
    for row, line in enumerate(words):
        weight = "bold" if row == 0 else "normal"
        _text(
            parent, x, first + row * 14, line, text_anchor="middle", font_weight=weight, size="11" if row == 0 else "10"
        )


def _frames(parent: Element, layout: Layout) -> None:
    for place, words in layout.frames:
        shape = SubElement(
            parent, "rect", x=f"{place.x:.1f}", y=f"{place.y:.1f}", rx="8", fill="#fafafa", stroke="#cccccc"
        )
        shape.set("width", f"{place.width:.1f}")
        shape.set("height", f"{place.height:.1f}")
        _text(parent, place.x + 10, place.y + 17, words, fill=FAINT)
    for x, y, words in layout.notes:
        _text(parent, x, y, words, fill=FAINT)


def _session(parent: Element, layout: Layout, session: Session) -> None:
    """A line; in a rack it goes down beside the servers, so that it does not cross them."""
    ends = [layout.places.get(end.node) for end in session.ends]
    switch = layout.switches.get(session.group)
    near, far = ends
    if session.group == "fabric" and layout.switches:
        for place in ends:
            for top in layout.switches.values():
                if place is not None:
                    _line(parent, [place.centre, top.centre], session)
        return
    if near is None or far is None or switch is not None:
        return
    _line(parent, _points(near, far), session)


def _points(near: Place, far: Place) -> list[tuple[float, float]]:
    lower, upper = (near, far) if near.y > far.y else (far, near)
    if lower.height != upper.height and abs(lower.centre[0] - upper.centre[0]) < BOX_WIDTH * 1.2:
        side = lower.x - 6 if upper.centre[0] <= lower.centre[0] else lower.x + lower.width + 6
        y = upper.y + upper.height
        start = min(max(side, upper.x + 4), upper.x + upper.width - 4)
        end = lower.x if side < lower.x else lower.x + lower.width
        return [(start, y), (start, y + 8), (side, y + 16), (side, lower.centre[1]), (end, lower.centre[1])]
    if lower.x == upper.x and lower.height == upper.height == SERVER_HEIGHT:
        right = lower.x + lower.width  # two servers of a rack
        return [
            (right, upper.centre[1]),
            (right + 8, upper.centre[1]),
            (right + 8, lower.centre[1]),
            (right, lower.centre[1]),
        ]
    return [upper.centre, lower.centre]


def _line(parent: Element, points: Sequence[tuple[float, float]], session: Session) -> None:
    made = SubElement(parent, "polyline", fill="none", stroke=INTERNAL if session.internal else EXTERNAL)
    made.set("points", " ".join(f"{x:.1f},{y:.1f}" for x, y in points))
    made.set("stroke-width", "1.2")
    made.set("stroke-opacity", "0.75")
    if session.internal:
        made.set("stroke-dasharray", "4 3")
    SubElement(made, "title").text = f"{session.dials.node} – {session.listens.node}"


def _way(parent: Element, layout: Layout, trace: Trace) -> None:
    """A broad line from box to box, behind them."""
    for hop, following in pairwise(trace.hops):
        near, far = layout.places.get(hop.node), layout.places.get(following.node)
        if near is not None and far is not None:
            made = SubElement(parent, "polyline", fill="none", stroke=WAY)
            switch = layout.switches.get(hop.link.name) if hop.link is not None else None
            points = _points(near, far) if switch is None else [near.centre, switch.centre, far.centre]
            made.set("points", " ".join(f"{x:.1f},{y:.1f}" for x, y in points))
            made.set("stroke-width", "4")
            made.set("stroke-opacity", "0.6")
            made.set("stroke-linejoin", "round")


def _badges(parent: Element, layout: Layout, trace: Trace) -> None:
    """The packet's TTL at the corner of each box that it comes to."""
    for hop in trace.hops:
        place = layout.places.get(hop.node)
        if place is not None:
            x, y = place.x + place.width - 4, place.y + 4
            SubElement(parent, "circle", cx=f"{x:.1f}", cy=f"{y:.1f}", r="9", fill=WAY)
            _text(parent, x, y + 4, str(hop.ttl), fill="white", text_anchor="middle", size="10")


def _legend(parent: Element, y: float, topology: Topology, trace: Trace | None) -> None:
    internal = sum(session.internal for session in topology.sessions)
    external = len(topology.sessions) - internal
    x = 30.0
    for count, words, colour, dash in ((external, "eBGP", EXTERNAL, ""), (internal, "iBGP", INTERNAL, "4 3")):
        if count:
            made = SubElement(parent, "line", x1=f"{x}", y1=f"{y}", x2=f"{x + 30}", y2=f"{y}", stroke=colour)
            made.set("stroke-width", "2")
            made.set("stroke-dasharray", dash or "none")
            _text(parent, x + 36, y + 4, f"{count} {words} session{'s' if count != 1 else ''}")
            x += 160
    if trace is not None:
        SubElement(parent, "circle", cx=f"{x + 8}", cy=f"{y}", r="8", fill=WAY)
        last = trace.hops[-1].node
        _text(parent, x + 22, y + 4, f"a packet from {trace.hops[0].node} to {trace.destination} at {last}, its TTL")


def _height_of_ribs(topology: Topology, snapshot: Snapshot, nodes: Sequence[Node], columns: int) -> float:
    heights = [_height_of_rib(topology, snapshot, node) for node in nodes]
    return sum(max(heights[at : at + columns]) for at in range(0, len(heights), columns))


def _height_of_rib(topology: Topology, snapshot: Snapshot, node: Node) -> float:
    rows = tables.rows(snapshot, node.name, topology.families)
    return (min(len(rows), MAX_ROWS) + (len(rows) > MAX_ROWS) + 3) * LINE


def _ribs(
    parent: Element, topology: Topology, snapshot: Snapshot, nodes: Sequence[Node], y: float, columns: int
) -> None:
    for at in range(0, len(nodes), columns):
        some = nodes[at : at + columns]
        for column, node in enumerate(some):
            _rib(parent, topology, snapshot, node, 30 + column * COLUMN, y)
        y += max(_height_of_rib(topology, snapshot, node) for node in some)


def _rib(parent: Element, topology: Topology, snapshot: Snapshot, node: Node, x: float, y: float) -> None:
    rows = tables.rows(snapshot, node.name, topology.families)
    _text(parent, x, y, f"Loc-RIB of {node.name} (AS {node.asn})", font_weight="bold", size="12")
    for row in rows[:MAX_ROWS]:
        y += LINE
        way = row.ways[0]
        others = f" (+{len(row.ways) - 1} equal)" if len(row.ways) > 1 else ""
        told = f"via {way.next_hop} from {way.peer} {way.kind}{others}" if way.peer else "own pods"
        _text(parent, x, y, tables.span(row.prefixes), size="10")
        _text(parent, x + 190, y, told, size="10")
        _text(parent, x + 430, y, way.as_path, size="10", fill=FAINT)
    if len(rows) > MAX_ROWS:
        left = sum(len(row.prefixes) for row in rows[MAX_ROWS:])
        _text(parent, x, y + LINE, f"… and {left} more prefixes", size="10", fill=FAINT)
