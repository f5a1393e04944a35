"""Cohen-Grossberg networks (1983), and the competitive networks that are instances of them."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..functions import Function, Identity, Polynomial
from ..graph import Activate, Affine, Graph, Hadamard, Operator, Units
from ..graph.building import CIRCUIT_UNITS, network_graph, square, state
from ..graph.weights import diagonal_weights
from ..values.arrays import freeze, positive
from ..values.errors import InputError
from .random_network import random_gain

SQUARE = Polynomial(coefficients=np.array([0.0, 0.0, 1.0]))


def cohen_grossberg(
    weights: Any,
    *,
    amplification: Function,
    signal: Function,
    self_signal: Function | None = None,
    bias: Any = 0.0,
    initial: Any,
    step: float | None = None,
    units: Units = CIRCUIT_UNITS,
) -> Graph:
    """Return dx_i/dt = a_i(x_i) [ b_i(x_i) + I_i - sum_j c_ij d_j(x_j) ].

    With `step` h, in discrete time: x[k+1] = x[k] + h a(x[k]) [...], by Euler, one step a unit of time.

    `weights`: C, (n, n), dense, scipy.sparse or a Stencil; c_ij is from j to i. `amplification`: a, `self_signal`: b (0
    by default) and `signal`: d, any Functions. `bias`: I, (n,) or one, a constant part of b. `initial`: x(0), (n,) or
    one. Output: `output` = x. Where C is symmetric, a is positive and d does not fall, the energy in
    `analysis.cohen_grossberg_energy` never rises. M. A. Cohen and S. Grossberg, IEEE Trans. Syst. Man Cybern. 13:815
    (1983).

    Raises InputError for a matrix that is not square, functions of another size, and a step that is not positive.
    """
    matrix, n = square(weights, "weights")
    functions = {"amplification": amplification, "signal": signal}
    if self_signal is not None:
        functions["self_signal"] = self_signal
    for name, function in functions.items():
        if not isinstance(function, Function):
            raise InputError(f"`{name}` = {function!r:.60}: must be a Function such as Identity() or Tanh()")
    start = freeze(initial, "initial", shape=(n,))
    h = None if step is None else float(positive(step, "step", shape=(), unit="units of time"))
    operators: list[Operator] = [
        state("x", start, decay=0.0, discrete=h is not None),
        *(Activate(name=name, size=n, function=function) for name, function in functions.items()),
        Affine(name="bracket", weights=matrix.scale(-1.0), bias=freeze(bias, "bias", shape=(n,))),
        Hadamard(name="rate", size=n),
    ]
    edges: list[tuple[str, ...]] = [("x", name) for name in functions]
    edges += [("signal", "bracket"), ("bracket", "rate", "right"), ("amplification", "rate", "left")]
    if self_signal is not None:
        edges.append(("self_signal", "rate", "right"))
    if h is None:
        edges.append(("rate", "x"))
    else:
        operators.append(Affine(name="euler", weights=diagonal_weights(np.full(n, h), is_sparse=matrix.is_sparse)))
        edges += [("rate", "euler"), ("euler", "x"), ("x", "x")]
    return network_graph(operators, edges, outputs=[("output", "x", n)], units=units)


def lotka_volterra(weights: Any, *, growth: Any, initial: Any, units: Units = CIRCUIT_UNITS) -> Graph:
    """Return dx_i/dt = x_i (r_i - sum_j A_ij x_j): a = d = x, b = r.

    `weights`: A, (n, n), what an individual of j takes from the growth of i. `growth`: r, (n,) or one. `initial`:
    x(0), (n,) or one, at least 0. S. Grossberg, Neural Netw. 1:17 (1988), and Cohen and Grossberg (1983).

    Raises InputError for a matrix that is not square, and a negative initial state.
    """
    if bool(np.any(freeze(initial, "initial") < 0.0)):
        raise InputError("`initial` holds a negative number: must be at least 0, as what is counted is")
    return cohen_grossberg(
        weights, amplification=Identity(), signal=Identity(), bias=growth, initial=initial, units=units
    )


def shunting(
    weights: Any,
    *,
    decay: float = 1.0,
    ceiling: float = 1.0,
    signal: Function = SQUARE,
    excitation: Any = 0.0,
    inhibition: Any = 0.0,
    initial: Any = 0.0,
    units: Units = CIRCUIT_UNITS,
) -> Graph:
    """Return dx_i/dt = -A x_i + (B - x_i) [f(x_i) + I_i] - x_i [J_i + sum_j F_ij f(x_j)], which stays in [0, B].

    `weights`: F, (n, n), dense, scipy.sparse or a Stencil. `decay`: A, and `ceiling`: B, positive. `signal`: f; with
    its default, x^2, and F = 1 off the diagonal, the strongest takes all (S. Grossberg, Stud. Appl. Math. 52:213,
    1973). `excitation`: I, and `inhibition`: J, (n,) or one, at least 0. `initial`: x(0), (n,) or one, from 0 to B.
    Output: `output` = x. For x above 0 it is the Cohen-Grossberg network with a = x, c = F, d = f and b = (B - x) (f(x)
    + I) / x - A - J.

    Raises InputError for a matrix that is not square, values outside those ranges, and a function of another size.
    """
    matrix, n = square(weights, "weights")
    start = freeze(initial, "initial", shape=(n,))
    excites, inhibits = freeze(excitation, "excitation", shape=(n,)), freeze(inhibition, "inhibition", shape=(n,))
    rate = positive(decay, "decay", shape=(), unit="per unit of time")
    most = float(positive(ceiling, "ceiling", shape=(), unit=""))
    for name, values in (("excitation", excites), ("inhibition", inhibits), ("initial", start)):
        if bool(np.any(values < 0.0)):
            raise InputError(f"`{name}` holds {values.min()}: must be at least 0")
    if bool(np.any(start > most)):
        raise InputError(f"`initial` holds {start.max()}: must be at most the ceiling, {most}")
    same = diagonal_weights(np.ones(n), is_sparse=matrix.is_sparse)
    operators: list[Operator] = [
        state("x", start, decay=rate),
        Activate(name="signal", size=n, function=signal),
        Affine(name="excite", weights=same, bias=excites),
        Affine(name="inhibit", weights=matrix, bias=inhibits),
        Affine(name="room", weights=same.scale(-1.0), bias=np.full(n, most)),
        Affine(name="minus_x", weights=same.scale(-1.0)),
        Hadamard(name="excited", size=n),
        Hadamard(name="inhibited", size=n),
    ]
    edges: list[tuple[str, ...]] = [("x", "signal"), ("signal", "excite"), ("signal", "inhibit"), ("x", "room")]
    edges += [("room", "excited", "left"), ("excite", "excited", "right"), ("excited", "x"), ("x", "minus_x")]
    edges += [("minus_x", "inhibited", "left"), ("inhibit", "inhibited", "right"), ("inhibited", "x")]
    return network_graph(operators, edges, outputs=[("output", "x", n)], units=units)


def random_cohen_grossberg(rng: np.random.Generator) -> Graph:
    """Return a network with amplification 1 + x^2/4, or Lotka-Volterra, or shunting, of 2 to 10 neurons.

    All are competitive or bounded by their self-signals, so that states stay within a few units.
    """
    n = int(rng.integers(2, 11))
    kind = int(rng.integers(3))
    inhibition = rng.uniform(0.0, 1.0, (n, n))
    if kind == 0:
        return cohen_grossberg(
            rng.normal(size=(n, n)) / np.sqrt(n),
            amplification=Polynomial(coefficients=np.array([1.0, 0.0, 0.25])),
            self_signal=Polynomial(coefficients=np.array([0.0, -1.0, 0.0, -0.2])),
            signal=random_gain(rng, n),
            bias=rng.normal(size=n),
            initial=rng.uniform(-1.0, 1.0, n),
        )
    if kind == 1:
        competition = inhibition / n + np.diag(rng.uniform(1.0, 1.5, n))
        return lotka_volterra(competition, growth=rng.uniform(0.5, 1.5, n), initial=rng.uniform(0.1, 1.0, n))
    return shunting(
        2.0 * inhibition * (1.0 - np.eye(n)),
        decay=rng.uniform(0.1, 0.5),
        excitation=rng.uniform(0.0, 0.5, n),
        initial=rng.uniform(0.0, 1.0, n),
    )
