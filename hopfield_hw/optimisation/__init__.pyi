from .annealed import Effort
from .chaotic_annealing import Schedule, anneal_tours
from .clauses import Assignments, solve_formula
from .files import solve
from .programs import ProgramSolution, solve_program
from .solution import Solution
from .table import SOLVERS
from .tours import Tours, run_hopfield_tank, run_valid_subspace, two_opt

__all__ = [
    "SOLVERS",
    "Assignments",
    "Effort",
    "ProgramSolution",
    "Schedule",
    "Solution",
    "Tours",
    "anneal_tours",
    "run_hopfield_tank",
    "run_valid_subspace",
    "solve",
    "solve_formula",
    "solve_program",
    "two_opt",
]
