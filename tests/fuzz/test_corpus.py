"""What the fuzzers were broken by, and what they begin with, again and again; and the fuzzers themselves."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from random import Random

import pytest
from errors.table import ALL

from fuzz.mutate import Mutator, Seed, put_together, real_messages, take_apart
from fuzz.run import CORPUS, TARGETS, at_random
from fuzz.scan_equals_construct import compare

INPUTS = [path for target in TARGETS for path in sorted((CORPUS / target).iterdir())]


@pytest.mark.parametrize("path", INPUTS, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_what_is_kept_breaks_nothing(path: Path) -> None:
    import_module(f"fuzz.{path.parent.name}").one(path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
def test_every_target_has_a_corpus_and_an_invariant(target: str) -> None:
    assert any(path.parent.name == target for path in INPUTS)
    assert (import_module(f"fuzz.{target}").__doc__ or "").startswith("Invariant: ")


@pytest.mark.parametrize("target", TARGETS)
def test_a_few_examples_of_a_seed_break_nothing(target: str) -> None:
    assert at_random(target, 150, 7) == 0


@pytest.mark.parametrize("target", ["decode", "session"])
def test_the_cases_of_malformed_input_break_nothing(target: str) -> None:
    one = import_module(f"fuzz.{target}").one
    head = {"decode": b"\3", "session": b"\2\0"}[target]
    for case in ALL:
        one(head + (case.octets or case.open or b""))


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_the_scanner_and_the_declarations_agree_on_real_updates_gone_wrong(seed: int) -> None:
    assert compare(150, seed)


def test_a_broken_invariant_is_kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    target = import_module("fuzz.config")
    monkeypatch.setattr("fuzz.run.CORPUS", tmp_path)
    monkeypatch.setattr(target, "one", lambda octets: 1 // len(octets.replace(b"[speaker]", b"")[:1].strip(b"\n")))
    assert at_random("config", 30, 1) > 0
    assert list((tmp_path / "config").iterdir())


def test_updates_are_taken_apart_and_put_together() -> None:
    seeds = [seed for number, seed in enumerate(real_messages()) if number % 50 == 0]
    if not seeds:
        pytest.skip("the data beside the checkout is not there")
    whole = [seed for seed in seeds if put_together(take_apart(seed.octets[19:])) == seed.octets[19:]]
    assert len(whole) > len(seeds) * 0.9


def test_a_seed_is_a_run() -> None:
    seeds = [Seed(case.octets, True, ()) for case in ALL if case.octets[18:19] == b"\2" and len(case.octets) > 60]

    def run() -> list[bytes]:
        mutator = Mutator(seeds, Random(5))
        return [mutator.next()[1] for _ in range(50)]

    assert run() == run()
