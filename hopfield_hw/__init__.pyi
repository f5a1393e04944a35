from . import (
    analysis,
    annealing,
    benches,
    board,
    bringup,
    extraction,
    families,
    formats,
    memories,
    optimisation,
    pages,
    pictures,
    problems,
    production,
    recurrent,
    stability,
    tasks,
    tolerance,
    trained,
    transforms,
)
from .board.design import Board, design_board
from .bringup.bring_up import BringUp, bring_up
from .cells import (
    CELLS,
    ActiveRC,
    Cell,
    ChuaYang,
    GmC,
    HopfieldTank,
    Ideal,
    InvertingIntegrator,
    Pair,
    SummingAmplifier,
)
from .circuit import Circuit, Device, Origin
from .designs import Design, load_design
from .ensemble.gradients import find_gradients
from .equations import reference, reference_batch
from .equations.asynchronous import run_asynchronous
from .equations.models import run_model
from .equations.sequences import run_layers, run_sequence
from .equations.trees import Tree, run_trees
from .extraction.entry import extract
from .extraction.extraction import Extraction
from .formats.gain_curve import read_gain_curve
from .functions import (
    Algebraic,
    Arctan,
    Clip,
    Function,
    Gain,
    HardLimiter,
    Identity,
    Logistic,
    PiecewiseLinear,
    Polynomial,
    Rational,
    Softmax,
    Table,
    Tanh,
)
from .graph import Graph, Units, parse_graph
from .lowering import lower
from .networks import Network
from .pages import write_report
from .parts import IdealGain, MacroModel, OnePole, Subcircuit
from .parts.data_sheet import DataSheet, read_data_sheet
from .production.monte_carlo import MonteCarlo, monte_carlo
from .simulation import simulate
from .spice.export import write_deck
from .spice.transient import AccuracyWarning
from .values.errors import (
    HopfieldHWError,
    InputError,
    NoEffectWarning,
    SimulatorError,
    Unrealisable,
    UnusualValueWarning,
)
from .values.signals import Signal
from .verification import Verification, verify
from .verification.machines import Machines, run_machines
from .verification.mixed import MixedRun, run_mixed
from .version import __version__

__all__ = [
    "CELLS",
    "AccuracyWarning",
    "ActiveRC",
    "Algebraic",
    "Arctan",
    "Board",
    "BringUp",
    "Cell",
    "ChuaYang",
    "Circuit",
    "Clip",
    "DataSheet",
    "Design",
    "Device",
    "Extraction",
    "Function",
    "Gain",
    "GmC",
    "Graph",
    "HardLimiter",
    "HopfieldHWError",
    "HopfieldTank",
    "Ideal",
    "IdealGain",
    "Identity",
    "InputError",
    "InvertingIntegrator",
    "Logistic",
    "Machines",
    "MacroModel",
    "MixedRun",
    "MonteCarlo",
    "Network",
    "NoEffectWarning",
    "OnePole",
    "Origin",
    "Pair",
    "PiecewiseLinear",
    "Polynomial",
    "Rational",
    "Signal",
    "SimulatorError",
    "Softmax",
    "Subcircuit",
    "SummingAmplifier",
    "Table",
    "Tanh",
    "Tree",
    "Units",
    "Unrealisable",
    "UnusualValueWarning",
    "Verification",
    "__version__",
    "analysis",
    "annealing",
    "benches",
    "board",
    "bring_up",
    "bringup",
    "design_board",
    "extract",
    "extraction",
    "families",
    "find_gradients",
    "formats",
    "load_design",
    "lower",
    "memories",
    "monte_carlo",
    "optimisation",
    "pages",
    "parse_graph",
    "pictures",
    "problems",
    "production",
    "read_data_sheet",
    "read_gain_curve",
    "recurrent",
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
    "stability",
    "tasks",
    "tolerance",
    "trained",
    "transforms",
    "verify",
    "write_deck",
    "write_report",
]
