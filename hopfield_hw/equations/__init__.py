"""The reference: a graph's differential equation, solved by NumPy and SciPy. It knows nothing of circuits."""

from .along import Along, Waveform
from .batch import integrate_program, solve_batch
from .delay_solver import integrate_delayed
from .delayed import DelayProgram
from .evaluate import Evaluator
from .growth import Growth
from .margins import decision_margins
from .program import Program
from .request import input_signal, stop_time
from .sampled import SampledProgram
from .solution import IMPLICIT, POINTS, solve
from .steps import StepProgram
from .watch import TIMEOUT, Watch

# What `hopfield_hw` calls them.
reference, reference_batch = solve, solve_batch

__all__ = [
    "IMPLICIT",
    "POINTS",
    "TIMEOUT",
    "Along",
    "DelayProgram",
    "Evaluator",
    "Growth",
    "Program",
    "SampledProgram",
    "StepProgram",
    "Watch",
    "Waveform",
    "decision_margins",
    "input_signal",
    "integrate_delayed",
    "integrate_program",
    "reference",
    "reference_batch",
    "solve",
    "solve_batch",
    "stop_time",
]
