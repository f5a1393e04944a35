"""The nodes around recurrent ones, by NumPy, as ONNX defines them in each opset from 7 on.

https://onnx.ai/onnx/operators: what an operator does is that of `Step.version`. Every float is float64 here, every
whole number int64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.special import erf, expit, log_softmax, softmax

from ...values.errors import InputError
from .shapes import SHAPES, axes_of, whole
from .step import Given, Step

FIRST_OPSET = 7  # before it, operators by element had their own broadcasting
# The element types of ONNX that Cast may make.
CASTS: Mapping[int, type[Any]] = MappingProxyType(
    {1: np.float64, 11: np.float64, 6: np.int64, 7: np.int64, 9: np.bool_}
)


def evaluate(step: Step, given: Given) -> Sequence[Any]:
    """Return what a node gives, output by output. Raises InputError, with the node's name, for what it cannot take."""
    try:
        with np.errstate(all="ignore"):
            found = NODES[step.op](given, step)
    except (ArithmeticError, IndexError, KeyError, MemoryError, TypeError, ValueError) as error:
        shapes = ", ".join("nothing" if value is None else str(np.shape(value)) for value in given)
        raise InputError(f"{step.label} takes arrays of shape {shapes}, and cannot: {error!s:.200}") from None
    return found if isinstance(found, list | tuple) else (found,)


def check(step: Step, known: Mapping[str, Any]) -> None:
    """Refuse, when a model is read, what a supported operator has and we have not. Raises InputError by name.

    `known`: the constants of the model.
    """
    a = step.attributes
    most = 2 if step.op in ("Dropout", "TopK") else 3 if step.op == "LayerNormalization" else 1
    if step.op != "Split" and len(step.outputs) > most:
        raise InputError(f"{step.label}: has {len(step.outputs)} outputs: must have at most {most}")
    if step.op == "Cast" and a["to"] not in CASTS:
        allowed = "float32 (1), float64 (11), int32 (6), int64 (7) or bool (9)"
        raise InputError(f"{step.label}: casts to the element type {a['to']}: must be {allowed}")
    training = bool(a.get("training_mode"))
    if step.op == "Dropout" and len(step.inputs) > 2 and step.inputs[2]:
        training = bool(np.any(known.get(step.inputs[2], True)))
    if training:
        raise InputError(f"{step.label}: is in training mode; export the model in inference mode (model.eval())")


def _gemm(given: Given, step: Step) -> Any:
    a = step.attributes
    left, right = (m.T if a[key] else m for m, key in zip(given[:2], ("transA", "transB"), strict=True))
    if left.ndim != 2 or right.ndim != 2:
        raise ValueError("it multiplies matrices")
    product, added = a["alpha"] * (left @ right), step.input(given, 2)
    if added is None:
        return product
    return product + np.broadcast_to(a["beta"] * added, product.shape)


def _over_groups(function: Callable[..., Any]) -> Callable[[Given, Step], Any]:
    """Return softmax or its logarithm: along an axis, or, before opset 13, over all axes from one on together."""

    def node(given: Given, step: Step) -> Any:
        x, axis = given[0], step.attributes["axis"]
        if not -x.ndim <= axis < max(x.ndim, 1):
            raise ValueError(f"axis {axis} is not there")
        if x.size == 0:
            return x
        if step.version >= 13:
            return function(x, axis=axis)
        rows = math.prod(x.shape[:axis])
        return function(x.reshape(rows, x.size // rows), axis=1).reshape(x.shape)

    return node


def _layer_normalization(given: Given, step: Step) -> Any:
    x, scale, bias = given[0], given[1], step.input(given, 2)
    axis = range(x.ndim)[step.attributes["axis"]]
    axes = tuple(range(axis, x.ndim))
    mean = _average(x, axis=axes, keepdims=True)
    inverse = 1.0 / np.sqrt(_average((x - mean) ** 2, axis=axes, keepdims=True) + step.attributes["epsilon"])
    y = (x - mean) * inverse * scale
    return y if bias is None else y + bias, mean, inverse


def _batch_normalization(given: Given, step: Step) -> Any:
    x, *rows = given
    scale, bias, mean, variance = (row.reshape(-1, *[1] * (x.ndim - 2)) for row in rows)
    return (x - mean) / np.sqrt(variance + step.attributes["epsilon"]) * scale + bias


def _reduce(function: Callable[..., Any], given: Given, step: Step) -> Any:
    x, axes = given[0], axes_of(given, step)
    if not axes:
        if step.attributes.get("noop_with_empty_axes"):
            return x
        axes = None
    found = np.asarray(function(x, axis=axes, keepdims=bool(step.attributes["keepdims"])))
    return found.astype(x.dtype)


def _average(x: Any, **options: Any) -> Any:
    """Return the mean: NaN of nothing, where that of NumPy warns."""
    total = np.asarray(np.sum(x, **options))
    return total / (x.size // max(total.size, 1))


def _length(x: Any, **options: Any) -> Any:
    return np.sqrt(np.sum(x * x, **options))


def _extreme(function: Callable[..., Any], given: Given, step: Step) -> Any:
    """Return where the largest or the smallest element is: the first of them, or the last."""
    x, axis, a = given[0], step.attributes["axis"], step.attributes
    if a.get("select_last_index"):
        found = x.shape[axis] - 1 - function(np.flip(x, axis), axis=axis)
    else:
        found = function(x, axis=axis)
    return np.expand_dims(found, axis) if a["keepdims"] else found


def _top(given: Given, step: Step) -> Any:
    a = step.attributes
    x, axis = given[0], a["axis"]
    count = a["k"] if "k" in a else whole(given[1], "k")
    if not 0 <= count <= x.shape[axis]:
        raise ValueError(f"k is {count}: must be from 0 to {x.shape[axis]}")
    order = np.argsort(-x if a.get("largest", 1) else x, axis=axis, kind="stable")
    indices = np.take(order, np.arange(count), axis=axis)
    return np.take_along_axis(x, indices, axis=axis), indices


def _clip(given: Given, step: Step) -> Any:
    bounds = (step.attributes.get(name) for name in ("min", "max"))
    low, high = (step.input(given, k) if bound is None else bound for k, bound in enumerate(bounds, start=1))
    x = given[0] if low is None else np.maximum(given[0], low)
    return x if high is None else np.minimum(x, high)


def _divide(given: Given, step: Step) -> Any:
    left, right = given
    if left.dtype.kind != "i" or right.dtype.kind != "i":
        return left / right
    if np.any(right == 0):
        raise ValueError("division of whole numbers by 0")
    return np.sign(left) * np.sign(right) * (np.abs(left) // np.abs(right))  # toward zero


def _power(given: Given, step: Step) -> Any:
    return np.asarray(np.power(given[0].astype(np.float64), given[1])).astype(given[0].dtype)


def _dropout(given: Given, step: Step) -> Any:
    """Return the array as it is, and a mask that leaves all of it: `check` has refused training.

    Before opset 12, where the mask was for training alone, it is filled with 0, as onnxruntime does.
    """
    x = given[0]
    return x, np.full(x.shape, step.version >= 12, dtype=x.dtype if step.version < 10 else bool)


def _gelu(given: Given, step: Step) -> Any:
    x = given[0]
    if step.attributes["approximate"] == "tanh":
        return 0.5 * x * (1.0 + np.tanh(math.sqrt(2.0 / math.pi) * (x + 0.044715 * x**3)))
    return 0.5 * x * (1.0 + erf(x / math.sqrt(2.0)))


def _mean(given: Given, step: Step) -> Any:
    return reduce(np.add, given) / len(given)


def _plain(function: Callable[..., Any]) -> Callable[[Given, Step], Any]:
    """Return a node that is a function of its inputs alone."""
    return lambda given, step: function(*given)


def _curve(function: Callable[[Any, Mapping[str, Any]], Any]) -> Callable[[Given, Step], Any]:
    """Return a node that is a function by element with parameters."""
    return lambda given, step: function(given[0], step.attributes)


def _fold(function: Callable[..., Any]) -> Callable[[Given, Step], Any]:
    """Return a node that takes any number of inputs, two by two."""
    return lambda given, step: reduce(function, given)


NODES: Mapping[str, Callable[[Given, Step], Any]] = MappingProxyType(
    {
        **SHAPES,
        "Abs": _plain(np.abs),
        "Add": _plain(np.add),
        "And": _plain(np.logical_and),
        "ArgMax": partial(_extreme, np.argmax),
        "ArgMin": partial(_extreme, np.argmin),
        "BatchNormalization": _batch_normalization,
        "Cast": _curve(lambda x, a: x.astype(CASTS[a["to"]])),
        "CastLike": lambda given, step: given[0].astype(given[1].dtype),
        "Ceil": _plain(np.ceil),
        "Clip": _clip,
        "Cos": _plain(np.cos),
        "Div": _divide,
        "Dropout": _dropout,
        "Elu": _curve(lambda x, a: np.where(x < 0.0, a["alpha"] * np.expm1(x), x)),
        "Equal": _plain(np.equal),
        "Erf": _plain(erf),
        "Exp": _plain(np.exp),
        "Floor": _plain(np.floor),
        "Gelu": _gelu,
        "Gemm": _gemm,
        "Greater": _plain(np.greater),
        "GreaterOrEqual": _plain(np.greater_equal),
        "HardSigmoid": _curve(lambda x, a: np.clip(a["alpha"] * x + a["beta"], 0.0, 1.0)),
        "HardSwish": _plain(lambda x: x * np.clip(x / 6.0 + 0.5, 0.0, 1.0)),
        "LayerNormalization": _layer_normalization,
        "LeakyRelu": _curve(lambda x, a: np.where(x < 0.0, a["alpha"] * x, x)),
        "Less": _plain(np.less),
        "LessOrEqual": _plain(np.less_equal),
        "Log": _plain(np.log),
        "LogSoftmax": _over_groups(log_softmax),
        "MatMul": _plain(np.matmul),
        "Max": _fold(np.maximum),
        "Mean": _mean,
        "Min": _fold(np.minimum),
        "Mul": _plain(np.multiply),
        "Neg": _plain(np.negative),
        "Not": _plain(np.logical_not),
        "Or": _plain(np.logical_or),
        "PRelu": _plain(lambda x, slope: np.where(x < 0.0, slope * x, x)),
        "Pow": _power,
        "Reciprocal": _plain(np.reciprocal),
        "ReduceL2": partial(_reduce, _length),
        "ReduceMax": partial(_reduce, np.max),
        "ReduceMean": partial(_reduce, _average),
        "ReduceMin": partial(_reduce, np.min),
        "ReduceProd": partial(_reduce, np.prod),
        "ReduceSum": partial(_reduce, np.sum),
        "Relu": _plain(lambda x: np.maximum(x, x.dtype.type(0))),
        "Round": _plain(np.rint),
        "Selu": _curve(lambda x, a: a["gamma"] * np.where(x < 0.0, a["alpha"] * np.expm1(x), x)),
        "Sigmoid": _plain(expit),
        "Sign": _plain(np.sign),
        "Sin": _plain(np.sin),
        "Softmax": _over_groups(softmax),
        "Softplus": _plain(lambda x: np.logaddexp(x, 0.0)),
        "Softsign": _plain(lambda x: x / (1.0 + np.abs(x))),
        "Sqrt": _plain(np.sqrt),
        "Sub": _plain(np.subtract),
        "Sum": _fold(np.add),
        "Tanh": _plain(np.tanh),
        "ThresholdedRelu": _curve(lambda x, a: np.where(x > a["alpha"], x, 0.0)),
        "TopK": _top,
        "Where": _plain(np.where),
        "Xor": _plain(np.logical_xor),
    }
)
