"""What the documents show is what happens: their Python runs, their commands print what stands below them."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

import pytest

ROOT: Final = Path(__file__).parent.parent
PAGES: Final = sorted([ROOT / "README.md", *(ROOT / "docs").glob("*.md")])
FENCE: Final = re.compile(r"^```(\w+)[^\n]*\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK: Final = re.compile(r"\[[^\]]*\]\(([^)#\s]+)[^)]*\)")
#: In shown output: anything may stand here; a line of its own stands for any lines.
GAP: Final = "…"


class Block(NamedTuple):
    """A fenced block and the output shown below it."""

    page: str
    line: int
    language: str
    text: str
    output: str | None


def blocks(page: Path) -> list[Block]:
    text = page.read_text()
    found = list(FENCE.finditer(text))
    made = []
    for place, match in enumerate(found):
        following = found[place + 1] if place + 1 < len(found) else None
        shown = following is not None and following[1] == "text" and not text[match.end() : following.start()].strip()
        output = following[2] if shown and following is not None else None
        line = text.count("\n", 0, match.start()) + 1
        made.append(Block(page.name, line, match[1], match[2], output))
    return made


#: Pages whose programs and commands have tests of their own, which know what to run them with.
ELSEWHERE: Final = frozenset({"control.md", "decode.md"})
ALL: Final = [block for page in PAGES for block in blocks(page)]
PROGRAMS: Final = [block for block in ALL if block.language == "python" and block.page not in ELSEWHERE]
#: Commands that a test runs: ```console blocks of lines that begin with "$ ", each with its output below.
CONSOLES: Final = [block for block in ALL if block.language == "console" and block.page not in ELSEWHERE]


def run(command: list[str], folder: Path, text: str | None = None) -> str:
    where = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "120", "NO_COLOR": "1"}
    done = subprocess.run(command, input=text, capture_output=True, text=True, cwd=folder, env=where, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def matches(shown: str, printed: str) -> bool:
    """Whether `printed` is what is shown, gaps allowed."""
    parts = [re.escape(part).replace(re.escape(GAP), ".*") for part in shown.rstrip().splitlines()]
    pattern = r"\n".join("(?:.*\n)*.*" if part == ".*" else part + r"\s*" for part in parts)
    return re.fullmatch(pattern, "\n".join(line.rstrip() for line in printed.rstrip().splitlines())) is not None


def where(block: Block) -> str:
    return f"{block.page}:{block.line}"


@pytest.mark.parametrize("block", PROGRAMS, ids=where)
def test_programs_print_what_is_shown(block: Block, tmp_path: Path) -> None:
    printed = run([sys.executable, "-"], tmp_path, block.text)
    if block.output is not None:
        assert matches(block.output, printed), printed


@pytest.mark.parametrize("block", CONSOLES, ids=where)
def test_commands_print_what_is_shown(block: Block, tmp_path: Path) -> None:
    for part in re.split(r"^\$ ", block.text, flags=re.MULTILINE)[1:]:
        command, _, shown = part.partition("\n")
        words = shlex.split(command)
        assert words[0] == "bgp", command
        printed = run([sys.executable, "-m", "bgp", *words[1:]], tmp_path)
        assert matches(shown, printed), f"$ {command}\n{printed}"


@pytest.mark.parametrize("page", [*PAGES, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md"], ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in LINK.findall(page.read_text()):
        if "://" not in target:
            assert (page.parent / target).exists(), f"{page.name} links to {target}"


def test_every_file_that_rfc_md_names_is_there() -> None:
    text = (ROOT / "docs" / "rfc.md").read_text()
    named = re.findall(r"`((?:bgp|fsm|rib|tests)/[^`]+)`", text)
    assert len(named) > 50
    assert [name for name in named if not (ROOT / name).exists()] == []
    for row in text.splitlines():
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if row.startswith("| ") and len(cells) == 3 and cells[0] not in ("requirement", "---"):
            assert "not done" in cells[1] or "`tests/" in cells[2], f"no test is named: {row}"
