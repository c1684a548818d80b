"""docs/configuration.md: its tables are the options in the code, its example is a configuration."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from typing import Final

from bgp.app.config import TABLES, parse
from bgp.app.schema import keys_of
from rib.decision import DecisionOptions
from rib.policy import Match, Rule, Set

DOCS: Final = Path(__file__).parents[2] / "docs"
TEXT: Final = (DOCS / "configuration.md").read_text()


def test_the_page_is_what_the_options_say() -> None:
    assert runpy.run_path(str(DOCS / "keys.py"))["page"]() == TEXT, "run: python docs/keys.py"


def test_every_key_of_every_table_is_there() -> None:
    kinds = [*(options for _, options in TABLES.values()), (DecisionOptions,), (Rule,), (Match,), (Set,)]
    wanted = sorted(key for options in kinds for key in keys_of(*options))
    assert sorted(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)) == wanted


def test_every_key_of_a_peer_says_what_it_is_for() -> None:
    peer = TEXT.partition("## [[peer]]")[2].partition("\n## ")[0]
    plain = {"address", "asn", "families"}
    assert set(re.findall(r"^\| `(\w+)` .*\|  \|$", peer, re.MULTILINE)) <= plain


def test_the_example_is_a_configuration() -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    found = parse(example.encode(), "example")
    assert [peer.import_policy for peer in found.peers] == [found.policies["customers"]]
