"""Run the notebooks from top to bottom and store them with their pictures: `make notebooks`."""

from __future__ import annotations

import sys
import tempfile
from base64 import b64decode, b64encode
from io import BytesIO
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient
from PIL import Image

NOTEBOOKS = sorted((Path(__file__).parent.parent / "notebooks").glob("*.ipynb"))
# Small pictures: 60 dots an inch, at most WIDTH pixels wide, of COLOURS colours.
WIDTH, COLOURS = 1000, 64
SET_UP = "import matplotlib\nmatplotlib.rcParams['figure.dpi'] = 60\nmatplotlib.rcParams['savefig.dpi'] = 60"
LARGEST = 400_000  # bytes of one notebook


def execute(notebook: Any, folder: Path, set_up: str) -> None:
    """Execute a notebook in a folder, with a first cell that is taken out again."""
    notebook.cells.insert(0, nbformat.v4.new_code_cell(set_up))
    client = NotebookClient(notebook, timeout=600, kernel_name="python3", resources={"metadata": {"path": folder}})
    client.execute()
    del notebook.cells[0]


def shrink(picture: str) -> str:
    """Return a picture, base64 of a PNG, no wider than WIDTH and of few colours."""
    with Image.open(BytesIO(b64decode(picture))) as image:
        small = image.convert("RGB")
    if small.width > WIDTH:
        small = small.resize((WIDTH, round(small.height * WIDTH / small.width)), Image.Resampling.LANCZOS)
    file = BytesIO()
    small.quantize(COLOURS).save(file, "PNG", optimize=True)
    return b64encode(file.getvalue()).decode("ascii")


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
                if "image/png" in output.get("data", {}):
                    output.data["image/png"] = shrink(output.data["image/png"])
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
