"""The kernels as they are called, with named tuples of arrays."""

from __future__ import annotations

from typing import Any

from .adjoint import walk_back
from .packs import Pack
from .steps import run_block


def run_forward(layout: Any, numbers: Any, state: Any, options: Any, outcome: Any) -> None:
    """Run a block of samples; see `State`, `Options` and `Outcome`."""
    run_block(Pack(layout), Pack(numbers), Pack(state), Pack(options), Pack(outcome))


def run_back(layout: Any, adjoint: Any, numbers: Any, path: Any, wanted: Any, state: Any, found: Any) -> None:
    """Walk back along the paths of a block of lanes; see `Adjoint`, `Wanted`, `BackState` and `Found`."""
    walk_back(Pack(layout), Pack(adjoint), Pack(numbers), Pack(path), Pack(wanted), Pack(state), Pack(found))
