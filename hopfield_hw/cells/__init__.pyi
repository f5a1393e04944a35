from .active_rc import ActiveRC
from .all_pass import AllPass
from .cell import Cell, Fragment
from .chua_yang import ChuaYang
from .delay_line import DelayForm, MatchedLine
from .gm_c import GmC
from .hopfield_tank import HopfieldTank
from .ideal import Ideal
from .inverting_integrator import InvertingIntegrator
from .pair import Pair
from .summing_amplifier import SummingAmplifier
from .table import CELLS

__all__ = [
    "CELLS",
    "ActiveRC",
    "AllPass",
    "Cell",
    "ChuaYang",
    "DelayForm",
    "Fragment",
    "GmC",
    "HopfieldTank",
    "Ideal",
    "InvertingIntegrator",
    "MatchedLine",
    "Pair",
    "SummingAmplifier",
]
