"""AS_PATH (RFC 4271 5.1.2, RFC 5065 3): the way a route came, as segments of AS numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import IntEnum
from typing import Final, NamedTuple, Self

#: RFC 4271 4.3: a segment's count of AS numbers is one octet.
MAX_SEGMENT: Final = 255
MAX_ASN: Final = (1 << 32) - 1


class SegmentType(IntEnum):
    """Path segment types."""

    SET = 1
    SEQUENCE = 2
    CONFED_SEQUENCE = 3  #: RFC 5065
    CONFED_SET = 4  #: RFC 5065


class Segment(NamedTuple):
    """A path segment; the AS that was passed last comes first."""

    type: int
    asns: tuple[int, ...]

    @property
    def is_set(self) -> bool:
        """Whether the order of its AS numbers means nothing."""
        return self.type in (SegmentType.SET, SegmentType.CONFED_SET)

    def __str__(self) -> str:
        opening, separator, closing = _BRACKETS.get(self.type, (f"<{self.type}: ", " ", ">"))
        return f"{opening}{separator.join(map(str, self.asns))}{closing}"


_BRACKETS: Final[dict[int, tuple[str, str, str]]] = {
    SegmentType.SEQUENCE: ("", " ", ""),
    SegmentType.SET: ("{", ",", "}"),
    SegmentType.CONFED_SEQUENCE: ("(", " ", ")"),
    SegmentType.CONFED_SET: ("[", " ", "]"),
}
_PIECE: Final = re.compile(r"\{([\d,\s]*)\}|\(([\d\s]*)\)|\[([\d,\s]*)\]|([\d\s]+)", re.ASCII)


class _Segments(NamedTuple):
    segments: tuple[Segment, ...] = ()


class AsPath(_Segments):
    """A path, of its segments or of the text that `str` writes: `AsPath("65001 {65002,65003} (64512) [64513 64514]")`."""

    __slots__ = ()

    def __new__(cls, segments: tuple[Segment, ...] | str = ()) -> Self:
        """Raises ValueError for a text that is none."""
        return super().__new__(cls, _segments_of(segments) if isinstance(segments, str) else segments)

    @classmethod
    def of(cls, *asns: int) -> AsPath:
        """One sequence of these AS numbers, split where it is too long for one segment."""
        return EMPTY.prepend_all(asns)

    @classmethod
    def parse(cls, text: str) -> Self:
        """The path that `text` spells. Raises ValueError."""
        return cls(text)

    @property
    def length(self) -> int:
        """What the decision process counts (RFC 4271 9.1.2.2 a): a set is 1, confederation segments are 0 (RFC 5065 5.3)."""
        count = 0
        for kind, asns in self.segments:
            if kind == SegmentType.SEQUENCE:
                count += len(asns)
            elif kind == SegmentType.SET:
                count += 1
        return count

    @property
    def first_as(self) -> int | None:
        """The leftmost AS number of a leading sequence; None where there is none."""
        if self.segments and self.segments[0].type == SegmentType.SEQUENCE and self.segments[0].asns:
            return self.segments[0].asns[0]
        return None

    @property
    def neighbour_as(self) -> int | None:
        """The AS that the route came from, past confederation segments (RFC 4271 9.1.2.2 c)."""
        for kind, asns in self.segments:
            if kind == SegmentType.SEQUENCE and asns:
                return asns[0]
            if kind == SegmentType.SET:
                return None
        return None

    @property
    def origin_as(self) -> int | None:
        """The AS that originated the route: the last one of a closing sequence."""
        if self.segments and self.segments[-1].type == SegmentType.SEQUENCE and self.segments[-1].asns:
            return self.segments[-1].asns[-1]
        return None

    def __iter__(self) -> Iterator[int]:  # type: ignore[override]  # of AS numbers, not of the tuple's one field
        for _, asns in self.segments:
            yield from asns

    def __getnewargs__(self) -> tuple[tuple[Segment, ...]]:
        return (self.segments,)  # what a copy is made of, as iteration gives AS numbers

    def __contains__(self, asn: object) -> bool:
        return any(asn in asns for _, asns in self.segments)

    def count(self, asn: object) -> int:
        """How often an AS number is there."""
        return sum(asns.count(asn) for _, asns in self.segments)

    def prepend(self, asn: int, times: int = 1) -> AsPath:
        """The path with `asn` put before it, in a segment of its own where the first one is full (RFC 4271 5.1.2)."""
        return self.prepend_all((asn,) * times)

    def prepend_all(self, asns: Iterable[int], kind: SegmentType = SegmentType.SEQUENCE) -> AsPath:
        """The path with a sequence of AS numbers before it; `kind` may be CONFED_SEQUENCE (RFC 5065 4)."""
        segments = list(self.segments)
        for asn in reversed(tuple(asns)):
            if segments and segments[0].type == kind and len(segments[0].asns) < MAX_SEGMENT:
                segments[0] = Segment(kind, (asn, *segments[0].asns))
            else:
                segments.insert(0, Segment(kind, (asn,)))
        return AsPath(tuple(segments))

    def merge_as4(self, as4_path: AsPath) -> AsPath:
        """This path of 2-octet AS numbers with what AS4_PATH knows better put in its place (RFC 6793 4.2.3)."""
        confederation = (SegmentType.CONFED_SEQUENCE, SegmentType.CONFED_SET)
        better = AsPath(tuple(s for s in as4_path.segments if s.type not in confederation))
        missing = self.length - better.length
        if missing < 0:
            return self
        kept: list[Segment] = []
        for kind, asns in self.segments:
            if kind in confederation:
                kept.append(Segment(kind, asns))
                continue
            if missing <= 0:
                break
            taken = asns[:missing] if kind == SegmentType.SEQUENCE else asns
            missing -= len(taken) if kind == SegmentType.SEQUENCE else 1
            kept.append(Segment(kind, taken))
            if len(taken) < len(asns):
                break  # what follows is not next to what was prepended
        return _joined((*kept, *better.segments))

    def __str__(self) -> str:
        return " ".join(map(str, self.segments))

    @property
    def is_spelt(self) -> bool:
        """Whether its text says all of it: not where one sequence ends and another begins, nor what has no brackets."""
        return all(segment.type in _BRACKETS for segment in self.segments) and AsPath(str(self)) == self

    def __repr__(self) -> str:
        return f"AsPath({str(self)!r})" if self.is_spelt else f"AsPath({self.segments!r})"


def _segments_of(text: str) -> tuple[Segment, ...]:
    segments: list[Segment] = []
    at = 0
    for found in _PIECE.finditer(text):
        if text[at : found.start()].strip():
            raise ValueError(f"{text!r} is not an AS_PATH: cannot read {text[at : found.start()].strip()!r}")
        at = found.end()
        for kind, inside in zip(_KINDS, found.groups(), strict=True):
            if inside is not None and (numbers := tuple(map(int, inside.replace(",", " ").split()))):
                if max(numbers) > MAX_ASN:
                    raise ValueError(f"{max(numbers)} is not an AS number")
                parts = (numbers[i : i + MAX_SEGMENT] for i in range(0, len(numbers), MAX_SEGMENT))
                segments += [Segment(kind, part) for part in parts]
    if text[at:].strip():
        raise ValueError(f"{text!r} is not an AS_PATH: cannot read {text[at:].strip()!r}")
    return tuple(segments)


def _joined(segments: Iterable[Segment]) -> AsPath:
    """The path of these segments, neighbouring sequences made one where they fit."""
    made: list[Segment] = []
    for segment in segments:
        if (
            made
            and segment.type == made[-1].type == SegmentType.SEQUENCE
            and len(made[-1].asns) + len(segment.asns) <= MAX_SEGMENT
        ):
            made[-1] = Segment(segment.type, made[-1].asns + segment.asns)
        else:
            made.append(segment)
    return AsPath(tuple(made))


_KINDS: Final = (SegmentType.SET, SegmentType.CONFED_SEQUENCE, SegmentType.CONFED_SET, SegmentType.SEQUENCE)
EMPTY: Final = AsPath()
