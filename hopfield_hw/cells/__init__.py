"""Cells: topologies for neurons. A new one is one file and one line in CELLS; the conformance suite runs over them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

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

CELLS: Mapping[str, Cell] = MappingProxyType(
    {
        "ideal": Ideal(),
        "hopfield_tank": HopfieldTank(),
        "inverting_integrator": InvertingIntegrator(),
        "winner_take_all": InvertingIntegrator(
            common_line=True,
            name="winner_take_all",
            law="C_i dx_i/dt = -x_i/R_i + (T_ii + w) v_i - w sum_j v_j + I_i,  v_i = g_i(x_i), to n/A",
        ),
        "active_rc": ActiveRC(),
        "summing_amplifier": SummingAmplifier(),
        "gm_c": GmC(),
        "chua_yang": ChuaYang(),
    }
)

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
