from .faults import FaultEffects, find_fault_effects
from .improve import CenteredBoard, center_board, resistor_grades
from .monte_carlo import MonteCarlo, monte_carlo
from .ramp import states_after_ramp, with_ramp
from .startup import Starts, simulate_starts, with_preset
from .sweeps import YieldCurve, yield_against_supply, yield_against_temperature, yield_against_tolerance
from .tasks import Code, Mask, Optimum, Pattern, Task, code_task, task_of
from .usual import usual_tolerances

__all__ = [
    "CenteredBoard",
    "Code",
    "FaultEffects",
    "Mask",
    "MonteCarlo",
    "Optimum",
    "Pattern",
    "Starts",
    "Task",
    "YieldCurve",
    "center_board",
    "code_task",
    "find_fault_effects",
    "monte_carlo",
    "resistor_grades",
    "simulate_starts",
    "states_after_ramp",
    "task_of",
    "usual_tolerances",
    "with_preset",
    "with_ramp",
    "yield_against_supply",
    "yield_against_temperature",
    "yield_against_tolerance",
]
