"""The weights that the package ships: .npz files of arrays with PyTorch's names, and what is made of them."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

import numpy as np

from ..formats import from_torch
from ..recurrent import Readout, RecurrentCell

DATA = files(__package__) / "data"


def load_arrays(name: str) -> dict[str, Any]:
    """Return the arrays of a shipped file, by name, float64."""
    with (DATA / f"{name}.npz").open("rb") as file, np.load(file, allow_pickle=False) as archive:
        return {key: archive[key].astype(np.float64) for key in archive.files}


def load_cell(name: str) -> tuple[RecurrentCell, Readout]:
    """Return the cell and the readout of a shipped file: `cell.` and PyTorch's names, `readout.weight` and `.bias`."""
    arrays = load_arrays(name)
    (layer,) = from_torch(arrays, prefix="cell.").layers
    (cell,) = layer.cells
    return cell, Readout(weights=arrays["readout.weight"], bias=arrays["readout.bias"])
