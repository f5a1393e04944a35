"""The operators of ONNX that move, cut and make arrays, as ONNX defines them in each opset from 7 on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from .step import Given, Step


def axes_of(given: Given, step: Step) -> tuple[int, ...] | None:
    """Return axes that are an input in new opsets and an attribute in old ones; None where they are left out."""
    axes = step.input(given, 1)
    axes = step.attributes.get("axes") if axes is None else axes
    return None if axes is None else tuple(int(axis) for axis in np.atleast_1d(axes))


def whole(value: Any, what: str) -> int:
    """Return the one whole number of an input. Raises ValueError for more."""
    array = np.asarray(value)
    if array.size != 1 or array.dtype.kind != "i":
        raise ValueError(f"{what} must be one whole number")
    return int(array.reshape(()))


def shape_of(value: Any) -> tuple[int, ...]:
    """Return an input that is a shape."""
    return tuple(int(size) for size in np.asarray(value).reshape(-1))


def _reshape(given: Given, step: Step) -> Any:
    data, wanted = given[0], list(shape_of(given[1]))
    kept = [k for k, size in enumerate(wanted) if size == 0 and not step.attributes.get("allowzero")]
    if kept and kept[-1] >= data.ndim:
        raise ValueError(f"the new shape {wanted} copies a size that there is not")
    if wanted.count(-1) > 1 or min(wanted, default=0) < -1:
        raise ValueError(f"the new shape {wanted} has a size below -1, or two that are -1")
    for k in kept:
        wanted[k] = data.shape[k]
    if -1 in wanted:  # sizes that are copied say nothing of it, not even where they are 0
        rest = [size for k, size in enumerate(data.shape) if k not in kept]
        made = [size for k, size in enumerate(wanted) if k not in kept and size != -1]
        if math.prod(made) == 0 or math.prod(rest) % math.prod(made):
            raise ValueError(f"no size in the place of -1 makes the new shape {wanted} fit")
        wanted[wanted.index(-1)] = math.prod(rest) // math.prod(made)
    return data.reshape(wanted)


def _flatten(given: Given, step: Step) -> Any:
    shape, axis = given[0].shape, step.attributes["axis"]
    if not -len(shape) <= axis <= len(shape):
        raise ValueError(f"axis {axis} is not there")
    return given[0].reshape(math.prod(shape[:axis]), math.prod(shape[axis:]))


def _slice(given: Given, step: Step) -> Any:
    data = given[0]
    if step.version < 10:
        a = step.attributes
        starts, ends, axes, steps = a["starts"], a["ends"], a.get("axes"), None
    else:
        starts, ends, axes, steps = given[1], given[2], step.input(given, 3), step.input(given, 4)
    axes = range(len(starts)) if axes is None else axes
    steps = [1] * len(starts) if steps is None else steps
    parts = [slice(None)] * data.ndim
    for start, end, axis, stride in zip(starts, ends, axes, steps, strict=True):
        parts[int(axis)] = _part(int(start), int(end), int(stride), data.shape[int(axis)])
    return data[tuple(parts)]


def _part(start: int, end: int, stride: int, size: int) -> slice:
    """Return a slice whose ends are limited as ONNX says: to [0, size] forward, and to [-1, size - 1] backward."""
    if stride == 0:
        raise ValueError("a step of 0")
    start, end = (k + size if k < 0 else k for k in (start, end))
    if stride > 0:
        return slice(min(max(start, 0), size), min(max(end, 0), size), stride)
    if size == 0:
        return slice(0, 0)
    stop = min(max(end, -1), size - 1)
    return slice(min(max(start, 0), size - 1), None if stop == -1 else stop, stride)


def _split(given: Given, step: Step) -> Any:
    data, axis, count = given[0], step.attributes["axis"], len(step.outputs)
    sizes = step.input(given, 1)
    sizes = step.attributes.get("split") if sizes is None else sizes
    total = data.shape[axis]
    if sizes is None:
        if step.attributes.get("num_outputs", count) != count:
            raise ValueError(f"num_outputs is {step.attributes['num_outputs']}, and there are {count} outputs")
        each = -(-total // count)
        if step.version < 18 and total % count:
            raise ValueError(f"{total} elements cannot be split into {count} equal parts")
        sizes = [min(each, max(0, total - k * each)) for k in range(count)]
    sizes = [int(size) for size in sizes]
    if len(sizes) != count or sum(sizes) != total or min(sizes) < 0:
        raise ValueError(f"parts of {sizes} elements are not {count} parts of {total}")
    return np.split(data, np.cumsum(sizes)[:-1], axis=axis)


def _squeeze(given: Given, step: Step) -> Any:
    return np.squeeze(given[0], axes_of(given, step))


def _unsqueeze(given: Given, step: Step) -> Any:
    return np.expand_dims(given[0], axes_of(given, step) or ())


def _gather(given: Given, step: Step) -> Any:
    return np.take(given[0], given[1], axis=step.attributes["axis"])


def _gather_elements(given: Given, step: Step) -> Any:
    return np.take_along_axis(given[0], given[1], axis=step.attributes["axis"])


def _shape(given: Given, step: Step) -> Any:
    return np.array(given[0].shape, dtype=np.int64)[step.attributes.get("start", 0) : step.attributes.get("end")]


def _fill(given: Given, step: Step) -> Any:
    value = step.attributes.get("value")
    return np.broadcast_to(np.zeros(()) if value is None else value.reshape(()), shape_of(given[0]))


def _expand(given: Given, step: Step) -> Any:
    return np.broadcast_to(given[0], np.broadcast_shapes(given[0].shape, shape_of(given[1])))


def _range(given: Given, step: Step) -> Any:
    start, limit, delta = (np.asarray(value).reshape(()) for value in given)
    if delta == 0:
        raise ValueError("a step of 0")
    return start + delta * np.arange(max(0, math.ceil((limit - start) / delta)))


def _one_hot(given: Given, step: Step) -> Any:
    indices, values = np.asarray(given[0]).astype(np.int64), given[2]
    depth = int(np.asarray(given[1]).reshape(()))
    found = np.where(indices < 0, indices + depth, indices)[..., np.newaxis] == np.arange(depth)
    return np.moveaxis(np.where(found, values[1], values[0]), -1, step.attributes["axis"])


SHAPES: Mapping[str, Callable[[Given, Step], Any]] = MappingProxyType(
    {
        "Concat": lambda given, step: np.concatenate(given, axis=step.attributes["axis"]),
        "ConstantOfShape": _fill,
        "Expand": _expand,
        "Flatten": _flatten,
        "Gather": _gather,
        "GatherElements": _gather_elements,
        "Identity": lambda given, step: given[0],
        "OneHot": _one_hot,
        "Range": _range,
        "Reshape": _reshape,
        "Shape": _shape,
        "Size": lambda given, step: np.array(given[0].size),
        "Slice": _slice,
        "Split": _split,
        "Squeeze": _squeeze,
        "Tile": lambda given, step: np.tile(given[0], shape_of(given[1])),
        "Transpose": lambda given, step: np.transpose(given[0], step.attributes.get("perm")),
        "Unsqueeze": _unsqueeze,
    }
)
