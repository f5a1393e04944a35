"""Layers of recurrent cells as an ONNX model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from ...recurrent.cells import GRU, LSTM, RNN, RecurrentCell
from ...recurrent.layers import Layer, Stack
from ...values.errors import InputError, MissingExtra
from .activations import activation_to_onnx

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto

OPSET = 22
IR = 10


def to_onnx(layers: Layer | Stack, *, dtype: Literal["float32", "float64"] = "float32") -> ModelProto:
    """Return a model from `x` (T, B, I) to `y` (T, B, directions H) and the final states `h_k` (and `c_k`) of layer k.

    `dtype`: of the weights and of what the model computes with.

    Raises MissingExtra without the package onnx, and InputError for what ONNX has no operator for: an activation, a
    projection, output weights.
    """
    try:
        import onnx
        from onnx import helper
    except ImportError as error:
        raise MissingExtra(f"to_onnx needs the package onnx ({error}); install it: pip install onnx") from None
    stack = layers if isinstance(layers, Stack) else Stack(layers=(layers,))
    element = onnx.TensorProto.FLOAT if dtype == "float32" else onnx.TensorProto.DOUBLE
    nodes: list[NodeProto] = []
    weights: list[TensorProto] = []
    outputs = []
    source = "x"
    for k, layer in enumerate(stack.layers):
        arrays = _arrays(layer)
        weights += [onnx.numpy_helper.from_array(a.astype(dtype), f"{name}_{k}") for name, a in arrays.items()]
        names = [f"{name}_{k}" if name in arrays else "" for name in ("W", "R", "B", "", "", "", "P")]
        inputs = [source, *names[:3], "", "", "", *names[6:]]
        kind, size, ways = type(layer.cells[0]).__name__, layer.cells[0].hidden_size, len(layer.cells)
        states = [f"h_{k}", f"c_{k}"] if kind == "LSTM" else [f"h_{k}"]
        last = k == len(stack.layers) - 1
        while inputs[-1] == "":
            inputs.pop()
        nodes.append(helper.make_node(kind, inputs, [f"y_{k}", *states], f"{kind}_{k}", **_attributes(layer)))
        source = "y" if last else f"x_{k + 1}"
        weights.append(onnx.numpy_helper.from_array(np.array([0, 0, -1]), f"shape_{k}"))
        nodes.append(helper.make_node("Transpose", [f"y_{k}"], [f"t_{k}"], f"transpose_{k}", perm=[0, 2, 1, 3]))
        nodes.append(helper.make_node("Reshape", [f"t_{k}", f"shape_{k}"], [source], f"reshape_{k}"))
        outputs += [helper.make_tensor_value_info(name, element, [ways, "batch", size]) for name in states]
    x = helper.make_tensor_value_info("x", element, ["time", "batch", stack.layers[0].cells[0].input_size])
    y = helper.make_tensor_value_info("y", element, ["time", "batch", stack.layers[-1].output_size])
    graph = helper.make_graph(nodes, "recurrent", [x], [y, *outputs], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
    onnx.checker.check_model(model)
    return model


def _arrays(layer: Layer) -> dict[str, Any]:
    for cell in layer.cells:
        _refuse(cell)
    arrays = {
        "W": np.stack([cell.input_weights for cell in layer.cells]),
        "R": np.stack([cell.recurrent_weights for cell in layer.cells]),
        "B": np.stack([cell.bias for cell in layer.cells]),
    }
    peepholes = [cell.peepholes for cell in layer.cells if isinstance(cell, LSTM)]
    if any(one is not None for one in peepholes):
        size = 3 * layer.cells[0].hidden_size
        arrays["P"] = np.stack([np.zeros(size) if one is None else one for one in peepholes])
    return arrays


def _refuse(cell: RecurrentCell) -> None:
    if isinstance(cell, LSTM) and cell.projection is not None:
        raise InputError("to_onnx: ONNX has no LSTM with a projection; multiply it into the weights that follow")
    if isinstance(cell, RNN) and cell.output_weights is not None:
        raise InputError("to_onnx: ONNX has no RNN with output weights; leave them out, and apply them to `y`")


def _attributes(layer: Layer) -> dict[str, Any]:
    first, names = layer.cells[0], []
    alphas: list[float] = []
    betas: list[float] = []
    for cell in layer.cells:
        if _options(cell) != _options(first):
            raise InputError("to_onnx: the two directions have other options; ONNX has one set for both")
        for function in cell.activations:
            name, alpha, beta = activation_to_onnx(function)
            names.append(name)
            alphas += alpha
            betas += beta
    given: dict[str, Any] = {"direction": layer.direction, "hidden_size": first.hidden_size, "activations": names}
    parameters = {"activation_alpha": alphas, "activation_beta": betas}
    given |= {name: values for name, values in parameters.items() if values}
    return given | {name: value for name, value in _options(first).items() if value is not None}


def _options(cell: RecurrentCell) -> dict[str, Any]:
    options: dict[str, Any] = {"clip": cell.clip}
    if isinstance(cell, LSTM):
        options["input_forget"] = int(cell.input_forget)
    if isinstance(cell, GRU):
        options["linear_before_reset"] = int(cell.linear_before_reset)
    return options
