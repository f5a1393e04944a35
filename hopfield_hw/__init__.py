"""hopfield_hw: a recurrent neural network becomes an op-amp circuit, runs in ngspice, and is held to its equations."""

from importlib.metadata import version as _version

from . import board, digital, families, problems, tasks, trained
from .cells import CELLS, ActiveSum, Cell, HopfieldTank, Ideal, OpAmps, Pair
from .circuit import Circuit, Device, Origin
from .designs import Design, load_design
from .engines.asynchronous import run_asynchronous
from .engines.model import run_model
from .engines.sequence import run_layers, run_sequence
from .engines.transient import AccuracyWarning, simulate
from .engines.tree import Tree, run_trees
from .errors import HopfieldHWError, InputError, NoEffectWarning, SimulatorError, Unrealisable, UnusualValueWarning
from .functions import Clip, Identity, Polynomial, Rational, Softmax, Table
from .gain import Algebraic, Arctan, Function, Gain, HardLimiter, Logistic, PiecewiseLinear, Tanh
from .graph import Graph, Units, parse_graph
from .lower import lower
from .machines import Machines, run_machines
from .mixed import MixedRun, run_mixed
from .network import Network
from .reference import solve as reference
from .reference import solve_batch as reference_batch
from .signals import Signal
from .verification import Verification, verify

__version__ = _version("hopfield-hw")

__all__ = [
    "CELLS",
    "AccuracyWarning",
    "ActiveSum",
    "Algebraic",
    "Arctan",
    "Cell",
    "Circuit",
    "Clip",
    "Design",
    "Device",
    "Function",
    "Gain",
    "Graph",
    "HardLimiter",
    "HopfieldHWError",
    "HopfieldTank",
    "Ideal",
    "Identity",
    "InputError",
    "Logistic",
    "Machines",
    "MixedRun",
    "Network",
    "NoEffectWarning",
    "OpAmps",
    "Origin",
    "Pair",
    "PiecewiseLinear",
    "Polynomial",
    "Rational",
    "Signal",
    "SimulatorError",
    "Softmax",
    "Table",
    "Tanh",
    "Tree",
    "Units",
    "Unrealisable",
    "UnusualValueWarning",
    "Verification",
    "board",
    "digital",
    "families",
    "load_design",
    "lower",
    "parse_graph",
    "problems",
    "reference",
    "reference_batch",
    "run_asynchronous",
    "run_layers",
    "run_machines",
    "run_mixed",
    "run_model",
    "run_sequence",
    "run_trees",
    "simulate",
    "tasks",
    "trained",
    "verify",
]
