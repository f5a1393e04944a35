"""The reference: a graph's differential equation, solved by NumPy and SciPy. It knows nothing of circuits."""

from .batch import integrate_program, solve_batch
from .delay_solver import integrate_delayed
from .delayed import DelayProgram
from .evaluate import Evaluator
from .margins import decision_margins
from .program import Program
from .sampled import SampledProgram
from .solve import IMPLICIT, POINTS, input_signal, solve, stop_time
from .steps import StepProgram

__all__ = [
    "IMPLICIT",
    "POINTS",
    "DelayProgram",
    "Evaluator",
    "Program",
    "SampledProgram",
    "StepProgram",
    "decision_margins",
    "input_signal",
    "integrate_delayed",
    "integrate_program",
    "solve",
    "solve_batch",
    "stop_time",
]
