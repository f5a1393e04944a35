"""Recurrent nodes of ONNX as layers of cells."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ...recurrent.cells import GRU, LSTM, RNN, RecurrentCell
from ...recurrent.layers import Layer
from ...values.errors import InputError
from .activations import activation_from_onnx
from .step import Step

RECURRENT: Mapping[str, type[RecurrentCell]] = MappingProxyType({"LSTM": LSTM, "GRU": GRU, "RNN": RNN})
DIRECTIONS = ("forward", "reverse", "bidirectional")
WEIGHTS: Mapping[int, str] = MappingProxyType({1: "W", 2: "R", 3: "B", 7: "P"})  # by the place of the input
DIMENSIONS = MappingProxyType({"W": 3, "R": 3, "B": 2, "P": 2})


def layer_of(step: Step, known: Mapping[str, Any]) -> Layer:
    """Return the layer of a recurrent node whose weights are among the constants `known`.

    Raises InputError by the node's name for weights that are none, other shapes, directions and activations.
    """
    label, attributes = step.label, step.attributes
    direction = attributes["direction"]
    if direction not in DIRECTIONS:
        raise InputError(f"{label}: direction {direction!r:.40}: must be one of {', '.join(DIRECTIONS)}")
    given = [*step.inputs, *[""] * (8 - len(step.inputs))]
    arrays: dict[str, Any] = {}
    for k, what in WEIGHTS.items():
        name = given[k]
        if name and name not in known:
            raise InputError(f"{label}: {what} is {name!r:.80}, which is not a constant; give it in `constants`")
        arrays[what] = known[name] if name else None
        if name and arrays[what].ndim != DIMENSIONS[what]:
            raise InputError(f"{label}: {what} has shape {arrays[what].shape}: must have {DIMENSIONS[what]} dimensions")
    size = attributes.get("hidden_size", arrays["R"].shape[-1])
    if size != arrays["R"].shape[-1]:
        raise InputError(f"{label}: hidden_size is {size}, and R has shape {arrays['R'].shape}")
    ways = 2 if direction == "bidirectional" else 1
    for what, array in arrays.items():
        if array is not None and array.shape[0] != ways:
            raise InputError(f"{label}: {what} has shape {array.shape}: must have {ways} directions")
    activations = _activations(step, ways)
    try:
        cells = [_cell(step.op, arrays, d, attributes, activations[d]) for d in range(ways)]
    except InputError as error:
        raise InputError(f"{label}: {error}") from None
    if direction == "bidirectional":
        return Layer(forward=cells[0], backward=cells[1])
    return Layer(forward=cells[0]) if direction == "forward" else Layer(backward=cells[0])


def without_weights(step: Step) -> tuple[str, ...]:
    """Return the inputs of a recurrent node, its weights left out: they are in its layer."""
    return tuple("" if k in WEIGHTS else name for k, name in enumerate(step.inputs))


def _activations(step: Step, ways: int) -> list[tuple[Any, ...]]:
    op, attributes = step.op, step.attributes
    count, names = len(RECURRENT[op].defaults), attributes.get("activations", ())
    if not names:
        return [RECURRENT[op].defaults] * ways
    if len(names) != count * ways:
        raise InputError(f"{step.label}: has {len(names)} activations: must have {count * ways}")
    alphas: Iterator[float] = iter(attributes.get("activation_alpha", ()))
    betas: Iterator[float] = iter(attributes.get("activation_beta", ()))
    functions = [activation_from_onnx(name, alphas, betas) for name in names]
    if [*alphas, *betas]:
        raise InputError(f"{step.label}: has more values of activation_alpha or _beta than its activations take")
    return [tuple(functions[d * count : (d + 1) * count]) for d in range(ways)]


def _cell(
    op: str, arrays: Mapping[str, Any], d: int, attributes: Mapping[str, Any], activations: tuple[Any, ...]
) -> RecurrentCell:
    fields: dict[str, Any] = {
        "input_weights": arrays["W"][d],
        "recurrent_weights": arrays["R"][d],
        "bias": None if arrays["B"] is None else arrays["B"][d],
        "activations": activations,
        "clip": attributes.get("clip"),
    }
    if op == "LSTM":
        peepholes = None if arrays["P"] is None else arrays["P"][d]
        fields |= {"peepholes": peepholes, "input_forget": bool(attributes["input_forget"])}
    if op == "GRU":
        fields["linear_before_reset"] = bool(attributes["linear_before_reset"])
    return RECURRENT[op](**fields)
