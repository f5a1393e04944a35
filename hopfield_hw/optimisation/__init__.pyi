from .annealed import Effort
from .chaotic_annealing import Schedule, anneal_tours
from .clauses import Assignments, solve_formula
from .files import solve
from .programs import ProgramSolution, solve_program
from .solution import Solution
from .table import SOLVERS
from .tours import Tours, run_hopfield_tank, run_valid_subspace, two_opt
from .variational_inequalities import VariationalSolution, solve_inequality

__all__ = [
    "SOLVERS",
    "Assignments",
    "Effort",
    "ProgramSolution",
    "Schedule",
    "Solution",
    "Tours",
    "VariationalSolution",
    "anneal_tours",
    "run_hopfield_tank",
    "run_valid_subspace",
    "solve",
    "solve_formula",
    "solve_inequality",
    "solve_program",
    "two_opt",
]
