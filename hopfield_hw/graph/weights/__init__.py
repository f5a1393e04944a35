"""Weights of an Affine: dense, sparse, or a space-invariant stencil, all with the same methods."""

from .base import Entries, Weights
from .dense import Dense
from .forms import diagonal_weights, freeze_weights, read_weights, stack_matrices
from .sparse import Sparse
from .stencil import BOUNDARIES, Boundary, Stencil, check_boundary, freeze_template

__all__ = [
    "BOUNDARIES",
    "Boundary",
    "Dense",
    "Entries",
    "Sparse",
    "Stencil",
    "Weights",
    "check_boundary",
    "diagonal_weights",
    "freeze_template",
    "freeze_weights",
    "read_weights",
    "stack_matrices",
]
