"""Run the notebooks from top to bottom and store them with their pictures: `make notebooks`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
# Small pictures: 60 dots an inch, of 16 colours or so.
SET_UP = "import matplotlib\nmatplotlib.rcParams['figure.dpi'] = 60\nmatplotlib.rcParams['savefig.dpi'] = 60"
LARGEST = 400_000  # bytes of one notebook


def execute(notebook: Any, folder: Path, set_up: str) -> None:
    """Execute a notebook in a folder, with a first cell that is taken out again."""
    notebook.cells.insert(0, nbformat.v4.new_code_cell(set_up))
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}})
    client.execute()
    del notebook.cells[0]


def store(path: Path, notebook: Any) -> None:
    """Write a notebook without what differs from run to run: counts, ids and times of execution."""
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
        cell.metadata.pop("execution", None)
        if cell.cell_type == "code":
            cell.execution_count = None
            for output in cell.outputs:
                if "execution_count" in output:
                    output.execution_count = None
    notebook.metadata.pop("language_info", None)
    nbformat.write(notebook, path)


def main() -> int:
    """Refresh every notebook; say how large each is, and end with 1 where one is too large."""
    status = 0
    for path in NOTEBOOKS:
        notebook = nbformat.read(path, as_version=4)
        with tempfile.TemporaryDirectory() as folder:
            execute(notebook, Path(folder), SET_UP)
        store(path, notebook)
        size = path.stat().st_size
        status = max(status, int(size > LARGEST))
        print(f"{path.name}: {size / 1000:.0f} kB{'' if size <= LARGEST else f', above {LARGEST / 1000:.0f} kB'}")
    return status


if __name__ == "__main__":
    sys.exit(main())
