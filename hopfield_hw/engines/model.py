"""Models, step by step: recurrent layers by their cells, the nodes around them by NumPy, as ONNX defines them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
from scipy.special import expit, softmax

from ..arrays import Array
from ..digital import Layer, Model, Step
from ..errors import InputError
from .sequence import run_layers

Attributes: TypeAlias = "Mapping[str, Any]"


def run_model(model: Model, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs of a model by name. Raises InputError for inputs that are missing or not the model's."""
    if set(inputs) != set(model.inputs):
        raise InputError(f"`inputs` has {sorted(inputs)}: must have {sorted(model.inputs)}")
    values: dict[str, Any] = {**model.constants, **{name: np.asarray(value) for name, value in inputs.items()}}
    for step in model.steps:
        given = [values[name] if name else None for name in step.inputs]
        found = (
            _recurrent(step.layer, step, given) if step.layer is not None else [GLUE[step.op](given, step.attributes)]
        )
        values.update({name: value for name, value in zip(step.outputs, found, strict=False) if name})
    return {name: values[name] for name in model.outputs}


def _recurrent(layer: Layer, step: Step, given: Sequence[Any]) -> list[Array]:
    """Return Y, Y_h and, of an LSTM, Y_c."""
    x, *_, lengths, h, c = [*given[:1], *[*given[4:7], None, None, None][:3]]
    batch_first = bool(step.attributes.get("layout", 0))
    if batch_first:
        x, h, c = (None if array is None else np.swapaxes(array, 0, 1) for array in (x, h, c))
    start = {name: array for name, array in (("h", h), ("c", c)) if array is not None}
    outputs, (states,) = run_layers(layer, x, lengths=lengths, initial=[start] if start else None)
    y = np.stack(np.split(outputs, len(layer.cells), axis=2), axis=1)
    found = [y, states["h"], *([states["c"]] if "c" in states else [])]
    if batch_first:
        return [y.transpose(2, 0, 1, 3), *(np.swapaxes(array, 0, 1) for array in found[1:])]
    return found


def _gemm(given: Sequence[Any], a: Attributes) -> Any:
    left, right = (m.T if a.get(key) else m for m, key in zip(given[:2], ("transA", "transB"), strict=True))
    product = a.get("alpha", 1.0) * (left @ right)
    return product if len(given) < 3 or given[2] is None else product + a.get("beta", 1.0) * given[2]


def _axes(given: Sequence[Any], a: Attributes) -> tuple[int, ...] | None:
    axes = given[1] if len(given) > 1 and given[1] is not None else a.get("axes")
    return None if axes is None else tuple(int(axis) for axis in np.atleast_1d(axes))


def _reshape(given: Sequence[Any], a: Attributes) -> Any:
    data, wanted = given[0], [int(size) for size in given[1]]
    keep = not a.get("allowzero")
    return data.reshape([data.shape[k] if size == 0 and keep else size for k, size in enumerate(wanted)])


def _unsqueeze(given: Sequence[Any], a: Attributes) -> Any:
    return np.expand_dims(given[0], _axes(given, a) or ())


def _flatten(given: Sequence[Any], a: Attributes) -> Any:
    axis = a.get("axis", 1)
    return given[0].reshape(int(np.prod(given[0].shape[:axis])), -1)


def _gather(given: Sequence[Any], a: Attributes) -> Any:
    return np.take(given[0], np.asarray(given[1], dtype=np.int64), axis=a.get("axis", 0))


def _slice(given: Sequence[Any], a: Attributes) -> Any:
    data, starts, ends = given[:3]
    axes = given[3] if len(given) > 3 and given[3] is not None else range(len(starts))
    steps = given[4] if len(given) > 4 and given[4] is not None else [1] * len(starts)
    parts = [slice(None)] * data.ndim
    for start, end, axis, step in zip(starts, ends, axes, steps, strict=True):
        stop = None if step < 0 and int(end) < -data.shape[axis] else int(end)
        parts[int(axis)] = slice(int(start), stop, int(step))
    return data[tuple(parts)]


def _shape(given: Sequence[Any], a: Attributes) -> Any:
    return np.array(given[0].shape, dtype=np.int64)[a.get("start", 0) : a.get("end")]


def _filled(given: Sequence[Any], a: Attributes) -> Any:
    return np.full([int(size) for size in given[0]], a["value"].item() if "value" in a else 0.0)


def _expand(given: Sequence[Any], a: Attributes) -> Any:
    return given[0] * np.ones([int(size) for size in given[1]], dtype=given[0].dtype)


def _cast(given: Sequence[Any], a: Attributes) -> Any:
    if a["to"] not in CASTS:
        raise InputError(f"Cast to the ONNX type {a['to']} is not supported: must be a float or a whole number")
    return given[0].astype(CASTS[a["to"]])


# The element types of ONNX; all floating-point numbers are float64 here, all whole ones int64.
CASTS: Mapping[int, type[Any]] = MappingProxyType({1: np.float64, 11: np.float64, 6: np.int64, 7: np.int64})
GLUE: Mapping[str, Callable[[Sequence[Any], Attributes], Any]] = MappingProxyType(
    {
        "Add": lambda given, a: given[0] + given[1],
        "Cast": _cast,
        "Concat": lambda given, a: np.concatenate(given, axis=a["axis"]),
        "ConstantOfShape": _filled,
        "Expand": _expand,
        "Flatten": _flatten,
        "Gather": _gather,
        "Gemm": _gemm,
        "Identity": lambda given, a: given[0],
        "MatMul": lambda given, a: given[0] @ given[1],
        "Mul": lambda given, a: given[0] * given[1],
        "Relu": lambda given, a: np.maximum(given[0], 0.0),
        "Reshape": _reshape,
        "Shape": _shape,
        "Sigmoid": lambda given, a: expit(given[0]),
        "Slice": _slice,
        "Softmax": lambda given, a: softmax(given[0], axis=a.get("axis", -1)),
        "Squeeze": lambda given, a: np.squeeze(given[0], _axes(given, a)),
        "Sub": lambda given, a: given[0] - given[1],
        "Tanh": lambda given, a: np.tanh(given[0]),
        "Transpose": lambda given, a: np.transpose(given[0], a.get("perm")),
        "Unsqueeze": _unsqueeze,
    }
)
