from .chaotic_annealing import Schedule, anneal_tours
from .clauses import Assignments, solve_formula
from .programs import ProgramSolution, solve_program
from .tours import Tours, run_hopfield_tank, run_valid_subspace, two_opt

__all__ = [
    "Assignments",
    "ProgramSolution",
    "Schedule",
    "Tours",
    "anneal_tours",
    "run_hopfield_tank",
    "run_valid_subspace",
    "solve_formula",
    "solve_program",
    "two_opt",
]
