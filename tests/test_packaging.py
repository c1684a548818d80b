"""What the wheel holds: three import packages, each typed, and nothing else."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final
from zipfile import ZipFile

import pytest

ROOT: Final = Path(__file__).parent.parent


def test_the_build_names_three_packages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["bgp", "fsm", "rib"]
    assert project["project"]["name"] == "trio-bgp"
    for package in ("bgp", "fsm", "rib"):
        assert (ROOT / package / "py.typed").exists()


def test_the_wheel_holds_three_packages() -> None:
    wheels = sorted((ROOT / "dist").glob("*.whl"))
    if not wheels:
        pytest.skip("no wheel is built: make wheel")
    with ZipFile(wheels[-1]) as wheel:
        names = wheel.namelist()
    tops = {name.partition("/")[0] for name in names}
    packages = {top for top in tops if not top.endswith(".dist-info")}
    assert packages == {"bgp", "fsm", "rib"}
    assert {f"{package}/py.typed" for package in packages} <= set(names)
    assert "bgp/app/web/templates/home.html" in names


@pytest.mark.parametrize(
    ("expression", "trio"),
    [
        ("bgp.decode", False),
        ("bgp.topology.as_per_rack(racks=3, servers=2, spines=2)", False),
        ("bgp.net.open_speaker", True),
        ("bgp.aio.open_speaker", True),
    ],
)
def test_one_import_is_enough(expression: str, trio: bool) -> None:
    code = f"import sys, bgp; {expression}; print('trio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == f"{trio}\n"
