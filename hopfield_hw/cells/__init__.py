"""Neuron topologies. A new one is one file and one line in CELLS; the conformance suite runs over the table."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

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
from .winner_take_all import WinnerTakeAll

CELLS: Mapping[str, Cell] = MappingProxyType(
    {
        "ideal": Ideal(),
        "hopfield_tank": HopfieldTank(),
        "active_sum": ActiveSum(),
        "op_amps": OpAmps(),
        "summing_stage": SummingStage(),
        "ota_c": OtaC(),
        "winner_take_all": WinnerTakeAll(),
        "cellular": Cellular(),
    }
)

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
