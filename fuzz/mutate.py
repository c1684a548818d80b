"""Octets that are nearly right: real messages, and what becomes of them when one thing or another goes wrong.

Everything is drawn from one `random.Random`, so that a seed is a whole run.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parent.parent
DATA: Final = ROOT.parent / "shared" / "data" / "corpus.jsonl.gz"
#: Longer messages say nothing new and cost time.
LONGEST: Final = 700
#: Kinds of change: what ends a session is easily come by and shows little, so it is rare.
CHANGES: Final = (0, 0, 0, 0, 1, 2, 3, 4, 4, 5, 6, 6, 7, 7, 7, 7, 7, 7, 8, 8)


class Seed(NamedTuple):
    """A real message, and what the session it is from had agreed on."""

    octets: bytes
    as4: bool
    add_path: tuple[tuple[int, int], ...]


def real_messages(kind: str = "UPDATE") -> Iterator[Seed]:
    """The messages of one type in the data that lies beside the checkout; none where it does not."""
    if not DATA.exists():
        return
    with gzip.open(DATA, "rt") as lines:
        for line in lines:
            found = json.loads(line)
            if found["type"] == kind and len(found["hex"]) <= 2 * LONGEST:
                context = found["context"]
                paths = tuple(
                    (int(afi), int(safi)) for afi, _, safi in (one.partition("/") for one in context["addpath"])
                )
                yield Seed(bytes.fromhex(found["hex"]), context["as4"], paths)


class Parts(NamedTuple):
    """An UPDATE taken apart: attributes as (flags, code, value)."""

    withdrawn: bytes
    attributes: tuple[tuple[int, int, bytes], ...]
    nlri: bytes


def take_apart(body: bytes) -> Parts:
    """The parts of a well-formed UPDATE's body; what is not well-formed is left out."""
    gone = int.from_bytes(body[:2], "big")
    size = int.from_bytes(body[2 + gone : 4 + gone], "big")
    block = body[4 + gone : 4 + gone + size]
    found = []
    at = 0
    while len(block) - at >= 4:
        flags, code = block[at], block[at + 1]
        start, length = (
            (at + 4, int.from_bytes(block[at + 2 : at + 4], "big")) if flags & 16 else (at + 3, block[at + 2])
        )
        found.append((flags, code, block[start : start + length]))
        at = start + length
    return Parts(body[2 : 2 + gone], tuple(found), body[4 + gone + size :])


def put_together(parts: Parts) -> bytes:
    """A body with right lengths."""
    block = b"".join(_attribute(*one) for one in parts.attributes)
    return (
        len(parts.withdrawn).to_bytes(2, "big") + parts.withdrawn + len(block).to_bytes(2, "big") + block + parts.nlri
    )


def _attribute(flags: int, code: int, value: bytes) -> bytes:
    if len(value) > 255 or flags & 16:
        return bytes((flags | 16, code)) + len(value).to_bytes(2, "big") + value
    return bytes((flags, code, len(value))) + value


class Mutator:
    """Makes bodies of UPDATEs out of those it was given."""

    def __init__(self, seeds: list[Seed], random: Random) -> None:
        self.random = random
        self.seeds = seeds
        self.pool: dict[int, list[tuple[int, int, bytes]]] = {}
        for seed in seeds:
            for one in take_apart(seed.octets[19:]).attributes:
                self.pool.setdefault(one[1], []).append(one)
        self.codes = sorted(self.pool)

    def next(self) -> tuple[Seed, bytes]:
        """A message and what was made of it."""
        random = self.random
        seed = random.choice(self.seeds)
        parts = take_apart(seed.octets[19:])
        for _ in range(random.choice((0, 1, 1, 1, 2, 2, 3, 5))):
            parts = self._change(parts)
        body = put_together(parts)
        for _ in range(random.choice((0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 2))):
            body = self.scratch(body)
        return seed, body

    def _change(self, parts: Parts) -> Parts:
        random = self.random
        attributes = list(parts.attributes)
        what = random.choice(CHANGES)
        if what == 0:
            other = random.choice(self.pool[random.choice(self.codes)])
            attributes.insert(random.randint(0, len(attributes)), other)
        elif what == 1:
            return parts._replace(nlri=self.scratch(parts.nlri))
        elif what == 2:
            return parts._replace(withdrawn=self.scratch(parts.withdrawn))
        elif what == 3:
            return parts._replace(withdrawn=parts.nlri, nlri=parts.withdrawn)
        elif attributes:
            at = random.randrange(len(attributes))
            flags, code, value = attributes[at]
            if what == 4:
                del attributes[at]
            elif what == 5:
                attributes[at] = (flags ^ 1 << random.randrange(8), code, value)
            elif what == 6:
                attributes[at] = (random.choice((flags, 0x80, 0xC0, 0xC0, 0xE0)), random.randrange(256), value)
            elif what == 7:
                attributes[at] = (flags, code, self.scratch(value))
            else:
                random.shuffle(attributes)
        return parts._replace(attributes=tuple(attributes))

    def scratch(self, octets: bytes) -> bytes:
        """Some octet changed, or some cut out, put in or repeated."""
        random = self.random
        at = random.randint(0, len(octets))
        what = random.randrange(5)
        if what == 0:
            return octets[:at]
        if what == 1:
            return octets[:at] + random.randbytes(random.randint(1, 4)) + octets[at:]
        if what == 2:
            return octets[:at] + octets[at + random.randint(1, 4) :]
        if what == 3:
            return (
                octets[:at]
                + bytes((random.choice((0, 1, 2, 24, 32, 33, 127, 128, 129, 255, random.randrange(256))),))
                + octets[at + 1 :]
            )
        return octets[:at] + octets[at : at + 8] + octets[at:]
