from .centering import Centered, center
from .corners import WorstCase, worst_case
from .distributions import Cut, Distribution, Fixed, Lot, MinTypMax, Normal, Uniform
from .draws import Draws, Variation, draw, draw_factors, vary
from .drifts import Drifts
from .importance import RareFailures, rare_failures
from .least_cost import GRADES, GradeChoice, choose_grades
from .sensitivity import EquilibriumSensitivities, Sensitivities, equilibrium_sensitivities, sensitivities
from .tolerances import Rule, Tolerances
from .yields import Yield, count_yield, samples_for

__all__ = [
    "GRADES",
    "Centered",
    "Cut",
    "Distribution",
    "Draws",
    "Drifts",
    "EquilibriumSensitivities",
    "Fixed",
    "GradeChoice",
    "Lot",
    "MinTypMax",
    "Normal",
    "RareFailures",
    "Rule",
    "Sensitivities",
    "Tolerances",
    "Uniform",
    "Variation",
    "WorstCase",
    "Yield",
    "center",
    "choose_grades",
    "count_yield",
    "draw",
    "draw_factors",
    "equilibrium_sensitivities",
    "rare_failures",
    "samples_for",
    "sensitivities",
    "vary",
    "worst_case",
]
