"""The table of solvers, by the kind of file. A new one is one file and one line here."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..values.tables import LazyTable

if TYPE_CHECKING:
    from .solution import Solution

SOLVERS: LazyTable[Callable[..., Solution]] = LazyTable(
    __package__,
    {
        "max_cut": (".max_cut:solve_max_cut", "annealed networks of +1 and -1; a bound by an eigenvalue"),
        "qubo": (".qubo:solve_qubo", "annealed networks of 0 and 1"),
        "colouring": (".colouring:solve_colouring", "softmax neurons; a clique as the bound"),
        "satisfiability": (".satisfiability:solve_clauses", "cubic energy with weights of clauses that adapt"),
        "travelling_salesman": (".travelling_salesman:solve_tour", "chaotic annealing, with 2-opt beside it"),
        "program": (".linear_quadratic:solve_data", "projection network with multiplier neurons"),
    },
)
