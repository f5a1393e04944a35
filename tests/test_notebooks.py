"""The notebooks: executed from top to bottom, and stored with their pictures."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import nbformat
import pytest
from refresh_notebooks import LARGEST, execute

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))


def test_they_are_numbered() -> None:
    numbers = [path.name[:3] for path in NOTEBOOKS]
    assert all(re.fullmatch(r"\d\d_", number) for number in numbers)
    assert len(set(numbers)) == len(numbers)
    assert NOTEBOOKS


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_is_stored_with_its_pictures(path: Path) -> None:
    """`make notebooks` stores them; no cell has failed, warned, or said where it ran."""
    notebook: Any = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert any("image/png" in output.get("data", {}) for output in outputs)
    assert not [output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"]
    assert path.stat().st_size <= LARGEST
    assert not re.search(r"/(?:home|root|Users|work)/", path.read_text(encoding="utf-8"))


# By number of a notebook, numbers in it that are made smaller, so that the test ends in time.
SMALLER = {
    "12": (("samples=300", "samples=60"), ("fresh=500", "fresh=100"), ("samples=500", "samples=100")),
    "13": (("SETS, PROBES = 100, 6, 25", "SETS, PROBES = 100, 2, 10"),),
    "14": (("samples=10_000", "samples=500"),),
}


@pytest.mark.usefixtures("ngspice")
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_it_runs(path: Path, tmp_path: Path) -> None:
    notebook: Any = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = []
            for larger, smaller in SMALLER.get(path.name[:2], ()):
                cell.source = cell.source.replace(larger, smaller)
    execute(notebook, tmp_path, "import warnings\nwarnings.simplefilter('error')")
    printed = [o for cell in notebook.cells if cell.cell_type == "code" for o in cell.outputs]
    assert not [output for output in printed if output.output_type == "stream" and output.name == "stderr"]
    assert any("image/png" in output.get("data", {}) for output in printed)
    assert not list(tmp_path.iterdir())  # what it writes, it takes away
