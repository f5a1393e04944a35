"""Dense associative memories: patterns are recalled through a steep function of their overlaps with the state."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..functions import Polynomial, Softmax, Tanh
from ..graph import Activate, Affine, Graph, Operator, Sign, Units
from ..graph.building import CIRCUIT_UNITS, network_graph, state
from ..values.arrays import Array, freeze, positive, whole
from ..values.errors import InputError

HIGHEST_DEGREE = 12
# Of the largest drive: what a sum of powers of the overlaps may be off by.
ROUNDED = 1e-13


def modern_hopfield(
    patterns: Any,
    *,
    beta: float = 8.0,
    tau: float = 1.0,
    initial: Any,
    discrete: bool = False,
    units: Units = CIRCUIT_UNITS,
) -> Graph:
    """Return tau dx/dt = X softmax(beta X^T x) - x; with `discrete`, x[k+1] = X softmax(beta X^T x[k]).

    The energy -log(sum_m exp(beta X_m^T x)) / beta + |x|^2 / 2 never rises in either; one discrete step is the
    attention of a transformer. H. Ramsauer et al., "Hopfield networks is all you need", arXiv:2008.02217 (2020), eq. 3.

    `patterns`: (m, n), one row a pattern: X^T. `beta`: positive. `tau`: units of time. `initial`: x(0), (n,) or one.
    Outputs: `y` = x, then `p`, the softmax, (m,). One discrete step is a unit of time.

    Raises InputError for patterns that are not a matrix, and a beta or tau that is not positive.
    """
    rows, m, n = _patterns(patterns)
    sharpness = float(positive(beta, "beta", shape=(), unit=""))
    operators: list[Operator] = [
        state("x", freeze(initial, "initial", shape=(n,)), tau=tau, discrete=discrete),
        Affine(name="overlap", weights=rows),
        Activate(name="attention", size=m, function=Softmax(beta=sharpness)),
        Affine(name="recall", weights=rows.T),
    ]
    edges = [("x", "overlap"), ("overlap", "attention"), ("attention", "recall"), ("recall", "x")]
    outputs = [("y", "x", n), ("p", "attention", m)]
    return network_graph(operators, edges, outputs=outputs, units=units)


def dense_memory(
    patterns: Any,
    *,
    degree: int = 3,
    gain: float = 4.0,
    tau: float = 1.0,
    initial: Any,
    discrete: bool = False,
    units: Units = CIRCUIT_UNITS,
) -> Graph:
    """Return tau dx/dt = -x + sum_m X_m f(X_m^T g(x) / n), with f(h) = h^(degree - 1) and g = Tanh(gain).

    With `discrete`, x[k+1] = sign(sum_m X_m f(X_m^T x[k] / n)), all neurons at once, one step a unit of time; a neuron
    whose drive is 0 keeps its state (0 is what lies within half of n^(1 - degree), the least that a drive can be). The
    energy is -sum_m (X_m^T x)^degree. Degree 2 is Hopfield's network; higher ones hold of the order of n^(degree - 1)
    random patterns. D. Krotov and J. J. Hopfield, NIPS 29 (2016), with the gradient of the energy for its difference;
    the continuous form with hidden neurons that are fast is that of D. Krotov and J. J. Hopfield, ICLR (2021).

    `patterns`: (m, n), one row a pattern, +1 or -1. `degree`: from 2 to 12. `gain`: positive. `initial`: x(0), (n,) or
    one; +1 or -1 where `discrete`. Output: `output` = g(x), or the new state where `discrete`.

    Raises InputError for patterns that are not a matrix of +1 and -1, a degree out of range, and what is not positive.
    """
    rows, m, n = _patterns(patterns)
    if not bool(np.all(np.abs(rows) == 1.0)):
        raise InputError(f"`patterns` holds {rows[np.abs(rows) != 1.0][0]:g}: each must be +1 or -1")
    degree = whole(degree, "degree", 2, HIGHEST_DEGREE)
    start = freeze(initial, "initial", shape=(n,))
    steep = Polynomial(coefficients=np.eye(degree)[-1])
    operators: list[Operator] = [
        state("x", start, tau=tau, discrete=discrete),
        Affine(name="overlap", weights=rows / n),
        Activate(name="hidden", size=m, function=steep),
        Affine(name="recall", weights=rows.T),
    ]
    edges: list[tuple[str, ...]] = [("overlap", "hidden"), ("hidden", "recall")]
    if discrete:
        if not bool(np.all(np.abs(start) == 1.0)):
            raise InputError(f"`initial` holds {start[np.abs(start) != 1.0][0]:g}: each must be +1 or -1")
        # An overlap is a whole number of 1/n, and its power one of 1/n^(degree - 1).
        band = max(0.5 * float(n) ** (1 - degree), m * ROUNDED)
        operators.append(Sign(name="v", size=n, band=np.full(n, band)))
        edges += [("x", "overlap"), ("recall", "v"), ("x", "v", "tie"), ("v", "x")]
    else:
        operators.append(Activate(name="v", size=n, function=Tanh(gain=gain)))
        edges += [("x", "v"), ("v", "overlap"), ("recall", "x")]
    return network_graph(operators, edges, outputs=[("output", "v", n)], units=units)


def _patterns(value: Any) -> tuple[Array, int, int]:
    rows = freeze(value, "patterns")
    if rows.ndim != 2 or rows.size == 0:
        raise InputError(f"`patterns` has shape {rows.shape}: must be (m, n), one row a pattern")
    return rows, rows.shape[0], rows.shape[1]


def random_modern_hopfield(rng: np.random.Generator) -> Graph:
    """Return a memory of 3 to 16 neurons and 2 to 12 patterns on the unit sphere, started near one of them."""
    m, n = int(rng.integers(2, 13)), int(rng.integers(3, 17))
    patterns = rng.normal(size=(m, n))
    patterns /= np.linalg.norm(patterns, axis=1, keepdims=True)
    start = patterns[0] + rng.normal(size=n) / np.sqrt(n)
    return modern_hopfield(patterns, beta=rng.uniform(1.0, 20.0), tau=rng.uniform(0.5, 2.0), initial=start)


def random_dense_memory(rng: np.random.Generator) -> Graph:
    """Return a memory of 4 to 16 neurons, as many patterns at most, of degree 2 to 5, started near a pattern."""
    n = int(rng.integers(4, 17))
    patterns = rng.choice([-1.0, 1.0], size=(int(rng.integers(1, n + 1)), n))
    start = 0.5 * patterns[0] + 0.3 * rng.normal(size=n)
    return dense_memory(patterns, degree=int(rng.integers(2, 6)), gain=rng.uniform(1.0, 8.0), initial=start)
