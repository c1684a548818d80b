"""The example of docs/kernel.md is a configuration, and says what the page says."""

from __future__ import annotations

import re
from pathlib import Path

from bgp.app.config import parse
from bgp.net.kernel import KernelOptions

PAGE = Path(__file__).parents[2] / "docs" / "kernel.md"


def test_the_example_is_read() -> None:
    text = PAGE.read_text()
    (example,) = re.findall(r"^```toml\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    found = parse(example.encode(), "kernel.md").kernel
    assert found == KernelOptions(source_ipv4="10.1.0.1", max_paths=4)
    assert f"protocol number ({found.protocol}) and a metric ({found.metric})" in text
