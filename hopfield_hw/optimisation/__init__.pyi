from .annealed import Effort
from .solution import Solution
from .table import SOLVERS, solve

__all__ = ["SOLVERS", "Effort", "Solution", "solve"]
