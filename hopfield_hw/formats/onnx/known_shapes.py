"""What a model says of the shapes of its arrays, for weights that are cut by the size of an array."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from .step import Step

if TYPE_CHECKING:
    from onnx import GraphProto, ModelProto, NodeProto

Sizes = tuple[int | None, ...]  # None for one that is not known
PASSED_ON = ("Cast", "Identity", "Slice")  # an initial state comes through them with the size of its elements
INITIAL = (5, 6)  # the inputs of a recurrent node that are initial states, (directions, B, H)


def known_shapes(onnx: Any, proto: ModelProto) -> dict[str, Sizes]:
    """Return the sizes of arrays by name, as far as inputs, nodes and the attribute hidden_size tell them."""
    copy = onnx.ModelProto()
    copy.CopyFrom(proto)
    _state_sizes(copy.graph)
    try:
        found = onnx.shape_inference.infer_shapes(copy, data_prop=True).graph
    except Exception:  # of a node that is not known, or a model above 2 GB: what it states itself is left
        found = copy.graph
    values = [*found.input, *found.output, *found.value_info]
    shapes = {value.name: value.type.tensor_type for value in values if value.type.tensor_type.HasField("shape")}
    return {name: tuple(_size(d) for d in kind.shape.dim) for name, kind in shapes.items()}


def shape_from(step: Step, shapes: Mapping[str, Sizes]) -> Any:
    """Return what a Shape gives, where all of it is known; else None."""
    sizes = shapes.get(step.inputs[0])
    if step.op != "Shape" or sizes is None:
        return None
    part = sizes[step.attributes.get("start", 0) : step.attributes.get("end")]
    return None if None in part else np.array(part, dtype=np.int64)


def _size(dimension: Any) -> int | None:
    return int(dimension.dim_value) if dimension.HasField("dim_value") else None


def _state_sizes(graph: GraphProto) -> None:
    """Give inputs without shapes that initial states come from the hidden size of their node."""
    makers = {name: node for node in graph.node for name in node.output}
    inputs = {value.name: value.type.tensor_type for value in graph.input}
    for node in graph.node:
        size = next((a.i for a in node.attribute if a.name == "hidden_size"), 0)
        for k in INITIAL:
            name = node.input[k] if size and k < len(node.input) else ""
            maker: NodeProto | None = makers.get(name)
            while maker is not None and maker.op_type in PASSED_ON:
                name = maker.input[0]
                maker = makers.get(name)
            if name in inputs and not inputs[name].HasField("shape"):
                for value in (None, None, size):
                    dimension = inputs[name].shape.dim.add()
                    if value is not None:
                        dimension.dim_value = value
