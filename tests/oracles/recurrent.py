# ruff: noqa: N803, N806  (the inputs and outputs bear the names that the ONNX operators give them)
"""LSTM, GRU and RNN of the ONNX specification (opset 14 on, layout 0) in plain float64 loops, as an oracle for tests.

Written from the text of the specification alone: directions, sequences of the batch, time steps and neurons are
explicit loops over Python floats. The lists `activations`, `activation_alpha` and `activation_beta` are flat, as the
attributes are: the functions of the first direction, then those of the second. An input with another shape than the
specification's is a ValueError, as nothing here broadcasts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float64]
Function = Callable[[float], float]

# The defaults of the operators of the same name; None: the operator (ScaledTanh) has no default.
ALPHA = {"affine": 1.0, "scaledtanh": None, "hardsigmoid": 0.2, "leakyrelu": 0.01, "thresholdedrelu": 1.0, "elu": 1.0}
BETA = {"affine": 0.0, "scaledtanh": None, "hardsigmoid": 0.5}


# The activation functions of x with their alpha a and beta b (those that have them), none of which overflows.
ACTIVATIONS: dict[str, Callable[[float, float, float], float]] = {
    "sigmoid": lambda x, a, b: 1.0 / (1.0 + math.exp(-x)) if x >= 0.0 else math.exp(x) / (1.0 + math.exp(x)),
    "tanh": lambda x, a, b: math.tanh(x),
    "relu": lambda x, a, b: x if x >= 0.0 else 0.0,
    "affine": lambda x, a, b: a * x + b,
    "scaledtanh": lambda x, a, b: a * math.tanh(b * x),
    "hardsigmoid": lambda x, a, b: min(max(a * x + b, 0.0), 1.0),
    "leakyrelu": lambda x, a, b: x if x >= 0.0 else a * x,
    "thresholdedrelu": lambda x, a, b: x if x >= a else 0.0,
    "elu": lambda x, a, b: x if x >= 0.0 else a * math.expm1(x),
    "softsign": lambda x, a, b: x / (1.0 + abs(x)),
    "softplus": lambda x, a, b: max(x, 0.0) + math.log1p(math.exp(-abs(x))),
}
# Per direction, whether it runs backwards in time.
REVERSALS = {"forward": [False], "reverse": [True], "bidirectional": [False, True]}


def _function(name: str, a: float, b: float, clip: float | None) -> Function:
    """x -> name(min(max(x, -clip), clip))."""
    function = ACTIVATIONS[name]
    return lambda x: function(x if clip is None else min(max(x, -clip), clip), a, b)


def _functions(
    default: Sequence[str],
    directions: int,
    activations: Sequence[str] | None,
    alpha: Sequence[float] | None,
    beta: Sequence[float] | None,
    clip: float | None,
) -> list[list[Function]]:
    """Per direction its functions; alphas and betas go, in order, to the functions that take one."""
    names = list(default) * directions if activations is None else list(activations)
    if len(names) != len(default) * directions:
        raise ValueError(f"{len(names)} activations, expected {len(default) * directions}")
    alphas, betas = list(alpha or []), list(beta or [])

    def parameter(name: str, values: list[float], defaults: dict[str, float | None]) -> float:
        if name not in defaults:
            return 0.0
        value = values.pop(0) if values else defaults[name]
        if value is None:
            raise ValueError(f"{name} has no default for its alpha or beta")
        return float(value)

    found: list[Function] = []
    for name in map(str.lower, names):
        found.append(_function(name, parameter(name, alphas, ALPHA), parameter(name, betas, BETA), clip))
    if alphas or betas:
        raise ValueError(f"no function takes the alphas {alphas} and the betas {betas}")
    return [found[d * len(default) : (d + 1) * len(default)] for d in range(directions)]


def _times(length: int, reverse: bool) -> Sequence[int]:
    """The steps of a sequence in the order in which they run: 0 .. length - 1, or length - 1 .. 0."""
    return range(length - 1, -1, -1) if reverse else range(length)


def _lists(name: str, array: Array | None, *shape: int) -> Any:
    """An input as nested lists of floats; zeros of its shape if it is left out."""
    values = np.zeros(shape) if array is None else np.array(array, dtype=np.float64)
    if values.shape != shape:
        raise ValueError(f"{name} has shape {values.shape}, expected {shape}")
    return values.tolist()


def _lengths(sequence_lens: npt.ArrayLike | None, steps: int, batch: int) -> list[int]:
    """The number of valid steps of each sequence."""
    lengths = [steps] * batch if sequence_lens is None else [int(n) for n in np.asarray(sequence_lens)]
    if len(lengths) != batch or not all(0 <= n <= steps for n in lengths):
        raise ValueError(f"sequence_lens {lengths}, expected {batch} numbers from 0 to {steps}")
    return lengths


def _dot(row: list[float], vector: list[float]) -> float:
    total = 0.0
    for weight, value in zip(row, vector, strict=True):
        total += weight * value
    return total


def lstm(
    *,
    X: Array,
    W: Array,
    R: Array,
    B: Array | None = None,
    sequence_lens: npt.ArrayLike | None = None,
    initial_h: Array | None = None,
    initial_c: Array | None = None,
    P: Array | None = None,
    direction: str = "forward",
    activations: Sequence[str] | None = None,
    activation_alpha: Sequence[float] | None = None,
    activation_beta: Sequence[float] | None = None,
    clip: float | None = None,
    input_forget: int = 0,
    projection: Array | None = None,
) -> tuple[Array, Array, Array]:
    """Y [T, D, B, H], Y_h [D, B, H] and Y_c [D, B, H] of an LSTM (H is the projection's size in Y and Y_h).

    i = f(Wi x + Ri h + Pi (.) c + Wbi + Rbi)           fg = f(Wf x + Rf h + Pf (.) c + Wbf + Rbf), or 1 - i if coupled
    c~ = g(Wc x + Rc h + Wbc + Rbc)                     c' = fg (.) c + i (.) c~
    o = f(Wo x + Ro h + Po (.) c' + Wbo + Rbo)          h' = o (.) h(c'), or projection (o (.) h(c'))
    """
    (T, N, inputs), H, reversals = X.shape, W.shape[1] // 4, REVERSALS[direction]
    D, S = len(reversals), H if projection is None else projection.shape[1]
    x_all, w_all, r_all = _lists("X", X, T, N, inputs), _lists("W", W, D, 4 * H, inputs), _lists("R", R, D, 4 * H, S)
    b_all, p_all = _lists("B", B, D, 8 * H), _lists("P", P, D, 3 * H)
    h_all, c_all = _lists("initial_h", initial_h, D, N, S), _lists("initial_c", initial_c, D, N, H)
    projections = None if projection is None else _lists("projection", projection, D, S, H)
    names = ("Sigmoid", "Tanh", "Tanh")
    functions = _functions(names, D, activations, activation_alpha, activation_beta, clip)
    Y = np.zeros((T, D, N, S))
    for d in range(D):
        f, g, h_function = functions[d]
        w, r, b, p = w_all[d], r_all[d], b_all[d], p_all[d]
        for s, length in enumerate(_lengths(sequence_lens, T, N)):
            for t in _times(length, reversals[d]):
                x, h, c = x_all[t][s], h_all[d][s], c_all[d][s]
                new_c, gated = [], []
                for n in range(H):
                    # The rows of neuron n, in the order i, o, f, c (and i, o, f in P).
                    net = [_dot(w[k], x) + _dot(r[k], h) + b[k] + b[4 * H + k] for k in range(n, 4 * H, H)]
                    i = f(net[0] + p[n] * c[n])
                    forget = 1.0 - i if input_forget else f(net[2] + p[2 * H + n] * c[n])
                    new_c.append(forget * c[n] + i * g(net[3]))
                    o = f(net[1] + p[H + n] * new_c[n])
                    gated.append(o * h_function(new_c[n]))
                c_all[d][s] = new_c
                h_all[d][s] = gated if projections is None else [_dot(row, gated) for row in projections[d]]
                Y[t, d, s] = h_all[d][s]
    return Y, np.array(h_all).reshape(D, N, S), np.array(c_all).reshape(D, N, H)


def gru(
    *,
    X: Array,
    W: Array,
    R: Array,
    B: Array | None = None,
    sequence_lens: npt.ArrayLike | None = None,
    initial_h: Array | None = None,
    direction: str = "forward",
    activations: Sequence[str] | None = None,
    activation_alpha: Sequence[float] | None = None,
    activation_beta: Sequence[float] | None = None,
    clip: float | None = None,
    linear_before_reset: int = 0,
) -> tuple[Array, Array]:
    """Y [T, D, B, H] and Y_h [D, B, H] of a GRU.

    z = f(Wz x + Rz h + Wbz + Rbz)                      r = f(Wr x + Rr h + Wbr + Rbr)
    h~ = g(Wh x + Rh (r (.) h) + Rbh + Wbh), or g(Wh x + r (.) (Rh h + Rbh) + Wbh) if linear_before_reset
    h' = (1 - z) (.) h~ + z (.) h
    """
    (T, N, inputs), H, reversals = X.shape, W.shape[1] // 3, REVERSALS[direction]
    D = len(reversals)
    x_all, w_all, r_all = _lists("X", X, T, N, inputs), _lists("W", W, D, 3 * H, inputs), _lists("R", R, D, 3 * H, H)
    b_all, h_all = _lists("B", B, D, 6 * H), _lists("initial_h", initial_h, D, N, H)
    functions = _functions(("Sigmoid", "Tanh"), D, activations, activation_alpha, activation_beta, clip)
    Y = np.zeros((T, D, N, H))
    for d in range(D):
        (f, g), w, r = functions[d], w_all[d], r_all[d]
        wb, rb = b_all[d][: 3 * H], b_all[d][3 * H :]
        for s, length in enumerate(_lengths(sequence_lens, T, N)):
            for t in _times(length, reversals[d]):
                x, h = x_all[t][s], h_all[d][s]
                # Rows 0 .. H - 1 are z, H .. 2H - 1 are r, 2H .. 3H - 1 are h.
                gates = [f(_dot(w[k], x) + _dot(r[k], h) + wb[k] + rb[k]) for k in range(2 * H)]
                update, reset = gates[:H], gates[H:]
                reset_h = [reset[n] * h[n] for n in range(H)]
                new_h = []
                for n in range(H):
                    k = 2 * H + n
                    if linear_before_reset:
                        candidate = g(_dot(w[k], x) + reset[n] * (_dot(r[k], h) + rb[k]) + wb[k])
                    else:
                        candidate = g(_dot(w[k], x) + _dot(r[k], reset_h) + rb[k] + wb[k])
                    new_h.append((1.0 - update[n]) * candidate + update[n] * h[n])
                h_all[d][s] = new_h
                Y[t, d, s] = new_h
    return Y, np.array(h_all).reshape(D, N, H)


def rnn(
    *,
    X: Array,
    W: Array,
    R: Array,
    B: Array | None = None,
    sequence_lens: npt.ArrayLike | None = None,
    initial_h: Array | None = None,
    direction: str = "forward",
    activations: Sequence[str] | None = None,
    activation_alpha: Sequence[float] | None = None,
    activation_beta: Sequence[float] | None = None,
    clip: float | None = None,
) -> tuple[Array, Array]:
    """Y [T, D, B, H] and Y_h [D, B, H] of a simple RNN: h' = f(Wi x + Ri h + Wbi + Rbi)."""
    (T, N, inputs), H, reversals = X.shape, W.shape[1], REVERSALS[direction]
    D = len(reversals)
    x_all, w_all, r_all = _lists("X", X, T, N, inputs), _lists("W", W, D, H, inputs), _lists("R", R, D, H, H)
    b_all, h_all = _lists("B", B, D, 2 * H), _lists("initial_h", initial_h, D, N, H)
    functions = _functions(("Tanh",), D, activations, activation_alpha, activation_beta, clip)
    Y = np.zeros((T, D, N, H))
    for d in range(D):
        (f,), w, r, b = functions[d], w_all[d], r_all[d], b_all[d]
        for s, length in enumerate(_lengths(sequence_lens, T, N)):
            for t in _times(length, reversals[d]):
                x, h = x_all[t][s], h_all[d][s]
                h_all[d][s] = [f(_dot(w[n], x) + _dot(r[n], h) + b[n] + b[H + n]) for n in range(H)]
                Y[t, d, s] = h_all[d][s]
    return Y, np.array(h_all).reshape(D, N, H)
