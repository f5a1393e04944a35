"""Models, step by step: recurrent layers by their cells, the nodes around them as ONNX defines them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ..formats import Model, Step
from ..formats.onnx.nodes import evaluate
from ..formats.onnx.step import numbers
from ..recurrent import Layer
from ..values.arrays import Array
from ..values.errors import InputError
from .sequences import run_layers


def run_model(model: Model, inputs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the outputs of a model by name, whose floats are float64 and whose whole numbers int64.

    A batch of no sequence gives outputs of no sequence. Where `sequence_lens` is 0, a recurrent node takes no step: its
    Y is 0 and its last state the initial one. ONNX does not say; onnxruntime gives 0 for that state.

    Raises InputError for inputs that are missing or not the model's, and, with the node's name, for arrays that a node
    cannot take.
    """
    if set(inputs) != set(model.inputs):
        raise InputError(f"`inputs` has {sorted(inputs)}: must have {sorted(model.inputs)}")
    given = {name: numbers(value, f"`inputs[{name!r}]`") for name, value in inputs.items()}
    values: dict[str, Any] = {**model.constants, **given}
    for step in model.steps:
        taken = [values[name] if name else None for name in step.inputs]
        found = evaluate(step, taken) if step.layer is None else _recurrent(step.layer, step, taken)
        values.update({name: np.asarray(value) for name, value in zip(step.outputs, found, strict=False) if name})
    return {name: np.array(values[name]) for name in model.outputs}


def _recurrent(layer: Layer, step: Step, given: Sequence[Any]) -> list[Array]:
    """Return Y, Y_h and, of an LSTM, Y_c."""
    x, lengths, h, c = given[0], *[*given[4:7], None, None, None][:3]
    ways, batch_first = len(layer.cells), bool(step.attributes.get("layout", 0))
    for name, array in (("X", x), ("initial_h", h), ("initial_c", c)):
        if array is not None and (array.ndim != 3 or (name != "X" and array.shape[batch_first] != ways)):
            must = "3 dimensions" if name == "X" else f"{ways} directions in 3 dimensions"
            raise InputError(f"{step.label}: {name} has shape {array.shape}: must have {must}")
    if batch_first:
        x, h, c = (None if array is None else np.swapaxes(array, 0, 1) for array in (x, h, c))
    start = {name: array for name, array in (("h", h), ("c", c)) if array is not None}
    try:
        outputs, (states,) = run_layers(layer, x, lengths=lengths, initial=[start] if start else None)
    except InputError as error:
        raise InputError(f"{step.label}: {error}") from None
    y = np.stack(np.split(outputs, ways, axis=2), axis=1)
    found = [y, states["h"], *([states["c"]] if "c" in states else [])]
    if batch_first:
        return [y.transpose(2, 0, 1, 3), *(np.swapaxes(array, 0, 1) for array in found[1:])]
    return found
