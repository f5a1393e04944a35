"""Winner-take-all: neurons that inhibit one another until one of them is left."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..functions import Clip, Gain, Logistic
from ..graph import Activate, Affine, Graph, Operator, Units
from ..graph.building import CIRCUIT_UNITS, network_graph, state
from ..values.arrays import freeze, positive
from ..values.errors import InputError
from .generalised_hopfield import generalised_hopfield


def winner_take_all(
    drive: Any,
    *,
    inhibition: float = 2.0,
    excitation: float = 1.0,
    gain: Gain | None = None,
    initial: Any = 0.0,
    units: Units = CIRCUIT_UNITS,
) -> Graph:
    """Return dx_i/dt = -x_i + e g(x_i) - w sum_(j != i) g(x_j) + I_i: the neuron with the largest I_i is left.

    From equal states, and with the same g for all, the order of the states is that of the drives for ever, and where
    the gain is high enough one output stays up. E. Majani, R. Erlanson, Y. Abu-Mostafa, NIPS 1 (1989).

    `drive`: I, (n,). `inhibition`: w, and `excitation`: e, positive. `gain`: g, one Gain for all; Logistic(gain=10)
    by default, from 0 to 1. `initial`: x(0), (n,) or one. Output: `output` = g(x).

    Raises InputError for fewer than two neurons, and for what is not positive.
    """
    current = freeze(drive, "drive")
    if current.ndim != 1 or current.size < 2:
        raise InputError(f"`drive` has shape {current.shape}: must be (n,), at least two neurons")
    curve = Logistic(gain=10.0) if gain is None else gain
    if not isinstance(curve, Gain) or curve.size is not None:
        raise InputError(f"`gain` = {curve!r:.60}: must be one Gain for all neurons, such as Logistic(gain=10.0)")
    n = current.size
    down = float(positive(inhibition, "inhibition", shape=(), unit=""))
    up = float(positive(excitation, "excitation", shape=(), unit=""))
    weights = (up + down) * np.eye(n) - down
    return generalised_hopfield(weights, gain=curve, bias=current, initial=initial, units=units)


def maxnet(initial: Any, *, inhibition: float | None = None, units: Units = CIRCUIT_UNITS) -> Graph:
    """Return x_i[k+1] = max(0, x_i[k] - eps sum_(j != i) x_j[k]): the neuron with the largest start is left.

    R. P. Lippmann, IEEE ASSP Mag. 4(2):4 (1987). `initial`: x(0), (n,), at least 0, the largest one alone.
    `inhibition`: eps, above 0 and below 1/(n - 1); half of that by default. One step is one unit of time.
    Output: `output`, the new state.

    Raises InputError for fewer than two neurons, a negative start, two largest ones, and an eps out of range.
    """
    start = freeze(initial, "initial")
    if start.ndim != 1 or start.size < 2 or bool(np.any(start < 0.0)):
        raise InputError(f"`initial` = {initial!r:.60}: must be (n,), at least two neurons, each at least 0")
    n = start.size
    if np.count_nonzero(start == start.max()) > 1:
        raise InputError(f"`initial`: several neurons start at {start.max()}, so that none wins; change one of them")
    eps = 0.5 / (n - 1) if inhibition is None else float(freeze(inhibition, "inhibition", shape=()))
    if not 0.0 < eps < 1.0 / (n - 1):
        raise InputError(f"`inhibition` = {eps}: must be above 0 and below 1/(n - 1) = {1.0 / (n - 1):g}")
    operators: list[Operator] = [
        state("x", start, discrete=True),
        Affine(name="syn", weights=(1.0 + eps) * np.eye(n) - eps),
        Activate(name="v", size=n, function=Clip(lower=0.0, upper=np.inf)),
    ]
    edges = [("x", "syn"), ("syn", "v"), ("v", "x")]
    return network_graph(operators, edges, outputs=[("output", "v", n)], units=units)


def random_winner_take_all(rng: np.random.Generator) -> Graph:
    """Return 2 to 16 neurons with drives from 0 to 1 that are at least 0.02 apart, gains from 5 to 20."""
    n = int(rng.integers(2, 17))
    drive = rng.permutation(np.linspace(0.0, 1.0, n)) + rng.uniform(0.0, 0.02, n)
    gain = Logistic(gain=rng.uniform(5.0, 20.0))
    return winner_take_all(drive, inhibition=rng.uniform(1.0, 2.0), excitation=rng.uniform(0.5, 1.0), gain=gain)
