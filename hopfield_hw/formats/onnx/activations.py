"""The activation functions of ONNX by name, as functions of ours, and back."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

from ...functions import Clip, Function, Logistic, Polynomial, Softsign, Table, Tanh
from ...functions.rectifiers import Elu, LeakyRelu, Softplus, ThresholdedRelu
from ...values.errors import InputError


class Activation(NamedTuple):
    """`alpha`, `beta`: the defaults of ONNX; NaN where it has none, None where the function has no such parameter."""

    alpha: float | None
    beta: float | None
    build: Callable[[float, float], Function]


def _scaled_tanh(alpha: float, beta: float) -> Function:
    return Tanh(gain=alpha * beta, amplitude=alpha)


def _hard_sigmoid(alpha: float, beta: float) -> Function:
    return Table(x=np.array([-beta, 1.0 - beta]) / alpha, y=np.array([0.0, 1.0]))


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        "Sigmoid": Activation(None, None, lambda alpha, beta: Logistic(gain=0.25)),
        "Tanh": Activation(None, None, lambda alpha, beta: Tanh()),
        "Relu": Activation(None, None, lambda alpha, beta: Clip(lower=0.0, upper=np.inf)),
        "Affine": Activation(1.0, 0.0, lambda alpha, beta: Polynomial(coefficients=np.array([beta, alpha]))),
        "ScaledTanh": Activation(np.nan, np.nan, _scaled_tanh),
        "HardSigmoid": Activation(0.2, 0.5, _hard_sigmoid),
        "LeakyRelu": Activation(0.01, None, lambda alpha, beta: LeakyRelu(below=alpha)),
        "ThresholdedRelu": Activation(1.0, None, lambda alpha, beta: ThresholdedRelu(threshold=alpha)),
        "Elu": Activation(1.0, None, lambda alpha, beta: Elu(alpha=alpha)),
        "Softsign": Activation(None, None, lambda alpha, beta: Softsign()),
        "Softplus": Activation(None, None, lambda alpha, beta: Softplus()),
    }
)


def activation_from_onnx(name: str, alphas: Iterator[float], betas: Iterator[float]) -> Function:
    """Return a function by its ONNX name, in any case; it takes what parameters it has from the iterators.

    Raises InputError for a name that is not supported, and for a parameter that is missing and has no default.
    """
    found = next((known for known in ACTIVATIONS if known.lower() == name.lower()), None)
    if found is None:
        raise InputError(f"activation {name!r:.60} is not supported: must be one of {', '.join(ACTIVATIONS)}")
    activation = ACTIVATIONS[found]
    alpha = 0.0 if activation.alpha is None else next(alphas, activation.alpha)
    beta = 0.0 if activation.beta is None else next(betas, activation.beta)
    if np.isnan(alpha) or np.isnan(beta):
        raise InputError(f"activation {name!r:.60}: must have its alpha and beta; ONNX has no default for them")
    return activation.build(alpha, beta)


def activation_to_onnx(function: Function) -> tuple[str, tuple[float, ...], tuple[float, ...]]:
    """Return the ONNX name of a function, and its alpha and beta where it has them. Raises InputError for others."""
    for name, activation in ACTIVATIONS.items():
        if activation.alpha is None and activation.build(0.0, 0.0) == function:
            return name, (), ()
    for name, alpha in (("LeakyRelu", "below"), ("ThresholdedRelu", "threshold"), ("Elu", "alpha")):
        value = getattr(function, alpha, None)
        if isinstance(value, float) and ACTIVATIONS[name].build(value, 0.0) == function:
            return name, (value,), ()
    if isinstance(function, Tanh) and isinstance(function.gain, float) and isinstance(function.amplitude, float):
        return "ScaledTanh", (function.amplitude,), (function.gain / function.amplitude,)
    if isinstance(function, Polynomial) and function.coefficients.shape == (2,):
        offset, factor = function.coefficients.tolist()
        return "Affine", (factor,), (offset,)
    if isinstance(function, Table) and function.y.tolist() == [0.0, 1.0]:
        factor = 1.0 / float(function.x[1] - function.x[0])
        return "HardSigmoid", (factor,), (-factor * float(function.x[0]),)
    raise InputError(
        f"{type(function).__name__} with {function.params()}: ONNX has no such activation; use one that it has"
    )
