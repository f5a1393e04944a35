"""KiCad's pictures made small: what is drawn stays, where it is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from kicad_board import small_assembly, small_sheets

from hopfield_hw import load_design
from hopfield_hw.assembly import assemble
from hopfield_hw.designs.boards import board_of
from hopfield_hw.kicad.commands import export_pictures, find_kicad, kicad_version
from hopfield_hw.kicad.drawings.draw import draw_sheets
from hopfield_hw.kicad.pictures import MARGIN, shrink_picture
from hopfield_hw.kicad.project import write_project
from hopfield_hw.values.errors import InputError


@pytest.mark.skipif(find_kicad() is None, reason="kicad-cli is not installed: KiCad is not asked")
def test_a_picture_is_cut_to_its_drawing_and_small(tmp_path: Path) -> None:
    assembly = small_assembly()
    write_project(tmp_path, small_sheets(assembly), assembly)
    whole = export_pictures(tmp_path / "small.kicad_pro")["small-neuron_1.svg"]
    small = shrink_picture(whole)
    assert len(small) < 0.4 * len(whole)
    assert "date" not in small
    left, top, width, height = map(float, re.findall(r'viewBox="([^"]*)"', small)[0].split())
    sheet = next(sheet for sheet in small_sheets(assembly) if sheet.name == "neuron_1")
    right, bottom = (1.27 * reach for reach in sheet.extent())
    assert left > 10.0
    assert top > 5.0
    assert left + width == pytest.approx(right + MARGIN, abs=2.0)
    assert top + height == pytest.approx(bottom + MARGIN, abs=2.0)
    assert shrink_picture(whole) == small


def test_lines_that_meet_are_one_and_numbers_short() -> None:
    style = "fill:none; stroke:#006464; stroke-width:0.1524; stroke-linecap:round;"
    lines = "".join(f'<path d="M{a} 1.2349 L{a + 1} 1.2349 " />' for a in (1, 2, 4))
    paper = '<rect x="0" y="0" width="297" height="210" style="fill:#F5F4EF" />'
    shown = f'<g style="{style}"><text x="1" y="1" opacity="0">R1</text>{lines}</g>'
    small = shrink_picture(f'<svg xmlns="http://www.w3.org/2000/svg">{paper}{shown}{shown}</svg>')
    assert small.count("<path") == 1
    assert small.count('stroke="#006464"') == 1
    assert '"M1 1.23l1 0 1 0M4 1.23l1 0"' in small
    assert "R1" not in small
    assert 'viewBox="-2.00 -1.77 10.00 6.00"' in small


@pytest.mark.parametrize("wrong", ["", "<svg", '<svg xmlns="http://www.w3.org/2000/svg"><rect x="0" y="0"/></svg>'])
def test_what_is_no_picture_is_refused(wrong: str) -> None:
    with pytest.raises(InputError, match="picture of a sheet"):
        shrink_picture(wrong)


@pytest.mark.skipif(find_kicad() is None, reason="kicad-cli is not installed: KiCad is not asked")
def test_the_picture_of_the_readme_is_of_the_board_as_it_is(tmp_path: Path) -> None:
    """Written by KiCad 9.0.8; another version may draw other strokes."""
    if kicad_version() != "9.0.8":
        pytest.skip(f"KiCad is {kicad_version()}: the picture was made by 9.0.8")
    name = "ad_converter_board"
    assembly = assemble(board_of(load_design(name), force=True), name=name)
    write_project(tmp_path, draw_sheets(assembly), assembly)
    picture = shrink_picture(export_pictures(tmp_path / f"{name}.kicad_pro")[f"{name}-neuron_0.svg"])
    stored = Path(__file__).parents[2] / "circuits" / name / "neuron.svg"
    assert picture == stored.read_text(encoding="utf-8")
