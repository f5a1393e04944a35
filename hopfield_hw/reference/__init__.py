"""The reference: a graph's differential equation, solved by NumPy and SciPy. It knows nothing of circuits."""

from .batch import integrate_program, solve_batch
from .program import Program
from .solve import IMPLICIT, POINTS, input_signal, solve, stop_time
from .steps import StepProgram

__all__ = [
    "IMPLICIT",
    "POINTS",
    "Program",
    "StepProgram",
    "input_signal",
    "integrate_program",
    "solve",
    "solve_batch",
    "stop_time",
]
