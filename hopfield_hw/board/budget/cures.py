"""What would bring a contribution down to a goal: the number that would do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ...values.si_text import format_si
from ..realised import value_error

if TYPE_CHECKING:
    from ..design import Board
    from .contributions import Contribution

NO_ROOM = 0.1  # of the goal: with less of it left, one contribution alone cannot reach it


def say_cure(board: Board, one: Contribution, whole: float, goal: float) -> str:
    """Return what of the dominating contribution would bring the whole down to a goal; it grows with its figure.

    Where what the others leave is above the goal, they must come down by the same factor.
    """
    if whole <= goal:
        return f"none is needed: the whole is below {goal:.0e}"
    left = goal - max(whole - one.states, 0.0)
    alone = left > NO_ROOM * goal
    said = _say(board, one.name, one.states / left if alone else whole / goal)
    return said if alone else f"{said}; the others leave too much: those that follow by as much"


def _say(board: Board, name: str, factor: float) -> str:
    """Return what makes a contribution smaller by a factor."""
    model = board.model
    match name:
        case "offset":
            return f"an offset of {format_si(abs(model.offset) / factor, 'V')} at most: nulled, or a precise op-amp"
        case "bias_current":
            return f"a bias current of {format_si(abs(model.bias_current) / factor, 'A')} at most, or smaller resistors"
        case "gain":
            return f"an open-loop gain of {model.gain * factor:.2g} V/V at least"
        case "rejection":
            more = 20.0 * np.log10(factor)
            return f"{more:.0f} dB more of common-mode and supply rejection, or supplies nearer to the nominal ones"
        case "gain_bandwidth" | "second_pole" | "slew_rate" | "input_impedance":
            hertz = format_si(model.gain_bandwidth * factor, "Hz")
            return f"a gain-bandwidth product of {hertz}, or a time scale {factor:.2g} times as large"
        case "output_resistance":
            return f"an output resistance of {format_si(model.output_resistance / factor, 'Ohm')}, or larger resistors"
        case "swing":
            return "scales smaller, or supplies further out: outputs end at their limits"
        case "rounding":
            weights = f"weights within {value_error(board.scaled, board.realised, ('weights',)) / factor:.1%}"
            return f"parts {factor:.2g} times as near, {weights}: a finer series, or two resistors"
        case "compensation":
            return f"a time scale {factor:.2g} times as large, or smaller resistors around the op-amps"
        case "curve":
            return f"an amplifier whose curve is {factor:.2g} times as near to the gain"
        case "tolerance":
            return f"parts {factor:.2g} times as close"
    return f"a change of temperature {factor:.2g} times as small"
