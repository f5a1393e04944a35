"""All checks of a board, in their order."""

from __future__ import annotations

from ..circuit import Circuit
from ..networks.network import Network
from ..parts import MacroModel
from ..values.arrays import Array
from ..values.signals import Signal
from .checks import Check, check_bounds, check_droop, check_rounding, check_supply, loop_rate
from .demands import check_demands, find_demands
from .loops import check_loops, check_speed
from .realised import value_error
from .scaling import Limits


def check_board(
    circuit: Circuit,
    model: MacroModel,
    *,
    scaled: Network,
    realised: Network,
    reached: tuple[Array, float],
    run: tuple[float, Signal | None],
    limits: Limits,
) -> tuple[Check, ...]:
    """Return the checks of a board: `model` of its op-amps, `scaled` what its parts, `realised`, are to be.

    `reached`: bounds of states, (n,), and of outputs, volts. `run`: how long it is checked, seconds, with which inputs.
    """
    states, output = reached
    t_stop, inputs = run
    return (
        check_supply(model),
        *check_bounds(circuit, model, states, output),
        check_rounding(value_error(scaled, realised), limits),
        *check_demands(find_demands(circuit, t_stop=t_stop, inputs=inputs), limits),
        *check_loops(circuit, limits),
        check_speed(circuit, loop_rate(scaled), limits),
        *check_droop(scaled, model, states, t_stop),
    )
