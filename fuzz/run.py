"""Runs one of the targets over inputs that it mutates: with atheris by coverage, without it at random from a seed.

    python -m fuzz.run decode|session|speaker|mrt|config [--examples N] [--seed S] [--atheris]

An input that breaks the invariant is written to fuzz/corpus/TARGET/, where the tests replay it for ever.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from random import Random
from typing import Final

from fuzz.mutate import Mutator, Seed

CORPUS: Final = Path(__file__).parent / "corpus"
TARGETS: Final = ("decode", "session", "speaker", "mrt", "config")


def seeds_of(target: str) -> list[bytes]:
    """What the target begins with, and what once broke it."""
    kept = [path.read_bytes() for path in sorted((CORPUS / target).glob("*"))]
    return [*import_module(f"fuzz.{target}").seeds(), *kept]


def at_random(target: str, examples: int, seed: int) -> int:
    """Mutate from a seed; gives how many inputs broke the invariant."""
    one: Callable[[bytes], None] = import_module(f"fuzz.{target}").one
    random = Random(seed)
    seeds = seeds_of(target)
    mutator = Mutator([Seed(b"\xff" * 19 + bytes(4), True, ())], random)
    broken = 0
    begun = time.monotonic()
    for _ in range(examples):
        octets = random.choice(seeds)
        for _ in range(random.randint(0, 4)):
            octets = mutator.scratch(octets)
        try:
            one(octets)
        except Exception as error:
            broken += 1
            keep(target, octets, error)
    print(
        f"{target}: {examples} examples, seed {seed}, {examples / (time.monotonic() - begun):.0f} a second, {broken} broken"
    )
    return broken


def by_coverage(target: str) -> None:
    """Let atheris choose the inputs, until it is stopped or finds something."""
    atheris = import_module("atheris")
    with atheris.instrument_imports(include=["bgp", "rib", "fsm"]):
        one = import_module(f"fuzz.{target}").one
    atheris.Setup([sys.argv[0], str(CORPUS / target)], one)
    atheris.Fuzz()


def keep(target: str, octets: bytes, error: Exception) -> None:
    """Put an input into the corpus, and say so."""
    folder = CORPUS / target
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / sha256(octets).hexdigest()[:16]
    path.write_bytes(octets)
    print(f"{path}: {type(error).__name__}: {error}", file=sys.stderr)


def main() -> int:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("target", choices=TARGETS)
    options.add_argument("--examples", type=int, default=20_000)
    options.add_argument("--seed", type=int, default=1)
    options.add_argument("--atheris", action="store_true")
    chosen = options.parse_args()
    if chosen.atheris:
        by_coverage(chosen.target)
        return 0
    return 1 if at_random(chosen.target, chosen.examples, chosen.seed) else 0


if __name__ == "__main__":
    sys.exit(main())
