"""How fast is `rib.PrefixTrie` beside pytricia, py-radix and a dict for each mask length, on a real table, in one run?

    python bench/trie.py [--table FILE.pfx2as.gz --queries FILE.lpm-v4.tsv.gz] [--rounds 3] [--json FILE]

Columns are microseconds of processor time an operation (median of the rounds); below them the ratios of `PrefixTrie` to
each of the others, less than 1 where it is the faster. pytricia and py-radix are C; they are installed into this
environment where they are absent.
"""

from __future__ import annotations

import argparse
import gc
import gzip
import importlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from pathlib import Path
from statistics import median
from time import process_time
from typing import Any

from rib.prefix import Prefix, nlri_from_text
from rib.trie import NlriTrie, PrefixTrie

HERE = Path(__file__).resolve().parent
TABLES = HERE.parent.parent / "shared" / "data" / "prefixes"
#: Every n-th prefix is asked what it covers, and what covers it.
STEP = 50


def imported(module: str, package: str) -> Any:
    """A module of PyPI, installed if it is not there."""
    try:
        return importlib.import_module(module)
    except ImportError:
        print(f"installing {package} ...", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "pip", "install", "-q", package], check=True)
        return importlib.import_module(module)


class MaskDicts:
    """The plain way: a dict for each length, asked from the longest down."""

    def __init__(self, bits: int) -> None:
        self.bits = bits
        self.tables: dict[int, dict[int, str]] = {}
        self.lengths: list[int] = []

    def insert(self, prefix: str, value: str) -> None:
        _, nlri = nlri_from_text(prefix)
        length = nlri[0]
        self.tables.setdefault(length, {})[int.from_bytes(nlri[1:], "big") >> (-length & 7)] = value
        if len(self.lengths) != len(self.tables):
            self.lengths = sorted(self.tables, reverse=True)

    def longest(self, address: str) -> str | None:
        number = int(ip_address(address))
        for length in self.lengths:
            found = self.tables[length].get(number >> (self.bits - length))
            if found is not None:
                return found
        return None


def timed(work: Callable[[], object], count: int) -> float:
    gc.collect()
    began = process_time()
    work()
    return (process_time() - began) / count * 1e6


def drain(found: Iterable[object]) -> None:
    for _ in found:
        pass


def ours(rows: list[tuple[str, str]], queries: list[str]) -> dict[str, float]:
    trie: PrefixTrie[str] = PrefixTrie()
    asked = [prefix for prefix, _ in rows[::STEP]]
    figures = {"insert text": timed(lambda: [trie.__setitem__(*row) for row in rows], len(rows))}
    figures["exact text"] = timed(lambda: [trie[prefix] for prefix, _ in rows], len(rows))
    figures["longest text"] = timed(lambda: [trie.longest_match(address) for address in queries], len(queries))
    figures["first sort"] = timed(lambda: drain(trie), len(rows))
    figures["iterate"] = timed(lambda: drain(trie), len(rows))
    figures["covered"] = timed(lambda: [drain(trie.covered(prefix)) for prefix in asked], len(asked))
    figures["covering"] = timed(lambda: [drain(trie.covering(prefix)) for prefix in asked], len(asked))
    figures["delete text"] = timed(lambda: [trie.__delitem__(prefix) for prefix, _ in rows], len(rows))
    assert not trie
    return figures


def ours_octets(rows: list[tuple[str, str]], queries: list[str]) -> dict[str, float]:
    pairs = [(Prefix(prefix).nlri, value) for prefix, value in rows]
    octets = [ip_address(address).packed for address in queries]
    trie: NlriTrie[str] = NlriTrie(1 if len(octets[0]) == 4 else 2)
    figures = {"insert text": timed(lambda: [trie.__setitem__(*pair) for pair in pairs], len(rows))}
    figures["exact text"] = timed(lambda: [trie[nlri] for nlri, _ in pairs], len(rows))
    figures["longest text"] = timed(lambda: [trie.match(address) for address in octets], len(queries))
    figures["first sort"] = timed(lambda: drain(trie.items()), len(rows))
    figures["iterate"] = timed(lambda: drain(trie.items()), len(rows))
    asked = [nlri for nlri, _ in pairs[::STEP]]
    figures["covered"] = timed(lambda: [drain(trie.covered(nlri)) for nlri in asked], len(asked))
    figures["covering"] = timed(lambda: [drain(trie.covering(nlri)) for nlri in asked], len(asked))
    figures["delete text"] = timed(lambda: [trie.__delitem__(nlri) for nlri, _ in pairs], len(rows))
    return figures


def with_mask_dicts(rows: list[tuple[str, str]], queries: list[str]) -> dict[str, float]:
    table = MaskDicts(128 if ":" in queries[0] else 32)
    figures = {"insert text": timed(lambda: [table.insert(*row) for row in rows], len(rows))}
    figures["longest text"] = timed(lambda: [table.longest(address) for address in queries], len(queries))
    return figures


def with_pytricia(rows: list[tuple[str, str]], queries: list[str]) -> dict[str, float]:
    tree = imported("pytricia", "pytricia").PyTricia(128)
    asked = [prefix for prefix, _ in rows[::STEP]]
    figures = {"insert text": timed(lambda: [tree.__setitem__(*row) for row in rows], len(rows))}
    figures["exact text"] = timed(lambda: [tree[prefix] for prefix, _ in rows], len(rows))
    figures["longest text"] = timed(lambda: [(tree.get_key(a), tree.get(a)) for a in queries], len(queries))
    figures["iterate"] = timed(lambda: drain(tree), len(rows))
    figures["covered"] = timed(lambda: [(prefix, tree.children(prefix)) for prefix in asked], len(asked))
    figures["delete text"] = timed(lambda: [tree.__delitem__(prefix) for prefix, _ in rows], len(rows))
    return figures


def with_radix(rows: list[tuple[str, str]], queries: list[str]) -> dict[str, float]:
    tree = imported("radix", "py-radix").Radix()
    asked = [prefix for prefix, _ in rows[::STEP]]

    def insert() -> None:
        for prefix, value in rows:
            tree.add(prefix).data["value"] = value

    figures = {"insert text": timed(insert, len(rows))}
    figures["exact text"] = timed(lambda: [tree.search_exact(p).data["value"] for p, _ in rows], len(rows))
    figures["longest text"] = timed(
        lambda: [(n.prefix, n.data["value"]) for a in queries if (n := tree.search_best(a)) is not None], len(queries)
    )
    figures["iterate"] = timed(lambda: drain(tree), len(rows))
    figures["covered"] = timed(lambda: [tree.search_covered(prefix) for prefix in asked], len(asked))
    figures["covering"] = timed(lambda: [tree.search_covering(prefix) for prefix in asked], len(asked))
    figures["delete text"] = timed(lambda: [tree.delete(prefix) for prefix, _ in rows], len(rows))
    return figures


FIELD: dict[str, Callable[[list[tuple[str, str]], list[str]], dict[str, float]]] = {
    "PrefixTrie": ours,
    "NlriTrie (octets)": ours_octets,
    "dict a length": with_mask_dicts,
    "pytricia": with_pytricia,
    "py-radix": with_radix,
}
COLUMNS = ("insert text", "exact text", "longest text", "first sort", "iterate", "covered", "covering", "delete text")


def report(figures: dict[str, dict[str, float]]) -> None:
    print(f"{'':18}" + "".join(f"{column:>14}" for column in COLUMNS))
    for name, row in figures.items():
        print(f"{name:18}" + "".join(f"{row[c]:>14.2f}" if c in row else f"{'-':>14}" for c in COLUMNS))
    for baseline in list(FIELD)[2:]:
        base = figures[baseline]
        shown = (f"{figures['PrefixTrie'][c] / base[c]:>13.2f}x" if c in base else f"{'-':>14}" for c in COLUMNS)
        print(f"{'/ ' + baseline:18}" + "".join(shown))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--table", type=Path, action="append", help="pfx2as.gz; default: both of ../shared/data")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    options = parser.parse_args()
    results: dict[str, dict[str, dict[str, float]]] = {}
    for path in options.table or sorted(TABLES.glob("*.pfx2as.gz")):
        with gzip.open(path, "rt") as lines:
            rows = [(f"{a}/{n}", asn) for a, n, asn in (line.split() for line in lines)]
        answers = next(path.parent.glob(path.name.replace(".pfx2as.gz", ".lpm-*.tsv.gz")))
        with gzip.open(answers, "rt") as lines:
            queries = [line.split("\t")[0] for line in lines]
        print(
            f"\n{path.name}: {len(rows)} prefixes, {len(queries)} addresses; us an operation, median of {options.rounds}"
        )
        figures = {}
        for name, run in FIELD.items():
            rounds = [run(rows, queries) for _ in range(options.rounds)]
            figures[name] = {column: median(one[column] for one in rounds) for column in rounds[0]}
        report(figures)
        results[path.name] = figures
    if options.json:
        options.json.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
