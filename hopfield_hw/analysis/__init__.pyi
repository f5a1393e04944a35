from .amplification import Amplification
from .basins import Basins, find_basins
from .branches import Branch, Diagram, SpecialPoint
from .characteristic import DelayedTerms, Roots, characteristic_roots
from .continuation import continue_equilibria
from .cycles import Cycle, continue_cycle, find_cycle
from .delay_windows import DelayWindows, find_delay_windows
from .energy import has_energy
from .energy_trace import EnergyTrace, trace_energy
from .equilibria import Equilibria, find_equilibria
from .gradients import GradientFlow, gradient_flow
from .linear_regions import Continuum
from .lyapunov import Lyapunov
from .settling import Settling, settle
from .spectrum import Spectrum, find_spectrum, linearise_delays
from .stability import critical_delay

__all__ = [
    "Amplification",
    "Basins",
    "Branch",
    "Continuum",
    "Cycle",
    "DelayWindows",
    "DelayedTerms",
    "Diagram",
    "EnergyTrace",
    "Equilibria",
    "GradientFlow",
    "Lyapunov",
    "Roots",
    "Settling",
    "SpecialPoint",
    "Spectrum",
    "characteristic_roots",
    "continue_cycle",
    "continue_equilibria",
    "critical_delay",
    "find_basins",
    "find_cycle",
    "find_delay_windows",
    "find_equilibria",
    "find_spectrum",
    "gradient_flow",
    "has_energy",
    "linearise_delays",
    "settle",
    "trace_energy",
]
