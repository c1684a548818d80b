"""docs/configuration.md and control.md: their tables are those in the code, their examples work."""

from __future__ import annotations

import re
import runpy
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Final

import pytest
import trio

from bgp.app.config import TABLES, parse
from bgp.app.control import open_control
from bgp.app.schema import keys_of
from bgp.net import open_speaker
from rib.decision import DecisionOptions
from rib.policy import Match, Rule, Set

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGES: Final = runpy.run_path(str(DOCS / "keys.py"))["PAGES"]
TEXT: Final = (DOCS / "configuration.md").read_text()


@pytest.mark.parametrize("name", PAGES)
def test_the_page_is_what_the_code_says(name: str) -> None:
    assert PAGES[name]() == (DOCS / name).read_text(), "run: python docs/keys.py"


def test_every_key_of_every_table_is_there() -> None:
    kinds = [*(options for _, options in TABLES.values()), (DecisionOptions,), (Rule,), (Match,), (Set,)]
    wanted = sorted(key for options in kinds for key in keys_of(*options))
    assert sorted(re.findall(r"^\| `(\w+)` \|", TEXT, re.MULTILINE)) == wanted


def test_every_key_says_what_it_is_for() -> None:
    assert re.findall(r"^\| `(\w+)` .*\|  \|$", TEXT, re.MULTILINE) == []


def test_the_example_is_a_configuration() -> None:
    (example,) = re.findall(r"^```toml\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    found = parse(example.encode(), "example")
    assert [peer.import_policy for peer in found.peers] == [found.policies["customers"]]


async def test_the_program_asks_a_speaker(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (text,) = re.findall(r"^```python\n(.*?)^```$", (DOCS / "control.md").read_text(), re.MULTILINE | re.DOTALL)
    names: dict[str, Any] = {}
    exec(compile(text, "docs/control.md", "exec"), names)
    path = str(tmp_path / "control.sock")
    async with open_speaker(asn=65001, router_id="10.0.0.1") as speaker:
        speaker.announce("10.1.0.0/26")
        speaker.announce("192.0.2.0/24")
        async with open_control(path, SimpleNamespace(speaker=speaker)):
            await trio.to_thread.run_sync(names["print_routes"], path, "10.0.0.0/8")
    assert capsys.readouterr().out == "10.1.0.0/26 from local\n"
