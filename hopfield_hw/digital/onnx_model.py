"""Models from ONNX: recurrent nodes become layers of cells, and the nodes around them stay as they are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from ..errors import InputError, MissingExtra
from .activations import activation_from_onnx
from .layers import Layer
from .recurrent import GRU, LSTM, RNN, RecurrentCell

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto

RECURRENT: Mapping[str, type[RecurrentCell]] = MappingProxyType({"LSTM": LSTM, "GRU": GRU, "RNN": RNN})
# The nodes around the recurrent ones that a model may have, as exporters write them.
GLUE = frozenset(
    {
        "Add",
        "Cast",
        "Concat",
        "Constant",
        "ConstantOfShape",
        "Expand",
        "Flatten",
        "Gather",
        "Gemm",
        "Identity",
        "MatMul",
    }
    | {"Mul", "Relu", "Reshape", "Shape", "Sigmoid", "Slice", "Softmax", "Squeeze", "Sub", "Tanh", "Transpose"}
    | {"Unsqueeze"}
)
ATTRIBUTES = frozenset(
    {"activation_alpha", "activation_beta", "activations", "clip", "direction", "hidden_size", "layout"}
)
OWN: Mapping[str, frozenset[str]] = MappingProxyType(
    {"LSTM": frozenset({"input_forget"}), "GRU": frozenset({"linear_before_reset"}), "RNN": frozenset()}
)
DIRECTIONS = ("forward", "reverse", "bidirectional")


class Step(NamedTuple):
    """One node: `inputs` and `outputs` by name, "" for one that is left out; `layer`: of a recurrent node."""

    op: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    attributes: Mapping[str, Any]
    layer: Layer | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """A model as steps in their order. `inputs`, `outputs`: names. `constants`: arrays by name."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    constants: Mapping[str, Any]
    steps: tuple[Step, ...]

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The recurrent layers, in their order."""
        return tuple(step.layer for step in self.steps if step.layer is not None)


def from_onnx(model: Path | str | ModelProto, *, constants: Mapping[str, Any] | None = None) -> Model:
    """Return the model of an ONNX file, or of a ModelProto. `constants`: values for some of its inputs.

    Raises MissingExtra without the package onnx, and InputError for a file that is not ONNX, for a node, attribute or
    activation that is not supported (by name), and for recurrent weights that are not constants.
    """
    try:
        import onnx
    except ImportError as error:
        raise MissingExtra(f"from_onnx needs the package onnx ({error}); install it: pip install onnx") from None
    proto = _read(onnx, model) if isinstance(model, str | Path) else model
    known: dict[str, Any] = {tensor.name: _array(tensor) for tensor in proto.graph.initializer}
    known.update({name: np.asarray(value) for name, value in (constants or {}).items()})
    steps = []
    for node in proto.graph.node:
        attributes = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Constant":
            known[node.output[0]] = _constant(node, attributes)
            continue
        steps.append(_step(node, attributes, known))
    inputs = tuple(value.name for value in proto.graph.input if value.name not in known)
    outputs = tuple(value.name for value in proto.graph.output)
    return Model(inputs=inputs, outputs=outputs, constants=MappingProxyType(known), steps=tuple(steps))


def _read(onnx: Any, path: Path | str) -> ModelProto:
    name = Path(path).name
    try:
        proto: ModelProto = onnx.load(str(path))
        onnx.checker.check_model(proto)
    except OSError as error:
        raise InputError(
            f"{name}: cannot be read ({error.strerror or error}); give the path of an .onnx file"
        ) from None
    except Exception as error:  # protobuf and the checker raise classes of their own
        raise InputError(f"{name}: is not an ONNX model ({str(error).splitlines()[0]:.120})") from None
    return proto


def _array(tensor: Any) -> Any:
    """Return the values of a tensor; floating-point numbers as float64."""
    from onnx import numpy_helper

    array = numpy_helper.to_array(tensor)
    return array.astype(np.float64) if np.issubdtype(array.dtype, np.floating) else array


def _constant(node: NodeProto, attributes: Mapping[str, Any]) -> Any:
    ((name, value),) = attributes.items()
    if name == "value":
        return _array(value)
    if name in ("value_float", "value_floats", "value_int", "value_ints"):
        return np.array(value)
    raise InputError(f"node {node.name or node.output[0]!r}: Constant with {name!r} is not supported")


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode()
    return _array(value) if hasattr(value, "raw_data") else value


def _step(node: NodeProto, attributes: Mapping[str, Any], known: Mapping[str, Any]) -> Step:
    label = f"node {node.name or node.output[0]!r} ({node.op_type})"
    if node.domain not in ("", "ai.onnx") or node.op_type not in (*RECURRENT, *GLUE):
        supported = ", ".join([*RECURRENT, *sorted(GLUE)])
        raise InputError(f"{label} is not supported: must be one of {supported}")
    plain = {name: _plain(value) for name, value in attributes.items()}
    layer = _layer(label, node, plain, known) if node.op_type in RECURRENT else None
    return Step(node.op_type, tuple(node.input), tuple(node.output), MappingProxyType(plain), layer)


def _layer(label: str, node: NodeProto, attributes: Mapping[str, Any], known: Mapping[str, Any]) -> Layer:
    unknown = sorted(set(attributes) - ATTRIBUTES - OWN[node.op_type])
    if unknown:
        raise InputError(f"{label}: the attribute {unknown[0]!r} is not supported")
    direction = attributes.get("direction", "forward")
    if direction not in DIRECTIONS:
        raise InputError(f"{label}: direction {direction!r:.40}: must be one of {', '.join(DIRECTIONS)}")
    given = [*node.input, *[""] * (8 - len(node.input))]
    arrays: dict[str, Any] = {}
    for what, name in zip("WRBP", (given[1], given[2], given[3], given[7]), strict=True):
        if name and name not in known:
            raise InputError(f"{label}: {what} is {name!r}, which is not a constant; give it in `constants`")
        arrays[what] = known[name] if name else None
    size = attributes.get("hidden_size", arrays["R"].shape[-1])
    if size != arrays["R"].shape[-1]:
        raise InputError(f"{label}: hidden_size is {size}, and R has shape {arrays['R'].shape}")
    ways = 2 if direction == "bidirectional" else 1
    for what, array in arrays.items():
        if array is not None and array.shape[0] != ways:
            raise InputError(f"{label}: {what} has shape {array.shape}: must have {ways} directions")
    activations = _activations(label, node.op_type, attributes, ways)
    cells = [_cell(node.op_type, arrays, d, attributes, activations[d]) for d in range(ways)]
    if direction == "bidirectional":
        return Layer(forward=cells[0], backward=cells[1])
    return Layer(forward=cells[0]) if direction == "forward" else Layer(backward=cells[0])


def _activations(label: str, op: str, attributes: Mapping[str, Any], ways: int) -> list[tuple[Any, ...]]:
    count = len(RECURRENT[op].defaults)
    names = [_plain(name) for name in attributes.get("activations", ())]
    if not names:
        return [RECURRENT[op].defaults] * ways
    if len(names) != count * ways:
        raise InputError(f"{label}: has {len(names)} activations: must have {count * ways}")
    alphas: Iterator[float] = iter(attributes.get("activation_alpha", ()))
    betas: Iterator[float] = iter(attributes.get("activation_beta", ()))
    functions = [activation_from_onnx(name, alphas, betas) for name in names]
    if [*alphas, *betas]:
        raise InputError(f"{label}: has more values of activation_alpha or _beta than its activations take")
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
        fields |= {"peepholes": peepholes, "input_forget": bool(attributes.get("input_forget", 0))}
    if op == "GRU":
        fields["linear_before_reset"] = bool(attributes.get("linear_before_reset", 0))
    return RECURRENT[op](**fields)
