from .active_sum import ActiveSum
from .all_pass import AllPass
from .cell import Cell, Fragment
from .cellular import Cellular
from .delay_line import DelayForm, MatchedLine
from .hopfield_tank import HopfieldTank
from .ideal import Ideal
from .op_amps import OpAmps
from .ota_c import OtaC
from .pair import Pair
from .summing_stage import SummingStage
from .table import CELLS
from .winner_take_all import WinnerTakeAll

__all__ = [
    "CELLS",
    "ActiveSum",
    "AllPass",
    "Cell",
    "Cellular",
    "DelayForm",
    "Fragment",
    "HopfieldTank",
    "Ideal",
    "MatchedLine",
    "OpAmps",
    "OtaC",
    "Pair",
    "SummingStage",
    "WinnerTakeAll",
]
