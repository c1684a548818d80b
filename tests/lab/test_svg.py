"""The picture as SVG: everything that should be in it is, and it is well-formed."""

from __future__ import annotations

import io
from pathlib import Path
from xml.etree import ElementTree

import pytest

from bgp.error import LocalError
from bgp.lab import LabOptions, run_lab

SVG = "{http://www.w3.org/2000/svg}"


def picture(tmp_path: Path, model: str, **parameters: int | str) -> ElementTree.Element:
    file = tmp_path / "lab.svg"
    run_lab(model, parameters, json_output=True, out=io.StringIO(), options=LabOptions(svg=file))
    return ElementTree.fromstring(file.read_text())


def words(root: ElementTree.Element) -> str:
    return "\n".join(element.text or "" for element in root.iter(f"{SVG}text"))


def test_a_rack_fabric_has_its_boxes_sessions_way_and_routes(tmp_path: Path) -> None:
    root = picture(tmp_path, "as-per-rack", servers=4)
    text = words(root)
    for name in ("spine2", "r1t", "r3s4 · AS 64515", "rack 2", "6 eBGP sessions", "12 iBGP sessions"):
        assert name in text
    assert "Loc-RIB of r1t (AS 64513)" in text
    assert "via 10.16.0.0 from spine1 eBGP (+1 equal)" in text
    titles = [element.text for element in root.iter(f"{SVG}title")]
    assert len(titles) == 18
    assert [text for text in text.splitlines() if text in {"64", "63", "62", "61", "60"}] == [
        "64",
        "63",
        "62",
        "61",
        "60",
    ]


def test_nothing_lies_outside_the_picture(tmp_path: Path) -> None:
    for model, parameters in (("mesh", {"nodes": 30}), ("leaf-spine", {"clusters": 2}), ("as-per-rack", {"racks": 20})):
        root = picture(tmp_path, model, **parameters)
        width, height = float(root.attrib["width"]), float(root.attrib["height"])
        for element in root.iter(f"{SVG}rect"):
            if "%" not in element.attrib["width"]:
                assert 0 <= float(element.attrib["x"]) <= width - float(element.attrib["width"])
                assert 0 <= float(element.attrib["y"]) <= height - float(element.attrib["height"])


def test_many_racks_and_servers_become_a_number(tmp_path: Path) -> None:
    text = words(picture(tmp_path, "as-per-rack", racks=12, servers=10))
    assert "… 4 more racks" in text
    assert "… 3 more servers" in text


def test_a_picture_that_cannot_be_written_is_an_error() -> None:
    with pytest.raises(LocalError, match=r"cannot write /nowhere/x\.svg: there is no directory /nowhere"):
        run_lab("mesh", {}, json_output=True, out=io.StringIO(), options=LabOptions(svg=Path("/nowhere/x.svg")))
