"""The picture of a topology, in characters: boxes for speakers, lines for links, as much of it as the width holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from rich.text import Text

from bgp.lab.listing import neighbours, tree
from bgp.topology.model import NODE, REFLECTOR, SPINE, SUPERSPINE, TOR, Node, Topology

#: Colours on a terminal, by role.
STYLES: Final = {SUPERSPINE: "magenta", SPINE: "magenta", REFLECTOR: "magenta", TOR: "cyan", NODE: "green"}
LINES: Final = "dim"
#: Spines that get a line each; more of them share one.
MAX_RAILS: Final = 4
#: Servers drawn in a rack, and rows of boxes on a flat subnet; the rest is a number.
MAX_SERVERS: Final = 8
MAX_ROWS: Final = 3
GAP: Final = 2


class Canvas:
    """A grid of characters that grows downwards."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._rows: list[list[tuple[str, str]]] = []

    @property
    def height(self) -> int:
        """How many rows there are."""
        return len(self._rows)

    def put(self, x: int, y: int, text: str, style: str = "") -> None:
        """Write `text` from (x, y) to the right; what is outside is cut off."""
        while len(self._rows) <= y:
            self._rows.append([(" ", "")] * self.width)
        for place, character in enumerate(text, x):
            if 0 <= place < self.width:
                self._rows[y][place] = character, style

    def lines(self) -> list[Text]:
        """The rows, without the spaces at their ends."""
        made = []
        for row in self._rows:
            line = Text(no_wrap=True)
            for character, style in row:
                line.append(character, style)
            line.rstrip()
            made.append(line)
        return made


class Box(NamedTuple):
    """A speaker or a switch to draw: what stands in the box."""

    words: tuple[str, ...]
    style: str
    least: int = 0

    @property
    def width(self) -> int:
        """Of the words, frame and margins, or `least`."""
        return max(self.least, max(map(len, self.words)) + 4)

    @property
    def stands_for_more(self) -> bool:
        """Whether it only says how many others there are."""
        return self.words[0] == "…"

    def draw(self, canvas: Canvas, centre: int, y: int, *, above: str = "─", below: str = "─") -> None:
        """Draw the box with its middle column at `centre`; `above` and `below` are where lines meet the frame there."""
        inner = self.width - 2
        left = centre - self.width // 2
        canvas.put(left, y, f"┌{'─' * inner}┐", self.style)
        for row, words in enumerate(self.words, y + 1):
            canvas.put(left, row, "│", self.style)
            canvas.put(left + 1, row, words.center(inner), self.style if row > y + 1 else f"bold {self.style}")
            canvas.put(left + self.width - 1, row, "│", self.style)
        canvas.put(left, y + len(self.words) + 1, f"└{'─' * inner}┘", self.style)
        if above != "─":
            canvas.put(centre, y, above, self.style)
        if below != "─":
            canvas.put(centre, y + len(self.words) + 1, below, self.style)


def draw(topology: Topology, width: int) -> list[Text]:
    """The picture, at most `width` characters wide."""
    if topology.having(SUPERSPINE):
        return list(tree(topology, STYLES))
    if topology.model == "graph":
        return list(neighbours(topology, STYLES))
    return _Racks(topology, width).draw() if topology.racks else _Subnet(topology, width).draw()


def _box(node: Node, *more: str) -> Box:
    return Box((node.name, f"AS {node.asn}", *more), STYLES[node.role])


class _Column(NamedTuple):
    """One rack: its ToR, its servers' lines, a word about them. No ToR: stands for the racks left out."""

    tor: Box | None
    servers: tuple[str, ...]
    note: str = ""

    @property
    def width(self) -> int:
        """Of the rack; the servers hang under the left side of the ToR."""
        lines = max(map(len, self.servers), default=0) + (4 if self.tor is not None else 0)
        return max(lines, len(self.note) + 2, self.tor.width if self.tor is not None else 0)


class _Racks:
    """Spines (or planes) above, racks below; a line for each spine, so that every cable is there to see."""

    def __init__(self, topology: Topology, width: int) -> None:
        self.topology = topology
        self.canvas = Canvas(width)
        self.columns = self._fitting(width)

    def draw(self) -> list[Text]:
        columns, tops = self.columns, self._tops()
        rails = len(tops) if len(tops) <= MAX_RAILS else 1
        spread = sum(column.width for column in columns) + GAP * (len(columns) - 1)
        room = min(max(spread, sum(box.width + GAP for box in tops)), self.canvas.width)
        lefts = [sum(c.width + GAP for c in columns[:place]) for place in range(len(columns))]
        stems = [
            [left + column.width // 2 + 2 * rail - (rails - 1) for rail in range(rails)] if column.tor else []
            for column, left in zip(columns, lefts, strict=True)
        ]
        heads = self._heads(
            _as_many_as_fit(tops, room),
            room,
            {x + near for own in stems for x in own for near in (-1, 0, 1)} if rails > 1 else set(),
        )
        height = self.canvas.height
        self._rails(heads, stems, height, rails)
        for column, left, own in zip(columns, lefts, stems, strict=True):
            self._column(column, left, height + rails, own)
        return self.canvas.lines()

    def _heads(self, shown: list[Box], room: int, taken: set[int]) -> list[int]:
        """Draw the tops and give the columns where their lines begin, away from those that are `taken`."""
        centres = [
            _nearest(wanted, box.width // 2, self.canvas.width - box.width // 2, taken)
            for box, wanted in zip(shown, _spread(shown, room), strict=True)
        ]
        for box, centre in zip(shown, centres, strict=True):
            box.draw(self.canvas, centre, 0, below="─" if box.stands_for_more else "┬")
        return [centre for box, centre in zip(shown, centres, strict=True) if not box.stands_for_more]

    def _tops(self) -> list[Box]:
        spines = self.topology.having(SPINE)
        if spines:
            return [_box(spine) for spine in spines]
        planes = [link for link in self.topology.links if link.name.startswith("plane")]
        return [Box((plane.name, "L2 switch", str(plane.network)), STYLES[SPINE]) for plane in planes]

    def _rails(self, heads: list[int], stems: list[list[int]], top: int, rails: int) -> None:
        """A horizontal line for each top; the stems of the tops come from above, those of the ToRs from below."""
        for rail in range(rails):
            from_above = heads if rails == 1 else [heads[rail]]
            to_below = [own[rail] for own in stems if own]
            later = heads[rail + 1 :] if rails > 1 else []
            passing = [*later, *(x for own in stems if own for x in own[:rail])]
            self._rail(top + rail, from_above, to_below, passing, double=bool(rail % 2))

    def _rail(self, y: int, above: list[int], below: list[int], passing: list[int], *, double: bool) -> None:
        canvas, ends = self.canvas, [*above, *below]
        first, last = min(ends), max(ends)
        canvas.put(first, y, ("═" if double else "─") * (last - first + 1), LINES)
        for x in passing:
            inside = first < x < last
            canvas.put(x, y, ("╪" if double else "┼") if inside else "│", LINES)
        for x in {*above, *below}:
            canvas.put(x, y, _joint(x, first, last, up=x in above, down=x in below, double=double), LINES)

    def _column(self, column: _Column, left: int, y: int, stems: list[int]) -> None:
        canvas = self.canvas
        if column.tor is None:
            for row, words in enumerate(column.servers):
                canvas.put(left, y + 1 + row, words.center(column.width), LINES)
            return
        box = column.tor._replace(least=column.width)
        box.draw(canvas, left + column.width // 2, y)
        for x in stems:
            canvas.put(x, y, "┴", box.style)
        trunk, foot = left + 1, y + len(box.words) + 2
        canvas.put(trunk, foot - 1, "┬", box.style)
        for row, words in enumerate(column.servers):
            canvas.put(trunk, foot + row, "└" if row == len(column.servers) - 1 else "├", LINES)
            canvas.put(trunk + 2, foot + row, words, STYLES[NODE])
        if column.note:
            canvas.put(trunk + 1, foot + len(column.servers), column.note, LINES)

    def _fitting(self, width: int) -> list[_Column]:
        """All racks if they fit, without the servers' prefixes if need be; else the first ones and the last."""
        racks = self.topology.racks
        for with_prefixes in (True, False):
            columns = [self._make(rack, with_prefixes) for rack in racks]
            if sum(c.width for c in columns) + GAP * (len(columns) - 1) <= width:
                return columns
        room = max((width - 10) // (max(c.width for c in columns) + GAP), 2)
        rest = _Column(None, ("· · ·", f"{len(racks) - room} more", "racks"))
        return [*columns[: room - 1], rest, columns[-1]]

    def _make(self, rack: int, with_prefixes: bool) -> _Column:
        tors, servers = self.topology.having(TOR, rack), self.topology.having(NODE, rack)
        shown = servers if len(servers) <= MAX_SERVERS else [*servers[: MAX_SERVERS - 2], servers[-1]]
        lines = [" ".join((server.name, *_prefixes(server))) if with_prefixes else server.name for server in shown]
        if len(shown) < len(servers):
            lines.insert(-1, f"… {len(servers) - len(shown)} more")
        words = (" ".join(tor.name for tor in tors), f"AS {tors[0].asn}", " ".join(map(self._address, tors)))
        return _Column(Box(words, STYLES[TOR]), tuple(lines), _asns(tors[0], servers))

    def _address(self, tor: Node) -> str:
        links = self.topology.links_of(tor.name)
        return next(str(interface.address) for link, interface in links if link.name.startswith("rack"))


def _asns(tor: Node, servers: Sequence[Node]) -> str:
    """The AS numbers of servers that do not share their ToR's."""
    numbers = sorted({server.asn for server in servers})
    if numbers == [tor.asn]:
        return ""
    return f"AS {numbers[0]}" if len(numbers) == 1 else f"AS {numbers[0]}–{numbers[-1]}"


class _Subnet:
    """All on one subnet: who is not a plain node above the line, the nodes below it."""

    def __init__(self, topology: Topology, width: int) -> None:
        self.topology = topology
        self.canvas = Canvas(width)

    def draw(self) -> list[Text]:
        canvas, topology = self.canvas, self.topology
        tops = [_box(node, self._address(node)) for node in topology.nodes if node.role != NODE]
        rows = self._rows([_box(node, self._address(node), *_prefixes(node)) for node in topology.having(NODE)])
        shown = _as_many_as_fit(tops, canvas.width) if tops else []
        heads = self._row(shown, 0, above=False)
        for number, row in enumerate(rows):
            y = canvas.height
            centres = self._row(row, y + 1, above=True)
            above = heads if number == 0 else []
            last = max([*centres, *above])
            canvas.put(0, y, "─" * (last + 1), LINES)
            for x in {*centres, *above}:
                canvas.put(x, y, _joint(x, 0, last, up=x in above, down=x in centres, double=False), LINES)
            more = number < len(rows) - 1
            canvas.put(0, y, ("├" if more else "└") if number else ("┌" if more else "╶"), LINES)
            for trunk in range(y + 1, canvas.height if more else 0):
                canvas.put(0, trunk, "│", LINES)
        words = ", ".join(f"{link.name} {link.network}" for link in topology.links)
        canvas.put(2, canvas.height, words, LINES)
        return canvas.lines()

    def _row(self, boxes: Sequence[Box], y: int, *, above: bool) -> list[int]:
        """Draw boxes beside each other with their stems above or below, and give the columns of the stems."""
        centres = _packed(boxes)
        for box, x in zip(boxes, centres, strict=True):
            stem = ("┴" if above else "┬") if not box.stands_for_more else "─"
            box.draw(self.canvas, x, y, above=stem if above else "─", below="─" if above else stem)
        return [x for box, x in zip(boxes, centres, strict=True) if not box.stands_for_more]

    def _rows(self, boxes: Sequence[Box]) -> list[list[Box]]:
        width = max(box.width for box in boxes) + GAP
        per_row = max((self.canvas.width - 2) // width, 1)
        room = per_row * MAX_ROWS
        shown = list(boxes)
        if len(shown) > room:
            rest = Box(("…", f"{len(shown) - room + 2} more", "", *[""] * (len(shown[0].words) - 3)), LINES)
            shown = [*shown[: room - 2], rest, shown[-1]]
        return [shown[at : at + per_row] for at in range(0, len(shown), per_row)]

    def _address(self, node: Node) -> str:
        return str(self.topology.links_of(node.name)[0][1].address)


def _prefixes(node: Node) -> tuple[str, ...]:
    if len(node.prefixes) > 1:
        return str(node.prefixes[0]), f"+{len(node.prefixes) - 1}"
    return tuple(map(str, node.prefixes))


def _as_many_as_fit(boxes: Sequence[Box], width: int) -> list[Box]:
    room = max(width // (max(box.width for box in boxes) + GAP), 3)
    if len(boxes) <= room:
        return list(boxes)
    rest = Box(("…", f"{len(boxes) - room + 1} more"), LINES)
    return [*boxes[: room - 2], rest, boxes[-1]]


def _spread(boxes: Sequence[Box], width: int) -> list[int]:
    """The middle columns of boxes that share a width evenly."""
    each = width // len(boxes)
    return [each * place + each // 2 for place in range(len(boxes))]


def _nearest(wanted: int, first: int, last: int, taken: set[int]) -> int:
    """The free column nearest to `wanted`; that one itself if all are taken."""
    free = [x for x in range(first, last) if x not in taken]
    return min(free, key=lambda x: abs(x - wanted), default=wanted)


def _packed(boxes: Sequence[Box]) -> list[int]:
    """The middle columns of boxes put beside each other from the left."""
    centres, left = [], 2
    for box in boxes:
        centres.append(left + box.width // 2)
        left += box.width + GAP
    return centres


#: Where stems meet a horizontal line: by (stem above, stem below), at its left end, within it, at its right end, alone.
_JOINTS: Final = {
    (True, False): ("└┴┘│", "╘╧╛│"),
    (False, True): ("┌┬┐│", "╒╤╕│"),
    (True, True): ("├┼┤│", "╞╪╡│"),
}


def _joint(x: int, first: int, last: int, *, up: bool, down: bool, double: bool) -> str:
    where = 3 if first == last else 0 if x == first else 2 if x == last else 1
    return _JOINTS[up, down][double][where]
