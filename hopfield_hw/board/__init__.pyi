from .budget.contributions import Contribution, ErrorBudget
from .budget.error_budget import error_budget
from .budget.imperfections import IMPERFECTIONS, Imperfection
from .checks import Check
from .design import Board, design_board
from .noise import BoardNoise, NoiseRun, board_noise, simulate_noise
from .rounding import Realisation, RoundingCost, realise, rounding_cost
from .scaling import Limits, Scaling
from .supplies import on_supplies
from .ways import DigitalPotentiometer, OfSeries, ProgrammedLevels, TwoOfSeries, Way

__all__ = [
    "IMPERFECTIONS",
    "Board",
    "BoardNoise",
    "Check",
    "Contribution",
    "DigitalPotentiometer",
    "ErrorBudget",
    "Imperfection",
    "Limits",
    "NoiseRun",
    "OfSeries",
    "ProgrammedLevels",
    "Realisation",
    "RoundingCost",
    "Scaling",
    "TwoOfSeries",
    "Way",
    "board_noise",
    "design_board",
    "error_budget",
    "on_supplies",
    "realise",
    "rounding_cost",
    "simulate_noise",
]
