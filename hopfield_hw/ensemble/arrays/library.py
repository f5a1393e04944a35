"""The libraries of arrays that the engine runs on, by the functions of the array API standard (data-apis.org)."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np

from ...values.arrays import Array
from ...values.errors import MissingExtra

# Blocks of samples that run together, and numbers that an intermediate result may have: those that the caches of a
# processor hold, and those that a GPU needs to be busy.
ON_PROCESSOR = (16, 1 << 16)
ON_GPU = (1 << 14, 1 << 27)


@dataclass(frozen=True)
class Library:
    """A library: `xp`, its functions, and `device`, where its arrays are.

    `together`: blocks of samples that run together; `numbers`: how many an intermediate result may have.
    """

    name: str
    xp: Any
    device: Any
    together: int
    numbers: int

    def give(self, values: Any) -> Any:
        """Return numbers, or indices, as an array of the library."""
        found = np.ascontiguousarray(values)
        return self.xp.asarray(found.astype(np.int64) if found.dtype.kind == "i" else found, device=self.device)

    def zeros(self, *shape: int) -> Any:
        """Return an array of zeros."""
        return self.xp.zeros(shape, dtype=self.xp.float64, device=self.device)

    def full(self, value: Any, *shape: int) -> Any:
        """Return an array of one value: a float, a whole number or a mark."""
        kind = {bool: self.xp.bool, int: self.xp.int64, float: self.xp.float64}[type(value)]
        return self.xp.full(shape, value, dtype=kind, device=self.device)

    def take_back(self, values: Any) -> Array:
        """Return an array of the library as one of NumPy."""
        if self.name == "cupy":
            values = values.get()
        elif self.name == "torch":
            values = values.cpu().numpy()
        return np.asarray(values)


def load_library(name: str) -> Library:
    """Return "numpy", "cupy", or "torch", which takes the first GPU where it sees one and the processor elsewhere.

    Raises MissingExtra where it is not installed.
    """
    if name == "numpy":
        return Library(name, np, None, *ON_PROCESSOR)
    try:
        xp: Any = import_module(f"array_api_compat.{name}")
    except ModuleNotFoundError as error:
        raise MissingExtra(
            f"`backend='{name}'` needs the packages {name} and array-api-compat ({error}); install them: "
            f"pip install array-api-compat {name}"
        ) from None
    if name == "torch" and not xp.cuda.is_available():
        return Library(name, xp, xp.device("cpu"), *ON_PROCESSOR)
    return Library(name, xp, xp.device("cuda") if name == "torch" else None, *ON_GPU)
