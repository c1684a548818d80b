"""Where everything stands in the picture of a topology: racks as columns under their spines, the rest in a circle."""

from __future__ import annotations

from math import cos, pi, sin
from typing import Final, NamedTuple

from bgp.topology.model import NODE, REFLECTOR, SPINE, SUPERSPINE, TOR, Node, Topology

#: Sizes in pixels.
BOX_WIDTH: Final = 132
BOX_HEIGHT: Final = 44
SERVER_HEIGHT: Final = 34
GAP: Final = 26
TIER: Final = 120
MARGIN: Final = 30
#: Racks and servers of a rack that are drawn; the rest is a number.
MAX_RACKS: Final = 8
MAX_SERVERS: Final = 8
#: Nodes in a circle that have their words beside them.
MAX_NAMED: Final = 24


class Place(NamedTuple):
    """A box: its left upper corner and its size. `small` ones are dots without words."""

    x: float
    y: float
    width: float = BOX_WIDTH
    height: float = BOX_HEIGHT
    small: bool = False

    @property
    def centre(self) -> tuple[float, float]:
        """The middle."""
        return self.x + self.width / 2, self.y + self.height / 2


class Layout(NamedTuple):
    """The places of nodes and of switches that are drawn, frames around racks with their words, and notes."""

    places: dict[str, Place]
    switches: dict[str, Place]
    frames: list[tuple[Place, str]]
    notes: list[tuple[float, float, str]]
    width: float
    height: float


def lay_out(topology: Topology) -> Layout:
    """The places for a topology."""
    return _racks(topology) if topology.racks else _circle(topology)


def _racks(topology: Topology) -> Layout:
    tiers = [role for role in (SUPERSPINE, SPINE) if topology.having(role)]
    planes = [link.name for link in topology.links if link.name.startswith("plane")]
    rows = len(tiers) or 1
    racks = list(topology.racks)
    shown = racks if len(racks) <= MAX_RACKS else [*racks[: MAX_RACKS - 1], racks[-1]]
    places: dict[str, Place] = {}
    frames: list[tuple[Place, str]] = []
    notes: list[tuple[float, float, str]] = []
    top, left, bottom = MARGIN + rows * TIER, float(MARGIN), 0.0
    for rack in shown:
        if rack != shown[0] and rack == shown[-1] and len(shown) < len(racks):
            notes.append((left + 10, top + 60, f"… {len(racks) - len(shown)} more racks"))
            left += 130
        frame = _rack(topology, rack, left, top, places, notes)
        frames.append((frame, f"rack {rack}"))
        left += frame.width + GAP
        bottom = max(bottom, frame.y + frame.height)
    width = left - GAP + MARGIN
    for row, role in enumerate(tiers):
        names = [node.name for node in topology.having(role)]
        places |= _row(names, MARGIN + row * TIER, width)
    switches = {} if tiers else _row(planes, MARGIN, width)
    return Layout(places, switches, frames, notes, max(width, _right(places, switches) + MARGIN), bottom + MARGIN)


def _rack(
    topology: Topology, rack: int, x: float, y: float, places: dict[str, Place], notes: list[tuple[float, float, str]]
) -> Place:
    """Put a rack's ToRs and servers; gives the frame around them."""
    tors, servers = topology.having(TOR, rack), topology.having(NODE, rack)
    inner = len(tors) * BOX_WIDTH + (len(tors) - 1) * 14 + 24
    for place, tor in enumerate(tors):
        places[tor.name] = Place(x + 12 + place * (BOX_WIDTH + 14), y + 26)
    drawn = servers if len(servers) <= MAX_SERVERS else servers[: MAX_SERVERS - 1]
    at = y + 26 + BOX_HEIGHT + 34
    for server in drawn:
        places[server.name] = Place(x + 12 + (inner - 24 - BOX_WIDTH) / 2, at, BOX_WIDTH, SERVER_HEIGHT)
        at += SERVER_HEIGHT + 10
    if len(drawn) < len(servers):
        notes.append((x + 30, at + 14, f"… {len(servers) - len(drawn)} more servers"))
        at += 24
    return Place(x, y, inner, at - y + 4)


def _row(names: list[str], y: float, width: float) -> dict[str, Place]:
    needed = len(names) * (BOX_WIDTH + 30) - 30
    left = max((width - needed) / 2, MARGIN)
    return {name: Place(left + place * (BOX_WIDTH + 30), y) for place, name in enumerate(names)}


def _circle(topology: Topology) -> Layout:
    """Nodes around, those they all peer with in the middle."""
    inner = [node for node in topology.nodes if node.role in (REFLECTOR, TOR)]
    outer = [node for node in topology.nodes if node not in inner]
    small = len(outer) > MAX_NAMED
    radius = (
        max(180.0, len(outer) * (BOX_WIDTH + 16) / (2 * pi)) if not small else max(220.0, len(outer) * 14 / (2 * pi))
    )
    size = (10.0, 10.0) if small else (float(BOX_WIDTH), float(BOX_HEIGHT))
    middle_x, middle_y = MARGIN + radius + size[0] / 2, MARGIN + radius + size[1] / 2
    places: dict[str, Place] = {}
    for number, node in enumerate(outer):
        angle = 2 * pi * number / len(outer) - pi / 2
        x, y = middle_x + radius * cos(angle), middle_y + radius * sin(angle)
        places[node.name] = Place(x - size[0] / 2, y - size[1] / 2, *size, small)
    places |= _middle(inner, middle_x, middle_y)
    extent = 2 * (radius + MARGIN)
    return Layout(places, {}, [], [], extent + size[0], extent + size[1])


def _middle(nodes: list[Node], x: float, y: float) -> dict[str, Place]:
    pitch = BOX_HEIGHT + 16
    top = y - (len(nodes) * pitch - 16) / 2
    return {node.name: Place(x - BOX_WIDTH / 2, top + place * pitch) for place, node in enumerate(nodes)}


def _right(*tables: dict[str, Place]) -> float:
    return max((place.x + place.width for table in tables for place in table.values()), default=0)
