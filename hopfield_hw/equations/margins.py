"""How nearly each decision of a graph is made: how far what a Sign, a HardLimiter or a Quantise sees is from a jump."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..functions import HardLimiter
from ..graph import Activate, Affine, Graph, Operator, Quantise, Sign
from ..values.arrays import Array
from .evaluate import Evaluator, Values


def decision_margins(graph: Graph, states: Array, inputs: Array | None = None) -> Mapping[str, Array]:
    """Return by operator that decides the margin of each element at each time, (times, n), from 0 up.

    The margin is the distance of what an operator takes from the nearest value at which its output jumps, as a part of
    all that adds up there, sum_j |W_ij y_j| + |b_i|: a machine whose signals and weights are off by a smaller part
    decides alike, and one that is off by more need not. Thresholds of a Sign lie at both ends of its band.

    `graph`: in SI units. `states`: (times, states), of its Leaks and then its Holds. `inputs`: (times, m).
    """
    operators = Evaluator([graph], graph.states)
    u = np.zeros((*states.shape[:-1], operators.input_size)) if inputs is None else inputs
    values = operators.evaluate(states, u)
    found = {}
    for operator in graph.operators:
        away = _distance(operator, values, operators)
        if away is not None:
            most = _sizes(graph, operator, values, operators)
            found[operator.name] = np.divide(away, most, out=np.full(away.shape, np.inf), where=most > 0.0)
    return found


def _distance(operator: Operator, values: Values, operators: Evaluator) -> Array | None:
    """Return how far an operator's input is from its nearest jump; None where it has none."""
    if isinstance(operator, Sign):
        return np.asarray(np.abs(np.abs(operators.driven(values, operator)) - operator.band))
    if isinstance(operator, Activate) and isinstance(operator.function, HardLimiter):
        return np.asarray(np.abs(operators.driven(values, operator)))
    if isinstance(operator, Quantise):
        step = (operator.upper - operator.lower) / (operator.levels - 1)
        x = operators.driven(values, operator)
        below = np.clip(np.floor((x - operator.lower) / step), 0, operator.levels - 2)
        return np.asarray(np.abs(x - (operator.lower + (below + 0.5) * step)))
    return None


def _sizes(graph: Graph, operator: Operator, values: Values, operators: Evaluator) -> Array:
    """Return the sum of the sizes of all that adds up at an operator's port `in`."""
    total: Any = 0.0
    for driver in graph.drivers(operator):
        if isinstance(driver, Affine):
            taken = np.abs(operators.driven(values, driver))
            total = total + driver.weights.sizes().apply(taken) + np.abs(driver.constant)
        else:
            total = total + np.abs(values[driver.name])
    return np.asarray(total)
