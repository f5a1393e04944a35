"""The reference: a graph's equation, solved by NumPy and SciPy. It knows nothing of circuits."""

from .along import Along, Waveform
from .batch import solve_batch
from .delay_solver import integrate_delayed
from .delayed import DelayProgram
from .evaluate import Evaluator
from .growth import Growth
from .map_program import MapProgram, iterate
from .margins import decision_margins
from .ode_program import IMPLICIT, OdeProgram
from .program import Program
from .programs import program_of
from .request import POINTS, input_signal, stop_time
from .sampled import SampledProgram
from .solution import solve
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
    "MapProgram",
    "OdeProgram",
    "Program",
    "SampledProgram",
    "Watch",
    "Waveform",
    "decision_margins",
    "input_signal",
    "integrate_delayed",
    "iterate",
    "program_of",
    "reference",
    "reference_batch",
    "solve",
    "solve_batch",
    "stop_time",
]
