"""Invariant: the scanner and the construct-declared codec say the same of every UPDATE, in every context.

    python -m fuzz.scan_equals_construct [--examples N] [--seed S]

Mutates the real UPDATEs beside the checkout, and the cases of `tests/errors`. A difference is printed as hex, with the
context, and ends the run with status 1.
"""

from __future__ import annotations

import argparse
import sys
import time
from random import Random
from typing import Final

from bgp.wire.context import Context
from fuzz.mutate import Mutator, Seed, real_messages
from rib.family import FAMILY_NAMES, Family

sys.path.insert(0, "tests")
from errors.table import ALL  # of the tests
from scan_model import agree, by_construct, by_scanner  # likewise

FAMILIES: Final = tuple(FAMILY_NAMES.values())
EVERY: Final = 20_000


def seeds() -> list[Seed]:
    """Real messages, and cases that are malformed already."""
    cases = [Seed(case.octets, case.kind != "old", ()) for case in ALL if case.octets[18:19] == b"\2"]
    return [*real_messages(), *(case for case in cases if len(case.octets) >= 23)]


def context_for(seed: Seed, random: Random) -> Context:
    """The session that the message is from, or one that is not."""
    as4 = seed.as4 if random.random() < 0.9 else not seed.as4
    families = frozenset(random.sample(FAMILIES, random.randint(1, len(FAMILIES)))) if random.random() < 0.3 else None
    return Context(
        as4=as4,
        add_path=frozenset(Family(*one) for one in seed.add_path) if random.random() < 0.9 else frozenset(FAMILIES[:2]),
        extended=True,
        peering=random.choice(("external", "internal")),
        peer_asn=65001,
        enforce_first_as=random.random() < 0.1,
        families=frozenset(FAMILIES) if families is None else families,
        disables=random.random() < 0.5,
    )


def compare(examples: int, seed_number: int) -> bool:
    """Whether the two said the same of so many UPDATEs; prints the first of which they do not."""
    random = Random(seed_number)
    mutator = Mutator(seeds(), random)
    kinds = {"reset": 0, "error": 0, "right": 0}
    begun = time.monotonic()
    for number in range(1, examples + 1):
        seed, body = mutator.next()
        context = context_for(seed, random)
        expected = by_construct(body, context)
        found = by_scanner(body, context)
        if not agree(found, expected):
            print(
                f"example {number}, seed {seed_number}: {body.hex()}\n{context}\nscanner:   {found}\nconstruct: {expected}"
            )
            return False
        kinds["reset" if isinstance(expected, set) else "right" if expected[3] is None else "error"] += 1
        if not number % EVERY:
            print(f"{number} examples, {number / (time.monotonic() - begun):.0f} a second, {kinds}", flush=True)
    print(f"{examples} examples, seed {seed_number}: equal; {kinds}")
    return True


def main() -> int:
    options = argparse.ArgumentParser(description="hold the scanner equal to the construct declarations")
    options.add_argument("--examples", type=int, default=100_000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    return 0 if compare(chosen.examples, chosen.seed) else 1


if __name__ == "__main__":
    sys.exit(main())
