"""An equation along inputs of many points: all its pieces by collocation, without a new start of a solver at each."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ..values.arrays import Array
from ..values.signals import Signal
from .accuracy import STEPS
from .collocation import NoCollocationError, integrate_elements
from .ode import OdeEquation
from .watch import Watch

# Inputs of so many points are followed by elements, with so many nodes in the first solution and in those that check
# it; where that takes more calls for each point that is passed, and as many as for the first of them, it is given up.
MANY_POINTS, NODES, CALLS_A_POINT = 50, (4, 5), 40


def is_recording(signal: Signal | None, start: float, end: float) -> bool:
    """Return whether a signal has so many points between two times that no solver should start anew at each."""
    return signal is not None and int(np.sum((signal.times > start) & (signal.times < end))) >= MANY_POINTS


def follow_recording(
    equation: OdeEquation, initial: Array, grid: Array, rtol: float, watch: Watch, *, least: int
) -> Array | None:
    """Return the states, (B, times, n), from `initial`, (B, n), of an equation whose inputs have many points.

    `least`: elements at least. None where the points are few, or the equation is too stiff for many at once.
    """
    signal = equation.inputs
    if signal is None or not is_recording(signal, grid[0], grid[-1]) or not equation.size:
        return None
    corners = signal.times[(signal.times > grid[0]) & (signal.times < grid[-1])]
    mesh = np.unique(np.concatenate([grid, corners, np.linspace(grid[0], grid[-1], least + 1)]))
    calls = 0

    def rhs(t: Array) -> Callable[[Array], Array]:
        slopes = equation.following(t)

        def counted(x: Array) -> Array:
            nonlocal calls
            calls += 1
            if calls > CALLS_A_POINT * (MANY_POINTS + int(np.searchsorted(mesh, t[0, 0]))):
                raise NoCollocationError
            watch.look(float(t[0, 0]), x[0])
            return slopes(x)

        return counted

    try:
        found = integrate_elements(
            rhs,
            initial,
            mesh,
            rtol=rtol,
            atol=rtol * equation.reach,
            nodes=NODES[least > STEPS[0]],
            smooth=not equation.has_corners,
        )
    except NoCollocationError:
        return None
    states: Array = found[:, np.searchsorted(mesh, grid)]
    return states
