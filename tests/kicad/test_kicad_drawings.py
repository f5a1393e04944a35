"""Drawings of whole boards: their own gates, the papers they take, the same bytes, and KiCad's rules."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from assembled import CIRCUITS, integrators, network

from hopfield_hw.assembly import Assembly, assemble
from hopfield_hw.circuit import Circuit
from hopfield_hw.kicad.commands import find_kicad
from hopfield_hw.kicad.drawings.draw import draw_sheets
from hopfield_hw.kicad.gates import check_project
from hopfield_hw.kicad.project import project_files, write_project


def drawn(circuit: Circuit, folder: Path) -> Assembly:
    assembly = assemble(circuit, name="board")
    write_project(folder, draw_sheets(assembly), assembly)
    return assembly


@pytest.mark.parametrize("make", CIRCUITS.values(), ids=CIRCUITS)
def test_every_circuit_of_parts_is_drawn_so_that_its_nets_and_parts_are_its_own(
    make: Callable[[], Circuit], tmp_path: Path
) -> None:
    assembly = drawn(make(), tmp_path)
    found = check_project(tmp_path, assembly, kicad=False)
    assert found.verdict == "passed without KiCad", found.problems


@pytest.mark.parametrize("n", [2, 8, 16])
def test_boards_of_many_neurons_fit_on_sheets_that_can_be_printed(n: int, tmp_path: Path) -> None:
    assembly = assemble(integrators(network(n)), name="board")
    sheets = draw_sheets(assembly)
    texts = project_files(sheets, assembly)
    papers = {name: text.partition('(paper "')[2].partition('"')[0] for name, text in texts.items() if "_sch" in name}
    assert papers.pop("board.kicad_sch") in ("A4", "A3", "A2")
    assert papers.pop("power.kicad_sch") in ("A3", "A2")
    assert set(papers.values()) <= {"A3", "A2"}, papers
    again = project_files(draw_sheets(assembly), assembly)
    assert again == texts


@pytest.mark.skipif(find_kicad() is None, reason="kicad-cli is not installed: `hopfield-hw doctor` says how to get it")
@pytest.mark.parametrize("name", ["differential_pair", "clocked", "common line"])
def test_kicad_finds_nothing_and_the_same_nets(name: str, tmp_path: Path) -> None:
    assembly = drawn(CIRCUITS[name](), tmp_path)
    found = check_project(tmp_path, assembly)
    assert found.verdict == "passed", found.problems
