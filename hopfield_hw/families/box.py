"""Brain-state-in-a-box (Anderson et al. 1977): linear feedback that grows until the state meets a corner of a box."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..functions import Clip
from ..graph import Graph, Units
from ..graph.building import CIRCUIT_UNITS, square
from ..values.arrays import freeze, positive
from ..values.errors import InputError
from .static_field import static_field


def brain_state_in_a_box(
    weights: Any,
    *,
    alpha: float = 0.1,
    limit: float = 1.0,
    tau: float = 1.0,
    initial: Any,
    discrete: bool = True,
    units: Units = CIRCUIT_UNITS,
) -> Graph:
    """Return x[k+1] = clip(x[k] + alpha W x[k]) in the box of +limit and -limit, one step a unit of time.

    With `discrete=False`, tau dx/dt = clip(x + alpha W x) - x, which rests at the same points. Where W is symmetric and
    positive definite, stable states are corners; a corner x rests where x_i (W x)_i >= 0 for each i.
    J. A. Anderson, J. W. Silverstein, S. A. Ritz, R. S. Jones, Psychol. Rev. 84:413 (1977).

    `weights`: W, (n, n), dense. `initial`: x(0), (n,), inside the box. Output: `output`, the state of the next step.

    Raises InputError for a matrix that is not square, an alpha, limit or tau that is not positive, and an initial state
    outside the box.
    """
    matrix, n = square(weights, "weights")
    if matrix.is_sparse:
        raise InputError("`weights`: must be a dense matrix")
    step, edge = (
        float(positive(value, name, shape=(), unit="")) for value, name in ((alpha, "alpha"), (limit, "limit"))
    )
    start = freeze(initial, "initial", shape=(n,))
    if bool(np.any(np.abs(start) > edge)):
        raise InputError(
            f"`initial` holds {start[np.argmax(np.abs(start))]}: must lie in the box, from -{edge} to {edge}"
        )
    return static_field(
        np.eye(n) + step * matrix.matrix,
        gain=Clip(lower=-edge, upper=edge),
        tau=tau,
        initial=start,
        discrete=discrete,
        units=units,
    )


def random_brain_state_in_a_box(rng: np.random.Generator) -> Graph:
    """Return a continuous box of 2 to 16 neurons that stores up to n/2 random corners by Hebb's rule."""
    n = int(rng.integers(2, 17))
    corners = rng.choice([-1.0, 1.0], size=(max(n // 2, 1), n))
    weights = corners.T @ corners / n
    return brain_state_in_a_box(weights, alpha=0.5, initial=rng.uniform(-0.8, 0.8, n), discrete=False)
