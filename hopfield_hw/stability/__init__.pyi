from .amplifier_poles import PoleMargin, closed_loop_pole, critical_gain, loop_roots, measure_pole_margin
from .bessel_legendre import certify_linear_delay
from .certificate import Certificate
from .certify import certify
from .cohen_grossberg import certify_cohen_grossberg
from .comparison import certify_input_gain, certify_m_matrix
from .constant_delay import certify_constant_delay
from .contraction import certify_contraction
from .diagonal_stability import certify_diagonal_stability
from .every_delay import certify_every_delay
from .exact import largest_stable_delay, rightmost_root, stable_windows
from .inequality import Inequality
from .input_to_state import certify_input_to_state
from .reading import read_network, slope_bounds
from .search import certify_range, largest_delay
from .sector_limit import SectorLimit, sector_limit
from .systems import DelayedNetwork, LinearDelaySystem
from .varying_delay import certify_varying_delay
from .witness import Sighting, Witness, demonstrate

__all__ = [
    "Certificate",
    "DelayedNetwork",
    "Inequality",
    "LinearDelaySystem",
    "PoleMargin",
    "SectorLimit",
    "Sighting",
    "Witness",
    "certify",
    "certify_cohen_grossberg",
    "certify_constant_delay",
    "certify_contraction",
    "certify_diagonal_stability",
    "certify_every_delay",
    "certify_input_gain",
    "certify_input_to_state",
    "certify_linear_delay",
    "certify_m_matrix",
    "certify_range",
    "certify_varying_delay",
    "closed_loop_pole",
    "critical_gain",
    "demonstrate",
    "largest_delay",
    "largest_stable_delay",
    "loop_roots",
    "measure_pole_margin",
    "read_network",
    "rightmost_root",
    "sector_limit",
    "slope_bounds",
    "stable_windows",
]
