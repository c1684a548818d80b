from __future__ import annotations

import subprocess
import sys

import pytest

from bgp.app.later import later


def test_a_module_is_loaded_when_something_of_it_is_asked_for() -> None:
    code = """
import sys
from bgp.app.later import later
module = later("colorsys")
assert "colorsys" not in sys.modules
assert module.rgb_to_hsv(0, 0, 0) == (0.0, 0.0, 0)
assert "rgb_to_hsv" in vars(module)
assert "colorsys" in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_is_not_there_is_not_there() -> None:
    with pytest.raises(AttributeError, match="nothing"):
        later("json").nothing  # noqa: B018
