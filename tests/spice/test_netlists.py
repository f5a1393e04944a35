"""The committed netlists are what the package writes today, byte for byte, and ngspice runs them as they are."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from hopfield_hw.designs import load_design, shipped_designs
from hopfield_hw.designs.export import export_deck
from hopfield_hw.spice.dialects import DIALECTS
from hopfield_hw.spice.rawfile import read

NETLISTS = Path(__file__).parents[2] / "netlists"
WORKED_BOARD = "ad_converter_board"  # its files: see tests/test_builder_files.py
REMEDY = "hopfield-hw export DESIGN --to DIALECT --cell CELL -o netlists/DESIGN.CELL.DIALECT.cir"


def cell_of(design: str) -> str:
    """Return the cell that a design is meant to be built in: the first that it states after the ideal one."""
    return [*load_design(design).cells, "ideal"][1]


# Every design for ngspice, and some, in different cells, for the simulators that do not run here.
ELSEWHERE = (
    ("limit_cycle", "inverting_integrator"),
    ("flip_flop", "hopfield_tank"),
    ("strongest_of_eight", "winner_take_all"),
)
FILES = [
    *(f"{design}.{cell_of(design)}.ngspice.cir" for design in shipped_designs()),
    *(f"{design}.{cell}.{dialect}.cir" for design, cell in ELSEWHERE for dialect in DIALECTS if dialect != "ngspice"),
]


@pytest.mark.parametrize("name", FILES)
def test_netlist_is_regenerated_byte_for_byte(name: str) -> None:
    design, cell, dialect, _ = name.split(".")
    text = export_deck(load_design(design), dialect, cell)
    remedy = REMEDY.replace("CELL", cell).replace("DESIGN", design).replace("DIALECT", dialect)
    assert (NETLISTS / name).read_bytes() == text.encode(), f"{name} is out of date: {remedy}"


def test_no_netlist_is_left_over() -> None:
    assert sorted(path.name for path in NETLISTS.iterdir() if path.is_file()) == sorted(FILES)
    assert [path.name for path in NETLISTS.iterdir() if path.is_dir()] == [WORKED_BOARD]


@pytest.mark.parametrize("name", [name for name in FILES if ".ngspice." in name and "digit" not in name])
def test_ngspice_runs_the_netlist_as_it_is(name: str, tmp_path: Path, ngspice: str) -> None:
    deck = (NETLISTS / name).resolve()
    raw = tmp_path / "out.raw"
    subprocess.run([ngspice, "-n", "-b", "-r", str(raw), str(deck)], check=True, capture_output=True, cwd=tmp_path)
    (plot,) = read(raw)
    t_stop = float(deck.read_text().split(".tran ")[1].split()[1])
    assert plot.column("time").real[-1] == pytest.approx(t_stop, rel=1e-9)  # the last digits of a sum of steps
