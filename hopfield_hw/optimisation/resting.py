"""Networks run as their equations until they rest."""

from __future__ import annotations

import warnings
from typing import NamedTuple

import numpy as np
from scipy.integrate import solve_ivp

from ..equations import OdeProgram
from ..graph import Graph
from ..transforms import in_si
from ..values.arrays import Array, dense
from ..values.errors import AccuracyError

# Runs are this many time constants, each ten times the one before.
RUNS = (1e2, 1e3, 1e4, 1e5)
# At rest: the right-hand side, a unit of the state in a time constant, is below this part of the accuracy.
RESTS = 0.1


class Rest(NamedTuple):
    """Where a network rests: its state and outputs, and how many time constants it ran."""

    state: Array
    outputs: Array
    time: float


def run_to_rest(graph: Graph, goal: float, who: str, why: str) -> Rest:
    """Run a network from its initial state until it rests to an accuracy `goal`, relative to a state above 1.

    Raises AccuracyError, begun by `who`, where the solver stops, and where the state grows without limit or does not
    rest within 10^5 time constants, for which `why` may be the cause.
    """
    ode = OdeProgram([in_si(graph)])
    second = graph.units.seconds_per_unit
    state, ran, speed = np.array(ode.initial), 0.0, np.inf
    for span in RUNS:
        with warnings.catch_warnings():
            warnings.filterwarnings("ignore", message="lsoda", category=UserWarning)  # `success` says it too
            found = solve_ivp(
                lambda t, x: second * ode.rhs(0.0, x),
                (0.0, span),
                state,
                method="LSODA",
                jac=lambda t, x: second * dense(ode.jacobian(0.0, x)),
                rtol=max(goal, 1e-11),
                atol=0.01 * goal,
                t_eval=[span],
            )
        if not found.success:
            raise AccuracyError(f"{who}: the solver stopped ({found.message}); {why}")
        state, ran = found.y[:, -1], ran + span
        if not np.all(np.isfinite(state)):
            raise AccuracyError(f"{who}: within {ran:.3g} time constants the state grew without limit; {why}")
        speed = float(np.max(np.abs(second * ode.rhs(0.0, state))))
        if speed <= RESTS * goal * max(1.0, float(np.max(np.abs(state)))):
            return Rest(state, ode.outputs(0.0, state), ran)
    raise AccuracyError(
        f"{who}: after {ran:.3g} time constants the state still moves by {speed:.1e} a time constant, above "
        f"{RESTS * goal:.0e}; {why}"
    )
