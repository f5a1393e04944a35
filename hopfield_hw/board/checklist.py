"""All checks of a board, in their order."""

from __future__ import annotations

from dataclasses import replace

from ..circuit import Circuit
from ..networks.network import Network
from ..parts import MacroModel
from ..values.arrays import Array
from ..values.signals import Signal
from .checks import (
    Check,
    check_bounds,
    check_droop,
    check_resistors,
    check_rounding,
    check_supply,
    check_synaptic_current,
    loop_rate,
)
from .demands import check_demands, find_demands
from .loops import check_loops, check_speed
from .realised import value_error
from .rounding import Realisation
from .scaling import Limits


def rounding_error(scaled: Network, realised: Network, rounding: Realisation | None) -> float:
    """Return the largest relative error of a value of a board's parts, `realised`, as `value_error` has it.

    Of weights that a way makes, with what conducts where the weight is 0, it is the largest of those that are not 0.
    """
    if rounding is None:
        return value_error(scaled, realised)
    made = replace(scaled, weights=rounding.weights, symmetric=False)
    return max(rounding.worst, value_error(made, realised))


def check_board(
    circuit: Circuit,
    model: MacroModel,
    *,
    scaled: Network,
    error: float,
    reached: tuple[Array, float],
    run: tuple[float, Signal | None],
    limits: Limits,
    reference: float | None,
    timeout: float,
) -> tuple[Check, ...]:
    """Return the checks of a board: `model` of its op-amps, `scaled` the network it is to be.

    `error`: of its values, see `rounding_error`. `reached`: bounds of states, (n,), and of outputs, volts. `run`: how
    long it is checked, seconds, with which inputs. `reference`: of the biases, volts; None where weights are not of
    resistors of a series.
    """
    states, output = reached
    t_stop, inputs = run
    return (
        check_supply(model),
        *check_bounds(circuit, model, states, output),
        check_rounding(error, limits),
        *([] if reference is None else check_resistors(scaled, reference, limits)),
        *check_demands(find_demands(circuit, t_stop=t_stop, inputs=inputs, timeout=timeout), limits),
        check_synaptic_current(scaled, model, output, limits),
        *check_loops(circuit, limits),
        check_speed(circuit, loop_rate(scaled), limits),
        *check_droop(scaled, model, states, t_stop),
    )
