from .budget import error_budget
from .centering import Centered, center
from .checks import Check
from .contributions import Contribution, ErrorBudget
from .corners import WorstCase, worst_case
from .design import Board, design_board
from .distributions import Cut, Distribution, Fixed, Lot, MinTypMax, Normal, Uniform
from .draws import Draws, Variation, draw, draw_factors, vary
from .faults import FaultEffects, find_fault_effects
from .imperfections import IMPERFECTIONS, Imperfection
from .importance import RareFailures, rare_failures
from .improve import CenteredBoard, center_board, resistor_grades
from .least_cost import GRADES, GradeChoice, choose_grades
from .monte_carlo import MonteCarlo, YieldCurve, monte_carlo, yield_against_tolerance
from .rounding import Realisation, RoundingCost, realise, rounding_cost
from .scaling import Limits, Scaling
from .sensitivity import EquilibriumSensitivities, Sensitivities, equilibrium_sensitivities, sensitivities
from .startup import Start, simulate_start, with_preset, with_ramp
from .tasks import Code, Mask, Optimum, Pattern, Task, code_task, task_of
from .tolerance import Rule, Tolerances
from .usual import usual_tolerances
from .ways import DigitalPotentiometer, OfSeries, ProgrammedLevels, TwoOfSeries, Way
from .yields import Yield, count_yield, samples_for

__all__ = [
    "GRADES",
    "IMPERFECTIONS",
    "Board",
    "Centered",
    "CenteredBoard",
    "Check",
    "Code",
    "Contribution",
    "Cut",
    "DigitalPotentiometer",
    "Distribution",
    "Draws",
    "EquilibriumSensitivities",
    "ErrorBudget",
    "FaultEffects",
    "Fixed",
    "GradeChoice",
    "Imperfection",
    "Limits",
    "Lot",
    "Mask",
    "MinTypMax",
    "MonteCarlo",
    "Normal",
    "OfSeries",
    "Optimum",
    "Pattern",
    "ProgrammedLevels",
    "RareFailures",
    "Realisation",
    "RoundingCost",
    "Rule",
    "Scaling",
    "Sensitivities",
    "Start",
    "Task",
    "Tolerances",
    "TwoOfSeries",
    "Uniform",
    "Variation",
    "Way",
    "WorstCase",
    "Yield",
    "YieldCurve",
    "center",
    "center_board",
    "choose_grades",
    "code_task",
    "count_yield",
    "design_board",
    "draw",
    "draw_factors",
    "equilibrium_sensitivities",
    "error_budget",
    "find_fault_effects",
    "monte_carlo",
    "rare_failures",
    "realise",
    "resistor_grades",
    "rounding_cost",
    "samples_for",
    "sensitivities",
    "simulate_start",
    "task_of",
    "usual_tolerances",
    "vary",
    "with_preset",
    "with_ramp",
    "worst_case",
    "yield_against_tolerance",
]
