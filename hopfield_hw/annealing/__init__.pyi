from .circuit import AnnealingCircuit, annealing_graph
from .dynamics import (
    AmplitudeCorrection,
    BallisticBifurcation,
    ChaoticAnnealing,
    DiscreteBifurcation,
    Dynamics,
    GainRamp,
    Hysteresis,
)
from .models import BinaryModel, GroupedModel, IsingModel, Model, edges_matrix
from .polynomial import PolynomialModel
from .presets import PRESETS, default_preset
from .run import Annealed, anneal
from .sampler import HopfieldSampler
from .schedules import Constant, Geometric, Linear, Power, Sawtooth, Schedule, Tabulated, as_schedule
from .steps import largest_step
from .tune import Trial, Tuned, time_to_solution, tune

__all__ = [
    "PRESETS",
    "AmplitudeCorrection",
    "Annealed",
    "AnnealingCircuit",
    "BallisticBifurcation",
    "BinaryModel",
    "ChaoticAnnealing",
    "Constant",
    "DiscreteBifurcation",
    "Dynamics",
    "GainRamp",
    "Geometric",
    "GroupedModel",
    "HopfieldSampler",
    "Hysteresis",
    "IsingModel",
    "Linear",
    "Model",
    "PolynomialModel",
    "Power",
    "Sawtooth",
    "Schedule",
    "Tabulated",
    "Trial",
    "Tuned",
    "anneal",
    "annealing_graph",
    "as_schedule",
    "default_preset",
    "edges_matrix",
    "largest_step",
    "time_to_solution",
    "tune",
]
