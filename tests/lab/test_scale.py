"""Growth: sizes become parameters, runs become points, points become curves."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from bgp.error import LocalError
from bgp.lab import scale
from bgp.lab.plot import plot
from bgp.lab.point import Point
from bgp.lab.scale import run_scale, sized, sizes


def test_a_size_is_a_number_of_nodes_with_pods() -> None:
    assert sized("mesh", {"asn": "per-node"}, 20) == {"asn": "per-node", "nodes": 20}
    assert sized("as-per-rack", {"servers": 4}, 20) == {"servers": 4, "racks": 5}
    assert sized("as-per-rack", {"servers": 4}, 21)["racks"] == 6, "racks are full"
    assert sized("leaf-spine", {"clusters": 2}, 20)["leaves"] == 5
    with pytest.raises(LocalError, match="graph does not grow"):
        sized("graph", {}, 20)


def test_sizes_are_numbers_in_order() -> None:
    assert sizes("20, 10,10") == [10, 20]
    for text in ("", "ten", "1", "10,,20", "3000"):
        with pytest.raises(LocalError, match="write sizes from 2 to 2000"):
            sizes(text)


def test_a_mesh_grows_with_the_square_and_racks_with_the_number(tmp_path: Path) -> None:
    out = io.StringIO()
    base = tmp_path / "growth"
    status = run_scale("mesh", {}, wanted="2,4", against="as-per-rack", plot=base, json_output=True, out=out)
    found = json.loads(out.getvalue())
    assert status == 0
    assert [(one["model"], one["size"], one["sessions"]) for one in found["points"]] == [
        ("mesh", 2, 1),
        ("as-per-rack", 2, 4),
        ("mesh", 4, 6),
        ("as-per-rack", 4, 8),
    ]
    assert found["files"] == [f"{base}.svg", f"{base}.png"]
    assert all(one["megabytes"] > 10 for one in found["points"])


def test_the_curves_are_a_picture_of_both_kinds(tmp_path: Path) -> None:
    points = [
        Point(model, size, size * 2, size * 5, size / 10, size / 11, 50, True) for model in "ab" for size in (5, 10)
    ]
    svg, png = plot(points, tmp_path / "curves")
    assert "<svg" in svg.read_text()
    assert png.read_bytes().startswith(b"\x89PNG")


def test_without_matplotlib_the_numbers_are_printed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def absent(name: str) -> object:
        raise ModuleNotFoundError(f"No module named 'matplotlib' for {name}")

    monkeypatch.setattr(scale, "import_module", absent)
    out = io.StringIO()
    assert run_scale("mesh", {}, wanted="2", against="", plot=tmp_path / "x", json_output=False, out=out) == 0
    assert "mesh" in out.getvalue()
    assert "pip install 'trio-bgp[plot]'" in out.getvalue()
    assert not list(tmp_path.iterdir())


def test_a_model_that_is_not_there_is_named() -> None:
    with pytest.raises(LocalError, match="there is no model 'ring'"):
        run_scale("mesh", {}, wanted="2", against="ring", plot=Path("x"), json_output=True, out=io.StringIO())


def test_curves_that_cannot_be_written_are_refused_before_anything_runs(tmp_path: Path) -> None:
    for base, words in ((tmp_path / "none" / "growth", "there is no directory"), (Path(), "names no file")):
        with pytest.raises(LocalError, match=words):
            run_scale("mesh", {}, wanted="2", against="", plot=base, json_output=True, out=io.StringIO())
